"""The sentences that pages lead with: what is rising and falling, and how far to trust it.

Belongs here: sentences on changes of topics, terms and team sizes. Does not: tables of verdicts
(`evidence`), or how a sentence of one change is written (the marts hold it).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import polars as pl

from dashboards import blocks as b
from dashboards import formats, odds
from dashboards.breaks import find_breaks
from dashboards.pages.evidence import (
    CALLED,
    LENGTHS,
    LIKELY,
    by_horizon,
    by_strength,
    over,
    period_name,
    reasons,
    verdict_name,
)
from dashboards.view import View

NEAR = timedelta(days=31)
"""A change may have begun at a break of data collection at most this far away."""


def of_topics(changes: pl.DataFrame, view: View, horizon: str) -> b.Text:
    """How many topics rise and fall over the horizon, and the strongest change."""
    where = f"{formats.sentence_case(over(horizon))} up to {period_name(view)}"
    counts = Counter(changes["verdict"].to_list())
    if changes.height == counts["not_comparable"]:
        why = f": {reasons(changes)}" if changes.height else ""
        return b.Text(f"{where}, no topic is comparable{why}.", "lead")
    called = by_strength(changes)
    if called.is_empty():
        n = sum(counts[verdict] for verdict in LIKELY)
        likely = f"; {n:,} {'is' if n == 1 else 'are'} likely to be" if n else ""
        return b.Text(f"{where}, no topic is rising or falling{likely}.", "lead")
    first = called.row(0, named=True)
    return b.Text(
        f"{where}, {counts['rising']:,} of {formats.plural(changes.height, 'topic')} "
        f"{'is' if counts['rising'] == 1 else 'are'} rising and {counts['falling']:,} falling "
        f"({view.about.name}). The strongest change is {first['topic_name']}: "
        f"{first['statement']}.",
        "lead",
    )


def odds_of_topics(changes: pl.DataFrame) -> list[b.Block]:
    """The measured odds of the verdicts rising and falling, all over one horizon."""
    called = changes.filter(pl.col("verdict").is_in(CALLED))
    return _odds(called.row(0, named=True)) if called.height else []


def of_series(changes: pl.DataFrame, name: str, view: View, *, has_odds: bool) -> list[b.Block]:
    """One series' surest verdict, of the longest such horizon, with what qualifies it.

    That is: an opposite verdict over another horizon, a change of data collection when the change
    began, and, if `has_odds`, the measured odds. Empty without changes.
    """
    rows = sorted(by_horizon(changes).reverse().iter_rows(named=True), key=_rank)
    if not rows:
        return []
    first = rows[0]
    opposite = [
        f" But {verdict_name(row['verdict'])} over {LENGTHS[row['horizon']]}: {row['statement']}."
        for row in rows[1:]
        if first["verdict"] in CALLED and {first["verdict"], row["verdict"]} == set(CALLED)
    ]
    return [
        b.Text(f"{name}: {first['statement']}.{''.join(opposite)}", "lead"),
        *capture_warning(view, first),
        *(_odds(first) if has_odds else ()),
    ]


def capture_warning(view: View, row: b.Row) -> list[b.Block]:
    """A note if the change began when data collection changed; empty otherwise.

    `row` has `began_on`, `began_from_on` and `began_to_on`.
    """
    if row["began_on"] is None or not view.periods:
        return []
    every = replace(view, first=view.periods[0], last=view.periods[-1])
    near = [
        f"{'more' if one.after > one.before else 'fewer'} lists were captured in full from "
        f"{period_name(replace(view, period=one.at))}"
        for one in find_breaks(every, "complete_share")
        if abs(one.at.start - row["began_on"]) <= NEAR
        or (one.at.start <= row["began_to_on"] and row["began_from_on"] <= one.at.end)
    ]
    if not near:
        return []
    text = (
        f"The change began about when data collection changed: {formats.listed(near)}. The level "
        "allows for that with an estimate; part of the change may still come from it."
    )
    return [b.Text(text, "note")]


def _rank(row: b.Row) -> int:
    if row["verdict"] in CALLED:
        return 0
    if row["verdict"] in LIKELY:
        return 1
    return 3 if row["verdict"] == "not_comparable" else 2


def _odds(row: b.Row) -> list[b.Block]:
    found = odds.measured(row["population"], row["grain"], row["horizon"])
    text = odds.sentence(found, row["verdict"], row["horizon"])
    return [b.Text(text)] if text else []
