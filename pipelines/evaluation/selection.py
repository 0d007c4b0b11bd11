"""Selection: a search page is no day, and a surge of revisions is no trend.

Belongs here: making such inputs of the warehouse's own papers and sending them through the parsers.
Does not belong here: the rules that tell them apart.
"""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Final

import numpy as np
import orjson
import polars as pl

from pipelines.evaluation.evidence import Counted, Evidence, count
from pipelines.evaluation.intervals import wilson
from pipelines.evaluation.report import Part, Promise, Table
from pipelines.parsing import arxiv_snapshot, listing_api
from pipelines.parsing.listing_kind import infer_kind
from pipelines.parsing.records import Hints
from pipelines.trends.grids import Floats, Grid
from pipelines.trends.growth import WINDOWS, grow
from pipelines.trends.verdicts import judge_growth

PAGE: Final = 50
MIN_SPAN_DAYS: Final = 180
N_TOPICS: Final = 20
REVISED: Final = 0.5
"""Share of a topic's older papers that are revised in the surge."""

METHOD = f"""
**Search pages.** For each topic with at least {PAGE} papers published over {MIN_SPAN_DAYS} days
and more, {PAGE} of its papers drawn at random are written as a day's answer of the listing API,
dated the day after its newest paper, and parsed. It must not be taken for a day. As a control,
each real day of `hf_daily` with 5 papers or more is written and parsed the same way: it must stay
a day.

**Revisions.** For each of the {N_TOPICS} largest topics of `arxiv`, {REVISED:.0%} of its papers
of earlier windows are announced again, as revised, within the current window of the last whole
month: a line of arXiv metadata each, beside the first. All lines are parsed, and the topic is
counted anew by the date that the parser gives (version 1, by day or by the id's month) and, for
comparison, by the date of the announcement. By the first the verdict must not change; the second
shows what was avoided.
"""


def evaluate(evidence: Evidence, seed: int = 0) -> Part:
    """Search pages told from days, and verdicts before and after a surge of revisions."""
    chance = np.random.default_rng([seed, 5])
    pages, refused = _search_pages(evidence, chance)
    days, kept = _real_days(evidence)
    month = count(evidence, "arxiv", "month")
    surges = _surges(evidence, month, chance) if month else pl.DataFrame()
    if not pages and not days and surges.is_empty():
        return Part("Selection", METHOD, skipped="there are too few papers for a search page.")
    promises, tables = [], []
    if pages:
        promises.append(
            Promise(
                "A search page that is dated like a day is not taken for one",
                f"{refused} of {pages} refused",
                refused == pages,
            )
        )
    if days:
        low, high = wilson(kept, days)
        promises.append(
            Promise(
                "Real days stay days (at least 98%)",
                f"{kept} of {days} ({kept / days:.1%}, 95 % interval {low:.1%} to {high:.1%})",
                kept >= 0.98 * days,
            )
        )
    if surges.height:
        moved = surges.filter(pl.col("verdict") != pl.col("after the surge")).height
        promises.append(
            Promise(
                "A surge of revisions changes no verdict by v1 date",
                f"{moved} of {surges.height} topics changed",
                moved == 0,
            )
        )
        tables.append(
            Table(
                "Growth (natural logarithm) at the last whole month, before and after a surge of "
                "revisions",
                surges,
            )
        )
    return Part("Selection", METHOD, promises, tables)


def _search_pages(evidence: Evidence, chance: np.random.Generator) -> tuple[int, int]:
    dated = evidence.papers.filter(
        pl.col("arxiv_id").is_not_null(), pl.col("published_on").is_not_null()
    )
    n = refused = 0
    for (topic,), part in evidence.topics.join(dated, on="paper_id").group_by(
        ["topic_id"], maintain_order=True
    ):
        days: list[date] = part["published_on"].sort().to_list()
        is_wide = days[-1] - days[0] >= timedelta(days=MIN_SPAN_DAYS)
        if topic == "no-topic" or part.height < PAGE or not is_wide:
            continue
        chosen = part[np.sort(chance.choice(part.height, PAGE, replace=False)).tolist()]
        n += 1
        newest: list[date] = chosen["published_on"].sort().to_list()[-1:]
        refused += _kind(chosen, newest[0] + timedelta(days=1)) != "daily"
    return n, refused


def _real_days(evidence: Evidence) -> tuple[int, int]:
    listed = evidence.members.filter(population="hf_daily").join(
        evidence.papers.filter(
            pl.col("arxiv_id").is_not_null(), pl.col("published_on").is_not_null()
        ),
        on="paper_id",
    )
    n = kept = 0
    for part in listed.partition_by("counted_on", maintain_order=True):
        if part.height >= 5:
            n += 1
            kept += _kind(part, part["counted_on"][0]) == "daily"
    return n, kept


def _kind(papers: pl.DataFrame, day: date) -> str:
    """What a day's answer of the API that shows these papers is taken for."""
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
    parsed = listing_api.parse(body, Hints(day, day))
    return infer_kind(parsed.items, parsed.stated_kind, day)[0]


