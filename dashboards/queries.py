"""SQL → frame: everything the pages read, from the marts of the current snapshot.

Belongs here: queries (values bound by name, never pasted) and their small cache. Does not:
statistics (the marts hold them), figures or formatting.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from dashboards.state import Choices, Period, TopicChoice, View, span
from pipelines.publishing.reader import Reader

CACHE_SIZE = 256
MAX_DOWNLOAD = 5_000


class Queries:
    """Reads of the current snapshot, remembered per snapshot.

    Every method returns a fresh answer once a new snapshot is published. Raises NoSnapshotError
    while nothing is.
    """

    def __init__(self, reader: Reader, *, cache_size: int = CACHE_SIZE) -> None:
        self._reader = reader
        self._size = cache_size
        self._lock = threading.Lock()
        self._cache: OrderedDict[tuple[Any, ...], pl.DataFrame] = OrderedDict()

    def snapshot_id(self) -> str:
        """The snapshot that the next query reads."""
        return self._reader.snapshot().snapshot_id

    def frame(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """The rows of a query. An answer is kept only when the snapshot stayed the same."""
        bound = dict(parameters or {})
        before = self.snapshot_id()
        key = (before, sql, tuple((name, _frozen(bound[name])) for name in sorted(bound)))
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        answer = self._reader.query(sql, bound)
        if self.snapshot_id() == before:
            with self._lock:
                self._cache[key] = answer
                while len(self._cache) > self._size:
                    self._cache.popitem(last=False)
        return answer

    def choices(self) -> Choices:
        """Periods by population and grain, and topics."""
        periods: dict[tuple[str, str], list[Period]] = {}
        for row in self.frame(_PERIODS).iter_rows(named=True):
            periods.setdefault((row["population"], row["grain"]), []).append(
                Period(
                    row["period_start_on"],
                    row["period_end_on"],
                    row["n_total"],
                    row["is_partial"],
                    row["is_sufficient"],
                )
            )
        topics = tuple(
            TopicChoice(row["topic_id"], row["name"], row["area"])
            for row in self.frame(_TOPICS).iter_rows(named=True)
        )
        return Choices({key: tuple(value) for key, value in periods.items()}, topics)

    def snapshot_facts(self) -> dict[str, Any]:
        """snapshot_id, published_at, n_papers, n_authors, n_captures, last_captured_at."""
        return self.frame(_FACTS).row(0, named=True)

    def coverage_totals(self) -> pl.DataFrame:
        """Per population: first_on, last_on, n_expected, n_captured, n_complete, n_not_told."""
        return self.frame(_COVERAGE_TOTALS)

    def coverage(self, population: str) -> pl.DataFrame:
        """rpt_coverage of a population, by day."""
        return self.frame(_COVERAGE, {"population": population})

    def topic_shares(self, view: View) -> pl.DataFrame:
        """rpt_topic_trends of the chosen period, largest share first; without the bucket."""
        return self.frame(
            _TOPIC_SHARES,
            {
                "population": view.population,
                "grain": view.grain,
                "period": view.period.start if view.period else None,
                "area": view.area,
            },
        )

    def topic_history(self, view: View, topics: Sequence[str]) -> pl.DataFrame:
        """rpt_topic_trends of some topics from `from` to `to`, by topic and period."""
        shown = span(view)
        return self.frame(
            _TOPIC_HISTORY,
            {
                "population": view.population,
                "grain": view.grain,
                "topics": list(topics),
                "first": shown[0].start if shown else None,
                "last": shown[-1].start if shown else None,
            },
        )

    def share_differences(self, view: View) -> pl.DataFrame:
        """Per topic: share in the chosen and the previous complete period, and the difference.

        The difference has a 95 % interval (Newcombe 1998, method 10); the largest comes first.
        """
        return self.frame(
            _DIFFERENCES,
            {
                "population": view.population,
                "grain": view.grain,
                "now": view.period.start if view.period else None,
                "before": view.previous.start if view.previous else None,
            },
        )

    def author_counts(self, view: View, topic: str) -> pl.DataFrame:
        """rpt_author_counts of a topic (or `all`) from `from` to `to`, by period."""
        shown = span(view)
        return self.frame(
            _AUTHOR_COUNTS,
            {
                "population": view.population,
                "grain": view.grain,
                "topic": topic,
                "first": shown[0].start if shown else None,
                "last": shown[-1].start if shown else None,
            },
        )

    def author_counts_at(self, view: View, periods: Sequence[date]) -> pl.DataFrame:
        """rpt_author_counts of the whole population in some periods."""
        return self.frame(
            _AUTHOR_COUNTS_AT,
            {"population": view.population, "grain": view.grain, "periods": list(periods)},
        )

    def author_counts_by_topic(self, view: View) -> pl.DataFrame:
        """rpt_author_counts of every topic in the chosen period, with names, largest n first."""
        return self.frame(
            _AUTHOR_COUNTS_BY_TOPIC,
            {
                "population": view.population,
                "grain": view.grain,
                "period": view.period.start if view.period else None,
                "area": view.area,
            },
        )

    def author_distribution(self, view: View, topic: str) -> pl.DataFrame:
        """rpt_author_count_distribution of the chosen period, smallest counts first."""
        return self.frame(
            _AUTHOR_DISTRIBUTION,
            {
                "population": view.population,
                "grain": view.grain,
                "period": view.period.start if view.period else None,
                "topic": topic,
            },
        )

    def last_listing(self, population: str) -> pl.DataFrame:
        """The papers of the population's last listing day (at most 40), in the list's order."""
        return self.frame(_LAST_LISTING, {"population": population})

    def papers(self, view: View) -> pl.DataFrame:
        """A page of the papers that the view's filters leave."""
        filters, bound = _paper_filters(view)
        order = _ORDERS[view.sort]
        bound |= {"limit": view.page_size, "offset": (view.page - 1) * view.page_size}
        sql = _PAPERS.format(
            filters=filters, inner=order.format("counted"), outer=order.format("found")
        )
        return self.frame(sql, bound)

    def n_papers(self, view: View) -> int:
        """How many papers the view's filters leave."""
        filters, bound = _paper_filters(view)
        return int(self.frame(_N_PAPERS.format(filters=filters), bound).item())

    def newest_by_topic(self, population: str, limit: int) -> pl.DataFrame:
        """The newest papers of every topic, by topic; `n_found` counts all of the topic."""
        return self.frame(_NEWEST_BY_TOPIC, {"population": population, "limit": limit})

    def topics_of(self, paper_ids: Sequence[str]) -> pl.DataFrame:
        """Topics of some papers with score and evidence, best first."""
        return self.frame(_TOPICS_OF, {"papers": list(paper_ids)})

    def reconciliation(self) -> pl.DataFrame:
        """Per source and listing kind: n_captures, n_seen, n_accepted, n_quarantined."""
        return self.frame(_RECONCILIATION)

    def captures(self) -> pl.DataFrame:
        """rpt_capture_reconciliation, newest first."""
        return self.frame(_CAPTURES)

    def quarantine_reasons(self) -> pl.DataFrame:
        """Per source and reason: n_captures, n_items."""
        return self.frame(_QUARANTINE_REASONS)

    def quarantine(self) -> pl.DataFrame:
        """rpt_quarantine (at most 5,000 rows)."""
        return self.frame(_QUARANTINE)

    def title_outcomes(self) -> pl.DataFrame:
        """Per outcome of title matching: n_titles."""
        return self.frame(_TITLE_OUTCOMES)

    def title_matches(self) -> pl.DataFrame:
        """rpt_title_matches (at most 5,000 rows), matches first."""
        return self.frame(_TITLE_MATCHES)


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _paper_filters(view: View) -> tuple[str, dict[str, Any]]:
    """Conditions on `counted` and `paper`, and their values."""
    conditions = ["counted.population = $population"]
    bound: dict[str, Any] = {"population": view.population}
    if view.has_period and view.period:
        conditions.append("counted.counted_on between $first and $last")
        bound |= {"first": view.period.start, "last": view.period.end}
        if view.grain == "week":
            conditions.append("counted.date_precision = 'day'")
    if view.topic:
        conditions.append(
            "counted.paper_id in (select t.paper_id from bridge_paper_topics as t "
            "where t.topic_id = $topic)"
        )
        bound["topic"] = view.topic
    elif view.area:
        conditions.append(
            "counted.paper_id in (select t.paper_id from bridge_paper_topics as t "
            "join dim_topics as d on t.topic_id = d.topic_id where d.area = $area)"
        )
        bound["area"] = view.area
    if view.code:
        conditions.append("paper.github_url is not null")
    if view.q:
        conditions.append(
            "(contains(lower(paper.title), lower($q)) or counted.paper_id in ("
            "select b.paper_id from bridge_paper_authors as b where b.author_id in ("
            "select a.author_id from dim_authors as a "
            "where contains(lower(a.author_name), lower($q)))))"
        )
        bound["q"] = view.q
    return " and ".join(conditions), bound


