"""`/metrics` for Prometheus and `/healthz` for whatever restarts things, beside the dashboard.

Belongs here: reading figures of the snapshot, the home and the requests, and writing them in
Prometheus' text format. Does not: judging them (the alerts do, or Prometheus' own rules).

The format is left to `prometheus_client`: escaping, histograms and the process's own memory and
files would be more than a screen of code, and it depends on nothing.
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
from pipelines.publishing import build_status
from pipelines.settings import Settings

log = logging.getLogger("papertide.dashboard")

WINDOW_DAYS = 30
SATURDAY = 5
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
KINDS = (
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
    """Give the server both addresses, and count and time every request to it."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(queries, settings))
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
        except NoSnapshotError as nothing:
            return {"status": "nothing published", "detail": str(nothing)}, 503, fresh


def _count_requests(server: flask.Flask, registry: CollectorRegistry) -> None:
    counted = Counter(
        "papertide_http_requests", "Requests answered.", ["kind", "code"], registry=registry
    )
    timed = Histogram(
        "papertide_http_request_duration_seconds",
        "Time to answer.",
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
        kind = next((kind for begin, kind in KINDS if path.startswith(begin)), "page")
        counted.labels(kind, response.status_code).inc()
        timed.labels(kind).observe(time.perf_counter() - flask.g.started)
        return response


class _Figures(Collector):
    """What is read anew at each scrape; the answers of the database are kept per snapshot."""

    def __init__(self, queries: Queries, settings: Settings) -> None:
        self._queries = queries
        self._settings = settings

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Everything that can be read; what can't is missing, never an error."""
        yield _gauge("up", "The dashboard serves.", 1)
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
            "last_build_refused", "1 when a check refused the last build.", int(kind == "refused")
        )
        yield _gauge(
            "last_build_failed",
            "1 when the last build broke off, or a source did not answer and nothing else was new.",
            int(kind in ("failed", "not_fetched")),
        )
        known = {receipt.stem for receipt in self._settings.captures_dir.glob("[0-9a-f]*/*.json")}
        yield _gauge(
            "captures_waiting",
            "Captures in the archive that the snapshot does not hold.",
            len(known - self._published()),
        )
        if self._settings.home.is_dir():
            free = shutil.disk_usage(self._settings.home).free
            yield _gauge("disk_free_bytes", "Room left on the disk of the home.", free)

    def _published(self) -> set[str]:
        try:
            return set(self._queries.frame(CAPTURES)["capture_id"])
        except NoSnapshotError:
            return set()

    def _snapshot(self) -> Gauges:
        ask = self._queries.frame
        facts = self._queries.snapshot_facts()
        published_at = facts["published_at"].replace(tzinfo=UTC).timestamp()
        yield _gauge("snapshot_published_timestamp_seconds", "When it was.", published_at)
        yield _gauge(
            "snapshot_age_seconds", "Since it was published.", max(time.time() - published_at, 0)
        )
        good_at = build_status.good_at(
            self._settings.snapshots_dir, facts["published_at"].replace(tzinfo=UTC)
        )
        yield _gauge(
            "snapshot_checked_age_seconds",
            "Since it was published or found to be up to date.",
            max(time.time() - good_at.timestamp(), 0),
        )
        info = GaugeMetricFamily(
            "papertide_snapshot_info", "The snapshot that people read.", labels=["snapshot_id"]
        )
        info.add_metric([facts["snapshot_id"]], 1)
        yield info
        yield _gauge("papers", "Papers in the snapshot.", ask(PAPERS)["n"][0])
        yield _by("listings", "Listings by population.", "population", ask(LISTINGS).rows())
        yield _by(
            "quarantined_items", "Items set aside, by reason.", "reason", ask(QUARANTINED).rows()
        )
        yield from self._days(datetime.now(UTC).date())

    def _days(self, today: date) -> Gauges:
        since = today - timedelta(days=WINDOW_DAYS)
        rows = self._queries.frame(DAYS, {"since": since, "until": today}).rows(named=True)
        yield _by(
            "newest_complete_day_timestamp_seconds",
            "Start of the newest listing day that is complete.",
            "population",
            [(r["population"], _start_of(r["complete_on"])) for r in rows if r["complete_on"]],
        )
        yield _by(
            "expected_days_not_captured",
            f"Weekdays of the last {WINDOW_DAYS} days that no capture shows.",
            "population",
            [
                (r["population"], weekdays(max(since, r["first_on"]), today) - r["n_captured"])
                for r in rows
                if r["first_on"]
            ],
        )


def weekdays(since: date, until: date) -> int:
    """Days from Monday to Friday, `until` left out; none when it is not later."""
    days = (since + timedelta(days=n) for n in range((until - since).days))
    return sum(day.weekday() < SATURDAY for day in days)


def _start_of(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"papertide_{name}", about, value)


def _by(name: str, about: str, label: str, rows: Iterable[Any]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"papertide_{name}", about, labels=[label])
    for value, n in rows:
        family.add_metric([value], n)
    return family
