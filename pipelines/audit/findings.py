"""What the last look at a candidate works with: the pair it compares, findings, the refusal.

Belongs here: the words of an audit. Does not: the questions (`questions`) or when they are asked
(`audit`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import duckdb

from pipelines.errors import CheckFailed
from pipelines.publishing.build_status import NOTHING, Acceptance
from pipelines.publishing.snapshot import Snapshot

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """Something that does not look right: where, with its figures, and what to do next.

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
    """The candidate was refused; `messages` has one entry for each finding."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.messages = tuple(finding.text for finding in findings)
        one = len(findings) == 1
        shown = self.messages[0] if one else "\n- " + "\n- ".join(self.messages)
        super().__init__(NOTHING + shown)


@dataclass(frozen=True)
class Pair:
    """The candidate and what people read now, opened together."""

    connection: duckdb.DuckDBPyConnection
    earlier: Snapshot | None
    published_at: datetime | None
    today: date
    accepted: Sequence[Acceptance] = ()

    def rows(self, sql: str, **values: object) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.connection.execute(sql, values or None).fetchall()


@dataclass(frozen=True)
class Answer:
    """What one check found, and the figures it looked at."""

    findings: tuple[Finding, ...] = ()
    figures: Mapping[str, int | float | str] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that must stop the build."""
        return tuple(f for f in self.findings if f.severity == "error")