_PERIODS = """
select
    population,
    grain,
    period_start_on,
    max(period_end_on) as period_end_on,
    max(n_total) as n_total,
    bool_or(is_partial) as is_partial,
    bool_and(is_sufficient) as is_sufficient
from rpt_topic_trends
group by population, grain, period_start_on
order by population, grain, period_start_on
"""

_TOPICS = """
select topic_id, name, area
from dim_topics
where kind <> 'none'
order by lower(name), topic_id
"""

_FACTS = """
select
    info.snapshot_id,
    info.published_at,
    (select count(*) from dim_papers) as n_papers,
    (select count(*) from dim_authors) as n_authors,
    (select count(*) from rpt_capture_reconciliation) as n_captures,
    (select max(captured_at) from rpt_capture_reconciliation) as last_captured_at
from main.snapshot_info as info
"""

_COVERAGE_TOTALS = """
select
    population,
    min(listed_on) as first_on,
    max(listed_on) as last_on,
    count(*) filter (where is_expected) as n_expected,
    count(*) filter (where is_expected and is_captured) as n_captured,
    count(*) filter (where is_complete) as n_complete,
    count(*) filter (where is_complete is null) as n_not_told
from rpt_coverage
group by population
order by population desc
"""

_COVERAGE = """
select
    population, listed_on, is_expected, is_captured, is_complete, n_captures, n_papers,
    last_captured_at
from rpt_coverage
where population = $population
order by listed_on
"""

