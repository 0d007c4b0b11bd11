"""Taxonomy: topics assigned by rules against labels.

Belongs here: precision, recall, coverage and speed of the rules, and the labels:
`labelled_papers.csv` (papers, their source and set) and `labels.csv` (paper, topic, the grades of
two annotators and the final grade). Does not belong here: the rules.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import polars as pl

from pipelines.evaluation.evidence import Evidence
from pipelines.evaluation.intervals import wilson
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.settings import load_settings
from pipelines.topics.in_force import in_force
from pipelines.topics.matching import match_texts

HERE: Final = Path(__file__).parent
LABELLED: Final = HERE / "labelled_papers.csv"
LABELS: Final = HERE / "labels.csv"
TEST: Final = "test"
DEVELOPMENT: Final = "development"
NEVER_GIVEN: Final[Mapping[str, tuple[str, ...]]] = {
    TEST: (
        "agent-skills",
        "coding-theory",
        "cryptography",
        "formal-proving",
        "generative-recommendation",
        "hardware",
        "on-policy-distillation",
        "physics-pde",
        "proactive-agents",
        "quantum",
        "terminal-agents",
        "unlearning",
        "world-action-models",
    ),
    DEVELOPMENT: ("music", "speech-recognition", "wireless"),
}
"""Topics that a set's annotators knew but gave to none of its papers: not in `labels.csv`."""

MIN_LABELLED: Final = 50
PRECISION: Final = 0.9
RECALL: Final = 0.8
COVERAGE: Final = 0.95
PAPERS_PER_SECOND: Final = 20_000
TIMED: Final = 20_000
MIN_TIMED: Final = 1_000

METHOD = """
Random samples of papers from the lists and from arXiv were labelled from title and abstract. Two
annotators, who saw neither the rules nor each other's labels, graded each topic by its description:
*core* (the paper is about it) or *also* (it substantively uses or treats it). A third annotator
decided where they disagreed and, on the test papers, where the rules gave a topic that neither had
given, without knowing which was the case. All three were language models, not people, so errors
that they share are in the labels. An assigned topic is correct if it is core or also; a core topic
that is not assigned is missed. Precision is the share of assigned topics that are correct, recall
the share of core topics that are assigned, both over pairs of paper and topic, with Wilson's 95 %
interval. In *strict precision* only core topics are correct. Labelled papers that the warehouse
lacks, or has without an abstract, are left out. So are a user's topics, topics that a set's
annotators did not know, and built-in topics that are switched off. The criteria are about the
*test* papers. Counts of their errors by topic guided the last change of the rules, so the figures
flatter the rules a little; docs/methodology.md has those from before that change. The *development*
papers are older, and earlier rules were changed because of them. The speed is that of the taxonomy
in force.
"""


def evaluate(evidence: Evidence, seed: int = 0) -> Part:  # noqa: ARG001  not random
    """Return precision and recall against the labels, coverage of `hf_daily`, and speed."""
    with_text = evidence.papers.filter(pl.col("abstract").is_not_null()).select("paper_id")
    papers = pl.read_csv(LABELLED, schema_overrides={"paper_id": pl.String}).join(
        with_text, on="paper_id"
    )
    criteria: list[Criterion] = []
    tables: list[Table] = []
    for name in (TEST, DEVELOPMENT):
        members = papers.filter(set=name)
        if members.height >= MIN_LABELLED:
            judged, shown = _against_labels(evidence, name, members)
            criteria += judged if name == TEST else []
            tables += shown
    criteria += _coverage(evidence)
    if not criteria and not tables:
        skipped = f"the warehouse has fewer than {MIN_LABELLED} labelled papers."
        return Part("Taxonomy", METHOD, skipped=skipped)
    return Part("Taxonomy", METHOD, [*criteria, *_speed(evidence)], tables)


def _against_labels(
    evidence: Evidence, name: str, papers: pl.DataFrame
) -> tuple[list[Criterion], list[Table]]:
    """Criteria and tables of the papers of one set, the rules against its labels."""
    readings = pl.read_csv(LABELS, schema_overrides={"paper_id": pl.String}).join(
        pl.read_csv(LABELLED, schema_overrides={"paper_id": pl.String}).filter(set=name),
        on="paper_id",
    )
    topics = _judged_topics(readings, name, evidence)
    readings = readings.join(papers, on="paper_id", how="semi")
    labels = readings.join(topics, on="topic_id", how="semi")
    given = evidence.topics.join(topics, on="topic_id", how="semi").join(papers, on="paper_id")
    whole = _scores(given, labels, papers)
    of_set = f"{papers.height} {name} papers"
    return _criteria(whole.row(0, named=True)), [
        Table(f"Rules against the labels of {of_set}, {topics.height} topics", whole),
        Table(f"Agreement of the two annotators, {of_set}", _agreement(readings)),
        Table(f"Topics with the most errors, {of_set}", _worst(given, labels)),
    ]


def _judged_topics(readings: pl.DataFrame, name: str, evidence: Evidence) -> pl.DataFrame:
    """topic_id: topics that the set's annotators knew and that are in force (they have trends)."""
    never = pl.Series(NEVER_GIVEN.get(name, ()), dtype=pl.String)
    known = pl.concat([readings["topic_id"], never]).unique()
    present = evidence.trends.select(topic_id="series_id").unique()
    return present.filter(pl.col("topic_id").is_in(known.implode())).sort("topic_id")


