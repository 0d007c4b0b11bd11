"""`papertide topics …`: tries phrases; lists topics, near misses, papers without one, proposals.

Belongs here: options and output. Does not: the tables (`pipelines.topics`). Imports are inside the
commands, so that `papertide --help` starts quickly.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipelines.errors import UsageError
from pipelines.settings import Settings, load_settings

if TYPE_CHECKING:
    import polars as pl

    from pipelines.topics.taxonomy import Taxonomy

FORMATS = ("table", "csv", "json")
_PAPERS = "select paper_id, title, abstract, keywords from dim_papers order by paper_id"
_POPULATIONS = """
    select 'all papers' as population, paper_id from dim_papers
    union all
    select distinct population, paper_id from bridge_population_papers
"""
_PAPER_TOPICS = "select paper_id, topic_id from bridge_paper_topics where kind <> 'discovered'"
_TOPIC_COUNTS = """
    select topic_id, count(*) as n_papers, any_value(bridge.rules_version) as rules_version
    from bridge_paper_topics as bridge
    group by topic_id
"""
_COUNTED_PAPERS = """
    select paper_id, title, min(counted_on) as counted_on
    from bridge_population_papers
    inner join dim_papers using (paper_id)
    where population = $population
    group by all
"""
_TAXONOMY_TOPICS = "select paper_id, topic_id from bridge_paper_topics where kind = 'taxonomy'"
_GROUPS = """
    select 'term' as kind, term as name, paper_id
    from bridge_paper_terms
    inner join dim_terms using (term_id)
    union all
    select 'cluster' as kind, name, paper_id
    from bridge_paper_topics
    inner join dim_topics using (topic_id)
    where dim_topics.kind = 'discovered'
