"""Pages of an arXiv harvest, compared with the snapshot's lines of the same papers."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from pipelines.lake.schemas import ITEM_SCHEMA
from pipelines.parsing import arxiv_oai, arxiv_snapshot, formats
from tests.fixtures.listings import HINTS, assert_sound, joined, jsonl, reasons, record
from tests.replay import oai_xml

pytestmark = pytest.mark.unit

ROWS = [
    record("2501.00001", comments="3 pages", categories="cs.LG I.2.7 hep-th"),
    record("2501.00002", title="Folded\n  $\\mu$ & <b>", abstract=" a\n  b ", authors="Ada E"),
    record("math/0501003", update_date="2025-02-03", versions=[]),
    record(
        "2412.00004",
        versions=[
            {"version": f"v{n}", "created": f"Thu, {n} Jan 2025 03:04:05 GMT"} for n in range(1, 12)
        ],
    ),
    record("1812.00005"),  # the date of v1 contradicts the id
    record("2501.00006", authors="A. Team (1), B. One and C. Two ((1) Lab)", authors_parsed=[]),
]
SHOWN = [name for name in ITEM_SCHEMA if name != "place"]


def as_snapshot(rows: list[dict[str, Any]], *, printed: bool) -> pl.DataFrame:
    """Items of the snapshot's lines, with the versions that a harvest lists."""
    lines = [
        {
            **row,
            "authors_parsed": [] if printed else row["authors_parsed"],
            "versions": [
                {"version": name, "created": f"{at:%a, %d %b %Y %H:%M:%S} GMT"}
                for name, at in oai_xml.versions(row)
            ],
        }
        for row in rows
    ]
    items, rejects = joined(arxiv_snapshot.parse(io.BytesIO(jsonl(*lines)), HINTS))
    assert not rejects
    return items


def assert_same(rows: list[dict[str, Any]]) -> None:
    raw = arxiv_oai.parse(oai_xml.page(rows), HINTS)
    assert not raw.rejects
    assert raw.items.select(SHOWN).equals(as_snapshot(rows, printed=True).select(SHOWN))
    plain = arxiv_oai.parse(oai_xml.page(rows, "arXiv"), HINTS)
    assert not plain.rejects
    shown = [name for name in SHOWN if name != "arxiv_version"]
    assert plain.items.select(shown).equals(as_snapshot(rows, printed=False).select(shown))


def test_items_equal_those_of_the_snapshot() -> None:
    with_names = [{**row, "authors_parsed": row["authors_parsed"] or [["Team", "A.", ""]]}
                  for row in ROWS]  # fmt: skip
    assert_same(with_names)


def test_items_equal_those_of_real_snapshot_rows(corpus: Path) -> None:
    path = corpus / "arxiv" / "arxiv-metadata-2025.jsonl.gz"
    with gzip.open(path) as lines:
        rows = [orjson.loads(line) for line in islice(lines, 0, 60_000, 150)]
    # Some lines list later versions only; a harvest never does.
    whole = [row for row in rows if oai_xml.versions(row)[0][0] == "v1"]
    assert len(whole) > 350
    assert_same(whole)


def test_a_record_becomes_a_row() -> None:
    parsed = arxiv_oai.parse(oai_xml.page(ROWS), HINTS)
    assert_sound(parsed)
    first, _, old, many, contradicted, printed = parsed.items.to_dicts()
    assert (first["position"], first["place"]) == (1, "record 1")
    assert first["categories"] == ["cs.LG", "hep-th"]
    assert (first["published_on"], first["published_on_basis"]) == (date(2025, 1, 2), "arxiv_v1")
    assert (first["announced_on"], first["arxiv_version"]) == (date(2025, 1, 3), 1)
    assert (old["arxiv_id"], old["published_on"]) == ("math/0501003", date(2005, 1, 1))
    assert many["arxiv_version"] == 11
    assert contradicted["published_on_basis"] == "arxiv_id_month_v1_contradicts_id"
    assert printed["authors"] == ["A. Team", "B. One", "C. Two"]
    assert parsed.captured_on == date(2025, 6, 2)
    assert parsed.stated_kind == "announcement"


def test_the_arxiv_format_lacks_the_newest_version() -> None:
    parsed = arxiv_oai.parse(oai_xml.page([ROWS[0], ROWS[3]], "arXiv"), HINTS)
    assert parsed.items["arxiv_version"].to_list() == [1, None]
    assert parsed.items["authors"].to_list() == [["Ada Example", "Bo Example Jr"]] * 2


@pytest.mark.parametrize("prefix", ["arXivRaw", "arXiv"])
def test_the_format_is_detected(prefix: str) -> None:
    body = oai_xml.page(ROWS, prefix)
    assert formats.detect(body).name == "arxiv_oai"
    assert formats.detect(body.partition(b"\n")[2]).name == "arxiv_oai"


