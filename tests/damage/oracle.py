"""The oracle: whether an accepted item states only facts of one paper.

It shares no code with the parsers. Each value must equal the paper's or be null. A list of names or
categories may lack elements, because a form that has one element per line does not show that a line
is missing; it may not have others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from tests.damage.papers import Paper

EXACT = ("abstract", "upvotes", "comments", "organization", "announced_on")
PARTS = ("authors", "categories", "keywords")


def problems(items: Iterable[Mapping[str, Any]], papers: Iterable[Paper]) -> list[str]:
    """One sentence for each value that is not a fact."""
    by_title = {paper.title: paper for paper in papers}
    found = []
    for item in items:
        paper = by_title.get(item["title"])
        if paper is None:
            found.append(f"title {item['title']!r}")
        else:
            found += [f"{item['title']!r}: {problem}" for problem in _problems(item, paper)]
    return found


def _problems(item: Mapping[str, Any], paper: Paper) -> list[str]:
    wrong = [
        f"{name} is {item[name]!r}"
        for name in EXACT
        if item[name] is not None and item[name] != getattr(paper, name)
    ]
    wrong += [
        f"{name} has {set(item[name]) - set(getattr(paper, name))}"
        for name in PARTS
        if not set(item[name] or ()) <= set(getattr(paper, name))
    ]
    if item["arxiv_id"] not in (None, paper.arxiv_id):
        wrong.append(f"arxiv_id is {item['arxiv_id']!r}")
    if item["primary_category"] not in (None, *paper.categories):
        wrong.append(f"primary_category is {item['primary_category']!r}")
    if item["published_on"] is not None:
        by_month = str(item["published_on_basis"]).startswith("arxiv_id_month")
        expected = _month(paper.published_on) if by_month else paper.published_on
        if item["published_on"] != expected:
            wrong.append(f"published_on is {item['published_on']} ({item['published_on_basis']})")
    n_shown = len(item["authors"] or paper.authors)
    if item["n_authors"] not in (None, n_shown):
        wrong.append(f"n_authors is {item['n_authors']}")
    return wrong


def _month(day: date) -> date:
    return day.replace(day=1)
