"""The blocks that pages consist of, independent of how they are rendered.

Belongs here: the kinds of blocks and common table columns. Does not: rendering. The dashboard
(`components`) and the static site (`export`) render the same blocks.
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
    """A link to a page with URL parameters."""

    page: str
    params: Mapping[str, str] = field(default_factory=dict)


# Labelled groups of links, each link with its text.
LinkGroups = tuple[tuple[str, tuple[tuple[str, Link], ...]], ...]


@dataclass(frozen=True)
class Column:
    """A table column: label, text and link of a cell, and layout."""

    label: str
    text: Callable[[Row], str]
    is_number: bool = False
    link: Callable[[Row], Link | None] | None = None
    is_wide: bool = False
    is_unbroken: bool = False


@dataclass(frozen=True)
class Table:
    """A table with its download.

    The CSV has all columns and rows of `frame`, or of `csv_frame` if given; the page shows
    `columns` of the first `max_rows` rows.
    """

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
        """Number of rows that only the download has."""
        return max(0, self.frame.height - self.max_rows)


@dataclass(frozen=True)
class Panel:
    """One plot of a chart: a function of the theme, height in pixels, and text alternative."""

    draw: Callable[[Theme], go.Figure]
    height: int
    summary: str
    title: str = ""


@dataclass(frozen=True)
class Key:
    """A legend entry: a mark (a class of the style sheet) and its meaning."""

    mark: str
    text: str


@dataclass(frozen=True)
class Chart:
    """Plots with their table, the formula of their intervals, and caveats."""

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
    """A headline figure: label, value, interval with n, and population."""

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
    """A section heading with an optional line of detail and groups of links."""

    text: str
    detail: str = ""
    links: LinkGroups = ()


@dataclass(frozen=True)
class Text:
    """A paragraph; its tone is `lead`, `plain` or `note` (highlighted)."""

    text: str
    tone: str = "plain"


@dataclass(frozen=True)
class Topic:
    """A paper's topic, or a term (without an id), with the words that matched."""

    topic_id: str
    name: str
    evidence: tuple[str, ...]


@dataclass(frozen=True)
class Paper:
    """A paper in a list."""

    title: str
    date: str
    authors: str
    topics: tuple[Topic, ...]
    links: tuple[tuple[str, str], ...]
    counters: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Papers:
    """A list of papers with its download and its page of results."""

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
    return Column(label, lambda row: str(row[name]) if row[name] else formats.NO_VALUE, link=link)


def wide(name: str, label: str) -> Column:
    """A column of long text that may wrap."""
    return Column(
        label, lambda row: str(row[name]) if row[name] else formats.NO_VALUE, is_wide=True
    )


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
    """A column of shares; `insufficient` in insufficient rows."""

    def write(row: Row) -> str:
        return formats.share(row[name]) if row.get("is_sufficient", True) else "insufficient"

    return Column(label, write, is_number=True)


def share_interval(low: str, high: str, label: str = "95 % interval") -> Column:
    """A column of intervals of shares."""

    def write(row: Row) -> str:
        if not row.get("is_sufficient", True):
            return formats.NO_VALUE
        return formats.share_interval(row[low], row[high])

    return Column(label, write, is_number=True)


def number_interval(low: str, high: str, label: str = "95 % interval") -> Column:
    """A column of intervals of numbers."""
    return Column(label, lambda row: formats.number_interval(row[low], row[high]), is_number=True)


def day(name: str, label: str) -> Column:
    """A column of dates."""
    return Column(label, lambda row: formats.day(row[name]), is_number=True)


def moment(name: str, label: str) -> Column:
    """A column of times in UTC."""
    return Column(label, lambda row: formats.moment(row[name]), is_number=True)


def period(grain: str, label: str = "Period") -> Column:
    """A column of periods; partial ones are marked."""

    def write(row: Row) -> str:
        name = formats.sentence_case(formats.period(grain, row["period_start_on"]))
        return f"{name} (partial)" if row.get("is_partial") else name

    return Column(label, write, is_unbroken=grain != "week")
