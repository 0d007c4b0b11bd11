"""A temporary home with a warehouse of given captures, for an evaluation.

Belongs here: building it with the same commands as any home. Does not: evaluating.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import PapertideError
from pipelines.settings import Settings

_PROGRAM = "from pipelines.cli.main import main; main()"


@contextmanager
def built(captures: Path) -> Iterator[Settings]:
    """Settings of a temporary home in which the captures are ingested and published.

    Raises PapertideError if they can't be built.
    """
    with tempfile.TemporaryDirectory(prefix="papertide-evaluate-") as home:
        environment = {**os.environ, "PAPERTIDE_HOME": home}
        for arguments in (("ingest", str(captures.resolve())), ("build",)):
            done = subprocess.run(  # noqa: S603  our own program
                [sys.executable, "-c", _PROGRAM, *arguments],
                env=environment,
                stdout=subprocess.DEVNULL,
                check=False,
            )
            if done.returncode:
                raise PapertideError(
                    f"The warehouse of {captures} could not be built, so nothing was evaluated. "
                    "The reason is above."
                )
        yield Settings(home=Path(home))