"""
F = TypeVar("F", bound=Callable[..., Any])


def _shared(command: F) -> F:
    """Add the options that all of these commands have."""
    limit = click.option(
        "--limit", type=click.IntRange(min=0), default=10, show_default=True,
        help="Maximum rows of each table; 0 for all.",
    )  # fmt: skip
    style = click.option(
        "--format", "style", type=click.Choice(FORMATS), default="table", show_default=True,
        help="Output format.",
    )  # fmt: skip
    return limit(style(command))


@click.group()
def topics() -> None:
    """Explore topics and try phrases before you add rules.

    All commands read the published snapshot and change nothing. Your own topics and rules are in
    PAPERTIDE_TAXONOMY_DIR; see "Your own topics" in docs/operations.md.

    \b
    Examples:
      papertide topics try "state space model" --topic state-space-models
      papertide topics near-misses watermarking
      papertide topics uncovered
      papertide topics propose
      papertide topics list --topic rag
    """


@topics.command("try")
@click.argument("phrase")
@click.option("--topic", "topic_id", metavar="ID", help="Show the effect on this topic.")
@click.option(
    "--role", type=click.Choice(("phrase", "alias", "title", "negative")), default="phrase",
    show_default=True, help="Role of the phrase in a rule.",
)  # fmt: skip
@_shared
def try_phrase(phrase: str, topic_id: str | None, role: str, limit: int, style: str) -> None:
    """Show which papers a phrase would match.

    Shows examples, the topics of these papers, and related rules. Phrases match as in a build:
    case, hyphens and the plural of the last word are ignored. CSV output contains only the papers;
    json and table contain everything.

    \b
    Examples:
      papertide topics try "mechanistic interpretability"
      papertide topics try "agent" --topic llm-agents --role title
      papertide topics try "contrast agent" --topic llm-agents --role negative
    """
    import polars as pl

    from pipelines.evaluation.intervals import wilson
    from pipelines.topics import reports, rule_analysis
    from pipelines.topics.taxonomy import Rule
    from pipelines.topics.text_forms import normalise_phrases

    (words,) = normalise_phrases([phrase])
    if not words:
        raise UsageError(f"{phrase!r} has no letter or digit. Give at least one word.")
    settings = load_settings()
    taxonomy = _taxonomy(settings, topic_id)
    query = _reader(settings, taxonomy)
    papers = query(_PAPERS)
    found = rule_analysis.occurrences(papers, words)
    if role == "title":
        found = found.filter(pl.col("field") == "title")
    hits = found.select("paper_id").unique()
    tables = {
        "populations": reports.shares(query(_POPULATIONS), hits, wilson),
        "papers": _limited(reports.examples(found, papers), limit),
        "topics": _limited(reports.overlaps(query(_PAPER_TOPICS), hits), limit),
        "rules": _limited(rule_analysis.related_rules(taxonomy, words), limit),
    }
    if topic_id:
        matched = papers.join(hits, on="paper_id", how="semi")
        tables["effect"] = reports.effect_counts(matched, taxonomy, Rule(topic_id, words, role))
    header = {"phrase": words, "role": role, "topic_id": topic_id}
    _print(tables, style, main="papers", header=header)


@topics.command("near-misses")
@click.argument("topic_id", metavar="TOPIC")
@_shared
def near_misses(topic_id: str, limit: int, style: str) -> None:
    """List papers that match a topic but miss its threshold.

    \b
    Examples:
      papertide topics near-misses quantisation
      papertide topics near-misses rag --limit 0 --format csv
    """
    from pipelines.topics import rule_analysis

    settings = load_settings()
    taxonomy = _taxonomy(settings, topic_id)
    papers = _reader(settings, taxonomy)(_PAPERS)
    found = rule_analysis.near_misses(papers, taxonomy, topic_id)
    rows = found.join(papers.select("paper_id", "title"), on="paper_id", maintain_order="left")
    click.echo(f"{found.height} paper(s) narrowly miss {topic_id}.", err=True)
    rows = rows.select("paper_id", "score", "title", "evidence")
    _print({"papers": _limited(rows, limit)}, style, main="papers")


@topics.command()
@click.option("--min-papers", type=click.IntRange(min=1), default=3, show_default=True,
              help="Minimum number of papers without a topic that contain an n-gram.")  # fmt: skip
@_shared
def uncovered(min_papers: int, limit: int, style: str) -> None:
    """List papers without a topic, and their distinctive n-grams.

    These n-grams are more frequent in the listed papers than in others. CSV output contains only
    the n-grams; json and table also contain the papers.

    \b
    Examples:
      papertide topics uncovered
      papertide topics uncovered --limit 50 --format csv
    """
    from pipelines.evaluation.intervals import wilson
    from pipelines.topics import reports
    from pipelines.topics.uncovered import distinctive_ngrams

    settings = load_settings()
    taxonomy = _taxonomy(settings, None)
    query = _reader(settings, taxonomy)
    papers = query(_PAPERS)
    without_topic = query("select paper_id from bridge_paper_topics where topic_id = 'no-topic'")
    inside = papers.join(without_topic, on="paper_id", how="semi", maintain_order="left")
    outside = papers.join(without_topic, on="paper_id", how="anti")
    ngrams = distinctive_ngrams(inside, outside, taxonomy, min_papers=min_papers)
    tables = {
        "populations": reports.shares(query(_POPULATIONS), without_topic, wilson),
        "ngrams": _limited(ngrams, limit),
        "papers": _limited(inside.select("paper_id", "title"), limit),
    }
    _print(tables, style, main="ngrams")


@topics.command()
@click.option("--population", default="hf_daily", show_default=True, metavar="NAME",
              help="Population whose papers are compared.")  # fmt: skip
@click.option("--days", type=click.IntRange(min=1), default=182, show_default=True,
              help="Length of the newest period, compared with the time before.")  # fmt: skip
@click.option("--min-papers", type=click.IntRange(min=1), default=10, show_default=True,
              help="Least number of papers of a proposal.")  # fmt: skip
@_shared
def propose(population: str, days: int, min_papers: int, limit: int, style: str) -> None:
    """Propose topics: rising terms, and clusters inside broad topics.

    A proposal is a group of papers that no narrow topic describes. It comes with its number of
    papers, its growth, the broad topic around it, the closest topic, and titles.

    \b
    Examples:
      papertide topics propose
      papertide topics propose --population arxiv --days 91 --format json
    """
    from pipelines.topics import proposals

    settings = load_settings()
    query = _reader(settings, _taxonomy(settings, None))
    papers = query(_COUNTED_PAPERS, {"population": population})
    if papers.is_empty():
        raise UsageError(f"There is no population {population!r}, or it has no papers.")
    rows = proposals.propose(
        papers, query(_TAXONOMY_TOPICS), query(_GROUPS), days=days, min_papers=min_papers
    )
    _print({"proposals": _limited(rows, limit)}, style, main="proposals")


@topics.command("list")
@click.option("--topic", "topic_id", metavar="ID", help="List the rules of this topic.")
@_shared
def list_topics(topic_id: str | None, limit: int, style: str) -> None:
    """List topics, or the rules of one topic.

    Topics have paper and rule counts; for one topic, related topics are shown too. CSV output
    contains the topics, or the rules of one topic; json and table contain everything.

    \b
    Examples:
      papertide topics list --limit 0
      papertide topics list --topic rag --limit 0 --format csv
    """
    from pipelines.topics import reports

    settings = load_settings()
    taxonomy = _taxonomy(settings, topic_id)
    click.echo(f"Rules version: {taxonomy.rules_version}.", err=True)
    if topic_id:
        tables = {
            "topics": reports.related_topics(taxonomy, topic_id),
            "rules": _limited(reports.rules(taxonomy, topic_id), limit),
        }
        _print(tables, style, main="rules")
        return
    counts = _reader(settings, taxonomy)(_TOPIC_COUNTS)
    _print({"topics": _limited(reports.topics(taxonomy, counts), limit)}, style, main="topics")


def _taxonomy(settings: Settings, topic_id: str | None) -> Taxonomy:
    """The rules in force. Raises UsageError if they lack the topic."""
    from difflib import get_close_matches

    from pipelines.topics import in_force

    taxonomy = in_force.in_force(settings)
    known = [topic.topic_id for topic in taxonomy.topics]
    if topic_id is not None and topic_id not in known:
        close = get_close_matches(topic_id, known, n=3, cutoff=0.5)
        hint = f" Did you mean {', '.join(close)}?" if close else ""
        raise UsageError(
            f"There is no topic {topic_id!r}.{hint} List all topics with `papertide topics list "
            "--limit 0`."
        )
    return taxonomy


def _reader(settings: Settings, taxonomy: Taxonomy) -> Callable[..., pl.DataFrame]:
    """A function that queries the snapshot; warns if it was built with other rules."""
    from pipelines.publishing.reader import Reader

    reader = Reader(settings)
    built = reader.query(
        "select max(rules_version) from bridge_paper_topics where kind <> 'discovered'"
    )
    if built.item() != taxonomy.rules_version:
        click.echo(
            "The snapshot was built with different rules. Run `papertide build` to apply the rules "
            "now in force.",
            err=True,
        )
    return reader.query


def _limited(rows: pl.DataFrame, limit: int) -> pl.DataFrame:
    return rows.head(limit) if limit else rows


def _print(
    tables: dict[str, pl.DataFrame],
    style: str,
    main: str,
    header: dict[str, str | None] | None = None,
) -> None:
    """Print all tables as text or as one JSON object after the header, or the main one as CSV."""
    from pipelines.cli import output
    from pipelines.publishing.export_formats import csv_text

    if style == "csv":
        sys.stdout.write(csv_text(tables[main]))
    elif style == "json":
        rows = {name: table.to_dicts() for name, table in tables.items()}
        output.print_json({**(header or {}), **rows})
    else:
        for name, table in tables.items():
            if len(tables) > 1:
                click.echo(f"{name}:")
            output.print_table(table)
            if len(tables) > 1:
                click.echo()
