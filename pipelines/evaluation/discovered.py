"""Discovered topics: how coherent their words are, what they agree with, whether they last.

Belongs here: comparing them with other methods, their stability, the promises. Does not belong
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

from pipelines.evaluation.report import Part, Promise, Table
from pipelines.evaluation.topic_models import METHODS, OURS, QUICK, Found, find, raw_counts
from pipelines.topics.discovered import by_hash, fit
from pipelines.topics.quality import diversity, topic_npmi

N_TOPICS: Final = 40
LEAST_PAPERS: Final = 2_000
MOST_PAPERS: Final = 20_000
COMPARED_PAPERS: Final = 5_000
SEEDS: Final = 20
TENTHS: Final = 10
PERTURBED_PAPERS: Final = 2_500
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
DRAWS: Final = 0.05
"""What these differ by between draws of papers: a miss by less is a target missed, none broken."""

IN_SAMPLE: Final = "coherence in-sample, "
HELD_OUT: Final = "coherence held out, "
"""How columns begin; the number of papers that it was counted on follows."""

METHOD: Final = f"""
Papers with an abstract, at most {MOST_PAPERS:,}, those with the smallest hashes of their ids; title
and abstract, {N_TOPICS} topics. Keywords are not read. *Coherence* is the mean over topics of the
mean NPMI over pairs of a topic's ten words, counted over papers in raw lower-case words for all
methods alike (own implementation). *Diversity* is the share of different words among all topics'
words. *NMI* is that of topic and primary category, over papers that have both. *AMI with keywords*
is the adjusted mutual information of topic and keyword over pairs of paper and keyword, for the
{MOST_KEYWORDS} commonest of the site's AI keywords in at least {KEYWORD_PAPERS} papers. *Seconds*
are of CPU time on one core. NMF (TF-IDF with sublinear counts, NNDSVD) and LDA (online, three
passes) are scikit-learn's; LDA is too slow for all papers, so that all three run on a smaller
sample too. BERTopic, which groups vectors of a language model, is not installed and not compared.

*In-sample* coherence is counted on the papers that the method was fitted to. Our words are chosen
for this very figure on these very papers, those of NMF and LDA are not: it flatters ours, and hides
how much of it other papers do not repeat. It is promised all the same, because it is how figures of
other methods are commonly given. *Held out* is the coherence of the same words on papers that the
fit has not seen: the next in the order of hashes, as many as there are, at most {MOST_PAPERS:,},
and where these are more than were fitted, also on as many as were fitted. Two words that never meet
count as -1, and rare words meet the less the fewer the papers, so only figures of equally many
papers compare. Fewer than {LEAST_PAPERS:,} unseen papers are not counted. How words are chosen was
settled with such figures in sight, so even these are no blind test. Promises bind from
{MOST_PAPERS:,} papers on, for which the constants were set, and break where they are missed by more
than {DRAWS:g}, which is what draws of papers differ by; else a miss is a target missed.

