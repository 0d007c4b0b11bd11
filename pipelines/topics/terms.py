"""Terms that people coin: names of models, methods and data sets, and set phrases.

Belongs here: learning which terms there are from the texts themselves, and finding them in texts.
Does not belong here: counting terms by period (SQL does), the taxonomy, discovered topics.

A term is

- *coined*: a word with the look of a name, such as GRPO, DeepSeek, GPT-4o or LoRA;
- a *name*: a word with a capital wherever a sentence doesn't ask for one, such as Mamba;
- an *acronym*: a coined word that papers spell out, one term with what they spell it out as;
- a *phrase*: two or three words that stand together more often than chance, such as "flow
  matching".

The work has two steps, so that
the second can be kept per text: `learn_terms` makes a vocabulary from all papers, `match_terms`
finds it in texts, in the form of `matching.py`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from pipelines.topics.boilerplate import BOILERPLATE
from pipelines.topics.function_words import FUNCTION_WORDS
from pipelines.topics.labels import HEADS
from pipelines.topics.matching import SLICE_ROWS, normalise, variants
from pipelines.topics.words import Tokens, fold_plurals, singulars, text_of_papers, tokenise

MIN_PAPERS = 5
"""A term stands in at least so many papers."""

MAX_TERMS = 5_000
"""Terms of a vocabulary, those in the most papers."""

MAX_SHARE = 0.5
"""A word in more than this share of papers is no name."""

MIN_COHESION = 0.35
"""Least NPMI between the two parts of a phrase."""

MIN_NAME_SHARE = 0.5
"""Least share of a word's occurrences that have a capital where no sentence starts."""

MIN_DEFINITION_SHARE = 0.6
"""Least share of an acronym's definitions that agree; else it means too many things."""

MIN_SINGULAR_SHARE = 0.1
"""Least share of a plural's papers in which its singular must stand."""

MAX_NESTED_SHARE = 0.75
MAX_DEFINED_SHARE = 0.4
"""A phrase or name that stands inside one longer phrase, or inside what an acronym is spelled out
as, in a larger share of its papers is no term. The second is smaller as it counts definitions."""

LOOK_BONUS = 4
"""When terms are too many, a word with the look of a name counts like a phrase in so many times
its papers."""

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

_AROUND = r"^(?:[a-z]+-)+|(?:-(?:[a-z]+|[0-9.]+[BMK]|Instruct|Chat|Base"
_AROUND += r"|Based|Generated|Driven|Powered|Guided|Enhanced|Aware|Assisted|Augmented|Free))+$"
"""What is not part of a name: LLM[-based], [text-to-]SQL, LLaMA[-7B]."""

_COINED = r"[A-Z][a-z0-9]*[A-Z]|[a-z][A-Z]|[A-Za-z]-?[0-9]|[0-9]-?[A-Z]|^[A-Z]-[A-Z][a-z]"
_NOT_COINED = r"^(?:[0-9.-]+[A-Za-z]{0,3}|[A-Za-z]-?[0-9.]+|[IVX]+|[a-z]{1,3}[0-9]+)$"
"""Sizes, ordinals and versions alone, Roman numerals: 7B, 3D, 2nd, R1, III, top1."""

_NAME = r"[a-z,] [A-Z][a-z]{2,}\b"
"""A capital where no sentence starts."""

_NUMBERED = re.compile("[0-9]")
_DIMENSIONS = frozenset(["2d", "3d", "4d", "6d"])
"""What holds a digit is part of a name (R1, 7B) and no word of a phrase, but for dimensions."""

_DEFINITION = r"(?:[A-Za-z0-9]+[ -]){0,7}[A-Za-z0-9]+ \([A-Z][A-Za-z0-9]{1,9}(?:-[A-Z0-9]+)?\)"
"""Words and an acronym behind them in parentheses."""

_NEVER = FUNCTION_WORDS | BOILERPLATE
_OPENERS = frozenset(
    ["cross", "few", "fine", "large", "low", "multi", "non", "pre", "real", "small"]
)
"""Words that are in no phrase; and those of them that may open one, as `HEADS` may end one."""


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


def kept_terms(
    before: pl.DataFrame | None, changed: pl.DataFrame, vocabulary: TermVocabulary
) -> pl.DataFrame | None:
    """Return the rows of `update_terms` that still hold; None when all papers must be read.

    `before` is what that returned last (None: nothing yet), `changed` has the paper_id of every
    paper that is new, changed or gone since. Rows of the others hold while the vocabulary stays.
    """
    if (
        before is None
        or before.is_empty()
        or (before["vocabulary_version"] != vocabulary.version).any()
    ):
        return None
    return before.join(changed, on="paper_id", how="anti")


