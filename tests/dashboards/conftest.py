"""A small published snapshot with a few rows in every mart that the pages read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from dashboards.queries import Queries
from dashboards.sql_trends import CHANGE
from pipelines.publishing.reader import Reader
from pipelines.settings import Settings
from pipelines.trends import judge
from pipelines.trends.changes import HORIZONS
from pipelines.trends.judging import CHANGE_SCHEMA

NASTY_TITLE = "<script>alert('x')</script> & friends"
NASTY_LABEL = "<b>gui</b>, agent"
FORMULA_TITLE = "=cmd()|'/c calc'!A1"
MONTHS = (
    (date(2025, 1, 1), date(2025, 1, 31)),
    (date(2025, 2, 1), date(2025, 2, 28)),
    (date(2025, 3, 1), date(2025, 3, 31)),
    (date(2025, 4, 1), date(2025, 4, 30)),
)
TOPICS = (
    ("agents", "Agents", "Reasoning", "taxonomy"),
    ("diffusion", "Diffusion", "Images", "taxonomy"),
    ("quiet", "A topic nobody writes about", "Images", "taxonomy"),
    ("no-topic", "No topic matched", "No topic", "none"),
    ("d-00000001", NASTY_LABEL, "Discovered", "discovered"),
)
MARCH = MONTHS[2][0]
CAPTURED_AT = datetime(2025, 4, 1, 7, tzinfo=UTC).replace(tzinfo=None)
Publish = Callable[..., Settings]


def _trends(population: str) -> pl.DataFrame:
    totals = (40, 5, 50, 30)
    counts = {"agents": (10, 1, 20, 9), "diffusion": (8, 2, 5, 6), "quiet": (0, 0, 0, 0)}
    rows = []
    for i, (start, end) in enumerate(MONTHS):
        for topic_id, name, area, kind in TOPICS:
            n = counts.get(topic_id, (4, 1, 3, 2))[i]
            share = n / totals[i]
            rows.append(
                {
                    "population": population,
                    "grain": "month",
                    "period_start_on": start,
                    "period_end_on": end,
                    "topic_id": topic_id,
                    "topic_name": name,
                    "area": area,
                    "kind": kind,
                    "n_papers": n,
                    "n_total": totals[i],
                    "share": share,
                    "share_low": share * 0.7,
                    "share_high": share + (1 - share) * 0.2,
                    "is_sufficient": totals[i] >= 20,
                    "is_partial": i == 3,
                    "coverage_share": 0.5 if i == 3 else 1.0,
                }
            )
    counted = pl.DataFrame(rows)
    judged = judge(counted.rename({"topic_id": "series_id"})).rename({"series_id": "topic_id"})
    trends = counted.join(judged, on=["population", "grain", "period_start_on", "topic_id"])
    for horizon in ("half_year", "year"):  # four months are too few for a verdict
        for topic_id, change in CHANGES.items():
            is_changed = (pl.col("topic_id") == topic_id) & (pl.col("period_start_on") == MARCH)
            trends = trends.with_columns(
                pl.when(is_changed).then(pl.lit(value)).otherwise(name).alias(name)
                for column, value in change.items()
                for name in (f"{horizon}_{column}", *([column] if horizon == "half_year" else []))
            )
    return trends


def _changes(trends: pl.DataFrame) -> pl.DataFrame:
    """One row per row and horizon, each with a sentence."""
    keys = ("population", "grain", "period_start_on", "topic_id", "topic_name", "level")
    return pl.concat(
        trends.select(
            *keys,
            horizon=pl.lit(horizon),
            **{name: f"{horizon}_{name}" for name in CHANGE},
            statement=pl.format(
                "{} over a {}: 12.0 % of papers", pl.col(f"{horizon}_verdict"), pl.lit(horizon)
            ),
        )
        for horizon in HORIZONS
    )


def _called(growth: float, verdict: str, sign_error: float, reason: str) -> dict[str, Any]:
    """A change over half a year or a year, up to March."""
    return {
        "growth": growth, "growth_low": growth - 0.3, "growth_high": growth + 0.3,
        "sign_error": sign_error, "level_before": 0.11, "began_on": date(2025, 2, 1),
        "began_from_on": date(2025, 1, 1), "began_to_on": date(2025, 3, 1), "verdict": verdict,
        "verdict_reason": reason,
    }  # fmt: skip


CHANGES = {
    "agents": _called(0.7, "rising", 0.004, "certain"),
    "diffusion": _called(-0.2, "likely_falling", 0.17, "likely"),
    "d-00000001": _called(0.4, "rising", 0.03, "certain"),
}


def _author_counts(population: str) -> pl.DataFrame:
    rows = []
    for i, (start, end) in enumerate(MONTHS):
        for topic_id in ("all", "agents"):
            is_small = i == 1
            rows.append(
                {
                    "population": population,
                    "grain": "month",
                    "period_start_on": start,
                    "period_end_on": end,
                    "topic_id": topic_id,
                    "n_papers": 5 if is_small else 40,
                    "mean_authors": 5.0 + i,
                    "mean_low": 4.1,
                    "mean_high": 8.9,
                    "median_authors": 5.0,
                    "median_low": None if is_small else 4,
                    "median_high": None if is_small else 6,
                    "p90_authors": 12,
                    "p90_low": None if is_small else 9,
                    "p90_high": None if is_small else 30,
                    "max_authors": 80,
                    "n_solo": 1,
                    "solo_share": 0.025,
                    "solo_share_low": 0.004,
                    "solo_share_high": 0.13,
                    "n_ten_plus": 8,
                    "ten_plus_share": 0.2,
                    "ten_plus_share_low": 0.1,
                    "ten_plus_share_high": 0.35,
                    "is_sufficient": not is_small,
                    "is_partial": i == 3,
                    "horizon": "half_year",
                    **_team("solo", dict.fromkeys(CHANGE) | NOT_COMPARABLE),
                    **_team("ten_plus", _called(0.7, "rising", 0.02, "certain")),
                }
            )
    types = {f"solo_{name}": CHANGE_SCHEMA[name] for name in CHANGE}
    return pl.DataFrame(rows, infer_schema_length=None).cast(types)  # type: ignore[arg-type]


NOT_COMPARABLE = {"verdict": "not_comparable", "verdict_reason": "short_history"}


def _team(prefix: str, change: dict[str, Any]) -> dict[str, Any]:
    levels = {"level": 0.21, "level_low": 0.17, "level_high": 0.25}
    return {f"{prefix}_{name}": value for name, value in (levels | change).items()}


def _names(column: str, names: tuple[str, ...], population: str) -> pl.DataFrame:
    author_columns = {"is_ambiguous": [True, False], "n_areas": [12, 2], "author_id": ["a", "b"]}
    return pl.DataFrame(
        {
            "population": [population] * 2,
            "topic_id": ["all"] * 2,
            column: list(names),
            "rank": [1, 2],
            "n_papers": [30, 2],
            "n_total": [59, 59],
            "n_topic_papers": [60, 60],
            "share": [0.508, 0.034],
            "share_low": [0.38, 0.009],
            "share_high": [0.63, 0.115],
            "first_counted_on": [date(2025, 3, 2)] * 2,
            "last_counted_on": [date(2025, 3, 31)] * 2,
            **(author_columns if column == "author_name" else {}),
        }
    )


def _trending(population: str, papers: list[str]) -> pl.DataFrame:
    unscored = {
        "rank": None, "score": None, "basis": "too few papers to compare with", "n_counted": None,
        "expected": None, "n_compared": None, "day_level": None, "prior": None, "ratio": None,
        "n_observations": 1,
    }  # fmt: skip
    scored = {
        "rank": 1, "score": 1.25, "basis": "gain", "n_counted": 12, "expected": 5.5,
        "n_compared": 31, "day_level": 1.1, "prior": 0.8, "ratio": 2.03, "n_observations": 2,
    }  # fmt: skip
    return pl.DataFrame(
        [
            {"population": population, "day_on": day, "paper_id": paper, **values,
             "upvotes_per_day": 9.5 if values is scored else None, "comments_per_day": None,
             "github_stars_per_day": None, "upvotes": 40, "comments": 3, "github_stars": None,
             "listed_on": date(2025, 3, 30), "age_days": 1,
             "observed_days": 1.0 if values is scored else 0.0,
             "first_observed_at": CAPTURED_AT, "last_observed_at": CAPTURED_AT}
            for day in (date(2025, 3, 30), date(2025, 3, 31))
            for paper, values in ((papers[0], unscored), (papers[5], scored))
        ],
        infer_schema_length=None,
        schema_overrides={"comments_per_day": pl.Float64, "github_stars_per_day": pl.Float64,
                          "github_stars": pl.Int64},
    )  # fmt: skip


def _distribution(population: str) -> pl.DataFrame:
    buckets = (("1", 1, 4), ("2", 2, 10), ("10–19", 10, 26))
    return pl.DataFrame(
        [
            {
                "population": population,
                "grain": "month",
                "period_start_on": start,
                "topic_id": "all",
                "bucket": bucket,
                "bucket_order": order,
                "n_papers": n,
                "n_total": 40,
                "share": n / 40,
                "share_low": n / 50,
                "share_high": n / 40 + 0.1,
                "is_partial": False,
            }
            for start, _ in MONTHS
            for bucket, order, n in buckets
        ]
    )


def _papers() -> pl.DataFrame:
    rows = []
    for i in range(60):
        title = {0: NASTY_TITLE, 1: FORMULA_TITLE}.get(i, f"Paper number {i} on agents")
        rows.append(
            {
                "paper_id": f"arxiv:2503.{i:05d}",
                "arxiv_id": f"2503.{i:05d}",
                "title": title,
                "authors": ["Ada Lovelace", f"Author {i}"] if i != 2 else None,
                "n_authors": 2,
                "published_on": date(2025, 3, 1),
                "primary_category": "cs.AI",
                "organization": None,
                "github_url": {0: "javascript:alert(1)", 1: "https://github.com/a/b"}.get(i),
                "project_url": "https://example.org/p" if i == 3 else None,
                "upvotes": i,
                "comments": None if i == 0 else i % 4,
                "github_stars": None,
            }
        )
    return pl.DataFrame(rows)


def marts(populations: tuple[str, ...]) -> dict[str, pl.DataFrame]:
    """Every mart that the pages read."""
    papers = _papers()
    ids = papers["paper_id"].to_list()
    counted = [
        {"population": population, "paper_id": paper, "clock": "listed_on",
         "counted_on": date(2025, 3, 31) - timedelta(days=i % 30), "date_precision": "day"}
        for population in populations
        for i, paper in enumerate(ids)
    ]  # fmt: skip
    return {
        **_series_marts(populations, ids),
        **_health_marts(populations, ids),
        "dim_papers": papers,
        "dim_authors": pl.DataFrame({"author_id": ["a", "b"], "author_name": ["Ada Lovelace", "B"],
                                     "n_papers": [59, 1]}),
        "bridge_paper_authors": pl.DataFrame({"paper_id": [ids[0], ids[5]], "author_id": ["a", "a"],
                                              "position": [1, 1],
                                              "author_name": ["Ada Lovelace", "Ada Lovelace"]}),
        "dim_topics": pl.DataFrame(
            [{"topic_id": t, "name": n, "area": a, "kind": k, "description": f"Words: {n}",
              "parents": ["agents"] if t in ("diffusion", "quiet") else []}
             for t, n, a, k in TOPICS],
            schema_overrides={"parents": pl.List(pl.String)},
        ),
        "bridge_paper_topics": pl.DataFrame(
            [{"paper_id": paper, "topic_id": "agents" if i % 2 else "no-topic",
              "score": i % 2 * 3.0, "evidence": ["title: agents"] if i % 2 else []}
             for i, paper in enumerate(ids)]
            + [{"paper_id": paper, "topic_id": "d-00000001", "score": 0.5,
                "evidence": ["gui", "<i>agent</i>"]} for paper in ids[::3]],
            schema_overrides={"evidence": pl.List(pl.String)},
        ),
        "bridge_population_papers": pl.DataFrame(counted),
        "fct_listings": pl.DataFrame(
            [{"paper_id": paper, "population": population, "listed_on": date(2025, 3, 31),
              "listing_kind": "daily", "rank": i + 1, "upvotes": i, "comments": i}
             for population in populations for i, paper in enumerate(ids[:3])]
        ),
        "dim_terms": pl.DataFrame({"term_id": ["agents"], "term": ["Agents"]}),
        "bridge_paper_terms": pl.DataFrame(
            {"paper_id": ids[1::2], "term_id": ["agents"] * 30, "n_mentions": [1, 2] * 15}
        ),
    }  # fmt: skip


def _series_marts(populations: tuple[str, ...], ids: list[str]) -> dict[str, pl.DataFrame]:
    """Marts by period or topic."""
    trends = pl.concat([_trends(name) for name in populations])
    of_terms = {"topic_id": "term_id", "topic_name": "term"}
    return {
        "rpt_topic_trends": trends,
        "rpt_topic_changes": _changes(trends),
        "rpt_term_trends": trends.rename(of_terms).drop("area", "kind"),
        "rpt_term_changes": _changes(trends).rename(of_terms),
        # From March on, papers come with text and few lists are captured in full.
        "rpt_period_coverage": pl.DataFrame(
            [{"population": name, "grain": "month", "period_start_on": start,
              "complete_share": 0.1 if i > 1 else 0.9, "text_share": 0.9 if i > 1 else 0.1}
             for name in populations for i, (start, _) in enumerate(MONTHS)]
        ),
        "rpt_author_counts": pl.concat([_author_counts(name) for name in populations]),
        "rpt_author_count_distribution": pl.concat([_distribution(n) for n in populations]),
        "rpt_topic_authors": pl.concat(
            [_names("author_name", (NASTY_LABEL, "Ada Lovelace"), name) for name in populations]
        ),
        "rpt_topic_organizations": pl.concat(
            [_names("organization", ("A lab", "Another"), name) for name in populations]
        ),
        "rpt_trending_papers": pl.concat([_trending(name, ids) for name in populations]),
    }  # fmt: skip


def _health_marts(populations: tuple[str, ...], ids: list[str]) -> dict[str, pl.DataFrame]:
    """Marts about coverage, captures, quarantine and title matches."""
    days = [date(2024, 12, 30) + timedelta(days=i) for i in range(100)]
    return {
        "rpt_coverage": pl.DataFrame(
            [{"population": population, "listed_on": day, "is_expected": day.weekday() < 5,
              "is_captured": day.weekday() < 5 and day.day != 15,
              "is_complete": None if population == "arxiv" else day.day > 10, "n_captures": 1,
              "n_papers": 3, "last_captured_at": CAPTURED_AT}
             for population in populations for day in days if day.weekday() < 6]
        ),
        "rpt_capture_reconciliation": pl.DataFrame(
            {"capture_id": ["c1"], "origin": [FORMULA_TITLE], "source": ["hf_api"],
             "format": ["daily_papers_json"], "listing_kind": ["daily"],
             "listing_kind_rule": ["a rule"], "listed_on": [date(2025, 3, 31)],
             "listed_on_basis": ["name"], "captured_at": [CAPTURED_AT],
             "captured_at_basis": ["name"], "overrides": ["{}"], "rules": [["one", "two"]],
             "n_seen": [5], "n_accepted": [4], "n_quarantined": [1], "n_item_rows": [4],
             "n_by_reason": [["not_a_listing: 1"]], "parser_version": ["1"], "sha256": ["00"]}
        ),
        "rpt_quarantine": pl.DataFrame(
            {"capture_id": ["c1"], "origin": ["day.json"], "source": ["hf_api"],
             "place": ["item 3"], "reason": ["no_title"], "detail": ["no title"],
             "excerpt": ["<script>alert(2)</script>"]}
        ),
        "rpt_title_matches": pl.DataFrame(
            {"title_key": ["x"], "title": [NASTY_TITLE], "paper_id": [ids[0]],
             "outcome": ["matched"], "n_candidates": [1], "match_evidence": ["same title"]}
        ),
    }  # fmt: skip


def write_snapshot(home: Path, snapshot_id: str, tables: dict[str, pl.DataFrame]) -> Settings:
    """Write a published home whose current snapshot has these tables."""
    settings = Settings(home=home)
    folder = settings.snapshots_dir / snapshot_id
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "papertide.duckdb")) as connection:
        connection.execute("create schema marts")
        for name, frame in tables.items():
            path = folder / f"{name}.parquet"
            frame.write_parquet(path)
            connection.execute(f"create table marts.{name} as select * from read_parquet('{path}')")
        connection.execute(
            "create table main.snapshot_info as select $id as snapshot_id, "
            "timestamp '2025-04-02 06:00:00' as published_at, 'hash' as content_hash",
            {"id": snapshot_id},
        )
    (settings.snapshots_dir / "CURRENT").write_text(snapshot_id + "\n")
    return settings


@pytest.fixture
def publish(tmp_path: Path) -> Publish:
    """Publishes a small snapshot in a temporary home; each call publishes another one."""

    def make(snapshot_id: str = "one", populations: tuple[str, ...] = ("hf_daily", "arxiv"),
             **changed: Any) -> Settings:  # fmt: skip
        tables = {**marts(populations), **changed}
        return write_snapshot(tmp_path / "home", snapshot_id, tables)

    return make


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The home of a small snapshot for all tests that only read."""
    home = tmp_path_factory.mktemp("tiny") / "home"
    return write_snapshot(home, "one", marts(("hf_daily", "arxiv")))


@pytest.fixture
def reader(tiny_home: Settings) -> Reader:
    return Reader(tiny_home)


@pytest.fixture
def queries(reader: Reader) -> Queries:
    return Queries(reader)
