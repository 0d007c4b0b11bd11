"""Discovered topics over time: births, ends and ids through a history of fits.

Belongs here: fits of successive quarters, their events, ids after a refit without time passing.
Does not belong here: quality and stability of one fit (`discovered.py`), the events themselves
(`pipelines/topics/lineage.py`).
"""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import polars as pl

from pipelines.evaluation.report import Criterion
from pipelines.topics.discovered import by_hash, fit
from pipelines.topics.fitting import FIT_PAPERS
from pipelines.topics.lineage import MIN_LIKENESS, MIN_ORIGIN_SIMILARITY
from pipelines.topics.topic_model import Fit

MONTHS: Final = (1, 4, 7, 10)
MAX_FITS: Final = 6
TENTHS: Final = 3
KEPT: Final = 0.95
"""Least share of ids that a refit to nine tenths of the papers keeps."""

METHOD: Final = f"""
*Topics over time*: a fit before each quarter, at most the last {MAX_FITS}, each from the previous
one, as in the warehouse but twice as often. *Continued*, *born*, *split*, *merged* and *died* are
the events of `rpt_topic_lineage`. *Likeness* and *similarity to birth* are the smallest of
continued topics; an id ends below {MIN_LIKENESS:g} and {MIN_ORIGIN_SIMILARITY:g}. *Kept* is the
share of ids that continue in a refit without a tenth of the papers, the median of {TENTHS}: no time
has passed, so every end is an error.
"""


def measure(papers: pl.DataFrame, min_papers: int, seed: int = 0) -> pl.DataFrame:
    """Return one row per quarter: topics, events, smallest likeness, and the share of ids kept.

    `papers` has paper_id, title, abstract, keywords and published_on. Fewer than two quarters that
    `min_papers` papers precede give no rows.
    """
    dated = papers.drop_nulls("published_on")
    ranked = dated[by_hash(dated["paper_id"])]
    quarters = _quarters(ranked["published_on"], min_papers)
    rows = []
    previous: Fit | None = None
    for quarter in quarters if len(quarters) > 1 else []:
        sample = ranked.filter(pl.col("published_on") < quarter).head(FIT_PAPERS)
        before = (previous.model, previous.assignments) if previous else None
        found = fit(sample, previous=before, seed=seed)
        rows.append(
            {"before": quarter, "papers": sample.height, **_events(found, is_first=before is None)}
        )
        rows[-1]["kept"] = float(
            np.median([_kept(found, sample, at, seed) for at in range(TENTHS)])
        )
        previous = found
    return pl.DataFrame(rows, infer_schema_length=None)


def criteria(measured: pl.DataFrame) -> list[Criterion]:
    """Return what topics over time should fulfil; nothing for a table without rows."""
    if measured.is_empty():
        return []
    events = measured.slice(1)
    n_new, n_ended = (
        sum(int(n) for name in names for n in events[name])
        for names in (("born", "split"), ("died", "merged"))
    )
    least = min(float(share) for share in measured["kept"])
    return [
        Criterion(
            "Discovered topics begin and end as the papers change",
            f"{n_new} began and {n_ended} ended in {events.height} refits",
            n_new > 0 and n_ended > 0,
            is_binding=False,
        ),
        Criterion(
            f"A refit without time passing keeps at least {KEPT:.0%} of the ids",
            f"{least:.1%} in the worst of {measured.height} quarters",
            least >= KEPT,
            is_binding=False,
        ),
    ]


def _quarters(published: pl.Series, min_papers: int) -> list[date]:
    """The first days of the last quarters that enough papers precede and any follow."""
    days = published.sort()
    if days.is_empty():
        return []
    firsts = [
        date(year, month, 1) for year in range(days[0].year, days[-1].year + 2) for month in MONTHS
    ]
    last = next(first for first in firsts if first > days[-1])
    used = [on for on in firsts if on <= last and int((days < on).sum()) >= min_papers]
    return used[-MAX_FITS:]


def _events(found: Fit, *, is_first: bool) -> dict[str, object]:
    """Numbers of events, and the smallest measures of continued topics."""
    lineage = found.lineage
    counted = dict(lineage["event"].value_counts().iter_rows())
    continued = lineage.filter(event="continued")
    n_topics = found.topics.height
    return {
        "topics": n_topics,
        "continued": counted.get("continued", 0),
        "born": n_topics if is_first else counted.get("born", 0),
        **{name: counted.get(name, 0) for name in ("split", "merged", "died")},
        "likeness": continued["likeness"].min(),
        "similarity to birth": continued["origin_similarity"].min(),
    }


def _kept(found: Fit, sample: pl.DataFrame, at: int, seed: int) -> float:
    """The share of ids that continue without every tenth paper."""
    less = sample[np.delete(np.arange(sample.height), slice(at, None, 10))]
    again = fit(less, previous=(found.model, found.assignments), seed=seed)
    n_kept = again.lineage.filter(event="continued").height
    return n_kept / max(found.topics.height, 1)
