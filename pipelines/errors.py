"""Error classes that users can see. Their common base class separates user errors from bugs.

Belongs here: exception classes that several packages raise or catch. Does not: handling them
(`pipelines.cli.main`), or finding them in an exception chain (`pipelines.runtime.exceptions`).
"""

from __future__ import annotations


class PapertideError(Exception):
    """An error that a user can fix. The message names the input, the place and the next step."""


class UsageError(PapertideError):
    """The command was called incorrectly (exit code 2)."""


class SettingsError(UsageError):
    """A setting is invalid; the message names the variable."""


class CaptureError(PapertideError):
    """A file that can't be ingested: unreadable, empty or larger than the limit."""


class BusyError(PapertideError):
    """Another process holds a lock of the same home."""


NOTHING_PUBLISHED = "Nothing was published; readers still see the last snapshot. "


class CheckFailed(PapertideError):
    """A check failed on a candidate, so nothing was published."""


class NoSnapshotError(PapertideError):
    """There is no published snapshot."""


class SnapshotInUseError(NoSnapshotError):
    """Another program has opened the published database for writing, which locks out readers."""


class QueryError(PapertideError):
    """A user's SQL can't be run; the message is the database's, as one sentence."""
