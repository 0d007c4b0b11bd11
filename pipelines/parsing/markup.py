"""What the head of a saved HTML page states: its title and its address.

Belongs here: tags that any page may have. Read with patterns, because the body of a hostile page
must not reach an HTML parser as a whole.
"""

from __future__ import annotations

import html
import re

_HEAD_CHARS = 200_000
_MAX_VALUE_CHARS = 4_000
_TITLE = re.compile(rf"<title[^<>]{{0,200}}>([^<]{{0,{_MAX_VALUE_CHARS}}})</title>", re.IGNORECASE)
_TAG = re.compile(rf"<(?:meta|link)\b[^<>]{{0,{_MAX_VALUE_CHARS}}}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-zA-Z:-]{1,40})\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')""")
_SAVED_FROM = re.compile(r"<!--\s*saved from url=\([0-9]{1,5}\)(\S{1,2000})\s*-->")


def page_title(page: str) -> str:
    """The text of `<title>` on one line; blank if the page has none."""
    found = _TITLE.search(page, 0, _HEAD_CHARS)
    return " ".join(html.unescape(found.group(1)).split()) if found else ""


def page_address(page: str) -> str | None:
    """The page's own address: where it was saved from, its canonical address or `og:url`."""
    if found := _SAVED_FROM.search(page, 0, _HEAD_CHARS):
        return html.unescape(found.group(1))
    return meta(page, "og:url") or meta(page, "canonical")


def meta(page: str, name: str) -> str | None:
    """The content of the first `<meta>` or `<link>` with this name; None without one."""
    for tag in _TAG.finditer(page, 0, _HEAD_CHARS):
        values = {
            key.lower(): html.unescape(double or single)
            for key, double, single in _ATTRIBUTE.findall(tag.group())
        }
        if name in (values.get("property"), values.get("name"), values.get("rel")):
            return values.get("content") or values.get("href")
    return None
