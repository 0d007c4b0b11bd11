"""The questions that a candidate must answer before people read it.

Belongs here: questions that need the candidate and the current snapshot together, or that one
table's rule can't ask; each answers with findings and figures. Does not: rules of rows and tables
(dbt), and stopping anything (the asset checks do).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from pipelines.audit.findings import Answer, Finding, Pair

# A day's list shows new papers: on the 404 days of the archive that can be judged at least three
# quarters of them were published in the two weeks before; on a search page hardly any.
NEAR_DAYS = (-1, 14)
MIN_NEAR_SHARE = 0.5
MIN_DATED = 5
FAR_DAYS = 60
# A list varies much: the logarithm of a day's papers strays by 0.4 around the ten days before it.
# Of 95 complete days of the archive with enough days before them these bounds stop two (a holiday's
# neighbour among them); with half of the papers taken away 44 of the 95 are stopped, with two
# thirds 79. A bound on the same weekday alone (0.4) stops one of the 95, but only 18 of the halves.
RECENT_LOW, WEEKDAY_LOW, HIGH = 0.5, 0.8, 3.0
DAYS_BACK, MIN_DAYS = 10, 5
WEEKDAYS_BACK, MIN_WEEKDAYS = 8, 4
CONFIRMED_AFTER_HOURS = 12
MAX_PAPERS_LOST = 0.01
MAX_AGE_WEEKDAYS = 3
MAY_BE_EMPTY = ("rpt_quarantine", "rpt_title_matches")
MAX_NAMED = 5


# A search page as a day


def listed_papers_are_recent(pair: Pair) -> Answer:
    """A day that is new or has changed shows papers of its time, as a day's list does."""
    low, high = NEAR_DAYS
    judged = pair.rows(
        f"""
        with old_listings as (
            select paper_id, listed_on from earlier.marts.fct_listings
            where population = 'hf_daily'
        ),

        new_listings as (
            select paper_id, listed_on from candidate.marts.fct_listings
            where population = 'hf_daily'
        ),

        changed as (
            (from new_listings except from old_listings)
            union all
            (from old_listings except from new_listings)
        ),

        dated as (
            select
                new_listings.listed_on,
                date_diff('day', papers.published_on, new_listings.listed_on) as age_days
            from new_listings
            inner join candidate.marts.dim_papers as papers using (paper_id)
            where papers.published_on_precision = 'day'
                and new_listings.listed_on in (select listed_on from changed)
        )

        select
            listed_on,
            count(*) as n_dated,
            count(*) filter (where age_days between {low} and {high}) as n_near,
            count(*) filter (where abs(age_days) <= {FAR_DAYS}) as n_not_far
        from dated
        group by listed_on
        order by listed_on
        """
    )
    findings = tuple(
        _not_a_day(pair, day, dated, near)
        for day, dated, near, not_far in judged
        if (near < MIN_NEAR_SHARE * dated if dated >= MIN_DATED else not not_far)
    )
    return Answer(findings, {"n_days_judged": len(judged), "n_days_refused": len(findings)})


def _not_a_day(pair: Pair, day: date, n_dated: int, n_near: int) -> Finding:
    origins = _origins(pair, day)
    origin = origins[0] if origins else "the file"
    return Finding(
        "listed_papers_are_recent",
        "error",
        day.isoformat(),
        f"{_listed(origins)} put{'s' if len(origins) == 1 else ''} {n_dated} dated papers on the "
        f"daily list of {day}, and only {n_near} of them {_were(n_near)} published from "
        f"{NEAR_DAYS[1]} days before it to {-NEAR_DAYS[0]} day after: a search page looks so, a "
        "day's list does not.",
        f"If it is one, run `papertide ingest PATH --kind search` with the path of {origin} and "
        f"build again; if the list is right, `papertide accept {day} --why "
        "TEXT`.",
    )


def _origins(pair: Pair, day: date) -> list[str]:
    """Names of the captures that make the day; those that came or changed now, where there are."""
    found = pair.rows(
        """
        select captures.origin, before.capture_id is null as is_new
        from candidate.marts.rpt_capture_reconciliation as captures
        left join earlier.marts.rpt_capture_reconciliation as before
            on captures.capture_id = before.capture_id
            and captures.listing_kind = before.listing_kind
            and captures.listed_on is not distinct from before.listed_on
        where captures.listing_kind = 'daily' and captures.listed_on = $day
        order by captures.captured_at desc, captures.capture_id
        """,
        day=day,
    )
    return [o for o, is_new in found if is_new] or [o for o, _ in found]


