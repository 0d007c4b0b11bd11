"""The filters of a page as Dash components with the values of the view.

Belongs here: label, options and value of each filter. Does not: their effect. The browser changes
the URL (`assets/papertide.js`) and the server reads it (`address`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from dash import dcc, html

from dashboards import formats
from dashboards.address import ALL, MAX_SEARCH, MAX_TOPICS
from dashboards.choices import KINDS, Choices, Period
from dashboards.components import aria
from dashboards.populations import population_named
from dashboards.view import HORIZONS, SORTS, View

Control = tuple[str, Any, Any]
MAX_SEGMENTS = 4  # more options than this go into a drop-down


def build(names: Sequence[str], view: View, choices: Choices) -> tuple[Any, dict[str, Any], str]:
    """The form, the value of each filter by name, and a digest of the options."""
    controls = _Controls(view, choices)
    filters = [
        (name.removeprefix("any-"), *controls.make(name))
        for name in names
        if view.term or name != "term"
    ]
    values = {name: value for name, _, _, value in filters}
    options = repr([(name, getattr(control, "options", None)) for name, _, control, _ in filters])
    digest = hashlib.sha256(options.encode()).hexdigest()[:16]
    fields = [_field(name, label, control) for name, label, control, _ in filters]
    form = html.Div(fields, className="filters", role="group", **aria(label="Filters"))
    return (form if fields else None), values, digest


def identity(name: str) -> dict[str, str]:
    """The component id of a filter."""
    return {"type": "filter", "name": name}


def _field(name: str, label: str, control: Any) -> Any:
    return html.Div(
        [html.Span(label, className="filter-label", id=f"label-{name}"), control],
        className=f"filter filter-{name}",
        role="group",
        **aria(labelledby=f"label-{name}"),
    )


def _radio(name: str, options: list[dict[str, str]], value: str) -> Any:
    return dcc.RadioItems(
        id=identity(name), options=options, value=value, inline=True, className="segments"
    )


def _dropdown(
    name: str, options: list[dict[str, str]], value: Any, *, hint: str, multi: bool = False
) -> Any:
    return dcc.Dropdown(
        id=identity(name),
        options=options,
        value=value,
        multi=multi,
        clearable=multi or (options[:1] != [] and options[0]["value"] == ALL and value != ALL),
        searchable=len(options) > 12,
        placeholder=hint,
        optionHeight="auto",
        maxHeight=320,
    )


def _period_options(view: View) -> list[dict[str, str]]:
    return [
        {"label": _period_label(view.grain, p), "value": p.start.isoformat()}
        for p in reversed(view.periods)
    ]


def _period_label(grain: str, period: Period) -> str:
    mark = " (partial)" if period.is_partial else ""
    mark = mark if period.is_sufficient else " (insufficient)"
    return formats.sentence_case(formats.period(grain, period.start)) + mark


class _Controls:
    """Makes the control of each filter: label, component and value."""

    def __init__(self, view: View, choices: Choices) -> None:
        self._view = view
        self._choices = choices
        self._makers: dict[str, Callable[[], Control]] = {
            "population": self._population,
            "grain": self._grain,
            "period": self._period,
            "any-period": self._any_period,
            "horizon": self._horizon,
            "from": self._from,
            "to": self._to,
            "kind": self._kind,
            "area": self._area,
            "topic": self._topic,
            "topics": self._topics,
            "term": self._term,
            "q": self._q,
            "code": self._code,
            "sort": self._sort,
        }

    def make(self, name: str) -> Control:
        """The control of the filter with this name."""
        return self._makers[name]()

    def _population(self) -> Control:
        options = [
            {"label": population_named(name).name, "value": name}
            for name in self._choices.populations
        ]
        value = self._view.population
        if len(options) > MAX_SEGMENTS:
            return "Population", _dropdown("population", options, value, hint="Population"), value
        return "Population", _radio("population", options, value), value

    def _grain(self) -> Control:
        options = [
            {"label": grain.capitalize(), "value": grain}
            for grain in self._choices.grains(self._view.population)
        ]
        return "Period length", _radio("grain", options, self._view.grain), self._view.grain

    def _period(self) -> Control:
        value = self._view.period.start.isoformat() if self._view.period else None
        return (
            "Period",
            _dropdown("period", _period_options(self._view), value, hint="Period"),
            value,
        )

    def _any_period(self) -> Control:
        value = (
            self._view.period.start.isoformat()
            if self._view.period and self._view.is_period_chosen
            else ALL
        )
        options = [{"label": "All periods", "value": ALL}, *_period_options(self._view)]
        return "Period", _dropdown("period", options, value, hint="All periods"), value

    def _horizon(self) -> Control:
        options = [{"label": label, "value": value} for value, label in HORIZONS.items()]
        return "Change over", _radio("horizon", options, self._view.horizon), self._view.horizon

    def _from(self) -> Control:
        value = self._view.first.start.isoformat() if self._view.first else None
        return (
            "From",
            _dropdown("from", _period_options(self._view), value, hint="First period"),
            value,
        )

    def _to(self) -> Control:
        value = self._view.last.start.isoformat() if self._view.last else None
        return "To", _dropdown("to", _period_options(self._view), value, hint="Last period"), value

    def _kind(self) -> Control:
        options = [{"label": KINDS[kind], "value": kind} for kind in self._choices.kinds]
        return "Topics", _radio("kind", options, self._view.kind), self._view.kind

    def _area(self) -> Control:
        options = [{"label": "All areas", "value": ALL}]
        options += [{"label": area, "value": area} for area in self._choices.areas(self._view.kind)]
        value = self._view.area or ALL
        return "Area", _dropdown("area", options, value, hint="All areas"), value

    def _topic(self) -> Control:
        options = [{"label": "All topics", "value": ALL}]
        options += [
            {"label": topic.name, "value": topic.topic_id}
            for topic in self._choices.of_kind(self._view.kind)
            if self._view.area in (None, topic.area) or topic.topic_id == self._view.topic
        ]
        value = self._view.topic or ALL
        return "Topic", _dropdown("topic", options, value, hint="All topics"), value

    def _topics(self) -> Control:
        options = [
            {"label": topic.name, "value": topic.topic_id}
            for topic in self._choices.of_kind(self._view.kind)
        ]
        value = list(self._view.topics)
        hint = f"{MAX_TOPICS} largest"
        control = _dropdown("topics", options, value, hint=hint, multi=True)
        return f"Topics (up to {MAX_TOPICS})", control, value

    def _term(self) -> Control:
        """Removes the chosen term; links on other pages set it."""
        value = [self._view.term]
        options = [{"label": f"Only papers with “{self._view.term}”", "value": self._view.term}]
        return "Term", dcc.Checklist(id=identity("term"), options=options, value=value), value

    def _q(self) -> Control:
        control = dcc.Input(
            id=identity("q"),
            type="search",
            value=self._view.q,
            debounce=True,
            maxLength=MAX_SEARCH,
            placeholder="Title or author, then Enter",
            autoComplete="off",
        )
        return "Title or author contains", control, self._view.q

    def _code(self) -> Control:
        value = ["1"] if self._view.code else []
        options = [{"label": "Has a code repository", "value": "1"}]
        return "Code", dcc.Checklist(id=identity("code"), options=options, value=value), value

    def _sort(self) -> Control:
        options = [{"label": label, "value": value} for value, label in SORTS.items()]
        return "Order", _radio("sort", options, self._view.sort), self._view.sort
