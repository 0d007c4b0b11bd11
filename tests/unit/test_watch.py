"""Work that is watched: its result, and each way in which it is stopped."""

from __future__ import annotations

import threading

import pytest

from pipelines.errors import QueryError
from pipelines.publishing import query_limits
from pipelines.publishing.query_limits import Clock, in_bytes, run_limited

pytestmark = pytest.mark.unit


class Endless:
    """Work that ends when it is interrupted."""

    def __init__(self) -> None:
        self.interrupted = threading.Event()

    def __call__(self, clock: Clock) -> None:
        self.interrupted.wait(60)


def test_the_result_comes_back() -> None:
    assert run_limited(lambda _: 42, pytest.fail, timeout_s=60, memory_limit="1GB") == 42


def test_an_error_of_the_work_comes_back() -> None:
    def fail(clock: Clock) -> None:
        raise TimeoutError("mine")

    with pytest.raises(TimeoutError, match="mine"):
        run_limited(fail, lambda: None, timeout_s=60, memory_limit="1GB")


def test_late_work_is_interrupted() -> None:
    work = Endless()
    with pytest.raises(QueryError, match=r"stopped after 0\.1 s"):
        run_limited(work, work.interrupted.set, timeout_s=0.1, memory_limit="1GB")
    assert work.interrupted.is_set()


def test_work_that_grows_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = iter([0, 1_400, 1_600])
    monkeypatch.setattr(query_limits, "_resident_bytes", lambda: next(sizes))
    work = Endless()
    with pytest.raises(QueryError, match="needs more memory"):
        run_limited(work, work.interrupted.set, timeout_s=60, memory_limit="1KB")
    assert work.interrupted.is_set()


def test_ctrl_c_while_the_thread_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    work = Endless()
    with pytest.raises(KeyboardInterrupt):
        run_limited(work, work.interrupted.set, timeout_s=60, memory_limit="1GB")
    assert work.interrupted.is_set()


def test_time_of_the_reader_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([10.0, 11.0, 71.0, 73.0])
    monkeypatch.setattr(query_limits.time, "monotonic", lambda: next(now))
    clock = Clock()
    with clock.stopped():
        pass
    assert clock.seconds() == 3.0


@pytest.mark.parametrize(
    ("size", "bytes_"), [("1GB", 10**9), ("1.5 GiB", 3 * 2**29), ("64KiB", 65_536)]
)
def test_sizes(size: str, bytes_: int) -> None:
    assert in_bytes(size) == bytes_
