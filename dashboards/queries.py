"""Reads what pages need from the marts of the current snapshot, as frames.

Belongs here: one method per question, bound values, and a cache. Does not: SQL text (`sql`,
`sql_trends`), statistics (the marts hold them) or formatting.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from dashboards import sql, sql_trends
from dashboards.choices import Choices, Period, TopicChoice
from dashboards.view import View
from pipelines.publishing.freshness import freshness
from pipelines.publishing.reader import Reader

CACHE_SIZE = 256
MAX_DOWNLOAD = 5_000


class Queries:
    """Queries of the current snapshot with a cache per snapshot.

    All methods raise NoSnapshotError if nothing is published.
    """

    def __init__(
        self, reader: Reader, *, cache_size: int = CACHE_SIZE, stale_after_hours: float = 0
    ) -> None:
        self._reader = reader
        self._stale_after_hours = stale_after_hours
        self._size = cache_size
        self._lock = threading.Lock()
        self._cache: OrderedDict[tuple[Any, ...], pl.DataFrame] = OrderedDict()

    def snapshot_id(self) -> str:
        """The id of the current snapshot."""
        return self._reader.snapshot().snapshot_id

    def frame(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """The rows of a query, cached unless another snapshot was published meanwhile."""
        bound = dict(parameters or {})
        before = self.snapshot_id()
        key = (before, statement, tuple((name, _frozen(bound[name])) for name in sorted(bound)))
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        rows = self._reader.query(statement, bound)
        if self.snapshot_id() == before:
            with self._lock:
                self._cache[key] = rows
                while len(self._cache) > self._size:
                    self._cache.popitem(last=False)
        return rows

    def choices(self) -> Choices:
        """Periods by population and grain, and topics."""
        periods: dict[tuple[str, str], list[Period]] = {}
        for row in self.frame(sql.PERIODS).iter_rows(named=True):
            periods.setdefault((row["population"], row["grain"]), []).append(
                Period(
                    row["period_start_on"],
                    row["period_end_on"],
                    row["n_total"],
                    row["is_partial"],
                    row["is_sufficient"],
                    row["complete_share"],
                    row["text_share"],
                )
            )
        topics = tuple(TopicChoice(**row) for row in self.frame(sql.TOPICS).iter_rows(named=True))
        return Choices({key: tuple(value) for key, value in periods.items()}, topics)

    def snapshot_facts(self) -> dict[str, Any]:
        """snapshot_id, published_at, n_papers, n_authors, n_captures, last_captured_at."""
        return self.frame(sql.FACTS).row(0, named=True)

    def standing(self) -> str:
        """A sentence about stale figures or a failed build; empty if there is no problem."""
        folder = self._reader.snapshot().folder.parent
        published_at = self.snapshot_facts()["published_at"]
        return freshness(folder, published_at, self._stale_after_hours).sentence

    def coverage_totals(self) -> pl.DataFrame:
        """Per population: first_on, last_on, n_expected, n_captured, n_complete, n_unstated."""
        return self.frame(sql.COVERAGE_TOTALS)

    def coverage(self, population: str) -> pl.DataFrame:
        """rpt_coverage of a population, by day."""
        return self.frame(sql.COVERAGE, {"population": population})

    def topic_shares(self, view: View) -> pl.DataFrame:
        """rpt_topic_trends for the period and kind of topics, largest share first."""
        bound = {**_period(view), "area": view.area, "kind": view.kind}
        return self.frame(sql_trends.TOPIC_SHARES, {**_series(view), **bound})

    def topic_changes(self, view: View) -> pl.DataFrame:
        """rpt_topic_changes for the period and kind of topics, with shares and levels."""
        bound = {**_series(view), **_period(view), "kind": view.kind}
        return self.frame(sql_trends.TOPIC_CHANGES, bound)

    def term_changes(self, view: View) -> pl.DataFrame:
        """rpt_term_changes for the period, with shares and levels; empty for weeks.

        Terms are too rare in weeks.
        """
        return self.frame(sql_trends.TERM_CHANGES, {**_series(view), **_period(view)})

    def topic_history(self, view: View, topics: Sequence[str]) -> pl.DataFrame:
        """rpt_topic_trends of topics for the shown periods, by topic and period."""
        bound = {**_span(view), "topics": list(topics)}
        return self.frame(sql_trends.TOPIC_HISTORY, {**_series(view), **bound})

    def term_history(self, view: View) -> pl.DataFrame:
        """rpt_term_trends of the chosen term for the shown periods, by period."""
        bound = {**_span(view), "term": view.term}
        return self.frame(sql_trends.TERM_HISTORY, {**_series(view), **bound})

    def share_differences(self, view: View) -> pl.DataFrame:
        """Per topic: shares in the period and the previous comparable one, and their difference.

        The difference has a 95 % interval (Newcombe 1998, method 10). Largest difference first.
        """
        return self.frame(
            sql_trends.DIFFERENCES,
            {
                "population": view.population,
                "grain": view.grain,
                "now": view.period.start if view.period else None,
                "before": view.previous.start if view.previous else None,
            },
        )

    def author_counts(self, view: View, topic: str) -> pl.DataFrame:
        """rpt_author_counts of a topic (or `all`) for the shown periods, by period."""
        bound = {**_span(view), "topic": topic}
        return self.frame(sql_trends.AUTHOR_COUNTS, {**_series(view), **bound})

    def author_counts_at(self, view: View, periods: Sequence[date]) -> pl.DataFrame:
        """rpt_author_counts of the whole population for the periods that start on these days."""
        return self.frame(
            sql_trends.AUTHOR_COUNTS_AT,
            {"population": view.population, "grain": view.grain, "periods": list(periods)},
        )

    def author_counts_by_topic(self, view: View) -> pl.DataFrame:
        """rpt_author_counts of every topic for the period, with topic names, largest n first."""
        return self.frame(
            sql_trends.AUTHOR_COUNTS_BY_TOPIC,
            {
                "population": view.population,
                "grain": view.grain,
                "period": view.period.start if view.period else None,
                "area": view.area,
            },
        )

    def author_distribution(self, view: View, topic: str) -> pl.DataFrame:
        """rpt_author_count_distribution for the period, smallest number of authors first."""
        return self.frame(
            sql_trends.AUTHOR_DISTRIBUTION,
            {
                "population": view.population,
                "grain": view.grain,
                "period": view.period.start if view.period else None,
                "topic": topic,
            },
        )

    def topic_authors(self, view: View, topic: str) -> pl.DataFrame:
        """rpt_topic_authors of a topic (or `all`), by rank."""
        return self.frame(sql_trends.TOPIC_AUTHORS, {"population": view.population, "topic": topic})

    def topic_organizations(self, view: View, topic: str) -> pl.DataFrame:
        """rpt_topic_organizations of a topic (or `all`), by rank."""
        return self.frame(
            sql_trends.TOPIC_ORGANIZATIONS, {"population": view.population, "topic": topic}
        )

    def trending(self, view: View) -> pl.DataFrame:
        """rpt_trending_papers of the last day with scores, or of the last day, by rank.

        Days end with the chosen period, if there is one. `newest_on` is the last of them.
        """
        last = view.period.end if view.period and view.is_period_chosen else None
        return self.frame(sql.TRENDING, {"population": view.population, "last": last})

    def last_listing(self, population: str) -> pl.DataFrame:
        """Papers of the population's last listing day (at most 40), in the order of the list."""
        return self.frame(sql.LAST_LISTING, {"population": population})

    def papers(self, view: View) -> pl.DataFrame:
        """One page of the papers that match the filters.

        `n_found` is the number of matches, `page` the number of the page. A page number past the
        end returns the last page. A paper listed on two days has two rows.
        """
        found = self._papers_page(view, view.page)
        if found.is_empty() and view.page > 1:
            first = self._papers_page(view, 1)
            if first.height:
                last = -(-int(first["n_found"][0]) // view.page_size)
                return self._papers_page(view, last)
        return found

    def _papers_page(self, view: View, page: int) -> pl.DataFrame:
        filters, bound = _paper_filters(view)
        statement = sql.PAPERS[view.sort].format(filters=filters)
        bound |= {"limit": view.page_size, "offset": (page - 1) * view.page_size}
        return self.frame(statement, bound).with_columns(page=pl.lit(page))

    def newest_by_topic(self, population: str, limit: int) -> pl.DataFrame:
        """The newest papers of every topic, by topic; `n_found` is the number of its papers."""
        return self.frame(sql.NEWEST_BY_TOPIC, {"population": population, "limit": limit})

    def topics_of(self, paper_ids: Sequence[str]) -> pl.DataFrame:
        """Topics of papers with score and evidence, highest score first."""
        return self.frame(sql.TOPICS_OF, {"papers": list(paper_ids)})

    def mentions_of(self, term: str, paper_ids: Sequence[str]) -> pl.DataFrame:
        """Mentions of a term in papers: paper_id, term, n_mentions."""
        return self.frame(sql.TERM_OF, {"term": term, "papers": list(paper_ids)})

    def reconciliation(self) -> pl.DataFrame:
        """Per source and listing kind: n_captures, n_seen, n_accepted, n_quarantined."""
        return self.frame(sql.RECONCILIATION)

    def captures(self) -> pl.DataFrame:
        """rpt_capture_reconciliation, newest first."""
        return self.frame(sql.CAPTURES)

    def quarantine_reasons(self) -> pl.DataFrame:
        """Per source and reason: n_captures, n_items."""
        return self.frame(sql.QUARANTINE_REASONS)

    def quarantine(self) -> pl.DataFrame:
        """rpt_quarantine, at most 5,000 rows."""
        return self.frame(sql.QUARANTINE)

    def title_outcomes(self) -> pl.DataFrame:
        """Per outcome of title matching: n_titles."""
        return self.frame(sql.TITLE_OUTCOMES)

    def title_matches(self) -> pl.DataFrame:
        """rpt_title_matches, matches first, at most 5,000 rows."""
        return self.frame(sql.TITLE_MATCHES)


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _series(view: View) -> dict[str, Any]:
    return {"population": view.population, "grain": view.grain}


def _period(view: View) -> dict[str, Any]:
    """The chosen period as first and last period."""
    start = view.period.start if view.period else None
    return {"first": start, "last": start}


def _span(view: View) -> dict[str, Any]:
    shown = view.shown_periods
    return {
        "first": shown[0].start if shown else None,
        "last": shown[-1].start if shown else None,
    }


def _paper_filters(view: View) -> tuple[str, dict[str, Any]]:
    """SQL conditions on `counted`, and the values to bind."""
    conditions = ["counted.population = $population"]
    bound: dict[str, Any] = {"population": view.population}
    if view.is_period_chosen and view.period:
        conditions.append("counted.counted_on between $first and $last")
        bound |= {"first": view.period.start, "last": view.period.end}
        if view.grain == "week":
            conditions.append("counted.date_precision = 'day'")
    if view.topic:
        conditions.append(sql.WITH_TOPIC)
        bound["topic"] = view.topic
    elif view.area:
        conditions.append(sql.WITH_AREA)
        bound["area"] = view.area
    if view.term:
        conditions.append(sql.WITH_TERM)
        bound["term"] = view.term
    if view.code:
        conditions.append(sql.WITH_CODE)
    if view.q:
        conditions.append(sql.WITH_TEXT)
        bound["q"] = view.q
    return " and ".join(conditions), bound
