"""Papers with one author and with ten or more: shares and verdicts.

Belongs here: figures and tables of these two shares. Does not: other author statistics.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from dashboards import blocks as b
from dashboards import formats
from dashboards.pages import common, evidence, findings
from dashboards.view import View, primary_horizon


@dataclass(frozen=True)
class Team:
    """A team size: the prefix of its columns in rpt_author_counts, its name and a title."""

    prefix: str
    name: str
    title: str


TEAMS = (
    Team("solo", "one author", "Papers with one author"),
    Team("ten_plus", "ten or more", "Papers with ten or more authors"),
)
JUDGED = (
    "level", "level_low", "level_high", "growth", "growth_low", "growth_high", "sign_error",
    "level_before", "began_on", "began_from_on", "began_to_on", "verdict", "verdict_reason",
)  # fmt: skip

CHANGE = ("growth", "growth_low", "growth_high")
BEGAN = ("began_on", "began_from_on", "began_to_on")


def headlines(history: pl.DataFrame, view: View, suffix: str) -> list[b.Block]:
    """Median authors and both shares in the chosen period, with intervals and verdicts."""
    if not view.period:
        return []
    rows = history.filter(pl.col("period_start_on") == view.period.start)
    if rows.is_empty() or not rows["is_sufficient"][0]:
        return []
    row = rows.row(0, named=True)
    where = f"{view.about.name}{suffix}, {view.period_name}"
    median = b.Stat(
        "Median authors per paper",
        formats.decimal(row["median_authors"]),
        f"95 % interval {formats.number_interval(row['median_low'], row['median_high'])}; "
        f"n = {row['n_papers']:,}; maximum {row['max_authors']:,}",
        where,
    )
    return [
        *_finding(row, view, suffix),
        b.Stats((median, *(_headline(row, team, where) for team in TEAMS))),
    ]


def _finding(row: b.Row, view: View, suffix: str) -> list[b.Block]:
    """The median and the share of large teams, with its verdict, as a sentence."""
    team = TEAMS[-1]
    share, *change = (row[f"{team.prefix}_{name}"] for name in ("share", "verdict", *CHANGE))
    verdict, growth, low, high = change
    length = evidence.over(primary_horizon(row["grain"]))
    stated = f"The change of that share {length} is {evidence.verdict_name(verdict)}"
    if verdict not in evidence.UNDECIDED:
        stated = (
            f"{formats.sentence_case(length)}, that share is {evidence.verdict_name(verdict)}: "
            f"{formats.factor(growth)} (80 % interval {formats.factor_interval(low, high)})"
        )
    text = (
        f"In {evidence.period_name(view)}, the median paper has "
        f"{formats.decimal(row['median_authors'])} authors, and {formats.share(share)} of the "
        f"{row['n_papers']:,} papers have ten or more ({view.about.name}{suffix}). {stated}."
    )
    began = {name: row[f"{team.prefix}_{name}"] for name in BEGAN}
    return [b.Text(text, "lead"), *findings.capture_warning(view, began)]


def _headline(row: b.Row, team: Team, where: str) -> b.Stat:
    names = ("share", "share_low", "share_high", *JUDGED)
    values = {name: row[f"{team.prefix}_{name}"] for name in names}
    verdict = evidence.verdict_name(values["verdict"])
    if values["growth"] is None:
        change = f"{verdict}: {evidence.REASONS[values['verdict_reason']]}"
    else:
        interval = formats.factor_interval(values["growth_low"], values["growth_high"])
        change = (
            f"{evidence.over(primary_horizon(row['grain']))} {formats.factor(values['growth'])} "
            f"(80 % interval {interval}), {verdict}"
        )
    return b.Stat(
        team.title,
        formats.share(values["share"]),
        f"95 % interval {formats.share_interval(values['share_low'], values['share_high'])}; "
        f"{row[f'n_{team.prefix}']:,} of {row['n_papers']:,}; {change}",
        where,
    )


def verdicts(history: pl.DataFrame, view: View, suffix: str, note: str) -> b.Table:
    """Both shares by period with level, verdict, change, interval and reason."""
    return b.Table(
        key="team-verdicts",
        title=f"Verdicts on papers with one author and with ten or more{suffix}",
        frame=by_team(history),
        columns=(
            b.period(view.grain),
            b.Column("Authors", lambda row: str(row["team"]), is_unbroken=True),
            b.share("share", "Share"),
            b.share_interval("share_low", "share_high"),
            b.n_of_total(),
            *evidence.level_columns(),
            *evidence.change_columns(),
            evidence.reason_column(),
        ),
        is_muted=lambda row: bool(row["is_partial"]) or not row["is_sufficient"],
        note=f"{common.span_of(view)}. Changes are {evidence.over_primary(view)}. "
        f"{evidence.SUMMARY} {note}".strip(),
    )


def by_team(history: pl.DataFrame) -> pl.DataFrame:
    """One row per period and team size, newest first, with the column names of all verdicts."""
    keys = ("population", "grain", "period_start_on", "period_end_on", "topic_id")
    frames = [
        history.select(
            *keys,
            team=pl.lit(team.name),
            n_papers=f"n_{team.prefix}",
            n_total="n_papers",
            share=f"{team.prefix}_share",
            share_low=f"{team.prefix}_share_low",
            share_high=f"{team.prefix}_share_high",
            is_sufficient="is_sufficient",
            is_partial="is_partial",
            **{name: f"{team.prefix}_{name}" for name in JUDGED},
        )
        for team in TEAMS
    ]
    return pl.concat(frames).sort("period_start_on", descending=True, maintain_order=True)
