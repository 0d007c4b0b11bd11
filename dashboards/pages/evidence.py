"""Verdicts and what is behind them: counts of both windows, change, interval, q, reason, formula.

Belongs here: columns, sentences and formulas of verdicts, the same for topics, terms and teams.
Does not: a page, or anything that decides a verdict (the marts hold them).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import polars as pl

from dashboards import blocks as b
from dashboards import formats
from dashboards.pages.common import METHODS
from dashboards.state import BEFORE, CURRENT, LENGTHS, View

GROWTH = (
    "Change: the share in the current window over that in the window before (weeks: 4 "
    "against 8, months: 2 against 2, quarters: 1 against 1), with a 95 % interval from the "
    "conditional binomial law, widened by how much shares vary between periods and, for what is "
    "called rising or falling, for having been picked out: 5 % of the intervals of those called "
    "miss (Benjamini and Yekutieli 2005). q: the p-value "
    "held against false discoveries (Benjamini and Hochberg 1995) over all series of the period. "
    "Rising and falling: q ≤ 0.10 and a change of a fifth or more. See “Trends” in "
    f"{METHODS}."
)
FORMULA = (
    (
        "Change = (a + t) / (b + 1 − t) · n₀ / n₁ for k₁ of n₁ papers in the current window and k₀ "
        "of n₀ in the one before, with t = n₁ / (n₁ + n₀), a = k₁ / φ, b = k₀ / φ, and φ = (1 − p) "
        "· (1 + (1 − p) · V · t (1 − t) (k₁ + k₀)), where p is the share in both windows together "
        "and V what shares vary between periods beyond chance."
    ),
    (
        "Interval of the change: the odds x / (1 − x) times n₀ / n₁, x being the c / 2 quantile of "
        "Beta(a + ¼, b + ¾) and the 1 − c / 2 quantile of Beta(a + ¾, b + ¼), with c = 0.05, and "
        "0.05 · R / m for the R of m tested series that are called. p-value: twice the tail "
        "of that law beyond t. q: the p-values of all series that were tested in the period, "
        "adjusted (Benjamini and Hochberg 1995). From two years of history on, the part of a "
        "change that comes every year is taken out first."
    ),
    (
        "Rising or falling: q ≤ 0.10 and a change of × 1.2 or more either way. Flat: not so, and "
        "the interval excludes a change of × 1.5 either way. Insufficient: everything else, "
        "and whatever was not captured alike in both windows. Windows: weeks 4 against 8, months 2 "
        "against 2, quarters 1 against 1. See “Trends” in "
        f"{METHODS}."
    ),
)
LEADS = "A verdict leads to its evidence and its formula, a number of papers to the papers."
CALLED = ("rising", "falling")
VERDICTS = (*CALLED, "flat", "insufficient")
REASONS = {
    "partial": "a period of the windows is partial",
    "short_history": "the history is too short",
    "gap": "a period of the windows is missing",
    "no_total": "a window has no papers at all",
    "coverage_differs": "the windows' lists were captured differently",
    "text_differs": "the windows' papers come with different amounts of text",
    "few_papers": "fewer than 10 papers in both windows",
    "wide_interval": "the interval is too wide to say",
    "significant": "the change is sure and large enough",
    "small_change": "the change is sure, but small",
    "no_change": "a change by half is excluded",
}
NO_TOPIC = "no-topic"
To = Callable[[b.Row], b.Link | None]


def growth_columns(view: View, to: To | None = None) -> tuple[b.Column, ...]:
    """Verdict, change with interval, q, reason, and both windows' counts with their papers."""

    def papers_of(window: str) -> To:
        return lambda row: window_link(view, row, window)

    return (
        b.Column("Verdict", _said, is_unbroken=True, link=to),
        b.Column("Change", lambda row: formats.factor(row["growth"]), is_number=True),
        b.Column(
            "95 % interval",
            lambda row: formats.factor_interval(row["growth_low"], row["growth_high"]),
            is_number=True,
        ),
        b.Column("q", lambda row: formats.small(row["q_value"]), is_number=True),
        b.Column(
            "Current window",
            lambda row: counts(row, CURRENT),
            is_number=True,
            link=papers_of(CURRENT),
        ),
        b.Column(
            "Window before", lambda row: counts(row, BEFORE), is_number=True, link=papers_of(BEFORE)
        ),
        b.Column("Why", lambda row: REASONS[row["verdict_reason"]], is_unbroken=True),
    )