def update_terms(
    kept: pl.DataFrame | None, papers: pl.DataFrame, vocabulary: TermVocabulary
) -> pl.DataFrame:
    """Return paper_id, term_id, n_mentions and vocabulary_version, sorted.

    Of the papers given, and of those whose rows are kept: none stands in both.
    """
    found = terms_of_papers(papers, vocabulary).select(
        "paper_id",
        "term_id",
        n_mentions="n",
        vocabulary_version=pl.lit(vocabulary.version, pl.String),
    )
    rows = found if kept is None else pl.concat([kept.select(found.columns), found])
    return rows.sort("paper_id", "term_id")


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
    """form, term, n, others: words with the look of a name, as most often written, and variants."""
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
        .sort("is_plural", "n", "word", descending=[False, True, False])
        .group_by("form", maintain_order=True)
        .agg(term=pl.col("word").first(), n=pl.col("n").sum(), times=pl.col("times").sum())
        .join(ordinary, on="form", how="left")
        # A title in capitals makes no name of a word that is written small elsewhere.
        .filter((pl.col("times") >= 0.5 * pl.col("total")).fill_null(value=True))
        .filter(~pl.col("form").is_in(list(_NEVER)))
        # U-Net is UNet.
        .with_columns(joined=pl.col("form").str.replace_all(" ", "", literal=True))
        .sort("n", "form", descending=[True, False])
        .group_by("joined", maintain_order=True)
        .agg(
            pl.col("form", "term").first(),
            n=pl.col("n").sum().cast(pl.Int64),
            others=pl.col("form").slice(1),
        )
        .filter(pl.col("n").is_between(min_papers, limit))
        .select("form", "term", "n", "others")
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
        .pipe(_folded)
        .filter(~pl.col("is_plural"))
        .select("form", term="word", n="n")
        .sort("form")
    )


def _folded(written: pl.DataFrame) -> pl.DataFrame:
    """The same rows, with a plural's form replaced by its singular's if that is there."""
    times = dict(written.group_by("form").agg(pl.col("n").sum()).iter_rows())
    # nuScenes is no plural though some write nuScene.
    single = {
        form: single
        for form, single in _singular_forms(times).items()
        if times[single] >= MIN_SINGULAR_SHARE * times[form]
    }
    return written.with_columns(
        pl.col("form").replace(single), is_plural=pl.col("form").is_in(list(single))
    )


