"""Everything an operator leaves running, started together and stopped together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click

from pipelines.cli import instance, runs
from pipelines.settings import PROJECT_ROOT, Settings

GRACE_S = 10


def commands(settings: Settings) -> dict[str, list[str]]:
    """Name → command line of each process. The names are what `--only` takes."""
    beside = Path(sys.executable).parent
    location = ["-m", "pipelines.definitions"]
    return {
        "webserver": [
            str(beside / "dagster-webserver"), *location,
            "-h", settings.host, "-p", str(settings.dagster_port),
        ],
        "daemon": [str(beside / "dagster-daemon"), "run", *location],
        "dashboard": [str(beside / "papertide"), "dashboard"],
    }  # fmt: skip


def run_all(settings: Settings, only: str | None = None) -> int:
    """Run all, or one, until a signal or until one ends; 0 after a signal, 1 when one ended.

    Whatever happens, none is left behind, nor a run that one of them started.
    """
    runs.prepare(settings)
    if only != "dashboard":
        from pipelines.defs import schedules

        schedules.of(settings)  # a wrong one is told here, before anything runs
        instance.create_storage(settings)
    if only in (None, "daemon"):
        settings.inbox_dir.mkdir(exist_ok=True)  # so that there is somewhere to drop files
    if noticed := instance.difference(settings):
        click.echo(noticed, err=True)
    stop: list[int] = []
    for sent in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sent, lambda number, _: stop.append(number))
    processes = {}
    try:
        wanted = commands(settings)
        for name, command in wanted.items() if only is None else [(only, wanted[only])]:
            processes[name] = subprocess.Popen(  # noqa: S603  our own executables
                command, cwd=PROJECT_ROOT, start_new_session=True
            )
        for name, port in (("dashboard", settings.port), ("webserver", settings.dagster_port)):
            if name in processes:
                click.echo(f"{name}  http://{settings.host}:{port}", err=True)
        click.echo("Ctrl-C stops everything.", err=True)
        while not stop:
            ended = {n: p.returncode for n, p in processes.items() if p.poll() is not None}
            if ended:
                name, code = next(iter(ended.items()))
                click.echo(f"papertide: the {name} ended with code {code}; stopping.", err=True)
                return 1
            time.sleep(0.2)
        return 0
    finally:
        _stop(list(processes.values()))


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """End the processes and all that they started: each leads a group of its own."""
    left = _signal(processes, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = _signal(left, 0)
    for process in _signal(left, signal.SIGKILL):
        process.wait()


def _signal(processes: list[subprocess.Popen[bytes]], number: int) -> list[subprocess.Popen[bytes]]:
    """Send a signal to their groups (0 only looks); those of whose group somebody was left."""
    found = []
    for process in processes:
        process.poll()  # a leader that ended is gone only when it was waited for
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            continue
        found.append(process)
    return found
