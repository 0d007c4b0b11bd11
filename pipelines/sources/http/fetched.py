"""What a source hands over: bytes as they came, and what was seen on their way.

Belongs here: the record that all sources share. Does not: outcomes of one source.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Fetched:
    """One answer, whole and unchanged but for transport compression.

    `page` counts from 0. `n_items` is None when the body is not what was asked for: it is handed
    over all the same, because what was received is archived and judged by the parser. `is_last`
    says that the source has nothing after it. `note` names what looked wrong, in a sentence.
    """

    url: str
    body: bytes
    fetched_at: datetime
    page: int
    n_items: int | None
    is_last: bool
    content_type: str
    note: str | None = None
