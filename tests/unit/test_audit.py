"""What the last look at a candidate lets through, and what it stops, with which words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.audit import runner
from pipelines.audit.findings import Answer, Refused
from pipelines.audit.rules import weekdays_between
from pipelines.publishing import build_status
from tests.unit.published import WEEKDAYS, Home

pytestmark = pytest.mark.unit

LAST, NEXT = WEEKDAYS[44], WEEKDAYS[45]
NOW = datetime.combine(NEXT + timedelta(days=1), datetime.min.time(), UTC)


@pytest.fixture(scope="module")
def nine_weeks(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Nine weeks of ten papers a weekday, published."""
    home = Home(tmp_path_factory.mktemp("nine-weeks") / "home")
    home.days(WEEKDAYS[:45], 10)
    home.publish()
    return home


@pytest.fixture
def home(nine_weeks: Home, tmp_path: Path) -> Home:
    """A copy that a test may change."""
    return nine_weeks.copy(tmp_path / "home")


def ask(home: Home) -> dict[str, Answer]:
    return runner.run(home.settings, now=NOW)


def errors(home: Home) -> list[tuple[str, str]]:
    return [(f.check, f.subject) for answer in ask(home).values() for f in answer.errors]


def test_a_usual_day_passes(home: Home) -> None:
    home.day(NEXT, 11)
    answers = ask(home)
    assert not [f for answer in answers.values() for f in answer.findings]
    assert answers["listed_papers_are_recent"].figures["n_days_judged"] == 1
    assert answers["day_volume_is_usual"].figures["n_days_judged"] == 1
    assert answers["every_item_is_accounted_for"].figures["n_seen"] == 461


