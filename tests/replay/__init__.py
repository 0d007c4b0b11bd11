"""A server that behaves like Hugging Face and arXiv, with real captures or synthetic papers.

Belongs here: real HTTP on loopback, for tests and for trying commands by hand. Does not: tests.
Run it as a program (`python -m tests.replay --help`), with the fixtures of `fixtures.py`, or as

    with ReplayServer(InlineListings({"2025-06-02": [...]}), clock=clock) as server: ...
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