def _phrases(tokens: Tokens, min_papers: int) -> pl.DataFrame:
    """form, term, n: two or three words that stand together more often than chance."""
    forms = tokens.forms
    last = fold_plurals(tokens)
    inner = np.array([_fits(form, _NEVER - _OPENERS) for form in forms], dtype=bool)
    middle = np.array([_fits(form, _NEVER) for form in forms], dtype=bool)
    final = np.array([_fits(form, _NEVER - HEADS) for form in forms], dtype=bool)
    times = np.bincount(tokens.code, minlength=len(forms))
    times_last = np.bincount(last[tokens.code], minlength=len(forms)) if len(forms) else times
    frame = pl.DataFrame(
        {
            "text": tokens.text,
            "a": tokens.code,
            "is_inner": inner[tokens.code] if len(forms) else np.zeros(0, dtype=bool),
            "is_middle": middle[tokens.code] if len(forms) else np.zeros(0, dtype=bool),
            "z": last[tokens.code] if len(forms) else np.zeros(0, dtype=np.int64),
            "is_final": final[tokens.code] if len(forms) else np.zeros(0, dtype=bool),
        }
    ).lazy()
    after = {
        f"{name}{step}": pl.col(name).shift(-step)
        for step in (1, 2)
        for name in ("text", "a", "is_middle", "z", "is_final")
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
            pl.col("is_middle1") & pl.col("is_final2") & (pl.col("text") == pl.col("text2"))
        )
        .group_by("a", "a1", b="z2")
        .agg(n=pl.col("text").n_unique().cast(pl.Int64), times=pl.len())
        .filter(pl.col("n") >= min_papers)
        .sort("a", "a1", "b")
    )
    raw = (
        beside.filter("is_middle1")
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


def _npmi(both: str, left: str, right: str, n: int) -> pl.Expr:
    share = pl.col(both) / n
    expected = pl.col(left) * pl.col(right) / n**2
    return (share / expected).log() / -share.log()


def _fits(form: str, never: frozenset[str]) -> bool:
    is_part_of_name = _NUMBERED.search(form) is not None and form not in _DIMENSIONS
    return len(form) > 1 and not is_part_of_name and form not in never


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

    The words whose initials it is, if there are; else the shortest end in which its letters and
    digits are found from the back in order, the first one at the start of a word, with at most two
    words more than letters.
    """
    letters = "".join(c for c in short.removesuffix("s").lower() if c.isalnum())
    starts = [m.start() for m in re.finditer(r"[A-Za-z0-9]+", words)]
    text = words.lower()
    if len(letters) <= len(starts):
        ends = starts[-len(letters) :]
        if "".join(text[at] for at in ends) == letters:
            return words[ends[0] :]
    at = len(text)
    for place in range(len(letters) - 1, -1, -1):
        at = text.rfind(letters[place], 0, at)
        while place == 0 and at > 0 and at not in starts:
            at = text.rfind(letters[0], 0, at)
        if at < 0:
            return None
    long = words[at:]
    n_words = sum(start >= at for start in starts)
    is_new = short.lower() not in re.split(r"[ -]", long.lower())
    return long if is_new and n_words <= len(letters) + 2 else None


def _assemble(
    coined: pl.DataFrame,
    names: pl.DataFrame,
    phrases: pl.DataFrame,
    definitions: pl.DataFrame,
    max_terms: int,
) -> pl.DataFrame:
    """`VOCABULARY_SCHEMA` of the most common terms, long forms joined with their acronyms."""
    found: dict[str, _Found] = {}
    for kind, frame in (("phrase", phrases), ("name", names), ("coined", coined)):
        for row in frame.iter_rows(named=True):
            found[row["form"]] = _Found(row["term"], kind, row["n"], row.get("others") or [])
    shorts = _join_definitions(found, definitions)
    nested = _nested(found, set(shorts.values()))
    rows = []
    for form, one in found.items():
        if form in shorts.values() or (one.kind != "coined" and form in nested):
            continue
        forms, term, kind, n, long_form = [form, *one.others], one.term, one.kind, one.n, None
        if form in shorts:
            long = found[shorts[form]]
            forms, kind, long_form = [*forms, shorts[form]], "acronym", long.term
            term, n = (long.term, long.n) if long.n > n else (term, n)
        wordings = {wording for each in forms for wording in variants(each)}
        rows.append((form.replace(" ", "-"), term, kind, long_form, n, sorted(wordings)))
    rows.sort(key=lambda row: (-row[4] * (1 if row[2] == "phrase" else LOOK_BONUS), row[0]))
    return pl.DataFrame(_distinct(rows[:max_terms]), schema=VOCABULARY_SCHEMA, orient="row").sort(
        "term_id"
    )


@dataclass(frozen=True)
class _Found:
    term: str
    kind: str
    n: int
    others: list[str]


_Row = tuple[str, str, str, str | None, int, list[str]]


def _join_definitions(found: dict[str, _Found], definitions: pl.DataFrame) -> dict[str, str]:
    """Acronym → the form that it is spelled out as; what is spelled out joins `found`.

    An acronym that means too many things leaves it.
    """
    shorts: dict[str, str] = {}
    for row in definitions.sort("n", "short_form", descending=[True, False]).iter_rows(named=True):
        short, long = row["short_form"], row["long_form"]
        if short not in found:
            continue
        if not row["is_clear"]:
            del found[short]
        elif " " in long and long not in shorts.values() and long not in shorts:
            known = found.get(long)
            n = max(row["n"], known.n if known else 0)
            found[long] = _Found(row["long"], "phrase", n, [])
            shorts[short] = long
    return shorts


def _distinct(rows: list[_Row]) -> list[_Row]:
    """The rows, each wording with the first that has it."""
    taken: set[str] = set()
    kept: list[_Row] = []
    for term_id, term, kind, long_form, n, wordings in rows:
        own = [wording for wording in wordings if wording not in taken]
        if own:
            taken.update(own)
            kept.append((term_id, term, kind, long_form, n, own))
    return kept


def _nested(found: dict[str, _Found], defined: set[str]) -> set[str]:
    """Forms that mostly stand inside one longer form."""
    inside: set[str] = set()
    for form, one in found.items():
        limit = MAX_DEFINED_SHARE if form in defined else MAX_NESTED_SHARE
        words = form.split(" ") if one.kind == "phrase" else []
        for length in range(1, len(words)):
            for start in range(len(words) - length + 1):
                part = " ".join(words[start : start + length])
                if part in found and one.n > limit * found[part].n:
                    inside.add(part)
    return inside
