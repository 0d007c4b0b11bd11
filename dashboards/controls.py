"""The controls of a page: one for each filter it offers, showing what the URL says.

Belongs here: filters as Dash components. Does not: what they do (the address is changed in
`assets/papertide.js`, and read in `state`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dash import dcc, html

from dashboards import formats
from dashboards.state import (
    ALL,
    MAX_SEARCH,
    MAX_TOPICS,
    SORTS,
    Choices,
    Period,
    View,
    population_named,
)

Control = tuple[str, Any, Any]


def build(names: Sequence[str], view: View, choices: Choices) -> tuple[Any, dict[str, Any]]:
    """The controls and the values they show, by name."""
    made = [(name.removeprefix("any-"), *_MAKERS[name](view, choices)) for name in names]
    values = {name: value for name, _, _, value in made}
    fields = [_field(name, label, control) for name, label, control, _ in made]
    form = html.Div(fields, className="filters", role="group", **{"aria-label": "Filters"})
    return (form if fields else None), values


def identity(name: str) -> dict[str, str]:
    """The id of a control."""
    return {"type": "filter", "name": name}


def _field(name: str, label: str, control: Any) -> Any:
    return html.Div(
        [html.Span(label, className="filter-label", id=f"label-{name}"), control],
        className=f"filter filter-{name}",
        role="group",
        **{"aria-labelledby": f"label-{name}"},
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
        clearable=multi or value != ALL,
        searchable=len(options) > 12,
        placeholder=hint,
        optionHeight="auto",
        maxHeight=320,
    )


def _population(view: View, choices: Choices) -> Control:
    options = [
        {"label": population_named(name).name, "value": name} for name in choices.populations
    ]
    return "Population", _radio("population", options, view.population), view.population


def _grain(view: View, choices: Choices) -> Control:
    options = [
        {"label": grain.capitalize(), "value": grain} for grain in choices.grains(view.population)
    ]
    return "Period length", _radio("grain", options, view.grain), view.grain


def _period_options(view: View) -> list[dict[str, str]]:
    return [
        {"label": _period_label(view.grain, p), "value": p.start.isoformat()}
        for p in reversed(view.periods)
    ]


def _period_label(grain: str, period: Period) -> str:
    mark = " (insufficient)" if not period.is_sufficient else ""
    mark = mark or (" (partial)" if period.is_partial else "")
    name = formats.period(grain, period.start)
    return f"{name[0].upper()}{name[1:]}{mark}"


def _period(view: View, choices: Choices) -> Control:
    value = view.period.start.isoformat() if view.period else None
    return "Period", _dropdown("period", _period_options(view), value, hint="Period"), value


def _any_period(view: View, choices: Choices) -> Control:
    value = view.period.start.isoformat() if view.period and view.has_period else ALL
    options = [{"label": "All periods", "value": ALL}, *_period_options(view)]
    return "Period", _dropdown("period", options, value, hint="All periods"), value


def _from(view: View, choices: Choices) -> Control:
    value = view.start.start.isoformat() if view.start else None
    return "From", _dropdown("from", _period_options(view), value, hint="First period"), value


def _to(view: View, choices: Choices) -> Control:
    value = view.end.start.isoformat() if view.end else None
    return "To", _dropdown("to", _period_options(view), value, hint="Last period"), value


def _area(view: View, choices: Choices) -> Control:
    options = [{"label": "All areas", "value": ALL}]
    options += [{"label": area, "value": area} for area in choices.areas]
    value = view.area or ALL
    return "Area", _dropdown("area", options, value, hint="All areas"), value


def _topic(view: View, choices: Choices) -> Control:
    options = [{"label": "All topics", "value": ALL}]
    options += [
        {"label": topic.name, "value": topic.topic_id}
        for topic in choices.topics
        if view.area in (None, topic.area) or topic.topic_id == view.topic
    ]
    value = view.topic or ALL
    return "Topic", _dropdown("topic", options, value, hint="All topics"), value


def _topics(view: View, choices: Choices) -> Control:
    options = [{"label": topic.name, "value": topic.topic_id} for topic in choices.topics]
    value = list(view.topics)
    hint = f"The {MAX_TOPICS} largest"
    control = _dropdown("topics", options, value, hint=hint, multi=True)
    return f"Topics (up to {MAX_TOPICS})", control, value


def _q(view: View, choices: Choices) -> Control:
    control = dcc.Input(
        id=identity("q"),
        type="search",
        value=view.q,
        debounce=0.5,
        maxLength=MAX_SEARCH,
        placeholder="Words of a title, or a name",
        autoComplete="off",
    )
    return "Title or author contains", control, view.q


def _code(view: View, choices: Choices) -> Control:
    value = ["1"] if view.code else []
    options = [{"label": "Has a repository", "value": "1"}]
    return "Code", dcc.Checklist(id=identity("code"), options=options, value=value), value


def _sort(view: View, choices: Choices) -> Control:
    options = [{"label": label, "value": value} for value, label in SORTS.items()]
    return "Order", _radio("sort", options, view.sort), view.sort


_MAKERS: dict[str, Callable[[View, Choices], Control]] = {
    "population": _population,
    "grain": _grain,
    "period": _period,
    "any-period": _any_period,
    "from": _from,
    "to": _to,
    "area": _area,
    "topic": _topic,
    "topics": _topics,
    "q": _q,
    "code": _code,
    "sort": _sort,
}