def test_deleted_records_are_rejects() -> None:
    deleted = record("2501.00009", deleted=True)
    parsed = arxiv_oai.parse(oai_xml.page([ROWS[0], deleted, ROWS[1]]), HINTS)
    assert_sound(parsed)
    assert parsed.items["position"].to_list() == [1, 3]
    (reject,) = parsed.rejects
    assert (reject.place, reject.reason) == ("record 2", "deleted_record")
    assert (reject.excerpt, "2025-01-03" in reject.detail) == ("oai:arXiv.org:2501.00009", True)


def test_withdrawn_papers_are_items_and_named_in_rules() -> None:
    comments = "This paper has been Withdrawn by the author, due to an error"
    rows = [record(f"2501.{n:05}", comments=comments) for n in range(22)]
    parsed = arxiv_oai.parse(oai_xml.page([ROWS[0], *rows]), HINTS)
    assert (parsed.items.height, parsed.rejects) == (23, ())
    (rule,) = parsed.rules
    assert rule.startswith("withdrawn_kept: ")
    assert "2501.00000, 2501.00001" in rule
    assert rule.endswith("2501.00019 and 2 more")


def test_no_records_match_gives_neither_items_nor_rejects() -> None:
    parsed = arxiv_oai.parse(oai_xml.error_page("noRecordsMatch", "Nothing"), HINTS)
    assert (parsed.n_seen, parsed.stated_kind) == (0, "announcement")


WHOLE = oai_xml.page(ROWS)
DTD = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "b">]><a>&a;</a>'
IDENTIFY = oai_xml.document("<Identify/>", {}, "x", datetime(2025, 6, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(oai_xml.error_page("badArgument", "x" * 999), "source_error", id="error"),
        pytest.param(oai_xml.error_page("", ""), "source_error", id="bare error"),
        pytest.param(IDENTIFY, "not_a_listing", id="another verb"),
        pytest.param(oai_xml.page([]), "not_a_listing", id="no records"),
        pytest.param(b"", "broken_xml", id="empty"),
        pytest.param(b"<OAI-PMH", "broken_xml", id="cut at once"),
        pytest.param(WHOLE[:900], "broken_xml", id="cut in the first record"),
        pytest.param(b"<OAI-PMH/>", "not_a_listing", id="no namespace"),
        pytest.param(DTD, "xml_dtd_refused", id="entity"),
    ],
)
def test_a_body_that_is_not_a_page_is_rejected_whole(body: bytes, reason: str) -> None:
    parsed = arxiv_oai.parse(body, HINTS)
    assert_sound(parsed)
    assert (reasons(parsed), parsed.items.height) == ([reason], 0)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        pytest.param(oai_xml.record(record("nonsense")), "bad_arxiv_id", id="bad id"),
        pytest.param(oai_xml.record(record(title="")), "missing_title", id="no title"),
        pytest.param("<record/>", "not_a_record", id="no header"),
        pytest.param("<record><header/></record>", "not_a_record", id="no metadata"),
        pytest.param(
            oai_xml.record(ROWS[0]).replace("arXivRaw", "marc"), "not_a_record", id="another form"
        ),
        pytest.param(
            oai_xml.record(record(update_date="2999-01-01")), "impossible_date", id="2999"
        ),
    ],
)
def test_an_invalid_record_does_not_affect_the_others(bad: str, reason: str) -> None:
    body = WHOLE.replace(b"</ListRecords>", f"{bad}</ListRecords>".encode())
    parsed = arxiv_oai.parse(body, HINTS)
    assert_sound(parsed)
    assert parsed.items.height == len(ROWS)
    assert reasons(parsed) == [reason]


def test_a_record_with_only_an_id_and_a_title() -> None:
    for prefix in ("arXivRaw", "arXiv"):
        inside = f'<{prefix} xmlns="http://arxiv.org/OAI/{prefix}/"><id>2501.00001</id>'
        bare = f"<record><header/><metadata>{inside}<title>T</title></{prefix}></metadata></record>"
        body = oai_xml.document(
            f"<ListRecords>{bare}</ListRecords>", {}, "x", datetime(2025, 6, 2, tzinfo=UTC)
        )
        parsed = arxiv_oai.parse(body, HINTS)
        assert_sound(parsed)
        (row,) = parsed.items.to_dicts()
        assert (row["arxiv_id"], row["published_on_basis"]) == ("2501.00001", "arxiv_id_month")
        assert (row["authors"], row["n_authors"], row["announced_on"]) == (None, None, None)


@pytest.mark.parametrize("prefix", ["arXivRaw", "arXiv"])
def test_every_cut_keeps_the_complete_records_before_it(prefix: str) -> None:
    body = oai_xml.page(ROWS, prefix)
    for at in range(0, len(body.rstrip()), 37):
        parsed = arxiv_oai.parse(body[:at], HINTS)
        assert_sound(parsed)
        assert parsed.items.height == body[:at].count(b"</record>")
        assert reasons(parsed) == ["broken_xml"]


