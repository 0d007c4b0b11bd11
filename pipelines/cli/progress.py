"""What a running job shows on stderr: one moving line on a terminal, else a line per step."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

PROGRESS_EVERY = 25  # without a terminal, one line per this many steps


class _ProgressHandler(logging.Handler):
    """Shows log records of the assets. A record may carry `progress`: (done, total)."""

    def __init__(self, console: Console, bar: Progress | None) -> None:
        super().__init__()
        self._console, self._bar = console, bar
        self._task = bar.add_task("starting", total=None) if bar else None

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        done, total = getattr(record, "progress", (None, None))
        if record.levelno >= logging.WARNING:
            self._console.print(text, markup=False, soft_wrap=True)
        elif self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=text, completed=done or 0, total=total)
        elif done is None or total is None or done == total or done % PROGRESS_EVERY == 0:
            of = f" ({done} of {total})" if total else ""
            self._console.print(f"… {text}{of}", markup=False, soft_wrap=True)


@contextlib.contextmanager
def shown() -> Iterator[None]:
    """Show the log of the assets while the block runs."""
    console = Console(stderr=True, highlight=False)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn())
    bar = Progress(*columns, console=console, transient=True) if console.is_terminal else None
    logger = logging.getLogger("papertide")
    with bar or contextlib.nullcontext():
        handler = _ProgressHandler(console, bar)
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        try:
            yield
        finally:
            logger.removeHandler(handler)
