"""`papertide evaluate`: the promises of topics and trends, put to the test."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.errors import PapertideError, UsageError
from pipelines.settings import PROJECT_ROOT, Settings, get_settings

if TYPE_CHECKING:
    from pipelines.evaluation.report import Part

NAMES = (
    "placebo", "power", "coverage", "leakage", "selection", "backtest", "discovered", "taxonomy",
)  # fmt: skip
REPORT = "evaluation.md"


@click.command()
@click.option(
    "--corpus",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Build a warehouse of these captures, for this alone, and evaluate that.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here.")
@click.option("--only", type=click.Choice(NAMES), multiple=True, help="Only this part; repeatable.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of all chance.")
def evaluate(corpus: Path | None, output: Path | None, only: tuple[str, ...], seed: int) -> int:
    """Put topics and trends to the test, and write a report of what holds.

    Eight parts: placebo, power, coverage of intervals, leakage, selection, backtest, discovered
    topics, taxonomy. Works on the published snapshot, or with --corpus on captures given (the home
    is left alone). Minutes, not seconds. Exit code 1 when a promise is broken.

    \b
    The report goes to:
      evaluation.md in the home             for the published snapshot
      docs/evaluation.md of the checkout    with --corpus
    \b
    Examples:
      papertide evaluate
      papertide evaluate --only placebo --only backtest
      papertide evaluate --corpus captures/ -o report.md
    """
    settings = get_settings()
    if corpus is None:
        return _evaluate(settings, output or settings.home / REPORT, only, seed)
    with tempfile.TemporaryDirectory(prefix="papertide-evaluate-") as folder:
        _build(corpus, Path(folder))
        return _evaluate(
            Settings(home=Path(folder)), output or PROJECT_ROOT / "docs" / REPORT, only, seed
        )


def _build(corpus: Path, home: Path) -> None:
    """A warehouse of the captures in a home of its own, by the same commands as any."""
    environment = {**os.environ, "PAPERTIDE_HOME": str(home)}
    for arguments in (("ingest", str(corpus.resolve())), ("build",)):
        done = subprocess.run(  # noqa: S603  our own program
            [sys.executable, "-c", "from pipelines.cli.main import main; main()", *arguments],
            env=environment,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            raise PapertideError(
                f"The warehouse of {corpus} could not be built (see above), so there is nothing to "
                "evaluate."
            )


def _evaluate(settings: Settings, output: Path, only: tuple[str, ...], seed: int) -> int:
    from pipelines.evaluation import run
    from pipelines.evaluation.evidence import read
    from pipelines.publishing.reader import Reader
    from pipelines.runtime.files import write_atomic

    if not output.parent.is_dir():
        raise UsageError(f"There is no folder {output.parent} to write the report to.")
    evidence = read(Reader(settings))
    finished = []
    for done in run.run(evidence, seed, only):
        finished.append(done)
        click.echo(f"… {done.name} ({done.seconds:.0f} s) {_in_short(done.part)}", err=True)
    text = run.written(evidence, finished, seed, datetime.now(UTC).date())
    write_atomic(output, text)
    click.echo(f"report: {output}", err=True)
    broken = run.broken(finished)
    for title, promise in broken:
        click.echo(f"broken: {title}: {promise.says}. Found: {promise.found}.", err=True)
    return 1 if broken else 0


def _in_short(part: Part) -> str:
    if part.skipped:
        return f"not measured: {part.skipped}"
    held = sum(promise.holds for promise in part.promises)
    return f"{held} of {len(part.promises)} promises hold"
