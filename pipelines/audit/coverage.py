"""Rules about coverage, which only warn: missed weekdays, and how recent the newest day is."""

from __future__ import annotations

from pipelines.audit.findings import Comparison, Finding, Outcome, name_list
from pipelines.publishing.status import MAX_AGE_WEEKDAYS, weekdays_between

_MISSED_WEEKDAYS = """
    select listed_on from candidate.marts.rpt_coverage
    where population = 'hf_daily' and is_expected and not is_captured
        and listed_on > (
            select max(listed_on) from published.marts.rpt_coverage
            where population = 'hf_daily' and is_captured
        )
    order by listed_on
"""

_NEWEST_COMPLETE_DAY = """
    select max(listed_on)
    from candidate.marts.rpt_coverage
    where population = 'hf_daily' and is_complete
"""


def no_weekday_is_missed(comparison: Comparison) -> Outcome:
    """Every weekday since the last publication has a capture."""
    missed = [day for (day,) in comparison.rows(_MISSED_WEEKDAYS)]
    if not missed:
        return Outcome((), {"n_weekdays_missed": 0})
    days = name_list(missed)
    is_one = len(missed) == 1
    finding = Finding(
        "no_weekday_is_missed",
        "warning",
        missed[0].isoformat(),
        f"No capture contains the daily list{'' if is_one else 's'} of {days}.",
        f"Ingest {'it' if is_one else 'them'} if available. Until then "
        f"{'the day counts' if is_one else 'the days count'} as missing, not as empty.",
    )
    return Outcome((finding,), {"n_weekdays_missed": len(missed), "missed": days})


def newest_day_is_recent(comparison: Comparison) -> Outcome:
    """The newest complete day is at most three weekdays ago."""
    (newest,) = comparison.rows(_NEWEST_COMPLETE_DAY)[0]
    if newest is None:
        return Outcome((), {"newest_complete_day": "none"})
    age = weekdays_between(newest, comparison.today)
    figures = {"newest_complete_day": newest.isoformat(), "age_weekdays": age}
    if age <= MAX_AGE_WEEKDAYS:
        return Outcome((), figures)
    finding = Finding(
        "newest_day_is_recent",
        "warning",
        newest.isoformat(),
        f"The newest complete daily list is for {newest}, {age:,} weekdays ago.",
        "Run `papertide refresh`, or ingest newer captures.",
    )
    return Outcome((finding,), figures)
