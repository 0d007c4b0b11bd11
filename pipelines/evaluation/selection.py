"""Selection: a search page is no day, and a surge of revisions is no trend.

Belongs here: making such inputs of the warehouse's own papers and sending them through the parsers.
Does not belong here: the rules that tell them apart.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from xml.sax.saxutils import escape

import numpy as np
import orjson
import polars as pl

from pipelines.evaluation.evidence import Counted, Evidence, count
from pipelines.evaluation.intervals import wilson
from pipelines.evaluation.report import Part, Promise, Table
from pipelines.parsing import arxiv_oai, arxiv_snapshot, listing_api
from pipelines.parsing.formats import LISTING_API
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
MISDATED: Final = 0.01
"""Share of the revised that may get the revision's day: those revised in the month of their id."""

METHOD = f"""
**Days.** Every answer of the listing API whose name carries the day that was asked for
(`2025-11-06.json`, `daily_papers?date=2025-11-06`) is looked up in `rpt_capture_reconciliation`:
one that shows papers must have been taken for a day, whatever became of it later. Answers of which
no item could be read are counted apart; those whose kind the user gave are left out.

**Search pages.** For each topic with at least {PAGE} papers published over {MIN_SPAN_DAYS} days
and more, {PAGE} of its papers are written as a day's answer of the listing API, dated the weekday
after the newest of them, and parsed. It must not be taken for a day. Papers drawn at random are the
easy case. The {PAGE} newest, as a search sorted by date shows them, are the hard one: where a topic
fills a page within two weeks nothing in it tells it from a day, so that is a target and no promise.

**Revisions.** For each of the {N_TOPICS} largest topics of `arxiv`, {REVISED:.0%} of its papers
of earlier windows are known by a revision alone, announced within the current window of the last
whole month. Their records take turns in four forms: a line of arXiv metadata that calls the
revision's day that of version 1 (as the archive's lines do), one that names version 2 alone, one
that names no version, and a record of a harvest with `updated` and no `created`. They are parsed,
and the topic is counted anew by the date that the parser gives and, for comparison, by the date of
the announcement. By the first the verdict must not change; the second shows what was avoided. A
paper whose revision comes in the month of its id can't be told from a new one; those that get the
revision's day are counted.
"""


def evaluate(evidence: Evidence, seed: int = 0) -> Part:
    """Days kept, search pages told from them, verdicts before and after a surge of revisions."""
    chance = np.random.default_rng([seed, 5])
    asked = _asked_by_day(evidence.captures)
    pages = {
        "at random": _search_pages(evidence, lambda part: _at_random(part, chance)),
        "newest": _search_pages(evidence, lambda part: part.tail(PAGE)),
    }
    month = count(evidence, "arxiv", "month")
    surges = _surges(evidence, month, chance) if month else pl.DataFrame()
    if asked.is_empty() and not pages["newest"][0] and surges.is_empty():
        return Part("Selection", METHOD, skipped="there are too few papers for a search page.")
    promises, tables = _days(asked)
    if pages["newest"][0]:
        promises += [_refused(*pages["at random"]), _refused_newest(*pages["newest"])]
    if surges.height:
        promises += _unmoved(surges)
        tables.append(
            Table(
                "Growth (natural logarithm) at the last whole month, before and after a surge of "
                "revisions",
                surges,
            )
        )
    return Part("Selection", METHOD, promises, tables)


def _asked_by_day(captures: pl.DataFrame) -> pl.DataFrame:
    """Answers of the listing API that are named by a day and were judged by what they show."""
    return captures.filter(
        pl.col("format") == LISTING_API.name,
        pl.col("origin").str.contains(r"\d{4}-\d{2}-\d{2}"),
        ~pl.col("overrides").str.contains("listing_kind", literal=True),
        pl.col("n_seen") > 0,
    )


def _days(asked: pl.DataFrame) -> tuple[list[Promise], list[Table]]:
    shown = asked.filter(pl.col("n_accepted") > 0)
    if shown.is_empty():
        return [], []
    n, kept = shown.height, shown.filter(listing_kind="daily").height
    low, high = wilson(kept, n)
    promise = Promise(
        "Lists that were asked for by their day are taken for days (at least 98%)",
        f"{kept} of {n} ({kept / n:.1%}, 95 % interval {low:.1%} to {high:.1%}); in "
        f"{asked.height - n} more nothing could be read",
        kept >= 0.98 * n,
    )
    rule = pl.col("listing_kind_rule").str.split(":").list.first()
    judged = shown.group_by("listing_kind", rule.alias("rule")).agg(captures=pl.len())
    table = Table(
        "What lists that were asked for by their day are taken for",
        judged.sort("captures", "rule", descending=[True, False]),
    )
    return [promise], [table]


def _refused(n: int, refused: int) -> Promise:
    return Promise(
        "A search page of papers at random that is dated like a day is not taken for one",
        f"{refused} of {n} refused",
        refused == n,
    )


def _refused_newest(n: int, refused: int) -> Promise:
    return Promise(
        "A search page of the newest papers that is dated like a day is not taken for one",
        f"{refused} of {n} refused, {n - refused} taken for a day",
        refused == n,
        is_binding=False,
    )


