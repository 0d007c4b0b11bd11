"""Overview: what is here, how fresh it is, and the last covered period in a few figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from dashboards import blocks as b
from dashboards import figures, formats
from dashboards.pages import common
from dashboards.pages.trending import trending
from dashboards.pages.trends import verdicts
from dashboards.queries import Queries
from dashboards.state import TAXONOMY, View, kept, span

N_TOPICS = 12


def build(queries: Queries, view: View) -> list[b.Block]:
    """The page."""
    lead = b.Text(
        "Which topics machine-learning papers are about, how many people write them, and how "
        "sure we can be. Every figure names its population, its n and its 95 % interval.",
        "lead",
    )
    if not view.period:
        return [lead, *common.nothing_yet()]
    return [
        lead,
        _headlines(queries, view),
        *(b.Text(text, "note") for text in common.caveats(view)),
        *_called(queries, view),
        *_strongest(queries, view),
        *_changes(queries, view),
        _volume(view),
        trending(queries, view),
        _last_day(queries, view),
    ]


def _headlines(queries: Queries, view: View) -> b.Stats:
    facts = queries.snapshot_facts()
    items = [
        b.Stat(
            "Papers in the warehouse",
            formats.integer(facts["n_papers"]),
            f"from {formats.plural(facts['n_captures'], 'capture')}",
            "all sources together",
        ),
        b.Stat(
            f"Papers, {view.period_name}",
            formats.integer(view.period.n_total if view.period else None),
            _coverage(queries, view),
            view.about.name,
        ),
    ]
    shares = queries.topic_shares(_whole(view)).iter_rows(named=True)
    top = next((row for row in shares if row["topic_id"] != "no-topic"), None)
    if top and top["is_sufficient"]:
        items.append(
            b.Stat(
                f"Largest topic: {top['topic_name']}",
                formats.share(top["share"]),
                f"{formats.share_interval(top['share_low'], top['share_high'])}, "
                f"{top['n_papers']:,} of {top['n_total']:,}",
                f"{view.about.name}, {view.period_name}",
            )
        )
    authors = _authors_at(queries, view)
    if authors:
        items.append(
            b.Stat(
                "Median number of authors",
                formats.decimal(authors["median_authors"]),
                f"{formats.number_interval(authors['median_low'], authors['median_high'])}, "
                f"n = {authors['n_papers']:,}",
                f"{view.about.name}, {view.period_name}",
            )
        )
    return b.Stats(tuple(items))


def _coverage(queries: Queries, view: View) -> str:
    totals = queries.coverage_totals().rows_by_key("population", named=True, unique=True)
    row = totals.get(view.population)
    state = "partial period" if view.period and view.period.is_partial else "covered period"
    if not row:
        return state
    return (
        f"{state}; of all periods {row['n_captured']:,} of {row['n_expected']:,} expected days are "
        "captured"
    )


def _whole(view: View) -> View:
    return replace(view, kind=TAXONOMY, area=None)


def _authors_at(queries: Queries, view: View) -> dict[str, Any] | None:
    if not view.period:
        return None
    rows = queries.author_counts_at(view, [view.period.start])
    if rows.is_empty() or not rows["is_sufficient"][0]:
        return None
    return rows.row(0, named=True)


def _called(queries: Queries, view: View) -> list[b.Block]:
    """Topics with a verdict of rising or falling, and the way to all verdicts."""
    if not view.period:
        return []
    link = b.Link("trends", {**kept(view), "to": view.period.start.isoformat()})
    way = ("All verdicts", ((f"Trends, {view.period_name}", link),))
    return verdicts(queries.topic_shares(_whole(view)), _whole(view), ways=(way,))


def _strongest(queries: Queries, view: View) -> list[b.Block]:
    frame = queries.topic_shares(_whole(view))
    named = frame.filter(frame["topic_id"] != "no-topic")
    if view.period and not view.period.is_sufficient:
        return [b.Text(f"{view.period_name}: insufficient, fewer than 20 papers.", "note")]
    shown = named.filter(named["n_papers"] > 0).head(N_TOPICS)
    return [
        b.Chart(
            key="strongest-topics",
            title=f"The largest topics, {view.period_name}",
            subtitle=f"Share of papers with the topic; {common.n_of(view)}. A paper may have "
            "several topics.",
            panels=(
                b.Panel(
                    lambda theme: figures.share_dots(shown, theme),
                    figures.dots_height(shown.height),
                    f"Dot chart of the {shown.height} largest topics with 95 % intervals.",
                ),
            ),
            table=b.Table(
                "strongest-topics",
                "The largest topics",
                shown,
                (
                    b.text(
                        "topic_name",
                        "Topic",
                        link=lambda row: common.topic_link("topics", view, row),
                    ),
                    b.share("share", "Share"),
                    b.share_interval("share_low", "share_high"),
                    b.integer("n_papers", "Papers"),
                ),
                empty="No paper of the period matched a topic.",
            ),
            formula=common.WILSON,
            legend=common.DOT_KEY,
        )
    ]


def _changes(queries: Queries, view: View) -> list[b.Block]:
    heading = b.Heading("What changed")
    if not view.previous or not view.period or not view.period.is_sufficient:
        return [
            heading,
            b.Text(f"There is no covered period before {view.period_name} to compare with."),
        ]
    before = formats.period(view.grain, view.previous.start)
    frame = queries.share_differences(view)
    shown = frame.filter((frame["n_papers"] > 0) | (frame["before_n_papers"] > 0)).head(N_TOPICS)
    chart = b.Chart(
        key="differences",
        title=f"The largest differences in share, {view.period_name} against {before}",
        subtitle=f"Percentage points; n = {view.period.n_total:,} and "
        f"{view.previous.n_total:,} {view.about.counts}",
        panels=(
            b.Panel(
                lambda theme: figures.difference_dots(shown, theme),
                figures.dots_height(shown.height),
                f"Dot chart of the {shown.height} largest differences with 95 % intervals.",
            ),
        ),
        table=b.Table(
            "differences",
            "The largest differences",
            shown,
            (
                b.text(
                    "topic_name",
                    "Topic",
                    link=lambda row: common.topic_link("topics", view, row),
                ),
                b.share("before_share", before),
                b.share("share", view.period_name),
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
        caveats=(_by_chance(frame.height),),
        legend=(b.Key("dot", "difference"), b.Key("whisker", "95 % interval")),
    )
    return [heading, _then_and_now(queries, view, before), chart]


def _by_chance(n: int) -> str:
    return (
        f"These are the largest of {n:,} differences, each with its own interval: some stand out "
        "by chance. Two periods make no trend: verdicts on trends stand above."
    )


def _then_and_now(queries: Queries, view: View, before: str) -> b.Table:
    starts = [p.start for p in (view.previous, view.period) if p]
    frame = queries.author_counts_at(view, starts).reverse()
    return b.Table(
        key="then-and-now",
        title=f"{view.period_name} and {before}: papers and their authors ({view.about.name})",
        frame=frame,
        columns=(
            b.period(view.grain),
            b.integer("n_papers", "n, authors known"),
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
    rows: list[dict[str, Any]] = [
        {"start": p.start, "end": p.end, "n_total": p.n_total, "is_partial": p.is_partial}
        for p in span(view)
    ]
    frame = pl.DataFrame(
        [
            {
                "population": view.population,
                "grain": view.grain,
                "period_start_on": row["start"],
                "period_end_on": row["end"],
                "n_total": row["n_total"],
                "is_partial": row["is_partial"],
            }
            for row in reversed(rows)
        ]
    )
    breaks = common.breaks_of(view)
    return b.Chart(
        key="volume",
        title=f"Papers per {view.grain}",
        subtitle=common.span_of(view),
        panels=(
            b.Panel(
                lambda theme: figures.papers_over_time(
                    rows, theme, grain=view.grain, breaks=breaks.starts
                ),
                260,
                f"Bar chart of papers counted per {view.grain}.",
            ),
        ),
        table=b.Table(
            "volume",
            f"Papers per {view.grain}",
            frame,
            (b.period(view.grain), b.integer("n_total", "Papers")),
        ),
        caveats=(*breaks.notes, *common.caveats(view)),
        legend=(b.Key("bar", "covered period"), b.Key("hollow-bar", "partial period"), *breaks.key),
    )


def _last_day(queries: Queries, view: View) -> b.Papers:
    frame = queries.last_listing(view.population)
    n_found = frame["n_found"][0] if frame.height else 0
    on = formats.day(frame["counted_on"][0]) if frame.height else ""
    more = f"; the first {frame.height} are shown" if n_found > frame.height else ""
    return common.paper_list(
        frame,
        common.topics_by_paper(queries, frame),
        key="last-listing",
        title=f"On the last list, {on}" if on else "On the last list",
        subtitle=f"n = {n_found:,} {view.about.counts}{more}.",
        empty="This population has no dated lists yet.",
    )
