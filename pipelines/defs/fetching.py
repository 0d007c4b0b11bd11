"""What the assets of all live sources share: partitions of a run, and retries.

Belongs here: reading a run's partitions, and the retry policy by class of error. Does not:
requests to a source.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import dagster as dg

from pipelines.sources.errors import TransientSourceError

BY_HAND = "papertide/cli"  # tag of runs that the command line started
MAX_RETRIES = 3
FIRST_RETRY_S = 60


class FetchConfig(dg.Config):
    """Days to fetch (ISO dates) when no partition is chosen. Default: what is due."""

    since: str | None = None
    until: str | None = None
    again: bool = False  # fetch every day of the range, due or not

    @property
    def since_on(self) -> date | None:
        """`since` as a date."""
        return date.fromisoformat(self.since) if self.since else None

    @property
    def until_on(self) -> date | None:
        """`until` as a date."""
        return date.fromisoformat(self.until) if self.until else None


def chosen_partitions(context: dg.AssetExecutionContext) -> list[date]:
    """Start days of the partitions selected for the run, sorted; empty if none were selected."""
    if not (context.has_partition_key or context.has_partition_key_range):
        return []
    return sorted(date.fromisoformat(key) for key in context.partition_keys)


@contextmanager
def retried_when_transient(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Retry the step after 1, 2 and 4 minutes on a TransientSourceError.

    Other errors end the step. So does every error of a run that a person started and watches: the
    client has retried each request already.
    """
    try:
        yield
    except TransientSourceError as error:
        if BY_HAND in context.run.tags or context.retry_number >= MAX_RETRIES:
            raise
        seconds = FIRST_RETRY_S * 2**context.retry_number
        raise dg.RetryRequested(max_retries=MAX_RETRIES, seconds_to_wait=seconds) from error
