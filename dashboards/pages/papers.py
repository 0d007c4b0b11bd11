"""Papers: a searchable, filterable list, cut into pages at the server."""

from __future__ import annotations

from dataclasses import replace

from dashboards import blocks as b
from dashboards.pages import common
from dashboards.queries import MAX_DOWNLOAD, Queries
from dashboards.state import SORTS, View


def build(queries: Queries, view: View) -> list[b.Block]:
    """The page."""
    if not view.population:
        return common.nothing_yet()
    n_found = queries.n_papers(view)
    n_pages = max(1, -(-n_found // view.page_size))
    shown = replace(view, page=min(view.page, n_pages))
    first = (shown.page - 1) * view.page_size + 1
    frame = queries.papers(shown)
    listing = common.paper_list(
        frame,
        common.topics_by_paper(queries, frame),
        key="papers",
        title=f"{n_found:,} papers" if n_found != 1 else "1 paper",
        subtitle=_subtitle(view, first, frame.height),
        empty="No paper fits. Take a filter away, or search for fewer letters.",
        page=shown.page,
        n_pages=n_pages,
    )
    # The download holds the whole answer, not the page; it is read only when asked for.
    everything = b.Table(
        "papers",
        "Papers",
        frame,
        (),
        csv_frame=lambda: queries.papers(replace(view, page=1, page_size=MAX_DOWNLOAD)),
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
