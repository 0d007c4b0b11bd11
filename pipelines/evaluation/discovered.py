"""Discovered topics: how coherent their words are, what they agree with, whether they last.

Belongs here: comparing them with other methods, their stability, the promises. Does not belong
here: the methods (`topic_models.py`), measures of words (`pipelines/topics/quality.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    normalized_mutual_info_score,
)

from pipelines.evaluation.report import Part, Promise, Table
from pipelines.evaluation.topic_models import METHODS, Found, find, raw_counts
from pipelines.topics.discovered import by_hash, fit
from pipelines.topics.quality import diversity, topic_npmi

N_TOPICS: Final = 40
LEAST_PAPERS: Final = 2_000
MOST_PAPERS: Final = 20_000
COMPARED_PAPERS: Final = 5_000
SEEDS: Final = 20
SEEDED_PAPERS: Final = 2_500
REFITTED_PAPERS: Final = 8_000
REFIT_SHARE: Final = 0.75
REFIT_DAYS: Final = 14
KEYWORD_PAPERS: Final = 20
MOST_KEYWORDS: Final = 200

NPMI: Final = 0.30
DIVERSITY: Final = 0.90
NMI: Final = 0.25
SECONDS: Final = 15
REFIT_ARI: Final = 0.9

OURS: Final = "discovered topics"

METHOD: Final = f"""
Papers with an abstract, at most {MOST_PAPERS:,}, those with the smallest hashes of their ids; title
and abstract, {N_TOPICS} topics. Keywords are not read. *Coherence* is the mean over topics of the
mean NPMI over pairs of a topic's ten words, counted over papers in raw lower-case words for all
methods alike (own implementation). *Diversity* is the share of different words among all topics'
words. *NMI* is that of topic and primary category, over papers that have both. *AMI with keywords*
is the adjusted mutual information of topic and keyword over pairs of paper and keyword, for the
{MOST_KEYWORDS} commonest of the site's AI keywords in at least {KEYWORD_PAPERS} papers. *Seconds*
are of CPU time on one core. NMF (TF-IDF with sublinear counts, NNDSVD) and LDA (online, three
passes) are scikit-learn's, and take a smaller sample, on which ours runs again. BERTopic, which
groups vectors of a language model, is not installed and not compared.

