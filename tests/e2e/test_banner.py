"""The banner about stale figures and refused builds, in a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import waitress

from dashboards.app import create_app
from pipelines.publishing.build_status import note_refusal
from pipelines.publishing.reader import Reader
from pipelines.settings import Settings
from tests.dashboards.conftest import marts, write_snapshot
from tests.e2e.conftest import Watched

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.e2e
expect = playwright.expect

# Polled, because rendering a page replaces its banner.
IS_READABLE = """
() => {
  const banner = document.querySelector(".banner");
  if (!banner) return false;
  const light = (text) => {
    const [r, g, b] = (text.match(/[0-9.]+/g) || []).map(Number).map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = getComputedStyle(banner);
  const pair = [light(style.color), light(style.backgroundColor)].sort((a, b) => b - a);
  return (pair[0] + 0.05) / (pair[1] + 0.05) >= 7;
}
"""


@pytest.fixture
def old_home(tmp_path: Path, chromium: str) -> Settings:
    return write_snapshot(tmp_path / "home", "one", marts(("hf_daily", "arxiv")))


@pytest.fixture
def served(old_home: Settings) -> Iterator[str]:
    app = create_app(Reader(old_home), stale_after_hours=36)
    server = waitress.create_server(app.server, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(timeout=5)


def test_stale_figures_and_a_refusal_are_reported_without_a_restart(
    watched: Watched, served: str, old_home: Settings
) -> None:
    page = watched.page
    page.goto(served)
    banner = page.get_by_role("status").filter(has_text="These figures were published on")
    expect(banner).to_contain_text("2025-04-02 06:00 UTC")
    page.wait_for_function(IS_READABLE)
    note_refusal(old_home, ["a-name-without-any-place-to-break-" * 8], "one")
    page.get_by_role("link", name="Topics", exact=True).click()
    expect(banner).to_contain_text("the last build was refused at")
    page.get_by_role("button", name="Switch between light and dark theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.wait_for_function(IS_READABLE)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
