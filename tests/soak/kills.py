"""kill -9 at random moments of a refresh, from its first byte to its last."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from tests.soak import world

BASE_DAYS, NEW_DAYS = 10, 17


def stage(home: Path) -> str:
    """The stage that a killed refresh had reached, from the files it left."""
    if (home / "snapshots" / "CURRENT").read_text() != (home / "before").read_text():
        return "published"
    if list((home / "snapshots").glob(".writing-*")):
        return "publishing"
    if (home / "candidate.duckdb").exists():
        return "building"
    n_captures = len(list((home / "captures").glob("??/*.json")))
    if n_captures > int((home / "n_captures").read_text()):
        return "fetching or parsing"
    return "starting"


def prepare(folder: Path, url: str) -> tuple[Path, dict[str, str], float]:
    """A home with a first snapshot; the content after an undisturbed refresh, and its seconds."""
    base = folder / "base"
    world.refresh(base, url, 0, BASE_DAYS)
    undisturbed = folder / "undisturbed"
    shutil.copytree(base, undisturbed)
    started = time.monotonic()
    world.refresh(undisturbed, url, BASE_DAYS + 1, NEW_DAYS)
    return base, world.content(undisturbed), time.monotonic() - started


def kill_once(
    base: Path, home: Path, url: str, after_s: float, *, once_it_publishes: bool = False
) -> str:
    """Kill a refresh of a copy of the base after some seconds. Returns the stage it had reached.

    The seconds count from its start, or from when it begins to write a snapshot.
    """
    shutil.copytree(base, home)
    (home / "before").write_text((home / "snapshots" / "CURRENT").read_text())
    (home / "n_captures").write_text(str(len(list((home / "captures").glob("??/*.json")))))
    arguments = ("refresh", "--since", world.day(BASE_DAYS + 1), "--until", world.day(NEW_DAYS))
    process = world.start(home, url, *arguments)
    while once_it_publishes and process.poll() is None:
        if list((home / "snapshots").glob(".writing-*")):
            break
        time.sleep(0.002)
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return stage(home)
    return "finished"


def soak(
    folder: Path, n_kills: int, seed: int, since: float = 0.0, n_publishing: int = 0
) -> Counter[str]:
    """Number of kills by stage. Exits with a message at the first lost or different table.

    The kills are uniform over the duration of an undisturbed refresh, from its share `since` on.
    The last `n_publishing` kills hit the second in which a snapshot is written.
    """
    chance = random.Random(seed)  # noqa: S311
    hit: Counter[str] = Counter()
    with world.source() as url:
        base, expected, takes_s = prepare(folder, url)
        n_before = world.reads(base, url)
        for number in range(n_kills):
            home = folder / "killed"
            is_late = number >= n_kills - n_publishing
            after_s = chance.uniform(0, 1) if is_late else chance.uniform(since * takes_s, takes_s)
            found = kill_once(base, home, url, after_s, once_it_publishes=is_late)
            hit[found] += 1
            n_now = world.reads(home, url)
            if found not in ("published", "finished") and n_now != n_before:
                raise SystemExit(f"kill {number} ({after_s:.1f} s): {n_now} papers, not {n_before}")
            world.refresh(home, url, BASE_DAYS + 1, NEW_DAYS)
            if (got := world.content(home)) != expected:
                wrong = sorted(name for name in expected if got.get(name) != expected[name])
                raise SystemExit(f"kill {number} ({after_s:.1f} s, {found}): {wrong} differ")
            shutil.rmtree(home)
            print(
                f"kill {number + 1} of {n_kills} after {after_s:.1f} s: {found}, recovered",
                flush=True,
            )
    return hit
