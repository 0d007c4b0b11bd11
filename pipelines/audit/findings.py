"""The types of an audit: the databases it compares, its findings, and the refusal.

Belongs here: types and their wording. Does not: the rules, or running them (`runner`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import duckdb

from pipelines.errors import NOTHING_PUBLISHED, CheckFailed
from pipelines.publishing.acceptances import Acceptance
from pipelines.publishing.snapshot import Snapshot

MAX_NAMES = 5

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """A suspicious day or table, with its numbers and the next step.

    `subject` is what an operator can accept: a day (`2025-06-20`) or a mart.
    """

    check: str
    severity: Severity
    subject: str
    message: str
    next_step: str

    @property
    def text(self) -> str:
        """Message and next step."""
        return f"{self.message} {self.next_step}".strip()


class Refused(CheckFailed):
    """The audit refused the candidate. `messages` has one entry per finding."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.messages = tuple(finding.text for finding in findings)
        is_one = len(findings) == 1
        shown = self.messages[0] if is_one else "\n- " + "\n- ".join(self.messages)
        super().__init__(NOTHING_PUBLISHED + shown)


@dataclass(frozen=True)
class Comparison:
    """One connection with the databases `candidate` and `published` (the current snapshot).

    `snapshot` is None if nothing comparable is published; the tables of `published` are then empty.
    """

    connection: duckdb.DuckDBPyConnection
    snapshot: Snapshot | None
    published_at: datetime | None
    today: date
    accepted: Sequence[Acceptance] = ()

    def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        """The rows of a query, with values bound by name."""
        return self.connection.execute(sql, values or None).fetchall()


@dataclass(frozen=True)
class Outcome:
    """The findings of one rule, and the numbers it looked at."""

    findings: tuple[Finding, ...] = ()
    figures: Mapping[str, int | float | str] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that block publication."""
        return tuple(f for f in self.findings if f.severity == "error")


def name_list(names: Iterable[object]) -> str:
    """The first names, separated by commas, and the number of the others."""
    texts = [str(name) for name in names]
    n_more = len(texts) - MAX_NAMES
    shown = ", ".join(texts[:MAX_NAMES])
    return f"{shown} and {n_more} more" if n_more > 0 else shown
