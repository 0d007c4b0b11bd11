"""Input of the evaluation: papers, their days and topics, from a published snapshot.

Belongs here: reading the snapshot, counting papers by period as the marts do, grids for
experiments. Does not belong here: experiments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import scipy.sparse as sp

from pipelines.trends.changes import HORIZONS
from pipelines.trends.grids import (
    INPUT_SCHEMA,
    OPTIONAL_SCHEMA,
    TRUNCATE,
    Floats,
    Grid,
    Ints,
    check,
    grids,
)
from pipelines.trends.judging import JUDGED_COLUMNS, OUTPUT_SCHEMA
from pipelines.trends.series import TEAM_KINDS

if TYPE_CHECKING:  # worker processes do not import DuckDB
    from pipelines.publishing.reader import Reader

POPULATIONS = ("hf_daily", "arxiv")
GRAINS = ("week", "month", "quarter")


CAPTURES = {
    "origin": pl.String(), "format": pl.String(), "listing_kind": pl.String(),
    "listing_kind_rule": pl.String(), "overrides": pl.String(), "n_seen": pl.Int64(),
    "n_accepted": pl.Int64(),
}  # fmt: skip
PUBLISHED = tuple(n for n in JUDGED_COLUMNS if not n.startswith(tuple(f"{h}_" for h in HORIZONS)))
"""Judged columns of `rpt_topic_trends`: those of the primary horizon."""
TEAM_COLUMNS = tuple(
    n
    for n in PUBLISHED
    if n not in ("burst_level", "first_seen_on", "hold_probability", "is_emerging")
)
"""Judged columns of `rpt_author_counts`, each once for every team kind."""
TEAMS = {
    "series_kind": pl.String(), **INPUT_SCHEMA, **OPTIONAL_SCHEMA,
    **{name: OUTPUT_SCHEMA[name] for name in TEAM_COLUMNS},
}  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """Frames of one snapshot, sorted, so that equal snapshots give equal reports."""

    members: pl.DataFrame
    """population, paper_id, counted_on, date_precision."""
    topics: pl.DataFrame
    """paper_id, topic_id of the taxonomy; `no-topic` for papers without one."""
    periods: pl.DataFrame
    """population, grain, period_start_on, n_total, is_partial, complete_share, text_share."""
    trends: pl.DataFrame
    """Counts and `PUBLISHED` columns by topic of the taxonomy."""
    papers: pl.DataFrame
    """paper_id, arxiv_id, title, abstract, keywords, primary_category, published_on."""
    input_hash: str
    """First 16 hex digits of a SHA-256 over the hashes of the tables read."""
    captures: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CAPTURES))
    """Every capture: name, format, detected kind with the rule, items seen and accepted."""
    teams: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TEAMS))
    """Counts and `TEAM_COLUMNS` of solo papers and large teams, by topic; series_kind."""

    @property
    def counts(self) -> pl.DataFrame:
        """The counts of `trends`, as judged."""
        return self.trends.select([*INPUT_SCHEMA, *OPTIONAL_SCHEMA])


READ = (
    "bridge_paper_topics", "bridge_population_papers", "dim_papers", "dim_topics",
    "rpt_author_counts", "rpt_capture_reconciliation", "rpt_period_coverage", "rpt_topic_trends",
)  # fmt: skip
"""Marts that the evaluation reads."""


def read(reader: Reader) -> Evidence:
    """Return the evidence of the current snapshot. Raises NoSnapshotError."""
    snapshot = reader.snapshot()
    hashes = {r["name"]: r["hash"] for r in snapshot.package()["resources"]}
    digest = hashlib.sha256("".join(f"{name} {hashes[name]}\n" for name in READ).encode())
    periods = reader.query(_PERIODS)
    of_period = ["population", "grain", "period_start_on"]
    return Evidence(
        members=reader.query(
            "select population, paper_id, counted_on, date_precision from bridge_population_papers "
            "order by population, paper_id, counted_on"
        ),
        topics=reader.query(_TOPICS),
        periods=periods,
        trends=reader.query(_TRENDS).join(
            periods.drop("n_total", "is_partial"), on=of_period, how="left", maintain_order="left"
        ),
        papers=reader.query(
            "select paper_id, arxiv_id, title, abstract, keywords, primary_category, published_on "
            "from dim_papers "
            "order by paper_id"
        ),
        input_hash=digest.hexdigest()[:16],
        captures=reader.query(
            f"select {', '.join(CAPTURES)} from rpt_capture_reconciliation order by capture_id"
        ),
        teams=_teams(reader.query(_TEAMS), periods),
    )


def _teams(teams: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """The rows with the share of complete lists; that of texts does not concern authors."""
    of_period = ["population", "grain", "period_start_on"]
    return (
        teams.join(
            periods.select(*of_period, "complete_share"),
            on=of_period,
            how="left",
            maintain_order="left",
        )
        .with_columns(text_share=pl.lit(None, pl.Float64))
        .select(pl.col(name).cast(dtype) for name, dtype in TEAMS.items())
    )


# Papers without a topic form a series that is counted and judged like a topic.
_TOPICS = """
    with found as (
        select paper_id, topic_id
        from bridge_paper_topics
        inner join dim_topics using (topic_id)
        where dim_topics.kind = 'taxonomy'
    )
    select paper_id, topic_id from found
    union all
    select paper_id, 'no-topic' from dim_papers where paper_id not in (select paper_id from found)
    order by paper_id, topic_id
