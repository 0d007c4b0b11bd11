"""The bundled sample: its folders, and the check that it is not mixed with a user's captures.

Belongs here: what `papertide demo` ingests. Does not: ingesting it.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable
from pathlib import Path

from pipelines.archive.archive import Archive
from pipelines.errors import UsageError
from pipelines.intake.paths import is_sidecar
from pipelines.settings import PROJECT_ROOT, Settings

SAMPLE = PROJECT_ROOT / "sample"


def folders() -> list[Path]:
    """Folders of the sample's captures. Raises UsageError outside a checkout of the project."""
    if not SAMPLE.is_dir():
        raise UsageError(
            f"The bundled sample is not at {SAMPLE}. Run the demo from a checkout of the project."
        )
    return [SAMPLE / "hf_api", SAMPLE / "hf_page"]


def require_separate_home(settings: Settings, folders: Iterable[Path]) -> None:
    """Raise UsageError if the home holds other captures and not the whole sample.

    The archive is append-only, so the sample could not be removed later.
    """
    sample = {_content_hash(p) for folder in folders for p in folder.iterdir() if not is_sidecar(p)}
    archived = {receipt.sha256 for receipt in Archive(settings).receipts()}
    if archived - sample and not sample <= archived:
        raise UsageError(
            f"{settings.home} already contains your own captures, and the demo would mix its "
            "sample with them. Use another home: PAPERTIDE_HOME=demo-data papertide demo"
        )


def _content_hash(path: Path) -> str:
    body = path.read_bytes()
    return hashlib.sha256(gzip.decompress(body) if path.suffix == ".gz" else body).hexdigest()
