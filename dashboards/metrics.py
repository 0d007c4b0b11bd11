"""`/metrics` for Prometheus and `/healthz` for a process supervisor.

Belongs here: metrics of the snapshot, the home and HTTP requests. Does not: thresholds (the alerts
have them, or rules in Prometheus).

`prometheus_client` writes the text format. It has no dependencies and provides escaping, histograms
and process metrics.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import flask
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from dashboards.queries import Queries
from pipelines.errors import NoSnapshotError, PapertideError
from pipelines.publishing import build_status, freshness
from pipelines.settings import Settings

log = logging.getLogger("papertide.dashboard")

WINDOW_DAYS = 30
SATURDAY = 5
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
REQUEST_KINDS = (
    ("/_dash-update-component", "callback"),
    ("/_", "asset"),
    ("/assets/", "asset"),
    ("/download/", "download"),
    ("/metrics", "monitoring"),
    ("/healthz", "monitoring"),
)
PAPERS = "select count(*) as n from dim_papers"
LISTINGS = "select population, count(*) as n from fct_listings group by 1 order by 1"
DAYS = """
select
    population,
    min(listed_on) filter (where is_captured) as first_on,
    max(listed_on) filter (where is_complete) as complete_on,
    count(*) filter (
        where is_captured and listed_on >= $since and listed_on < $until and isodow(listed_on) < 6
    ) as n_captured
from rpt_coverage
group by 1
order by 1
"""
QUARANTINED = "select reason, count(*) as n from rpt_quarantine group by 1 order by 1"
CAPTURES = "select capture_id from rpt_capture_reconciliation"

Gauges = Iterator[GaugeMetricFamily]


def add(server: flask.Flask, queries: Queries, settings: Settings) -> None:
    """Add both routes to the server, and count and time its requests."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_HomeCollector(queries, settings))
    ProcessCollector(registry=registry)
    _count_requests(server, registry)

    @server.get("/metrics")
    def metrics() -> flask.Response:
        return flask.Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    @server.get("/healthz")
    def healthz() -> tuple[dict[str, str], int, dict[str, str]]:
        fresh = {"Cache-Control": "no-store"}
        try:
            return {"status": "ok", "snapshot_id": queries.snapshot_id()}, 200, fresh
        except NoSnapshotError as error:
            return {"status": "nothing published", "detail": str(error)}, 503, fresh


def _count_requests(server: flask.Flask, registry: CollectorRegistry) -> None:
    counted = Counter(
        "papertide_http_requests", "HTTP requests.", ["kind", "code"], registry=registry
    )
    timed = Histogram(
        "papertide_http_request_duration_seconds",
        "Response time of HTTP requests.",
        ["kind"],
        buckets=BUCKETS_S,
        registry=registry,
    )

    @server.before_request
    def start() -> None:
        flask.g.started = time.perf_counter()

    @server.after_request
    def count(response: flask.Response) -> flask.Response:
        path = flask.request.path
        kind = next((kind for prefix, kind in REQUEST_KINDS if path.startswith(prefix)), "page")
        counted.labels(kind, response.status_code).inc()
        timed.labels(kind).observe(time.perf_counter() - flask.g.started)
        return response


class _HomeCollector(Collector):
    """Reads the home and the snapshot at each scrape; database queries are cached per snapshot."""

    def __init__(self, queries: Queries, settings: Settings) -> None:
        self._queries = queries
        self._settings = settings

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """All metrics that can be read; the others are missing and logged."""
        yield _gauge("up", "1 while the dashboard runs.", 1)
        for part in (self._home, self._snapshot):
            try:
                yield from list(part())
            except NoSnapshotError:
                continue
            except (PapertideError, duckdb.Error, OSError) as error:
                log.warning("some metrics can't be read: %s", error)

    def _home(self) -> Gauges:
        found = build_status.refusal(self._settings.snapshots_dir)
        kind = found.kind if found else ""
        yield _gauge(
            "last_build_refused", "1 if a check refused the last build.", int(kind == "refused")
        )
        yield _gauge(
            "last_build_failed",
            "1 if the last build failed, or a source did not respond and nothing else was new.",
            int(kind in ("failed", "not_fetched")),
        )
        known = {receipt.stem for receipt in self._settings.captures_dir.glob("[0-9a-f]*/*.json")}
        yield _gauge(
            "captures_waiting",
            "Captures in the archive that are not in the snapshot.",
            len(known - self._published()),
        )
        if self._settings.home.is_dir():
            free = shutil.disk_usage(self._settings.home).free
            yield _gauge("disk_free_bytes", "Free disk space of the home.", free)

    def _published(self) -> set[str]:
        try:
            return set(self._queries.frame(CAPTURES)["capture_id"])
        except NoSnapshotError:
            return set()

    def _snapshot(self) -> Gauges:
        query = self._queries.frame
        facts = self._queries.snapshot_facts()
        published_at = facts["published_at"].replace(tzinfo=UTC).timestamp()
        yield _gauge("snapshot_published_timestamp_seconds", "Publication time.", published_at)
        yield _gauge(
            "snapshot_age_seconds", "Time since publication.", max(time.time() - published_at, 0)
        )
        good_at = freshness.up_to_date_at(
            self._settings.snapshots_dir, facts["published_at"].replace(tzinfo=UTC)
        )
        yield _gauge(
            "snapshot_checked_age_seconds",
            "Time since publication or since the last refresh that found nothing new.",
            max(time.time() - good_at.timestamp(), 0),
        )
        info = GaugeMetricFamily(
            "papertide_snapshot_info", "The current snapshot.", labels=["snapshot_id"]
        )
        info.add_metric([facts["snapshot_id"]], 1)
        yield info
        yield _gauge("papers", "Papers in the snapshot.", query(PAPERS)["n"][0])
        yield _labelled("listings", "Listings by population.", "population", query(LISTINGS).rows())
        yield _labelled(
            "quarantined_items", "Quarantined items by reason.", "reason", query(QUARANTINED).rows()
        )
        yield from self._days(datetime.now(UTC).date())

    def _days(self, today: date) -> Gauges:
        since = today - timedelta(days=WINDOW_DAYS)
        rows = self._queries.frame(DAYS, {"since": since, "until": today}).rows(named=True)
        yield _labelled(
            "newest_complete_day_timestamp_seconds",
            "Start of the newest listing day that was captured in full.",
            "population",
            [(r["population"], _start_of(r["complete_on"])) for r in rows if r["complete_on"]],
        )
        yield _labelled(
            "expected_days_not_captured",
            f"Weekdays in the last {WINDOW_DAYS} days without a capture.",
            "population",
            [
                (r["population"], weekdays(max(since, r["first_on"]), today) - r["n_captured"])
                for r in rows
                if r["first_on"]
            ],
        )


def weekdays(since: date, until: date) -> int:
    """Number of weekdays from `since` to the day before `until`."""
    days = (since + timedelta(days=n) for n in range((until - since).days))
    return sum(day.weekday() < SATURDAY for day in days)


def _start_of(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"papertide_{name}", help_text, value)


def _labelled(name: str, help_text: str, label: str, rows: Iterable[Any]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"papertide_{name}", help_text, labels=[label])
    for value, n in rows:
        family.add_metric([value], n)
    return family
