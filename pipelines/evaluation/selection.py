"""Selection effects: search pages must not count as days, revisions not as new papers.

Belongs here: building such inputs from the warehouse's papers, and parsing them. Does not belong
here: the rules that distinguish them (`pipelines/parsing/`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import numpy as np
import orjson
import polars as pl

from pipelines.evaluation.evidence import Counted, Evidence, count
from pipelines.evaluation.intervals import wilson
from pipelines.evaluation.placebo import CALLS
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.evaluation.revisions import (
    REVISED,
    draw_revisions,
    n_misdated,
    parse_revisions,
)
from pipelines.parsing import listing_api
from pipelines.parsing.formats import LISTING_API
from pipelines.parsing.listing_kind import infer_kind
from pipelines.parsing.records import Hints
from pipelines.trends import judge
from pipelines.trends.grids import KEYS

PAGE: Final = 50
MIN_MONTHS: Final = 6
MIN_SPAN_DAYS: Final = 180
N_TOPICS: Final = 20
MIN_DAYS_FOUND: Final = 0.98
MISDATED: Final = 0.01
"""Greatest share of revised papers with the revision's day (revised in the month of their id)."""

METHOD = f"""
**Days.** Every response of the listing API whose name has the requested day (`2025-11-06.json`,
`daily_papers?date=2025-11-06`) is looked up in `rpt_capture_reconciliation`. A response with
papers must have been classified as a day. Responses without a readable item are counted
separately. Responses whose kind the user specified are left out.

**Search pages.** For each topic with at least {PAGE} papers published over at least
{MIN_SPAN_DAYS} days, {PAGE} of its papers are written as a response of the listing API for one
day, dated the weekday after the latest of them, and parsed. It must not be classified as a day. A
random sample of papers is the easy case. The {PAGE} latest papers, as in a search sorted by date,
are the hard case: if a topic fills a page within two weeks, the page does not differ from a day.
This is a target, not a binding criterion.

**Revisions.** For each of the {N_TOPICS} largest topics of `arxiv`, {REVISED:.0%} of its papers of
earlier months are known by a revision only, announced within the last complete month. Their records
have four forms in turn: a line of arXiv metadata with the revision's day as that of version 1 (as
in the archive), one with version 2 only, one without versions, and a harvested record with
`updated` but no `created`. They are parsed, and the topic is counted again by the parsed date and,
for comparison, by the date of the announcement. The verdict by the parsed date must not change; the
comparison shows the error that is avoided. A revision in the month of the paper's id can't be
distinguished from a new paper. Papers that get the day of their revision are counted.
"""


def evaluate(evidence: Evidence, seed: int = 0) -> Part:
    """Return how days and search pages are classified, and verdicts after a surge of revisions."""
    rng = np.random.default_rng([seed, 5])
    asked = _asked_by_day(evidence.captures)
    n_random, refused_random = _search_pages(evidence, lambda part: _at_random(part, rng))
    n_latest, refused_latest = _search_pages(evidence, lambda part: part.tail(PAGE))
    month = count(evidence, "arxiv", "month")
    surges = _surges(evidence, month, rng) if month else pl.DataFrame()
    if asked.is_empty() and not n_latest and surges.is_empty():
        return Part("Selection", METHOD, skipped="there are too few papers for a search page.")
    criteria, tables = _days(asked)
    if n_latest:
        criteria += [
            _refused_random(n_random, refused_random),
            _refused_latest(n_latest, refused_latest),
        ]
    if surges.height:
        criteria += _unmoved(surges)
        caption = (
            "Growth (natural logarithm) in the last complete month, before and after a surge of "
            "revisions"
        )
        tables.append(Table(caption, surges))
    return Part("Selection", METHOD, criteria, tables)


def _asked_by_day(captures: pl.DataFrame) -> pl.DataFrame:
    """Responses of the listing API named by a day, whose kind was detected from their content."""
    return captures.filter(
        pl.col("format") == LISTING_API.name,
        pl.col("origin").str.contains(r"\d{4}-\d{2}-\d{2}"),
        ~pl.col("overrides").str.contains("listing_kind", literal=True),
        pl.col("n_seen") > 0,
    )


