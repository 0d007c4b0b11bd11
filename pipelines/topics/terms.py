"""Terms that people coin: names of models, methods and data sets, and set phrases.

Belongs here: learning which terms there are from the texts themselves, and finding them in texts.
Does not belong here: counting terms by period (SQL does), the taxonomy, discovered topics.

A term is

- *coined*: a word with the look of a name, such as GRPO, DeepSeek, GPT-4o or LoRA;
- a *name*: a word with a capital wherever a sentence doesn't ask for one, such as Mamba;
- a *phrase*: two or three words that stand together more often than chance, such as "flow
  matching".

An acronym and the words that papers spell it out as are one term. The work has two steps, so that
the second can be kept per text: `learn_terms` makes a vocabulary from all papers, `match_terms`
finds it in texts, in the form of `matching.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from pipelines.topics.labels import BOILERPLATE, HEADS
from pipelines.topics.matching import SLICE_ROWS, normalise, variants
from pipelines.topics.words import Ints, Tokens, fold_plurals, singulars, text_of_papers, tokenise

MIN_PAPERS = 5
"""A term stands in at least so many papers."""

MAX_TERMS = 5_000
"""Terms of a vocabulary, those in the most papers."""

MAX_SHARE = 0.2
"""A word in more than this share of papers is no name."""

MIN_COHESION = 0.35
"""Least NPMI between the two parts of a phrase."""

MIN_NAME_SHARE = 0.5
"""Least share of a word's occurrences that have a capital where no sentence starts."""

MIN_DEFINITION_SHARE = 0.6
"""Least share of an acronym's definitions that agree; else it means too many things."""

MAX_NESTED_SHARE = 0.75
"""A phrase that stands inside one longer phrase in a larger share of its papers is no term."""

VOCABULARY_SCHEMA = pl.Schema(
    {
        "term_id": pl.String(),
        "term": pl.String(),
        "kind": pl.String(),
        "long_form": pl.String(),
        "n_papers": pl.Int64(),
        "wordings": pl.List(pl.String()),
    }
)
TERM_MATCH_SCHEMA = pl.Schema({"text_hash": pl.String(), "term_id": pl.String(), "n": pl.Int64()})
PAPER_TERM_SCHEMA = pl.Schema(
    {"paper_id": pl.String(), "term_id": pl.String(), "term": pl.String(), "n": pl.Int64()}
)

_COMPOUND = r"[A-Za-z0-9]+(?:[-.][A-Za-z0-9]+)*"
"""A word with its hyphens and inner dots: GPT-4o, Qwen2.5-VL-7B, text-to-SQL."""

_AROUND = r"^(?:[a-z]+-)+|(?:-(?:[a-z]+|[0-9.]+[BMK]|Instruct|Chat|Base))+$"
"""What is not part of a name: LLM[-based], [text-to-]SQL, LLaMA[-7B]."""

_COINED = r"[A-Z][a-z0-9]*[A-Z]|[a-z][A-Z]|[A-Za-z]-?[0-9]|[0-9]-?[A-Z]|^[A-Z]-[A-Z][a-z]"
_NOT_COINED = r"^(?:[0-9.-]+[A-Za-z]{0,3}|[A-Za-z]-?[0-9.]+|[IVX]+|[a-z]{1,3}[0-9]+)$"
"""Sizes, ordinals and versions alone, Roman numerals: 7B, 3D, 2nd, R1, III, top1."""

_NAME = r"[a-z,] [A-Z][a-z]{2,}\b"
"""A capital where no sentence starts."""

_DEFINITION = r"(?:[A-Za-z0-9]+[ -]){1,7}[A-Za-z0-9]+ \([A-Z][A-Za-z0-9-]{1,9}\)"
"""Words and an acronym behind them in parentheses."""

_NEVER = frozenset(ENGLISH_STOP_WORDS) | BOILERPLATE
"""Words that are in no phrase, but for a few at its end."""


@dataclass(frozen=True)
class TermVocabulary:
    """Terms and the wordings that count as each."""

    terms: pl.DataFrame
    """`VOCABULARY_SCHEMA`, sorted by term_id; no wording belongs to two terms."""

    @cached_property
    def version(self) -> str:
        """The first 12 hex digits of a SHA-256 over ids and wordings: what matches rest on."""
        rows = sorted((i, sorted(w)) for i, w in self.terms.select("term_id", "wordings").rows())
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:12]


