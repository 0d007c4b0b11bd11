"""All parts of the evaluation, side by side, and the file that they are written to.

Belongs here: which parts there are, running them, the report's opening. Does not belong here: any
measurement; arguments (`cli/`).
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import date

from pipelines.errors import PapertideError
from pipelines.evaluation import (
    backtest,
    coverage,
    discovered,
    leakage,
    placebo,
    power,
    selection,
    taxonomy,
)
from pipelines.evaluation.evidence import Evidence
from pipelines.evaluation.report import Part, Promise, markdown


def _discovered(evidence: Evidence, seed: int = 0) -> Part:
    return discovered.evaluate(evidence.papers, seed)


PARTS: Mapping[str, Callable[..., Part]] = {
    "placebo": placebo.evaluate,
    "power": power.evaluate,
    "coverage": coverage.evaluate,
    "leakage": leakage.evaluate,
    "selection": selection.evaluate,
    "backtest": backtest.evaluate,
    "discovered": _discovered,
    "taxonomy": taxonomy.evaluate,
}
"""In the order of the report; each takes the evidence and a seed."""

LONGEST_FIRST = ("discovered", "placebo", "coverage")

OPENING = """
What Papertide says of topics and trends, put to the test on a warehouse's own papers by
`papertide evaluate`. Each part asks one question, says how it was put, and gives the figures with
their number of cases and, where they are samples, their 95 % interval. *Holds* says whether a
promise is kept; a broken one ends the command with an error, a missed target is only told. The
constants of the methods were chosen on papers like these, so figures of another archive may be
less good; the statistics themselves are derived in [methodology.md](methodology.md).
""".strip()


@dataclass(frozen=True)
class Finished:
    """A part, and the seconds it took."""

    name: str
    part: Part
    seconds: float


def run(evidence: Evidence, seed: int = 0, names: tuple[str, ...] = ()) -> Iterator[Finished]:
    """The parts as they finish, in processes side by side; all, or those named."""
    wanted = [name for name in PARTS if not names or name in names]
    order = sorted(wanted, key=lambda name: name not in LONGEST_FIRST)
    context = multiprocessing.get_context("spawn")
    workers = max(min(os.cpu_count() or 1, len(order)), 1)
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            for done in as_completed([pool.submit(_measure, n, evidence, seed) for n in order]):
                yield done.result()
        except BrokenProcessPool:
            raise PapertideError(
                "A part of the evaluation was ended from outside, mostly for lack of memory. Run "
                f"the parts one at a time: papertide evaluate --only {order[0]}"
            ) from None


def _measure(name: str, evidence: Evidence, seed: int) -> Finished:
    started = time.monotonic()
    part = PARTS[name](evidence, seed=seed)
    return Finished(name, part, time.monotonic() - started)


def written(evidence: Evidence, finished: list[Finished], seed: int, on: date) -> str:
    """The report in Markdown, its parts in order."""
    ordered = sorted(finished, key=lambda f: list(PARTS).index(f.name))
    papers = evidence.papers
    facts = [
        ("date", on.isoformat()),
        ("papers", f"{papers.height:,}, of which {papers['abstract'].count():,} with an abstract"),
        ("populations", _populations(evidence)),
        ("input", f"SHA-256 over the tables that were read: `{evidence.input_hash}…`"),
        ("seed", str(seed)),
        ("seconds", ", ".join(f"{f.name} {f.seconds:.0f}" for f in ordered)),
    ]
    return markdown([f.part for f in ordered], facts, OPENING)


def broken(finished: list[Finished]) -> list[tuple[str, Promise]]:
    """Binding promises that do not hold, with the title of their part."""
    return [
        (f.part.title, promise)
        for f in finished
        for promise in f.part.promises
        if promise.is_binding and not promise.holds
    ]


def _populations(evidence: Evidence) -> str:
    counts = evidence.members.group_by("population").len().sort("population")
    return ", ".join(f"`{name}` {n:,}" for name, n in counts.iter_rows())
