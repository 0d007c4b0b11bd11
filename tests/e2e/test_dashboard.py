"""The dashboard in a browser: pages, filters, history, theme, downloads and search."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.conftest import Watched

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.e2e
expect = playwright.expect

TITLES = ("Overview", "Topics", "Authors", "Trends", "Papers", "Data health")
CHARTED = ("Overview", "Topics", "Authors", "Trends", "Data health")


def settle(watched: Watched, title: str) -> None:
    """Wait until the page with this title and its plots are rendered."""
    page = watched.page
    expect(page.locator("h1")).to_have_text(title)
    expect(page).to_have_title(f"{title} – Papertide")
    expect(page.locator("#body")).not_to_have_attribute("data-dash-is-loading", "true")
    if title in CHARTED:
        expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()


def fits(watched: Watched) -> bool:
    """True if the page does not scroll horizontally."""
    return bool(watched.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def query(watched: Watched) -> dict[str, list[str]]:
    return parse_qs(urlsplit(watched.page.url).query)


def choose(watched: Watched, name: str, option: str) -> None:
    """Choose an option of a drop-down."""
    watched.page.locator(f".filter-{name} button.dash-dropdown").click()
    watched.page.locator(".dash-dropdown-search").fill(option)
    watched.page.locator(".dash-dropdown-content label").filter(has_text=option).first.click()


def test_every_page_opens_from_the_navigation(watched: Watched, address: str) -> None:
    watched.page.goto(address)
    settle(watched, "Overview")
    assert fits(watched)
    for title in TITLES[1:]:
        watched.page.locator("#nav").get_by_role("link", name=title, exact=True).click()
        settle(watched, title)
        assert fits(watched), title
    expect(watched.page.locator("#nav [aria-current=page]")).to_have_text("Data health")


LONG = [pytest.param(path, marks=pytest.mark.slow) for path in ("/topics", "/trends", "/health")]


@pytest.mark.parametrize("path", ["/", "/authors", "/papers", "/?nope=1", "/lost", *LONG])
def test_every_address_opens_directly(path: str, watched: Watched, address: str) -> None:
    watched.page.goto(address + path)
    expect(watched.page.locator("h1")).to_be_visible()
    assert fits(watched)
    watched.page.set_viewport_size({"width": 390, "height": 844})
    for _ in range(100):  # figures are redrawn at the new width
        if fits(watched):
            break
        watched.page.wait_for_timeout(100)
    assert fits(watched), "at 390 px"


def test_a_filter_changes_the_url_and_back_restores_it(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}/trends")
    settle(watched, "Trends")
    page.locator(".filter-grain input[value=quarter]").click()
    expect(page.locator("#figure-trends h3")).to_have_text("Topic shares per quarter")
    assert query(watched) == {"grain": ["quarter"]}
    page.locator(".filter-grain input[value=week]").click()
    expect(page.locator("#figure-trends h3")).to_have_text("Topic shares per week")
    page.go_back()
    expect(page.locator("#figure-trends h3")).to_have_text("Topic shares per quarter")
    expect(page.locator(".filter-grain input:checked")).to_have_value("quarter")
    page.go_back()
    expect(page.locator("#figure-trends h3")).to_have_text("Topic shares per month")
    page.reload()
    expect(page.locator("#figure-trends h3")).to_have_text("Topic shares per month")


@pytest.mark.slow
def test_the_horizon_is_chosen(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}/trends")
    settle(watched, "Trends")
    heading = page.locator("h2").first
    expect(heading).to_contain_text("over half a year")
    page.locator(".filter-horizon input[value=year]").click()
    expect(heading).to_contain_text("over a year")
    assert query(watched)["horizon"] == ["year"]
    expect(page.locator("#figure-trends h3")).to_have_text("Topic shares per month")


@pytest.mark.slow
def test_a_filter_keeps_the_keyboard_focus(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}/trends")
    settle(watched, "Trends")
    page.locator(".filter-grain input:checked").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#figure-trends h3")).to_have_text("Topic shares per quarter")
    expect(page.locator(".filter-grain input[value=quarter]")).to_be_focused()


@pytest.mark.slow
def test_a_topic_is_chosen_in_the_filter_and_in_the_table(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}/topics")
    settle(watched, "Topics")
    link = page.locator("#figure-topic-shares tbody a").first
    name = link.inner_text()
    link.click()
    expect(page.locator("h2").first).to_have_text(name)
    expect(page.locator("#figure-topic-papers .papers > li").first).to_be_visible()
    assert fits(watched)
    choose(watched, "topic", "All topics")
    expect(page.locator("h2")).to_have_count(0)
    assert "topic" not in query(watched)


@pytest.mark.slow
def test_discovered_topics_are_a_separate_kind(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}/topics?topic=large-language-models")
    settle(watched, "Topics")
    page.locator(".filter-kind label").filter(has_text="Discovered").click()
    expect(page.locator("#figure-topic-shares .subtitle")).to_contain_text("at most one topic")
    assert query(watched)["kind"] == ["discovered"]
    assert "topic" not in query(watched)
    link = page.locator("#figure-topic-shares tbody a").first
    name = link.inner_text()
    link.click()
    expect(page.locator("h2").first).to_have_text(name)
    expect(page.locator(".paper-topics").first).to_contain_text("shared terms:")
    expect(page.locator(".filter-kind input:checked")).to_have_value("discovered")
    assert fits(watched)
    page.goto(f"{address}/trends?kind=discovered")
    settle(watched, "Trends")
    expect(page.locator("#figure-trends h4").first).to_be_visible()


@pytest.mark.slow
def test_a_verdict_is_two_clicks_from_its_papers(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}/trends")
    settle(watched, "Trends")
    page.locator("#figure-verdicts tbody td:nth-child(2) a").first.click()
    settle(watched, "Topics")
    expect(page.locator("#figure-topic-changes")).to_contain_text("% of papers")
    expect(page.locator("#figure-topic-history")).to_contain_text("Wrong direction")
    expect(page.locator("#figure-topic-papers .evidence").first).to_contain_text(":")
    page.locator("#figure-topic-history tbody td a").first.click()
    settle(watched, "Papers")
    assert {"topic", "period"} <= set(query(watched))
    expect(page.locator("#figure-papers .evidence").first).to_contain_text(":")
    assert fits(watched)


def test_a_term_is_chosen_and_removed(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}/trends")
    settle(watched, "Trends")
    page.locator("#figure-term-verdicts tbody td:nth-child(2) a").first.click()
    settle(watched, "Papers")
    expect(page.locator("#figure-term-changes tbody tr")).to_have_count(4)
    expect(page.locator("#figure-term-history")).to_contain_text("Wrong direction")
    page.locator(".filter-term input").click()
    expect(page.locator("#figure-term-history")).to_have_count(0)
    assert "term" not in query(watched)


def test_papers_are_searched_and_paged(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}/papers")
    settle(watched, "Papers")
    first = page.locator(".papers h4").first.inner_text()
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".pager")).to_contain_text("Page 2 of")
    expect(page.locator(".papers h4").first).not_to_have_text(first)
    box = page.locator(".filter-q input")
    box.fill(first.lower())
    box.press("Enter")
    expect(page.locator(".papers h4").first).to_have_text(first)
    assert query(watched)["q"] == [first.lower()]
    assert "page" not in query(watched)
    assert page.evaluate("document.activeElement.type") == "search"
    box.fill("zzzz no such paper zzzz")
    box.press("Enter")
    expect(page.locator(".empty")).to_contain_text("No papers match")
    page.go_back()
    expect(box).to_have_value(first.lower())


@pytest.mark.slow
def test_invalid_values_fall_back_with_a_note(watched: Watched, address: str) -> None:
    watched.page.goto(f"{address}/topics?population=mars&topic=%3Cscript%3E")
    settle(watched, "Topics")
    notes = watched.page.locator(".is-fallback")
    expect(notes).to_have_count(2)
    expect(notes.first).to_contain_text("mars")


@pytest.mark.slow
def test_the_dark_theme_is_saved_and_redraws_figures(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}/trends")
    settle(watched, "Trends")
    ink = "getComputedStyle(document.querySelector('.xtick text')).fill"
    light = page.evaluate(ink)
    page.locator("#theme-toggle").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator(".xtick text").first).not_to_have_css("fill", light)
    page.reload()
    settle(watched, "Trends")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate(ink) != light


@pytest.mark.slow
def test_a_table_downloads(watched: Watched, address: str, tmp_path: Path) -> None:
    page = watched.page
    page.goto(f"{address}/topics")
    settle(watched, "Topics")
    with page.expect_download() as waiting:
        page.locator("#figure-topic-shares .download a").click()
    waiting.value.save_as(tmp_path / "table.csv")
    lines = (tmp_path / "table.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].startswith("population,grain,period_start_on")
    assert len(lines) > 10
    assert waiting.value.suggested_filename.endswith(".csv")


@pytest.mark.slow
def test_external_links_are_web_links(watched: Watched, address: str) -> None:
    watched.page.goto(f"{address}/papers")
    settle(watched, "Papers")
    links = watched.page.locator(".paper-facts a").evaluate_all(
        "all => all.map(a => [a.protocol, a.rel])"
    )
    assert links
    assert {protocol for protocol, _ in links} <= {"http:", "https:"}
    assert all("noopener" in rel for _, rel in links)


@pytest.mark.slow
def test_controls_and_regions_have_names(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}/topics")
    settle(watched, "Topics")
    for role, name in (("navigation", "Pages"), ("group", "Filters"), ("group", "Topic")):
        expect(page.get_by_role(role, name=name, exact=True)).to_be_visible()
    expect(page.get_by_role("region", name="Topic shares", exact=True)).to_be_visible()
    page.locator("body").press("Tab")
    expect(page.locator(".skip")).to_be_focused()
