"""Archives what a source returned, with the facts known from the request.

Belongs here: the one way from a fetched body to a capture. Does not: which facts a source records.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO

from pipelines.archive.archive import Archive
from pipelines.archive.receipt import FETCH, Given


def archive_body(
    archive: Archive, body: bytes, url: str, fetched_at: datetime, facts: Mapping[str, str]
) -> str:
    """Archive one body with its facts; returns `new`, `known` or `amended`.

    Raises CaptureError when the body is empty or too large.
    """
    captured_at = fetched_at.astimezone(UTC).isoformat(timespec="seconds")
    values = {"captured_at": captured_at, **facts}
    given = {name: Given(value, FETCH) for name, value in values.items()}
    return archive.receive(BytesIO(body), url, given, now=fetched_at).outcome
