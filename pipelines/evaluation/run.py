"""Running the parts of the evaluation in parallel, and rendering the report.

Belongs here: the list of parts, processes, the introduction of the report. Does not belong here:
measurements, command-line arguments (`cli/evaluate.py`).
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
    robustness,
    selection,
    summary,
    taxonomy,
)
from pipelines.evaluation.comparison import MIN_CALLS
from pipelines.evaluation.evidence import Evidence
from pipelines.evaluation.report import Criterion, Part, markdown


def _discovered(evidence: Evidence, seed: int = 0) -> Part:
    return discovered.evaluate(evidence.papers, seed)


PARTS: Mapping[str, Callable[..., Part]] = {
    "backtest": backtest.evaluate,
    "coverage": coverage.evaluate,
    "robustness": robustness.evaluate,
    "placebo": placebo.evaluate,
    "power": power.evaluate,
    "leakage": leakage.evaluate,
    "selection": selection.evaluate,
    "discovered": _discovered,
    "taxonomy": taxonomy.evaluate,
}
"""Name → function of the evidence and a seed, in the order of the report."""

LONGEST_FIRST = ("leakage", "discovered", "robustness")

OPENING = """
**How far to trust a verdict.** It *holds* if the next quarter is still on the called side of the
level a horizon earlier; it *continues* if the next quarter lies beyond the present level as well.

{summary}

A verdict says where the topic is now, and not that the trend goes on. *Flat* topics have surely
changed by less than a fifth; *unclear* ones may have changed. Most topics are unclear, since most
are small. *Reliable*: {reliable:.0%} or more hold in every series with {calls} verdicts; *mostly
right*: {mostly:.0%} or more.

**Missed.** {missed}

`papertide evaluate` writes this report on the papers of a warehouse. *Met* says whether a criterion
is met. If a binding criterion is not met, the command fails; a missed target is only reported. The
constants of the model were chosen on the same papers, so results on another archive may be worse.
For the statistics see [methodology.md](methodology.md).
""".strip()


@dataclass(frozen=True)
class Finished:
    """A part and its run time in seconds."""

    name: str
    part: Part
    seconds: float


def run(evidence: Evidence, seed: int = 0, names: tuple[str, ...] = ()) -> Iterator[Finished]:
    """Yield the parts as they finish; all, or those named. Each runs in a separate process.

    Raises `PapertideError` if a process was terminated.
    """
    selected = [name for name in PARTS if not names or name in names]
    order = sorted(selected, key=lambda name: name not in LONGEST_FIRST)
    context = multiprocessing.get_context("spawn")
    workers = max(min(os.cpu_count() or 1, len(order)), 1)
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            for done in as_completed([pool.submit(_measure, n, evidence, seed) for n in order]):
                yield done.result()
        except BrokenProcessPool:
            raise PapertideError(
                "A process of the evaluation was terminated, probably for lack of memory. Run "
                f"the parts one at a time: papertide evaluate --only {order[0]}"
            ) from None


def _measure(name: str, evidence: Evidence, seed: int) -> Finished:
    started = time.monotonic()
    part = PARTS[name](evidence, seed=seed)
    return Finished(name, part, time.monotonic() - started)


def render(evidence: Evidence, finished: list[Finished], seed: int, on: date) -> str:
    """Return the report in Markdown, with the parts in the order of `PARTS`."""
    ordered = sorted(finished, key=lambda f: list(PARTS).index(f.name))
    papers = evidence.papers
    facts = [
        ("date", on.isoformat()),
        ("papers", f"{papers.height:,}, of which {papers['abstract'].count():,} with an abstract"),
        ("populations", _populations(evidence)),
        ("input", f"SHA-256 over the tables read: `{evidence.input_hash}…`"),
        ("seed", str(seed)),
        ("seconds", ", ".join(f"{f.name} {f.seconds:.0f}" for f in ordered)),
    ]
    lines = [line for f in ordered for line in f.part.summary if line]
    opening = OPENING.format(
        summary="\n".join(lines) or "The backtest was not run, so this is not known.",
        reliable=summary.RELIABLE,
        mostly=summary.MOSTLY,
        calls=MIN_CALLS,
        missed=_missed(ordered),
    )
    return markdown([f.part for f in ordered], facts, opening)


def failed(finished: list[Finished]) -> list[tuple[str, Criterion]]:
    """Return the binding criteria that are not met, with the title of their part."""
    return [
        (f.part.title, criterion)
        for f in finished
        for criterion in f.part.criteria
        if criterion.is_binding and not criterion.is_met
    ]


def _missed(finished: list[Finished]) -> str:
    """How many criteria are missed, by part."""
    criteria = [c for f in finished for c in f.part.criteria]
    if all(c.is_met for c in criteria):
        return f"None of {len(criteria)} criteria."
    counts = []
    for f in finished:
        missed = [c for c in f.part.criteria if not c.is_met]
        binding = sum(c.is_binding for c in missed)
        if missed:
            counts.append(f"{f.part.title} {len(missed)}" + f" ({binding} binding)" * bool(binding))
    n = sum(not c.is_met for c in criteria)
    return f"{n} of {len(criteria)} criteria: {', '.join(counts)}. The table below has them."


def _populations(evidence: Evidence) -> str:
    counts = evidence.members.group_by("population").len().sort("population")
    return ", ".join(f"`{name}` {n:,}" for name, n in counts.iter_rows())
