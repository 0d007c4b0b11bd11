"""Errors of sources. The class decides whether a retry can help.

Belongs here: the classes. Does not: their messages, which are written where they are raised.
"""

from __future__ import annotations

from pipelines.errors import PapertideError


class SourceError(PapertideError):
    """A request to a source failed."""


class TransientSourceError(SourceError):
    """A retry may succeed later: the source is down, busy, or requests too long a pause."""


class TerminalSourceError(SourceError):
    """A retry can't succeed: the request is refused, or the response too large or unexpected."""


class BadResumptionToken(TerminalSourceError):
    """A resumption token is no longer valid: harvest this window from its start."""


class DamagedResponse(TerminalSourceError):
    """A response is not the document it should be from some place on."""


class UnansweredLookUp(SourceError):
    """A look-up was answered with nothing although the source counts results: ask again later."""
