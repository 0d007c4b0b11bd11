"""The errors a user may meet. One root, so that the command line can tell a mistake from a bug.

Belongs here: exception classes. Does not: handling of them (see `pipelines.cli.main`).
"""

from __future__ import annotations


class PapertideError(Exception):
    """Something a person can mend. The message names the input, the place, and the next step."""


class UsageError(PapertideError):
    """The command was called wrongly (exit code 2)."""


class SettingsError(UsageError):
    """A setting is wrong; the message names the variable."""


class CaptureError(PapertideError):
    """Bytes that can't be taken in at all: unreadable, empty, or far too large."""


class BusyError(PapertideError):
    """Another process is building in the same home."""


class CheckFailed(PapertideError):
    """A candidate was refused: a check did not hold, and nothing was published."""


class NoSnapshotError(PapertideError):
    """Nothing has been published yet."""


class QueryError(PapertideError):
    """A user's SQL can't be run: the message is the database's, in one sentence."""


def mistake_behind(error: BaseException | None) -> PapertideError | None:
    """The mistake at the root of an exception, if it is one of ours."""
    seen: set[int] = set()  # chains of causes may bite their own tail
    while error is not None and id(error) not in seen:
        if isinstance(error, PapertideError):
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None
