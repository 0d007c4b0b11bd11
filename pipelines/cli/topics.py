"""`papertide topics …`: try a phrase, see what a topic narrowly misses and what has no topic.

Heavy imports happen inside the commands: `papertide --help` must be quick.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipelines.errors import UsageError
from pipelines.settings import Settings, get_settings

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
F = TypeVar("F", bound=Callable[..., Any])


def _shared(command: F) -> F:
    """The options that all of these have."""
    limit = click.option(
        "--limit", type=click.IntRange(min=0), default=10, show_default=True,
        help="Rows of each part; 0: all.",
    )  # fmt: skip
    style = click.option(
        "--format", "style", type=click.Choice(FORMATS), default="table", show_default=True
    )
    return limit(style(command))


@click.group()
def topics() -> None:
    """Work on the topics: try a phrase, see near misses, and papers without a topic.

    All read the published snapshot; nothing is changed. Your own topics and rules stand in
    PAPERTIDE_TAXONOMY_DIR (docs/operations.md, "Your own topics").

    \b
    Examples:
      papertide topics try "state space model" --topic state-space-models
      papertide topics near-misses watermarking
      papertide topics uncovered
      papertide topics list --topic rag
    """


@topics.command("try")
@click.argument("phrase")
@click.option("--topic", "topic_id", metavar="ID", help="What it would change for this topic.")
@click.option(
    "--role", type=click.Choice(("phrase", "alias", "title", "negative")), default="phrase",
    show_default=True, help="What the phrase would be.",
)  # fmt: skip
@_shared
def try_phrase(phrase: str, topic_id: str | None, role: str, limit: int, style: str) -> None:
    """What a phrase would match: papers, examples, the topics they have, related rules.

    Matching is that of a build: case, hyphens and the plural of the last word do not count.
    csv gives the papers; json and table give everything.

    \b
    Examples:
      papertide topics try "mechanistic interpretability"
      papertide topics try "agent" --topic llm-agents --role title
      papertide topics try "contrast agent" --topic llm-agents --role negative
    """
    import polars as pl

    from pipelines.topics import rule_analysis
    from pipelines.topics.taxonomy import Rule
    from pipelines.topics.text_forms import normalise_phrases

    (words,) = normalise_phrases([phrase])
    if not words:
        raise UsageError(f"{phrase!r} has no letter or digit. Write words.")
    settings = get_settings()
    taxonomy = _taxonomy(settings, topic_id)
    ask = _reader(settings, taxonomy)
    papers = ask(_PAPERS)
    found = rule_analysis.occurrences(papers, words)
    if role == "title":
        found = found.filter(pl.col("field") == "title")
    hits = found.select("paper_id").unique()
    parts = {
        "populations": _shares(ask(_POPULATIONS), hits),
        "papers": _cut(_first(found, papers), limit),
        "topics": _cut(_overlaps(ask, hits), limit),
        "rules": _cut(rule_analysis.related_rules(taxonomy, words), limit),
    }
    if topic_id:
        matched = papers.join(hits, on="paper_id", how="semi")
        effect = rule_analysis.effect(matched, taxonomy, Rule(topic_id, words, role))
        has, would = pl.col("has_now"), pl.col("would_have")
        counts = {
            "already have it": has & would, "new": ~has & would, "lost": has & ~would,
            "matched, but not enough": ~has & ~would,
        }  # fmt: skip
        rows = [(topic_id, name, effect.filter(test).height) for name, test in counts.items()]
        parts["effect"] = pl.DataFrame(rows, schema=["topic_id", "papers", "n"], orient="row")
    _print(parts, style, main="papers", about={"phrase": words, "role": role, "topic_id": topic_id})


@topics.command("near-misses")
@click.argument("topic_id", metavar="TOPIC")
@_shared
def near_misses(topic_id: str, limit: int, style: str) -> None:
    """Papers in which rules of a topic were found, but too few for the topic.

    \b
    Examples:
      papertide topics near-misses quantisation
      papertide topics near-misses rag --limit 0 --format csv
    """
    from pipelines.topics import rule_analysis

    settings = get_settings()
    taxonomy = _taxonomy(settings, topic_id)
    papers = _reader(settings, taxonomy)(_PAPERS)
    found = rule_analysis.near_misses(papers, taxonomy, topic_id)
    rows = found.join(papers.select("paper_id", "title"), on="paper_id", maintain_order="left")
    click.echo(f"{found.height} paper(s) narrowly miss {topic_id}.", err=True)
    _print({"papers": _cut(rows.select("paper_id", "score", "title", "evidence"), limit)}, style)


@topics.command()
@click.option("--min-papers", type=click.IntRange(min=1), default=3, show_default=True,
              help="Papers without a topic that an n-gram must stand in.")  # fmt: skip
@_shared
def uncovered(min_papers: int, limit: int, style: str) -> None:
    """Papers without any topic, and the words that tell them from the others.

    csv gives the n-grams; json and table give the papers too.

    \b
    Examples:
      papertide topics uncovered
      papertide topics uncovered --limit 50 --format csv
    """
    from pipelines.topics.uncovered import distinctive_ngrams

    settings = get_settings()
    taxonomy = _taxonomy(settings, None)
    ask = _reader(settings, taxonomy)
    papers = ask(_PAPERS)
    none = ask("select paper_id from bridge_paper_topics where topic_id = 'no-topic'")
    inside = papers.join(none, on="paper_id", how="semi", maintain_order="left")
    outside = papers.join(none, on="paper_id", how="anti")
    ngrams = distinctive_ngrams(inside, outside, taxonomy, min_papers=min_papers)
    parts = {
        "populations": _shares(ask(_POPULATIONS), none),
        "ngrams": _cut(ngrams, limit),
        "papers": _cut(inside.select("paper_id", "title"), limit),
    }
    _print(parts, style, main="ngrams")


@topics.command("list")
@click.option("--topic", "topic_id", metavar="ID", help="The rules of this topic.")
@_shared
def list_topics(topic_id: str | None, limit: int, style: str) -> None:
    """The topics with their papers and rules, or one with its rules, parents and children.

    csv gives the topics, or the rules of one; json and table give everything.

    \b
    Examples:
      papertide topics list --limit 0
      papertide topics list --topic rag --limit 0 --format csv
    """
    import polars as pl

    settings = get_settings()
    taxonomy = _taxonomy(settings, topic_id)
    click.echo(f"Rules in force: version {taxonomy.rules_version}.", err=True)
    rules = pl.DataFrame(
        [(r.topic_id, r.phrase, r.role, r.origin) for r in taxonomy.rules],
        schema=["topic_id", "phrase", "role", "origin"],
        orient="row",
    )
    if topic_id:
        around = [(t.topic_id, "broader", t.name) for t in taxonomy.parents_of(topic_id)]
        around += [(t.topic_id, "narrower", t.name) for t in taxonomy.children_of(topic_id)]
        parts = {
            "topics": pl.DataFrame(around, schema=["topic_id", "is", "name"], orient="row"),
            "rules": _cut(rules.filter(pl.col("topic_id") == topic_id), limit),
        }
        _print(parts, style, main="rules")
        return
    ask = _reader(settings, taxonomy)
    counts = ask(
        "select topic_id, count(*) as n_papers, any_value(bridge.rules_version) as rules_version "
        "from bridge_paper_topics as bridge group by topic_id"
    )
    listed = pl.DataFrame(
        [(t.topic_id, t.name, t.area, list(t.parents), t.origin) for t in taxonomy.topics],
        schema={
            "topic_id": pl.String, "name": pl.String, "area": pl.String,
            "parents": pl.List(pl.String), "origin": pl.String,
        },
        orient="row",
    )  # fmt: skip
    n_rules = rules.group_by("topic_id").agg(n_rules=pl.len())
    rows = (
        listed.join(counts, on="topic_id", how="left")
        .join(n_rules, on="topic_id", how="left")
        .with_columns(pl.col("n_papers", "n_rules").fill_null(0))
        .sort("n_papers", "topic_id", descending=[True, False])
    )
    _print({"topics": _cut(rows, limit)}, style)


def _taxonomy(settings: Settings, topic_id: str | None) -> Taxonomy:
    """The rules in force; raises UsageError for a topic that they do not know."""
    from difflib import get_close_matches

    from pipelines.topics import in_force

    taxonomy = in_force.in_force(settings)
    known = [topic.topic_id for topic in taxonomy.topics]
    if topic_id is not None and topic_id not in known:
        near = get_close_matches(topic_id, known, n=3, cutoff=0.5)
        hint = f" Perhaps {', '.join(near)}?" if near else ""
        raise UsageError(
            f"There is no topic {topic_id!r}.{hint} `papertide topics list --limit 0` shows them."
        )
    return taxonomy


def _reader(settings: Settings, taxonomy: Taxonomy) -> Callable[[str], pl.DataFrame]:
    """Asks the current snapshot; says so where it was built with other rules."""
    from pipelines.publishing.reader import Reader

    reader = Reader(settings)
    built = reader.query(
        "select max(rules_version) from bridge_paper_topics where kind <> 'discovered'"
    )
    if built.item() != taxonomy.rules_version:
        click.echo(
            "The snapshot was built with other rules than those in force now; `papertide build` "
            "brings it to them.",
            err=True,
        )
    return reader.query


def _shares(members: pl.DataFrame, hits: pl.DataFrame) -> pl.DataFrame:
    """population, n_papers, n_total, share and its interval."""
    import polars as pl

    from pipelines.evaluation.intervals import wilson

    counts = (
        members.with_columns(hit=pl.col("paper_id").is_in(hits["paper_id"].implode()))
        .group_by("population")
        .agg(n_papers=pl.col("hit").sum().cast(pl.Int64), n_total=pl.len().cast(pl.Int64))
        .sort(
            pl.col("population").str.contains(".", literal=True), -pl.col("n_total"), "population"
        )
    )
    bounds = [wilson(k, n) for k, n in counts.select("n_papers", "n_total").iter_rows()]
    return counts.with_columns(
        share=pl.col("n_papers") / pl.col("n_total"),
        share_low=pl.Series([low for low, _ in bounds], dtype=pl.Float64),
        share_high=pl.Series([high for _, high in bounds], dtype=pl.Float64),
    )


def _first(found: pl.DataFrame, papers: pl.DataFrame) -> pl.DataFrame:
    """A row a paper: its title and the words where they stand first, titles before abstracts."""
    import polars as pl

    total = found.group_by("paper_id").agg(n=pl.col("n").sum())
    return (
        found.unique("paper_id", keep="first", maintain_order=True)
        .drop("n")
        .join(total, on="paper_id")
        .join(papers.select("paper_id", "title"), on="paper_id")
        .sort(pl.col("field") != "title", "n", "paper_id", descending=[False, True, False])
        .select("paper_id", "title", "field", "matched", "n", "context")
    )


def _overlaps(ask: Callable[[str], pl.DataFrame], hits: pl.DataFrame) -> pl.DataFrame:
    """topic_id, n_papers, share: which topics the papers found have already."""
    import polars as pl

    have = ask("select paper_id, topic_id from bridge_paper_topics where kind <> 'discovered'")
    return (
        have.join(hits, on="paper_id", how="semi")
        .group_by("topic_id")
        .agg(n_papers=pl.len().cast(pl.Int64))
        .with_columns(share=pl.col("n_papers") / max(hits.height, 1))
        .sort("n_papers", "topic_id", descending=[True, False])
    )


def _cut(rows: pl.DataFrame, limit: int) -> pl.DataFrame:
    return rows.head(limit) if limit else rows


def _print(
    parts: dict[str, pl.DataFrame],
    style: str,
    main: str | None = None,
    about: dict[str, str | None] | None = None,
) -> None:
    """All parts as tables or one JSON object; one part, the main one, as CSV."""
    import json

    from pipelines.cli import output

    main = main or next(iter(parts))
    if style == "csv":
        sys.stdout.write(_harmless(parts[main]).write_csv())
    elif style == "json":
        told = {**(about or {}), **{name: rows.to_dicts() for name, rows in parts.items()}}
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for name, rows in parts.items():
            if len(parts) > 1:
                click.echo(f"{name}:")
            output.write(rows)
            if len(parts) > 1:
                click.echo()


def _harmless(rows: pl.DataFrame) -> pl.DataFrame:
    """Lists joined; what a spreadsheet would run as a formula led by an apostrophe."""
    import polars as pl
    import polars.selectors as cs

    from pipelines.runtime.text import FORMULA_PATTERN

    return rows.with_columns(cs.by_dtype(pl.List(pl.String)).list.join("; ")).with_columns(
        cs.string().str.replace(FORMULA_PATTERN, "'$1")
    )