Stability is the adjusted Rand index of two groupings of the same papers: of fits that start from
different random vectors (against the first), and of a refit two weeks later (topics of papers up
to a day T against those of the refit with papers up to T + {REFIT_DAYS} days, over papers in both;
T is the day before the one by which {REFIT_SHARE * 100:.0f} % of papers had been published).
"""


def evaluate(papers: pl.DataFrame, seed: int = 0) -> Part:
    """Coherence, diversity, agreement and stability of discovered topics.

    `papers` has paper_id, title, abstract, keywords and primary_category; and published_on, without
    which there is no refit.
    """
    pool = _sample(papers.filter(pl.col("abstract").is_not_null()), MOST_PAPERS)
    if pool.height < LEAST_PAPERS:
        return Part(
            "Discovered topics",
            METHOD,
            skipped=f"{pool.height:,} papers have an abstract; it takes {LEAST_PAPERS:,}.",
        )
    whole = _measured(pool, [OURS], seed)
    small = _sample(pool, COMPARED_PAPERS)
    compared = _measured(small, list(METHODS), seed)
    stability, refit = _stability(pool, seed)
    return Part(
        "Discovered topics",
        METHOD,
        _promises(whole.row(0, named=True), refit),
        [
            Table(f"On {pool.height:,} papers", whole),
            Table(f"The same {small.height:,} papers, three methods", compared),
            Table("Agreement of groups with themselves (adjusted Rand)", stability),
        ],
    )


def _sample(papers: pl.DataFrame, size: int) -> pl.DataFrame:
    """The papers with the smallest hashes of their ids, sorted by id."""
    return papers[by_hash(papers["paper_id"])[:size]].sort("paper_id")


def _texts(papers: pl.DataFrame) -> pl.DataFrame:
    """What methods read."""
    return papers.select("paper_id", "title", "abstract", keywords=pl.lit(None, pl.List(pl.String)))


def _measured(papers: pl.DataFrame, methods: Sequence[str], seed: int) -> pl.DataFrame:
    """One row per method."""
    found = {name: find(name, _texts(papers), n_topics=N_TOPICS, seed=seed) for name in methods}
    names = sorted({word for one in found.values() for words in one.words for word in words})
    counts = raw_counts(_texts(papers), names)
    rows = []
    for name, one in found.items():
        coherence = [value for value in topic_npmi(one.words, counts, names) if value is not None]
        rows.append(
            {
                "method": name,
                "topics": len(one.words),
                "coherence": float(np.mean(coherence)) if coherence else None,
                "diversity": diversity(one.words),
                "NMI with categories": _with_categories(papers, one),
                "AMI with keywords": _with_keywords(papers, one),
                "seconds": one.seconds,
            }
        )
    return pl.DataFrame(rows, schema_overrides={"AMI with keywords": pl.Float64})


def _with_categories(papers: pl.DataFrame, found: Found) -> float | None:
    both = papers.select("paper_id", "primary_category").drop_nulls()
    both = both.join(found.topics, on="paper_id")
    if both.is_empty():
        return None
    return float(normalized_mutual_info_score(both["primary_category"], both["topic"]))


def _with_keywords(papers: pl.DataFrame, found: Found) -> float | None:
    pairs = (
        papers.select("paper_id", keyword=pl.col("keywords").cast(pl.List(pl.String)))
        .explode("keyword")
        .drop_nulls()
        .with_columns(pl.col("keyword").str.to_lowercase())
        .unique()
        .join(found.topics, on="paper_id")
        .sort("paper_id", "keyword")
    )
    common = (
        pairs.group_by("keyword")
        .len()
        .filter(pl.col("len") >= KEYWORD_PAPERS)
        .sort("len", "keyword", descending=[True, False])
        .head(MOST_KEYWORDS)
    )
    pairs = pairs.join(common, on="keyword", how="semi")
    if pairs.is_empty():
        return None
    return float(adjusted_mutual_info_score(pairs["keyword"], pairs["topic"]))


def _stability(papers: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, float | None]:
    """The table, and the agreement after a refit."""
    rows = [_over_seeds(_sample(papers, SEEDED_PAPERS), seed)]
    refit = _after_refit(papers, seed) if "published_on" in papers.columns else None
    if refit is not None:
        rows.append(refit)
    return pl.DataFrame(rows), None if refit is None else float(str(refit["median"]))


def _over_seeds(papers: pl.DataFrame, seed: int) -> dict[str, object]:
    runs = [
        find(OURS, _texts(papers), n_topics=N_TOPICS, seed=seed + at).topics for at in range(SEEDS)
    ]
    agreed = [_agreement(runs[0], other) for other in runs[1:]]
    what = f"{SEEDS} seeds, each against the first"
    return _row(what, f"{papers.height:,}", agreed)


def _after_refit(papers: pl.DataFrame, seed: int) -> dict[str, object] | None:
    some = _sample(papers.drop_nulls("published_on"), REFITTED_PAPERS)
    if some.is_empty():
        return None
    days = some["published_on"].sort()
    reached: date = days[int(REFIT_SHARE * (len(days) - 1))]
    until = reached - timedelta(days=1)
    before = some.filter(pl.col("published_on") <= until)
    after = some.filter(pl.col("published_on") <= until + timedelta(days=REFIT_DAYS))
    if before.height < LEAST_PAPERS // 2:
        return None
    first = fit(_texts(before), n_topics=N_TOPICS, seed=seed)
    second = fit(
        _texts(after), n_topics=N_TOPICS, previous=(first.model, first.assignments), seed=seed
    )
    groups = [one.assignments.select("paper_id", topic="topic_id") for one in (first, second)]
    what = f"refit with {REFIT_DAYS} more days, T = {until}"
    return _row(what, f"{before.height:,} → {after.height:,}", [_agreement(*groups)])


def _agreement(one: pl.DataFrame, other: pl.DataFrame) -> float:
    both = one.join(other, on="paper_id", suffix="_other")
    return float(adjusted_rand_score(both["topic"], both["topic_other"]))


def _row(what: str, n_papers: str, agreed: Sequence[float]) -> dict[str, object]:
    return {
        "what changes": what,
        "papers": n_papers,
        "smallest": float(min(agreed)),
        "median": float(np.median(agreed)),
    }


def _promises(ours: dict[str, float], refit: float | None) -> list[Promise]:
    coherence, different = ours["coherence"], ours["diversity"]
    agreement, seconds = ours["NMI with categories"], ours["seconds"]
    found = [
        Promise(
            f"Coherence (NPMI) is at least {NPMI:.2f} with a diversity of at least {DIVERSITY:.2f}",
            f"{coherence:.3f} and {different:.2f}",
            coherence >= NPMI and different >= DIVERSITY,
        ),
    ]
    if agreement is not None:
        found.append(
            Promise(
                f"NMI with primary categories is at least {NMI:.2f}",
                f"{agreement:.3f}",
                agreement >= NMI,
            )
        )
    if refit is not None:
        found.append(
            Promise(
                f"A refit two weeks later agrees by an adjusted Rand index of at least {REFIT_ARI}",
                f"{refit:.3f}",
                refit >= REFIT_ARI,
            )
        )
    return [
        *found,
        Promise(
            f"{MOST_PAPERS:,} papers are fitted in {SECONDS} s of CPU time",
            f"{seconds:.1f} s",
            seconds <= SECONDS,
            is_binding=False,
        ),
    ]