def learn_terms(
    papers: pl.DataFrame, *, min_papers: int = MIN_PAPERS, max_terms: int = MAX_TERMS
) -> TermVocabulary:
    """Return the terms in at least `min_papers` papers, at most `max_terms` of them.

    `papers` has paper_id, title, abstract and keywords (a list), of which the last two may be
    null; a repeated paper_id counts once. `term` is the wording that most papers use, `term_id`
    that of the acronym if there is one, in lower case with hyphens; `n_papers` counts the papers
    with the commonest wording.

    The cohesion of a phrase is the NPMI of its parts, with shares of all tokens in place of shares
    of papers (G. Bouma, GSCL 2009); for three words the smaller one of the two ways to part them.
    An acronym is believed if its letters are found in the words before it in order, the first at
    their start (A. S. Schwartz and M. A. Hearst, *A simple algorithm for identifying abbreviation
    definitions in biomedical text*, Pacific Symposium on Biocomputing 2003).
    """
    papers = papers.sort("paper_id", "title", "abstract", nulls_last=True).unique(
        "paper_id", keep="first", maintain_order=True
    )
    texts = papers.select(text_of_papers()).to_series().alias("text")
    tokens = tokenise(texts)
    limit = max(MAX_SHARE * papers.height, min_papers)
    coined = _coined(texts, tokens, min_papers, limit)
    names = _names(texts, tokens, min_papers, limit)
    phrases = _phrases(tokens, min_papers)
    definitions = _definitions(texts, min_papers)
    return TermVocabulary(_assemble(coined, names, phrases, definitions, max_terms))


def match_terms(
    texts: pl.DataFrame, vocabulary: TermVocabulary, *, slice_rows: int = SLICE_ROWS
) -> pl.DataFrame:
    """Return the terms in each text, with `TERM_MATCH_SCHEMA`, sorted by text_hash and term_id.

    `texts` has ``text_hash`` (one row each) and ``text``, not yet normalised; null and empty texts
    match nothing. ``n`` counts occurrences; a term inside a longer term counts too.
    """
    return _match(texts, "text_hash", vocabulary, slice_rows).cast(TERM_MATCH_SCHEMA)


def terms_of_papers(papers: pl.DataFrame, vocabulary: TermVocabulary) -> pl.DataFrame:
    """Return the terms of each paper, with `PAPER_TERM_SCHEMA`, sorted by paper_id and term_id.

    `papers` as for `learn_terms`, with one row per paper.
    """
    texts = papers.select("paper_id", text=text_of_papers())
    return (
        _match(texts, "paper_id", vocabulary, SLICE_ROWS)
        .join(vocabulary.terms.select("term_id", "term"), on="term_id", maintain_order="left")
        .select(pl.col(name).cast(dtype) for name, dtype in PAPER_TERM_SCHEMA.items())
    )


def _match(
    texts: pl.DataFrame, key: str, vocabulary: TermVocabulary, slice_rows: int
) -> pl.DataFrame:
    """key, term_id, n."""
    wordings = (
        vocabulary.terms.select("term_id", wording="wordings").explode("wording").sort("wording")
    )
    patterns = [f" {wording} " for wording in wordings["wording"]]
    kind = pl.Enum(patterns)
    ids = wordings.select("term_id", pattern=pl.Series(patterns, dtype=kind))
    found = [
        part.lazy()
        .select(key, text=normalise(pl.col("text")))
        .select(key, pattern=pl.col("text").str.extract_many(patterns, overlapping=True))
        .explode("pattern")
        .drop_nulls("pattern")
        .with_columns(pl.col("pattern").cast(kind))
        .join(ids.lazy(), on="pattern")
        .group_by(key, "term_id")
        .agg(n=pl.len().cast(pl.Int64))
        .collect()
        for part in texts.select(key, "text").iter_slices(slice_rows)
        if patterns
    ]
    empty = pl.DataFrame(schema={key: pl.String(), "term_id": pl.String(), "n": pl.Int64()})
    return pl.concat([empty, *found]).sort(key, "term_id")


