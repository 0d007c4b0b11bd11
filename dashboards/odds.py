"""The measured odds of verdicts: how often they hold, and how often the change continues.

Belongs here: reading `odds.csv` (generated from docs/evaluation.md) and the sentence and columns
about it. Does not: measuring, or verdicts.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dashboards import formats

FILE = Path(__file__).with_name("odds.csv")
MIN_VERDICTS = 30
"""With fewer verdicts, no odds are shown."""
TOO_FEW = "too few"
REPORT = "docs/evaluation.md"
CALLED = ("rising", "falling")
LIKELY = ("likely_rising", "likely_falling")
AGO = {
    "month": "a month earlier",
    "quarter": "a quarter earlier",
    "half_year": "half a year earlier",
    "year": "a year earlier",
}


@dataclass(frozen=True)
class Odds:
    """Verdicts on topics of one population, grain and horizon, and their outcome a quarter later.

    `holds`, `noise` and `continues` are shares of the `n_called` verdicts *rising* and *falling*;
    `holds_low` and `holds_high` bound a 95 % interval. `likely_holds` is a share of the `n_likely`
    likely ones. A share is None if there are no such verdicts.
    """

    n_called: int
    holds: float | None
    holds_low: float | None
    holds_high: float | None
    noise: float | None
    continues: float | None
    n_likely: int
    likely_holds: float | None


@cache
def _measured() -> dict[tuple[str, str, str], Odds]:
    with FILE.open(encoding="utf-8", newline="") as lines:
        return {
            (row["population"], row["grain"], row["horizon"]): Odds(
                int(row["n_called"]),
                _number(row["holds"]),
                _number(row["holds_low"]),
                _number(row["holds_high"]),
                _number(row["noise"]),
                _number(row["continues"]),
                int(row["n_likely"]),
                _number(row["likely_holds"]),
            )
            for row in csv.DictReader(lines)
        }


def _number(text: str) -> float | None:
    return float(text) if text else None


def measured(population: str, grain: str, horizon: str) -> Odds | None:
    """The odds of verdicts on this series; None if the evaluation doesn't include it."""
    return _measured().get((population, grain, horizon))


def holds(odds: Odds | None, verdict: str) -> str:
    """`94 % (78–98 %)`, `72 %`; `too few` below `MIN_VERDICTS`; a dash for other verdicts."""
    if verdict in CALLED:
        if not odds or odds.n_called < MIN_VERDICTS:
            return TOO_FEW
        return f"{_percent(odds.holds)} ({_interval(odds)})"
    if verdict in LIKELY:
        return _percent(odds.likely_holds) if odds and odds.n_likely >= MIN_VERDICTS else TOO_FEW
    return formats.NO_VALUE


def continues(odds: Odds | None, verdict: str) -> str:
    """`54 %`; `too few` below `MIN_VERDICTS`; a dash for verdicts other than rising and falling."""
    if verdict not in CALLED:
        return formats.NO_VALUE
    return _percent(odds.continues) if odds and odds.n_called >= MIN_VERDICTS else TOO_FEW


def sentence(odds: Odds | None, verdict: str, horizon: str) -> str:
    """How often such verdicts held and continued in the evaluation; empty for other verdicts."""
    if verdict in LIKELY:
        return _likely_sentence(odds, horizon)
    if verdict not in CALLED:
        return ""
    if not odds or odds.n_called < MIN_VERDICTS:
        return _too_few("rising or falling", horizon)
    noise = f" ({_percent(odds.noise)} by chance)" if odds.noise is not None else ""
    return (
        f"Measured odds: of {odds.n_called:,} {_kind('rising or falling', horizon)}, "
        f"{_percent(odds.holds)} ({_interval(odds)}) held: the next quarter was still on that side "
        f"of the level {AGO[horizon]}{noise}. {_percent(odds.continues)} continued: the next "
        f"quarter was beyond the level at the time of the verdict. See {REPORT}."
    )


def _likely_sentence(odds: Odds | None, horizon: str) -> str:
    if not odds or odds.n_likely < MIN_VERDICTS:
        return _too_few("likely rising or falling", horizon)
    return (
        f"Measured odds: of {odds.n_likely:,} {_kind('likely rising or falling', horizon)}, "
        f"{_percent(odds.likely_holds)} held: the next quarter was still on that side of the level "
        f"{AGO[horizon]}. See {REPORT}."
    )


def _too_few(name: str, horizon: str) -> str:
    return (
        f"Measured odds: unknown. The evaluation has fewer than {MIN_VERDICTS} "
        f"{_kind(name, horizon)}. See {REPORT}."
    )


def _kind(name: str, horizon: str) -> str:
    """`verdicts rising or falling over a year`, of the same population and period length."""
    length = AGO[horizon].removesuffix(" earlier")
    return f"verdicts {name} over {length} of the same population and period length"


def _percent(share: float | None) -> str:
    return formats.NO_VALUE if share is None else f"{100 * share:.0f}{formats.NBSP}%"


def _interval(odds: Odds) -> str:
    if odds.holds_low is None or odds.holds_high is None:
        return formats.NO_VALUE
    return f"{100 * odds.holds_low:.0f}–{100 * odds.holds_high:.0f}{formats.NBSP}%"
