"""Formats are detected from the content."""

from __future__ import annotations

import io

import pytest

from pipelines.parsing import formats
from pipelines.parsing.head import HEAD_BYTES
from pipelines.parsing.moments import latest_timestamp
from tests.fixtures.listings import (
    ABSTRACT,
    HEADER,
    HINTS,
    RECEIVED,
    api,
    atom,
    card,
    entry,
    html_page,
    item,
    jsonl,
    page,
    record,
)

pytestmark = pytest.mark.unit

BARE = page(card("[Re] A Title", 2, "Mar 3, 2024"), header="")


@pytest.mark.parametrize(
    ("head", "name"),
    [
        pytest.param(page(card("One", 2, "Mar 3, 2024")), "listing_text", id="page text"),
        pytest.param(BARE, "listing_text", id="text that starts with a bracket"),
        pytest.param(BARE.replace(b"[Re]", b"<b>"), "listing_text", id="text that starts with <"),
        pytest.param(HEADER.encode(), "listing_text", id="only a header"),
        pytest.param(html_page({}), "listing_html", id="html"),
        pytest.param(b"\n<html>\n", "listing_html", id="html after a blank line"),
        pytest.param(b"<!-- saved --><article></article>", "listing_html", id="only an article"),
        pytest.param(api(item()), "daily_papers_json", id="api"),
        pytest.param(b"[]", "daily_papers_json", id="empty list"),
        pytest.param(b"[", "daily_papers_json", id="cut list"),
        pytest.param(b" [ 5", "daily_papers_json", id="list of numbers"),
        pytest.param(b'{"status": 1}', "daily_papers_json", id="object"),
        pytest.param(b"17", "daily_papers_json", id="number"),
        pytest.param(b'"error"\n', "daily_papers_json", id="string"),
        pytest.param(b"{" * 10**6, "daily_papers_json", id="deeply nested"),
        pytest.param(jsonl(record(), record()), "arxiv_snapshot", id="arxiv"),
        pytest.param(jsonl(b"{damaged", record()), "arxiv_snapshot", id="first line damaged"),
        pytest.param(jsonl(b"damaged", record()), "arxiv_snapshot", id="first line is text"),
        pytest.param(jsonl(record(), end=b"\r\n"), "arxiv_snapshot", id="arxiv crlf"),
        pytest.param(atom(entry()), "arxiv_atom", id="atom"),
        pytest.param(b"", "unknown", id="empty"),
        pytest.param(b" \n\t ", "unknown", id="blank"),
        pytest.param(b"\x89PNG\r\n\0\0", "unknown", id="binary"),
        pytest.param(b"Dear colleagues,\n\nhello.\n", "unknown", id="a letter"),
        pytest.param(ABSTRACT.encode(), "unknown", id="a sentence"),
        pytest.param(b"a,b\n1,2\n", "unknown", id="csv"),
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
def test_detect(head: bytes, name: str, mark: bytes) -> None:
    assert formats.detect(mark + head).name == name


def test_only_the_first_mebibyte_counts() -> None:
    assert formats.detect(b"x" * HEAD_BYTES + jsonl(record())).name == "unknown"


def test_format_names_are_unique() -> None:
    names = [known.name for known in (*formats.FORMATS, formats.UNKNOWN)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("known", [*formats.FORMATS, formats.UNKNOWN], ids=lambda f: f.name)
def test_every_parser_yields_a_part_for_any_body(known: formats.Format) -> None:
    parts = list(known.parse(io.BytesIO(b"Dear colleagues"), HINTS))
    assert [part.n_seen for part in parts] == [1]


@pytest.mark.parametrize(
    ("body", "latest"),
    [
        pytest.param(
            b"2025-01-05T01:00:00-05:00 2025-01-05T02:00:00Z", "2025-01-05T06", id="zones"
        ),
        pytest.param(b"2025-01-05T01:00:00.25Z 2999-01-01T00:00:00Z", "2025-01-05T01", id="future"),
        pytest.param(b"2025-13-01T00:00:00Z 9999-12-31T23:59:59-14:00", None, id="not a time"),
        pytest.param(b"2025-01-05 2025-01-05T01:00:00", None, id="without a zone"),
    ],
)
def test_latest_timestamp(body: bytes, latest: str | None) -> None:
    found = latest_timestamp(body, RECEIVED)
    assert (found and f"{found:%Y-%m-%dT%H}") == latest
