"""The kind of a list: a search page must never count as a day."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.parsing import listing_api, listing_html, listing_text
from pipelines.parsing.listing_kind import infer_kind
from pipelines.parsing.records import Parsed
from tests.fixtures.listings import HEADER, HINTS, api, article, card, html_page, item, page

pytestmark = pytest.mark.unit

MONDAY = date(2025, 3, 3)
SATURDAY = date(2025, 3, 1)
# Days before the list's day: papers of 90 days, evenly spread, as in a keyword search.
NINETY = tuple(range(0, 90, 3))


def items(
    published: list[date | None],
    submitted: list[date | None] | None = None,
    ids: list[str | None] | None = None,
) -> pl.DataFrame:
    n = max(len(published), len(ids or []))
    return pl.DataFrame(
        {
            "published_on": published or [None] * n,
            "submitted_on": submitted or [None] * n,
            "arxiv_id": ids or [None] * n,
        },
        schema={"published_on": pl.Date, "submitted_on": pl.Date, "arxiv_id": pl.String},
    )


def days(*back: int) -> list[date | None]:
    return [MONDAY - timedelta(days=n) for n in back]


def of_ids(*ids: str) -> pl.DataFrame:
    return items([], ids=list(ids))


@pytest.mark.parametrize(
    ("listing", "stated", "day", "kind"),
    [
        pytest.param(items(days(1, 2, 3)), None, MONDAY, "daily", id="recent papers of a day"),
        pytest.param(items(days(-1, 14)), None, MONDAY, "daily", id="the edges of the window"),
        pytest.param(items(days(-2, 15)), None, MONDAY, "search", id="beyond the edges"),
        pytest.param(items(days(1, 2, 40)), None, MONDAY, "daily", id="two thirds are enough"),
        pytest.param(items(days(1, 2, 40, 41)), None, MONDAY, "search", id="half are not"),
        pytest.param(items(days(1, 2, 3)), None, None, "unknown", id="no evidence"),
        pytest.param(items([]), None, MONDAY, "daily", id="an empty list of a day"),
        pytest.param(items([]), "daily", None, "daily", id="an empty list, stated daily"),
        pytest.param(items([]), None, None, "unknown", id="an empty list without a day"),
        pytest.param(items(days(1, 400, 900)), "daily", MONDAY, "search", id="years apart"),
        pytest.param(items(days(1, 2, 3, 900)), "daily", MONDAY, "daily", id="one old paper"),
        pytest.param(items(days(1, 400, 900)), "trending", MONDAY, "trending", id="trending"),
        pytest.param(items(days(1, 2)), "search", MONDAY, "search", id="search"),
        pytest.param(items(days(1, 2)), "weekly", MONDAY, "weekly", id="stated weekly"),
        pytest.param(items(days(*NINETY)), "daily", MONDAY, "search", id="90 days, stated daily"),
        pytest.param(items(days(*NINETY)), None, MONDAY, "search", id="90 days, day known"),
        pytest.param(
            items(days(*NINETY)), "daily", None, "search", id="90 days, stated daily, no day"
        ),
        pytest.param(
            items(days(1, 2, 3)), "daily", None, "daily", id="recent, stated daily, no day"
        ),
        pytest.param(items(days(5000)), None, MONDAY, "search", id="a single old paper"),
        pytest.param(items(days(3, 4)), "daily", SATURDAY, "unknown", id="a Saturday"),
        pytest.param(
            items(days(3, 4), [SATURDAY] * 2), None, SATURDAY, "daily", id="submitted on a Saturday"
        ),
        pytest.param(
            items(days(1) * 5, days(0, 0, 0, 0, 3)),
            "weekly",
            None,
            "daily",
            id="4 of 5 submitted on a day",
        ),
        pytest.param(
            items(days(70, 80), [MONDAY] * 2),
            None,
            MONDAY,
            "daily",
            id="old papers, submitted on the day",
        ),
        pytest.param(
            items(days(*NINETY), [MONDAY, MONDAY, *[None] * 28]),
            "daily",
            MONDAY,
            "search",
            id="few submission days",
        ),
        pytest.param(
            items(days(9) * 4, [MONDAY + timedelta(days=n) for n in range(4)]),
            "daily",
            MONDAY,
            "weekly",
            id="submitted over a week",
        ),
        pytest.param(
            items(days(9) * 3, [MONDAY, MONDAY + timedelta(days=9), MONDAY + timedelta(days=20)]),
            "daily",
            MONDAY,
            "monthly",
            id="submitted over a month",
        ),
        pytest.param(
            items(days(1) * 3, [MONDAY, MONDAY + timedelta(days=9), MONDAY + timedelta(days=60)]),
            "monthly",
            MONDAY,
            "search",
            id="submitted over more than a month",
        ),
        pytest.param(
            items(days(1) * 2, [SATURDAY - timedelta(days=1), MONDAY]),
            "daily",
            MONDAY,
            "unknown",
            id="submitted in two weeks and two months",
        ),
        pytest.param(items([None, None]), None, MONDAY, "unknown", id="no dates at all"),
        pytest.param(items([None, None]), "daily", MONDAY, "unknown", id="stated daily, no dates"),
        pytest.param(
            items([None, None], [MONDAY] * 2), "daily", MONDAY, "daily", id="submission days only"
        ),
        pytest.param(
            of_ids("2503.00001", "2502.20001"),
            None,
            MONDAY,
            "daily",
            id="ids of this month and the last",
        ),
        pytest.param(
            of_ids("2503.00001", "2501.20001"),
            None,
            MONDAY,
            "search",
            id="an id of the month before last",
        ),
        pytest.param(
            of_ids("2502.00001", "2502.00002"),
            None,
            date(2025, 3, 28),
            "search",
            id="ids of last month, late in the month",
        ),
        pytest.param(
            of_ids("2503.00001", "2402.00001", "cs.LG/0501001"),
            None,
            MONDAY,
            "search",
            id="ids of several years",
        ),
    ],
)
def test_infer_kind(listing: pl.DataFrame, stated: str | None, day: date | None, kind: str) -> None:
    found, rule = infer_kind(listing, stated, day)
    assert found == kind
    assert rule


def test_the_rule_names_the_counts() -> None:
    _, rule = infer_kind(items(days(1, 2, 40, 50)), "daily", MONDAY)
    assert rule.startswith("publication_window: 2 of 4 dated papers")
    assert "2025-03-03" in rule


def kind_of(parsed: Parsed, day: date | None) -> str:
    """The kind by the page's own day, else by a day known from outside."""
    return infer_kind(parsed.items, parsed.stated_kind, parsed.listed_on or day)[0]