def test_a_form_that_is_not_supported_is_named() -> None:
    body = oai_xml.page(ROWS[:1]).replace(b"arXivRaw", b"marc")
    (reject,) = arxiv_oai.parse(body, HINTS).rejects
    assert "'marc'" in reject.detail
    assert "metadataPrefix=arXivRaw" in reject.detail


DC = (
    '<record xmlns="http://www.openarchives.org/OAI/2.0/"><header>'
    "<identifier>oai:arXiv.org:2501.00001</identifier><datestamp>2025-01-03</datestamp>"
    "<setSpec>{spec}</setSpec></header><metadata>"
    '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>A\n  Title</dc:title>'
    "<dc:creator>One, Ada</dc:creator><dc:creator>Two, Bo, Jr.</dc:creator>"
    "<dc:subject>{subject}</dc:subject><dc:subject>68T50</dc:subject>"
    "<dc:description>An abstract.</dc:description>"
    "<dc:description>Comment: 3 pages, withdrawn</dc:description>"
    "<dc:date>2025-01-02</dc:date><dc:date>2025-01-09</dc:date>"
    "<dc:identifier>http://arxiv.org/abs/2501.00001</dc:identifier></oai_dc:dc>"
    "</metadata></record>"
)
OLD = (
    '<record xmlns="http://www.openarchives.org/OAI/2.0/"><header>'
    "<identifier>oai:arXiv.org:2501.00002</identifier><datestamp>2025-01-03</datestamp></header>"
    '<metadata><arXivOld xmlns="http://arxiv.org/OAI/arXivOld/"><id>2501.00002</id>'
    "<title>Old</title><authors>Ada One and Bo Two</authors><categories>cs.LG stat.ML</categories>"
    "<abstract>An abstract.</abstract></arXivOld></metadata></record>"
)


def in_page(*records: str) -> bytes:
    inside = f"<ListRecords>{''.join(records)}</ListRecords>"
    return oai_xml.document(inside, {}, "x", datetime(2025, 6, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("spec", "subject", "found"),
    [
        ("cs", "Computer Science - Machine Learning", ["cs.LG"]),
        ("cs:cs:LG", "A new subject", ["cs.LG"]),
        ("physics:hep-th", "High Energy Physics - Theory", ["hep-th"]),
        ("cs", "A new subject", None),
    ],
)
def test_dublin_core(spec: str, subject: str, found: list[str] | None) -> None:
    parsed = arxiv_oai.parse(in_page(DC.format(spec=spec, subject=subject)), HINTS)
    assert_sound(parsed)
    (row,) = parsed.items.to_dicts()
    assert (row["title"], row["authors"]) == ("A Title", ["Ada One", "Bo Two Jr."])
    assert (row["categories"] or None) == found
    assert (row["published_on"], row["published_on_basis"]) == (date(2025, 1, 2), "arxiv_v1")
    assert (row["arxiv_version"], row["abstract"]) == (None, "An abstract.")
    assert parsed.rules[0].startswith("withdrawn_kept")


def test_the_old_form() -> None:
    (row,) = arxiv_oai.parse(in_page(OLD), HINTS).items.to_dicts()
    assert (row["authors"], row["categories"]) == (["Ada One", "Bo Two"], ["cs.LG", "stat.ML"])
    assert (row["published_on_basis"], row["arxiv_version"]) == ("arxiv_id_month", None)


XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
BARE = oai_xml.record(ROWS[0])
NAMESPACED = BARE.replace("<record>", '<record xmlns="http://www.openarchives.org/OAI/2.0/">')


@pytest.mark.parametrize(
    ("body", "n"),
    [
        pytest.param(f"<ListRecords>{BARE}{OLD}</ListRecords>", 2, id="list without namespace"),
        pytest.param(f"<ListRecords>\n{NAMESPACED}{OLD}</ListRecords>", 2, id="records with one"),
        pytest.param(f"{XML}{NAMESPACED}{OLD}", 2, id="records only"),
        pytest.param(XML + OLD, 1, id="one record"),
        pytest.param((in_page(BARE) + in_page(OLD)).decode(), 2, id="two pages in a file"),
    ],
)
def test_records_without_one_envelope(body: str, n: int) -> None:
    assert formats.detect(body.encode()).name == "arxiv_oai"
    parsed = arxiv_oai.parse(body.encode(), HINTS)
    assert_sound(parsed)
    assert (parsed.items.height, parsed.rejects) == (n, ())
    expected = arxiv_oai.parse(in_page(OLD), HINTS).items.drop("place", "position")
    assert parsed.items.tail(1).drop("place", "position").equals(expected)


def test_records_of_another_archive_are_not_arxiv() -> None:
    other = DC.replace("arXiv.org", "example.org").replace("arxiv.org/abs/2501.00001", "x.org/1")
    parsed = arxiv_oai.parse(in_page(other.format(spec="x", subject="y")), HINTS)
    assert (parsed.items.height, reasons(parsed)) == (0, ["bad_arxiv_id"])
