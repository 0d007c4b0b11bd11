"""Read many damaged bodies: `python -m tests.damage --bodies 50000 --seed 1`."""

from __future__ import annotations

import argparse
import sys

from tests.damage.campaign import run

MAX_SHOWN = 40


def main() -> int:
    """Print the report; 1 if anything is wrong."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bodies", type=int, default=50_000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    report = run(given.bodies, given.seed)
    print(
        f"{report.n_bodies:,} damaged bodies: {report.n_accepted:,} items accepted, "
        f"{report.n_quarantined:,} quarantined; {len(report.crashes)} crashes, "
        f"{len(report.hangs)} over 2 s, {len(report.wrong)} wrong items"
    )
    for line in (*report.crashes, *report.hangs, *report.wrong)[:MAX_SHOWN]:
        print(f"  {line}")
    return 1 if report.crashes or report.hangs or report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
