"""Papers with one author and with ten or more: shares, verdicts, and what is behind them.

Belongs here: figures and tables of those two shares. Does not: other statistics of authors.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from dashboards import blocks as b
from dashboards import formats
from dashboards.pages import common, evidence
from dashboards.state import View


@dataclass(frozen=True)
class Team:
    """A size of teams: the columns' prefix in rpt_author_counts, and its name."""

    prefix: str
    name: str


TEAMS = (Team("solo", "one author"), Team("ten_plus", "ten or more"))
TESTED = (
    "growth", "growth_low", "growth_high", "growth_level", "p_value", "q_value", "verdict",
    "verdict_reason",
)  # fmt: skip


def headlines(history: pl.DataFrame, view: View, about: str) -> list[b.Block]:
    """Median and both shares in the chosen period, with intervals and verdicts."""
    if not view.period:
        return []
    rows = history.filter(pl.col("period_start_on") == view.period.start)
    if rows.is_empty() or not rows["is_sufficient"][0]:
        return []
    row = rows.row(0, named=True)
    where = f"{view.about.name}{about}, {view.period_name}"
    median = formats.number_interval(row["median_low"], row["median_high"])
    found = [
        b.Stat(
            "Median number of authors",
            formats.decimal(row["median_authors"]),
            f"{median}, n = {row['n_papers']:,}; most: {row['max_authors']:,}",
            where,
        )
    ]
    return [b.Stats((*found, *(_headline(row, team, where) for team in TEAMS)))]


def _headline(row: b.Row, team: Team, where: str) -> b.Stat:
    low, high = row[f"{team.prefix}_share_low"], row[f"{team.prefix}_share_high"]
    change = formats.factor(row[f"{team.prefix}_growth"])
    interval = formats.factor_interval(
        row[f"{team.prefix}_growth_low"], row[f"{team.prefix}_growth_high"]
    )
    trend = f"{row[f'{team.prefix}_verdict']}, {change} ({interval})"
    if row[f"{team.prefix}_growth"] is None:
        trend = (
            f"{row[f'{team.prefix}_verdict']}: "
            + (evidence.REASONS[row[f"{team.prefix}_verdict_reason"]])
        )
    return b.Stat(
        f"Papers with {team.name}{' authors' if team.prefix == 'ten_plus' else ''}",
        formats.share(row[f"{team.prefix}_share"]),
        f"{formats.share_interval(low, high)}, {row[f'n_{team.prefix}']:,} of "
        f"{row['n_papers']:,}; {trend}",
        where,
    )


def verdicts(history: pl.DataFrame, view: View, about: str) -> b.Table:
    """Both shares by period with verdict, change, interval, q, and both windows' counts."""
    return b.Table(
        key="team-verdicts",
        title=f"Verdicts on papers with one author and with ten or more{about}",
        frame=by_team(history),
        columns=(
            b.period(view.grain),
            b.Column("Authors", lambda row: str(row["team"]), is_unbroken=True),
            b.share("share", "Share"),
            b.share_interval("share_low", "share_high"),
            b.n_of_total(),
            *evidence.growth_columns(view),
        ),
        is_muted=lambda row: bool(row["is_partial"]) or not row["is_sufficient"],
        note=" ".join((f"{common.span_of(view)}. {common.WILSON}", *evidence.FORMULA)),
    )


def by_team(history: pl.DataFrame) -> pl.DataFrame:
    """One row a period and team, newest first, under the names that verdicts have everywhere."""
    kept = ("population", "grain", "period_start_on", "period_end_on", "topic_id")
    frames = [
        history.select(
            *kept,
            team=pl.lit(team.name),
            n_papers=f"n_{team.prefix}",
            n_total="n_papers",
            share=f"{team.prefix}_share",
            share_low=f"{team.prefix}_share_low",
            share_high=f"{team.prefix}_share_high",
            n_papers_current=f"n_{team.prefix}_current",
            n_total_current="n_papers_current",
            n_papers_before=f"n_{team.prefix}_before",
            n_total_before="n_papers_before",
            is_sufficient="is_sufficient",
            is_partial="is_partial",
            **{name: f"{team.prefix}_{name}" for name in TESTED},
        )
        for team in TEAMS
    ]
    return pl.concat(frames).sort("period_start_on", descending=True, maintain_order=True)
