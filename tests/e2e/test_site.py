"""The exported site, opened from disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Watched

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.e2e
expect = playwright.expect


def fits(watched: Watched) -> bool:
    return bool(watched.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_every_page_opens_from_disk(watched: Watched, site: Path) -> None:
    page = watched.page
    page.goto((site / "index.html").as_uri())
    expect(page.locator(".plot .main-svg").first).to_be_visible()
    assert fits(watched)
    for title in ("Topics", "Authors", "Trends", "Papers", "Data health"):
        page.locator("#nav").get_by_role("link", name=title, exact=True).click()
        expect(page.locator("h1")).to_have_text(title)
        if title != "Papers":
            expect(page.locator(".plot .main-svg").first).to_be_visible()
        assert fits(watched), title


@pytest.mark.slow
def test_a_topic_page_opens_from_the_table(watched: Watched, site: Path) -> None:
    page = watched.page
    page.goto((site / "topics.html").as_uri())
    link = page.locator("#figure-topic-shares tbody a").first
    name = link.inner_text()
    link.click()
    expect(page.locator("h2")).to_have_text(name)
    expect(page.locator(".plot .main-svg").first).to_be_visible()


@pytest.mark.slow
def test_the_dark_theme_redraws_figures(watched: Watched, site: Path) -> None:
    page = watched.page
    page.goto((site / "trends.html").as_uri())
    expect(page.locator(".plot .main-svg").first).to_be_visible()
    ink = "getComputedStyle(document.querySelector('.xtick text')).fill"
    light = page.evaluate(ink)
    page.locator("#theme-toggle").click()
    expect(page.locator(".xtick text").first).not_to_have_css("fill", light)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_papers_are_filtered(watched: Watched, site: Path) -> None:
    page = watched.page
    page.goto((site / "papers.html").as_uri())
    items = page.locator(".papers > li:visible")
    before = items.count()
    title = page.locator(".papers h4").nth(3).inner_text()
    page.locator(".site-search").fill(title)
    expect(items.first).to_contain_text(title)
    assert items.count() < before


@pytest.mark.slow
def test_a_table_downloads(watched: Watched, site: Path) -> None:
    page = watched.page
    page.goto((site / "topics.html").as_uri())
    link = page.locator("#figure-topic-shares .download a")
    target = site / (link.get_attribute("href") or "")
    assert target.read_text(encoding="utf-8-sig").startswith("population,grain")
