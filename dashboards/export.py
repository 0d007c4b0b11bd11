"""The static site: the dashboard's pages as files that open from disk, without a network.

Belongs here: rendering blocks as files and replacing a site as a whole. Does not: what pages show
(`pages`), or the running dashboard (`components`).
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jinja2
import plotly

from dashboards import address, downloads, formats, theme
from dashboards import blocks as b
from dashboards.choices import KINDS, TAXONOMY
from dashboards.pages import PAGES, Page, page_named, topics
from dashboards.populations import population_named
from dashboards.queries import Queries
from dashboards.view import HORIZONS, View
from pipelines.errors import PapertideError
from pipelines.publishing.reader import Reader

HERE = Path(__file__).parent
PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
MARKER = "papertide-site.json"
ASSETS = ("assets/style.css", "assets/theme.js", "templates/site.js")
ATTEMPTS = 3
N_PAPERS = 200


def export_site(reader: Reader, folder: Path) -> list[Path]:
    """Write the site of the current snapshot to `folder` and return the paths of its pages.

    Replaces an earlier site. Raises NoSnapshotError if nothing is published, and PapertideError if
    the folder has other content.
    """
    folder = folder.expanduser().resolve()
    _check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    queries = Queries(reader)
    for _ in range(ATTEMPTS):
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            before = queries.snapshot_id()
            names = Site(queries, work).write()
            if queries.snapshot_id() == before:
                work.chmod(0o755)
                _swap(work, folder)
                return [folder / name for name in names]
        finally:
            shutil.rmtree(work, ignore_errors=True)
    raise PapertideError(
        f"{folder}: a new snapshot was published during each of {ATTEMPTS} export attempts. The "
        "folder is unchanged. Run `papertide export-site` again."
    )


def _check_replaceable(folder: Path) -> None:
    if not folder.exists() or (folder / MARKER).is_file():
        return
    if folder.is_dir() and not any(folder.iterdir()):
        return
    raise PapertideError(
        f"{folder} is not an exported site, and exporting would replace it. Choose a new or "
        "empty folder."
    )


def _swap(work: Path, folder: Path) -> None:
    """Replace the old site; on an error the old site stays."""
    if not folder.exists():
        work.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    folder.rename(old / "site")
    try:
        work.rename(folder)
    except OSError:
        (old / "site").rename(folder)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


@dataclass(frozen=True)
class Entry:
    """A link of the navigation or of a switch."""

    title: str
    href: str
    is_current: bool


class Site:
    """Writes the pages of one snapshot into a folder."""

    def __init__(self, queries: Queries, folder: Path) -> None:
        self._queries = queries
        self._folder = folder
        self._choices = queries.choices()
        self._facts = queries.snapshot_facts()
        self._topic_pages: set[tuple[str, str]] = set()
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        environment.filters["kind"] = lambda item: type(item).__name__
        self._template = environment.get_template("page.html")

    def write(self) -> list[str]:
        """Write the site and return the file names of its pages."""
        self._write_assets()
        names = []
        views = [
            replace(self._view(name), page_size=N_PAPERS)
            for name in self._choices.whole_populations
        ] or [address.read("", self._choices)]
        details = [(view, list(topics.details(self._queries, view))) for view in views]
        self._topic_pages = {
            (view.population, topic.topic_id) for view, found in details for topic, _ in found
        }
        for view in views:
            for page in PAGES:
                if page.key == "health" and view is not views[0]:
                    continue
                for shown in self._variants(page, view):
                    name = self._page_name(page, shown)
                    items = page.build(self._queries, shown)
                    names.append(self._write_page(name, page, shown, page.title, items))
        for view, found in details:
            for topic, items in found:
                about = replace(view, kind=topic.kind, topic=topic.topic_id)
                name = _topic_name(view.population, topic.topic_id)
                names.append(self._write_page(name, page_named("topics"), about, topic.name, items))
        marker = {"snapshot_id": self._facts["snapshot_id"], "pages": names}
        (self._folder / MARKER).write_text(json.dumps(marker, indent=1), encoding="utf-8")
        return names

    def _view(self, population: str) -> View:
        """The default view of a population."""
        return address.read(address.write({"population": population}), self._choices)

    def _write_assets(self) -> None:
        assets = self._folder / "assets"
        assets.mkdir()
        (self._folder / "data").mkdir()
        for name in ASSETS:
            shutil.copy(HERE / name, assets / Path(name).name)
        shutil.copy(PLOTLY, assets / "plotly.min.js")
        (assets / "colours.css").write_text(theme.css_variables(), encoding="utf-8")
        facts = {
            "templates": {
                one.name: theme.template(one).to_plotly_json() for one in (theme.LIGHT, theme.DARK)
            },
            "swaps": theme.swaps(),
        }
        (assets / "themes.js").write_text(
            f"window.PAPERTIDE = {json.dumps(facts)};\n", encoding="utf-8"
        )

    def _write_page(
        self, name: str, page: Page, view: View, title: str, items: list[b.Block]
    ) -> str:
        for key, table in downloads.tables(items).items():
            text = formats.to_csv(table.download())
            (self._folder / _csv_name(name, key)).write_text(text, encoding="utf-8", newline="")
        text = self._template.render(
            title=title,
            page=page,
            view=view,
            items=items,
            nav=self._nav(page, view),
            switches=self._switches(page, view),
            facts=self._facts,
            formats=formats,
            figure=_figure_json,
            href=self._href,
            csv=lambda table: _csv_name(name, table.key),
            topic_link=lambda topic_id: self._href(
                b.Link("topics", {"population": view.population, "topic": topic_id})
            ),
            has_dashboard_links=self._has_dashboard_links,
            has_charts=any(isinstance(item, b.Chart) for item in items),
        )
        (self._folder / name).write_text(text, encoding="utf-8")
        return name

    def _page_name(self, page: Page, view: View) -> str:
        stem = "index" if page.key == "overview" else page.key
        first = self._choices.whole_populations[:1]
        if len(self._kinds_of(page)) > 1 and view.kind != TAXONOMY:
            stem = f"{stem}-{view.kind}"
        if page.key == "trends" and view.horizon != view.primary_horizon:
            stem = f"{stem}-{view.horizon}"
        if page.key == "health" or not first or view.population == first[0]:
            return f"{stem}.html"
        return f"{_slug(view.population)}-{stem}.html"

    def _kinds_of(self, page: Page) -> tuple[str, ...]:
        """The kinds of topics for which the page has a file."""
        kinds = self._choices.kinds if "kind" in page.filters else ()
        return kinds or (TAXONOMY,)

    def _variants(self, page: Page, view: View) -> list[View]:
        """The view for each kind of topics and horizon for which the page has a file."""
        return [
            replace(view, kind=kind, horizon=horizon)
            for kind in self._kinds_of(page)
            for horizon in (HORIZONS if "horizon" in page.filters else (view.horizon,))
        ]

    def _nav(self, current: Page, view: View) -> list[Entry]:
        plain = replace(view, kind=TAXONOMY, horizon=view.primary_horizon)
        return [Entry(page.title, self._page_name(page, plain), page is current) for page in PAGES]

    def _switches(self, current: Page, view: View) -> list[tuple[str, list[Entry]]]:
        """Links to the same page for other populations, kinds of topics and horizons."""
        populations = [
            Entry(
                population_named(name).name,
                self._page_name(current, replace(view, population=name)),
                name == view.population,
            )
            for name in self._choices.whole_populations
            if current.key != "health"
        ]
        kinds = [
            Entry(
                KINDS[kind],
                self._page_name(current, replace(view, kind=kind)),
                kind == view.kind,
            )
            for kind in self._kinds_of(current)
        ]
        horizons = [
            Entry(
                label, self._page_name(current, replace(view, horizon=name)), name == view.horizon
            )
            for name, label in HORIZONS.items()
            if "horizon" in current.filters
        ]
        switches = (("Population", populations), ("Topics", kinds), ("Change over", horizons))
        return [(label, entries) for label, entries in switches if len(entries) > 1]

    def _href(self, link: b.Link | None) -> str | None:
        """The file that a link leads to; None if only the running dashboard can show it."""
        if link is None:
            return None
        population = link.params.get("population", "")
        page = next(page for page in PAGES if page.key == link.page)
        if page.key == "trends" and population in self._choices.whole_populations:
            view = self._view(population)
            view = replace(view, horizon=link.params.get("horizon", view.horizon))
            shown = view.verdict_period.start.isoformat() if view.verdict_period else None
            return self._page_name(page, view) if link.params.get("to") == shown else None
        key = (population, link.params.get("topic", ""))
        return _topic_name(*key) if link.page == "topics" and key in self._topic_pages else None

    def _has_dashboard_links(self, table: b.Table) -> bool:
        """True if a cell links to something that only the running dashboard can show."""
        link_functions = [column.link for column in table.columns if column.link]
        links = (
            link(row)
            for row in table.frame.head(table.max_rows).iter_rows(named=True)
            for link in link_functions
        )
        return any(link is not None and self._href(link) is None for link in links)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", text)


def _topic_name(population: str, topic_id: str) -> str:
    return f"topic-{_slug(population)}-{_slug(topic_id)}.html"


def _csv_name(page_name: str, key: str) -> str:
    return f"data/{Path(page_name).stem}-{_slug(key)}.csv"


def _figure_json(panel: b.Panel) -> str:
    """The light figure as JSON without its template, escaped for a script element."""
    figure: dict[str, Any] = json.loads(panel.draw(theme.LIGHT).to_json())
    figure["layout"].pop("template", None)
    text = json.dumps(figure, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
