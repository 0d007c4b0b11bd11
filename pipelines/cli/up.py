"""`papertide up`: starts and stops the long-running processes together."""

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
    """Name → command line of each process. The names are the choices of `--only`."""
    bin_dir = Path(sys.executable).parent
    location = ["-m", "pipelines.definitions"]
    return {
        "webserver": [
            str(bin_dir / "dagster-webserver"), *location,
            "-h", settings.host, "-p", str(settings.dagster_port),
        ],
        "daemon": [str(bin_dir / "dagster-daemon"), "run", *location],
        "dashboard": [str(bin_dir / "papertide"), "dashboard"],
    }  # fmt: skip


def run_all(settings: Settings, only: str | None = None) -> int:
    """Run all processes, or one, until a signal arrives or one exits.

    Returns 0 after a signal, 1 when a process exited. Leaves no process running, nor any run that
    one of them started.
    """
    _prepare(settings, only)
    stop: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: stop.append(received))
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        _start(settings, only, processes)
        while not stop:
            for name, process in processes.items():
                if process.poll() is not None:
                    click.echo(
                        f"papertide: the {name} exited with code {process.returncode}; stopping.",
                        err=True,
                    )
                    return 1
            time.sleep(0.2)
        return 0
    finally:
        _stop(list(processes.values()))


def _prepare(settings: Settings, only: str | None) -> None:
    """Do shared setup once, so that processes don't race for it and errors come first."""
    runs.prepare(settings)
    if only != "dashboard":
        from pipelines.defs.schedules import schedules
        from pipelines.warehouse import dbt_project

        schedules(settings)
        dbt_project.manifest(settings)
        instance.create_storage(settings)
    if only in (None, "daemon"):
        settings.inbox_dir.mkdir(exist_ok=True)
    if notice := instance.difference(settings):
        click.echo(notice, err=True)


def _start(
    settings: Settings, only: str | None, processes: dict[str, subprocess.Popen[bytes]]
) -> None:
    """Start the processes and print their addresses. Each is added to `processes` as it starts."""
    # Child processes never import from the folder that they run in.
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    for name, command in commands(settings).items():
        if only in (None, name):
            processes[name] = subprocess.Popen(  # noqa: S603  our own executables
                command, cwd=PROJECT_ROOT, env=environment, start_new_session=True
            )
    for name, port in (("dashboard", settings.port), ("webserver", settings.dagster_port)):
        if name in processes:
            click.echo(f"{name}  http://{settings.host}:{port}", err=True)
    click.echo("Press Ctrl-C to stop.", err=True)


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """End the processes and everything that they started: each leads a process group."""
    remaining = _signal(processes, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while remaining and time.monotonic() < deadline:
        time.sleep(0.1)
        remaining = _signal(remaining, 0)
    for process in _signal(remaining, signal.SIGKILL):
        process.wait()


def _signal(processes: list[subprocess.Popen[bytes]], number: int) -> list[subprocess.Popen[bytes]]:
    """Send a signal to each process group (0 only tests); return those that still exist."""
    existing = []
    for process in processes:
        process.poll()  # a leader that exited stays in the table until it is waited for
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            continue
        existing.append(process)
    return existing
