"""Verdicts and the evidence behind them: window counts, change, interval, q-value, reason, formula.

Belongs here: columns, sentences and formulas of verdicts on topics, terms and team sizes. Does
not: a page, or the rules of a verdict (the marts hold verdicts).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import polars as pl

from dashboards import blocks as b
from dashboards import formats
from dashboards.pages.common import METHODS, NO_TOPIC
from dashboards.view import BEFORE, CURRENT, WINDOW_LENGTHS, View

SUMMARY = (
    "Change: share in the current window divided by share in the previous window (weeks: 4 against "
    "8, months: 2 against 2, quarters: 1 against 1). Its 95 % interval is a conditional binomial "
    "interval, widened for overdispersion between periods. Intervals of rising and falling series "
    "are also adjusted for selection (FCR; Benjamini and Yekutieli 2005). q: p-value adjusted for "
    "multiple testing over all series of the period (Benjamini and Hochberg 1995). Rising or "
    "falling: q ≤ 0.10 and a change of at least ×1.2 or ÷1.2. See “Trends” in "
    f"{METHODS}."
)
FORMULA = (
    (
        "Change = (a + t) / (b + 1 − t) · n₀ / n₁ for k₁ of n₁ papers in the current window and k₀ "
        "of n₀ in the previous one, with t = n₁ / (n₁ + n₀), a = k₁ / φ, b = k₀ / φ and φ = (1 − p)"
        " · (1 + (1 − p) · V · t (1 − t) (k₁ + k₀)). p is the share in both windows together, V "
        "the overdispersion of shares between periods."
    ),
    (
        "95 % interval of the change: n₀ / n₁ times the odds x / (1 − x), where x is the c / 2 "
        "quantile of Beta(a + ¼, b + ¾) and the 1 − c / 2 quantile of Beta(a + ¾, b + ¼). c = "
        "0.05; for rising and falling series c = 0.05 · R / m, where R of m tested series are "
        "rising or falling (adjusted for selection, FCR). p-value: twice the tail probability of "
        "that distribution beyond t. q: p-values of all series tested in the period, adjusted for "
        "multiple testing (Benjamini and Hochberg 1995). After two years of history the seasonal "
        "part of a change is removed first."
    ),
    (
        "Rising or falling: q ≤ 0.10 and a change of at least ×1.2 or ÷1.2. Flat: not rising or "
        "falling, and the interval rules out a change of ×1.5 or ÷1.5. Insufficient: everything "
        "else, including a change of data collection between the windows. Windows: weeks 4 against "
        f"8, months 2 against 2, quarters 1 against 1. See “Trends” in {METHODS}."
    ),
)
LINKS_NOTE = "Click a verdict for its evidence and formula, or a number of papers for the papers."
CALLED = ("rising", "falling")
VERDICTS = (*CALLED, "flat", "insufficient")
REASONS = {
    "partial": "a period in the windows is partial",
    "short_history": "the history is shorter than both windows",
    "gap": "a period in the windows is missing",
    "no_total": "one of the windows has no papers",
    "coverage_differs": "data collection changed (list completeness)",
    "text_differs": "data collection changed (available text)",
    "few_papers": "fewer than 10 papers in both windows together",
    "wide_interval": "the interval is too wide for a verdict",
    "significant": "q ≤ 0.10 and the change is large enough",
    "small_change": "q ≤ 0.10 but the change is small",
    "no_change": "a change of 50 % or more is ruled out",
}
LinkOf = Callable[[b.Row], b.Link | None]


def growth_columns(view: View, link: LinkOf | None = None) -> tuple[b.Column, ...]:
    """Verdict, change, interval, q-value, counts of both windows, and reason.

    `link` is the target of the verdict.
    """

    def papers_of(window: str) -> LinkOf:
        return lambda row: window_link(view, row, window)

    return (
        b.Column("Verdict", _verdict, is_unbroken=True, link=link),
        b.Column("Change", lambda row: formats.factor(row["growth"]), is_number=True),
        b.Column(
            "95 % interval",
            lambda row: formats.factor_interval(row["growth_low"], row["growth_high"]),
            is_number=True,
        ),
        b.Column("q", lambda row: formats.p_value(row["q_value"]), is_number=True),
        b.Column(
            "Current window",
            lambda row: window_counts(row, CURRENT),
            is_number=True,
            link=papers_of(CURRENT),
        ),
        b.Column(
            "Previous window",
            lambda row: window_counts(row, BEFORE),
            is_number=True,
            link=papers_of(BEFORE),
        ),
        b.Column("Reason", lambda row: REASONS[row["verdict_reason"]], is_unbroken=True),
    )


def _verdict(row: b.Row) -> str:
    return f"{row['verdict']}{', emerging' if row.get('is_emerging') else ''}"


def window_counts(row: b.Row, window: str) -> str:
    """`46 of 812`; a dash for an incomplete window."""
    k, n = row[f"n_papers_{window}"], row[f"n_total_{window}"]
    return formats.NO_VALUE if k is None or n is None else f"{k:,} of {n:,}"


def sentence(row: b.Row, grain: str) -> str:
    """The verdict on a period with its reason, counts, change, interval and q-value."""
    n_current, n_before = WINDOW_LENGTHS[grain]
    current, before = formats.plural(n_current, grain), formats.plural(n_before, grain)
    period = formats.sentence_case(formats.period(grain, row["period_start_on"]))
    verdict = f"{period}: {_verdict(row)}, because {REASONS[row['verdict_reason']]}."
    if row["growth"] is None:
        return (
            f"{verdict} No change is computed. It would compare {current} with the {before} before."
        )
    papers = (
        f"Papers: {window_counts(row, CURRENT)} in {current}, "
        f"{window_counts(row, BEFORE)} in the {before} before."
    )
    adjustments = ", seasonally adjusted" if row.get("growth_basis") == "seasonal" else ""
    if row["verdict"] in CALLED:
        adjustments += ", adjusted for selection"
    q = (
        f"; q{formats.NBSP}{formats.p_value_relation(row['q_value'])}"
        if row["q_value"] is not None
        else ""
    )
    return (
        f"{verdict} {papers} Change {formats.factor(row['growth'])} (95{formats.NBSP}% interval "
        f"{formats.factor_interval(row['growth_low'], row['growth_high'])}{adjustments}){q}."
    )


def period_sentence(history: pl.DataFrame, view: View) -> list[b.Block]:
    """The sentence about the chosen period, if the history has it."""
    start = view.period.start if view.period else None
    rows = history.filter(pl.col("period_start_on") == start)
    return [b.Text(sentence(rows.row(0, named=True), view.grain))] if rows.height else []


def tested_summary(frame: pl.DataFrame, noun: str) -> str:
    """`120 of 160 topics tested: 4 rising, 2 falling, 60 flat, 54 insufficient`."""
    tested = frame.filter(pl.col("q_value").is_not_null())
    found = Counter(tested["verdict"].to_list())
    counts = ", ".join(f"{found[verdict]:,} {verdict}" for verdict in VERDICTS)
    summary = f"{tested.height:,} of {formats.plural(frame.height, noun)} tested"
    return f"{summary}: {counts}" if tested.height else summary


def topic_link(view: View, row: b.Row) -> b.Link | None:
    """A link to the row's topic and period; None for papers without a topic."""
    if row["topic_id"] == NO_TOPIC:
        return None
    return b.Link("topics", {**_period_params(view, row), "topic": row["topic_id"]})


def term_link(view: View, row: b.Row) -> b.Link:
    """A link to the row's term: its verdicts and its papers of the period."""
    return b.Link("papers", {**_period_params(view, row), "term": row["term_id"]})


def papers_link(view: View, row: b.Row) -> b.Link | None:
    """A link to the row's papers of the period; None if there are no papers."""
    return _papers_link(view, row) if row["n_papers"] else None


def window_link(view: View, row: b.Row, window: str) -> b.Link | None:
    """A link to the row's papers in a window of its verdict; None if there are no papers."""
    return _papers_link(view, row, window=window) if row[f"n_papers_{window}"] else None


def _papers_link(view: View, row: b.Row, **more: str) -> b.Link | None:
    """None where the paper list has no filter: papers without a topic, and team sizes."""
    series = "topic" if "topic_id" in row else "term"
    if row[f"{series}_id"] == NO_TOPIC or "team" in row:
        return None
    return b.Link("papers", {**_period_params(view, row), **more, series: row[f"{series}_id"]})


def _period_params(view: View, row: b.Row) -> dict[str, str]:
    return {
        "population": view.population,
        "grain": view.grain,
        "period": row["period_start_on"].isoformat(),
    }
