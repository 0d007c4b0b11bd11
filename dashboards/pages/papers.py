"""Papers: a searchable, filterable list, cut into pages at the server."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from dashboards import blocks as b
from dashboards import formats
from dashboards.pages import common, evidence
from dashboards.queries import MAX_DOWNLOAD, Queries
from dashboards.state import SORTS, WINDOWS, View


def build(queries: Queries, view: View) -> list[b.Block]:
    """The page."""
    if not view.population:
        return common.nothing_yet()
    frame = queries.papers(view)
    n_found = int(frame["n_found"][0]) if frame.height else 0
    page = int(frame["page"][0]) if frame.height else 1
    first = (page - 1) * view.page_size + 1
    listing = common.paper_list(
        frame,
        _reasons(queries, view, frame),
        key="papers",
        title=formats.plural(n_found, view.about.unit),
        subtitle=_subtitle(view, first, frame.height),
        empty="No paper fits. Take a filter away, or search for fewer letters.",
        page=page,
        n_pages=max(1, -(-n_found // view.page_size)),
    )
    # The download holds the whole answer, not the page; it is read only when asked for.
    everything = b.Table(
        "papers",
        "Papers",
        frame,
        (),
        csv_frame=lambda: common.without_counts(
            queries.papers(replace(view, page=1, page_size=MAX_DOWNLOAD))
        ),
        note=f"The download holds the first {MAX_DOWNLOAD:,}." if n_found > MAX_DOWNLOAD else "",
    )
    return [*_term(queries, view), replace(listing, table=everything)]


def _term(queries: Queries, view: View) -> list[b.Block]:
    """The term that is asked for: its verdict by period, with what is behind it."""
    if not view.term:
        return []
    history = queries.term_history(view)
    name = history["term"][0] if history.height else view.term
    table = b.Table(
        "term-history",
        f"Papers with the term per {view.grain}, and what became of their share",
        history.reverse(),
        (
            b.period(view.grain),
            b.share("share", "Share"),
            b.share_interval("share_low", "share_high"),
            b.n_of_total(link=lambda row: evidence.papers_link(view, row)),
            *evidence.growth_columns(view),
        ),
        empty="The term is not followed in this population by this length of period.",
        is_muted=lambda row: row["is_partial"] or not row["is_sufficient"],
        note=" ".join((common.WILSON, *evidence.FORMULA)),
    )
    return [
        b.Heading(f"The term “{name}”", f"{common.span_of(view)}."),
        *evidence.of_period(history, view.period.start if view.period else None, view.grain),
        table,
    ]


def _reasons(queries: Queries, view: View, frame: pl.DataFrame) -> common.TopicsByPaper:
    """Why each paper is here: its topics with their words, and how often it writes the term."""
    found = common.topics_by_paper(queries, frame)
    if view.term and frame.height:
        papers = sorted(set(frame["paper_id"]))
        for row in queries.mentions_of(view.term, papers).iter_rows(named=True):
            times = "once" if row["n_mentions"] == 1 else f"{row['n_mentions']:,} times"
            said = b.Topic("", f"Term “{row['term']}”", (times,))
            found[row["paper_id"]] = [said, *found.get(row["paper_id"], [])]
    return found


def _when(view: View) -> str:
    """The chosen period, or which periods make the window of its verdict that is asked for."""
    periods = view.window_periods
    if not view.window or not periods:
        return view.period_name
    first, last = (formats.period(view.grain, p.start) for p in (periods[0], periods[-1]))
    between = first if first == last else f"{first} to {last}"
    return f"{between} ({WINDOWS[view.window]} of the verdict on {view.period_name})"


def _subtitle(view: View, first: int, n_rows: int) -> str:
    kept = [view.about.counts[0].upper() + view.about.counts[1:]]
    if view.has_period:
        kept.append(_when(view))
    if view.term:
        kept.append(f"with the term “{view.term}”")
    if view.code:
        kept.append("with a repository")
    if view.q:
        kept.append(f"title or author contains “{view.q}”")
    kept.append(SORTS[view.sort].lower())
    rows = f" Numbers {first:,} to {first + n_rows - 1:,}." if n_rows else ""
    return ", ".join(kept) + "." + rows
