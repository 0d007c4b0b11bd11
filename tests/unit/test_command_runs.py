"""Finding the mistake behind an exception, whatever its chain looks like."""

from __future__ import annotations

import pytest

from pipelines.errors import BusyError
from pipelines.runtime.exceptions import papertide_error_behind

pytestmark = pytest.mark.unit


def test_the_mistake_is_found_behind_its_wrappers() -> None:
    mistake, outer = BusyError("busy"), RuntimeError("step failed")
    outer.__cause__ = ValueError("in between")
    outer.__cause__.__context__ = mistake
    assert papertide_error_behind(outer) is mistake


def test_a_chain_that_bites_its_tail_ends() -> None:
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__cause__ = second, first
    assert papertide_error_behind(first) is None