def _coined(texts: pl.Series, tokens: Tokens, min_papers: int, limit: float) -> pl.DataFrame:
    """form, term, n: normal form of words with the look of a name, and their commonest wording."""
    word = pl.col("word")
    written = (
        texts.to_frame()
        .lazy()
        .select(text=pl.int_range(pl.len()), word=pl.col("text").str.extract_all(_COMPOUND))
        .explode("word")
        .filter(word.str.contains(r"[A-Z0-9].*[A-Z0-9]|[a-z][A-Z0-9]"))
        .with_columns(word.str.replace_all(_AROUND, ""))
        .filter(word.str.contains(_COINED) & ~word.str.contains(_NOT_COINED))
        .group_by("word")
        .agg(n=pl.col("text").n_unique(), times=pl.len())
        .with_columns(form=normalise(word).str.strip_chars(" "))
        .collect()
    )
    ordinary = pl.DataFrame(
        {"form": tokens.forms, "total": np.bincount(tokens.code, minlength=len(tokens.forms))},
        schema={"form": pl.String, "total": pl.Int64},
    )
    return (
        _folded(written)
        .sort("n", "word", descending=[True, False])
        .group_by("form", maintain_order=True)
        .agg(term=pl.col("word").first(), n=pl.col("n").sum(), times=pl.col("times").sum())
        .join(ordinary, on="form", how="left")
        # A title in capitals makes no name of a word that is written small elsewhere.
        .filter(pl.col("n").is_between(min_papers, limit))
        .filter((pl.col("times") >= 0.5 * pl.col("total")).fill_null(value=True))
        .filter(~pl.col("form").is_in(list(_NEVER)))
        .select("form", "term", pl.col("n").cast(pl.Int64))
        .sort("form")
    )


def _names(texts: pl.Series, tokens: Tokens, min_papers: int, limit: float) -> pl.DataFrame:
    """form, term, n: words that have a capital nearly wherever no sentence starts."""
    total = pl.DataFrame(
        {"form": tokens.forms, "total": np.bincount(tokens.code, minlength=len(tokens.forms))},
        schema={"form": pl.String, "total": pl.Int64},
    )
    return (
        texts.to_frame()
        .lazy()
        .select(text=pl.int_range(pl.len()), word=pl.col("text").str.extract_all(_NAME))
        .explode("word")
        .drop_nulls()
        .with_columns(pl.col("word").str.slice(2))
        .group_by("word")
        .agg(n=pl.col("text").n_unique().cast(pl.Int64), times=pl.len())
        .with_columns(form=pl.col("word").str.to_lowercase())
        .collect()
        .join(total, on="form")
        .filter(pl.col("n").is_between(min_papers, limit))
        .filter(pl.col("times") >= MIN_NAME_SHARE * pl.col("total"))
        .filter(~pl.col("form").is_in(list(_NEVER)))
        .select("form", term="word", n="n")
        .sort("form")
    )


def _folded(written: pl.DataFrame) -> pl.DataFrame:
    """The same rows, with a plural's form replaced by its singular's if that is there."""
    forms = set(written["form"])
    single = {
        form: next(s for s in singulars(form) if s in forms)
        for form in sorted(forms)
        if any(s in forms for s in singulars(form))
    }
    return written.with_columns(pl.col("form").replace(single))


