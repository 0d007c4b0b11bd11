"""The dashboard: a Dash app over a snapshot reader.

Belongs here: the layout around pages, callbacks, the download route, security headers. Does not:
what pages show (`pages`) or the web server (the command line).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flask
from dash import (
    ALL,
    ClientsideFunction,
    Dash,
    Input,
    Output,
    State,
    dcc,
    html,
    no_update,
    set_props,
)

from dashboards import address, controls, downloads, formats, metrics, theme
from dashboards.components import Renderer, aria
from dashboards.pages import PAGES, Page, page_at
from dashboards.queries import Queries
from pipelines.errors import NoSnapshotError, PapertideError
from pipelines.publishing.reader import Reader
from pipelines.settings import Settings, load_settings

log = logging.getLogger("papertide.dashboard")
ASSETS = Path(__file__).with_name("assets")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
# Dash needs its own files and one inline script, which is allowed by its hash. Plotly sets inline
# styles.
POLICY = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<title>{%title%}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>VARIABLES</style>
{%css%}
<script src="/assets/theme.js"></script>
</head>
<body>
<noscript>The dashboard requires JavaScript. The static site written by "papertide export-site DIR"
shows text and tables without it.</noscript>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


def create_app(
    reader: Reader, *, stale_after_hours: float = 0, settings: Settings | None = None
) -> Dash:
    """The Dash app; serve its `server`. Every request reads the current snapshot.

    A banner reports figures older than `stale_after_hours`; 0 disables it. Metrics describe the
    home in `settings` (default: the settings of the process).
    """
    queries = Queries(reader, stale_after_hours=stale_after_hours)
    app = Dash(
        "dashboards",
        assets_folder=str(ASSETS),
        assets_ignore=r"^theme\.js$",
        index_string=INDEX.replace("VARIABLES", theme.css_variables()),
        title="Papertide",
        update_title=None,  # type: ignore[arg-type]
        suppress_callback_exceptions=True,
        on_error=_show_error,
        enable_mcp=False,
    )
    app.layout = shell()
    _add_callbacks(app, queries)
    _add_routes(app.server, queries)
    metrics.add(app.server, queries, settings or load_settings())
    _add_headers(app)
    return app


def shell() -> Any:
    """The layout around pages."""
    return html.Div(
        [
            dcc.Location(id="url", refresh="callback-nav"),
            dcc.Store(id="theme"),
            dcc.Store(id="rendered"),
            html.A("Skip to content", href="#page", className="skip"),
            html.Header(
                [
                    html.Div(
                        [
                            html.P("Papertide", className="masthead"),
                            html.P("Trends in machine-learning papers", className="strap"),
                        ]
                    ),
                    html.Button(
                        [
                            html.Span("Dark", className="when-light"),
                            html.Span("Light", className="when-dark"),
                        ],
                        id="theme-toggle",
                        type="button",
                        title="Switch between light and dark theme",
                        **aria(label="Switch between light and dark theme"),
                    ),
                ],
                className="top",
            ),
            html.Nav(id="nav", **aria(label="Pages")),
            html.Main(
                [
                    html.Div(html.P("Loading…", className="loading"), id="head"),
                    html.Div(id="filters"),
                    html.Div(id="body"),
                ],
                id="page",
                tabIndex=-1,
            ),
            html.P(id="announcer", className="unseen", role="status", **aria(live="polite")),
        ],
        id="shell",
    )


@dataclass(frozen=True)
class RenderedPage:
    """The components of a page: navigation, head, filters and body.

    `state` goes to the browser: `page` (key), `title`, `values` (of filters) and `offers`, which
    changes with the options of a filter.
    """

    nav: Any
    head: Any
    filters: Any
    body: Any
    state: dict[str, Any]


def render(
    queries: Queries, path: str | None, search: str | None, theme_name: str | None
) -> RenderedPage:
    """The page at an address, or a message if it can't be shown."""
    page = page_at(path)
    try:
        # Another snapshot may be published meanwhile; a page never mixes two.
        for _ in range(3):
            before = queries.snapshot_id()
            rendered = _render(queries, page, search, theme_name)
            if queries.snapshot_id() == before:
                break
    except NoSnapshotError as error:
        return _message(_nav(page, {}), "No published data", str(error))
    except PapertideError as error:
        return _message(_nav(page, {}), "This page can't be shown", str(error))
    return rendered


def _render(
    queries: Queries, page: Page | None, search: str | None, theme_name: str | None
) -> RenderedPage:
    choices = queries.choices()
    view = address.read(search, choices)
    nav = _nav(page, address.shared_params(view))
    if page is None:
        return _message(
            nav, "Page not found", "There is no page at this address. Choose a page above."
        )
    form, values, offers = controls.build(page.filters, view, choices)
    facts = queries.snapshot_facts()
    renderer = Renderer(page.key, view, theme.named(theme_name))
    head = [
        *_banner(queries.standing()),
        html.Div([html.H1(page.title), _dateline(facts)], className="page-head"),
        *(
            html.P(text, className="text text-note is-fallback", role="alert")
            for text in view.notes
        ),
    ]
    body = [*renderer.blocks(page.build(queries, view)), _colophon(facts)]
    return RenderedPage(nav, head, form, body, _state(page.key, page.title, values, offers))


