"""Verdicts and the evidence behind them: level, change, interval, certainty, begin and reason.

Belongs here: columns, tables and sentences of verdicts on topics, terms and team sizes. Does not:
a page, or the rules of a verdict (the marts hold verdicts).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import polars as pl

from dashboards import blocks as b
from dashboards import formats, odds
from dashboards.pages.common import METHODS, NO_TOPIC
from dashboards.view import HORIZONS, YEAR, View

SUMMARY = (
    "The level is the share behind the counts, estimated from the history up to the period; a "
    "change is the ratio of two levels. Rising or falling: its 80 % interval excludes no change, "
    "and on average at most 5 % of these directions are wrong (likely: at most 20 % each). See "
    f"“Trends” in {METHODS}."
)
ODDS_NOTE = (
    "Holds and continues: the measured odds of such verdicts on the evaluation's papers, with a "
    "95 % interval. A verdict holds if the share of the next quarter is on the called side of the "
    "earlier level, and continues if it is beyond the present level as well. See "
    f"{odds.REPORT}."
)
CALLED = odds.CALLED
LIKELY = odds.LIKELY
LINKS_NOTE = "Click a verdict for its evidence, or a number of papers for the papers."
UNDECIDED = ("unclear", "not_comparable")
VERDICTS = (*CALLED, *LIKELY, "flat", *UNDECIDED)
REASONS = {
    "certain": "the interval excludes no change",
    "likely": "the direction is probable, not certain",
    "small_change": "a change of more than ×1.2 or ÷1.2 is ruled out",
    "wide_interval": "the direction is uncertain",
    "few_papers": "too few papers so far",
    "partial": "the period is partial",
    "no_data": "no papers were captured",
    "short_history": "the history is too short",
    "text_differs": "the share of papers with text differs",
    "mix_differs": "the mix of categories differs",
}
LENGTHS = {"month": "a month", "quarter": "a quarter", "half_year": "half a year", "year": "a year"}
LinkOf = Callable[[b.Row], b.Link | None]


def verdict_name(verdict: str) -> str:
    """`likely rising`, `not comparable`."""
    return verdict.replace("_", " ")


def period_name(view: View) -> str:
    """`Oct 2025`, `the week of 27 Oct 2025`."""
    return f"{'the ' if view.grain == 'week' else ''}{view.period_name}"


def over(horizon: str) -> str:
    """`over half a year`."""
    return f"over {LENGTHS[horizon]}"


def over_primary(view: View) -> str:
    """The horizon of the verdicts in tables by period."""
    return over(view.primary_horizon)


def level_columns() -> tuple[b.Column, ...]:
    """The level and its interval."""
    return (
        b.Column("Level", lambda row: formats.share(row["level"]), is_number=True),
        b.Column(
            "80 % interval",
            lambda row: formats.share_interval(row["level_low"], row["level_high"]),
            is_number=True,
        ),
    )


def change_columns(link: LinkOf | None = None) -> tuple[b.Column, ...]:
    """Verdict, change, interval, probability of the wrong direction, and begin.

    `link` is the target of the verdict.
    """
    return (
        b.Column("Verdict", verdict_of, is_unbroken=True, link=link),
        _of_comparable("Change", lambda row: formats.factor(row["growth"])),
        _of_comparable(
            "80 % interval",
            lambda row: formats.factor_interval(row["growth_low"], row["growth_high"]),
        ),
        wrong_direction(),
        b.Column("Began", began, is_unbroken=True),
    )


def wrong_direction() -> b.Column:
    """The probability that the change has the other direction."""
    return _of_comparable("Wrong direction", lambda row: formats.probability(row["sign_error"]))


def _of_comparable(label: str, text: Callable[[b.Row], str]) -> b.Column:
    """A number; a dash in rows that are not comparable, which the download has in full."""

    def write(row: b.Row) -> str:
        return formats.NO_VALUE if row["verdict"] == "not_comparable" else text(row)

    return b.Column(label, write, is_number=True)


def reason_column() -> b.Column:
    """Why the verdict is what it is."""
    return b.Column("Reason", lambda row: REASONS[row["verdict_reason"]], is_unbroken=True)


def verdict_of(row: b.Row) -> str:
    """`likely rising, emerging`."""
    return f"{verdict_name(row['verdict'])}{', emerging' if row.get('is_emerging') else ''}"


def began(row: b.Row) -> str:
    """`Mar 2025 (Jan 2025 to May 2025)`; a dash without a called change."""
    if row["began_on"] is None:
        return formats.NO_VALUE
    first, last = (formats.month(row[f"began_{end}_on"]) for end in ("from", "to"))
    between = f" ({first} to {last})" if first != last else ""
    return f"{formats.month(row['began_on'])}{between}"


def by_certainty(changes: pl.DataFrame, name: str) -> pl.DataFrame:
    """Rising and falling series, then likely ones; the most certain first, then the largest."""
    percent = (
        pl.when(pl.col("sign_error") < 0.01).then(0).otherwise((100 * pl.col("sign_error")).round())
    )
    return changes.filter(pl.col("verdict").is_in((*CALLED, *LIKELY))).sort(
        pl.col("verdict").is_in(LIKELY),
        percent,
        pl.col("growth").abs(),
        name,
        descending=[False, False, True, False],
    )


def longest_comparable(changes: pl.DataFrame) -> str:
    """The longest horizon with a comparable change; a year if there is no such horizon."""
    found = set(changes.filter(pl.col("verdict") != "not_comparable")["horizon"])
    return next((horizon for horizon in reversed(HORIZONS) if horizon in found), YEAR)


def by_strength(changes: pl.DataFrame) -> pl.DataFrame:
    """Rising and falling series, the one whose interval is farthest from no change first."""
    least = pl.when(pl.col("growth") > 0).then("growth_low").otherwise(-pl.col("growth_high"))
    called = changes.filter(pl.col("verdict").is_in(CALLED))
    return called.sort(least, "topic_name", descending=[True, False])


def verdict_counts(changes: pl.DataFrame, noun: str) -> str:
    """The number of series by verdict, with the reasons of those without one.

    `160 topics: 12 rising, 8 falling, 10 likely rising, 6 likely falling, 60 flat, 40 unclear (the
    direction is uncertain: 35; too few papers so far: 5), 24 not comparable (…)`.
    """
    found = Counter(changes["verdict"].to_list())
    counts = [f"{found[verdict]:,} {verdict_name(verdict)}" for verdict in VERDICTS[:5]]
    for verdict in UNDECIDED:
        without = changes.filter(pl.col("verdict") == verdict)
        if without.height:
            counts.append(f"{without.height:,} {verdict_name(verdict)} ({reasons(without)})")
    return f"{formats.plural(changes.height, noun)}: {', '.join(counts)}"


def reasons(changes: pl.DataFrame) -> str:
    """The reasons of verdicts with their numbers; without numbers if there is one reason."""
    found = Counter(changes["verdict_reason"].to_list()).most_common()
    if len(found) == 1:
        return REASONS[found[0][0]]
    return "; ".join(f"{REASONS[reason]}: {n:,}" for reason, n in found)


def none_called(changes: pl.DataFrame, noun: str) -> str:
    """Why a table of rising and falling series has no rows."""
    if changes.is_empty():
        return f"There are no {noun}s in this period."
    if (changes["verdict"] == "not_comparable").all():
        return f"No {noun} is comparable: {reasons(changes)}."
    return f"No {noun} is rising or falling, not even likely so."


def horizon_table(
    changes: pl.DataFrame, view: View, key: str, name: str, note: str, *, has_odds: bool
) -> b.Table:
    """A series' changes up to the period, one row per horizon, each with its sentence.

    `has_odds`: the evaluation measures verdicts on such series, so each row shows its odds.
    """
    columns = (
        b.Column("Over", lambda row: HORIZONS[row["horizon"]], is_unbroken=True),
        b.wide("statement", "Statement"),
        b.Column("Verdict", verdict_of, is_unbroken=True),
        wrong_direction(),
    )
    return b.Table(
        key,
        f"{name}: changes up to {period_name(view)}",
        by_horizon(changes),
        (*columns, *(odds_columns() if has_odds else ())),
        empty=f"There is no verdict on {view.period_name}.",
        is_muted=lambda row: row["verdict"] in UNDECIDED,
        note=f"{note} {ODDS_NOTE if has_odds else ''} {SUMMARY}".strip(),
    )


def odds_columns() -> tuple[b.Column, ...]:
    """How often verdicts like the row's hold, and how often the change continues."""

    def of(row: b.Row) -> odds.Odds | None:
        return odds.measured(row["population"], row["grain"], row["horizon"])

    return (
        b.Column("Holds", lambda row: odds.holds(of(row), row["verdict"]), is_number=True),
        b.Column("Continues", lambda row: odds.continues(of(row), row["verdict"]), is_number=True),
    )


