"""Discovered topics: coherence, agreement with categories and keywords, and stability.

Belongs here: comparing them with other methods, their stability, the criteria. Does not belong
here: the methods (`topic_models.py`), measures of words (`pipelines/topics/quality.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import polars as pl
from sklearn.metrics import (
    adjusted_mutual_info_score,
    adjusted_rand_score,
    normalized_mutual_info_score,
)

from pipelines.evaluation import topic_history
from pipelines.evaluation.report import Criterion, Part, Table
from pipelines.evaluation.topic_models import FAST, METHODS, OURS, Found, find, raw_counts
from pipelines.topics.discovered import by_hash, fit
from pipelines.topics.fitting import MIN_PAPERS as FIRST_FIT_PAPERS
from pipelines.topics.quality import diversity, topic_npmi

N_TOPICS: Final = 40
MIN_PAPERS: Final = 2_000
MAX_PAPERS: Final = 20_000
COMPARED_PAPERS: Final = 5_000
SEEDS: Final = 20
TENTHS: Final = 10
PERTURBED_PAPERS: Final = 2_500
REFITTED_PAPERS: Final = 8_000
REFIT_SHARE: Final = 0.75
REFIT_DAYS: Final = 14
MIN_KEYWORD_PAPERS: Final = 20
MAX_KEYWORDS: Final = 200

NPMI: Final = 0.30
DIVERSITY: Final = 0.90
NMI: Final = 0.25
SECONDS: Final = 15
REFIT_ARI: Final = 0.9
SAMPLING_ERROR: Final = 0.05
"""Variation of these measures between samples of papers. A smaller miss is not binding."""

IN_SAMPLE: Final = "coherence in-sample, "
HELD_OUT: Final = "coherence held out, "
"""Prefixes of columns; the number of papers follows."""

METHOD: Final = f"""
{N_TOPICS} topics of papers with an abstract, from titles and abstracts without keywords. At most
{MAX_PAPERS:,} papers are used: those with the smallest hashes of their ids. *Coherence* is the
mean NPMI of pairs of a topic's ten top words, averaged over topics. For all methods it is computed
from the lower-case words of the papers, in the same way. *Diversity* is the share of distinct
words among the top words of all topics. *NMI* is the normalised mutual information of topic and
primary category, over papers with both. *AMI with keywords* is the adjusted mutual information of
topic and keyword over pairs of paper and keyword, for the {MAX_KEYWORDS} most common of the site's
AI keywords in at least {MIN_KEYWORD_PAPERS} papers. *Seconds* are CPU time on one core. NMF
(TF-IDF with sublinear term frequency, NNDSVD) and LDA (online, three passes) are scikit-learn's.
LDA is too slow for all papers, so all three methods are also compared on a smaller sample.
BERTopic, which clusters embeddings of a language model, is not installed and not compared.

*In-sample* coherence is computed on the papers that a method was fitted to. The top words of
discovered topics are chosen to maximise it on these papers; those of NMF and LDA are not. It is
therefore biased in favour of discovered topics. It is a criterion nevertheless, because other
methods are commonly reported this way. *Held-out* coherence is computed for the same words on
papers that were not used for fitting: the next in the order of hashes, at most {MAX_PAPERS:,}. If
these are more than the fitted papers, it is also computed on as many as were fitted. Two words
that never co-occur count as -1, and rare words co-occur less often in fewer papers, so only values
for the same number of papers are comparable. Held-out coherence needs at least {MIN_PAPERS:,}
papers. The rule that chooses top words was developed with such values known, so this is not a
blind test. Criteria are binding from {MAX_PAPERS:,} papers on, the size that the constants were
set for, and if they are missed by more than {SAMPLING_ERROR:g}, the variation between samples of
papers. Otherwise they are targets.

