"""The URL query of a page: read into a `View`, and written from one.

Belongs here: parsing, defaults, notes about ignored values, and writing. Does not: which values
exist (`choices`) or what they mean (`view`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qs, urlencode

from dashboards import formats
from dashboards.choices import TAXONOMY, Choices, Period
from dashboards.view import HORIZONS, SORTS, View, default_period, primary_horizon
from pipelines.runtime.text import shortened

ALL = "all"
DEFAULT_PERIODS = {"week": 26, "month": 24, "quarter": 12}
"""Periods on the time axis unless the address sets `from` and `to`."""

MAX_TOPICS = 6
MAX_SEARCH = 200
MAX_PARAMETERS = 50
PARAMETERS = (
    *("population", "grain", "period", "horizon", "from", "to", "kind", "area", "topic", "topics"),
    *("term", "q", "code", "sort", "page"),
)


def read(search: str | None, choices: Choices) -> View:
    """The view of a URL query. An invalid value falls back to its default and adds a note."""
    query = _Query(search or "")
    population = query.one_of("population", choices.populations, _first(choices.populations))
    grains = choices.grains(population)
    default_grain = "month" if "month" in grains else _first(grains)
    grain = query.one_of("grain", grains, default_grain, label="period length")
    periods = choices.periods.get((population, grain), ())
    period = query.period("period", periods, default_period(periods), label="period")
    first, last = query.span(periods, DEFAULT_PERIODS.get(grain, 24))
    topic_ids = [topic.topic_id for topic in choices.topics]
    topic = query.one_of("topic", topic_ids, "") or None
    kind = query.kind(topic, choices)
    return View(
        population=population,
        grain=grain,
        periods=periods,
        period=period,
        is_period_chosen="period" in query.values and period is not None,
        horizon=query.one_of("horizon", tuple(HORIZONS), primary_horizon(grain)),
        first=first,
        last=last,
        kind=kind,
        area=query.one_of("area", choices.areas(kind), "") or None,
        topic=topic,
        topics=query.topics([one.topic_id for one in choices.of_kind(kind)]),
        term=query.text("term"),
        q=query.text("q"),
        code=query.one_of("code", ("1",), "", label="code filter") == "1",
        sort=query.one_of("sort", tuple(SORTS), "listed", label="order"),
        page=query.page(),
        notes=tuple(query.notes),
    )


def write(params: Mapping[str, str | None]) -> str:
    """The URL query of the values that are set, with its question mark; empty for none."""
    given = {name: value for name, value in params.items() if value}
    return "?" + urlencode(given) if given else ""


def shared_params(view: View) -> dict[str, str]:
    """The parameters that links between pages keep: population and grain."""
    return {"population": view.population, "grain": view.grain}


def all_params(view: View) -> dict[str, str]:
    """Every parameter that differs from its default, so that a link reproduces the view."""
    params = {
        **shared_params(view),
        "period": view.period.start.isoformat() if view.period and view.is_period_chosen else "",
        "horizon": view.horizon if view.horizon != view.primary_horizon else "",
        "from": view.first.start.isoformat() if view.first else "",
        "to": view.last.start.isoformat() if view.last else "",
        "kind": view.kind if view.kind != TAXONOMY else "",
        "area": view.area or "",
        "topic": view.topic or "",
        "topics": ",".join(view.topics),
        "term": view.term,
        "q": view.q,
        "code": "1" if view.code else "",
        "sort": view.sort if view.sort != "listed" else "",
        "page": str(view.page) if view.page > 1 else "",
    }
    return {name: value for name, value in params.items() if value}


class _Query:
    """The parameters of a URL query by name, and notes about those that were ignored."""

    def __init__(self, search: str) -> None:
        self.notes: list[str] = []
        parts = search.lstrip("?").split("&")
        if len(parts) > MAX_PARAMETERS:
            self.notes.append(
                f"The address has more than {MAX_PARAMETERS} parameters; the others are ignored."
            )
        pairs = parse_qs("&".join(parts[:MAX_PARAMETERS]))
        self.values = {name: v[-1].strip() for name, v in pairs.items() if v[-1].strip()}
        if unknown := [name for name in self.values if name not in PARAMETERS]:
            self.notes.append(f"Ignored unknown parameters: {_quoted(unknown)}.")

    def text(self, name: str) -> str:
        return self.values.get(name, "")[:MAX_SEARCH]

    def one_of(self, name: str, offered: Iterable[str], default: str, *, label: str = "") -> str:
        value = self.values.get(name)
        if not value or value == ALL:
            return default
        if value in offered:
            return value
        self._reject(label or name, value, default)
        return default

    def period(
        self, name: str, offered: Sequence[Period], default: Period | None, *, label: str
    ) -> Period | None:
        value = self.values.get(name)
        if not value:
            return default
        found = next((p for p in offered if p.start.isoformat() == value), None)
        if found is None:
            shown = formats.day(default.start) if default else ""
            self._reject(f"{label} that starts on", value, shown)
        return found or default

    def span(
        self, periods: tuple[Period, ...], n_default: int
    ) -> tuple[Period | None, Period | None]:
        """The first and the last period of the time axis."""
        recent = periods[-n_default:]
        starts = tuple(p for p in recent if p.is_sufficient) or recent
        first = self.period("from", periods, starts[0] if starts else None, label="first period")
        last = self.period("to", periods, periods[-1] if periods else None, label="last period")
        if first and last and first.start > last.start:
            self.notes.append("The first period was after the last one; they were swapped.")
            return last, first
        return first, last

    def kind(self, topic: str | None, choices: Choices) -> str:
        """The kind of the chosen topic; else the chosen kind, that of `topics`, or the taxonomy."""
        chosen = self.one_of("kind", choices.kinds, TAXONOMY, label="kind of topics")
        named = [choices.topic(topic)]
        if "kind" not in self.values:
            named += [choices.topic(one) for one in self.values.get("topics", "").split(",")]
        return next((choice.kind for choice in named if choice), chosen)

    def topics(self, offered: Sequence[str]) -> tuple[str, ...]:
        parts = self.values.get("topics", "").split(",")
        chosen = list(dict.fromkeys(part for part in parts if part))
        if unknown := [topic for topic in chosen if topic not in offered]:
            self.notes.append(f"Ignored unknown topics: {_quoted(unknown)}.")
        known = [topic for topic in chosen if topic in offered]
        if len(known) > MAX_TOPICS:
            self.notes.append(
                f"Showing the first {MAX_TOPICS} topics, the maximum for a comparison."
            )
        return tuple(known[:MAX_TOPICS])

    def page(self) -> int:
        value = self.values.get("page", "1")
        if value.isascii() and value.isdigit() and len(value) < 7 and int(value) > 0:
            return int(value)
        self._reject("page", value, "1")
        return 1

    def _reject(self, label: str, value: str, default: str) -> None:
        instead = f"showing “{default}” instead" if default else "ignored"
        self.notes.append(f"There is no {label} “{_short(value)}”; {instead}.")


def _quoted(values: Sequence[str]) -> str:
    """The first three values in quotation marks."""
    return formats.listed([f"“{_short(value)}”" for value in values[:3]])


def _short(value: str) -> str:
    return shortened(value, 40)


def _first(values: tuple[str, ...]) -> str:
    return values[0] if values else ""
