"""Formats are told from the bytes alone."""

from __future__ import annotations

import pytest

from pipelines.parsing import formats
from tests.fixtures.listings import (
    ABSTRACT,
    HEADER,
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
        pytest.param(BARE, "listing_text", id="text that opens with a bracket"),
        pytest.param(BARE.replace(b"[Re]", b"<b>"), "listing_text", id="text that opens with <"),
        pytest.param(HEADER.encode(), "listing_text", id="a header alone"),
        pytest.param(html_page({}), "listing_html", id="html"),
        pytest.param(b"\n<html>\n", "listing_html", id="html after a blank line"),
        pytest.param(b"<!-- saved --><article></article>", "listing_html", id="article alone"),
        pytest.param(api(item()), "daily_papers_json", id="api"),
        pytest.param(b"[]", "daily_papers_json", id="empty list"),
        pytest.param(b"[", "daily_papers_json", id="cut list"),
        pytest.param(b" [ 5", "daily_papers_json", id="list of numbers"),
        pytest.param(b'{"status": 1}', "daily_papers_json", id="object"),
        pytest.param(b"17", "daily_papers_json", id="number"),
        pytest.param(b'"error"\n', "daily_papers_json", id="string"),
        pytest.param(b"{" * 10**6, "daily_papers_json", id="deep"),
        pytest.param(jsonl(record(), record()), "arxiv_snapshot", id="arxiv"),
        pytest.param(jsonl(b"{damaged", record()), "arxiv_snapshot", id="first line damaged"),
        pytest.param(jsonl(b"damaged", record()), "arxiv_snapshot", id="first line is words"),
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


def test_only_the_head_is_read() -> None:
    assert formats.detect(b"x" * formats.HEAD_BYTES + jsonl(record())).name == "unknown"
