"""Files written whole or not at all.

Belongs here: replacing a file atomically. Does not: what the files hold.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, text: str, *, prefix: str | None = None) -> None:
    """Replace a small file so that readers see the old or the new one, also after a crash."""
    handle = tempfile.NamedTemporaryFile(  # noqa: SIM115  closed below, before it is moved
        "w", dir=path.parent, prefix=prefix or f".{path.name}-", delete=False, encoding="utf-8"
    )
    try:
        with handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        os.chmod(handle.name, 0o644)
        os.replace(handle.name, path)
    except BaseException:
        Path(handle.name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
