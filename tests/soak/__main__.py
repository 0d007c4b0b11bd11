"""`make soak`: kills refreshes, runs concurrent readers, and prints the results."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.soak import kills, readers


def main() -> int:
    """Run the requested tests. Returns 1 if a reader failed or saw mixed snapshots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="refreshes killed (default 100)")
    parser.add_argument("--readers", type=int, default=20, help="reader processes (default 20)")
    parser.add_argument("--refreshes", type=int, default=10, help="refreshes while they read")
    parser.add_argument("--since", type=float, default=0.0, help="start, as a share of a refresh")
    parser.add_argument(
        "--publishing", type=int, default=20, help="kills during publication (default 20)"
    )
    parser.add_argument("--seed", type=int, default=1, help="random seed of the kill times")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="papertide-soak-") as name:
        folder = Path(name)
        if given.refreshes:
            tally = readers.soak(folder, given.readers, given.refreshes)
            print(
                f"{given.readers} readers, {given.refreshes} refreshes: {tally.n_queries:,} queries"
                f", "
                f"{tally.n_failed} failed, {tally.n_mixed} mixed; each saw at least "
                f"{tally.n_snapshots} snapshots. {tally.first_failure}"
            )
            if tally.n_failed or tally.n_mixed:
                return 1
        if given.kills:
            late = min(given.publishing, given.kills)
            hit = kills.soak(folder, given.kills, given.seed, given.since, late)
            stages = ", ".join(f"{n} {stage}" for stage, n in hit.most_common())
            print(f"{given.kills} kills, all recovered to equal tables: {stages}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
