"""Items of the `daily_papers` shape → rows, for the API and for the `data-props` of a page.

A missing key is null, and an unknown key is ignored. An item without a valid arXiv id, or with a
date that can't be read, is rejected.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from pipelines.parsing.arxiv_ids import split_version
from pipelines.parsing.clean import one_line
from pipelines.parsing.moments import utc
from pipelines.parsing.records import (
    MAX_NAME_CHARS,
    NAME_TOO_LONG,
    Hints,
    Parsed,
    Reason,
    Reject,
    excerpt,
    finish,
    frame,
)

_MAX_URL_CHARS = 2_000
_MAX_LABEL_CHARS = 500  # of a keyword or an organisation
_MAX_COUNTER = 2**53  # JSON numbers are exact below
_GITHUB = re.compile(r"^(?:https?://)?(?:www\.)?github\.com/([\w.-]+)/([\w.-]+)", re.ASCII)


class _RejectedError(Exception):
    """An item that can't be accepted, with its reason code and detail. Used in this module only."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def parse_items(items: Sequence[Any], hints: Hints, **page: Any) -> Parsed:
    """Rows and rejects of `daily_papers` items; `page` holds other fields of `Parsed`."""
    rows, rejects = [], []
    notes: Counter[str] = Counter()
    for position, item in enumerate(items, start=1):
        place = f"item {position}"
        try:
            rows.append({"position": position, "place": place, **_row(item, notes)})
        except _RejectedError as error:
            rejects.append(Reject(place, error.reason, error.detail, excerpt(item)))
    rules = (*page.pop("rules", ()), *(f"{note}: {n} item(s)" for note, n in sorted(notes.items())))
    return finish(frame(rows), rejects, hints, rules=rules, **page)


def _row(item: Any, notes: Counter[str]) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise _RejectedError("item_not_object", "The item is not an object.")
    paper = item.get("paper")
    if not isinstance(paper, dict):
        raise _RejectedError("paper_missing", "The item has no `paper` object.")
    arxiv_id, version = split_version(paper.get("id"))
    if arxiv_id is None:
        detail = f"`paper.id` is not an arXiv id: {excerpt(paper.get('id'))!r}."
        raise _RejectedError("bad_arxiv_id", detail)
    authors = _authors(paper.get("authors"), notes)
    organization = item.get("organization") or paper.get("organization")
    published = _day(paper.get("publishedAt"), "paper.publishedAt")
    return {
        "arxiv_id": arxiv_id,
        "arxiv_version": version,
        "title": _text(paper.get("title")) or _text(item.get("title")),
        "abstract": _text(paper.get("summary")) or _text(item.get("summary")),
        "authors": authors,
        "n_authors": len(authors) if authors else None,
        "published_on": published,
        "published_on_basis": "hf_published_at" if published else None,
        "keywords": _texts(paper.get("ai_keywords")),
        "organization": _organization(organization),
        "github_url": github_root(paper.get("githubRepo")),
        "project_url": _url(paper.get("projectPage")),
        "upvotes": _counter(paper.get("upvotes"), notes),
        "comments": _counter(item.get("numComments"), notes),
        "github_stars": _counter(paper.get("githubStars"), notes),
        "submitted_on": _day(paper.get("submittedOnDailyAt"), "paper.submittedOnDailyAt"),
    }


def _authors(value: Any, notes: Counter[str]) -> list[str] | None:
    """Names in order. Hidden and repeated names count; names without a letter or digit don't."""
    if not isinstance(value, list):
        return None
    names, n_hidden = [], 0
    for entry in value:
        name = entry.get("name") if isinstance(entry, dict) else entry
        if isinstance(name, str) and len(name) > MAX_NAME_CHARS:
            raise _RejectedError("author_name_too_long", NAME_TOO_LONG)
        cleaned = one_line(name) if isinstance(name, str) else ""
        if any(map(str.isalnum, cleaned)):
            names.append(cleaned)
            n_hidden += isinstance(entry, dict) and entry.get("hidden") is True
    if len(names) < len(value):
        notes["blank_author_names_dropped"] += 1
    if n_hidden:
        notes["hidden_authors_counted"] += 1
    if len(set(names)) < len(names):
        notes["repeated_author_names_counted"] += 1
    return names or None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _texts(value: Any) -> list[str] | None:
    if not isinstance(value, list):
        return None
    texts = [one_line(v) for v in value if isinstance(v, str) and len(v) <= _MAX_LABEL_CHARS]
    return [text for text in texts if text] or None


def _organization(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    name = _text(value.get("fullname")) or _text(value.get("name"))
    return one_line(name) if name and len(name) <= _MAX_LABEL_CHARS else None


def _counter(value: object, notes: Counter[str]) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MAX_COUNTER:
        notes["unreadable_counter_ignored"] += 1
        return None
    return value


def _day(value: Any, name: str) -> date | None:
    if value is None:
        return None
    try:
        return utc(value).date()
    except (TypeError, ValueError):
        raise _RejectedError(
            "impossible_date", f"`{name}` is not a date: {excerpt(value)!r}."
        ) from None


def _url(value: Any) -> str | None:
    if not isinstance(value, str) or len(value) > _MAX_URL_CHARS:
        return None
    if re.match(r"^https?://[^\s<>\"']+$", value.strip()):
        return value.strip()
    return None


def github_root(value: Any) -> str | None:
    """`https://github.com/owner/repo` for any address of that repository; None otherwise."""
    if not isinstance(value, str) or len(value) > _MAX_URL_CHARS:
        return None
    found = _GITHUB.match(value.strip())
    if not found:
        return None
    return f"https://github.com/{found.group(1)}/{found.group(2).removesuffix('.git')}"
