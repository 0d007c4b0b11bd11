"""A page that a source returned: its bytes as received, and what its client noticed.

Belongs here: the record that all sources share. Does not: outcomes of one source.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class FetchedPage:
    """One response, complete and unchanged except for transport compression.

    `page` counts from 0. `n_items` is None when the body is not in the expected format; it is
    archived anyway, and the parser reports it. `is_last` is true when the source has no
    further pages. `note` describes what was unexpected, as a sentence.
    """

    url: str
    body: bytes
    fetched_at: datetime
    page: int
    n_items: int | None
    is_last: bool
    content_type: str
    note: str | None = None