"""

_PERIODS = """
    select population, grain, period_start_on, n_total, is_partial, complete_share, text_share
    from rpt_period_coverage
    order by population, grain, period_start_on
"""

_TRENDS = f"""
    select population, grain, period_start_on, topic_id as series_id, n_papers, n_total, is_partial,
        {", ".join(PUBLISHED)}
    from rpt_topic_trends
    inner join dim_topics using (topic_id)
    where dim_topics.kind in ('taxonomy', 'none')
    order by population, grain, period_start_on, series_id
"""


_TEAMS = (
    " union all ".join(
        f"""
    select '{kind}' as series_kind, population, grain, period_start_on, topic_id as series_id,
        n_{kind} as n_papers, n_papers as n_total, is_partial, horizon,
        {", ".join(f"{kind}_{name} as {name}" for name in TEAM_COLUMNS if name != "horizon")}
    from rpt_author_counts
    """
        for kind in TEAM_KINDS
    )
    + " order by series_kind, population, grain, period_start_on, series_id"
)


@dataclass(frozen=True)
class Counted:
    """One population and grain: a grid of counts, and its papers."""

    population: str
    grain: str
    grid: Grid
    period: Ints
    """The position of each paper's period in the grid."""
    has_topic: sp.csr_matrix
    """Papers × series of the grid: 1 where the paper has the topic."""

    @property
    def name(self) -> str:
        """`arxiv month`."""
        return f"{self.population} {self.grain}"

    def with_counts(self, n_papers: Floats) -> Grid:
        """Return the grid with other counts of the same shape."""
        return replace(self.grid, n_papers=n_papers)

    def count(self, period: Ints) -> Floats:
        """Return papers by period and series, for other periods of the papers."""
        n_periods = self.grid.starts.size
        member = sp.csr_matrix(
            (np.ones(period.size), (period, np.arange(period.size))), shape=(n_periods, period.size)
        )
        return np.asarray((member @ self.has_topic).todense(), dtype=np.float64)


def count(
    evidence: Evidence, population: str, grain: str, *, whole: bool = False
) -> Counted | None:
    """Return the papers of a population by period and topic; None for an empty population.

    `whole` treats partial periods as complete. arXiv's weeks have only papers with a known day, so
    all of them are partial; only experiments use them.
    """
    members = evidence.members.filter(pl.col("population") == population)
    if grain == "week":
        members = members.filter(pl.col("date_precision") == "day")
    members = members.select(
        "paper_id", period_start_on=pl.col("counted_on").dt.truncate(TRUNCATE[grain])
    ).unique(maintain_order=True)
    if members.is_empty():
        return None
    periods = evidence.periods.filter(population=population, grain=grain)
    papers = members.with_row_index("paper")
    names = evidence.trends.filter(population=population, grain=grain)["series_id"].unique().sort()
    links = papers.join(evidence.topics, on="paper_id", how="inner", maintain_order="left")
    counts = links.group_by("period_start_on", "topic_id").agg(n_papers=pl.len())
    frame = (
        periods.join(pl.DataFrame({"topic_id": names}), how="cross")
        .join(counts, on=["period_start_on", "topic_id"], how="left")
        .with_columns(
            pl.col("n_papers").fill_null(0).cast(pl.Int64),
            is_partial=pl.lit(value=False) if whole else pl.col("is_partial"),
        )
        .rename({"topic_id": "series_id"})
    )
    if frame.is_empty():
        return None
    grid = next(iter(grids(check(frame))))
    starts = periods["period_start_on"].sort()
    at = pl.DataFrame({"period_start_on": starts}).with_row_index("period")
    of = pl.DataFrame({"topic_id": names}).with_row_index("series")
    period = papers.join(at, on="period_start_on", how="left", maintain_order="left")["period"]
    column = links.join(of, on="topic_id", how="left", maintain_order="left")["series"]
    return Counted(
        population,
        grain,
        grid,
        period.cast(pl.Int64).to_numpy(),
        sp.csr_matrix(
            (
                np.ones(links.height),
                (links["paper"].cast(pl.Int64).to_numpy(), column.cast(pl.Int64).to_numpy()),
            ),
            shape=(papers.height, names.len()),
        ),
    )


def all_counted(evidence: Evidence) -> Iterator[Counted]:
    """Yield each population and grain with papers. arXiv's weeks count as complete."""
    for population in POPULATIONS:
        for grain in GRAINS:
            is_always_partial = (population, grain) == ("arxiv", "week")
            counted = count(evidence, population, grain, whole=is_always_partial)

            if counted is not None:
                yield counted