def _phrases(tokens: Tokens, min_papers: int) -> pl.DataFrame:
    """form, term, n: two or three words that stand together more often than chance."""
    forms = tokens.forms
    last = _last_words(tokens)
    inner = np.array([_fits(form, _NEVER) for form in forms], dtype=bool)
    final = np.array([_fits(form, _NEVER - HEADS) for form in forms], dtype=bool)
    times = np.bincount(tokens.code, minlength=len(forms))
    times_last = np.bincount(last[tokens.code], minlength=len(forms)) if len(forms) else times
    frame = pl.DataFrame(
        {
            "text": tokens.text,
            "a": tokens.code,
            "is_inner": inner[tokens.code] if len(forms) else np.zeros(0, dtype=bool),
            "z": last[tokens.code] if len(forms) else np.zeros(0, dtype=np.int64),
            "is_final": final[tokens.code] if len(forms) else np.zeros(0, dtype=bool),
        }
    ).lazy()
    after = {
        f"{name}{step}": pl.col(name).shift(-step)
        for step in (1, 2)
        for name in ("text", "a", "is_inner", "z", "is_final")
    }
    beside = frame.with_columns(**after).filter(
        pl.col("is_inner") & (pl.col("text") == pl.col("text1"))
    )
    two = (
        beside.filter("is_final1")
        .group_by("a", b="z1")
        .agg(n=pl.col("text").n_unique().cast(pl.Int64), times=pl.len())
        .filter(pl.col("n") >= min_papers)
        .sort("a", "b")
    )
    three = (
        beside.filter(
            pl.col("is_inner1") & pl.col("is_final2") & (pl.col("text") == pl.col("text2"))
        )
        .group_by("a", "a1", b="z2")
        .agg(n=pl.col("text").n_unique().cast(pl.Int64), times=pl.len())
        .filter(pl.col("n") >= min_papers)
        .sort("a", "a1", "b")
    )
    raw = (
        beside.filter("is_inner1")
        .group_by("a", "a1")
        .agg(times_front=pl.len())
        .filter(pl.col("times_front") >= min_papers)
    )
    pairs, triples, fronts = pl.collect_all([two, three, raw])
    n_tokens = max(len(tokens.code), 1)
    single = pl.DataFrame(
        {"code": np.arange(len(forms)), "single": times, "single_last": times_last}
    )
    pairs = pairs.join(single.select(a="code", x="single"), on="a").join(
        single.select(b="code", y="single_last"), on="b"
    )
    triples = (
        triples.join(fronts, on=["a", "a1"])
        .join(pairs.select(a1="a", b="b", back="times"), on=["a1", "b"])
        .join(single.select(a="code", x="single"), on="a")
        .join(single.select(b="code", y="single_last"), on="b")
    )
    both = pl.concat(
        [
            pairs.select("a", "b", "n", a1=None, cohesion=_npmi("times", "x", "y", n_tokens)),
            triples.select(
                "a",
                "b",
                "n",
                a1="a1",
                cohesion=pl.min_horizontal(
                    _npmi("times", "times_front", "y", n_tokens),
                    _npmi("times", "x", "back", n_tokens),
                ),
            ),
        ],
        how="vertical_relaxed",
    ).filter(pl.col("cohesion") >= MIN_COHESION)
    words = pl.Series(forms, dtype=pl.String)
    form = [
        " ".join(words[at] for at in (a, a1, b) if at is not None)
        for a, a1, b in both.select("a", "a1", "b").iter_rows()
    ]
    return pl.DataFrame(
        {"form": form, "term": form, "n": both["n"]},
        schema={"form": pl.String, "term": pl.String, "n": pl.Int64},
    ).sort("form")


def _last_words(tokens: Tokens) -> Ints:
    """For each form the one that it counts as at a phrase's end: its singular, if that is used."""
    return fold_plurals(tokens)


def _npmi(both: str, left: str, right: str, n: int) -> pl.Expr:
    share = pl.col(both) / n
    expected = pl.col(left) * pl.col(right) / n**2
    return (share / expected).log() / -share.log()


def _fits(form: str, never: frozenset[str]) -> bool:
    return len(form) > 1 and not form.isdigit() and form not in never


def _definitions(texts: pl.Series, min_papers: int) -> pl.DataFrame:
    """short, long, n: acronyms and the words that most papers spell them out as."""
    written = (
        texts.to_frame()
        .lazy()
        .select(text=pl.int_range(pl.len()), found=pl.col("text").str.extract_all(_DEFINITION))
        .explode("found")
        .drop_nulls("found")
        .group_by("found")
        .agg(n=pl.col("text").n_unique().cast(pl.Int64))
        .sort("found")
        .collect()
    )
    rows = []
    for found, n in written.iter_rows():
        words, _, short = found[:-1].rpartition(" (")
        long = spelled_out(short, words)
        if long:
            rows.append((short, long, n))
    frame = pl.DataFrame(
        rows, schema={"short": pl.String, "long": pl.String, "n": pl.Int64}, orient="row"
    ).with_columns(
        (normalise(pl.col(name)).str.strip_chars(" ").alias(f"{name}_form"))
        for name in ("short", "long")
    )
    single = _singular_forms([*frame["short_form"], *frame["long_form"]])
    return (
        frame.with_columns(pl.col("short_form", "long_form").replace(single))
        .group_by("short_form", "long_form")
        .agg(pl.col("n").sum(), pl.col("long").sort_by("n", "long").last())
        .sort("n", "long_form", descending=[True, False])
        .group_by("short_form", maintain_order=True)
        .agg(
            pl.col("long_form").first(),
            pl.col("long").first(),
            n=pl.col("n").first(),
            total=pl.col("n").sum(),
        )
        .with_columns(is_clear=pl.col("n") >= MIN_DEFINITION_SHARE * pl.col("total"))
        .filter(pl.col("total") >= min(2, min_papers))
        .sort("short_form")
    )


