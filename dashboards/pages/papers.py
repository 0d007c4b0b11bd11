"""Papers: a list to search and filter, paged by the server."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from dashboards import blocks as b
from dashboards import formats
from dashboards.pages import common, evidence, findings
from dashboards.queries import MAX_DOWNLOAD, Queries
from dashboards.view import SORTS, View


def build(queries: Queries, view: View) -> list[b.Block]:
    """The page."""
    if not view.population:
        return common.no_data()
    frame = queries.papers(view)
    n_found = int(frame["n_found"][0]) if frame.height else 0
    page = int(frame["page"][0]) if frame.height else 1
    first = (page - 1) * view.page_size + 1
    listing = common.paper_list(
        frame,
        _evidence(queries, view, frame),
        key="papers",
        title=formats.plural(n_found, view.about.unit),
        subtitle=_subtitle(view, first, frame.height),
        empty="No papers match. Remove a filter or shorten the search text.",
        page=page,
        n_pages=max(1, -(-n_found // view.page_size)),
    )
    # The download holds all results, not only the page. It is read when requested.
    results = b.Table(
        "papers",
        "Papers",
        frame,
        (),
        csv_frame=lambda: common.download_frame(
            queries.papers(replace(view, page=1, page_size=MAX_DOWNLOAD))
        ),
        note=f"The download has the first {MAX_DOWNLOAD:,} rows." if n_found > MAX_DOWNLOAD else "",
    )
    return [*_term(queries, view), replace(listing, table=results)]


def _term(queries: Queries, view: View) -> list[b.Block]:
    """The chosen term: its changes up to the period, and its verdicts by period."""
    if not view.term:
        return []
    history = queries.term_history(view)
    name = history["term"][0] if history.height else view.term
    table = b.Table(
        "term-history",
        f"Share of papers with the term per {view.grain}, with verdicts",
        history.reverse(),
        (
            b.period(view.grain),
            b.share("share", "Share"),
            b.share_interval("share_low", "share_high"),
            b.n_of_total(link=lambda row: evidence.papers_link(view, row)),
            *evidence.level_columns(),
            *evidence.change_columns(),
            evidence.reason_column(),
        ),
        empty="This term has no trend for this population and period length.",
        is_muted=lambda row: row["is_partial"] or not row["is_sufficient"],
        note=f"Changes are {evidence.over_primary(view)}. {common.WILSON}",
    )
    changes = queries.term_changes(view).filter(pl.col("term_id") == view.term)
    note = common.level_note(view, queries.choices())
    title = f"Term “{name}”"
    return [
        b.Heading(title, f"{common.span_of(view)}."),
        *findings.of_series(changes, title, view, has_odds=False),
        evidence.horizon_table(changes, view, "term-changes", title, note, has_odds=False),
        table,
    ]


def _evidence(queries: Queries, view: View, frame: pl.DataFrame) -> common.TopicsByPaper:
    """Topics of each paper with their evidence, after the number of mentions of the term."""
    found = common.topics_by_paper(queries, frame)
    if view.term and frame.height:
        papers = sorted(set(frame["paper_id"]))
        for row in queries.mentions_of(view.term, papers).iter_rows(named=True):
            times = "once" if row["n_mentions"] == 1 else f"{row['n_mentions']:,} times"
            mentions = b.Topic("", f"Term “{row['term']}”", (times,))
            found[row["paper_id"]] = [mentions, *found.get(row["paper_id"], [])]
    return found


def _subtitle(view: View, first: int, n_rows: int) -> str:
    """The filters in use, the order, and the range of rows shown."""
    parts = [formats.sentence_case(view.about.counted)]
    if view.is_period_chosen:
        parts.append(view.period_name)
    if view.term:
        parts.append(f"with the term “{view.term}”")
    if view.code:
        parts.append("with a code repository")
    if view.q:
        parts.append(f"title or author contains “{view.q}”")
    parts.append(SORTS[view.sort].lower())
    rows = f" Showing {first:,} to {first + n_rows - 1:,}." if n_rows else ""
    return ", ".join(parts) + "." + rows
