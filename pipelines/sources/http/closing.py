"""What holds a connection and is closed with the block that uses it."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Closing:
    """A context manager that closes itself; subclasses say how."""

    def close(self) -> None:
        """Give back what is held."""
        raise TypeError(f"{type(self).__name__} does not say how it is closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
