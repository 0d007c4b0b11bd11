"""The commands. Each parses its arguments, calls one room, and prints what came back.

Heavy imports happen inside the commands: `papertide --help` must be quick.
"""

from __future__ import annotations

import gzip
import hashlib
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
from pipelines.settings import PROJECT_ROOT, get_settings

FORMATS = ("table", "csv", "json", "parquet")


@click.command()
def demo() -> None:
    """Take in the bundled sample, build, publish, and write the site.

    \b
    Example:
      papertide demo
    """
    from pipelines.cli import report, runs

    sample = PROJECT_ROOT / "sample"
    if not sample.is_dir():
        raise UsageError(
            f"The bundled sample is not at {sample}. Run the demo from a checkout of the project."
        )
    folders = [str(sample / "hf_api"), str(sample / "hf_page")]
    _require_home_of_demo(folders)
    result = runs.run_job("main", captures={"paths": folders})
    report.intake(result)
    report.published()
    site = get_settings().site_dir / "index.html"
    command = "papertide" if shutil.which("papertide") else sys.argv[0]
    click.echo(f"\nLook at it: open {site}\n        or: {command} dashboard", err=True)


def _require_home_of_demo(folders: list[str]) -> None:
    """The sample does not go into a home that people work with: it could not be taken out again."""
    from pipelines.archive.archive import Archive
    from pipelines.intake.paths import is_sidecar

    settings = get_settings()
    sample = {
        hashlib.sha256(gzip.decompress(body) if path.suffix == ".gz" else body).hexdigest()
        for folder in folders
        for path in Path(folder).iterdir()
        if not is_sidecar(path)
        for body in [path.read_bytes()]
    }
    held = {receipt.sha256 for receipt in Archive(settings).receipts()}
    if held - sample and not sample <= held:
        raise UsageError(
            f"{settings.home} holds captures of your own, and the demo would add its sample to "
            "them. Name another folder: PAPERTIDE_HOME=demo-data papertide demo"
        )


@click.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--kind", help="Kind of list: daily, weekly, monthly, trending, search, …")
@click.option("--captured-on", metavar="DATE", help="When it was captured (gives missing years).")
@click.option("--listing-day", metavar="DATE", help="The day that the list belongs to.")
@click.option("--source", help="hf_page, hf_api or arxiv.")
def ingest(
    paths: tuple[str, ...],
    kind: str | None,
    captured_on: str | None,
    listing_day: str | None,
    source: str | None,
) -> int:
    """Take files, folders or standard input (-) in; formats are told from the bytes.

    Known: a listing page's text or HTML, daily_papers API answers, arXiv metadata (JSON lines or
    Atom); plain, .gz or .zst. A captures.csv beside the files gives their days and times. The same
    bytes again change nothing. Then run `papertide build`.

    \b
    Examples:
      papertide ingest page.txt --captured-on 2025-11-06
      papertide ingest captures/ arxiv-metadata.jsonl.gz
      cat page.html | papertide ingest - --kind daily --listing-day 2025-06-03
    """
    from pipelines.cli import report, runs
    from pipelines.intake import facts

    overrides = {
        "kind": kind, "captured_on": captured_on, "listing_day": listing_day, "source": source,
    }  # fmt: skip
    facts.overrides(**overrides)  # fails before a run is started
    given = {name: value for name, value in overrides.items() if value is not None}
    result = runs.run_job("ingest", captures={"paths": list(paths), **given})
    return report.intake(result, next_step="papertide build")


@click.command()
def build() -> None:
    """Rebuild the tables from all captures, check them, publish a snapshot, write the site."""
    from pipelines.archive.archive import Archive
    from pipelines.cli import report, runs

    settings = get_settings()
    if Archive(settings).is_empty():
        raise UsageError(
            f"There is nothing to build: {settings.home} holds no captures. Run `papertide demo` "
            "for the bundled sample, `papertide ingest PATH`, or `papertide refresh`."
        )
    runs.run_job("build")
    report.published()


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def status(as_json: bool) -> int:  # noqa: FBT001  click passes it
    """Captures, papers, coverage, quarantine by reason, age of the snapshot.

    Exit code 1 when nothing is published, the snapshot is stale, or the last build was refused.
    """
    from pipelines.cli import report

    return report.status(as_json=as_json)


@click.command()
@click.argument("query")
@click.option("--format", "style", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds the query may take.")
def sql(query: str, style: str, output: Path | None, timeout: float) -> None:
    """Ask the published snapshot. Read-only: no files, no extensions, no settings.

    Tables are in the schema marts (`show tables` lists them, `describe marts.dim_papers` one).
    With - as the query it is read from standard input.

    \b
    Examples:
      papertide sql "select title, upvotes from dim_papers order by upvotes desc limit 5"
      papertide sql "from rpt_topic_trends" --format parquet -o trends.parquet
    """
    from pipelines.cli.output import write_answer
    from pipelines.publishing.reader import MAX_QUERY_BYTES

    if not timeout > 0:  # which also refuses nan
        raise UsageError(f"--timeout {timeout:g}: give seconds above 0.")
    if style == "parquet" and output is None and sys.stdout.isatty():
        raise UsageError("Parquet is binary: name a file with -o, or pipe it onwards.")
    if query == "-":
        query = sys.stdin.buffer.read(MAX_QUERY_BYTES + 1).decode("utf-8", "surrogateescape")
    write_answer(get_settings(), query, style, output, timeout_s=timeout)


@click.command("export-site")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export_site(folder: Path) -> None:
    """Write the figures as a static site that opens from disk, without network."""
    from dashboards.export import export_site as export
    from pipelines.publishing.reader import Reader

    pages = export(Reader(get_settings()), folder.resolve())
    click.echo(f"{len(pages)} files written; open {folder.resolve() / 'index.html'}", err=True)


@click.command()
@click.option("--host", help="Address to bind.  [default: PAPERTIDE_HOST or 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Port.  [default: PAPERTIDE_PORT or 8050]"
)
def dashboard(host: str | None, port: int | None) -> None:
    """Serve the dashboard until Ctrl-C."""
    from waitress.server import create_server

    from dashboards.app import create_app
    from pipelines.publishing.reader import Reader

    settings = get_settings()
    host, port = host or settings.host, port or settings.port
    app = create_app(Reader(settings), stale_after_hours=settings.stale_after_hours)
    unbound = f"{host}:{port} can't be bound"
    try:
        server = create_server(app.server, host=host, port=port, threads=8, ident=None)
    except OSError as error:
        raise UsageError(f"{unbound}: {error.strerror}. Try --port {_next_port(port)}.") from None
    except ValueError:
        raise UsageError(f"{unbound}: there is no such host. Try --host 127.0.0.1.") from None
    click.echo(f"The dashboard is at http://{host}:{port} (Ctrl-C stops it).", err=True)
    server.run()


def _next_port(port: int) -> int:
    return port + 1 if port < 65535 else port - 1


@click.command()
@click.option("--only", type=click.Choice(("webserver", "daemon", "dashboard")), help="Just one.")
def up(only: str | None) -> int:
    """Start Dagster's web server, its daemon and the dashboard; Ctrl-C stops all three."""
    from pipelines.cli.up import run_all

    return run_all(get_settings(), only)


ALL = (
    demo, ingest, refresh, backfill, build, status, sql, dashboard, export_site, up, evaluate,
    topics, alert_test, *SNAPSHOTS,
)  # fmt: skip