def _said(row: b.Row) -> str:
    return f"{row['verdict']}{', emerging' if row.get('is_emerging') else ''}"


def counts(row: b.Row, window: str) -> str:
    """`46 of 812`; a dash where a window is not whole."""
    k, n = row[f"n_papers_{window}"], row[f"n_total_{window}"]
    return formats.NOTHING if k is None or n is None else f"{k:,} of {n:,}"


def sentence(row: b.Row, grain: str) -> str:
    """What was compared in a period, what came of it, and why, in words and figures."""
    current, before = LENGTHS[grain]
    said = (
        f"{formats.period(grain, row['period_start_on'])}: {_said(row)}, because "
        f"{REASONS[row['verdict_reason']]}."
    )
    if row["growth"] is None:
        return (
            f"{said} Windows: {formats.plural(current, grain)} against the "
            f"{formats.plural(before, grain)} before. No change is computed."
        )
    what = (
        f"{said} Papers: {counts(row, CURRENT)} in {formats.plural(current, grain)}, "
        f"{counts(row, BEFORE)} in the {formats.plural(before, grain)} before."
    )
    season = ", less what comes every year" if row.get("growth_basis") == "seasonal" else ""
    if row["verdict"] in CALLED:
        season += ", widened for having been picked out"
    held = f"; q {formats.compared(row['q_value'])}" if row["q_value"] is not None else ""
    return (
        f"{what} Change {formats.factor(row['growth'])} (95 % interval "
        f"{formats.factor_interval(row['growth_low'], row['growth_high'])}{season}){held}."
    )


def of_period(history: pl.DataFrame, start: object, grain: str) -> list[b.Block]:
    """The sentence of a period, if the history has it."""
    rows = history.filter(pl.col("period_start_on") == start)
    return [b.Text(sentence(rows.row(0, named=True), grain))] if rows.height else []


def tested(frame: pl.DataFrame, noun: str) -> str:
    """How many series of a period were tested, and how many of them got which verdict."""
    judged = frame.filter(pl.col("q_value").is_not_null())
    found = Counter(judged["verdict"].to_list())
    summary = ", ".join(f"{found[verdict]:,} {verdict}" for verdict in VERDICTS)
    what = f"{judged.height:,} of {formats.plural(frame.height, noun)} tested"
    return f"{what}: {summary}" if judged.height else what


def topic_link(view: View, row: b.Row) -> b.Link | None:
    """The topic of a row in depth, with the row's period; none for papers without a topic."""
    if row["topic_id"] == NO_TOPIC:
        return None
    return b.Link("topics", {**_where(view, row), "topic": row["topic_id"]})


def term_link(view: View, row: b.Row) -> b.Link:
    """The term of a row: its verdicts, and its papers of the row's period."""
    return b.Link("papers", {**_where(view, row), "term": row["term_id"]})


def papers_link(view: View, row: b.Row) -> b.Link | None:
    """The papers of a row's period with its topic or its term; none where there are none."""
    return _papers(view, row) if row["n_papers"] else None


def window_link(view: View, row: b.Row, window: str) -> b.Link | None:
    """The papers of a window of a row's verdict; none where there are none."""
    return _papers(view, row, window=window) if row[f"n_papers_{window}"] else None


def _papers(view: View, row: b.Row, **more: str) -> b.Link | None:
    """None for papers without a topic, and for teams, which no list of papers can be cut to."""
    series = "topic" if "topic_id" in row else "term"
    if row[f"{series}_id"] == NO_TOPIC or "team" in row:
        return None
    return b.Link("papers", {**_where(view, row), **more, series: row[f"{series}_id"]})


def _where(view: View, row: b.Row) -> dict[str, str]:
    return {
        "population": view.population,
        "grain": view.grain,
        "period": row["period_start_on"].isoformat(),
    }