_TOPIC_SHARES = """
select
    population, grain, period_start_on, period_end_on, topic_id, topic_name, area, n_papers,
    n_total, share, share_low, share_high, is_sufficient, is_partial
from rpt_topic_trends
where
    population = $population
    and grain = $grain
    and period_start_on = $period
    and ($area is null or area = $area)
order by share desc, topic_name
"""

_TOPIC_HISTORY = """
select
    population, grain, period_start_on, period_end_on, topic_id, topic_name, area, n_papers,
    n_total, share, share_low, share_high, is_sufficient, is_partial, coverage_share
from rpt_topic_trends
where
    population = $population
    and grain = $grain
    and topic_id in (select unnest($topics))
    and period_start_on between $first and $last
order by topic_id, period_start_on
"""

_DIFFERENCES = """
with

now as (
    select *
    from rpt_topic_trends
    where population = $population and grain = $grain and period_start_on = $now
),

before as (
    select *
    from rpt_topic_trends
    where population = $population and grain = $grain and period_start_on = $before
)

select
    now.population,
    now.grain,
    before.period_start_on as before_start_on,
    now.period_start_on,
    now.topic_id,
    now.topic_name,
    now.area,
    before.n_papers as before_n_papers,
    before.n_total as before_n_total,
    before.share as before_share,
    now.n_papers,
    now.n_total,
    now.share,
    now.share - before.share as difference,
    now.share - before.share - sqrt(
        power(now.share - now.share_low, 2) + power(before.share_high - before.share, 2)
    ) as difference_low,
    now.share - before.share + sqrt(
        power(now.share_high - now.share, 2) + power(before.share - before.share_low, 2)
    ) as difference_high
from now
join before on now.topic_id = before.topic_id
where now.topic_id <> 'no-topic'
order by abs(now.share - before.share) desc, now.topic_name
"""

_AUTHOR_COLUMNS = """
    c.population, c.grain, c.period_start_on, c.period_end_on, c.topic_id, c.n_papers,
    c.median_authors, c.median_low, c.median_high, c.p90_authors, c.p90_low, c.p90_high,
    c.mean_authors, c.mean_low, c.mean_high, c.max_authors, c.n_solo, c.solo_share,
    c.solo_share_low, c.solo_share_high, c.n_ten_plus, c.ten_plus_share, c.ten_plus_share_low,
    c.ten_plus_share_high, c.is_sufficient, c.is_partial
"""

_AUTHOR_COUNTS = f"""
select {_AUTHOR_COLUMNS}
from rpt_author_counts as c
where
    c.population = $population
    and c.grain = $grain
    and c.topic_id = $topic
    and c.period_start_on between $first and $last
order by c.period_start_on
"""

_AUTHOR_COUNTS_AT = f"""
select {_AUTHOR_COLUMNS}
from rpt_author_counts as c
where
    c.population = $population
    and c.grain = $grain
    and c.topic_id = 'all'
    and c.period_start_on in (select unnest($periods))
order by c.period_start_on
"""

_AUTHOR_COUNTS_BY_TOPIC = f"""
select t.name as topic_name, t.area, {_AUTHOR_COLUMNS}
from rpt_author_counts as c
join dim_topics as t on c.topic_id = t.topic_id
where
    c.population = $population
    and c.grain = $grain
    and c.period_start_on = $period
    and t.kind <> 'none'
    and ($area is null or t.area = $area)
order by c.n_papers desc, t.name
"""

_AUTHOR_DISTRIBUTION = """
select
    population, grain, period_start_on, topic_id, bucket, bucket_order, n_papers, n_total, share,
    share_low, share_high, is_partial
from rpt_author_count_distribution
where
    population = $population
    and grain = $grain
    and period_start_on = $period
    and topic_id = $topic
order by bucket_order
"""

