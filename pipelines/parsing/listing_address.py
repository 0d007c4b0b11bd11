"""What an address of Hugging Face states: the kind of a list, its day, or the id of a paper.

Belongs here: reading addresses. Does not belong here: finding them in a page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qs, unquote, urlsplit

from pipelines.parsing.arxiv_ids import split_version

_MAX_ADDRESS_CHARS = 2_000
_HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co")
_WEEK = re.compile(r"^[0-9]{4}-W[0-9]{1,2}$")
_MONTH = re.compile(r"^[0-9]{4}-[0-9]{2}$")
_DAY = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?!\d)")
_ARXIV = re.compile(r"^(?:https?://)?(?:[a-z]+\.)?arxiv\.org/(?:abs|pdf|html)/(.+?)(?:\.pdf)?/?$")


@dataclass(frozen=True)
class Stated:
    """The kind and the day of a list, where an address or a page's data states them."""

    kind: str | None = None
    day: date | None = None


def period(text: object) -> Stated:
    """What `2026-03-10`, `2026-W11` or `2026-03` names; nothing for other values.

    Weeks and months have no day.
    """
    value = text.strip() if isinstance(text, str) else ""
    if _WEEK.match(value):
        return Stated("weekly")
    if _MONTH.match(value):
        return Stated("monthly")
    if found := _DAY.match(value):
        try:
            return Stated("daily", date.fromisoformat(found.group()))
        except ValueError:
            pass
    return Stated()


def stated_list(address: str | None) -> Stated:
    """The kind and day that the address of a listing page states; nothing for other addresses."""
    path, query = _parts(address)
    if path is None or path[:1] != ["papers"]:
        return Stated()
    if any(value.strip() for value in query.get("q", [])):
        return Stated("search")
    if path[1:] == ["trending"]:
        return Stated("trending")
    if len(path) == 3 and path[1] in ("date", "week", "month"):
        return period(path[2])
    return period(query.get("date", [None])[0]) if len(path) == 1 else Stated()


def paper_id(address: str | None) -> tuple[str | None, int | None]:
    """Id and version in the address of a paper's page, `(None, None)` for other addresses."""
    path, _ = _parts(address)
    if path is None or len(path) < 2 or path[0] != "papers":
        return None, None
    return split_version("/".join(path[1:]))


def voted_id(address: str | None) -> str | None:
    """The id in the address behind a card's upvotes, which leads to a login; None for others."""
    path, query = _parts(address)
    if path != ["login"]:
        return None
    return paper_id(query.get("next", [None])[0])[0]


def organization(address: str | None) -> str | None:
    """The handle in the address of an account, such as `nvidia`; None for other addresses."""
    path, query = _parts(address)
    if path is None or len(path) != 1 or query or path[0] in _SITE_PAGES:
        return None
    return path[0]


_SITE_PAGES = {
    *("papers", "models", "datasets", "spaces", "docs", "pricing", "login", "join", "blog"),
    *("posts", "learn", "chat", "storage", "enterprise", "terms-of-service", "privacy", "tasks"),
    *("collections", "languages", "organizations", "inference", "support", "buckets", "settings"),
}


def any_id(text: object) -> tuple[str | None, int | None]:
    """Id and version in `2507.01467v2`, `arXiv:2507.01467` or the address of a paper."""
    if not isinstance(text, str) or len(text) > _MAX_ADDRESS_CHARS:
        return None, None
    value = text.strip()
    if found := _ARXIV.match(value):
        return split_version(re.split(r"[?#]", found.group(1))[0])
    if value[:6].lower() == "arxiv:":
        value = value[6:].strip()
    bare = split_version(value)
    return bare if bare[0] else paper_id(value)


def _parts(address: str | None) -> tuple[list[str] | None, dict[str, list[str]]]:
    """Path segments and query of an address of the site, absolute or from its root; else None."""
    if not address or len(address) > _MAX_ADDRESS_CHARS:
        return None, {}
    try:
        parts = urlsplit(address.strip())
        if parts.netloc.lower() not in ("", *_HOSTS) or (
            not parts.netloc and not parts.path.startswith("/")
        ):
            return None, {}
        path = [unquote(segment) for segment in parts.path.split("/") if segment]
        return path, parse_qs(parts.query, max_num_fields=50)
    except ValueError:
        return None, {}
