"""pytest fixtures: `pytest_plugins = ["tests.replay.fixtures"]` in a test module brings them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.replay.clock import JumpingClock
from tests.replay.listings import CorpusListings
from tests.replay.papers import ArxivPapers
from tests.replay.server import ReplayServer


@pytest.fixture
def clock() -> JumpingClock:
    """Monday, 2 June 2025, noon UTC; sleeping on it takes no time."""
    return JumpingClock()


@pytest.fixture
def corpus_server(corpus: Any) -> Iterator[ReplayServer]:
    """The corpus, each day as it was at last, with the first of the arXiv rows."""
    listings = CorpusListings(corpus, latest=True)
    with ReplayServer(listings, ArxivPapers.of_corpus(corpus, at_most=3_000)) as server:
        yield server
