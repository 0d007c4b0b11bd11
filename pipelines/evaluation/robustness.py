"""Robustness: how verdicts change when captures change and the topics do not.

Belongs here: altered captures of the warehouse's own counts. Does not belong here: the model of
captures (`pipelines/trends/`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from pipelines.evaluation.evidence import Evidence
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.trends import judge
from pipelines.trends.changes import HORIZONS
from pipelines.trends.grids import KEYS
from pipelines.trends.levels import REGIME_VARIANCE
from pipelines.trends.panels import CATEGORY_WEIGHTS

MAX_FALSE: Final = 0.05
"""Of all verdicts on the altered counts; also the target for new ones."""
N_REPLAYS: Final = 3
LISTED_PART: Final = 0.55
"""Share of a complete day's papers that are in its morning list."""
N_CATEGORIES: Final = 3
BROKEN: Final = 0.5

METHOD = f"""
The counts of the warehouse are altered as if other captures had been made, and judged again.
A verdict *rising* or *falling* on the altered counts is *false* if the unaltered counts estimate a
change in the other direction, and *new* if they give no verdict, likely or not, in its direction.

**Mix shift.** All papers of a category are removed from the second half of the months of `arxiv`,
or from the first half; the {N_CATEGORIES} largest categories in turn.

**Capture regime.** The weeks of the second half of `hf_daily` are captured in part: a sample of
{LISTED_PART:.0%} of the papers, with an offset of each topic's log odds of variance
{REGIME_VARIANCE}, {N_REPLAYS} times. The variance was measured on 115 days of 2025 that were
captured twice, in the morning (1,676 papers) and later (3,035). If morning lists were random parts
of their days, the deviations of the topics' counts would have the variance of sampling; they have
2.7 times as much (110 topics). The maximum likelihood estimate of the variance of the offset is
0.021, 95 % interval 0.013 to 0.033. With offsets estimated on every second day, 80 % and 95 %
intervals contain the counts of the days left out for 82 % and 94 % of the topics; without offsets
for 68 % and 85 %.

**One broken month.** In one month in the middle of `hf_daily`, each paper of every second topic is
lost with a probability of {BROKEN:.0%}, and nothing says so. Only periods that start four months
later or more are compared.
"""


def evaluate(evidence: Evidence, seed: int = 0) -> Part:
    """Return the share of new verdicts after each alteration."""
    rng = np.random.default_rng([seed, 11])
    rows = _mix_shifts(evidence.counts) + _daily(evidence.counts, rng)
    if not rows:
        return Part("Robustness", METHOD, skipped="there are too few periods to alter.")
    table = pl.DataFrame(rows)
    return Part(
        "Robustness",
        METHOD,
        [
            criterion
            for (name,), part in table.group_by(["alteration"], maintain_order=True)
            for criterion in _criteria(str(name), part)
        ],
        [Table("New verdicts on altered counts", table)],
    )


def _criteria(name: str, rows: pl.DataFrame) -> list[Criterion]:
    calls = int(rows["called"].sum())
    return [
        Criterion(
            f"At most {MAX_FALSE:.0%} of verdicts are {kind}: {name}",
            f"{int(rows[kind].sum())} of {calls}",
            int(rows[kind].sum()) <= MAX_FALSE * calls,
            is_binding=False,
        )
        for kind in ("false", "new")
    ]