def by_horizon(changes: pl.DataFrame) -> pl.DataFrame:
    """The changes, shortest horizon first."""
    order = {horizon: at for at, horizon in enumerate(HORIZONS)}
    return changes.sort(pl.col("horizon").replace_strict(order, default=len(order)))


def topic_link(view: View, row: b.Row) -> b.Link | None:
    """A link to the row's topic and period; None for papers without a topic."""
    if row["topic_id"] == NO_TOPIC:
        return None
    return b.Link("topics", {**_period_params(view, row), "topic": row["topic_id"]})


def term_link(view: View, row: b.Row) -> b.Link:
    """A link to the row's term: its verdicts and its papers of the period."""
    return b.Link("papers", {**_period_params(view, row), "term": row["term_id"]})


def papers_link(view: View, row: b.Row) -> b.Link | None:
    """A link to the row's papers of the period.

    None where there are no papers or the paper list has no filter: papers without a topic.
    """
    series = "topic" if "topic_id" in row else "term"
    if not row["n_papers"] or row[f"{series}_id"] == NO_TOPIC:
        return None
    return b.Link("papers", {**_period_params(view, row), series: row[f"{series}_id"]})


def _period_params(view: View, row: b.Row) -> dict[str, str]:
    return {
        "population": view.population,
        "grain": view.grain,
        "period": row["period_start_on"].isoformat(),
    }