def _scores(given: pl.DataFrame, labels: pl.DataFrame, papers: pl.DataFrame) -> pl.DataFrame:
    """Precision and recall, for all papers and by source."""
    rows = [_score("all", given, labels, papers.height)]
    rows += [
        _score(
            source,
            given.filter(source=source),
            labels.filter(source=source),
            papers.filter(source=source).height,
        )
        for source in papers["source"].unique().sort()
    ]
    return pl.DataFrame(rows)


def _score(name: str, given: pl.DataFrame, labels: pl.DataFrame, n: int) -> dict[str, object]:
    key = ["paper_id", "topic_id"]
    core, fits = labels.filter(pl.col("grade") == 2), labels.filter(pl.col("grade") >= 1)
    right = given.join(fits, on=key, how="semi").height
    strict = given.join(core, on=key, how="semi").height
    return {
        "papers from": name,
        "papers": n,
        "assigned": given.height,
        "precision": _ratio(right, given.height),
        "strict precision": _ratio(strict, given.height),
        "core": core.height,
        "recall": _ratio(strict, core.height),
    }


def _ratio(hits: int, n: int) -> str:
    low, high = wilson(hits, n)
    return f"{hits / n:.3f} [{low:.3f}, {high:.3f}]" if n else "–"


def _agreement(labels: pl.DataFrame) -> pl.DataFrame:
    """Pairs of paper and topic by either annotator and by both."""
    rows = []
    for name, least in (("core", 2), ("core or also", 1)):
        first, second = (pl.col(f"{which}_reading") >= least for which in ("first", "second"))
        both, either = labels.filter(first & second).height, labels.filter(first | second).height
        final = labels.filter(first | second, pl.col("grade") >= least).height
        rows.append(
            {
                "grade": name,
                "by either": either,
                "by both": both,
                "agreement": both / either if either else None,
                "final": final,
            }
        )
    return pl.DataFrame(rows)


def _worst(given: pl.DataFrame, labels: pl.DataFrame, n: int = 12) -> pl.DataFrame:
    key = ["paper_id", "topic_id"]
    core, fits = labels.filter(pl.col("grade") == 2), labels.filter(pl.col("grade") >= 1)
    wrong = given.join(fits, on=key, how="anti").group_by("topic_id").agg(wrong=pl.len())
    missed = core.join(given, on=key, how="anti").group_by("topic_id").agg(missed=pl.len())
    return (
        given.group_by("topic_id")
        .agg(assigned=pl.len())
        .join(
            core.group_by("topic_id").agg(core=pl.len()), on="topic_id", how="full", coalesce=True
        )
        .join(wrong, on="topic_id", how="left")
        .join(missed, on="topic_id", how="left")
        .fill_null(0)
        .sort(pl.col("wrong") + pl.col("missed"), "topic_id", descending=[True, False])
        .head(n)
    )


def _criteria(row: dict[str, object]) -> list[Criterion]:
    criteria = []
    for name, least in (("precision", PRECISION), ("recall", RECALL)):
        text = str(row[name])
        criteria.append(
            Criterion(
                f"{name.capitalize()} of the rules is at least {least:g}",
                f"{text}, {row['papers']} papers",
                text != "–" and float(text.split()[0]) >= least,
                is_binding=False,
            )
        )
    return criteria


def _coverage(evidence: Evidence) -> list[Criterion]:
    listed = evidence.members.filter(population="hf_daily").select("paper_id").unique()
    if listed.height < MIN_LABELLED:
        return []
    without = evidence.topics.filter(topic_id="no-topic").join(listed, on="paper_id").height
    covered = listed.height - without
    low, high = wilson(covered, listed.height)
    return [
        Criterion(
            f"At least {COVERAGE:.0%} of the papers of `hf_daily` have a topic",
            f"{covered / listed.height:.1%} of {listed.height:,} [{low:.1%}, {high:.1%}]",
            covered >= COVERAGE * listed.height,
            is_binding=False,
        )
    ]


def _speed(evidence: Evidence) -> list[Criterion]:
    papers = evidence.papers.filter(pl.col("abstract").is_not_null()).head(TIMED)
    if papers.height < MIN_TIMED:
        return []
    texts = pl.concat(
        [
            papers.select(text_hash=pl.format("{} {}", pl.lit(name), "paper_id"), text=name)
            for name in ("title", "abstract")
        ]
    ).drop_nulls()
    rules = in_force(load_settings())
    match_texts(texts.head(1), rules)  # compiles the automaton
    started = time.perf_counter()
    match_texts(texts, rules)
    rate = papers.height / (time.perf_counter() - started)
    return [
        Criterion(
            f"Matching processes at least {PAPERS_PER_SECOND:,} papers per second",
            f"{rate:,.0f} per second, {papers.height:,} papers with abstracts, "
            f"{len(rules.rules):,} rules",
            rate >= PAPERS_PER_SECOND,
            is_binding=False,
        )
    ]