def _mix_shifts(counts: pl.DataFrame) -> list[dict[str, object]]:
    names = ["arxiv", *CATEGORY_WEIGHTS]
    own = counts.filter(pl.col("population").is_in(names), pl.col("grain") == "month")
    usable = own.filter(~pl.col("is_partial"), population="arxiv")
    months = usable["period_start_on"].unique().sort()
    if months.len() < 6:
        return []
    middle = months[months.len() // 2]
    before = judge(own).filter(population="arxiv")
    rows = []
    for category in list(CATEGORY_WEIGHTS)[:N_CATEGORIES]:
        lost = own.filter(population=category)
        if lost.is_empty():
            continue
        for half, is_lost in (
            ("second half", pl.col("period_start_on") >= middle),
            ("first half", pl.col("period_start_on") < middle),
        ):
            altered = _without(own, lost.filter(is_lost))
            after = judge(altered).filter(population="arxiv")
            rows += _compare(before, after, "mix shift", f"no {category}, {half}")
    return rows


def _without(own: pl.DataFrame, lost: pl.DataFrame) -> pl.DataFrame:
    """The counts without these rows of a category, also in `arxiv`."""
    gone = lost.select(*KEYS, "n_papers", "n_total").with_columns(population=pl.lit("arxiv"))
    kept = own.join(lost.select(KEYS), on=KEYS, how="anti") if lost.height else own
    altered = kept.join(gone, on=KEYS, how="left", suffix="_lost").with_columns(
        *(
            (pl.col(name) - pl.col(f"{name}_lost").fill_null(0)).clip(0).alias(name)
            for name in ("n_papers", "n_total")
        )
    )
    return altered.with_columns(
        n_papers=pl.min_horizontal("n_papers", "n_total")
    ).select(own.columns)  # fmt: skip


def _daily(counts: pl.DataFrame, rng: np.random.Generator) -> list[dict[str, object]]:
    own = counts.filter(population="hf_daily", grain="week").sort(KEYS)
    weeks = own["period_start_on"].unique().sort()
    if weeks.len() < 52:
        return []
    before = judge(own)
    rows = []
    middle = weeks[weeks.len() // 2]
    for number in range(N_REPLAYS):
        after = judge(_in_part(own, pl.col("period_start_on") >= middle, rng))
        rows += _compare(before, after, "capture regime", f"replay {number + 1}")
    month = pl.col("period_start_on").dt.truncate("1mo") == middle.replace(day=1)
    is_half = pl.col("series_id").rank("dense") % 2 == 0
    kept = pl.Series(rng.binomial(own["n_papers"].to_numpy(), 1 - BROKEN))
    broken = own.with_columns(n_papers=pl.when(month & is_half).then(kept).otherwise("n_papers"))
    later = pl.col("period_start_on").dt.offset_by("-4mo") >= middle
    rows += _compare(before.filter(later), judge(broken).filter(later), "one broken month", "")
    return rows


def _in_part(own: pl.DataFrame, is_part: pl.Expr, rng: np.random.Generator) -> pl.DataFrame:
    """The counts with some weeks captured in part."""
    series = own["series_id"].unique().sort()
    offset = pl.DataFrame(
        {"series_id": series, "offset": rng.normal(0, np.sqrt(REGIME_VARIANCE), series.len())}
    )
    joined = own.join(offset, on="series_id", how="left", maintain_order="left")
    total = np.round(own["n_total"].to_numpy() * LISTED_PART).astype(np.int64)
    share = (joined["n_papers"] / pl.Series(np.maximum(own["n_total"].to_numpy(), 1))).to_numpy()
    odds = share / np.maximum(1 - share, 1e-9) * np.exp(joined["offset"].to_numpy())
    # A sample without replacement varies less than a binomial one of the same size.
    spread = np.sqrt(1 - LISTED_PART)
    expected = total * odds / (1 + odds)
    drawn = rng.binomial(total, np.clip(odds / (1 + odds), 0, 1))
    papers = np.round(expected + spread * (drawn - expected)).astype(np.int64)
    part = own.with_columns(
        n_total=pl.Series(total),
        n_papers=pl.Series(np.clip(papers, 0, total)),
        complete_share=pl.lit(0.0),
    )
    return pl.concat([own.filter(~is_part), part.filter(is_part)])


def _compare(
    before: pl.DataFrame, after: pl.DataFrame, name: str, detail: str
) -> list[dict[str, object]]:
    rows = []
    for horizon in HORIZONS:
        column = f"{horizon}_verdict"
        growth = pl.col(f"{horizon}_growth")
        both = after.select(*KEYS, growth.alias("growth"), verdict=column).join(
            before.select(*KEYS, growth.alias("growth before"), was=column), on=KEYS, how="left"
        )
        called = both.filter(pl.col("verdict").is_in(["rising", "falling"]))
        new = called.filter(~pl.col("was").str.ends_with(pl.col("verdict")))
        false = called.filter(pl.col("growth").sign() == -pl.col("growth before").sign())
        n_before = before.filter(pl.col(column).is_in(["rising", "falling"])).height
        if n_before or called.height:
            rows.append(
                {
                    "alteration": name,
                    "detail": detail,
                    "horizon": horizon.replace("_", "-"),
                    "called before": n_before,
                    "called": called.height,
                    "false": false.height,
                    "new": new.height,
                }
            )
    return rows
