"""Renders blocks as Dash components.

Belongs here: the component of each kind of block. Does not: what a page shows (`pages`), or
filters (`controls`). Text is passed as children, so React escapes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import dcc, html

from dashboards import address
from dashboards import blocks as b
from dashboards.pages import PAGES
from dashboards.theme import Theme
from dashboards.view import View

GRAPH_CONFIG: Any = {"displayModeBar": False, "responsive": True, "showTips": False}
PATHS = {page.key: page.path for page in PAGES}


def aria(**values: str) -> dict[str, Any]:
    """ARIA attributes: `aria(label="…")` is `aria-label`."""
    return {f"aria-{name}": value for name, value in values.items()}


def href(link: b.Link) -> str:
    """The URL of a link."""
    return PATHS[link.page] + address.write(link.params)


class Renderer:
    """Renders the blocks of one page for a view and a theme."""

    def __init__(self, page_key: str, view: View, theme: Theme) -> None:
        self._page = page_key
        self._view = view
        self._theme = theme

    def blocks(self, items: Sequence[b.Block]) -> list[Any]:
        """The component of each block."""
        return [self.block(item) for item in items]

    def block(self, item: b.Block) -> Any:
        """The component of a block."""
        match item:
            case b.Chart():
                return self._chart(item)
            case b.Table():
                return self._table_section(item)
            case b.Stats():
                return _stats(item)
            case b.Papers():
                return self._papers(item)
            case b.Heading():
                detail = [html.P(item.detail, className="section-detail")] if item.detail else []
                groups = [_link_group(label, links) for label, links in item.links]
                return html.Div([html.H2(item.text), *detail, *groups], className="section-heading")
            case b.Text():
                return html.P(item.text, className=f"text text-{item.tone}")

    def _chart(self, chart: b.Chart) -> Any:
        plots = [
            html.Div(
                [
                    *([html.H4(panel.title)] if panel.title else []),
                    html.Div(
                        dcc.Graph(
                            figure=panel.draw(self._theme),
                            config=GRAPH_CONFIG,
                            responsive=True,
                            style={"height": f"{panel.height}px"},
                        ),
                        role="img",
                        **aria(label=f"{panel.summary} The table has the values."),
                    ),
                ],
                className="panel",
            )
            for panel in chart.panels
        ]
        many = " is-many" if len(plots) > 1 else ""
        layout = "figure-body is-stacked" if chart.is_stacked else "figure-body"
        return html.Section(
            [
                html.H3(chart.title),
                html.P(chart.subtitle, className="subtitle"),
                _legend(chart.legend),
                html.Div(
                    [
                        html.Div(plots, className="plots" + many),
                        html.Div(
                            self._table(
                                chart.table, None if chart.is_stacked else _table_height(chart)
                            ),
                            className="figure-table",
                        ),
                    ],
                    className=layout,
                ),
                *_smallprint((*chart.caveats, chart.formula)),
            ],
            className="figure",
            id=f"figure-{chart.key}",
        )

    def _table_section(self, table: b.Table) -> Any:
        return html.Section(
            [html.H3(table.title), self._table(table), *_smallprint((table.note,))],
            className="figure",
            id=f"figure-{table.key}",
        )

    def _table(self, table: b.Table, height: int | None = None) -> Any:
        rows = table.frame.head(table.max_rows).iter_rows(named=True)
        if table.frame.is_empty():
            return html.P(table.empty, className="empty")
        head = html.Thead(
            html.Tr(
                [html.Th(c.label, scope="col", className=_cell_class(c)) for c in table.columns]
            )
        )
        body = [
            html.Tr(
                [html.Td(_cell(c, row), className=_cell_class(c)) for c in table.columns],
                className="is-muted" if table.is_muted and table.is_muted(row) else None,
            )
            for row in rows
        ]
        return html.Div(
            [
                html.Div(
                    html.Table([head, html.Tbody(body)]),
                    className="table-scroll",
                    style={"--table-height": f"{height}px"} if height else None,
                    tabIndex=0,
                    role="region",
                    **aria(label=table.title),
                ),
                self._download(table),
            ],
            className="table-block",
        )

    def _download(self, table: b.Table) -> Any:
        hidden = f"The download has {table.n_hidden:,} more rows. " if table.n_hidden else ""
        query = address.write(address.all_params(self._view))
        return html.P(
            [
                hidden,
                html.A(
                    "Download CSV",
                    href=f"/download/{self._page}/{table.key}.csv{query}",
                    download=f"papertide-{table.key}.csv",
                    **aria(label=f"Download CSV: {table.title}"),
                ),
            ],
            className="download",
        )

    def _papers(self, listing: b.Papers) -> Any:
        if not listing.papers:
            body: Any = html.P(listing.empty, className="empty")
        else:
            body = html.Ol([self._paper(paper) for paper in listing.papers], className="papers")
        return html.Section(
            [
                html.H3(listing.title),
                html.P(listing.subtitle, className="subtitle"),
                body,
                self._pager(listing),
                *([self._download(listing.table)] if listing.papers else []),
                *_smallprint((listing.table.note,)),
            ],
            className="figure paper-list",
            id=f"figure-{listing.key}",
        )

    def _paper(self, paper: b.Paper) -> Any:
        links = [
            html.A(label, href=url, target="_blank", rel="noopener noreferrer")
            for label, url in paper.links
        ]
        topics = [
            html.Li(
                [
                    self._topic(topic),
                    html.Span(f" {'; '.join(topic.evidence)}", className="evidence"),
                ]
            )
            for topic in paper.topics
        ]
        counters = [
            html.Span([html.Span(label, className="counter-label"), f" {value}"])
            for label, value in paper.counters
        ]
        return html.Li(
            html.Article(
                [
                    html.H4(paper.title),
                    html.P(paper.authors, className="paper-authors"),
                    html.P([html.Time(paper.date), *counters, *links], className="paper-facts"),
                    html.Ul(topics, className="paper-topics")
                    if topics
                    else html.P("No topic matched.", className="evidence"),
                ]
            )
        )

    def _topic(self, topic: b.Topic) -> Any:
        if not topic.topic_id:
            return html.Span(topic.name)
        link = b.Link("topics", {**address.shared_params(self._view), "topic": topic.topic_id})
        return dcc.Link(topic.name, href=href(link))

    def _pager(self, listing: b.Papers) -> Any:
        if listing.n_pages < 2:
            return None
        steps = (("Previous", listing.page - 1), ("Next", listing.page + 1))
        links = [
            dcc.Link(label, href=self._page_href(page))
            if 1 <= page <= listing.n_pages
            else html.Span(label, className="is-off")
            for label, page in steps
        ]
        position = html.Span(f"Page {listing.page:,} of {listing.n_pages:,}")
        return html.Nav(
            [links[0], position, links[1]], className="pager", **aria(label="Pages of results")
        )

    def _page_href(self, page: int) -> str:
        params = address.all_params(self._view.with_page(page))
        return PATHS[self._page] + address.write(params)


def _table_height(chart: b.Chart) -> int:
    """Height in pixels of a table next to its chart."""
    return max(260, chart.panels[0].height - 34)


def _cell(column: b.Column, row: b.Row) -> Any:
    text = column.text(row)
    link = column.link(row) if column.link else None
    return dcc.Link(text, href=href(link)) if link else text


def _link_group(label: str, links: Sequence[tuple[str, b.Link]]) -> Any:
    items = [html.Li(dcc.Link(text, href=href(link))) for text, link in links]
    return html.Div([html.Span(label), html.Ul(items)], className="link-group")


def _cell_class(column: b.Column) -> str | None:
    if column.is_number:
        return "number"
    if column.is_wide:
        return "wide"
    return "unbroken" if column.is_unbroken else None


def _legend(keys: Sequence[b.Key]) -> Any:
    if not keys:
        return None
    return html.Ul(
        [
            html.Li([html.Span(className=f"mark mark-{key.mark}", **aria(hidden="true")), key.text])
            for key in keys
        ],
        className="legend",
    )


def _smallprint(texts: Sequence[str]) -> list[Any]:
    shown = [text for text in texts if text]
    return [html.Div([html.P(text) for text in shown], className="smallprint")] if shown else []


def _stats(stats: b.Stats) -> Any:
    return html.Dl(
        [
            html.Div(
                [
                    html.Dt(item.label),
                    html.Dd(item.value, className="stat-value"),
                    html.Dd(item.detail, className="stat-detail"),
                    html.Dd(item.population, className="stat-population"),
                ],
                className="stat",
            )
            for item in stats.items
        ],
        className="stats",
    )
