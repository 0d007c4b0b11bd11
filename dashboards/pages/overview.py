"""Overview: size and freshness of the data, and the last full period in a few figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from dashboards import blocks as b
from dashboards import formats
from dashboards.address import shared_params
from dashboards.choices import TAXONOMY
from dashboards.figures import bars, dots
from dashboards.pages import common, evidence, findings
from dashboards.pages.trending import trending
from dashboards.queries import Queries
from dashboards.view import YEAR, View

N_TOPICS = 12
N_CHANGES = 8
LEAD = (
    "What machine-learning papers are about, how many people write them, and how certain each "
    "figure is."
)


def build(queries: Queries, view: View) -> list[b.Block]:
    """The page."""
    if not view.period:
        return [b.Text(LEAD, "lead"), *common.no_data()]
    every = queries.topic_changes(_all_topics(view)).filter(pl.col("topic_id") != common.NO_TOPIC)
    horizon = evidence.longest_comparable(every)
    changes = every.filter(pl.col("horizon") == horizon)
    return [
        findings.of_topics(changes, view, horizon),
        *findings.odds_of_topics(changes),
        _headlines(queries, view),
        *(b.Text(text, "note") for text in common.caveats(view)),
        *_strongest(queries, view, every, horizon),
        *_largest_topics(queries, view),
        *_differences(queries, view),
        _volume(view),
        trending(queries, view),
        _last_listing(queries, view),
    ]


def _headlines(queries: Queries, view: View) -> b.Stats:
    facts = queries.snapshot_facts()
    where = f"{view.about.name}, {view.period_name}"
    items = [
        b.Stat(
            "Papers in the warehouse",
            formats.integer(facts["n_papers"]),
            f"from {formats.plural(facts['n_captures'], 'capture')}",
            "all sources",
        ),
        b.Stat(
            f"Papers, {view.period_name}",
            formats.integer(view.period.n_total if view.period else None),
            _coverage(queries, view),
            view.about.name,
        ),
    ]
    shares = queries.topic_shares(_all_topics(view)).iter_rows(named=True)
    top = next((row for row in shares if row["topic_id"] != common.NO_TOPIC), None)
    if top and top["is_sufficient"]:
        items.append(
            b.Stat(
                f"Largest topic: {top['topic_name']}",
                formats.share(top["share"]),
                f"95 % interval {formats.share_interval(top['share_low'], top['share_high'])}; "
                f"{top['n_papers']:,} of {top['n_total']:,}",
                where,
            )
        )
    if authors := _author_counts(queries, view):
        items.append(
            b.Stat(
                "Median authors per paper",
                formats.decimal(authors["median_authors"]),
                "95 % interval "
                f"{formats.number_interval(authors['median_low'], authors['median_high'])}; "
                f"n = {authors['n_papers']:,}",
                where,
            )
        )
    return b.Stats(tuple(items))


def _coverage(queries: Queries, view: View) -> str:
    totals = queries.coverage_totals().rows_by_key("population", named=True, unique=True)
    row = totals.get(view.population)
    period = "partial period" if view.period and view.period.is_partial else "full period"
    if not row:
        return period
    return (
        f"{period}; {row['n_captured']:,} of {row['n_expected']:,} expected days captured over all "
        "periods"
    )


def _all_topics(view: View) -> View:
    return replace(view, kind=TAXONOMY, area=None)


def _author_counts(queries: Queries, view: View) -> dict[str, Any] | None:
    if not view.period:
        return None
    rows = queries.author_counts_at(view, [view.period.start])
    if rows.is_empty() or not rows["is_sufficient"][0]:
        return None
    return rows.row(0, named=True)


def _strongest(queries: Queries, view: View, every: pl.DataFrame, horizon: str) -> list[b.Block]:
    """The strongest changes over a year as sentences, with a link to all verdicts.

    Over a shorter horizon, if nothing is comparable over a year.
    """
    if not view.period:
        return []
    changes = every.filter(pl.col("horizon") == horizon)
    note = common.level_note(view, queries.choices())
    params = {"to": view.period.start.isoformat(), "horizon": horizon}
    link = b.Link("trends", {**shared_params(view), **params})
    over = evidence.over(horizon)
    return [
        b.Heading(
            f"Strongest changes {over}, up to {view.period_name}",
            f"{evidence.verdict_counts(changes, 'topic')}.",
            (("All verdicts", ((f"Trends, {view.period_name}", link),)),),
        ),
        *_without_year(every, horizon),
        b.Table(
            key="strongest-changes",
            title=formats.sentence_case(f"{view.about.counted}, {view.period_name}"),
            frame=evidence.by_strength(changes),
            columns=(
                b.text("topic_name", "Topic", link=lambda row: evidence.topic_link(view, row)),
                b.wide("statement", "Statement"),
                b.Column("Verdict", evidence.verdict_of, is_unbroken=True),
                evidence.wrong_direction(),
            ),
            empty=f"No topic is rising or falling {over}."
            if set(changes["verdict"]) - {"not_comparable"}
            else evidence.none_called(changes, "topic"),
            max_rows=N_CHANGES,
            note="Strongest: the 80 % interval of the change is farthest from no change. "
            f"{evidence.SUMMARY} {note}".strip(),
        ),
    ]


def _without_year(changes: pl.DataFrame, horizon: str) -> list[b.Block]:
    """Why a shorter horizon is shown."""
    yearly = changes.filter(pl.col("horizon") == YEAR)
    if horizon == YEAR or yearly.is_empty():
        return []
    return [b.Text(f"No topic is comparable over a year: {evidence.reasons(yearly)}.")]


def _largest_topics(queries: Queries, view: View) -> list[b.Block]:
    if view.period and not view.period.is_sufficient:
        return [b.Text(common.insufficient_note(view), "note")]
    frame = queries.topic_shares(_all_topics(view))
    shown = frame.filter((pl.col("topic_id") != common.NO_TOPIC) & (pl.col("n_papers") > 0)).head(
        N_TOPICS
    )
    return [
        b.Chart(
            key="strongest-topics",
            title=f"Largest topics, {view.period_name}",
            subtitle=f"Share of papers with the topic; {common.n_of(view)}. A paper can have "
            "several topics.",
            panels=(
                b.Panel(
                    lambda theme: dots.share_dots(shown, theme),
                    dots.dots_height(shown.height),
                    f"Dot chart of the {shown.height} largest topics with 95 % intervals.",
                ),
            ),
            table=b.Table(
                "strongest-topics",
                "Largest topics",
                shown,
                (
                    _topic_column(view),
                    b.share("share", "Share"),
                    b.share_interval("share_low", "share_high"),
                    b.integer("n_papers", "Papers"),
                ),
                empty="No paper of this period matched a topic.",
            ),
            formula=common.WILSON,
            legend=common.DOT_KEY,
        )
    ]


def _topic_column(view: View) -> b.Column:
    return b.text("topic_name", "Topic", link=lambda row: common.topic_link("topics", view, row))


def _differences(queries: Queries, view: View) -> list[b.Block]:
    heading = b.Heading("Changes from the previous full period")
    if not view.previous or not view.period or not view.period.is_sufficient:
        text = f"There is no full period before {view.period_name} to compare with."
        return [heading, b.Text(text)]
    before = formats.period(view.grain, view.previous.start)
    frame = queries.share_differences(view)
    shown = frame.filter((frame["n_papers"] > 0) | (frame["before_n_papers"] > 0)).head(N_TOPICS)
    chart = b.Chart(
        key="differences",
        title=f"Largest differences in share, {view.period_name} against {before}",
        subtitle=f"Percentage points; n = {view.period.n_total:,} and "
        f"{view.previous.n_total:,} {view.about.counted}",
        panels=(
            b.Panel(
                lambda theme: dots.difference_dots(shown, theme),
                dots.dots_height(shown.height),
                f"Dot chart of the {shown.height} largest differences with 95 % intervals.",
            ),
        ),
        table=b.Table(
            "differences",
            "Largest differences",
            shown,
            (
                _topic_column(view),
                b.share("before_share", formats.sentence_case(before)),
                b.share("share", formats.sentence_case(view.period_name)),
                b.Column("Points", lambda row: formats.points(row["difference"]), is_number=True),
                b.Column(
                    "95 % interval",
                    lambda row: formats.points_interval(
                        row["difference_low"], row["difference_high"]
                    ),
                    is_number=True,
                ),
            ),
            csv_frame=lambda: frame,
        ),
        formula=common.NEWCOMBE,
        caveats=(_selection_note(frame.height),),
        legend=(b.Key("dot", "difference"), b.Key("whisker", "95 % interval")),
    )
    return [heading, _authors_compared(queries, view, before), chart]


def _selection_note(n: int) -> str:
    return (
        f"These are the largest of {n:,} differences. Their intervals are not adjusted for "
        "selection, so some exclude zero by chance. The verdicts above allow for that."
    )


def _authors_compared(queries: Queries, view: View, before: str) -> b.Table:
    starts = [p.start for p in (view.previous, view.period) if p]
    return b.Table(
        key="then-and-now",
        title=formats.sentence_case(
            f"{view.period_name} and {before}: papers and their authors ({view.about.name})"
        ),
        frame=queries.author_counts_at(view, starts).reverse(),
        columns=(
            b.period(view.grain),
            b.integer("n_papers", "n (authors known)"),
            b.decimal("median_authors", "Median authors"),
            b.number_interval("median_low", "median_high"),
            b.share("solo_share", "One author"),
            b.share_interval("solo_share_low", "solo_share_high"),
            b.share("ten_plus_share", "Ten or more"),
            b.share_interval("ten_plus_share_low", "ten_plus_share_high"),
        ),
        empty="No paper has a known number of authors.",
        note=f"{common.ORDER_STATISTICS} {common.WILSON}",
    )


def _volume(view: View) -> b.Chart:
    periods = view.shown_periods
    frame = pl.DataFrame(
        [
            {
                "population": view.population,
                "grain": view.grain,
                "period_start_on": period.start,
                "period_end_on": period.end,
                "n_total": period.n_total,
                "is_partial": period.is_partial,
            }
            for period in reversed(periods)
        ]
    )
    return b.Chart(
        key="volume",
        title=f"Papers per {view.grain}",
        subtitle=common.span_of(view),
        panels=(
            b.Panel(
                lambda theme: bars.papers_over_time(periods, theme, grain=view.grain),
                260,
                f"Bar chart of papers per {view.grain}.",
            ),
        ),
        table=b.Table(
            "volume",
            f"Papers per {view.grain}",
            frame,
            (b.period(view.grain), b.integer("n_total", "Papers")),
        ),
        caveats=(*common.capture_notes(view, has_level=False), *common.caveats(view)),
        legend=(b.Key("bar", "full period"), b.Key("hollow-bar", "partial period")),
    )


def _last_listing(queries: Queries, view: View) -> b.Papers:
    frame = queries.last_listing(view.population)
    n_found = frame["n_found"][0] if frame.height else 0
    listed_on = f", {formats.day(frame['counted_on'][0])}" if frame.height else ""
    first = f" Showing the first {frame.height}." if n_found > frame.height else ""
    return common.paper_list(
        frame,
        common.topics_by_paper(queries, frame),
        key="last-listing",
        title=f"Latest list{listed_on}",
        subtitle=f"n = {n_found:,} {view.about.counted}.{first}",
        empty="This population has no dated lists.",
    )
