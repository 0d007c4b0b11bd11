"""Damages bodies of all forms and reads them; reports crashes, hangs, losses and wrong items."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from pipelines.parsing.formats import detect
from pipelines.parsing.reading import Reading
from pipelines.parsing.records import Hints
from tests.damage.kinds import KINDS, OF_BYTES, mixed, truncated
from tests.damage.oracle import problems
from tests.damage.papers import PAPERS
from tests.damage.samples import SAMPLES

MAX_SECONDS = 2.0
HINTS = Hints(datetime(2026, 2, 3, 12, tzinfo=UTC))


@dataclass
class Outcome:
    """What a body gave: counts, and what is wrong with it."""

    form: str
    damage: str
    n_accepted: int = 0
    n_quarantined: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    body: bytes = b""


def damaged_bodies(n: int, seed: int) -> Iterator[tuple[str, str, bytes]]:
    """Name of the sample, kinds of damage, and the damaged body; the same for the same seed."""
    names = sorted(SAMPLES)
    bodies = {name: SAMPLES[name](PAPERS) for name in names}
    for number in range(n):
        chance = Random(f"{seed} {number}")  # noqa: S311  not for security
        name = names[number % len(names)]
        body = bodies[name]
        kinds = chance.sample(KINDS, 1 if chance.random() < 0.7 else 2)
        if set(kinds) <= set(OF_BYTES):
            kinds = kinds[:1]
        kinds.sort(key=lambda kind: kind is truncated)  # nothing follows the end of a cut body
        for kind in kinds:
            body = kind(body, chance) if body else body
        labels = [kind.__name__ for kind in kinds]
        if body and truncated not in kinds and chance.random() < 0.05:
            others = [n for n in names if n.partition(":")[0] != name.partition(":")[0]]
            body = mixed(body, bodies[chance.choice(others)], chance)
            labels.append("mixed")
        yield name, "+".join(labels), body


def read(form: str, damage: str, body: bytes) -> Outcome:
    """The outcome of one body. Exceptions of a parser pass."""
    outcome = Outcome(form, damage, body=body)
    start = time.perf_counter()
    reading = Reading(detect(body), io.BytesIO(body), HINTS)
    items = []
    for part in reading.parts():
        outcome.n_quarantined += len(part.rejects)
        items += part.items.to_dicts()
    if reading.verdict is not None:
        items, outcome.n_quarantined = [], 1
    outcome.seconds = time.perf_counter() - start
    outcome.n_accepted = len(items)
    outcome.wrong = problems(items, PAPERS)
    return outcome


@dataclass
class Report:
    """Totals of a campaign."""

    n_bodies: int = 0
    n_accepted: int = 0
    n_quarantined: int = 0
    crashes: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    wrong_by: Counter[tuple[str, str]] = field(default_factory=Counter)


def run(n: int, seed: int = 0) -> Report:
    """Read `n` damaged bodies and report."""
    report = Report()
    for number, (form, damage, body) in enumerate(damaged_bodies(n, seed)):
        where = f"#{number} {form}, {damage}"
        report.n_bodies += 1
        try:
            outcome = read(form, damage, body)
        except Exception as error:  # noqa: BLE001  any exception is a finding
            report.crashes.append(f"{where}: {error!r}")
            continue
        report.n_accepted += outcome.n_accepted
        report.n_quarantined += outcome.n_quarantined
        if outcome.seconds > MAX_SECONDS:
            report.hangs.append(f"{where}: {outcome.seconds:.1f} s")
        if outcome.wrong:
            report.wrong += [f"{where}: {problem}" for problem in outcome.wrong]
            report.wrong_by[form, damage] += 1
    return report
