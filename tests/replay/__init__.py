"""A server that answers as the sources do, from real captures or made-up papers.

Belongs here: real HTTP on loopback, for tests and for trying the commands by hand. Does not:
tests. `python -m tests.replay --help` says how to run it as a program; in tests take

    with ReplayServer(papers=InlineListings({"2025-06-02": [...]}), clock=clock) as server: ...

or the fixtures in `tests/replay/fixtures.py`.
"""

from tests.replay.clock import JumpingClock, ShiftedClock
from tests.replay.faults import Rule
from tests.replay.listings import CorpusListings, InlineListings
from tests.replay.papers import ArxivPapers
from tests.replay.server import Limit, ReplayServer, Seen
from tests.replay.settings import settings_for
from tests.replay.synthetic import SyntheticListings

__all__ = [
    "ArxivPapers",
    "CorpusListings",
    "InlineListings",
    "JumpingClock",
    "Limit",
    "ReplayServer",
    "Rule",
    "Seen",
    "ShiftedClock",
    "SyntheticListings",
    "settings_for",
]
