"""One item of the `daily_papers` shape → one row. Shared by the API and the page's `data-props`.

Tolerant: a missing key is null, an unknown key is ignored. Strict where identity or a date is
at stake: such an item is rejected with its reason.
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
from pipelines.parsing.records import MAX_NAME_CHARS, Hints, Parsed, Reject, excerpt, finish, frame

_MAX_URL_CHARS = 2_000
_MAX_LABEL_CHARS = 500  # of a keyword or an organisation
_GITHUB = re.compile(r"^(?:https?://)?(?:www\.)?github\.com/([\w.-]+)/([\w.-]+)", re.ASCII)


class _Unusable(Exception):
    """Raised inside this module with (reason, detail) of an item that can't be accepted."""


def parse_items(items: Sequence[Any], hints: Hints, **page: Any) -> Parsed:
    """Rows and rejects of a list of `daily_papers` items; `page` goes into `Parsed`."""
    rows, rejects = [], []
    notes: Counter[str] = Counter()
    for position, item in enumerate(items, start=1):
        place = f"item {position}"
        try:
            rows.append({"position": position, "place": place, **_row(item, notes)})
        except _Unusable as reason:
            code, detail = reason.args
            rejects.append(Reject(place, code, detail, excerpt(item)))
    rules = (*page.pop("rules", ()), *(f"{note}: {n} item(s)" for note, n in sorted(notes.items())))
    return finish(frame(rows), rejects, hints, rules=rules, **page)


def _row(item: Any, notes: Counter[str]) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise _Unusable("item_not_object", f"The item is a {type(item).__name__}, not an object.")
    paper = item.get("paper")
    if not isinstance(paper, dict):
        raise _Unusable("paper_missing", "The item has no `paper` object.")
    arxiv_id, version = split_version(paper.get("id"))
    if arxiv_id is None:
        raise _Unusable("bad_arxiv_id", f"`paper.id` is {excerpt(paper.get('id'))!r}, no arXiv id.")
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
    """Names in order. Hidden entries and repeated names count; those without a letter don't."""
    if not isinstance(value, list):
        return None
    names, hidden = [], 0
    for entry in value:
        name = entry.get("name") if isinstance(entry, dict) else entry
        if isinstance(name, str) and len(name) > MAX_NAME_CHARS:
            raise _Unusable("author_name_too_long", f"A name has {len(name)} characters.")
        shown = one_line(name) if isinstance(name, str) else ""
        if any(sign.isalnum() for sign in shown):
            names.append(shown)
            hidden += isinstance(entry, dict) and entry.get("hidden") is True
    if len(names) < len(value):
        notes["blank_author_names_dropped"] += 1
    if hidden:
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
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        notes["unreadable_counter_ignored"] += 1
        return None
    return value


def _day(value: Any, name: str) -> date | None:
    if value is None:
        return None
    try:
        return utc(value).date()
    except (TypeError, ValueError):
        raise _Unusable("impossible_date", f"`{name}` is {excerpt(value)!r}.") from None


def _url(value: Any) -> str | None:
    if not isinstance(value, str) or len(value) > _MAX_URL_CHARS:
        return None
    if re.match(r"^https?://[^\s<>\"']+$", value.strip()):
        return value.strip()
    return None


def github_root(value: Any) -> str | None:
    """`https://github.com/owner/repo` of any address below it; null for anything else."""
    if not isinstance(value, str) or len(value) > _MAX_URL_CHARS:
        return None
    found = _GITHUB.match(value.strip())
    if not found:
        return None
    return f"https://github.com/{found.group(1)}/{found.group(2).removesuffix('.git')}"
