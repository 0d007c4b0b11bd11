"""Phrases as written in texts: whole noun phrases for labels.

Belongs here: how a phrase is used in texts, completing it, refusing fragments, names and verbs, its
usual spelling. Does not belong here: choosing the phrases of a topic (`labels.py`).

The vocabulary has words and pairs of adjacent words in normal form. "resource language" is a part
of "low-resource language", "retrieval augmented" of "retrieval-augmented generation", and "gpt 4o"
a name. The words before and after a phrase show this without a parser or a dictionary.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat

from pipelines.topics.boilerplate import BOILERPLATE
from pipelines.topics.function_words import FUNCTION_WORDS
from pipelines.topics.words import Vocabulary

MAX_WORDS = 4
"""Longest phrase."""

COMPLETING_SHARE = 0.5
"""A neighbour in this share of a phrase's uses belongs to it."""

FRAGMENT_SHARE = 0.4
"""A phrase that follows or precedes a hyphen in this share of its uses is a part of compounds."""

MODIFIER_SHARE = 0.6
"""A phrase that precedes content words in this share of its uses modifies them: "zero shot"."""

COMPOUND_SHARE = 0.5
"""A compound with hyphens that precedes any content word in this share of its uses modifies it."""

VERB_SHARE = 0.1
PHRASE_VERB_SHARE = 0.3
"""A word, or phrase, after "to", "can" and the like in this share of its uses is a verb."""

NAME_SHARE = 0.5
"""A word is a name if capitals inside it ("ImageNet") make up this share of its uses."""

VERSION_SHARE = 0.05
"""A capitalised word is the name of a model if a version follows in this share of its uses."""

SMALL_SHARE = 0.1
"""A word is written in small letters if this share of its uses is. Titles use capitals."""

MIN_USES = 2
"""A phrase with fewer uses says nothing."""

_BEFORE = re.compile(r"((?:[^\W_]+(?:[ \n]+|[-‐‑–])of|[^\W_]+))([ \n]+|[-‐‑–])$")
"""The word before, or a word and "of": "mixture of" before "experts"."""
_AFTER = re.compile(r"([ \n]+|[-‐‑–])([^\W_]+)")
_VERSION = re.compile(r"(?:[ -]?v?\d|-[A-Z]?\d)")
_SEPARATOR = re.compile(r"([\s\-‐‑–]+)")
_DIMENSION = re.compile(r"\d+d")
_CONTEXT = 40
"""Characters before and after a phrase that are read."""

_VERB_MARKERS = frozenset(
    ["to", "can", "could", "will", "would", "may", "might", "must", "cannot", "we", "they"]
)
_ENDS_PHRASE = FUNCTION_WORDS | BOILERPLATE


@dataclass(frozen=True)
class _Use:
    """One occurrence of a phrase."""

    written: str
    before: str
    """The word before it, or a word and "of", in lower case; "" if there is none."""
    is_joined_before: bool
    """Whether a hyphen joins it to the word before."""
    after: str
    is_joined_after: bool
    has_version: bool


class Phrases:
    """Reads the uses of phrases in the texts that the vocabulary was counted in."""

    def __init__(self, texts: Sequence[str | None], vocabulary: Vocabulary) -> None:
        self._texts = [text or "" for text in texts]
        self._small = [text.lower() for text in self._texts]
        self._forms: dict[str, list[str]] = {}
        for form, word in zip(vocabulary.forms, vocabulary.form_word, strict=True):
            self._forms.setdefault(vocabulary.words[word], []).append(form)
        self._word_of = {
            form: vocabulary.words[word]
            for form, word in zip(vocabulary.forms, vocabulary.form_word, strict=True)
        }
        self._names: dict[str, bool] = {}

    def whole(self, phrase: str, rows: Sequence[int]) -> str | None:
        """Return the noun phrase that a phrase of the vocabulary is a part of, or is, as written.

        `rows` are the positions of the texts to read. None if it is a fragment of several phrases,
        a modifier, a verb, or contains the name of a model or data set.
        """
        words = phrase.split(" ")
        uses = self._uses(words, rows)
        while len(uses) >= MIN_USES and len(words) < MAX_WORDS:
            longer = _completed(words, uses)
            if longer is None:
                break
            words, uses = longer, self._uses(longer, rows)
        if len(uses) < MIN_USES or _is_fragment(words, uses):
            return None
        if any(map(self._is_name, words, repeat(rows))):
            return None
        parts = _usual_spelling(uses)
        parts[::2] = [self._cased(part, rows) for part in parts[::2]]
        # An acronym or a proper noun alone ("TTS", "English") says little.
        return "".join(parts) if len(words) > 1 or parts[0].islower() else None

    def _uses(self, words: Sequence[str], rows: Sequence[int]) -> list[_Use]:
        parts = ["|".join(map(re.escape, self._forms.get(one, [one]))) for one in (*words,)]
        pattern = re.compile(r"\b" + r"[\s\-‐‑–]+".join(f"(?:{part})" for part in parts) + r"\b")
        found = []
        for row in rows:
            text, small = self._texts[row], self._small[row]
            text = text if len(text) == len(small) else small
            for match in pattern.finditer(small):
                start, end = match.span()
                before = _BEFORE.search(small[max(start - _CONTEXT, 0) : start])
                after = _AFTER.match(small, end, end + _CONTEXT)
                found.append(
                    _Use(
                        text[start:end],
                        self._word(_SEPARATOR.sub(" ", before[1])) if before else "",
                        bool(before and before[2].strip()),
                        self._word(after[2]) if after else "",
                        bool(after and after[1].strip()),
                        bool(_VERSION.match(text, end)),
                    )
                )
        return found

    def _cased(self, form: str, rows: Sequence[int]) -> str:
        """A word in small letters if these are common, else in its most common letters."""
        word = self._word(form)
        cases = Counter(use.written for use in self._uses([word], rows))
        own = {case: n for case, n in cases.items() if case.lower() == form}
        if own.get(form, 0) >= SMALL_SHARE * sum(own.values()):
            return form
        return min(own, key=lambda case: (-own[case], case), default=form)

    def _word(self, form: str) -> str:
        """The word of the vocabulary that a form counts as, or the form."""
        return self._word_of.get(form, form)

    def _is_name(self, word: str, rows: Sequence[int]) -> bool:
        """Whether a word names a model, a data set or a version: "ImageNet", "Qwen", "4o"."""
        if any(map(str.isdigit, word)):
            return not _DIMENSION.fullmatch(word)
        if word not in self._names:
            self._names[word] = _looks_like_a_name(self._uses([word], rows))
        return self._names[word]