def _unmoved(surges: pl.DataFrame) -> list[Promise]:
    moved = surges.filter(pl.col("verdict") != pl.col("after the surge")).height
    n, misdated = int(surges["revised"].sum()), int(surges["got its day"].sum())
    return [
        Promise(
            "A surge of revisions changes no verdict by v1 date",
            f"{moved} of {surges.height} topics changed",
            moved == 0,
        ),
        Promise(
            f"At most {MISDATED:.0%} of papers known by a revision alone get the revision's day",
            f"{misdated:,} of {n:,} ({misdated / max(n, 1):.2%})",
            misdated <= MISDATED * n,
        ),
    ]


def _at_random(part: pl.DataFrame, chance: np.random.Generator) -> pl.DataFrame:
    at = np.sort(chance.choice(part.height, PAGE, replace=False))
    return part.select(pl.all().gather(at.tolist()))


def _search_pages(
    evidence: Evidence, choose: Callable[[pl.DataFrame], pl.DataFrame]
) -> tuple[int, int]:
    """Pages made, of a topic's papers by day, and how many of them are not taken for a day."""
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
    """Lists are of weekdays: a Saturday's date alone would give the page away."""
    return day + timedelta(days=max(1, 7 - day.weekday()) if day.weekday() >= 4 else 1)


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
    parsed = listing_api.parse(body, Hints(datetime.combine(day, time(), UTC), day))
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
        revised = _announced_again(older, first_of_window, chance)
        parsed = _parsed(revised)
        by_v1, by_announcement = (
            _with_days(papers, dated)
            for dated in (parsed, revised.select("paper_id", day="revised_on"))
        )
        after, naive = (_counts_of(counted, dates, mine, at) for dates in (by_v1, by_announcement))
        judged, by_update = grow(after), grow(naive)
        rows.append(
            {
                "topic": names[at],
                "papers": int(counted.grid.n_papers[:, at].sum()),
                "revised": revised.height,
                "got its day": _misdated(parsed, revised),
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


def _announced_again(older: pl.DataFrame, window: int, chance: np.random.Generator) -> pl.DataFrame:
    """Papers that are revised, with `revised_on`, a day of the window, and `form`, 0 to 3."""
    revised = older.sample(fraction=REVISED, seed=int(chance.integers(1 << 31)))
    day = pl.Series(window + chance.integers(0, 28, revised.height), dtype=pl.Int32).cast(pl.Date)
    return revised.with_columns(revised_on=day, form=pl.int_range(pl.len()) % 4)


def _parsed(revised: pl.DataFrame) -> pl.DataFrame:
    """paper_id and day, null where the parser knows none, of papers known by a revision alone."""
    hints = Hints(datetime(9999, 1, 1, tzinfo=UTC))
    is_harvested = pl.col("form") == 3
    lines = _snapshot(revised.filter(~is_harvested))
    parts = [*arxiv_snapshot.parse(io.BytesIO(lines), hints)] if lines else []
    parts.append(arxiv_oai.parse(_harvest(revised.filter(is_harvested)), hints))
    items = pl.concat([part.items.select("arxiv_id", "published_on") for part in parts])
    return revised.select("paper_id", "arxiv_id").join(items, on="arxiv_id", how="left").select(
        "paper_id", day="published_on"
    )  # fmt: skip


def _snapshot(revised: pl.DataFrame) -> bytes:
    """Lines of arXiv metadata: of the versions, one named v1, one named v2, or none is told."""
    created = pl.col("revised_on").dt.strftime("%a, %d %b %Y 00:00:00 GMT")
    versions = [["v1"], ["v2"], []]
    return b"\n".join(
        orjson.dumps(
            {
                "id": row["arxiv_id"],
                "title": row["title"],
                "authors": "A. Author",
                "categories": "cs.LG",
                "versions": [
                    {"version": v, "created": row["created"]} for v in versions[row["form"]]
                ],
                "update_date": row["revised_on"].isoformat(),
            }
        )
        for row in revised.with_columns(created=created).iter_rows(named=True)
    )


def _harvest(revised: pl.DataFrame) -> bytes:
    """A page of a harvest whose records have `updated` and no `created`."""
    records = "".join(
        f"<record><header><identifier>oai:arXiv.org:{row['arxiv_id']}</identifier>"
        f"<datestamp>{row['revised_on']}</datestamp></header><metadata>"
        f'<arXiv xmlns="http://arxiv.org/OAI/arXiv/"><id>{row["arxiv_id"]}</id>'
        f"<updated>{row['revised_on']}</updated><title>{escape(row['title'])}</title>"
        "<categories>cs.LG</categories></arXiv></metadata></record>"
        for row in revised.iter_rows(named=True)
    )
    page = f'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>{records}'
    return f"{page}</ListRecords></OAI-PMH>".encode()


def _misdated(parsed: pl.DataFrame, revised: pl.DataFrame) -> int:
    """Revised papers that get the day of their revision."""
    return parsed.join(revised, on="paper_id").filter(pl.col("day") == pl.col("revised_on")).height


def _with_days(papers: pl.DataFrame, dated: pl.DataFrame) -> pl.DataFrame:
    """paper_id, day: all papers as counted, but those dated anew, of which some have no day."""
    kept = papers.join(dated, on="paper_id", how="anti").select("paper_id", day="counted_on")
    return pl.concat([kept, dated.drop_nulls()])


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
