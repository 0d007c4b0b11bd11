"""The audit: which candidates pass, which are refused, and the messages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.audit import runner
from pipelines.audit.findings import Outcome, Refused
from pipelines.publishing.acceptances import accept
from pipelines.publishing.status import weekdays_between
from tests.unit.published import WEEKDAYS, Home

pytestmark = pytest.mark.unit

LAST, NEXT = WEEKDAYS[44], WEEKDAYS[45]
NOW = datetime.combine(NEXT + timedelta(days=1), datetime.min.time(), UTC)


@pytest.fixture(scope="module")
def nine_weeks(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A published home with nine weeks of ten papers per weekday."""
    home = Home(tmp_path_factory.mktemp("nine-weeks") / "home")
    home.days(WEEKDAYS[:45], 10)
    home.publish()
    return home


@pytest.fixture
def home(nine_weeks: Home, tmp_path: Path) -> Home:
    """A copy that a test may change."""
    return nine_weeks.copy(tmp_path / "home")


def audit(home: Home) -> dict[str, Outcome]:
    return runner.run(home.settings, now=NOW)


def errors(home: Home) -> list[tuple[str, str]]:
    return [(f.check, f.subject) for outcome in audit(home).values() for f in outcome.errors]


def test_a_normal_day_passes(home: Home) -> None:
    home.day(NEXT, 11)
    outcomes = audit(home)
    assert not [f for outcome in outcomes.values() for f in outcome.findings]
    assert outcomes["listed_papers_are_recent"].figures["n_days_judged"] == 1
    assert outcomes["day_volume_is_usual"].figures["n_days_judged"] == 1
    assert outcomes["every_item_is_accounted_for"].figures["n_seen"] == 461


