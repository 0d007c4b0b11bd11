"""Pages saved as one file by Chrome or Edge (MHTML): the HTML in a MIME message.

Belongs here: taking the page out of the message. Does not belong here: reading the page
(`listing_html`, `paper_page`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from email import message_from_bytes
from email.message import Message
from email.utils import parsedate_to_datetime

from pipelines.parsing import listing_html, paper_page
from pipelines.parsing.head import Head
from pipelines.parsing.limits import too_large
from pipelines.parsing.records import Hints, Parsed, reject_body

_LIMITS = {b"\n": 2_000_000}
_MAX_PARTS = 5_000
_HEADER = re.compile(rb"[A-Za-z][A-Za-z-]{1,60}:")
_PARTS = re.compile(rb"^content-type:", re.IGNORECASE | re.MULTILINE)


def matches(head: Head) -> bool:
    """Whether it opens with the header of a MIME message that contains a page."""
    opening = head.opening
    is_page = b"multipart/related" in opening or b"content-type: text/html" in opening
    return _HEADER.match(head.start) is not None and b"mime-version:" in opening and is_page


def parse(body: bytes, hints: Hints) -> Parsed:
    """The items of the page in the message; its address and the time of saving are used.

    A message without an HTML page is rejected whole as `html_not_a_listing`.
    """
    if rejected := too_large(body, _LIMITS):
        return rejected
    if len(_PARTS.findall(body)) > _MAX_PARTS:
        detail = f"The MHTML file has more than {_MAX_PARTS:,} parts."
        return reject_body("too_large", detail, body)
    message = message_from_bytes(body.lstrip())
    address = message.get("Snapshot-Content-Location") or message.get("Content-Location")
    page = _page(message, address)
    if page is None:
        detail = "The MHTML file contains no HTML page. Save the page as 'Webpage, HTML only'."
        return reject_body("html_not_a_listing", detail, body)
    own = str(address).strip() if address else None
    if paper_page.is_page(page, own):
        parsed = paper_page.parse(page, hints, address=own)
    else:
        parsed = listing_html.parse(page, hints, address=own)
    saved_on = _saved_on(message)
    if saved_on is not None and saved_on <= hints.received_on:
        return replace(parsed, captured_on=parsed.captured_on or saved_on)
    return parsed


def _page(message: Message, address: str | None) -> bytes | None:
    """The bytes of the first HTML part, or of the part that the message names as the page."""
    parts = [part for part in message.walk() if part.get_content_type() == "text/html"]
    named = [part for part in parts if address and part.get("Content-Location") == address]
    for part in (*named, *parts):
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and payload.strip():
            return _utf8(payload, part.get_content_charset())
    return None


def _utf8(payload: bytes, charset: str | None) -> bytes:
    """The page in UTF-8; bytes of an unknown encoding stay as they are."""
    if charset is None or charset in ("utf-8", "us-ascii"):
        return payload
    try:
        return payload.decode(charset, errors="replace").encode()
    except LookupError:
        return payload


def _saved_on(message: Message) -> date | None:
    try:
        return parsedate_to_datetime(str(message.get("Date"))).date()
    except (TypeError, ValueError):
        return None