# Less replaces more


def no_day_shrinks(pair: Pair) -> Answer:
    """No day has fewer papers than people see now, but where a user said how to read its captures.

    A paper that was listed by its title alone and has since been found under its id is not lost.
    """
    shrunk = pair.rows(
        """
        with merged as (
            select old.population, old.listed_on, count(distinct old.paper_id) as n_merged
            from earlier.marts.fct_listings as old
            inner join earlier.marts.dim_papers as papers using (paper_id)
            inner join candidate.marts.rpt_title_matches as matches
                on papers.title = matches.title and matches.paper_id <> old.paper_id
            inner join candidate.marts.fct_listings as new
                on matches.paper_id = new.paper_id and old.population = new.population
                and old.listed_on = new.listed_on
            where old.paper_id not in (select paper_id from candidate.marts.dim_papers)
            group by old.population, old.listed_on
        ),

        before as (
            select population, listed_on, count(*) as n_listings
            from earlier.marts.fct_listings
            group by population, listed_on
        ),

        now as (
            select population, listed_on, count(*) as n_listings
            from candidate.marts.fct_listings
            group by population, listed_on
        ),

        reread as (
            select distinct was.listed_on
            from earlier.marts.rpt_capture_reconciliation as was
            inner join candidate.marts.rpt_capture_reconciliation as is_now using (capture_id)
            where was.overrides <> is_now.overrides
                and (was.listing_kind, was.listed_on) is distinct from
                    (is_now.listing_kind, is_now.listed_on)
        )

        select
            before.population,
            before.listed_on,
            before.n_listings,
            coalesce(now.n_listings, 0) as n_now,
            before.listed_on in (select listed_on from reread where listed_on is not null)
                as is_wanted
        from before
        left join now using (population, listed_on)
        left join merged using (population, listed_on)
        where coalesce(now.n_listings, 0) + coalesce(merged.n_merged, 0) < before.n_listings
        order by before.listed_on, before.population
        """
    )
    findings = tuple(
        Finding(
            "no_day_shrinks",
            "error",
            day.isoformat(),
            f"{population} on {day} would have {n_now} papers; readers see {n_before} now"
            f"{_missing_captures(pair, day)}.",
            "Less must not replace more: bring the captures of that day back (ingest their files "
            f"again), or, if it is right, run `papertide accept {day} --why TEXT`.",
        )
        for population, day, n_before, n_now, is_wanted in shrunk
        if not is_wanted
    )
    n_wanted = len(shrunk) - len(findings)
    return Answer(
        findings, {"n_days_smaller": len(findings), "n_days_smaller_by_override": n_wanted}
    )


def _missing_captures(pair: Pair, day: date) -> str:
    gone = pair.rows(
        """
        select origin from earlier.marts.rpt_capture_reconciliation
        where listed_on = $day
            and capture_id not in (
                select capture_id from candidate.marts.rpt_capture_reconciliation
            )
        order by origin
        """,
        day=day,
    )
    return f" ({_listed([o for (o,) in gone])} is no longer among the captures)" if gone else ""


def papers_stay(pair: Pair) -> Answer:
    """The number of papers does not fall by more than 1 %."""
    before, now = _count(pair, "earlier", "dim_papers"), _count(pair, "candidate", "dim_papers")
    figures = {"n_papers_before": before, "n_papers": now}
    if now >= before * (1 - MAX_PAPERS_LOST):
        return Answer((), figures)
    finding = Finding(
        "papers_stay",
        "error",
        "dim_papers",
        f"dim_papers would have {now:,} papers; readers see {before:,} now.",
        "If captures were lost, bring them back; if it is right, run `papertide accept dim_papers "
        "--why TEXT`.",
    )
    return Answer((finding,), figures)