def test_the_first_build_is_audited_too(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.days(WEEKDAYS[:9], 10)
    home.day(WEEKDAYS[9], 8, age_days=700)
    assert errors(home) == [("listed_papers_are_recent", f"{WEEKDAYS[9]}")]


def test_a_search_page_is_reported_with_its_file_and_the_next_step(home: Home) -> None:
    home.day(NEXT, 12, age_days=400, name="page.txt")
    (finding,) = audit(home)["listed_papers_are_recent"].errors
    assert finding.subject == f"{NEXT}"
    assert "page.txt.json adds 12 dated papers" in finding.message
    assert "Only 0 of them were published" in finding.message
    assert "--kind search` with the path of page.txt.json" in finding.next_step


def test_a_search_page_added_to_a_known_day_is_detected(home: Home) -> None:
    home.day(LAST, 40, age_days=300, name="page")
    (finding,) = audit(home)["listed_papers_are_recent"].errors
    assert finding.message.startswith("page.json adds 50 dated papers")


@pytest.mark.parametrize(("age_days", "n_errors"), [(40, 0), (61, 1)])
def test_with_few_papers_one_recent_paper_is_enough(
    home: Home, age_days: int, n_errors: int
) -> None:
    home.day(NEXT, 4, age_days=age_days)
    assert len(audit(home)["listed_papers_are_recent"].errors) == n_errors


def test_dates_of_month_precision_are_ignored(home: Home) -> None:
    home.day(NEXT, 10, age_days=200)
    home.sql(
        "update marts.dim_papers set published_on_precision = 'month' "
        f"where paper_id like '{NEXT}-%'"
    )
    assert errors(home) == []


def remove_listings(home: Home, day: date, n: int) -> None:
    home.sql(
        f"delete from marts.fct_listings where listed_on = '{day}' "
        f"and split_part(paper_id, '-', 4)::int < {n}"
    )


def test_a_smaller_day_is_refused(home: Home) -> None:
    remove_listings(home, LAST, 3)
    (finding,) = audit(home)["no_day_shrinks"].errors
    assert f"hf_daily on {LAST} would shrink from 10 to 7 papers" in finding.message


def test_a_missing_capture_is_named(home: Home) -> None:
    remove_listings(home, LAST, 10)
    home.sql(f"delete from marts.rpt_capture_reconciliation where listed_on = '{LAST}'")
    (finding,) = audit(home)["no_day_shrinks"].errors
    assert f"Missing captures: {LAST}.json." in finding.message


def test_an_override_may_shrink_a_day(home: Home) -> None:
    remove_listings(home, LAST, 10)
    home.sql(
        "update marts.rpt_capture_reconciliation set listing_kind = 'search', listed_on = null, "
        f"""overrides = '{{"kind": "search"}}' where capture_id = 'capture-{LAST}'"""
    )
    assert errors(home) == []
    assert audit(home)["no_day_shrinks"].figures["n_days_smaller_by_override"] == 1


def test_an_override_of_neither_kind_nor_day_is_no_excuse(home: Home) -> None:
    remove_listings(home, LAST, 1)
    home.sql(
        "update marts.rpt_capture_reconciliation "
        """set overrides = '{"captured_on": "2025-05-05"}'"""
    )
    assert errors(home) == [("no_day_shrinks", f"{LAST}")]


def test_a_title_matched_to_an_id_is_not_lost(home: Home) -> None:
    gone, kept = f"{LAST}-0", f"{LAST}-1"
    home.sql(
        f"""
        delete from marts.fct_listings where paper_id = '{gone}';
        delete from marts.dim_papers where paper_id = '{gone}';
        insert into marts.rpt_title_matches values ('Title {gone}', '{kept}');
        """
    )
    assert errors(home) == []


def test_a_loss_of_papers_is_refused(home: Home) -> None:
    home.sql("delete from marts.dim_papers where paper_id like '2025-03-0%'")
    found = errors(home)
    assert ("papers_are_kept", "dim_papers") in found
    (finding,) = audit(home)["papers_are_kept"].errors
    assert "dim_papers would shrink from 450 to 400 papers" in finding.message


def test_a_loss_of_one_percent_of_papers_passes(home: Home) -> None:
    home.sql("delete from marts.dim_papers where paper_id in ('2025-03-03-0', '2025-03-03-1')")
    assert ("papers_are_kept", "dim_papers") not in errors(home)


def test_a_mart_may_not_become_empty_except_quarantine(home: Home) -> None:
    home.sql("insert into marts.rpt_quarantine values ('c', 'o', 'p', 'r', 'd', 'e')")
    home.sql(
        "insert into marts.rpt_topic_trends "
        "values ('hf_daily', 'week', '2025-03-03', 'a', 1, 0, 0, 0)"
    )
    home.publish()
    home.sql("delete from marts.rpt_quarantine; delete from marts.rpt_topic_trends")
    assert errors(home) == [("no_mart_becomes_empty", "rpt_topic_trends")]


@pytest.mark.parametrize(("n", "is_unusual"), [(5, True), (6, False), (30, False), (31, True)])
def test_too_few_or_too_many_papers_are_refused(home: Home, n: int, is_unusual: bool) -> None:
    home.day(NEXT, n)
    found = audit(home)["day_volume_is_usual"].errors
    assert bool(found) == is_unusual
    if is_unusual:
        assert f"has {n} papers. The median of the 10 days before is 10" in found[0].message
        assert "holidays" in found[0].message


def test_a_usually_short_weekday_passes(home: Home) -> None:
    same = [day for day in WEEKDAYS if day.weekday() == NEXT.weekday() and day < NEXT]
    days = ", ".join(f"'{day}'" for day in same)
    home.sql(f"update marts.rpt_coverage set n_papers = 4 where listed_on in ({days})")
    home.day(NEXT, 4)
    assert errors(home) == []


def test_a_short_day_shown_twice_is_a_warning(home: Home) -> None:
    home.day(NEXT, 3)
    home.sql(
        f"update marts.rpt_capture_reconciliation set captured_at = '{NEXT}'::timestamp "
        f"+ interval 25 hours where listed_on = '{NEXT}'"
    )
    assert errors(home) == [("day_volume_is_usual", f"{NEXT}")]
    home.sql(
        "insert into marts.rpt_capture_reconciliation select 'again', 'again.json', source, "
        "listing_kind, listed_on, captured_at + interval 12 hours, overrides, n_seen, n_accepted, "
        f"n_quarantined from marts.rpt_capture_reconciliation where listed_on = '{NEXT}'"
    )
    (finding,) = audit(home)["day_volume_is_usual"].findings
    assert finding.severity == "warning"
    assert "has shown this number twice" in finding.message


@pytest.mark.parametrize(("days_later", "severity"), [(14, "error"), (15, "warning")])
def test_a_short_day_that_nobody_fetches_again_is_a_warning(
    home: Home, days_later: int, severity: str
) -> None:
    home.day(NEXT, 3)
    now = datetime.combine(NEXT + timedelta(days=days_later), datetime.min.time(), UTC)
    (finding,) = runner.run(home.settings, now=now)["day_volume_is_usual"].findings
    assert finding.severity == severity


def test_without_a_snapshot_an_unusual_day_is_a_warning(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.days(WEEKDAYS[:45], 10)
    home.day(NEXT, 1)
    (finding,) = audit(home)["day_volume_is_usual"].findings
    assert finding.severity == "warning"


def test_an_accepted_unusual_day_stays_accepted(home: Home) -> None:
    home.day(NEXT, 2)
    accept(home.settings, f"{NEXT}", "a holiday", now=datetime(2020, 1, 1, tzinfo=UTC))
    (finding,) = audit(home)["day_volume_is_usual"].findings
    assert finding.severity == "warning"
    assert finding.next_step == "Accepted on 2020-01-01: a holiday"


def test_other_acceptances_hold_for_one_publication(home: Home) -> None:
    remove_listings(home, LAST, 1)
    accept(home.settings, f"{LAST}", "yes", now=datetime(2020, 1, 1, tzinfo=UTC))
    assert errors(home) == [("no_day_shrinks", f"{LAST}")]
    accept(home.settings, f"{LAST}", "yes", now=datetime(2025, 6, 3, tzinfo=UTC))
    assert errors(home) == []


def test_missed_weekdays_and_old_figures_are_warnings(home: Home) -> None:
    home.sql(f"insert into marts.rpt_coverage values ('hf_daily', '{NEXT}', true, false, false, 0)")
    home.day(WEEKDAYS[46], 10)
    outcomes = runner.run(home.settings, now=NOW + timedelta(days=14))
    (missed,) = outcomes["no_weekday_is_missed"].findings
    (old,) = outcomes["newest_day_is_recent"].findings
    assert (missed.severity, old.severity) == ("warning", "warning")
    assert f"of {NEXT}" in missed.message
    assert f"for {WEEKDAYS[46]}, 10 weekdays ago" in old.message


def test_items_must_add_up(home: Home) -> None:
    home.sql("update marts.rpt_capture_reconciliation set n_quarantined = 1, n_seen = n_seen")
    (finding,) = audit(home)["every_item_is_accounted_for"].errors
    assert "450 items were seen, but 450 accepted + 45 quarantined = 495" in finding.message


def test_a_snapshot_with_other_columns_is_not_compared(home: Home) -> None:
    home.sql("alter table marts.rpt_coverage rename column n_papers to n")
    home.publish()
    home.sql("alter table marts.rpt_coverage rename column n to n_papers")
    remove_listings(home, LAST, 10)
    assert errors(home) == []


def test_a_refusal_lists_every_finding(home: Home) -> None:
    remove_listings(home, LAST, 1)
    remove_listings(home, WEEKDAYS[0], 1)
    found = [f for outcome in audit(home).values() for f in outcome.errors]
    assert str(Refused(found)).count("\n- ") == len(found) == 2
    one = str(Refused(found[:1]))
    assert "\n" not in one
    assert one.startswith("Nothing was published; readers still see the last snapshot. hf_daily on")


def test_weekdays_between() -> None:
    friday = date(2025, 6, 6)
    assert weekdays_between(friday, friday) == 0
    assert weekdays_between(friday, date(2025, 6, 9)) == 1
    assert weekdays_between(friday, date(2025, 6, 16)) == 6