def _message(nav: Any, title: str, text: str) -> RenderedPage:
    head = html.Div([html.H1(title), html.P(text, className="text text-lead")], className="message")
    return RenderedPage(nav, head, None, None, _state("", title, {}, ""))


def _state(key: str, title: str, values: dict[str, Any], offers: str) -> dict[str, Any]:
    return {"page": key, "title": f"{title} – Papertide", "values": values, "offers": offers}


def _nav(page: Page | None, params: dict[str, str]) -> Any:
    def entry(one: Page) -> Any:
        url = one.path + address.write(params)
        if one is page:
            return html.A(one.title, href=url, **aria(current="page"))
        return dcc.Link(one.title, href=url)

    return html.Ul([html.Li(entry(one)) for one in PAGES])


def _dateline(facts: dict[str, Any]) -> Any:
    published = facts["published_at"]
    captured = facts["last_captured_at"]
    return html.P(
        [
            f"Published {formats.moment(published)} ",
            html.Span(f"({formats.age(published, datetime.now(UTC))})", className="age"),
            f". Newest capture {formats.moment(captured)}." if captured else ".",
        ],
        className="dateline",
    )


def _banner(sentence: str) -> list[Any]:
    """The banner about stale figures or a failed build; empty without a sentence."""
    return [html.P(sentence, className="banner", role="status")] if sentence else []


def _colophon(facts: dict[str, Any]) -> Any:
    return html.P(
        [
            "Snapshot ",
            html.Code(facts["snapshot_id"]),
            ". Methods: docs/methodology.md. Tables and columns: docs/data-dictionary.md.",
        ],
        className="colophon",
    )


def _show_error(error: Exception) -> None:
    """Log an unexpected error with its traceback and show a message on the page."""
    log.error("rendering a page failed", exc_info=error)
    text = (
        "This page can't be shown. The server log contains the error. Reload, or open another page."
    )
    set_props("head", {"children": _message(None, "Internal error", text).head})
    set_props("body", {"children": None})


def _add_callbacks(app: Dash, queries: Queries) -> None:
    @app.callback(
        Output("nav", "children"),
        Output("head", "children"),
        Output("filters", "children"),
        Output("body", "children"),
        Output("rendered", "data"),
        Input("url", "pathname"),
        Input("url", "search"),
        Input("theme", "data"),
        State({"type": "filter", "name": ALL}, "value"),
        State({"type": "filter", "name": ALL}, "id"),
        State("rendered", "data"),
    )
    def show(
        path: str | None,
        search: str | None,
        theme_name: str | None,
        values: list[Any],
        ids: list[dict[str, str]],
        rendered: dict[str, Any] | None,
    ) -> Any:
        if theme_name is None:
            return (no_update,) * 5
        page = render(queries, path, search, theme_name)
        shown = {name["name"]: value for name, value in zip(ids, values, strict=True)}
        keep = _same_filters(page.state, rendered or {}, shown)
        filters = no_update if keep else page.filters
        return page.nav, page.head, filters, page.body, page.state

    clientside: Any = app.clientside_callback
    clientside(
        ClientsideFunction("papertide", "theme"),
        Output("theme", "data"),
        Input("theme-toggle", "n_clicks"),
    )
    clientside(
        ClientsideFunction("papertide", "navigate"),
        Output("url", "search"),
        Input({"type": "filter", "name": ALL}, "value"),
        State({"type": "filter", "name": ALL}, "id"),
        State("rendered", "data"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    clientside(
        ClientsideFunction("papertide", "announce"),
        Output("announcer", "children"),
        Input("rendered", "data"),
    )


def _same_filters(state: dict[str, Any], rendered: dict[str, Any], shown: dict[str, Any]) -> bool:
    """True if the filters in the browser are up to date, so that they can keep the focus."""
    offered = all(state[key] == rendered.get(key) for key in ("page", "offers"))
    return offered and state["values"] == shown


def _add_routes(server: flask.Flask, queries: Queries) -> None:
    @server.get("/download/<page_key>/<table_key>.csv")
    def download(page_key: str, table_key: str) -> flask.Response:
        try:
            found = downloads.csv_of(
                queries, page_key, table_key, flask.request.query_string.decode("ascii", "replace")
            )
        except NoSnapshotError as error:
            return flask.Response(f"{error}\n", status=503, mimetype="text/plain")
        if found is None:
            return flask.Response("Table not found.\n", status=404, mimetype="text/plain")
        name, text = found
        return flask.Response(
            text,
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "no-store",
            },
        )


def _add_headers(app: Dash) -> None:
    scripts = " ".join(
        f"'{value}'" if not value.startswith("'") else value for value in app.csp_hashes()
    )
    policy = POLICY.format(scripts=scripts)

    server: flask.Flask = app.server

    @server.after_request
    def secure(response: flask.Response) -> flask.Response:
        response.headers["Content-Security-Policy"] = policy
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response