def _surges(evidence: Evidence, counted: Counted, chance: np.random.Generator) -> pl.DataFrame:
    whole = np.flatnonzero(counted.grid.is_usable.all(axis=1))
    current, before = WINDOWS[counted.grain]
    if whole.size < current + before:
        return pl.DataFrame()
    last = int(whole[-1])
    growth = grow(counted.grid)
    verdict = judge_growth(counted.grid, growth)["verdict"]
    names = _series(evidence, counted)
    largest = [
        at
        for at in np.argsort(-counted.grid.n_papers.sum(axis=0), kind="stable")
        if names[at] != "no-topic" and not np.isnan(growth.growth[last, at])
    ][:N_TOPICS]
    first_of_window = int(counted.grid.starts[last - current + 1])
    papers = _arxiv_papers(evidence)
    rows = []
    for at in largest:
        mine = evidence.topics.filter(topic_id=names[at]).select("paper_id")
        older = papers.join(mine, on="paper_id").filter(
            pl.col("counted_on").cast(pl.Int32) < first_of_window
        )
        revised = older.sample(fraction=REVISED, seed=int(chance.integers(1 << 31)))
        by_v1, by_announcement = _parsed_again(
            papers, revised, first_of_window, int(chance.integers(1 << 31))
        )
        after, naive = (_counts_of(counted, dates, mine, at) for dates in (by_v1, by_announcement))
        judged, by_update = grow(after), grow(naive)
        rows.append(
            {
                "topic": names[at],
                "papers": int(counted.grid.n_papers[:, at].sum()),
                "revised": revised.height,
                "growth": float(growth.growth[last, at]),
                "after": float(judged.growth[last, at]),
                "verdict": str(verdict[last, at]),
                "after the surge": str(judge_growth(after, judged)["verdict"][last, at]),
                "growth by last revision": float(by_update.growth[last, at]),
            }
        )
    return pl.DataFrame(rows)


def _series(evidence: Evidence, counted: Counted) -> list[str]:
    mine = evidence.trends.filter(population=counted.population, grain=counted.grain)
    return mine["series_id"].unique().sort().to_list()


def _arxiv_papers(evidence: Evidence) -> pl.DataFrame:
    """paper_id, arxiv_id, title, counted_on, date_precision of the papers of `arxiv`."""
    return evidence.members.filter(population="arxiv").join(
        evidence.papers.select("paper_id", "arxiv_id", "title"),
        on="paper_id",
        how="left",
        maintain_order="left",
    )


def _parsed_again(
    papers: pl.DataFrame, revised: pl.DataFrame, window: int, seed: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Days by paper, by version 1 and by last announcement, of the papers and of the revised again.

    Both frames: paper_id, day.
    """
    first = papers.select("paper_id", "arxiv_id", "title", "counted_on", "date_precision")
    on = pl.lit(window).cast(pl.Int32).cast(pl.Date)
    again = revised.select(first.columns).with_columns(
        on.dt.offset_by(pl.format("{}d", pl.int_range(pl.len()).shuffle(seed) % 28)).alias("on")
    )
    lines = pl.concat([first.with_columns(on=pl.col("counted_on")), again.select(
        *first.columns, "on"
    )])  # fmt: skip
    created = pl.col("counted_on").dt.strftime("%a, %d %b %Y 00:00:00 GMT")
    body = "\n".join(
        orjson.dumps(
            {
                "id": row["arxiv_id"],
                "title": row["title"],
                "authors": "A. Author",
                "categories": "cs.LG",
                "versions": [{"version": "v1", "created": row["created"]}]
                if row["date_precision"] == "day"
                else [],
                "update_date": row["on"].isoformat(),
            }
        ).decode()
        for row in lines.with_columns(created=created).iter_rows(named=True)
    )
    hints = Hints(date(9999, 1, 1))
    items = pl.concat(
        [part.items for part in arxiv_snapshot.parse_stream(io.BytesIO(body.encode()), hints)]
    )
    known = items.join(papers.select("arxiv_id", "paper_id"), on="arxiv_id")
    return (
        known.group_by("paper_id").agg(day=pl.col("published_on").max()),
        known.group_by("paper_id").agg(day=pl.col("announced_on").max()),
    )


def _counts_of(counted: Counted, days: pl.DataFrame, mine: pl.DataFrame, at: int) -> Grid:
    """The grid with the topic and the totals counted by these days."""
    starts = pl.Series("start", counted.grid.starts.astype(np.int32)).cast(pl.Date)
    position = pl.DataFrame({"start": starts}).with_row_index("period")
    placed = days.with_columns(start=pl.col("day").dt.truncate("1mo")).join(position, on="start")

    def per_period(frame: pl.DataFrame) -> Floats:
        return np.bincount(frame["period"].to_numpy(), minlength=counted.grid.starts.size).astype(
            np.float64
        )

    grid = counted.grid
    n_papers = grid.n_papers.copy()
    n_papers[:, at] = per_period(placed.join(mine, on="paper_id"))
    total = np.repeat(per_period(placed)[:, None], n_papers.shape[1], axis=1)
    return replace(grid, n_papers=np.minimum(n_papers, total), n_total=total)