Stability is the adjusted Rand index of two groupings of the same papers. Fits that *start from
different random vectors*, each against the first, tell only that the decomposition forgets where it
started. Fits that *leave out a tenth of the papers*, another each time, against the fit to all
of them, over papers in both, tell how far groups hang on which papers happen to be there. A *refit
two weeks later* starts from the groups of the fit before, as the warehouse's do, and tells whether
they stay: topics of papers up to a day T against those of the refit with papers up to T +
{REFIT_DAYS} days, over papers in both; T is the day before the one by which
{REFIT_SHARE * 100:.0f} % of papers had been published.
"""


def evaluate(papers: pl.DataFrame, seed: int = 0) -> Part:
    """Coherence, diversity, agreement and stability of discovered topics.

    `papers` has paper_id, title, abstract, keywords and primary_category; and published_on, without
    which there is no refit.
    """
    papers = papers.filter(pl.col("abstract").is_not_null())
    papers = papers[by_hash(papers["paper_id"])]
    pool = papers[:MOST_PAPERS].sort("paper_id")
    if pool.height < LEAST_PAPERS:
        return Part(
            "Discovered topics",
            METHOD,
            skipped=f"{pool.height:,} papers have an abstract; it takes {LEAST_PAPERS:,}.",
        )
    whole = _measured(papers, MOST_PAPERS, QUICK, seed)
    compared = _measured(papers, COMPARED_PAPERS, list(METHODS), seed)
    stability, refit = _stability(pool, seed)
    n_small = min(COMPARED_PAPERS, pool.height)
    told = [*_told(whole, pool.height), *_told(compared, n_small)]
    return Part(
        "Discovered topics",
        "\n\n".join([METHOD.strip(), " ".join(told)]),
        _promises(whole.row(0, named=True), refit, pool.height),
        [
            Table(f"Fitted to {pool.height:,} papers", whole),
            Table(f"Fitted to {n_small:,} of them, three methods", compared),
            Table("Agreement of groups with themselves (adjusted Rand)", stability),
        ],
    )


def _sample(papers: pl.DataFrame, size: int) -> pl.DataFrame:
    """The papers with the smallest hashes of their ids, sorted by id."""
    return papers[by_hash(papers["paper_id"])[:size]].sort("paper_id")


def _texts(papers: pl.DataFrame) -> pl.DataFrame:
    """What methods read."""
    return papers.select("paper_id", "title", "abstract", keywords=pl.lit(None, pl.List(pl.String)))


def _measured(
    papers: pl.DataFrame, n_fitted: int, methods: Sequence[str], seed: int
) -> pl.DataFrame:
    """One row per method, fitted to the first papers and scored on them and on those behind."""
    fitted = papers[:n_fitted].sort("paper_id")
    unseen = papers[n_fitted : n_fitted + MOST_PAPERS]
    found = {name: find(name, _texts(fitted), n_topics=N_TOPICS, seed=seed) for name in methods}
    names = sorted({word for one in found.values() for words in one.words for word in words})
    inside, outside = (raw_counts(_texts(some), names) for some in (fitted, unseen))
    sizes = sorted({min(fitted.height, unseen.height), unseen.height})
    scored = {f"{IN_SAMPLE}{fitted.height:,} papers": inside} | {
        f"{HELD_OUT}{size:,} papers": outside[:size] for size in sizes if size >= LEAST_PAPERS
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


def _told(measured: pl.DataFrame, n_fitted: int) -> list[str]:
    """For each number of unseen papers a sentence: whose words are the most coherent on them."""
    said = []
    for column in (name for name in measured.columns if name.startswith(HELD_OUT)):
        falling = measured.drop_nulls(column).sort(column, descending=True, maintain_order=True)
        if falling.is_empty():
            continue
        best = falling["method"][0]
        verdict = "ours is first" if best == OURS else f"**{best} beats ours**"
        figures = ", ".join(
            f"{name} {value:.3f}" for name, value in falling.select("method", column).iter_rows()
        )
        where = column.removeprefix(HELD_OUT)
        said.append(f"Fitted to {n_fitted:,}, held out on {where}, {verdict}: {figures}.")
    return said


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
    rows = _perturbed(_sample(papers, PERTURBED_PAPERS), seed)
    refit = _after_refit(papers, seed) if "published_on" in papers.columns else None
    if refit is not None:
        rows.append(refit)
    return pl.DataFrame(rows), None if refit is None else float(str(refit["median"]))


def _perturbed(papers: pl.DataFrame, seed: int) -> list[dict[str, object]]:
    """Fits from other start vectors, and fits without each tenth of the papers, against the fit."""
    whole = _groups(papers, seed)
    seeds = [_agreement(whole, _groups(papers, seed + at)) for at in range(1, SEEDS)]
    order = by_hash(papers["paper_id"])
    n_left = papers.height - papers.height // TENTHS
    tenths = [
        _agreement(whole, _groups(papers[np.sort(np.delete(order, slice(at, None, TENTHS)))], seed))
        for at in range(TENTHS)
    ]
    return [
        _row(f"start vector: {SEEDS} seeds, each against the first", f"{papers.height:,}", seeds),
        _row(
            f"papers: {TENTHS} fits, each without another tenth, against that to all",
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


def _is_beyond_draws(*missed_by: float) -> bool:
    """Whether nothing is missed, or by more than what draws of papers differ by."""
    return not 0 < max(missed_by) <= DRAWS


def _promises(ours: dict[str, Any], refit: float | None, n_papers: int) -> list[Promise]:
    coherence = next(value for name, value in ours.items() if name.startswith(IN_SAMPLE))
    held_out = [(name, value) for name, value in ours.items() if name.startswith(HELD_OUT)]
    different, agreement, seconds = ours["diversity"], ours["NMI with categories"], ours["seconds"]
    binds = n_papers >= MOST_PAPERS
    of = f"{n_papers:,} papers" + ("" if binds else f"; binding from {MOST_PAPERS:,}")
    found = [
        Promise(
            f"Coherence (NPMI, in-sample) is at least {NPMI:.2f} with a diversity of at least "
            f"{DIVERSITY:.2f}",
            f"{coherence:.3f} and {different:.2f}, {of}",
            coherence >= NPMI and different >= DIVERSITY,
            binds and _is_beyond_draws(NPMI - coherence, DIVERSITY - different),
        ),
    ]
    for name, value in held_out[-1:]:
        found.append(
            Promise(
                f"Held out, on papers that the fit has not seen, NPMI is at least {NPMI:.2f}",
                f"{value:.3f}, {name.removeprefix(HELD_OUT)} after a fit to {n_papers:,}",
                value >= NPMI,
                is_binding=False,
            )
        )
    if agreement is not None:
        found.append(
            Promise(
                f"NMI with primary categories is at least {NMI:.2f}",
                f"{agreement:.3f}, {of}",
                agreement >= NMI,
                binds and _is_beyond_draws(NMI - agreement),
            )
        )
    if refit is not None:
        found.append(
            Promise(
                f"A refit two weeks later agrees by an adjusted Rand index of at least {REFIT_ARI}",
                f"{refit:.3f}, at most {min(REFITTED_PAPERS, n_papers):,} of {of}",
                refit >= REFIT_ARI,
                binds and _is_beyond_draws(REFIT_ARI - refit),
            )
        )
    return [
        *found,
        Promise(
            f"{MOST_PAPERS:,} papers are fitted in {SECONDS} s of CPU time",
            f"{seconds:.1f} s, {n_papers:,} papers",
            seconds <= SECONDS,
            is_binding=False,
        ),
    ]