def no_mart_empties(pair: Pair) -> Answer:
    """No mart that has rows now would have none."""
    tables = pair.rows(
        "select table_name from duckdb_tables() where schema_name = 'marts' "
        "and database_name in ('candidate', 'earlier') "
        "group by table_name having count(*) = 2 order by table_name"
    )
    findings = tuple(
        Finding(
            "no_mart_empties",
            "error",
            mart,
            f"{mart} would have no rows; readers see {before:,} now.",
            f"Bring back what was lost; if it is right, run `papertide accept {mart} --why TEXT`.",
        )
        for (mart,) in tables
        if mart not in MAY_BE_EMPTY
        and (before := _count(pair, "earlier", mart))
        and not _count(pair, "candidate", mart)
    )
    return Answer(findings, {"n_marts": len(tables)})


def _count(pair: Pair, database: str, mart: str) -> int:
    return int(pair.rows(f'select count(*) from {database}.marts."{mart}"')[0][0])


# Volume


def day_volume_is_usual(pair: Pair) -> Answer:
    """A day that is complete now has about as many papers as the days before it had.

    Too few is at most half of the median of the last ten days and clearly below that of the same
    weekday. A list that the source showed twice with as many papers, half a day apart or more, is
    only worth a warning: the source means it.
    """
    judged = pair.rows(
        f"""
        with days as (
            select listed_on, n_papers, isodow(listed_on) as weekday
            from candidate.marts.rpt_coverage
            where population = 'hf_daily' and is_complete and isodow(listed_on) <= 5
        ),

        fresh as (
            from days
            where listed_on not in (
                select listed_on from earlier.marts.rpt_coverage
                where population = 'hf_daily' and is_complete
            )
        ),

        ranked as (
            select
                fresh.listed_on,
                fresh.n_papers,
                days.n_papers as n_then,
                fresh.weekday = days.weekday as is_same,
                row_number() over (
                    partition by fresh.listed_on order by days.listed_on desc
                ) as n_back,
                row_number() over (
                    partition by fresh.listed_on, fresh.weekday = days.weekday
                    order by days.listed_on desc
                ) as n_weekdays_back
            from fresh
            inner join days on days.listed_on < fresh.listed_on
        ),

        before as (
            select
                listed_on,
                n_papers,
                median(n_then) filter (where n_back <= {DAYS_BACK}) as recent,
                median(n_then) filter (where is_same and n_weekdays_back <= {WEEKDAYS_BACK})
                    as same_weekday,
                max(n_then) filter (where n_back <= {DAYS_BACK} or is_same) as most
            from ranked
            group by listed_on, n_papers
            having count(*) filter (where n_back <= {DAYS_BACK}) >= {MIN_DAYS}
                and count(*) filter (where is_same) >= {MIN_WEEKDAYS}
        ),

        shown as (
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

        select listed_on, n_papers, recent, same_weekday, most, coalesce(is_confirmed, false)
        from before
        left join shown using (listed_on)
        order by listed_on
        """
    )
    findings = tuple(
        _unusual(pair, day, n, recent, usual, is_confirmed=is_confirmed)
        for day, n, recent, usual, most, is_confirmed in judged
        if (n <= RECENT_LOW * recent and n <= WEEKDAY_LOW * usual)
        or (n > HIGH * max(recent, usual) and n > most)
    )
    return Answer(findings, {"n_days_judged": len(judged), "n_days_unusual": len(findings)})


def _unusual(
    pair: Pair, day: date, n: int, recent: float, usual: float, *, is_confirmed: bool
) -> Finding:
    guess = (
        "half of the day or more seems to be missing"
        if n < recent
        else "other papers seem mixed in"
    )
    twice = " The source has shown it twice, with as many papers." if is_confirmed else ""
    return Finding(
        "day_volume_is_usual",
        "error" if pair.earlier and not is_confirmed else "warning",
        day.isoformat(),
        f"The daily list of {day} ({day:%A}) has {n} papers; the {DAYS_BACK} days before it had "
        f"{recent:g} at their middle, the same weekday {usual:g}: {guess}.{twice} Around holidays "
        "a list can be this short.",
        f"Fetch the day again (`papertide refresh --since {day} --until {day} --again`, half a day "
        f"later if it comes out the same), or, if it is right, run `papertide accept {day} --why "
        "TEXT`.",
    )


# What dbt does not hold, and what is only worth a word


