"""Items of Hugging Face's JSON → rows, for the API and for the `data-props` of a page.

An item holds its paper under `paper`, as in `daily_papers`, or is the paper itself, as in
`/api/papers`. A missing key is null, and an unknown key is ignored. An item without a valid arXiv
id, or with a date that can't be read, is rejected.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

from pipelines.parsing.arxiv_ids import CATEGORY_PATTERN, split_version
from pipelines.parsing.author_names import split_names
from pipelines.parsing.clean import one_line
from pipelines.parsing.listing_address import any_id
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
_ID_KEYS = ("arxiv_id", "arxivId", "paper_id", "paperId", "id")
_CATEGORY = re.compile(CATEGORY_PATTERN)
# Two of these show that an object is a paper.
_PAPER_KEYS = (
    *("authors", "summary", "abstract", "publishedAt", "published_at", "published", "upvotes"),
    *("ai_summary", "discussionId", "submittedOnDailyAt"),
)
_ADDRESS_KEYS = ("url", "link", "paper_url", "arxiv_url", "hf_url", "external_url")
# The site's names of fields, and the names that copies of its data use.
_FLAT_NAMES = {
    "summary": ("abstract",),
    "authors": (),
    "publishedAt": ("published_at", "published"),
    "numComments": ("num_comments", "comments"),
    "ai_keywords": ("keywords",),
    "githubRepo": ("github_repo", "github_url"),
    "githubStars": ("github_stars",),
    "projectPage": ("project_page",),
    "submittedOnDailyAt": ("submitted_on_daily_at",),
}
_GITHUB = re.compile(r"^(?:https?://)?(?:www\.)?github\.com/([\w.-]+)/([\w.-]+)", re.ASCII)


class _RejectedError(Exception):
    """An item that can't be accepted, with its reason code and detail. Used in this module only."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


# An object of any catalogue has an id and a title; one of these shows that it is a paper.
_OF_PAPERS = {"arxiv_id", "arxivId", "upvotes", *_FLAT_NAMES, *sum(_FLAT_NAMES.values(), ())}


def is_flat(item: Any) -> bool:
    """Whether the item is a paper itself, with a title and an id, and not one under `paper`."""
    return (
        isinstance(item, dict)
        and "paper" not in item
        and isinstance(item.get("title"), str)
        and any(item.get(key) is not None for key in (*_ID_KEYS, *_ADDRESS_KEYS))
        and (
            any(item.get(key) is not None for key in _OF_PAPERS)
            or any(any_id(item.get(key))[0] is not None for key in _ADDRESS_KEYS)
        )
    )


def is_item(value: Any) -> bool:
    """Whether it is an item of a daily list, or a paper by more than its id and title."""
    return isinstance(value, dict) and (
        isinstance(value.get("paper"), dict) or (is_flat(value) and _is_paper(value))
    )


def _is_paper(item: dict[str, Any]) -> bool:
    """Whether a flat item names an arXiv paper, or has at least two fields that only papers have.

    Goods and articles have an id and a title too, and an id such as `2401.10012` by chance.
    """
    categories = item.get("categories")
    if isinstance(categories, list) and not all(map(_is_category, categories)):
        return False
    explicit = [item.get(key) for key in (*_ID_KEYS[:2], *_ADDRESS_KEYS)]
    if isinstance(item.get("id"), str) and item["id"].lower().startswith(("arxiv:", "http")):
        explicit.append(item["id"])
    if any(any_id(value)[0] for value in explicit):
        return True
    return sum(bool(item.get(key)) for key in _PAPER_KEYS) > 1


def _is_category(value: Any) -> bool:
    return isinstance(value, str) and _CATEGORY.match(value) is not None


def parse_items(
    items: Sequence[Any], hints: Hints, *, places: Sequence[str] | None = None, **page: Any
) -> Parsed:
    """Rows and rejects of items at `places`; `page` holds other fields of `Parsed`.

    Papers outside a daily list are of unknown kind unless `page` states a day or a kind.
    """
    rows, rejects = [], []
    notes: Counter[str] = Counter()
    for position, item in enumerate(items, start=1):
        place = places[position - 1] if places is not None else f"item {position}"
        try:
            row = _flat_row(item, notes) if is_flat(item) else _row(item, notes)
            rows.append({"position": position, "place": place, **row})
        except _RejectedError as error:
            rejects.append(Reject(place, error.reason, error.detail, excerpt(item)))
    if any(map(is_flat, items)) and not page.get("stated_kind") and not page.get("listed_on"):
        page["stated_kind"] = "unknown"
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
    return {"arxiv_id": arxiv_id, "arxiv_version": version, **_fields(item, paper, notes)}


def _flat_row(item: dict[str, Any], notes: Counter[str]) -> dict[str, Any]:
    """The row of an item that is the paper itself; other names of its keys are read too."""
    if not _is_paper(item):
        detail = "The item has an id and a title, but nothing else shows that it is a paper."
        raise _RejectedError("paper_missing", detail)
    arxiv_id, version = _flat_id(item)
    paper = dict(item)
    for name, others in _FLAT_NAMES.items():
        if paper.get(name) is None:
            paper[name] = next((item[key] for key in others if item.get(key) is not None), None)
    if isinstance(paper["authors"], str):
        paper["authors"] = split_names(paper["authors"])
        notes["printed_authors_divided"] += 1
    return {"arxiv_id": arxiv_id, "arxiv_version": version, **_fields(paper, paper, notes)}


def _flat_id(item: dict[str, Any]) -> tuple[str, int | None]:
    """Id and version of a flat item. Raises _RejectedError unless its keys name one paper."""
    found: dict[str, int | None] = {}
    for key in _ID_KEYS:
        value = item.get(key)
        if isinstance(value, int | float):
            detail = f"`{key}` is a number: {excerpt(value)}. Digits of an id are lost in numbers."
            raise _RejectedError("bad_arxiv_id", detail)
        arxiv_id, version = any_id(value)
        if arxiv_id is not None:
            found.setdefault(arxiv_id, version)
    for key in _ADDRESS_KEYS:
        arxiv_id, version = any_id(item.get(key))
        if arxiv_id is not None:
            found.setdefault(arxiv_id, version)
    if len(found) != 1:
        ids = ", ".join(sorted(found)) or excerpt(item.get("id"))
        detail = f"The item does not name one arXiv id: {ids!r}."
        raise _RejectedError("bad_arxiv_id", detail)
    return next(iter(found.items()))


def _fields(item: dict[str, Any], paper: dict[str, Any], notes: Counter[str]) -> dict[str, Any]:
    """The columns of a row except the id."""
    authors = _authors(paper.get("authors"), notes)
    organization = item.get("organization") or paper.get("organization")
    published = _day(paper.get("publishedAt"), "paper.publishedAt")
    return {
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
    if isinstance(value, dict):
        name = _text(value.get("fullname")) or _text(value.get("name"))
    else:
        name = _text(value)
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
