"""Which format bytes are in, told from the bytes alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.parsing import arxiv_snapshot, listing_text

HEAD_BYTES = 1024**2
# A title may open with a bracket, too: "[Re] …".
_JSON_ARRAY = re.compile(rb'\[\s*(?:[\[\]{"\da-zN-]|$)')
_JSON_SCALAR = re.compile(rb'(?:[-\d.eE+]+|true|false|null|"[^"]*")\s*')

_OAI_ROOT = re.compile(rb"<(?:[a-z]+:)?oai-pmh[\s>]")


@dataclass(frozen=True)
class Format:
    """A format's name, the source it speaks for, and whether it is streamed."""

    name: str
    source: str
    streamed: bool = False


LISTING_TEXT = Format("listing_text", "hf_page")
LISTING_HTML = Format("listing_html", "hf_page")
LISTING_API = Format("daily_papers_json", "hf_api")
ARXIV_SNAPSHOT = Format("arxiv_snapshot", "arxiv", streamed=True)
ARXIV_ATOM = Format("arxiv_atom", "arxiv")
ARXIV_OAI = Format("arxiv_oai", "arxiv")
UNKNOWN = Format("unknown", "unknown")


def detect(head: bytes) -> Format:
    """The format of a body that starts with `head` (at most 1 MiB); `UNKNOWN` when none fits."""
    start = head[:HEAD_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start or b"\0" in start[:8192]:
        return UNKNOWN
    if start[:1] == b"{":
        first = start.split(b"\n", 1)[0]
        cut = len(first) == len(start) and len(head) >= HEAD_BYTES
        if not cut and arxiv_snapshot.looks_like_record(first):
            return ARXIV_SNAPSHOT
        # One damaged line must not hide the file: any of the next lines may speak for it.
        lines = start.split(b"\n")[1:50]
        return ARXIV_SNAPSHOT if any(map(arxiv_snapshot.looks_like_record, lines)) else LISTING_API
    if _JSON_ARRAY.match(start) or (len(start) <= 64 and _JSON_SCALAR.fullmatch(start)):
        return LISTING_API
    if start[:1] == b"<" and (markup := _markup(start)) is not UNKNOWN:
        return markup
    text = start.decode("utf-8", errors="replace")
    if listing_text.looks_like_listing(text):
        return LISTING_TEXT
    lines = start.split(b"\n")[1:50]
    return ARXIV_SNAPSHOT if any(map(arxiv_snapshot.looks_like_record, lines)) else UNKNOWN


def _markup(start: bytes) -> Format:
    opening = start[:4096].lower()
    if _OAI_ROOT.search(opening):
        return ARXIV_OAI
    if b"<feed" in opening or (opening.startswith(b"<?xml") and b"<html" not in opening):
        return ARXIV_ATOM
    if b"<html" in opening or b"<!doctype html" in opening or b"<article" in start:
        return LISTING_HTML
    if b'data-target="DailyPapers"' in start or b"<body" in opening or b"<div" in opening:
        return LISTING_HTML
    return UNKNOWN
