"""The commands that are not in a module of their own, and the list of all commands.

Each parses its arguments, calls one package and prints the result. Imports are inside the commands,
so that `papertide --help` starts quickly.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from pipelines.cli.alerts import alert_test
from pipelines.cli.evaluate import evaluate
from pipelines.cli.refresh import backfill, refresh
from pipelines.cli.snapshots import ALL as SNAPSHOTS
from pipelines.cli.topics import topics
from pipelines.errors import UsageError
from pipelines.settings import load_settings

FORMATS = ("table", "csv", "json", "parquet")


@click.command()
def demo() -> None:
    """Ingest, build and publish the bundled sample.

    Also writes the static site, and prints its path.

    \b
    Example:
      papertide demo
    """
    from pipelines.cli import report, runs
    from pipelines.intake import sample

    settings = load_settings()
    folders = sample.folders()
    sample.require_separate_home(settings, folders)
    result = runs.run_job(settings, "main", captures={"paths": [str(folder) for folder in folders]})
    report.intake(result)
    report.published()
    command = "papertide" if shutil.which("papertide") else sys.argv[0]
    click.echo(
        f"\nOpen {settings.site_dir / 'index.html'}\n  or run: {command} dashboard", err=True
    )


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--kind", help="Kind of list, such as daily, trending or search.")
@click.option(
    "--captured-on",
    metavar="DATE",
    help="Date or time of capture; supplies years that are missing.",
)
@click.option("--listing-day", metavar="DATE", help="Day of the list.")
@click.option("--source", help="Source: hf_page, hf_api, arxiv or file.")
@click.option(
    "--map",
    "columns",
    metavar="FIELD=COLUMN",
    multiple=True,
    help="Column of a table that holds a field, such as title=Name. Repeatable.",
)
@click.option(
    "--dry-run", is_flag=True, help="Show what would be taken from each file; store nothing."
)
@click.option("--json", "as_json", is_flag=True, help="With --dry-run: print JSON.")
def ingest(
    paths: tuple[str, ...],
    kind: str | None,
    captured_on: str | None,
    listing_day: str | None,
    source: str | None,
    columns: tuple[str, ...],
    dry_run: bool,  # noqa: FBT001  click passes it
    as_json: bool,  # noqa: FBT001  click passes it
) -> int:
    """Ingest files, folders or standard input (-). The format is detected from the content.

    Formats: listing pages, responses of the daily_papers API, arXiv's metadata, feeds, lists and
    mails, BibTeX, RIS, CSV and Parquet; plain, .gz, .zst, .bz2, .xz or .zip. A captures.csv in the
    same folder states the day and time of each file. Ingesting the same file again changes nothing.
    Next: papertide build.

    \b
    Examples:
      papertide ingest page.txt --captured-on 2025-11-06
      papertide ingest captures/ --dry-run
      papertide ingest captures/ arxiv-metadata.jsonl.gz
      papertide ingest library.csv --map title=Name --map url=Link
      cat page.html | papertide ingest - --kind daily --listing-day 2025-06-03
    """
    from pipelines.cli import dry_run as preview
    from pipelines.cli import report, runs
    from pipelines.cli.preview import previews
    from pipelines.intake import facts

    overrides = {
        "kind": kind, "captured_on": captured_on, "listing_day": listing_day, "source": source,
    }  # fmt: skip
    stated = facts.overrides(**overrides, columns=columns)  # fails before a run is started
    if dry_run:
        return preview.show(previews(load_settings(), paths, stated), as_json=as_json)
    if as_json:
        raise UsageError("--json needs --dry-run.")
    given = {name: value for name, value in overrides.items() if value is not None}
    config = {"paths": list(paths), "columns": list(columns), **given}
    result = runs.run_job(load_settings(), "ingest", captures=config)
    return report.intake(result, next_step="papertide build")


@click.command()
def build() -> None:
    """Build and check the tables, then publish a snapshot.

    Builds from all captures, and writes the site after publishing. Recomputes only what changed
    since the last build. If a check fails, nothing is published.
    """
    from pipelines.archive.archive import Archive
    from pipelines.cli import report, runs

    settings = load_settings()
    if Archive(settings).is_empty():
        raise UsageError(
            f"Nothing to build: {settings.home} contains no captures. Run `papertide demo` for the "
            "bundled sample, `papertide ingest PATH`, or `papertide refresh`."
        )
    runs.run_job(settings, "build")
    report.published()


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> int:  # noqa: FBT001  click passes it
    """Show the state of the published snapshot.

    Shows its age, papers, captures, coverage and quarantine by reason. Exit code 1 if nothing is
    published, the snapshot is stale, or the last build published nothing.
    """
    from pipelines.cli import report

    return report.status(as_json=as_json)


@click.command()
@click.argument("query")
@click.option(
    "--format", "style", type=click.Choice(FORMATS), default="table", show_default=True,
    help="Output format.",
)  # fmt: skip
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Output file.  [default: stdout]",
)
@click.option("--timeout", default=60.0, show_default=True, help="Time limit in seconds.")
def sql(query: str, style: str, output: Path | None, timeout: float) -> None:
    """Query the published snapshot with SQL, read-only. Files, extensions and settings are blocked.

    Tables are in the schema marts: `show tables` lists them, `describe dim_papers` shows one. Use -
    as QUERY to read the query from standard input.

    \b
    Examples:
      papertide sql "select title, upvotes from dim_papers order by upvotes desc limit 5"
      papertide sql "from rpt_topic_trends" --format parquet -o trends.parquet
    """
    from pipelines.cli.output import write_answer
    from pipelines.publishing.user_sql import MAX_QUERY_BYTES

    if not timeout > 0:  # also refuses nan
        raise UsageError(f"--timeout {timeout:g}: must be greater than 0 seconds.")
    if style == "parquet" and output is None and sys.stdout.isatty():
        raise UsageError(
            "Parquet is a binary format. Write it to a file with -o, or pipe the output."
        )
    if query == "-":
        query = sys.stdin.buffer.read(MAX_QUERY_BYTES + 1).decode("utf-8", "surrogateescape")
    write_answer(load_settings(), query, style, output, timeout_s=timeout)


@click.command("export-site")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export_site(folder: Path) -> None:
    """Write the dashboard as a static site.

    The site opens from disk, without a network.
    """
    from dashboards.export import export_site as export
    from pipelines.publishing.reader import Reader

    pages = export(Reader(load_settings()), folder.resolve())
    click.echo(f"{len(pages)} files written; open {folder.resolve() / 'index.html'}", err=True)


@click.command()
@click.option("--host", help="Address to listen on.  [default: PAPERTIDE_HOST or 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port.  [default: PAPERTIDE_PORT or 8050]"
)
def dashboard(host: str | None, port: int | None) -> None:
    """Serve the dashboard. Ctrl-C stops it."""
    from waitress.server import create_server

    from dashboards.app import create_app
    from pipelines.publishing.reader import Reader

    settings = load_settings()
    host, port = host or settings.host, port or settings.port
    app = create_app(Reader(settings), stale_after_hours=settings.stale_after_hours)
    problem = f"Can't listen on {host}:{port}"
    try:
        server = create_server(app.server, host=host, port=port, threads=8, ident=None)
    except OSError as error:
        raise UsageError(f"{problem}: {error.strerror}. Try --port {_next_port(port)}.") from None
    except ValueError:
        raise UsageError(f"{problem}: unknown host. Try --host 127.0.0.1.") from None
    click.echo(f"The dashboard is at http://{host}:{port} (Ctrl-C stops it).", err=True)
    server.run()


def _next_port(port: int) -> int:
    return port + 1 if port < 65535 else port - 1


@click.command()
@click.option(
    "--only", type=click.Choice(("webserver", "daemon", "dashboard")), help="Start only this one."
)
def up(only: str | None) -> int:
    """Start Dagster's web server, its daemon and the dashboard. Ctrl-C stops all three."""
    from pipelines.cli.up import run_all

    return run_all(load_settings(), only)


ALL = (
    demo, ingest, refresh, backfill, build, status, sql, dashboard, export_site, up, evaluate,
    topics, alert_test, *SNAPSHOTS,
)  # fmt: skip
