"""Runs the replay server: `python -m tests.replay --corpus DIR --port N`."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from tests.replay.clock import ShiftedClock
from tests.replay.faults import read_rules
from tests.replay.listings import CorpusListings, Listings
from tests.replay.papers import ArxivPapers
from tests.replay.server import Limit, ReplayServer
from tests.replay.synthetic import SyntheticListings


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.replay", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--corpus", type=Path, help="folder of real captures")
    what.add_argument("--synthetic", type=int, metavar="N", help="N synthetic papers in total")
    parser.add_argument("--port", type=int, default=8899)
    parser.add_argument("--faults", type=Path, help="JSON file of rules (see faults.py)")
    parser.add_argument("--now", type=_moment, help="start time of the server's clock")
    parser.add_argument("--latest", action="store_true", help="the newest list of each day")
    parser.add_argument("--until", type=date.fromisoformat, help="last synthetic day", default=None)
    parser.add_argument("--page-records", type=int, default=1_000, help="records per OAI-PMH page")
    parser.add_argument("--no-limit", action="store_true", help="no rate limit")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    given = _arguments(arguments)
    clock = ShiftedClock(given.now)
    listings: Listings
    if given.corpus:
        listings = CorpusListings(given.corpus, latest=given.latest)
        papers = ArxivPapers.of_corpus(given.corpus)
    else:
        listings = SyntheticListings(given.synthetic, given.until or clock.now().date())
        papers = ArxivPapers()
    server = ReplayServer(
        listings,
        papers,
        clock=clock,
        rules=read_rules(given.faults) if given.faults else [],
        limit=None if given.no_limit else Limit(),
        page_records=given.page_records,
        port=given.port,
    )
    print(
        f"The server's time is {clock.now():%Y-%m-%d %H:%M} UTC. To use it:\n\n"
        f"export HF_ENDPOINT={server.url}\n"
        f"export PAPERTIDE_ARXIV_OAI_URL={server.url}/oai\n"
        f"export PAPERTIDE_ARXIV_API_URL={server.url}/arxiv/api/query\n",
        file=sys.stderr,
    )
    try:
        server.serve()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