Stability is the adjusted Rand index of two clusterings of the same papers. *Start vector*: fits
with different random start vectors against the first fit. This shows only that the decomposition
has converged. *Leave out a tenth*: fits without one tenth of the papers, a different one each
time, against the fit to all of them, over papers in both. This shows how much clusters depend on
the sample. *Refit*: a fit two weeks later that starts from the previous fit, as in the warehouse.
Topics of papers up to a day T are compared with those of the refit to papers up to T +
{REFIT_DAYS} days, over papers in both. T is the day before {REFIT_SHARE * 100:.0f} % of papers had
been published.
"""


def evaluate(papers: pl.DataFrame, seed: int = 0) -> Part:
    """Return coherence, diversity, agreement and stability of discovered topics.

    `papers` has paper_id, title, abstract, keywords, primary_category and perhaps published_on,
    which a refit needs.
    """
    papers = papers.filter(pl.col("abstract").is_not_null())
    papers = papers[by_hash(papers["paper_id"])]
    pool = papers[:MAX_PAPERS].sort("paper_id")
    if pool.height < MIN_PAPERS:
        return Part(
            "Discovered topics",
            METHOD,
            skipped=f"{pool.height:,} papers have an abstract; at least {MIN_PAPERS:,} are needed.",
        )
    whole = _measured(papers, MAX_PAPERS, FAST, seed)
    compared = _measured(papers, COMPARED_PAPERS, list(METHODS), seed)
    stability, refit = _stability(pool, seed)
    history = pl.DataFrame()
    if "published_on" in papers.columns:
        no_keywords = papers.with_columns(keywords=pl.lit(None, pl.List(pl.String)))
        history = topic_history.measure(no_keywords, FIRST_FIT_PAPERS, seed)
    n_small = min(COMPARED_PAPERS, pool.height)
    summary = [*_held_out_summary(whole, pool.height), *_held_out_summary(compared, n_small)]
    return Part(
        "Discovered topics",
        "\n\n".join([METHOD.strip(), topic_history.METHOD.strip(), " ".join(summary)]),
        [
            *_criteria(whole.row(0, named=True), refit, pool.height),
            *topic_history.criteria(history),
        ],
        [
            Table(f"Fitted to {pool.height:,} papers", whole),
            Table(f"Fitted to {n_small:,} of them, three methods", compared),
            Table("Stability (adjusted Rand index)", stability),
            *([Table("Topics over time", history)] if history.height else []),
        ],
    )


def _sample(papers: pl.DataFrame, size: int) -> pl.DataFrame:
    """The papers with the smallest hashes of their ids, sorted by id."""
    return papers[by_hash(papers["paper_id"])[:size]].sort("paper_id")


def _texts(papers: pl.DataFrame) -> pl.DataFrame:
    """The columns that methods read."""
    return papers.select("paper_id", "title", "abstract", keywords=pl.lit(None, pl.List(pl.String)))


def _measured(
    papers: pl.DataFrame, n_fitted: int, methods: Sequence[str], seed: int
) -> pl.DataFrame:
    """One row per method, fitted to the first papers and scored on them and on the next ones."""
    fitted = papers[:n_fitted].sort("paper_id")
    held_out = papers[n_fitted : n_fitted + MAX_PAPERS]
    found = {name: find(name, _texts(fitted), n_topics=N_TOPICS, seed=seed) for name in methods}
    names = sorted({word for one in found.values() for topic in one.words for word in topic})
    inside, outside = (raw_counts(_texts(some), names) for some in (fitted, held_out))
    sizes = sorted({min(fitted.height, held_out.height), held_out.height})
    scored = {f"{IN_SAMPLE}{fitted.height:,} papers": inside} | {
        f"{HELD_OUT}{size:,} papers": outside[:size] for size in sizes if size >= MIN_PAPERS
    }
    rows = [
        {
            "method": name,
            "topics": len(one.words),
            **{where: _coherence(one, counts, names) for where, counts in scored.items()},
            "diversity": diversity(one.words),
            "NMI with categories": _with_categories(fitted, one),
            "AMI with keywords": _with_keywords(fitted, one),
            "seconds": one.seconds,
        }
        for name, one in found.items()
    ]
    return pl.DataFrame(rows, schema_overrides={"AMI with keywords": pl.Float64})


def _coherence(found: Found, counts: Any, names: Sequence[str]) -> float | None:
    values = [value for value in topic_npmi(found.words, counts, names) if value is not None]
    return float(np.mean(values)) if values else None


def _held_out_summary(measured: pl.DataFrame, n_fitted: int) -> list[str]:
    """A sentence for each number of held-out papers: the most coherent method."""
    sentences = []
    for column in (name for name in measured.columns if name.startswith(HELD_OUT)):
        ranked = measured.drop_nulls(column).sort(column, descending=True, maintain_order=True)
        if ranked.is_empty():
            continue
        best = ranked["method"][0]
        result = f"{OURS} rank first" if best == OURS else f"**{best} ranks first**"
        figures = ", ".join(
            f"{name} {value:.3f}" for name, value in ranked.select("method", column).iter_rows()
        )
        where = column.removeprefix(HELD_OUT)
        sentences.append(f"Fitted to {n_fitted:,}, held out on {where}: {result} ({figures}).")
    return sentences


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
        .filter(pl.col("len") >= MIN_KEYWORD_PAPERS)
        .sort("len", "keyword", descending=[True, False])
        .head(MAX_KEYWORDS)
    )
    pairs = pairs.join(common, on="keyword", how="semi")
    if pairs.is_empty():
        return None
    return float(adjusted_mutual_info_score(pairs["keyword"], pairs["topic"]))


def _stability(papers: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, float | None]:
    """The table of stability, and the agreement after a refit."""
    rows = _perturbed(_sample(papers, PERTURBED_PAPERS), seed)
    refit = _after_refit(papers, seed) if "published_on" in papers.columns else None
    if refit is not None:
        rows.append(refit)
    return pl.DataFrame(rows), None if refit is None else float(str(refit["median"]))


def _perturbed(papers: pl.DataFrame, seed: int) -> list[dict[str, object]]:
    """Agreement of fits with other start vectors, and without each tenth of the papers."""
    whole = _groups(papers, seed)
    seeds = [_agreement(whole, _groups(papers, seed + at)) for at in range(1, SEEDS)]
    order = by_hash(papers["paper_id"])
    n_left = papers.height - papers.height // TENTHS
    tenths = [
        _agreement(whole, _groups(papers[np.sort(np.delete(order, slice(at, None, TENTHS)))], seed))
        for at in range(TENTHS)
    ]
    return [
        _row(f"start vector: {SEEDS} seeds, against the first", f"{papers.height:,}", seeds),
        _row(
            f"leave out a tenth: {TENTHS} fits, against the fit to all",
            f"{papers.height:,} → {n_left:,}",
            tenths,
        ),
    ]


def _groups(papers: pl.DataFrame, seed: int) -> pl.DataFrame:
    return find(OURS, _texts(papers), n_topics=N_TOPICS, seed=seed).topics


def _after_refit(papers: pl.DataFrame, seed: int) -> dict[str, object] | None:
    some = _sample(papers.drop_nulls("published_on"), REFITTED_PAPERS)
    if some.is_empty():
        return None
    days = some["published_on"].sort()
    reached: date = days[int(REFIT_SHARE * (len(days) - 1))]
    until = reached - timedelta(days=1)
    before = some.filter(pl.col("published_on") <= until)
    after = some.filter(pl.col("published_on") <= until + timedelta(days=REFIT_DAYS))
    if before.height < MIN_PAPERS // 2:
        return None
    first = fit(_texts(before), n_topics=N_TOPICS, seed=seed)
    second = fit(
        _texts(after), n_topics=N_TOPICS, previous=(first.model, first.assignments), seed=seed
    )
    groups = [one.assignments.select("paper_id", topic="topic_id") for one in (first, second)]
    change = f"refit: {REFIT_DAYS} more days, T = {until}"
    return _row(change, f"{before.height:,} → {after.height:,}", [_agreement(*groups)])


def _agreement(one: pl.DataFrame, other: pl.DataFrame) -> float:
    both = one.join(other, on="paper_id", suffix="_other")
    return float(adjusted_rand_score(both["topic"], both["topic_other"]))


def _row(change: str, n_papers: str, agreement: Sequence[float]) -> dict[str, object]:
    return {
        "change": change,
        "papers": n_papers,
        "minimum": float(min(agreement)),
        "median": float(np.median(agreement)),
    }


def _exceeds_sampling_error(*missed_by: float) -> bool:
    """Whether nothing is missed, or by more than `SAMPLING_ERROR`."""
    return not 0 < max(missed_by) <= SAMPLING_ERROR


def _criteria(ours: dict[str, Any], refit: float | None, n_papers: int) -> list[Criterion]:
    coherence = next(value for name, value in ours.items() if name.startswith(IN_SAMPLE))
    held_out = [(name, value) for name, value in ours.items() if name.startswith(HELD_OUT)]
    distinct, agreement, seconds = ours["diversity"], ours["NMI with categories"], ours["seconds"]
    binds = n_papers >= MAX_PAPERS
    of = f"{n_papers:,} papers" + ("" if binds else f"; binding from {MAX_PAPERS:,}")
    criteria = [
        Criterion(
            f"Coherence (NPMI, in-sample) is at least {NPMI:.2f} with a diversity of at least "
            f"{DIVERSITY:.2f}",
            f"{coherence:.3f} and {distinct:.2f}, {of}",
            coherence >= NPMI and distinct >= DIVERSITY,
            binds and _exceeds_sampling_error(NPMI - coherence, DIVERSITY - distinct),
        ),
    ]
    for name, value in held_out[-1:]:
        criteria.append(
            Criterion(
                f"Held-out coherence (NPMI) is at least {NPMI:.2f}",
                f"{value:.3f}, {name.removeprefix(HELD_OUT)} after a fit to {n_papers:,}",
                value >= NPMI,
                is_binding=False,
            )
        )
    if agreement is not None:
        criteria.append(
            Criterion(
                f"NMI with primary categories is at least {NMI:.2f}",
                f"{agreement:.3f}, {of}",
                agreement >= NMI,
                binds and _exceeds_sampling_error(NMI - agreement),
            )
        )
    if refit is not None:
        criteria.append(
            Criterion(
                f"A refit two weeks later has an adjusted Rand index of at least {REFIT_ARI}",
                f"{refit:.3f}, at most {min(REFITTED_PAPERS, n_papers):,} of {of}",
                refit >= REFIT_ARI,
                binds and _exceeds_sampling_error(REFIT_ARI - refit),
            )
        )
    return [
        *criteria,
        Criterion(
            f"Fitting {MAX_PAPERS:,} papers takes at most {SECONDS} s of CPU time",
            f"{seconds:.1f} s, {n_papers:,} papers",
            seconds <= SECONDS,
            is_binding=False,
        ),
    ]
