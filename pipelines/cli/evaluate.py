"""`papertide evaluate`: tests topics and trends against criteria, and writes a report.

Belongs here: options and progress. Does not: the evaluation (`pipelines.evaluation`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.errors import UsageError
from pipelines.settings import PROJECT_ROOT, Settings, load_settings

if TYPE_CHECKING:
    from pipelines.evaluation.report import Part

NAMES = (
    "backtest", "coverage", "robustness", "placebo", "power", "leakage", "selection", "discovered",
    "taxonomy",
)  # fmt: skip
REPORT = "evaluation.md"


@click.command()
@click.option(
    "--corpus",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of captures to evaluate in a temporary warehouse.",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Path of the report."
)
@click.option(
    "--only", type=click.Choice(NAMES), multiple=True, help="Run this part only; repeatable."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed.")
def evaluate(corpus: Path | None, output: Path | None, only: tuple[str, ...], seed: int) -> int:
    """Test topics and trends against criteria, and write a report. Takes minutes.

    Parts: backtest, coverage of intervals, robustness, placebo, power, leakage, selection,
    discovered topics, taxonomy. Evaluates the published snapshot, or with --corpus a temporary
    warehouse built from a folder of captures. Changes nothing in the home except the report. Exit
    code 1 if a binding criterion is not met.

    \b
    Default path of the report:
      evaluation.md in the home             for the published snapshot
      docs/evaluation.md of the checkout    with --corpus
    \b
    Examples:
      papertide evaluate
      papertide evaluate --only placebo --only backtest
      papertide evaluate --corpus captures/ -o report.md
    """
    from pipelines.evaluation import corpus_home

    settings = load_settings()
    if corpus is None:
        return _evaluate(settings, output or settings.home / REPORT, only, seed)
    with corpus_home.built(corpus) as temporary:
        return _evaluate(temporary, output or PROJECT_ROOT / "docs" / REPORT, only, seed)


def _evaluate(settings: Settings, output: Path, only: tuple[str, ...], seed: int) -> int:
    from pipelines.evaluation import run
    from pipelines.evaluation.evidence import read
    from pipelines.publishing.reader import Reader
    from pipelines.runtime.files import write_atomic

    if not output.parent.is_dir():
        raise UsageError(
            f"-o {output}: the folder {output.parent} does not exist. Create it first."
        )
    evidence = read(Reader(settings))
    finished = []
    for done in run.run(evidence, seed, only):
        finished.append(done)
        click.echo(f"… {done.name} ({done.seconds:.0f} s) {_result(done.part)}", err=True)
    text = run.render(evidence, finished, seed, datetime.now(UTC).date())
    write_atomic(output, text)
    click.echo(f"report: {output}", err=True)
    failed = run.failed(finished)
    for title, criterion in failed:
        click.echo(
            f"not met: {title}: {criterion.statement}. Result: {criterion.result}.", err=True
        )
    return 1 if failed else 0


def _result(part: Part) -> str:
    if part.skipped:
        return f"not measured: {part.skipped}"
    n_met = sum(criterion.is_met for criterion in part.criteria)
    return f"{n_met} of {len(part.criteria)} criteria met"
