"""What a page is made of, before anyone decides how to draw it.

Belongs here: the few kinds of block that pages return. The dashboard (`components`) and the static
site (`export`) render the same blocks, so both show the same figures and tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go
import polars as pl

from dashboards import formats
from dashboards.theme import Theme

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Link:
    """A place in the dashboard: a page and what to set on it."""

    page: str
    params: Mapping[str, str] = field(default_factory=dict)


# Named groups of places to go to, each with its words.
Ways = tuple[tuple[str, tuple[tuple[str, Link], ...]], ...]


@dataclass(frozen=True)
class Column:
    """A table column: its label, how a row's cell is written, and how it is set."""

    label: str
    text: Callable[[Row], str]
    is_number: bool = False
    link: Callable[[Row], Link | None] | None = None
    is_wide: bool = False
    is_unbroken: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its download: `frame` is what the CSV holds, `columns` what is shown of it."""

    key: str
    title: str
    frame: pl.DataFrame
    columns: tuple[Column, ...]
    empty: str = "There are no rows."
    max_rows: int = 200
    is_muted: Callable[[Row], bool] | None = None
    csv_frame: Callable[[], pl.DataFrame] | None = None
    note: str = ""

    def download(self) -> pl.DataFrame:
        """The rows of the CSV."""
        return self.csv_frame() if self.csv_frame else self.frame

    @property
    def n_hidden(self) -> int:
        """Rows that the page leaves to the download."""
        return max(0, self.frame.height - self.max_rows)


@dataclass(frozen=True)
class Panel:
    """One plot of a chart: a function of the theme, its height in pixels, its spoken summary."""

    draw: Callable[[Theme], go.Figure]
    height: int
    summary: str
    title: str = ""


@dataclass(frozen=True)
class Key:
    """An entry of a chart's key: a mark (a class of the style sheet) and its meaning."""

    mark: str
    text: str


@dataclass(frozen=True)
class Chart:
    """Plots with the table they draw, the formula behind their intervals, and caveats."""

    key: str
    title: str
    subtitle: str
    panels: tuple[Panel, ...]
    table: Table
    formula: str = ""
    caveats: tuple[str, ...] = ()
    legend: tuple[Key, ...] = ()
    is_stacked: bool = False


@dataclass(frozen=True)
class Stat:
    """A headline figure: what it is, its value, its interval and n, its population."""

    label: str
    value: str
    detail: str
    population: str


@dataclass(frozen=True)
class Stats:
    """Headline figures in a row."""

    items: tuple[Stat, ...]


@dataclass(frozen=True)
class Heading:
    """A section heading with an optional line under it, and named groups of places to go to."""

    text: str
    detail: str = ""
    ways: Ways = ()


@dataclass(frozen=True)
class Text:
    """A paragraph: `lead`, `plain`, or `note` for what a reader must not miss."""

    text: str
    tone: str = "plain"


@dataclass(frozen=True)
class Topic:
    """A paper's topic, or a term (without an id), with the words that brought it there."""

    topic_id: str
    name: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Paper:
    """A paper as lists show it."""

    title: str
    date: str
    authors: str
    topics: tuple[Topic, ...]
    links: tuple[tuple[str, str], ...]
    counters: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Papers:
    """A list of papers with its download and, in the dashboard, its pages."""

    key: str
    title: str
    subtitle: str
    papers: tuple[Paper, ...]
    table: Table
    empty: str
    page: int = 1
    n_pages: int = 1


Block = Chart | Table | Stats | Heading | Text | Papers


def text(name: str, label: str, *, link: Callable[[Row], Link | None] | None = None) -> Column:
    """A column of text; a dash for null."""
    return Column(label, lambda row: str(row[name]) if row[name] else formats.NOTHING, link=link)


def wide(name: str, label: str) -> Column:
    """A column of long text that may wrap."""
    return Column(label, lambda row: str(row[name]) if row[name] else formats.NOTHING, is_wide=True)


def integer(name: str, label: str, *, link: Callable[[Row], Link | None] | None = None) -> Column:
    """A column of counts."""
    return Column(label, lambda row: formats.integer(row[name]), is_number=True, link=link)


def n_of_total(
    label: str = "Papers", *, link: Callable[[Row], Link | None] | None = None
) -> Column:
    """A column of `n_papers of n_total`."""

    def write(row: Row) -> str:
        return f"{row['n_papers']:,} of {row['n_total']:,}"

    return Column(label, write, is_number=True, link=link)


def decimal(name: str, label: str) -> Column:
    """A column of numbers with one decimal."""
    return Column(label, lambda row: formats.decimal(row[name]), is_number=True)


def share(name: str, label: str) -> Column:
    """A column of shares; `insufficient` where the row says so."""

    def write(row: Row) -> str:
        return formats.share(row[name]) if row.get("is_sufficient", True) else "insufficient"

    return Column(label, write, is_number=True)


def share_interval(low: str, high: str, label: str = "95 % interval") -> Column:
    """A column of intervals of shares."""

    def write(row: Row) -> str:
        if not row.get("is_sufficient", True):
            return formats.NOTHING
        return formats.share_interval(row[low], row[high])

    return Column(label, write, is_number=True)


def number_interval(low: str, high: str, label: str = "95 % interval") -> Column:
    """A column of intervals of numbers."""
    return Column(label, lambda row: formats.number_interval(row[low], row[high]), is_number=True)


def day(name: str, label: str) -> Column:
    """A column of dates."""
    return Column(label, lambda row: formats.day(row[name]), is_number=True)


def moment(name: str, label: str) -> Column:
    """A column of times, UTC."""
    return Column(label, lambda row: formats.moment(row[name]), is_number=True)


def period(grain: str, label: str = "Period") -> Column:
    """A column of periods, with `partial` where they are."""

    def write(row: Row) -> str:
        name = formats.period(grain, row["period_start_on"])
        return f"{name} (partial)" if row.get("is_partial") else name

    return Column(label, write, is_unbroken=grain != "week")
