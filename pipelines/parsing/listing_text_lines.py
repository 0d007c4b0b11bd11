"""Lines of a listing page's text, classified one by one.

Belongs here: what a line is, whatever stands around it. Does not belong here: where a card starts
(`listing_text_cards`), or the form of a date (`listing_text_dates`).
"""

from __future__ import annotations

import re

from pipelines.parsing.clean import one_line
from pipelines.parsing.listing_text_dates import DATE, month_number

AUTHORS = re.compile(
    r"^(?:[•*·-]\s*)*(\d[\d,]*) authors?\b(?:\s*·\s*(?:Published on )?(.+))?$", re.ASCII
)
TITLE_CHARS = 250  # a longer line with sentences is an abstract
ORGANIZATION_CHARS = 120
_MAX_STARS = 1_000_000_000
STARS = re.compile(r"^[•*·-]?\s*GitHub ([\d.,]{1,20})(k|m)?$", re.ASCII | re.IGNORECASE)
SUBMITTED = "Submitted by"
# Parts of a card that follow its text: they end it even if its authors are missing.
_END = re.compile(r"^(?:[•*·-]?\s*(?:Upvote(?:\s+[\d.,]+k?)?|arXiv Page)|Submitted by\b.*)$")
_NOISE = re.compile(r"^(?:[·•*\-–—]+|\[-\]|[•*·-]?\s*(?:[\d.,]+k?|GitHub)|#\d+ Paper of the day)$")
_INVISIBLE = re.compile("[\ufeff\u2060\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\u00ad]")
# A line that continues an abstract: starts with a small letter, bracket or bullet, or ends a
# sentence or contains an address.
_CONTINUES = re.compile(
    r"^(?:[a-z(•*·–-]|\d+[.)] )|[.;,:!。]$|https?://|\b(?:github|huggingface)\.(?:com|io|co)\b"
)
_SENTENCES = re.compile(r"[a-z0-9)][.!?] +[A-Z]")
_MIN_SENTENCES = 2
_ADDRESS = re.compile(r"^(?:https?://|www\.)\S+$", re.IGNORECASE)
_CAPITALIZED = re.compile(r"^[A-Z][a-z]{0,8}$")
_DATE_CHARS = 24
_LIKE_DATE = re.compile(
    r"^(?:\d[\d\s./-]*|(?:\d{1,2}\.? )?[^\W\d_]{3,9}\.? \d[\d, ]*"
    r"|\d{1,2}\.? [^\W\d_]{3,9}\.?(?: \d*)?)$"
)
# The site's menus, which copies contain above and below the list.
_SITE_WORDS = {
    *("hugging face", "hugging face's logo", "models", "datasets", "spaces", "buckets"),
    *("buckets new", "community", "docs", "enterprise", "pricing", "log in", "sign up", "website"),
    *("tasks", "huggingchat", "collections", "languages", "organizations", "blog", "posts"),
    *("learn", "discord", "forum", "solutions", "team & enterprise", "hugging face pro"),
    *("enterprise support", "inference providers", "inference endpoints", "storage buckets"),
    *("daily", "weekly", "monthly", "previous", "next", "system theme", "company", "tos"),
    *("privacy", "about", "careers", "load more", "load more papers", "subscribe", "unsubscribe"),
    *("new", "back to top", "trending papers ranked by github stars activity"),
    *("terms of service", "© hugging face"),
}


def tidy(line: str) -> str:
    """The line with plain single blanks, and without characters that only set a direction."""
    return one_line(_INVISIBLE.sub("", line))


def is_noise(line: str) -> bool:
    """Whether the line is no text of a card: a dot, a count, a label, an entry of a menu."""
    return _NOISE.match(line) is not None or line.lower() in _SITE_WORDS


def ends_card(line: str) -> bool:
    """Whether the line only follows the text of a card: upvotes, a link's label, the submitter."""
    return _END.match(line) is not None


def is_dot(line: str) -> bool:
    """Whether the line is the dot between authors and date."""
    return line in ("·", "•")


def is_date(line: str) -> bool:
    """Whether the line is a date with the name of a month."""
    found = DATE.match(line)
    return found is not None and month_number(found.group(1)) is not None


def replaces_date(line: str) -> bool:
    """Whether a line after the dot is a bad date: `Jun 8, 20`, `Febr 30`, `11 Sep`, `J`."""
    return len(line) <= _DATE_CHARS and (
        any(map(str.isdigit, line)) or _CAPITALIZED.match(line) is not None
    )


def is_like_date(line: str) -> bool:
    """Whether the line has the form of a date in any language: `11 Sep 2024`, `9/11`."""
    return len(line) <= _DATE_CHARS and _LIKE_DATE.match(line) is not None


def is_prose(line: str) -> bool:
    """Whether the line can belong to an abstract; a title may look like one too."""
    return len(line) > TITLE_CHARS or _CONTINUES.search(line) is not None


def ends_sentence(line: str) -> bool:
    """Whether the line ends as a sentence or a part of one does."""
    return line.endswith((".", ";", ",", ":"))


def is_long_prose(line: str) -> bool:
    """Whether the line is too long for a title and has sentences."""
    n_sentences = len(_SENTENCES.findall(line[: 10 * TITLE_CHARS])) + line.endswith(".")
    return len(line) > TITLE_CHARS and n_sentences >= _MIN_SENTENCES


def can_be_title(line: str) -> bool:
    """Whether the line may be a title: no address, no abstract, no date, and it has a letter."""
    return (
        any(map(str.isalpha, line))
        and not is_long_prose(line)
        and not is_date(line)
        and _ADDRESS.match(line) is None
    )


def n_stars(found: re.Match[str]) -> int | None:
    """The number in a match of `STARS`; None if it is not one."""
    scale = {"k": 1_000, "m": 1_000_000}.get((found.group(2) or "").lower(), 1)
    try:
        stars = float(found.group(1).replace(",", "")) * scale
    except ValueError:
        return None
    return round(stars) if stars < _MAX_STARS else None
