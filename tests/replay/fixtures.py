"""pytest fixtures. A test module loads them with `pytest_plugins = ["tests.replay.fixtures"]`."""

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
    """Monday, 2 June 2025, noon UTC. Sleeping returns at once."""
    return JumpingClock()


@pytest.fixture
def corpus_server(corpus: Any) -> Iterator[ReplayServer]:
    """The corpus: the newest list of each day, and the first arXiv rows."""
    listings = CorpusListings(corpus, latest=True)
    with ReplayServer(listings, ArxivPapers.of_corpus(corpus, at_most=3_000)) as server:
        yield server
