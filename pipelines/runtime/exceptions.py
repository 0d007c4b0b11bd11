"""Walks exception chains.

Belongs here: finding an error behind the exceptions that wrap it. Does not: what an error means
(`faults.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.errors import PapertideError


def exception_chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, then each cause or context, outermost first. Ends when a chain repeats."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__


def papertide_error_behind(error: BaseException | None) -> PapertideError | None:
    """The first `PapertideError` of the chain, or None."""
    return next((e for e in exception_chain(error) if isinstance(e, PapertideError)), None)
