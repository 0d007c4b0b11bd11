"""Reads what the lake holds about one capture, for reports.

Belongs here: facts and quarantine of a parsed capture. Does not: parsing (`items`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl


def facts(items_dir: Path, capture_id: str) -> dict[str, Any]:
    """The facts in `capture.json`: origin, kind, day, counts, and the rules that decided them."""
    facts: dict[str, Any] = json.loads((items_dir / capture_id / "capture.json").read_text())
    return facts


def quarantine_reasons(items_dir: Path, capture_id: str) -> pl.DataFrame:
    """reason, n_items, place and detail of the first item, sorted by reason."""
    return (
        pl.read_parquet(items_dir / capture_id / "quarantine.parquet")
        .group_by("reason")
        .agg(n_items=pl.len(), place=pl.col("place").first(), detail=pl.col("detail").first())
        .sort("reason")
    )
