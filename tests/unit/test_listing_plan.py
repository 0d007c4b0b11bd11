"""Which days are due: a growing list repeatedly, a complete one at set ages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from pipelines.sources.huggingface.plan import KnownDay, day_end, decide

pytestmark = pytest.mark.unit

TUESDAY = date(2025, 6, 3)
SATURDAY = date(2025, 6, 7)
END = day_end(TUESDAY)
AGES = (1, 3, 7)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "known", "now", "is_due", "reason"),
    [
        pytest.param(TUESDAY, None, END - DAY, True, "never", id="the day has begun"),
        pytest.param(TUESDAY, None, END - DAY - HOUR, False, "future", id="not begun"),
        pytest.param(TUESDAY, None, END + 900 * DAY, True, "never", id="years ago"),
        pytest.param(SATURDAY, None, day_end(SATURDAY) - HOUR, False, "weekend", id="weekend"),
        pytest.param(SATURDAY, None, day_end(SATURDAY), True, "never", id="weekend over"),
        pytest.param(
            TUESDAY,
            KnownDay(END - 3 * HOUR, END - 3 * HOUR),
            END - HOUR,
            True,
            "growing",
            id="growing",
        ),
        pytest.param(
            TUESDAY,
            KnownDay(END - HOUR, END - HOUR),
            END - HOUR / 2,
            False,
            "hour",
            id="just fetched",
        ),
        pytest.param(
            TUESDAY, KnownDay(END - HOUR, END - HOUR), END, True, "since the day ended", id="ended"
        ),
        pytest.param(
            TUESDAY, KnownDay(END + HOUR), END + HOUR, True, "completely", id="last page missing"
        ),
        pytest.param(
            TUESDAY,
            KnownDay(END + HOUR, END + HOUR),
            END + 2 * HOUR,
            False,
            "complete",
            id="complete",
        ),
        pytest.param(
            TUESDAY,
            KnownDay(END + HOUR, END + HOUR),
            END + DAY,
            True,
            "after 1 days",
            id="a day old",
        ),
        pytest.param(
            TUESDAY, KnownDay(END + DAY, END + DAY), END + 2 * DAY, False, "complete", id="observed"
        ),
        pytest.param(
            TUESDAY,
            KnownDay(END + HOUR, END + HOUR),
            END + 9 * DAY,
            True,
            "after 7",
            id="the oldest age",
        ),
        pytest.param(
            TUESDAY,
            KnownDay(END + 8 * DAY, END + 8 * DAY),
            END + 99 * DAY,
            False,
            "complete",
            id="done",
        ),
        pytest.param(
            SATURDAY,
            KnownDay(day_end(SATURDAY), day_end(SATURDAY), is_empty=True),
            day_end(SATURDAY) + 9 * DAY,
            False,
            "complete",
            id="an empty day is not observed again",
        ),
        pytest.param(
            TUESDAY,
            KnownDay(END + HOUR, END + HOUR, is_empty=True, first_ended_at=END + HOUR),
            END + HOUR,
            True,
            "not confirmed",
            id="an empty weekday is asked for again",
        ),
        pytest.param(
            TUESDAY,
            KnownDay(END + 13 * HOUR, END + 13 * HOUR, is_empty=True, first_ended_at=END + HOUR),
            END + 9 * DAY,
            False,
            "complete",
            id="an empty weekday is confirmed half a day later",
        ),
    ],
)
def test_a_decision(
    day: date, known: KnownDay | None, now: datetime, is_due: bool, reason: str
) -> None:
    (decision,) = decide([day], {day: known} if known else {}, now, AGES)
    assert (decision.is_due, reason in decision.reason) == (is_due, True), decision.reason


def test_a_finished_list_is_fetched_once_per_age() -> None:
    """Simulates 100 days: fetched while the list grows, once after its end, once per age."""
    known: dict[date, KnownDay] = {}
    fetched_at = []
    moment = datetime(2025, 6, 3, 10, tzinfo=UTC)
    for _ in range(100 * 4):
        if decide([TUESDAY], known, moment, AGES)[0].is_due:
            fetched_at.append(moment)
            known[TUESDAY] = KnownDay(moment, moment)
        moment += timedelta(hours=6)
    after_end = [(m - END).days for m in fetched_at if m >= END]
    assert after_end == [0, 1, 3, 7]
    assert len(fetched_at) - len(after_end) == 3
