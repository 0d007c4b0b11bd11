"""Everything an operator leaves running, started together and stopped together."""

from __future__ import annotations

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
    """Name → command line of each process."""
    beside = Path(sys.executable).parent
    location = ["-m", "pipelines.definitions"]
    return {
        "dagster web server": [
            str(beside / "dagster-webserver"), *location,
            "-h", settings.host, "-p", str(settings.dagster_port),
        ],
        "dagster daemon": [str(beside / "dagster-daemon"), "run", *location],
        "dashboard": [str(beside / "papertide"), "dashboard"],
    }  # fmt: skip


def run_all(settings: Settings) -> int:
    """Run until a signal or until one of them ends; 0 after a signal, 1 when one ended by itself.

    Whatever happens, none is left behind.
    """
    runs.prepare(settings)
    if noticed := instance.difference(settings):
        click.echo(noticed, err=True)
    stop: list[int] = []
    for sent in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sent, lambda number, _: stop.append(number))
    processes = {}
    try:
        for name, command in commands(settings).items():
            processes[name] = subprocess.Popen(  # noqa: S603  our own executables
                command, cwd=PROJECT_ROOT, start_new_session=True
            )
        click.echo(
            f"dashboard  http://{settings.host}:{settings.port}\n"
            f"dagster    http://{settings.host}:{settings.dagster_port}\n"
            "Ctrl-C stops everything.",
            err=True,
        )
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
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + GRACE_S
    for process in processes:
        try:
            process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
