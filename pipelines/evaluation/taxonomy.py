"""Taxonomy: the topics that rules give against the topics that readers gave.

Belongs here: precision, recall, coverage and speed of the taxonomy's rules. Does not belong here:
the rules. The labels are facts beside this file: `labelled_papers.csv` (which papers, from where)
and `labels.csv` (paper, topic, and the grade in each of two readings and in the end).
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import polars as pl

from pipelines.evaluation.evidence import Evidence
from pipelines.evaluation.intervals import wilson
from pipelines.evaluation.report import Part, Promise, Table
from pipelines.settings import get_settings
from pipelines.topics.in_force import in_force
from pipelines.topics.matching import match_texts

HERE: Final = Path(__file__).parent
LABELLED: Final = HERE / "labelled_papers.csv"
LABELS: Final = HERE / "labels.csv"
NEVER_GIVEN: Final = ("music", "speech-recognition", "wireless")
"""Topics that the readers knew and saw in no paper, so that `labels.csv` does not name them."""

LEAST_LABELLED: Final = 50
PRECISION: Final = 0.9
RECALL: Final = 0.8
COVERAGE: Final = 0.95
PAPERS_A_SECOND: Final = 20_000
TIMED: Final = 20_000
LEAST_TIMED: Final = 1_000

METHOD = """
Papers drawn at random from the lists and from arXiv were read, title and abstract, by two readers
who saw neither the rules nor each other, and graded by the topics' descriptions: *core* (the
paper is about it) or *also* (it substantively uses or treats it). Where they disagreed a third
reading decided. All three readers were language models and no people, so what they misread alike
is in the labels. A topic that the rules give is right if it is core or also; a core topic that
they do not give is missed. Precision is the share of given topics that are right, recall the
share of core topics that are given, both over pairs of paper and topic, with Wilson's 95 %
interval. *Strict precision* takes core alone as right. Labelled papers that the warehouse lacks,
or has without an abstract, are left out; so are topics of a user's own, which no reader was asked
about, and topics of ours that are switched off. The speed is that of the rules in force.
"""


def evaluate(evidence: Evidence, seed: int = 0) -> Part:  # noqa: ARG001  nothing is drawn
    """Precision and recall against the labels, coverage of `hf_daily`, papers tagged a second."""
    with_text = evidence.papers.filter(pl.col("abstract").is_not_null()).select("paper_id")
    papers = pl.read_csv(LABELLED, schema_overrides={"paper_id": pl.String}).join(
        with_text, on="paper_id"
    )
    promises, tables = _coverage(evidence), []
    if papers.height >= LEAST_LABELLED:
        readings = pl.read_csv(LABELS, schema_overrides={"paper_id": pl.String})
        topics = _judged_topics(readings, evidence)
        readings = readings.join(papers, on="paper_id")
        labels = readings.join(topics, on="topic_id", how="semi")
        given = evidence.topics.join(topics, on="topic_id", how="semi").join(papers, on="paper_id")
        whole = _scores(given, labels, papers)
        promises = [*_promises(whole.row(0, named=True)), *promises]
        tables = [
            Table(f"Rules against {papers.height} labelled papers, {topics.height} topics", whole),
            Table("How far the two readings agree", _agreement(readings)),
            Table("Topics with most errors", _worst(given, labels)),
        ]
    elif not promises:
        return Part("Taxonomy", METHOD, skipped="fewer than 50 labelled papers are here.")
    return Part("Taxonomy", METHOD, [*promises, *_speed(evidence)], tables)


def _judged_topics(readings: pl.DataFrame, evidence: Evidence) -> pl.DataFrame:
    """topic_id: topics that the readers knew and that are in force, for which trends are given."""
    known = pl.concat([readings["topic_id"], pl.Series(NEVER_GIVEN)]).unique()
    present = evidence.trends.select(topic_id="series_id").unique()
    return present.filter(pl.col("topic_id").is_in(known.implode())).sort("topic_id")


def _scores(given: pl.DataFrame, labels: pl.DataFrame, papers: pl.DataFrame) -> pl.DataFrame:
    """Precision and recall, of all and by source."""
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
        "given": given.height,
        "precision": _ratio(right, given.height),
        "strict precision": _ratio(strict, given.height),
        "core": core.height,
        "recall": _ratio(strict, core.height),
    }


def _ratio(hits: int, n: int) -> str:
    low, high = wilson(hits, n)
    return f"{hits / n:.3f} [{low:.3f}, {high:.3f}]" if n else "–"


def _agreement(labels: pl.DataFrame) -> pl.DataFrame:
    """Pairs of paper and topic that both readings, or only one, gave."""
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
                "kept in the end": final,
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
        .agg(given=pl.len())
        .join(
            core.group_by("topic_id").agg(core=pl.len()), on="topic_id", how="full", coalesce=True
        )
        .join(wrong, on="topic_id", how="left")
        .join(missed, on="topic_id", how="left")
        .fill_null(0)
        .sort(pl.col("wrong") + pl.col("missed"), "topic_id", descending=[True, False])
        .head(n)
    )


def _promises(row: dict[str, object]) -> list[Promise]:
    found = []
    for name, least in (("precision", PRECISION), ("recall", RECALL)):
        text = str(row[name])
        found.append(
            Promise(
                f"{name.capitalize()} of the rules is at least {least:g}",
                f"{text} of {row['papers']} papers",
                text != "–" and float(text.split()[0]) >= least,
                is_binding=False,
            )
        )
    return found


def _coverage(evidence: Evidence) -> list[Promise]:
    listed = evidence.members.filter(population="hf_daily").select("paper_id").unique()
    if listed.height < LEAST_LABELLED:
        return []
    without = evidence.topics.filter(topic_id="no-topic").join(listed, on="paper_id").height
    covered = listed.height - without
    low, high = wilson(covered, listed.height)
    return [
        Promise(
            f"At least {COVERAGE:.0%} of the papers of `hf_daily` have a topic",
            f"{covered / listed.height:.1%} of {listed.height:,} [{low:.1%}, {high:.1%}]",
            covered >= COVERAGE * listed.height,
            is_binding=False,
        )
    ]


def _speed(evidence: Evidence) -> list[Promise]:
    papers = evidence.papers.filter(pl.col("abstract").is_not_null()).head(TIMED)
    if papers.height < LEAST_TIMED:
        return []
    texts = pl.concat(
        [
            papers.select(text_hash=pl.format("{} {}", pl.lit(name), "paper_id"), text=name)
            for name in ("title", "abstract")
        ]
    ).drop_nulls()
    rules = in_force(get_settings())
    match_texts(texts.head(1), rules)  # the automaton is made once
    started = time.perf_counter()
    match_texts(texts, rules)
    rate = papers.height / (time.perf_counter() - started)
    return [
        Promise(
            f"At least {PAPERS_A_SECOND:,} papers a second are searched for topics",
            f"{rate:,.0f} a second, {papers.height:,} papers with their abstracts, "
            f"{len(rules.rules):,} rules",
            rate >= PAPERS_A_SECOND,
            is_binding=False,
        )
    ]
