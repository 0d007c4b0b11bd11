"""Writes the verdict of an inbox file: detected format and kind, items read, and the next step.

Belongs here: the text. Does not: moving the file (`inbox.py`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.intake.ingest import Outcome
from pipelines.parsing import PARSER_VERSION
from pipelines.runtime.text import printable
from pipelines.settings import Settings

INGESTED = ("new", "known", "amended")


@dataclass(frozen=True)
class BuildResult:
    """The build that followed the ingest: the snapshot it published, and its error message."""

    snapshot_id: str | None = None
    error: str = ""


def capture_facts(settings: Settings, outcome: Outcome) -> dict[str, Any] | None:
    """The lake's facts about the capture (`CAPTURE_COLUMNS`); None until this version parsed it."""
    if outcome.capture_id is None:
        return None
    try:
        text = (settings.items_dir / outcome.capture_id / "capture.json").read_text("utf-8")
        facts: dict[str, Any] = json.loads(text)
    except (OSError, ValueError):
        return None
    return facts if facts.get("parser_version") == PARSER_VERSION else None


def is_usable(outcome: Outcome, facts: dict[str, Any] | None) -> bool:
    """Whether the file was ingested and something in it was accepted, or it is an empty list."""
    return outcome.status in INGESTED and (
        facts is None or facts["n_accepted"] > 0 or facts["n_quarantined"] == 0
    )


def verdict(
    settings: Settings,
    name: str,
    outcome: Outcome,
    facts: dict[str, Any] | None,
    build: BuildResult,
) -> str:
    """The verdict as lines of a label and a text."""
    lines = [f"file      {printable(name)}", f"outcome   {outcome.status}"]
    if outcome.capture_id:
        lines.append(f"capture   {outcome.capture_id}")
    if outcome.message:
        lines.append(f"message   {printable(outcome.message)}")
    if facts:
        lines += _capture_lines(settings, facts)
    return "\n".join([*lines, "", f"next      {_next_step(outcome, facts, build)}", ""])


def _capture_lines(settings: Settings, facts: dict[str, Any]) -> list[str]:
    day = f"{facts['listed_on']}: " if facts["listed_on"] else ""
    lines = [
        f"format    {facts['format']} (source {facts['source']})",
        f"kind      {facts['listing_kind']}: {facts['listing_kind_rule']}",
        f"day       {day}{facts['listed_on_basis']}",
        *(f"rule      {rule}" for rule in facts["rules"]),
        "items     {n_seen} seen = {n_accepted} accepted + {n_quarantined} quarantined".format(
            **facts
        ),
    ]
    return [printable(line) for line in (*lines, *_quarantine_lines(settings, facts))]


def _quarantine_lines(settings: Settings, facts: dict[str, Any]) -> list[str]:
    if not facts["n_quarantined"]:
        return []
    try:
        rows = pl.read_parquet(settings.items_dir / facts["capture_id"] / "quarantine.parquet")
    except (OSError, pl.exceptions.PolarsError):
        return ["          (the reasons can't be read)"]
    by_reason = rows.group_by("reason").agg(
        pl.len(), pl.col("place").first(), pl.col("detail").first()
    )
    return [
        f"          {n} × {reason}, first at {place}: {detail}"
        for reason, n, place, detail in by_reason.sort("reason").iter_rows()
    ]


def _next_step(outcome: Outcome, facts: dict[str, Any] | None, build: BuildResult) -> str:
    if outcome.status not in INGESTED:
        return "fix the problem in the message, then drop the file into the inbox again"
    if facts is None:
        return (
            "the file is archived but not parsed yet; `papertide build` or the next file in the "
            "inbox parses it"
        )
    if not is_usable(outcome, facts):
        return (
            "nothing in the file could be used. If it is the wrong file, drop the right one into "
            "the inbox; the archive keeps both"
        )
    detail = f" ({printable(build.error)})" if build.error else ""
    if build.snapshot_id:
        later = f". A later step of the run failed{detail}; see Dagster's UI" if detail else ""
        return f"nothing to do; snapshot {build.snapshot_id} includes it{later}"
    return f"the file is ingested, but the build published nothing{detail}: run `papertide build`"
