"""Metrics of the snapshot, the home and HTTP requests, also for a damaged home."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from dashboards.app import create_app
from dashboards.metrics import weekdays
from pipelines.publishing import build_status
from pipelines.publishing.reader import Reader
from pipelines.settings import Settings
from tests.dashboards.conftest import Publish

pytestmark = pytest.mark.dashboards

Samples = dict[tuple[str, ...], float]


def client_of(settings: Settings, reader: Reader | None = None) -> FlaskClient:
    return create_app(reader or Reader(settings), settings=settings).server.test_client()


def scrape(client: FlaskClient) -> Samples:
    """Values by name and label values, read with the parser of Prometheus."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    return {
        (sample.name, *(sample.labels[key] for key in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.get_data(as_text=True))
        for sample in family.samples
    }


def test_metrics_of_a_published_snapshot(publish: Publish) -> None:
    settings = publish()
    reader = Reader(settings)
    found = scrape(client_of(settings, reader))
    assert found["papertide_up",] == 1
    assert found["papertide_snapshot_info", "one"] == 1
    assert found["papertide_papers",] == reader.query("select count(*) n from dim_papers")["n"][0]
    for population, n in reader.query(
        "select population, count(*) from fct_listings group by 1"
    ).rows():
        assert found["papertide_listings", population] == n
    for reason, n in reader.query("select reason, count(*) from rpt_quarantine group by 1").rows():
        assert found["papertide_quarantined_items", reason] == n
    published = found["papertide_snapshot_published_timestamp_seconds",]
    assert found["papertide_snapshot_age_seconds",] == pytest.approx(
        datetime.now(UTC).timestamp() - published, abs=60
    )
    assert found["papertide_disk_free_bytes",] > 0
    assert found["papertide_last_build_refused",] == 0
    assert found["process_resident_memory_bytes",] > 0


def test_missing_and_complete_days_by_population(publish: Publish) -> None:
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=n) for n in range(1, 90)]
    captured = [day for day in days if day.weekday() < 5 and day != days[9]]
    coverage = pl.DataFrame(
        {
            "population": "hf_daily", "listed_on": days, "is_expected": True,
            "is_captured": [day in captured for day in days],
            "is_complete": [day in captured and n > 3 for n, day in enumerate(days)],
            "n_captures": 1, "n_papers": 0, "last_captured_at": None,
        }
    ).with_columns(last_captured_at=pl.lit(None, pl.Datetime))  # fmt: skip
    found = scrape(client_of(publish(rpt_coverage=coverage)))
    missing = 1 if days[9].weekday() < 5 else 0
    assert found["papertide_expected_days_not_captured", "hf_daily"] == missing
    newest = datetime.fromtimestamp(
        found["papertide_newest_complete_day_timestamp_seconds", "hf_daily"], UTC
    ).date()
    assert newest == max(day for n, day in enumerate(days) if day in captured and n > 3)


def test_days_after_the_last_capture_are_missing(publish: Publish) -> None:
    found = scrape(client_of(publish()))  # the captures are from 2025
    assert found["papertide_expected_days_not_captured", "hf_daily"] >= 20


@pytest.mark.parametrize(
    ("since", "until", "n"),
    [("2026-03-02", "2026-03-09", 5), ("2026-03-07", "2026-03-09", 0),
     ("2026-03-06", "2026-03-10", 2), ("2026-03-09", "2026-03-02", 0)],
)  # fmt: skip
def test_weekdays(since: str, until: str, n: int) -> None:
    assert weekdays(date.fromisoformat(since), date.fromisoformat(until)) == n


def test_metrics_without_a_snapshot(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "none")
    client = client_of(settings)
    found = scrape(client)
    assert found["papertide_up",] == 1
    assert not [name for name, *_ in found if "snapshot" in name or "papers" in name]
    assert found["papertide_captures_waiting",] == 0
    assert client.get("/healthz").status_code == 503


def test_waiting_captures_and_a_refused_build(publish: Publish) -> None:
    settings = publish()
    folder = settings.captures_dir / "ab"
    folder.mkdir(parents=True)
    (folder / "abcdef0123456789.json").write_text("{}")
    build_status.note_refusal(settings, ["a check"], "one")
    client = client_of(settings)
    found = scrape(client)
    assert found["papertide_captures_waiting",] == 1
    assert found["papertide_last_build_refused",] == 1
    build_status.clear_refusal(settings)
    assert scrape(client)["papertide_last_build_refused",] == 0


@pytest.mark.parametrize("damage", ["pointer", "database"])
def test_a_damaged_snapshot_is_not_an_error(publish: Publish, damage: str) -> None:
    settings = publish()
    if damage == "pointer":
        (settings.snapshots_dir / "CURRENT").write_text("gone")
    else:
        path = settings.snapshots_dir / "one" / "papertide.duckdb"
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:6000])
    client = client_of(settings)
    assert scrape(client)["papertide_up",] == 1


def test_healthz_names_the_current_snapshot(publish: Publish) -> None:
    settings = publish("one")
    client = client_of(settings)
    assert json.loads(client.get("/healthz").data) == {"status": "ok", "snapshot_id": "one"}
    publish("two")
    answer = client.get("/healthz")
    assert answer.json == {"status": "ok", "snapshot_id": "two"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert scrape(client)["papertide_snapshot_info", "two"] == 1


def test_requests_are_counted_by_kind_and_timed(publish: Publish) -> None:
    client = client_of(publish())
    for path in ("/", "/topics", "/download/papers/papers.csv", "/healthz", "/_dash-layout"):
        client.get(path)
    client.get("/download/no/such.csv")
    found = scrape(client)
    counted = {key[1:]: n for key, n in found.items() if key[0] == "papertide_http_requests_total"}
    assert counted["200", "page"] == 2
    assert counted["200", "asset"] == 1
    assert counted["404", "download"] == 1
    assert found["papertide_http_request_duration_seconds_count", "page"] == 2
    assert not [name for name, *_ in found if name.endswith("_created")]
    again = scrape(client)
    assert again["papertide_http_requests_total", "200", "monitoring"] == 2


def test_two_dashboards_in_one_process_count_separately(publish: Publish) -> None:
    settings = publish()
    reader = Reader(settings)
    one, two = client_of(settings, reader), client_of(settings, reader)
    one.get("/")
    assert ("papertide_http_requests_total", "200", "page") not in scrape(two)
