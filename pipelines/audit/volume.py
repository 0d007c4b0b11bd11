"""The rule that a complete day has a usual number of papers: detects partial and mixed lists."""

from __future__ import annotations

from datetime import date

from pipelines.audit.findings import Comparison, Finding, Outcome

# The number of papers varies: its logarithm has a standard deviation of 0.4 around the ten days
# before. Of 95 complete days of the archive with enough history these bounds stop two (one of them
# next to a holiday); with half of the papers removed they stop 44, with two thirds removed 79. A
# bound on the same weekday alone (0.4) stops one of the 95, but only 18 with half removed.
RECENT_LOW, WEEKDAY_LOW, HIGH = 0.5, 0.8, 3.0
DAYS_BACK, MIN_DAYS = 10, 5
WEEKDAYS_BACK, MIN_WEEKDAYS = 8, 4
CONFIRMED_AFTER_HOURS = 12
FETCHED_AGAIN_DAYS = 14  # a refresh observes a list again for a week

# `is_confirmed`: two captures of the day, at least `CONFIRMED_AFTER_HOURS` apart, show this number.
_NEW_COMPLETE_DAYS = f"""
    with days as (
        select listed_on, n_papers, isodow(listed_on) as weekday
        from candidate.marts.rpt_coverage
        where population = 'hf_daily' and is_complete and isodow(listed_on) <= 5
    ),

    new_days as (
        from days
        where listed_on not in (
            select listed_on from published.marts.rpt_coverage
            where population = 'hf_daily' and is_complete
        )
    ),

    ranked as (
        select
            new_days.listed_on,
            new_days.n_papers,
            days.n_papers as n_then,
            new_days.weekday = days.weekday as is_same,
            row_number() over (
                partition by new_days.listed_on order by days.listed_on desc
            ) as n_back,
            row_number() over (
                partition by new_days.listed_on, new_days.weekday = days.weekday
                order by days.listed_on desc
            ) as n_weekdays_back
        from new_days
        inner join days on days.listed_on < new_days.listed_on
    ),

    before as (
        select
            listed_on,
            n_papers,
            median(n_then) filter (where n_back <= {DAYS_BACK}) as recent,
            median(n_then) filter (where is_same and n_weekdays_back <= {WEEKDAYS_BACK})
                as same_weekday,
            max(n_then) filter (where n_back <= {DAYS_BACK} or is_same) as highest
        from ranked
        group by listed_on, n_papers
        having count(*) filter (where n_back <= {DAYS_BACK}) >= {MIN_DAYS}
            and count(*) filter (where is_same) >= {MIN_WEEKDAYS}
    ),

    captured as (
        select
            captures.listed_on,
            max(captures.captured_at) - min(captures.captured_at)
                >= interval {CONFIRMED_AFTER_HOURS} hours as is_confirmed
        from candidate.marts.rpt_capture_reconciliation as captures
        inner join before using (listed_on)
        where captures.listing_kind = 'daily' and captures.n_accepted = before.n_papers
            and captures.captured_at >= captures.listed_on + interval 1 day
        group by captures.listed_on
    )

    select listed_on, n_papers, recent, same_weekday, highest, coalesce(is_confirmed, false)
    from before
    left join captured using (listed_on)
    order by listed_on
"""


def day_volume_is_usual(comparison: Comparison) -> Outcome:
    """A newly complete day has about as many papers as the days before it.

    Too few: at most half of the median of the ten days before, and clearly below the median of the
    same weekday. A confirmed number, and a day of more than `FETCHED_AGAIN_DAYS` days ago, are
    warnings only.
    """
    judged = comparison.rows(_NEW_COMPLETE_DAYS)
    findings = tuple(
        _unusual_day(comparison, day, n, recent, same_weekday, is_confirmed=is_confirmed)
        for day, n, recent, same_weekday, highest, is_confirmed in judged
        if (n <= RECENT_LOW * recent and n <= WEEKDAY_LOW * same_weekday)
        or (n > HIGH * max(recent, same_weekday) and n > highest)
    )
    return Outcome(findings, {"n_days_judged": len(judged), "n_days_unusual": len(findings)})


def _unusual_day(
    comparison: Comparison,
    day: date,
    n: int,
    recent: float,
    same_weekday: float,
    *,
    is_confirmed: bool,
) -> Finding:
    suspicion = (
        "Half of the list or more may be missing."
        if n < recent
        else "The list may contain other papers."
    )
    # Nobody fetches an older day again. Whether its captures arrived in one build or in two must
    # not decide whether they are accepted.
    can_be_fetched = (comparison.today - day).days <= FETCHED_AGAIN_DAYS
    is_error = comparison.snapshot and can_be_fetched and not is_confirmed
    confirmed = " The source has shown this number twice." if is_confirmed else ""
    return Finding(
        "day_volume_is_usual",
        "error" if is_error else "warning",
        day.isoformat(),
        f"The daily list of {day} ({day:%A}) has {n} papers. The median of the {DAYS_BACK} days "
        f"before is {recent:g}, of the same weekday {same_weekday:g}. {suspicion}{confirmed} Lists "
        "are often short around holidays.",
        f"Fetch the day again (`papertide refresh --since {day} --until {day} --again`); if the "
        "result is the same, fetch it once more half a day later. If the list is right, run "
        f"`papertide accept {day} --why TEXT`.",
    )
