"""A synthetic home for tests of publishing: a candidate with the marts that the audit reads."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from copy import copy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from pipelines.publishing.publication import publish
from pipelines.publishing.snapshot import Snapshot
from pipelines.settings import Settings

FIRST = date(2025, 3, 3)  # a Monday
WEEKDAYS = [d for n in range(70) if (d := FIRST + timedelta(days=n)).isoweekday() <= 5]
TABLES = """
create schema marts;
create table marts.dim_papers (
    paper_id varchar, title varchar, published_on date, published_on_precision varchar,
    upvotes bigint
);
create table marts.fct_listings (paper_id varchar, population varchar, listed_on date);
create table marts.rpt_coverage (
    population varchar, listed_on date, is_expected boolean, is_captured boolean,
    is_complete boolean, n_papers bigint
);
create table marts.rpt_capture_reconciliation (
    capture_id varchar, origin varchar, source varchar, listing_kind varchar, listed_on date,
    captured_at timestamp, overrides varchar, n_seen bigint, n_accepted bigint, n_quarantined bigint
);
create table marts.rpt_quarantine (
    capture_id varchar, origin varchar, place varchar, reason varchar, detail varchar,
    excerpt varchar
);
create table marts.rpt_title_matches (title varchar, paper_id varchar);
create table marts.bridge_paper_topics (paper_id varchar, topic_id varchar);
create table marts.rpt_topic_trends (
    population varchar, grain varchar, period_start_on date, topic_id varchar, n_total bigint,
    share double, share_low double, share_high double
);
comment on table marts.dim_papers is 'One row for each paper';
comment on column marts.dim_papers.title is 'What it''s called';
"""


class Home:
    """A home whose candidate can be changed by SQL and published."""

    def __init__(self, path: Path, *, keep_snapshots: int = 14) -> None:
        self.settings = Settings(home=path, keep_snapshots=keep_snapshots)
        path.mkdir(parents=True, exist_ok=True)
        self.sql(TABLES)
        self._published = 0

    def copy(self, path: Path) -> Home:
        """A copy of the home at another path."""
        shutil.copytree(self.settings.home, path)
        other = copy(self)
        other.settings = self.settings.model_copy(update={"home": path})
        return other

    def sql(self, statements: str) -> None:
        """Change the candidate."""
        with duckdb.connect(str(self.settings.candidate_path)) as connection:
            connection.execute(statements)

    def day(self, listed_on: date, n: int, *, age_days: int = 2, name: str = "") -> None:
        """Add a complete day with that many papers, from one capture."""
        self.sql(_day(listed_on, n, age_days, name or f"{listed_on}"))

    def days(self, days: Sequence[date], n: int) -> None:
        """Add several such days."""
        self.sql("".join(_day(day, n, 2, f"{day}") for day in days))

    def publish(self) -> Snapshot:
        """Publish the candidate, dated one minute after the last publication."""
        self._published += 1
        moment = datetime(2025, 6, 2, tzinfo=UTC) + timedelta(minutes=self._published)
        return publish(self.settings, now=moment)


def _day(listed_on: date, n: int, age_days: int, name: str) -> str:
    return f"""
        insert into marts.dim_papers
        select '{name}-' || i, 'Title {name}-' || i, date '{listed_on}' - {age_days}, 'day', i
        from range({n}) as t(i);
        insert into marts.fct_listings
        select '{name}-' || i, 'hf_daily', date '{listed_on}' from range({n}) as t(i);
        delete from marts.rpt_coverage where listed_on = '{listed_on}';
        insert into marts.rpt_coverage
        select 'hf_daily', '{listed_on}', true, true, true, count(*)
        from marts.fct_listings where listed_on = '{listed_on}';
        insert into marts.rpt_capture_reconciliation values (
            'capture-{name}', '{name}.json', 'hf_api', 'daily', '{listed_on}',
            timestamp '2025-06-01', '{{}}', {n}, {n}, 0
        );
    """