_PAPER_COLUMNS = """
    paper.paper_id, paper.arxiv_id, paper.title, paper.authors, paper.n_authors,
    paper.primary_category, paper.organization, paper.github_url, paper.project_url,
    paper.upvotes, paper.comments, paper.github_stars
"""

_LAST_LISTING = f"""
with

listed as (
    select paper_id, population, listed_on, rank
    from fct_listings
    where
        population = $population
        and listed_on = (
            select max(f.listed_on) from fct_listings as f where f.population = $population
        )
)

select
    listed.population, listed.listed_on as counted_on, 'day' as date_precision,
    count(*) over () as n_found, {_PAPER_COLUMNS}
from listed
join dim_papers as paper on listed.paper_id = paper.paper_id
order by listed.rank nulls last, paper.upvotes desc nulls last, paper.title
limit 40
"""

_ORDERS = {
    "listed": "{0}.counted_on desc, paper.upvotes desc nulls last, {0}.paper_id",
    "upvotes": "paper.upvotes desc nulls last, {0}.counted_on desc, {0}.paper_id",
}

# The page is cut before the wide columns are read.
_PAPERS = f"""
with

found as (
    select
        counted.paper_id,
        counted.population,
        counted.counted_on,
        counted.date_precision
    from bridge_population_papers as counted
    join dim_papers as paper on counted.paper_id = paper.paper_id
    where {{filters}}
    order by {{inner}}
    limit $limit offset $offset
)

select found.population, found.counted_on, found.date_precision, {_PAPER_COLUMNS}
from found
join dim_papers as paper on found.paper_id = paper.paper_id
order by {{outer}}
"""

_N_PAPERS = """
select count(*) as n_found
from bridge_population_papers as counted
join dim_papers as paper on counted.paper_id = paper.paper_id
where {filters}
"""

_NEWEST_BY_TOPIC = f"""
with

ranked as (
    select
        b.topic_id,
        counted.population,
        counted.paper_id,
        counted.counted_on,
        counted.date_precision,
        count(*) over (partition by b.topic_id) as n_found,
        row_number() over (
            partition by b.topic_id
            order by counted.counted_on desc, p.upvotes desc nulls last, counted.paper_id
        ) as place
    from bridge_population_papers as counted
    join bridge_paper_topics as b on counted.paper_id = b.paper_id
    join dim_papers as p on counted.paper_id = p.paper_id
    where counted.population = $population and b.topic_id <> 'no-topic'
)

select
    ranked.topic_id, ranked.population, ranked.counted_on, ranked.date_precision,
    ranked.n_found, {_PAPER_COLUMNS}
from ranked
join dim_papers as paper on ranked.paper_id = paper.paper_id
where ranked.place <= $limit
order by ranked.topic_id, ranked.place
"""

_TOPICS_OF = """
select b.paper_id, b.topic_id, t.name, b.score, b.evidence
from bridge_paper_topics as b
join dim_topics as t on b.topic_id = t.topic_id
where b.paper_id in (select unnest($papers)) and t.kind <> 'none'
order by b.paper_id, b.score desc, t.name
"""

_RECONCILIATION = """
select
    source,
    listing_kind,
    count(*) as n_captures,
    cast(sum(n_seen) as bigint) as n_seen,
    cast(sum(n_accepted) as bigint) as n_accepted,
    cast(sum(n_quarantined) as bigint) as n_quarantined
from rpt_capture_reconciliation
group by source, listing_kind
order by source, listing_kind
"""

_CAPTURES = """
select
    captured_at, captured_at_basis, origin, source, format, listing_kind, listing_kind_rule,
    listed_on, listed_on_basis, n_seen, n_accepted, n_quarantined, n_by_reason, rules, overrides,
    capture_id, sha256, parser_version
from rpt_capture_reconciliation
order by captured_at desc nulls last, capture_id
"""

_QUARANTINE_REASONS = """
select source, reason, count(distinct capture_id) as n_captures, count(*) as n_items
from rpt_quarantine
group by source, reason
order by n_items desc, source, reason
"""

_QUARANTINE = """
select reason, source, origin, place, detail, excerpt, capture_id
from rpt_quarantine
order by reason, origin, place
limit 5000
"""

_TITLE_OUTCOMES = """
select outcome, count(*) as n_titles
from rpt_title_matches
group by outcome
order by n_titles desc, outcome
"""

_TITLE_MATCHES = """
select outcome, title, paper_id, n_candidates, evidence, title_key
from rpt_title_matches
order by outcome = 'matched' desc, outcome, title
limit 5000
"""