def api_shape(papers: list[dict[str, Any]]) -> bytes:
    return api(*papers)


def props_shape(papers: list[dict[str, Any]]) -> bytes:
    return html_page({"dailyPapers": papers, "date": str(DAY), "periodType": "day"})


def cards_shape(papers: list[dict[str, Any]]) -> bytes:
    return html_page("", *(article(p["paper"]["id"], p["paper"]["title"]) for p in papers))


def text_shape(papers: list[dict[str, Any]]) -> bytes:
    def printed(paper: dict[str, Any]) -> str:
        day = date.fromisoformat(paper["publishedAt"][:10])
        return f"{day:%b} {day.day}" + (f", {day.year}" if day.year < DAY.year else "")

    cards = (
        card(" ".join(p["paper"]["title"].split()), len(p["paper"]["authors"]), printed(p["paper"]))
        for p in papers
    )
    header = HEADER.replace("Nov 6", f"{DAY:%b} {DAY.day}")
    return page(*cards, header=header)


SHAPES: dict[str, tuple[Callable[[list[dict[str, Any]]], bytes], Callable[..., Parsed]]] = {
    "api": (api_shape, listing_api.parse),
    "props": (props_shape, listing_html.parse),
    "cards": (cards_shape, listing_html.parse),
    "text": (text_shape, listing_text.parse),
}
DAY = date(2025, 11, 6)


def papers_of(*back: int) -> list[dict[str, Any]]:
    published = [DAY - timedelta(days=n) for n in back]
    return [
        item(f"{day:%y%m}.{n:05}", f"Paper {n}", publishedAt=f"{day}T01:00:00Z")
        for n, day in enumerate(published, start=1)
    ]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_page_of_90_days_is_a_search_in_every_format(shape: str) -> None:
    write, parse = SHAPES[shape]
    assert kind_of(parse(write(papers_of(*NINETY)), HINTS), DAY) == "search"
    assert kind_of(parse(write(papers_of(0, 1, 1, 2, 3, 9, 30)), HINTS), DAY) == "daily"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_keyword_search_over_the_corpus_is_a_search_in_every_format(
    shape: str, corpus: Path
) -> None:
    found: dict[str, dict[str, Any]] = {}
    for n in range(90):
        for path in (corpus / "hf_api").glob(f"{DAY - timedelta(days=n)}*.json.gz"):
            for listed in json.loads(gzip.decompress(path.read_bytes())):
                if "agent" in listed["paper"]["title"].lower():
                    found.setdefault(listed["paper"]["id"], listed)
    papers = list(found.values())[:: len(found) // 40][:40]
    assert len(papers) == 40
    write, parse = SHAPES[shape]
    parsed = parse(write(papers), HINTS)
    assert parsed.items.height == 40
    assert kind_of(parsed, DAY) == "search"


@pytest.mark.parametrize(
    "step", [pytest.param(4, id="a quarter"), pytest.param(1, id="all", marks=pytest.mark.slow)]
)
def test_days_of_the_corpus_are_daily(step: int, corpus: Path) -> None:
    paths = sorted([*(corpus / "hf_api").glob("*.gz"), *(corpus / "hf_api_later").glob("*.gz")])
    assert len(paths) == 549
    for path in paths[::step]:
        day = date.fromisoformat(path.name[:10])
        listing = listing_api.parse(gzip.decompress(path.read_bytes()), HINTS).items
        unsubmitted = listing.with_columns(pl.lit(None, pl.Date).alias("submitted_on"))
        undated = unsubmitted.with_columns(pl.lit(None, pl.Date).alias("published_on"))
        for shown in (listing, unsubmitted, undated):
            assert infer_kind(shown, None, day)[0] == "daily", path.name


def test_a_saved_page_of_the_corpus_is_daily_by_props_and_by_cards(corpus: Path) -> None:
    body = (corpus / "hf_page" / "papers-2024-08-01.html").read_bytes()
    by_props = listing_html.parse(body, HINTS)
    by_cards = listing_html.parse(body.replace(b'data-target="DailyPapers"', b""), HINTS)
    assert by_cards.items["published_on"].null_count() == by_cards.items.height == 13
    for parsed in (by_props, by_cards):
        assert kind_of(parsed, date(2024, 8, 1)) == "daily"


def test_the_founding_page_is_a_search(corpus: Path) -> None:
    parsed = listing_text.parse(
        (corpus / "hf_page" / "000_ab8512f849349c72.txt").read_bytes(), HINTS
    )
    found, rule = infer_kind(parsed.items, parsed.stated_kind, parsed.listed_on)
    assert found == "search"
    assert rule.startswith("published_span: 56 of 71")