def test_the_first_build_is_audited_too(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.days(WEEKDAYS[:9], 10)
    home.day(WEEKDAYS[9], 8, age_days=700)
    assert errors(home) == [("listed_papers_are_recent", f"{WEEKDAYS[9]}")]


def test_a_search_page_as_a_day_is_told_with_its_file_and_the_way_out(home: Home) -> None:
    home.day(NEXT, 12, age_days=400, name="page.txt")
    (finding,) = ask(home)["listed_papers_are_recent"].errors
    assert finding.subject == f"{NEXT}"
    assert "page.txt.json puts 12 dated papers" in finding.message
    assert "only 0 of them were published" in finding.message
    assert "--kind search` with the path of page.txt.json" in finding.next_step


def test_a_search_page_mixed_into_a_day_that_is_known_is_found(home: Home) -> None:
    home.day(LAST, 40, age_days=300, name="page")
    (finding,) = ask(home)["listed_papers_are_recent"].errors
    assert finding.message.startswith("page.json puts 50 dated papers")


@pytest.mark.parametrize(("age_days", "n_errors"), [(40, 0), (61, 1)])
def test_of_a_few_papers_one_must_be_near(home: Home, age_days: int, n_errors: int) -> None:
    home.day(NEXT, 4, age_days=age_days)
    assert len(ask(home)["listed_papers_are_recent"].errors) == n_errors


def test_a_month_says_nothing_about_a_day(home: Home) -> None:
    home.day(NEXT, 10, age_days=200)
    home.sql(
        "update marts.dim_papers set published_on_precision = 'month' "
        f"where paper_id like '{NEXT}-%'"
    )
    assert errors(home) == []


def lose(home: Home, day: date, n: int) -> None:
    home.sql(
        f"delete from marts.fct_listings where listed_on = '{day}' "
        f"and split_part(paper_id, '-', 4)::int < {n}"
    )


def test_less_does_not_replace_more(home: Home) -> None:
    lose(home, LAST, 3)
    (finding,) = ask(home)["no_day_shrinks"].errors
    assert f"hf_daily on {LAST} would have 7 papers; readers see 10 now" in finding.message


def test_a_capture_that_is_gone_is_named(home: Home) -> None:
    lose(home, LAST, 10)
    home.sql(f"delete from marts.rpt_capture_reconciliation where listed_on = '{LAST}'")
    (finding,) = ask(home)["no_day_shrinks"].errors
    assert f"({LAST}.json is no longer among the captures)" in finding.message


def test_a_user_who_reads_a_capture_otherwise_may_shrink_its_day(home: Home) -> None:
    lose(home, LAST, 10)
    home.sql(
        "update marts.rpt_capture_reconciliation set listing_kind = 'search', listed_on = null, "
        f"""overrides = '{{"kind": "search"}}' where capture_id = 'capture-{LAST}'"""
    )
    assert errors(home) == []
    assert ask(home)["no_day_shrinks"].figures["n_days_smaller_by_override"] == 1


def test_an_override_that_changes_neither_kind_nor_day_does_not_excuse(home: Home) -> None:
    lose(home, LAST, 1)
    home.sql(
        "update marts.rpt_capture_reconciliation "
        """set overrides = '{"captured_on": "2025-05-05"}'"""
    )
    assert errors(home) == [("no_day_shrinks", f"{LAST}")]


def test_a_title_that_was_found_under_its_id_is_not_lost(home: Home) -> None:
    gone, kept = f"{LAST}-0", f"{LAST}-1"
    home.sql(
        f"""
        delete from marts.fct_listings where paper_id = '{gone}';
        delete from marts.dim_papers where paper_id = '{gone}';
        insert into marts.rpt_title_matches values ('Title {gone}', '{kept}');
        """
    )
    assert errors(home) == []


def test_papers_may_not_vanish(home: Home) -> None:
    home.sql("delete from marts.dim_papers where paper_id like '2025-03-0%'")
    found = errors(home)
    assert ("papers_stay", "dim_papers") in found
    (finding,) = ask(home)["papers_stay"].errors
    assert "400 papers; readers see 450 now" in finding.message


def test_one_paper_in_a_hundred_may_go(home: Home) -> None:
    home.sql("delete from marts.dim_papers where paper_id in ('2025-03-03-0', '2025-03-03-1')")
    assert ("papers_stay", "dim_papers") not in errors(home)


def test_a_mart_may_not_become_empty_but_quarantine_may(home: Home) -> None:
    home.sql("insert into marts.rpt_quarantine values ('c', 'o', 'p', 'r', 'd', 'e')")
    home.sql(
        "insert into marts.rpt_topic_trends "
        "values ('hf_daily', 'week', '2025-03-03', 'a', 1, 0, 0, 0)"
    )
    home.publish()
    home.sql("delete from marts.rpt_quarantine; delete from marts.rpt_topic_trends")
    assert errors(home) == [("no_mart_empties", "rpt_topic_trends")]


@pytest.mark.parametrize(("n", "is_unusual"), [(5, True), (6, False), (30, False), (31, True)])
def test_half_a_day_is_not_a_day(home: Home, n: int, is_unusual: bool) -> None:
    home.day(NEXT, n)
    found = ask(home)["day_volume_is_usual"].errors
    assert bool(found) == is_unusual
    if is_unusual:
        assert f"has {n} papers; the 10 days before it had 10" in found[0].message
        assert "holidays" in found[0].message


def test_a_weekday_that_is_always_short_passes(home: Home) -> None:
    same = [day for day in WEEKDAYS if day.weekday() == NEXT.weekday() and day < NEXT]
    days = ", ".join(f"'{day}'" for day in same)
    home.sql(f"update marts.rpt_coverage set n_papers = 4 where listed_on in ({days})")
    home.day(NEXT, 4)
    assert errors(home) == []


def test_a_short_day_that_the_source_shows_twice_is_a_warning(home: Home) -> None:
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
    (finding,) = ask(home)["day_volume_is_usual"].findings
    assert finding.severity == "warning"
    assert "has shown it twice" in finding.message


def test_without_a_snapshot_an_unusual_day_is_a_warning(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.days(WEEKDAYS[:45], 10)
    home.day(NEXT, 1)
    (finding,) = ask(home)["day_volume_is_usual"].findings
    assert finding.severity == "warning"


def test_an_unusual_day_is_accepted_for_good(home: Home) -> None:
    home.day(NEXT, 2)
    build_status.accept(home.settings, f"{NEXT}", "a holiday", now=datetime(2020, 1, 1, tzinfo=UTC))
    (finding,) = ask(home)["day_volume_is_usual"].findings
    assert finding.severity == "warning"
    assert finding.next_step == "Accepted on 2020-01-01: a holiday"


def test_anything_else_is_accepted_for_one_publication(home: Home) -> None:
    lose(home, LAST, 1)
    build_status.accept(home.settings, f"{LAST}", "yes", now=datetime(2020, 1, 1, tzinfo=UTC))
    assert errors(home) == [("no_day_shrinks", f"{LAST}")]
    build_status.accept(home.settings, f"{LAST}", "yes", now=datetime(2025, 6, 3, tzinfo=UTC))
    assert errors(home) == []


def test_a_missed_weekday_and_old_figures_are_warnings(home: Home) -> None:
    home.sql(f"insert into marts.rpt_coverage values ('hf_daily', '{NEXT}', true, false, false, 0)")
    home.day(WEEKDAYS[46], 10)
    answers = runner.run(home.settings, now=NOW + timedelta(days=14))
    (missed,) = answers["coverage_goes_on"].findings
    (old,) = answers["newest_day_is_recent"].findings
    assert (missed.severity, old.severity) == ("warning", "warning")
    assert f"of {NEXT}" in missed.message
    assert f"of {WEEKDAYS[46]}, 10 weekdays ago" in old.message


def test_items_must_add_up(home: Home) -> None:
    home.sql("update marts.rpt_capture_reconciliation set n_quarantined = 1, n_seen = n_seen")
    (finding,) = ask(home)["every_item_is_accounted_for"].errors
    assert "450 items were seen, but 450 accepted + 45 quarantined are 495" in finding.message


def test_a_current_snapshot_of_another_shape_is_nothing_to_compare_with(home: Home) -> None:
    home.sql("alter table marts.rpt_coverage rename column n_papers to n")
    home.publish()
    home.sql("alter table marts.rpt_coverage rename column n to n_papers")
    lose(home, LAST, 10)
    assert errors(home) == []


def test_a_refusal_has_one_sentence_for_each_finding(home: Home) -> None:
    lose(home, LAST, 1)
    lose(home, WEEKDAYS[0], 1)
    found = [f for answer in ask(home).values() for f in answer.errors]
    assert str(Refused(found)).count("\n- ") == len(found) == 2
    one = str(Refused(found[:1]))
    assert "\n" not in one
    assert one.startswith("Nothing was published, readers keep the last snapshot: hf_daily on")


def test_weekdays_between() -> None:
    friday = date(2025, 6, 6)
    assert weekdays_between(friday, friday) == 0
    assert weekdays_between(friday, date(2025, 6, 9)) == 1
    assert weekdays_between(friday, date(2025, 6, 16)) == 6
