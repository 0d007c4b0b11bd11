"""Bibliographies and tables of papers: columns by name or as given, one row one paper or reject."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.parsing import bibtex, formats, parquet, ris, table, unsupported
from pipelines.parsing.records import Parsed
from tests.fixtures.listings import HINTS, assert_sound, reasons
from tests.unit.test_parsing_properties import bounded

pytestmark = pytest.mark.unit


def rows(parsed: Parsed) -> list[dict[str, Any]]:
    assert_sound(parsed)
    assert parsed.stated_kind == "search"  # adds papers, never a day of a population
    return parsed.items.to_dicts()


BIBTEX = rb"""% exported
@misc{one2024,
  title = {The {LLM} Papers of J{\"u}rgen},
  author = {Sz{\'e}kely, {\'E}va and Jan {van} Two
            and Three, Jr., Bo and {The Big Team} and others},
  eprint = {2401.12340}, archivePrefix = {arXiv}, primaryClass = {cs.LG}, year = 2024,
  abstract = "An, abstract"
}
@article{one2024, title={A second paper with the key}, author={Li, Xu}}
@article{damaged, title={Broken, author={A B}
@inproceedings{c, title="By DOI", author={Ada One}, doi={10.48550/arXiv.2401.00002}}
@article{d, title={A number}, author={Ada One}, eprint={2401.1234}}
"""


def test_bibtex() -> None:
    assert formats.detect(BIBTEX).name == "bibtex"
    parsed = bibtex.parse(BIBTEX, HINTS)
    one, second, by_doi = rows(parsed)
    assert (one["arxiv_id"], one["title"]) == ("2401.12340", "The LLM Papers of Jürgen")
    assert one["authors"] == ["Éva Székely", "Jan van Two", "Bo Three Jr.", "The Big Team"]
    assert (one["categories"], one["abstract"]) == (["cs.LG"], "An, abstract")
    # The year of a bibliography is that of a venue.
    assert (one["published_on"], one["published_on_basis"]) == (date(2024, 1, 1), "arxiv_id_month")
    assert (second["arxiv_id"], second["authors"]) == (None, ["Xu Li"])
    assert second["published_on"] is None
    assert by_doi["arxiv_id"] == "2401.00002"
    assert [(r.place, r.reason) for r in parsed.rejects] == [
        ("entry 3, line 10", "broken_bibtex"),
        ("entry 5, line 12", "bad_arxiv_id"),
    ]


def test_a_line_between_a_field_and_its_end_makes_the_entry_broken() -> None:
    body = b"@misc{a, title={One}, abstract = {We do.}\nNaN\n}\n@misc{b, title={Two}, year=2024}\n"
    parsed = bibtex.parse(body, HINTS)
    assert [row["title"] for row in rows(parsed)] == ["Two"]
    assert [(r.place, r.reason) for r in parsed.rejects] == [("entry 1, line 1", "broken_bibtex")]


RIS = b"""TY  - JOUR
TI  - A paper
AU  - One, Ada
AU  - Two, Bo, Jr.
UR  - https://arxiv.org/abs/2401.00002v3
AB  - An abstract
KW  - first
KW  - second
PY  - 2024
ER  -

TY  - CHAP
T1  - Another paper
A1  - Three, Cy
ER  -
TY  - JOUR
TI  - Cut
AU  - One"""


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_ris(end: bytes) -> None:
    body = RIS.replace(b"\n", end)
    assert formats.detect(body).name == "ris"
    parsed = ris.parse(body, HINTS)
    first, second = rows(parsed)
    assert (first["arxiv_id"], first["arxiv_version"]) == ("2401.00002", None)
    assert first["authors"] == ["Ada One", "Bo Two Jr."]
    assert first["keywords"] == ["first", "second"]
    assert (second["title"], second["authors"]) == ("Another paper", ["Cy Three"])
    assert [(r.place, r.reason) for r in parsed.rejects] == [("reference 3", "broken_ris")]


CSV = """Title,Authors,arXiv ID,Url,Published,Rating
"A, quoted","Ada One and Bo Two",2401.00001,,2024-01-03,5
Second,"One, Ada; Two, Bo",2401.1234,,,
Third,"['Ada One', 'Bo Two']",2401.1,https://arxiv.org/abs/2401.10000,,
Fourth,Ada One
,Ada One,2401.00005,,,
"On
two lines",Ada One,,https://example.org/p,2023-05-05,
"""


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_tables_as_text(separator: str) -> None:
    body = CSV if separator == "," else _separated(separator)
    assert formats.detect(body.encode()).name == "table"
    parsed = table.parse(body.encode(), HINTS)
    first, third, last = rows(parsed)
    assert (first["title"], first["authors"]) == ("A, quoted", ["Ada One", "Bo Two"])
    assert (first["published_on"], first["published_on_basis"]) == (date(2024, 1, 3), "table_date")
    assert (third["arxiv_id"], third["authors"]) == ("2401.10000", ["Ada One", "Bo Two"])
    assert (last["title"], last["arxiv_id"]) == ("On two lines", None)
    assert last["published_on"] == date(2023, 5, 5)
    assert [(r.place, r.reason) for r in parsed.rejects] == [
        ("line 3", "bad_arxiv_id"),
        ("line 5", "not_a_record"),
        ("line 6", "missing_title"),
    ]
    assert parsed.rules[0].startswith("columns: title from `Title`, authors from `Authors`")
    assert "not read: `Rating`" in parsed.rules[0]


def _separated(separator: str) -> str:
    """The table with another separator; cells that contain it are quoted."""
    import csv

    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(
        csv.reader(io.StringIO(CSV))
    )
    return out.getvalue()


def test_columns_are_taken_as_the_user_names_them() -> None:
    body = b"Name;Who;Where\nA paper;Ada One;arxiv.org/abs/2401.00001\nAnother;Bo Two;\n"
    unmapped = formats.detect(body)
    (part,) = unmapped.parse(io.BytesIO(body), HINTS)
    assert (unmapped.name, reasons(part)) == ("unknown", ["no_title_column"])
    assert "--map title=COLUMN" in part.rejects[0].detail
    assert "`Name`, `Who`, `Where`" in part.rejects[0].detail
    assert formats.detect(body, has_columns=True).name == "table"
    hints = replace(HINTS, columns={"title": "Name", "authors": "Who", "url": "Where"})
    first, second = rows(table.parse(body, hints))
    assert (first["title"], first["arxiv_id"]) == ("A paper", "2401.00001")
    assert (second["authors"], second["arxiv_id"]) == (["Bo Two"], None)


def test_a_given_column_wins_over_a_known_one() -> None:
    body = b"title,authors,long title\nShort,Ada One,A long title\n"
    hints = replace(HINTS, columns={"title": "long title"})
    assert [row["title"] for row in rows(table.parse(body, hints))] == ["A long title"]


def frame(**columns: Any) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(columns).write_parquet(out)
    return out.getvalue()


def test_parquet() -> None:
    body = frame(
        Title=["One", None, "Three", "Four"],
        authors=[["Ada One", "Bo Two"], ["Cy"], [], ["X"]],
        id=["2401.00001", "2401.00002", "2401.00003v2", "2401.1"],
        published=[date(2024, 1, 5), None, None, None],
        score=[1, 2, 3, 4],
    )
    assert formats.detect(body).name == "parquet"
    parsed = parquet.parse(body, HINTS)
    first, third = rows(parsed)
    assert (first["authors"], first["published_on"]) == (["Ada One", "Bo Two"], date(2024, 1, 5))
    assert (third["authors"], third["arxiv_version"]) == (None, 2)
    assert [(r.place, r.reason) for r in parsed.rejects] == [
        ("row 4", "bad_arxiv_id"),
        ("row 2", "missing_title"),
    ]


def test_parquet_without_text_or_with_numbers_as_ids() -> None:
    parsed = parquet.parse(frame(title=["A", "B"], id=[2401.1234, 17.0]), HINTS)
    assert [row["title"] for row in rows(parsed)] == ["B"]
    assert reasons(parsed) == ["bad_arxiv_id"]
    parsed = parquet.parse(frame(title=["A"], authors=[5]), HINTS)
    assert reasons(parsed) == ["unreadable_field"]
    parsed = parquet.parse(frame(name=["A"]), HINTS)
    assert reasons(parsed) == ["no_title_column"]


def test_a_damaged_parquet_file_is_rejected_as_a_whole() -> None:
    body = frame(title=["A"] * 50, authors=["Ada One"] * 50)
    for damaged in (body[:-20], body[:40], body[:30] + bytes(40) + body[70:], b"PAR1"):
        (part,) = formats.detect(damaged).parse(io.BytesIO(damaged), HINTS)
        assert_sound(part)
        assert reasons(part) == ["broken_parquet"]


def test_an_unclosed_quote_is_no_paper() -> None:
    body = b'title,authors\nA,Ada One\n"B,Bo Two\nC,Cy Three\n'
    parsed = table.parse(body, HINTS)
    assert [row["title"] for row in rows(parsed)] == ["A"]
    assert reasons(parsed) == ["not_a_record"]


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (b"%PDF-1.7\n\0\0", "a PDF"),
        (b"SQLite format 3\0\0", "an SQLite database"),
        (b"\x89PNG\r\n\x1a\n\0", "an image"),
        (b"%0 Journal Article\n%T A paper\n", "an EndNote or Refer file"),
        (b"PMID- 1234\nTI  - A paper\n", "a PubMed file"),
        (b"{\\rtf1 text}", "an RTF document"),
        (b"\\documentclass{article}\n", "a TeX document"),
        (bytes(257) + b"ustar" + bytes(90), "a tar archive"),
    ],
)
def test_a_form_that_is_not_supported_is_named(body: bytes, form: str) -> None:
    assert unsupported.described(body) is not None
    (part,) = formats.detect(body).parse(io.BytesIO(body), HINTS)
    assert part.items.is_empty()
    if formats.detect(body) is formats.UNKNOWN:
        assert part.rejects[0].detail.startswith(f"The file is {form}, which is not supported: ")


@pytest.mark.parametrize("text", [b"Dear all, hello,\nthis, is\n", b"a,b\n1,2\n", b"title\nA\n"])
def test_text_and_other_tables_are_no_papers(text: bytes) -> None:
    (part,) = formats.detect(text).parse(io.BytesIO(text), HINTS)
    assert (part.items.height, len(part.rejects)) == (0, 1)


PARSERS: dict[str, tuple[Callable[[bytes, Any], Parsed], bytes]] = {
    "bibtex": (bibtex.parse, BIBTEX),
    "ris": (ris.parse, RIS),
    "table": (table.parse, CSV.encode()),
    "parquet": (parquet.parse, frame(title=["One", "Two"], authors=["A B", "C D"])),
}


@pytest.mark.parametrize("name", PARSERS)
@bounded(60)
@given(data=st.data())
def test_damage_never_raises(name: str, data: st.DataObject) -> None:
    parse, good = PARSERS[name]
    body = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        length = data.draw(st.integers(0, 12))
        body[at : at + length] = data.draw(st.binary(max_size=6))
    assert_sound(parse(bytes(body), HINTS))


@pytest.mark.parametrize("name", ["bibtex", "ris"])
def test_a_cut_never_shows_half_a_paper(name: str) -> None:
    parse, good = PARSERS[name]
    shown = ["title", "authors", "arxiv_id"]
    whole = parse(good, HINTS).items.select(shown).rows()
    for at in range(0, len(good), 3):
        for row in parse(good[:at], HINTS).items.select(shown).rows():
            assert row in whole