def _days(asked: pl.DataFrame) -> tuple[list[Criterion], list[Table]]:
    """The criterion and the table of responses to a requested day."""
    shown = asked.filter(pl.col("n_accepted") > 0)
    if shown.is_empty():
        return [], []
    n, kept = shown.height, shown.filter(listing_kind="daily").height
    low, high = wilson(kept, n)
    criterion = Criterion(
        f"At least {MIN_DAYS_FOUND:.0%} of lists requested by day are classified as days",
        f"{kept} of {n} ({kept / n:.1%}, 95 % interval {low:.1%} to {high:.1%}); in "
        f"{asked.height - n} more no item could be read",
        kept >= MIN_DAYS_FOUND * n,
    )
    rule = pl.col("listing_kind_rule").str.split(":").list.first()
    judged = shown.group_by("listing_kind", rule.alias("rule")).agg(captures=pl.len())
    table = Table(
        "Classification of lists requested by day",
        judged.sort("captures", "rule", descending=[True, False]),
    )
    return [criterion], [table]


def _refused_random(n: int, refused: int) -> Criterion:
    return Criterion(
        "A search page of random papers dated like a day is not classified as one",
        f"{refused} of {n} refused",
        refused == n,
    )


def _refused_latest(n: int, refused: int) -> Criterion:
    return Criterion(
        "A search page of the latest papers dated like a day is not classified as one",
        f"{refused} of {n} refused, {n - refused} classified as a day",
        refused == n,
        is_binding=False,
    )


def _unmoved(surges: pl.DataFrame) -> list[Criterion]:
    called = pl.col("verdict").is_in(CALLS), pl.col("verdict after").is_in(CALLS)
    moved = surges.filter(
        (called[0] | called[1]) & (pl.col("verdict") != pl.col("verdict after"))
    ).height
    n, misdated = int(surges["revised"].sum()), int(surges["misdated"].sum())
    return [
        Criterion(
            "By the date of version 1, a surge of revisions makes no topic rising or falling",
            f"{moved} of {surges.height} topics",
            moved == 0,
        ),
        Criterion(
            f"At most {MISDATED:.0%} of papers known by a revision only get the revision's day",
            f"{misdated:,} of {n:,} ({misdated / max(n, 1):.2%})",
            misdated <= MISDATED * n,
        ),
    ]