def _singular_forms(forms: Iterable[str]) -> dict[str, str]:
    """Plural → singular, for the forms whose singular is among them."""
    known = set(forms)
    return {
        form: next(s for s in singulars(form) if s in known)
        for form in sorted(known)
        if any(s in known for s in singulars(form))
    }


def spelled_out(short: str, words: str) -> str | None:
    """Return the end of `words` that spells an acronym out, or None.

    Its letters and digits are found from the back in order; the first one starts a word, and
    the words are at most two more than the letters.
    """
    letters = [c for c in short.rstrip("s").lower() if c.isalnum()]
    text = words.lower()
    at = len(text)
    for place in range(len(letters) - 1, -1, -1):
        at -= 1
        while at >= 0 and not (
            text[at] == letters[place] and (place > 0 or at == 0 or not text[at - 1].isalnum())
        ):
            at -= 1
        if at < 0:
            return None
    long = words[at:]
    n_words = len(long.replace("-", " ").split())
    is_new = short.lower() not in long.lower().split()
    return long if is_new and 2 <= n_words <= len(letters) + 2 else None


def _assemble(
    coined: pl.DataFrame,
    names: pl.DataFrame,
    phrases: pl.DataFrame,
    definitions: pl.DataFrame,
    max_terms: int,
) -> pl.DataFrame:
    """`VOCABULARY_SCHEMA` of the most common terms, long forms joined with their acronyms."""
    found: dict[str, tuple[str, str, int]] = {}
    for kind, frame in (("phrase", phrases), ("name", names), ("coined", coined)):
        for form, term, n in frame.select("form", "term", "n").iter_rows():
            found[form] = (term, kind, n)
    long_of: dict[str, str] = {}
    for short, long, written, n, is_clear in definitions.select(
        "short_form", "long_form", "long", "n", "is_clear"
    ).iter_rows():
        if not is_clear:
            found.pop(short, None)
        elif short in found and short not in long:
            term, kind, n_long = found.get(long, (written, "phrase", n))
            found[long] = (term, kind, max(n, n_long))
            long_of.setdefault(short, long)
    shorts: dict[str, list[str]] = {}
    for short, long in long_of.items():
        shorts.setdefault(long, []).append(short)
    nested = _nested(found)
    rows = []
    for form, (term, kind, n) in found.items():
        if form in shorts or (kind == "phrase" and form in nested):
            continue
        forms, best = [form], (n, term)
        long = long_of.get(form)
        if long is not None and shorts[long][0] == form:
            forms.append(long)
            best = max(best, (found[long][2], found[long][0]))
        elif long is not None:
            continue
        wordings = {wording for one in forms for wording in variants(one)}
        rows.append(
            (
                form.replace(" ", "-"),
                best[1],
                kind,
                found[long][0] if long else None,
                best[0],
                sorted(wordings),
            )
        )
    rows.sort(key=lambda row: (-row[4], row[0]))
    kept, taken = [], set()
    for row in rows[:max_terms]:
        own = [wording for wording in row[5] if wording not in taken]
        if own:
            taken.update(own)
            kept.append((*row[:5], own))
    return pl.DataFrame(kept, schema=VOCABULARY_SCHEMA, orient="row").sort("term_id")


def _nested(found: dict[str, tuple[str, str, int]]) -> set[str]:
    """Forms that mostly stand inside one longer form."""
    inside: set[str] = set()
    for form, (_, _, n) in found.items():
        words = form.split(" ")
        for length in range(2, len(words)):
            for start in range(len(words) - length + 1):
                part = " ".join(words[start : start + length])
                if part in found and n > MAX_NESTED_SHARE * found[part][2]:
                    inside.add(part)
    return inside