def quarantine_rows_are_one(pair: Pair) -> Answer:
    """No item stands in quarantine twice; the keys of all other marts are checked by dbt."""
    twice = pair.rows(
        """
        select origin, place, reason, count(*) as n_rows
        from candidate.marts.rpt_quarantine
        group by capture_id, origin, place, reason, detail, excerpt
        having count(*) > 1
        order by origin, place
        """
    )
    findings = tuple(
        Finding(
            "quarantine_rows_are_one",
            "error",
            "rpt_quarantine",
            f"{origin}, {place}: {reason} stands {n} times in rpt_quarantine.",
            "Remove warehouse.duckdb from the home and build again.",
        )
        for origin, place, reason, n in twice[:MAX_NAMED]
    )
    return Answer(findings, {"n_rows_twice": len(twice)})


def coverage_goes_on(pair: Pair) -> Answer:
    """No weekday since the last publication went uncaptured."""
    missed = [
        day
        for (day,) in pair.rows(
            """
            select listed_on from candidate.marts.rpt_coverage
            where population = 'hf_daily' and is_expected and not is_captured
                and listed_on > (
                    select max(listed_on) from earlier.marts.rpt_coverage
                    where population = 'hf_daily' and is_captured
                )
            order by listed_on
            """
        )
    ]
    if not missed:
        return Answer((), {"n_weekdays_missed": 0})
    many = len(missed) > 1
    finding = Finding(
        "coverage_goes_on",
        "warning",
        missed[0].isoformat(),
        f"No capture shows the daily list{'s' if many else ''} of {_listed(map(str, missed))}.",
        f"Ingest {'them' if many else 'it'} if {'they exist' if many else 'it exists'}; until then "
        f"{'they count' if many else 'it counts'} as missing, not as empty.",
    )
    return Answer(
        (finding,), {"n_weekdays_missed": len(missed), "missed": _listed(map(str, missed))}
    )


def newest_day_is_recent(pair: Pair) -> Answer:
    """The newest complete day is at most three weekdays ago."""
    (newest,) = pair.rows(
        "select max(listed_on) from candidate.marts.rpt_coverage "
        "where population = 'hf_daily' and is_complete"
    )[0]
    if newest is None:
        return Answer((), {"newest_complete_day": "none"})
    age = weekdays_between(newest, pair.today)
    figures = {"newest_complete_day": newest.isoformat(), "age_weekdays": age}
    if age <= MAX_AGE_WEEKDAYS:
        return Answer((), figures)
    finding = Finding(
        "newest_day_is_recent",
        "warning",
        newest.isoformat(),
        f"The newest complete daily list is of {newest}, {age:,} weekdays ago.",
        "Take newer captures in.",
    )
    return Answer((finding,), figures)


def every_item_is_accounted_for(pair: Pair) -> Answer:
    """Items seen = accepted + quarantined, over all captures."""
    n, seen, kept, aside = pair.rows(
        "select count(*), coalesce(sum(n_seen), 0)::bigint, coalesce(sum(n_accepted), 0)::bigint, "
        "coalesce(sum(n_quarantined), 0)::bigint from candidate.marts.rpt_capture_reconciliation"
    )[0]
    figures = {"n_captures": n, "n_seen": seen, "n_accepted": kept, "n_quarantined": aside}
    if seen == kept + aside:
        return Answer((), figures)
    finding = Finding(
        "every_item_is_accounted_for",
        "error",
        "rpt_capture_reconciliation",
        f"{seen:,} items were seen, but {kept:,} accepted + {aside:,} quarantined are "
        f"{kept + aside:,}.",
        "Remove the folder lake/ from the home, ingest any file again and build.",
    )
    return Answer((finding,), figures)


def weekdays_between(first: date, last: date) -> int:
    """Weekdays after the first day up to the last one."""
    days = (first + timedelta(days=n) for n in range(1, (last - first).days + 1))
    return sum(day.isoweekday() <= 5 for day in days)


def _listed(names: Iterator[str] | Sequence[str]) -> str:
    """A few names, and how many more there are."""
    all_names = list(names)
    more = len(all_names) - MAX_NAMED
    shown = ", ".join(all_names[:MAX_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown or "no capture"


def _were(n: int) -> str:
    return "was" if n == 1 else "were"
