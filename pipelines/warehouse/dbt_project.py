"""The dbt project: its environment variables, its manifest, and the hash of its sources.

Belongs here: locating and parsing the project. Does not: building it (`dbt_runner`), explaining a
failed build (`dbt_failure`), or Dagster assets (`defs/`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from pipelines.errors import PapertideError
from pipelines.runtime.faults import fault_in_message
from pipelines.settings import DBT_PROJECT_DIR, PROJECT_ROOT, Settings

_SOURCE_SUFFIXES = (".sql", ".py", ".yml", ".csv")
# What decides the tables: the dbt project and the modules that its Python models import.
SOURCES = (
    DBT_PROJECT_DIR,
    PROJECT_ROOT / "pipelines" / "lake" / "schemas.py",
    PROJECT_ROOT / "pipelines" / "topics",
    PROJECT_ROOT / "pipelines" / "trends",
    PROJECT_ROOT / "pipelines" / "warehouse" / "frames.py",
)


def environment(settings: Settings) -> dict[str, str]:
    """Variables that `profiles.yml`, models and dbt itself read. Every path is absolute."""
    return {
        "PAPERTIDE_WAREHOUSE": str(settings.candidate_path),
        "PAPERTIDE_TOPIC_FITS": str(settings.topic_fits_dir),
        "PAPERTIDE_FITS_EMBEDDER": settings.topic_embedder or "",
        "PAPERTIDE_THREADS": str(settings.threads),
        "PAPERTIDE_MEMORY_LIMIT": settings.memory_limit,
        "DBT_TARGET_PATH": str(settings.dbt_target_dir / "target"),
        "DBT_LOG_PATH": str(settings.dbt_target_dir / "logs"),
        "DBT_PROFILES_DIR": str(DBT_PROJECT_DIR),
        "DO_NOT_TRACK": "1",
        # Child processes must not import modules from their working directory.
        "PYTHONSAFEPATH": "1",
    }


def dbt_executable() -> str:
    """Path of the `dbt` in this Python's environment, else of the one on PATH."""
    path = Path(sys.executable).with_name("dbt")
    return str(path) if path.exists() else (shutil.which("dbt") or "dbt")


def manifest(settings: Settings) -> Path:
    """Path of a current `manifest.json`. Parses the project only if its sources changed.

    Raises MachineError for a machine fault, PapertideError if dbt can't parse the project.
    """
    folder = settings.dbt_target_dir / "manifest"
    path, hash_file = folder / "manifest.json", folder / "sources.sha256"
    current_hash = sources_hash()
    if path.is_file() and hash_file.is_file() and hash_file.read_text() == current_hash:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(  # noqa: S603  fixed executable and arguments
        [dbt_executable(), "--quiet", "parse", "--project-dir", str(DBT_PROJECT_DIR)],
        env={**os.environ, **environment(settings), "DBT_TARGET_PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        output = (done.stdout + done.stderr).strip()
        if fault := fault_in_message(output, settings.home):
            raise fault
        tail = " ".join(output.splitlines()[-6:])
        raise PapertideError(f"dbt parse failed (exit code {done.returncode}): {tail}")
    hash_file.write_text(current_hash)
    return path


def sources_hash() -> str:
    """Hash of every file in `SOURCES`."""
    digest = hashlib.sha256()
    for source in SOURCES:
        for path in [source] if source.is_file() else sorted(source.rglob("*")):
            if path.suffix in _SOURCE_SUFFIXES and path.is_file():
                digest.update(str(path.relative_to(PROJECT_ROOT)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()