def _at_random(part: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    at = np.sort(rng.choice(part.height, PAGE, replace=False))
    return part.select(pl.all().gather(at.tolist()))


def _search_pages(
    evidence: Evidence, choose: Callable[[pl.DataFrame], pl.DataFrame]
) -> tuple[int, int]:
    """Number of pages, one per topic, and of those not classified as a day."""
    dated = evidence.papers.filter(
        pl.col("arxiv_id").is_not_null(), pl.col("published_on").is_not_null()
    ).sort("published_on", "paper_id")
    n = refused = 0
    for (topic,), part in (
        dated.join(evidence.topics, on="paper_id", maintain_order="left")
        .sort("topic_id", maintain_order=True)
        .group_by(["topic_id"], maintain_order=True)
    ):
        days = part["published_on"]
        is_wide = days[-1] - days[0] >= timedelta(days=MIN_SPAN_DAYS)
        if topic == "no-topic" or part.height < PAGE or not is_wide:
            continue
        page = choose(part)
        n += 1
        refused += _kind(page, _weekday_after(page["published_on"][-1])) != "daily"
    return n, refused


def _weekday_after(day: date) -> date:
    """The next weekday. A page dated on a weekend would be refused for that alone."""
    return day + timedelta(days=max(1, 7 - day.weekday()) if day.weekday() >= 4 else 1)


def _kind(papers: pl.DataFrame, day: date) -> str:
    """The detected kind of a response for one day with these papers."""
    body = orjson.dumps(
        [
            {
                "title": row["title"],
                "paper": {
                    "id": row["arxiv_id"],
                    "title": row["title"],
                    "publishedAt": datetime.combine(row["published_on"], time()).isoformat()
                    + ".000Z",
                    "authors": [{"name": "A. Author", "hidden": False}],
                },
            }
            for row in papers.iter_rows(named=True)
        ]
    )
    parsed = listing_api.parse(body, Hints(datetime.combine(day, time(), UTC), day))
    return infer_kind(parsed.items, parsed.stated_kind, day)[0]


def _surges(evidence: Evidence, counted: Counted, rng: np.random.Generator) -> pl.DataFrame:
    """One row per large topic: growth and verdict before and after a surge of revisions."""
    counts = evidence.counts.filter(population="arxiv", grain="month").sort(KEYS)
    complete = np.flatnonzero(counted.grid.is_usable.all(axis=1))
    if complete.size < MIN_MONTHS:
        return pl.DataFrame()
    window = int(counted.grid.starts[complete[-1]])
    day = pl.Series([window], dtype=pl.Int32).cast(pl.Date)[0]
    before = _last(judge(counts), day)
    sizes = counts.group_by("series_id").agg(pl.col("n_papers").sum())
    largest = sizes.filter(
        pl.col("series_id") != "no-topic", pl.col("series_id").is_in(list(before))
    ).sort("n_papers", "series_id", descending=[True, False])  # fmt: skip
    papers = _arxiv_papers(evidence)
    rows = []
    for topic, n_papers in largest.head(N_TOPICS).iter_rows():
        members = evidence.topics.filter(topic_id=topic).select("paper_id")
        earlier = papers.join(members, on="paper_id").filter(
            pl.col("counted_on").cast(pl.Int32) < window
        )
        revised = draw_revisions(earlier, window, rng)
        parsed = parse_revisions(revised)
        after, naive = (
            _last(judge(_recounted(counts, _with_days(papers, dated), members, topic)), day)[topic]
            for dated in (parsed, revised.select("paper_id", day="revised_on"))
        )
        rows.append(
            {
                "topic": topic,
                "papers": n_papers,
                "revised": revised.height,
                "misdated": n_misdated(parsed, revised),
                "growth": before[topic][0],
                "growth after": after[0],
                "verdict": before[topic][1],
                "verdict after": after[1],
                "growth by last revision": naive[0],
            }
        )
    return pl.DataFrame(rows)


def _last(judged: pl.DataFrame, day: date) -> dict[str, tuple[float, str]]:
    """Topic → growth and verdict over a quarter, in the month of a day."""
    rows = judged.filter(pl.col("period_start_on") == day, pl.col("quarter_growth").is_not_null())
    columns = rows.select("series_id", "quarter_growth", "quarter_verdict")
    return {topic: (growth, verdict) for topic, growth, verdict in columns.iter_rows()}


def _arxiv_papers(evidence: Evidence) -> pl.DataFrame:
    """paper_id, arxiv_id, title, counted_on, date_precision of the papers of `arxiv`."""
    return evidence.members.filter(population="arxiv").join(
        evidence.papers.select("paper_id", "arxiv_id", "title"),
        on="paper_id",
        how="left",
        maintain_order="left",
    )


def _with_days(papers: pl.DataFrame, dated: pl.DataFrame) -> pl.DataFrame:
    """paper_id, day: the papers with other days for some; those without a day are dropped."""
    kept = papers.join(dated, on="paper_id", how="anti").select("paper_id", day="counted_on")
    return pl.concat([kept, dated.drop_nulls()])


def _recounted(
    counts: pl.DataFrame, days: pl.DataFrame, members: pl.DataFrame, topic: str
) -> pl.DataFrame:
    """The counts with one topic and the totals counted by these days."""
    placed = days.with_columns(period_start_on=pl.col("day").dt.truncate("1mo"))
    of_topic = placed.join(members, on="paper_id")

    def per_month(frame: pl.DataFrame, name: str) -> pl.DataFrame:
        return frame.group_by("period_start_on").agg(pl.len().cast(pl.Int64).alias(name))

    joined = counts.join(per_month(placed, "total"), on="period_start_on", how="left").join(
        per_month(of_topic, "papers"), on="period_start_on", how="left"
    )
    n_papers = pl.when(series_id=topic).then(pl.col("papers").fill_null(0)).otherwise("n_papers")
    total = pl.col("total").fill_null(0)
    return joined.with_columns(n_papers=pl.min_horizontal(n_papers, total), n_total=total).select(
        counts.columns
    )