def _looks_like_a_name(uses: Sequence[_Use]) -> bool:
    if not uses:
        return False
    n_inner = sum(
        any(map(str.isupper, use.written[1:])) and any(map(str.islower, use.written.rstrip("s")))
        for use in uses
    )
    capital = [use for use in uses if use.written[:1].isupper()]
    n_versions = sum(use.has_version for use in capital)
    return n_inner >= NAME_SHARE * len(uses) or (
        len(capital) >= NAME_SHARE * len(uses) and n_versions >= VERSION_SHARE * len(uses)
    )


def _completed(words: list[str], uses: Sequence[_Use]) -> list[str] | None:
    """The phrase with the neighbour that nearly always is next to it, or None."""
    least = COMPLETING_SHARE * len(uses)
    before, n_before = _most_common(use.before for use in uses)
    n_joined = sum(use.is_joined_before for use in uses if use.before == before)
    added = before.split(" ")
    is_bound = added[0] not in FUNCTION_WORDS or n_joined >= least / 2
    if n_before >= least and is_bound and not {*added, before} & {*words}:
        return [*added, *words]
    after, n_after = _most_common(use.after for use in uses)
    n_joined = sum(use.is_joined_after for use in uses if use.after == after)
    is_bound = after not in FUNCTION_WORDS or n_joined >= least / 2
    if n_after >= least and is_bound and words.count(after) == 0:
        return [*words, after]
    return None


def _most_common(words: Iterable[str]) -> tuple[str, int]:
    """The most common word and how often it occurs, without ""."""
    counted = Counter(filter(None, words))
    return min(counted.items(), key=lambda one: (-one[1], one[0]), default=("", 0))


def _is_fragment(words: Sequence[str], uses: Sequence[_Use]) -> bool:
    """Whether the phrase is a part of compounds, a modifier or a verb."""
    n_uses = len(uses)
    n_joined = max(
        # "text-to-video generation" is a kind of video generation.
        sum(use.is_joined_before and use.before != "to" for use in uses),
        sum(use.is_joined_after for use in uses),
    )
    n_modifying = sum(bool(use.after) and use.after not in _ENDS_PHRASE for use in uses)
    n_followed = sum(bool(use.after) and use.after not in FUNCTION_WORDS for use in uses)
    n_compounds = sum(len(words) > 1 and not re.search(r"\s", use.written) for use in uses)
    n_verbs = sum(use.before in _VERB_MARKERS and not use.is_joined_before for use in uses)
    return (
        words[-1] in FUNCTION_WORDS
        or n_joined >= FRAGMENT_SHARE * n_uses
        or n_modifying >= MODIFIER_SHARE * n_uses
        or (n_compounds > n_uses / 2 and n_followed >= COMPOUND_SHARE * n_uses)
        or n_verbs >= (PHRASE_VERB_SHARE if len(words) > 1 else VERB_SHARE) * n_uses
    )


def _usual_spelling(uses: Sequence[_Use]) -> list[str]:
    """The most common spelling: words and, between them, spaces or hyphens."""
    spelled = Counter(re.sub(r"\s+", " ", use.written.lower()) for use in uses)
    usual = min(spelled, key=lambda written: (-spelled[written], written))
    return _SEPARATOR.split(usual)
