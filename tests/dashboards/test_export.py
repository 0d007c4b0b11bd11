"""The static site: complete, offline, escaped, and replaced as a whole."""

from __future__ import annotations

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from dashboards import export
from dashboards.export import export_site
from dashboards.pages.evidence import SUMMARY
from pipelines.errors import NoSnapshotError, PapertideError
from pipelines.publishing.reader import Reader
from pipelines.settings import Settings
from tests.dashboards.conftest import NASTY_LABEL, NASTY_TITLE, Publish, marts

pytestmark = pytest.mark.dashboards

LOADERS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """The resources and links of a page, and the content of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.data: list[str] = []
        self._script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in LOADERS and values.get(LOADERS[tag]):
            self.loads.append(values[LOADERS[tag]] or "")
        if tag == "a":
            self.links.append(values.get("href") or "")
        self._script = tag == "script" and "src" not in values
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag: str) -> None:
        self._script = False

    def handle_data(self, data: str) -> None:
        if self._script:
            self.data.append(data)


@pytest.fixture
def site(reader: Reader, tmp_path: Path) -> Path:
    export_site(reader, tmp_path / "site")
    return tmp_path / "site"


def pages(site: Path) -> dict[str, Page]:
    return {p.name: Page(p.read_text(encoding="utf-8")) for p in site.glob("*.html")}


def test_the_returned_pages_exist(reader: Reader, tmp_path: Path) -> None:
    made = export_site(reader, tmp_path / "site")
    assert {p.name for p in made} == {p.name for p in (tmp_path / "site").glob("*.html")}
    assert {"index.html", "arxiv-index.html", "health.html", "topic-hf_daily-agents.html"} <= {
        p.name for p in made
    }
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".site")] == []


def test_pages_load_no_external_resource(site: Path) -> None:
    for name, page in pages(site).items():
        for address in page.loads:
            assert not re.match(r"(?:[a-z]+:)?//", address), (name, address)
            assert address == "data:," or (site / address).is_file()
    script = (site / "assets/site.js").read_text() + (site / "assets/theme.js").read_text()
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(", script)


def test_links_have_targets(site: Path) -> None:
    for name, page in pages(site).items():
        for link in page.links:
            if link.startswith(("#", "https://", "http://")):
                continue
            assert (site / link).is_file(), (name, link)


def test_text_from_sources_is_escaped(site: Path) -> None:
    text = (site / "papers.html").read_text(encoding="utf-8")
    assert NASTY_TITLE not in text
    assert "&lt;script&gt;alert(" in text
    assert "javascript:" not in text
    assert "<script>alert(2)" not in (site / "health.html").read_text(encoding="utf-8")


def test_discovered_topics_have_pages(site: Path) -> None:
    found = pages(site)
    assert "topics-discovered.html" in found["topics.html"].links
    assert "arxiv-trends-discovered.html" in found["arxiv-trends.html"].links
    assert "topics.html" in found["topics-discovered.html"].links
    assert "topic-hf_daily-d-00000001.html" in found["topics-discovered.html"].links
    for name in ("topics-discovered.html", "topic-hf_daily-d-00000001.html", "papers.html"):
        text = (site / name).read_text(encoding="utf-8")
        assert NASTY_LABEL not in text
        assert html.escape(NASTY_LABEL, quote=False) in text
    assert "shared terms: gui, &lt;i&gt;agent&lt;/i&gt;" in (site / "papers.html").read_text()


def test_a_snapshot_without_discovered_topics_has_no_switch(
    publish: Publish, tmp_path: Path
) -> None:
    tables = marts(("hf_daily",))
    plain = tables["dim_topics"].filter(pl.col("kind") != "discovered")
    export_site(Reader(publish(dim_topics=plain)), tmp_path / "site")
    assert not list((tmp_path / "site").glob("*discovered*"))


def test_figures_are_json_and_charts_have_downloads(site: Path) -> None:
    found = pages(site)
    for name in ("index.html", "topics.html", "authors.html", "trends.html", "health.html"):
        assert found[name].data
        for text in found[name].data:
            assert json.loads(text)["data"] is not None
            assert "<" not in text
        assert [link for link in found[name].links if link.startswith("data/")]


def test_only_an_exported_site_is_replaced(reader: Reader, site: Path, tmp_path: Path) -> None:
    (site / "old.html").write_text("old")
    export_site(reader, site)
    assert not (site / "old.html").exists()
    other = tmp_path / "photos"
    other.mkdir()
    (other / "cat.txt").write_text("keep me")
    with pytest.raises(PapertideError, match="photos"):
        export_site(reader, other)
    assert (other / "cat.txt").read_text() == "keep me"


def test_a_failed_export_keeps_the_old_site(
    reader: Reader, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (site / "index.html").read_bytes()

    def fail(_: object) -> list[str]:
        raise OSError("disk full")

    monkeypatch.setattr(export.Site, "write", fail)
    with pytest.raises(OSError, match="disk full"):
        export_site(reader, site)
    assert (site / "index.html").read_bytes() == before
    assert [p.name for p in site.parent.iterdir() if p.name.startswith(".site")] == []


def test_one_population_has_no_switch(publish: Publish, tmp_path: Path) -> None:
    export_site(Reader(publish(populations=("hf_daily",))), tmp_path / "site")
    assert not list((tmp_path / "site").glob("arxiv*"))
    assert "arXiv announcements" not in (tmp_path / "site/index.html").read_text(encoding="utf-8")


def test_nothing_published_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoSnapshotError):
        export_site(Reader(Settings(home=tmp_path / "home")), tmp_path / "site")
    assert list(tmp_path.iterdir()) == []


def test_verdicts_link_to_papers_formula_and_evidence(site: Path) -> None:
    assert "topic-hf_daily-agents.html" in pages(site)["trends.html"].links
    text = html.unescape((site / "topic-hf_daily-agents.html").read_text(encoding="utf-8"))
    # Diffusion has no papers, so it has no page.
    assert '<div class="link-group"><span>Narrower</span>' in text
    assert "<li>Diffusion</li>" in text
    for part in (SUMMARY, "rising over a year: 12.0 % of papers", "Began", "title: agents"):
        assert part in text


def test_every_horizon_has_a_page(site: Path) -> None:
    found = pages(site)
    assert "trends-year.html" in found["index.html"].links
    assert {"trends.html", "trends-month.html"} <= set(found["trends-year.html"].links)
    assert "arxiv-trends-discovered-year.html" in found["arxiv-trends-discovered.html"].links
    text = html.unescape((site / "trends-year.html").read_text(encoding="utf-8"))
    assert "Rising and falling topics, over a year up to Mar 2025" in text


def test_the_site_names_what_only_the_dashboard_shows(site: Path) -> None:
    only = "available in the dashboard only"
    for name in ("trends.html", "topics.html", "topic-hf_daily-agents.html", "authors.html"):
        assert only in (site / name).read_text(encoding="utf-8"), name
    assert only not in (site / "health.html").read_text(encoding="utf-8")
