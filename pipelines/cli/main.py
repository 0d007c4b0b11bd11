"""Entry point of the command line: the group of commands, exit codes and error messages.

Exit codes: 0 success, 1 failure, 2 wrong usage. Data goes to stdout, messages to stderr. A user's
mistake produces a message; a traceback means a bug in Papertide.
"""

from __future__ import annotations

import atexit
import functools
import logging
import os
import sys
from contextlib import suppress
from typing import Any

import click

from pipelines.cli import commands
from pipelines.errors import PapertideError, UsageError
from pipelines.runtime import faults, home
from pipelines.settings import load_settings


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="papertide", message="papertide %(version)s")
def papertide() -> None:
    """A warehouse of machine-learning paper listings.

    All state is in ./data, or in the folder set by PAPERTIDE_HOME.

    \b
    First steps:
      papertide demo                         try it on the bundled sample
      papertide ingest ~/Downloads/page.txt  ingest a saved listing page
      papertide build                        build the tables, check and publish
      papertide dashboard                    serve the dashboard
    """


def guarded(command: click.Command) -> click.Command:
    """The command, preceded by a check that no newer version of Papertide wrote the home."""
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            guarded(subcommand)
        return command
    callback = command.callback

    @functools.wraps(callback)  # type: ignore[arg-type]
    def checked(*args: Any, **kwargs: Any) -> Any:
        settings = load_settings()
        home.require_readable(settings)
        with faults.reporting_faults(settings.home):
            return callback(*args, **kwargs)  # type: ignore[misc]

    command.callback = checked
    return command


for command in commands.ALL:
    papertide.add_command(guarded(command))


def main() -> None:
    """Run the command line and exit with its code.

    The process ends after the exit handlers, without the interpreter's teardown: that is slow, and
    prints a traceback if a pipe was closed.
    """
    code = 1

    def leave() -> None:
        logging.shutdown()
        with suppress(OSError, ValueError):  # a closed pipe
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)

    atexit.register(leave)  # handlers run in reverse order: this one runs last
    code = run(sys.argv[1:])


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code. Errors of a user are printed, not raised."""
    try:
        code = papertide.main(arguments, prog_name="papertide", standalone_mode=False)
    except click.ClickException as error:
        error.show(sys.stderr)
        return error.exit_code
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped. Completed work is kept; run the command again to resume.", err=True)
        return 1
    except UsageError as error:
        click.echo(f"papertide: {error}", err=True)
        return 2
    except PapertideError as error:
        click.echo(f"papertide: {error}", err=True)
        return 1
    except (BrokenPipeError, SystemExit):  # `papertide sql … | head`; click raises SystemExit
        sys.stderr.close()
        return 0
    return code if isinstance(code, int) else 0
