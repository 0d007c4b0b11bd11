"""What can go wrong with a source. The class says whether asking again later can help.

Belongs here: the classes. Does not: the messages, which are written where they arise.
"""

from __future__ import annotations

from pipelines.errors import PapertideError


class SourceError(PapertideError):
    """A source did not give what was asked for."""


class TransientSourceError(SourceError):
    """It may work later: the source is down, busy, or asks for a longer pause than we wait."""


class TerminalSourceError(SourceError):
    """It will not work by asking again: refused, too large, or not what the source should send."""


class BadResumptionToken(TerminalSourceError):
    """The place in a list is lost (tokens last a day): harvest this window from its start."""
