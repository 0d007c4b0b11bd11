"""The command line's entry: the group of commands, and what a mistake looks like.

Exit codes: 0 done, 1 failed, 2 wrong usage. Data goes to stdout, words to stderr. A user's
mistake is one clear sentence; a traceback means a defect in Papertide.
"""

from __future__ import annotations

import atexit
import functools
import os
import sys
from contextlib import suppress
from typing import Any

import click

from pipelines.cli import commands
from pipelines.errors import PapertideError, UsageError
from pipelines.runtime import faults, home
from pipelines.settings import get_settings


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="papertide", message="papertide %(version)s")
def papertide() -> None:
    """A warehouse of machine-learning paper listings.

    State lives in ./data, or where PAPERTIDE_HOME points.

    \b
    First steps:
      papertide demo                         try it on the bundled sample
      papertide ingest ~/Downloads/page.txt  take a saved listing in
      papertide build                        rebuild, check and publish
      papertide dashboard                    look at it
    """


def guarded(command: click.Command) -> click.Command:
    """The command, which first refuses a home that a newer Papertide wrote."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            guarded(below)
        return command
    act = command.callback

    @functools.wraps(act)  # type: ignore[arg-type]
    def known_home_first(*args: Any, **kwargs: Any) -> Any:
        settings = get_settings()
        home.require_readable(settings)
        with faults.reporting_faults(settings.home):
            return act(*args, **kwargs)  # type: ignore[misc]

    command.callback = known_home_first
    return command


for command in commands.ALL:
    papertide.add_command(guarded(command))


def main() -> None:
    """Run the command line and exit with its code."""
    code = run(sys.argv[1:])
    with suppress(OSError, ValueError):  # a pipe that was closed at its other end
        sys.stdout.flush()
        sys.stderr.flush()
    # What libraries want done at the end is done; but the interpreter is not taken to pieces, which
    # takes a while and has words for a pipe that was closed.
    atexit._run_exitfuncs()
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Run one command; the exit code. Never raises for a user's mistake."""
    try:
        code = papertide.main(arguments, prog_name="papertide", standalone_mode=False)
    except click.ClickException as error:
        error.show(sys.stderr)
        return error.exit_code
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped. What was finished is kept; run the command again to go on.", err=True)
        return 1
    except UsageError as error:
        click.echo(f"papertide: {error}", err=True)
        return 2
    except PapertideError as error:
        click.echo(f"papertide: {error}", err=True)
        return 1
    except (BrokenPipeError, SystemExit):  # `papertide sql … | head`; click ends so for its own
        sys.stderr.close()
        return 0
    return code if isinstance(code, int) else 0
