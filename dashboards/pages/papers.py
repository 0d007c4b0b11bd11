"""Papers: a searchable, filterable list, cut into pages at the server."""

from __future__ import annotations

from dataclasses import replace

from dashboards import blocks as b
from dashboards import formats
from dashboards.pages import common
from dashboards.queries import MAX_DOWNLOAD, Queries
from dashboards.state import SORTS, View


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
        common.topics_by_paper(queries, frame),
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
    return [replace(listing, table=everything)]


def _subtitle(view: View, first: int, n_rows: int) -> str:
    kept = [view.about.counts[0].upper() + view.about.counts[1:]]
    if view.has_period:
        kept.append(view.period_name)
    if view.code:
        kept.append("with a repository")
    if view.q:
        kept.append(f"title or author contains “{view.q}”")
    kept.append(SORTS[view.sort].lower())
    rows = f" Numbers {first:,} to {first + n_rows - 1:,}." if n_rows else ""
    return ", ".join(kept) + "." + rows
