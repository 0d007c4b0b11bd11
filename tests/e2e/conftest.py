"""A running dashboard, an exported site, and a browser that records errors and requests."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import waitress

from dashboards.app import create_app
from dashboards.export import export_site
from pipelines.publishing.reader import Reader
from pipelines.settings import Settings

try:
    from playwright import sync_api as playwright
except ImportError:  # the e2e dependency group is optional
    playwright = None  # type: ignore[assignment]

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")
LOCAL = {"127.0.0.1", "localhost", "::1"}


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the Chromium executable."""
    if playwright is None:
        pytest.skip("playwright is not installed; it is in the dependency group e2e")
    named = os.environ.get("PAPERTIDE_CHROMIUM")
    found = named or next((path for name in NAMES if (path := shutil.which(name))), None)
    if not found or not Path(found).exists():
        pytest.skip("Chromium was not found; set PAPERTIDE_CHROMIUM to its path")
    return found


@pytest.fixture(scope="session")
def reading_home(request: pytest.FixtureRequest, chromium: str) -> Settings:
    """Settings of a home with a published snapshot. Tests only read it."""
    named = os.environ.get("PAPERTIDE_TEST_HOME")
    home = Path(named) if named else Path(request.getfixturevalue("published_home"))
    return Settings(home=home)


@pytest.fixture(scope="session")
def address(reading_home: Settings) -> Iterator[str]:
    """The URL of a running dashboard."""
    app = create_app(Reader(reading_home))
    server = waitress.create_server(app.server, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()


@pytest.fixture(scope="session")
def site(reading_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the exported site."""
    folder = tmp_path_factory.mktemp("exported") / "site"
    export_site(Reader(reading_home), folder)
    return folder


WAIT_MS = 15_000  # software rendering is slow on a busy machine


@dataclass
class Watched:
    """A browser page and the errors it caused."""

    page: playwright.Page
    errors: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    def _console(self, message: playwright.ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"console: {message.text}")

    def _failed(self, request: playwright.Request) -> None:
        # Downloads and replaced requests end as aborted.
        if request.failure != "net::ERR_ABORTED":
            self.errors.append(f"failed: {request.url} {request.failure}")

    def _request(self, request: playwright.Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "file") and parts.hostname not in LOCAL:
            self.errors.append(f"external request: {request.url}")

    def _response(self, response: playwright.Response) -> None:
        if response.status >= 400:
            self.errors.append(f"{response.status}: {response.url}")


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[playwright.Browser]:
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


# Interactions at the narrow width are slow tests; one fast test opens every page at that width.
@pytest.fixture(params=[1440, pytest.param(390, marks=pytest.mark.slow)], ids=["wide", "narrow"])
def watched(request: pytest.FixtureRequest, browser: playwright.Browser) -> Iterator[Watched]:
    """A page in a new browser context, at two widths. Any error fails the test."""
    context = browser.new_context(
        viewport={"width": request.param, "height": 900}, color_scheme="light"
    )
    context.set_default_timeout(WAIT_MS)
    playwright.expect.set_options(timeout=WAIT_MS)
    watched = Watched(context.new_page())
    watched.watch()
    yield watched
    context.close()
    assert watched.errors == []
