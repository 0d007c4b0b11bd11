"""Learning a vocabulary of terms from the texts of papers.

Belongs here: combining coined words, names, phrases and acronyms into one vocabulary. Does not
belong here: finding each of them (`term_names.py`, `term_phrases.py`, `acronyms.py`), finding the
terms in texts (`term_matching.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from pipelines.topics.acronyms import find_definitions
from pipelines.topics.term_matching import terms_of_papers
from pipelines.topics.term_names import capitalised_words, coined_words
from pipelines.topics.term_phrases import find_phrases
from pipelines.topics.terms import VOCABULARY_SCHEMA, TermVocabulary
from pipelines.topics.text_forms import variants
from pipelines.topics.words import text_of_papers, tokenise

MIN_PAPERS = 5
"""Least number of papers with a term."""

MAX_TERMS = 5_000
"""Size of a vocabulary."""

MAX_SHARE = 0.5
"""A word in more than this share of papers is not a name."""

MAX_NESTED_SHARE = 0.75
MAX_DEFINED_SHARE = 0.4
"""A phrase or name is left out if a larger share of its papers have it inside one longer phrase, or
inside the long form of an acronym. The second limit is smaller because it counts definitions."""

NAME_WEIGHT = 4
"""Weight of a paper with a name, relative to one with a phrase, when terms exceed `MAX_TERMS`."""


MIN_NEW_SHARE = 0.75
"""A term is new if at least this share of its papers are of the running quarter."""


@dataclass(frozen=True)
class _Candidate:
    """A term before acronyms are joined and nested terms are dropped."""

    term: str
    kind: str
    n: int
    others: list[str] = field(default_factory=list)
    """Further forms of the same word."""


_Row = tuple[str, str, str, str | None, int, list[str]]
"""A row of `VOCABULARY_SCHEMA`."""

_N_WORDINGS = {"term_id": pl.String(), "n_wordings": pl.Int64()}


def learn_terms(
    papers: pl.DataFrame, *, min_papers: int = MIN_PAPERS, max_terms: int = MAX_TERMS
) -> TermVocabulary:
    """Return the terms in at least `min_papers` papers, at most `max_terms` of them.

    `papers` has paper_id, title, abstract and keywords (a list); the last two may be null. A
    repeated paper_id counts once. `term` is the most common wording. `term_id` is that wording, or
    the acronym if there is one, in lower case with hyphens. `n_papers` counts papers with the most
    common wording.
    """
    papers = papers.sort("paper_id", "title", "abstract", nulls_last=True).unique(
        "paper_id", keep="first", maintain_order=True
    )
    texts = papers.select(text_of_papers()).to_series().alias("text")
    tokens = tokenise(texts)
    limit = max(MAX_SHARE * papers.height, min_papers)
    candidates = _candidates(
        {
            "phrase": find_phrases(tokens, min_papers),
            "name": capitalised_words(texts, tokens, min_papers, limit),
            "coined": coined_words(texts, tokens, min_papers, limit),
        }
    )
    long_forms = _join_definitions(candidates, find_definitions(texts, min_papers))
    rows = _rows(candidates, long_forms)
    rows.sort(key=lambda row: (-row[4] * (1 if row[2] == "phrase" else NAME_WEIGHT), row[0]))
    return TermVocabulary(_found_terms(rows[:max_terms], papers).sort("term_id"))


def new_terms(
    vocabulary: TermVocabulary, papers: pl.DataFrame, earlier: pl.DataFrame
) -> pl.DataFrame:
    """Return the terms of `papers` that are new, with `VOCABULARY_SCHEMA`.

    `vocabulary` was learned from the `earlier` papers. A new term shares no id and no wording with
    its terms, so these keep their papers, and at least `MIN_NEW_SHARE` of the papers with it are in
    `papers`. `n_papers` counts those only.
    """
    ids = vocabulary.terms.select("term_id")
    wordings = vocabulary.terms.select(wording="wordings").explode("wording")
    learned = learn_terms(papers).terms.join(ids, on="term_id", how="anti")
    taken = learned.select("term_id", wording="wordings").explode("wording")
    taken = taken.join(wordings, on="wording", how="semi")
    candidates = learned.join(taken, on="term_id", how="anti")
    before = (
        terms_of_papers(earlier, TermVocabulary(candidates))
        .group_by("term_id")
        .agg(n_before=pl.len())
    )
    n_before = pl.col("n_before").fill_null(0)
    share = pl.col("n_papers") / (pl.col("n_papers") + n_before)
    return (
        candidates.join(before, on="term_id", how="left")
        .filter(share >= MIN_NEW_SHARE)
        .select(VOCABULARY_SCHEMA.names())
        .sort("term_id")
    )


def _candidates(by_kind: dict[str, pl.DataFrame]) -> dict[str, _Candidate]:
    """Form → candidate; where two kinds have the same form, the later kind."""
    return {
        row["form"]: _Candidate(row["term"], kind, row["n"], row.get("others") or [])
        for kind, frame in by_kind.items()
        for row in frame.iter_rows(named=True)
    }


def _join_definitions(
    candidates: dict[str, _Candidate], definitions: pl.DataFrame
) -> dict[str, str]:
    """Return acronym → the form of its long form.

    Adds the long forms to the candidates and removes ambiguous acronyms from them.
    """
    long_forms: dict[str, str] = {}
    for row in definitions.sort("n", "short_form", descending=[True, False]).iter_rows(named=True):
        short, long = row["short_form"], row["long_form"]
        if short not in candidates:
            continue
        if not row["is_clear"]:
            del candidates[short]
        elif " " in long and long not in long_forms.values() and long not in long_forms:
            known = candidates.get(long)
            n = max(row["n"], known.n if known else 0)
            candidates[long] = _Candidate(row["long"], "phrase", n)
            long_forms[short] = long
    return long_forms


def _rows(candidates: dict[str, _Candidate], long_forms: dict[str, str]) -> list[_Row]:
    """Rows of the vocabulary: nested terms dropped, long forms joined with their acronyms."""
    defined = set(long_forms.values())
    nested = _nested(candidates, defined)
    rows: list[_Row] = []
    for form, one in candidates.items():
        if form in defined or (one.kind != "coined" and form in nested):
            continue
        forms, term, kind, n, long_form = [form, *one.others], one.term, one.kind, one.n, None
        if form in long_forms:
            long = candidates[long_forms[form]]
            forms, kind, long_form = [*forms, long_forms[form]], "acronym", long.term
            term, n = (long.term, long.n) if long.n > n else (term, n)
        wordings = {wording for each in forms for wording in variants(each)}
        rows.append((form.replace(" ", "-"), term, kind, long_form, n, sorted(wordings)))
    return rows


def _nested(candidates: dict[str, _Candidate], defined: set[str]) -> set[str]:
    """Forms that mostly occur inside one longer form."""
    inside: set[str] = set()
    for form, one in candidates.items():
        limit = MAX_DEFINED_SHARE if form in defined else MAX_NESTED_SHARE
        words = form.split(" ") if one.kind == "phrase" else []
        for length in range(1, len(words)):
            for start in range(len(words) - length + 1):
                part = " ".join(words[start : start + length])
                if part in candidates and one.n > limit * candidates[part].n:
                    inside.add(part)
    return inside


def _found_terms(rows: list[_Row], papers: pl.DataFrame) -> pl.DataFrame:
    """The rows with their own wordings, as a frame; terms left without a paper are dropped."""
    own = pl.DataFrame(_without_shared_wordings(rows), schema=VOCABULARY_SCHEMA, orient="row")
    counts = [(row[0], len(row[5])) for row in rows]
    n_wordings = pl.DataFrame(counts, schema=_N_WORDINGS, orient="row")
    is_less = pl.col("wordings").list.len() < pl.col("n_wordings")
    shared = own.join(n_wordings, on="term_id").filter(is_less).select(own.columns)
    found = terms_of_papers(papers, TermVocabulary(shared.sort("term_id")))
    lost = shared.join(found, on="term_id", how="anti")
    return own.join(lost, on="term_id", how="anti")


def _without_shared_wordings(rows: list[_Row]) -> list[_Row]:
    """The rows, each wording kept in the first row that has it."""
    taken: set[str] = set()
    kept: list[_Row] = []
    for term_id, term, kind, long_form, n, wordings in rows:
        own = [wording for wording in wordings if wording not in taken]
        if own:
            taken.update(own)
            kept.append((term_id, term, kind, long_form, n, own))
    return kept
