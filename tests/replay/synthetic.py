"""Synthetic papers in the API's format, for benchmarks and tests without the corpus.

The same seed and day give the same bytes on every machine.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

FIRST_DAY = date(2023, 5, 4)  # the first day that the real API lists
SUBJECTS = (
    "diffusion models", "large language models", "reinforcement learning", "graph neural networks",
    "vision transformers", "retrieval augmented generation", "speech recognition",
    "federated learning", "mixture of experts", "image segmentation", "protein structure",
    "knowledge distillation", "text to video", "robot manipulation", "code generation",
    "time series forecasting",
)  # fmt: skip
ADVERBS = ("Efficient", "Robust", "Scalable", "Simple", "Adaptive", "Calibrated", "Sparse", "Fast")
AIMS = (
    "low resources", "long contexts", "noisy labels", "few examples", "new domains",
    "small devices", "open worlds", "hard reasoning",
)  # fmt: skip
TEXT = (
    "we study a method that learns from data and report results on several public benchmarks "
    "the model improves accuracy while using less memory and time than earlier work because its "
    "training objective rewards careful use of context an ablation shows which part matters most"
)
GIVEN = (
    "Ada",
    "Bo",
    "Chen",
    "Dina",
    "Emil",
    "Fatima",
    "Goran",
    "Hana",
    "Ivo",
    "Jun",
    "Kofi",
    "Lea",
)
FAMILY = ("Ahn", "Berg", "Costa", "Diaz", "Evans", "Fischer", "Gupta", "Huang", "Ito", "Jansen")
WORDS = TEXT.split()
MAX_PER_DAY = 3_000  # so that the days of a month share no arXiv id


def listing(day: date, n_papers: int, seed: int = 0) -> bytes:
    """The response for a day with this many papers."""
    return json.dumps(items(day, n_papers, seed)).encode()


def items(day: date, n_papers: int, seed: int = 0) -> list[dict[str, Any]]:
    """The items of a day; a shorter list is a prefix of a longer one."""
    if n_papers > MAX_PER_DAY:
        raise ValueError(f"at most {MAX_PER_DAY} papers fit into a day")
    chance = random.Random(f"{seed} {day}")  # noqa: S311
    return [_item(day, number, chance) for number in range(n_papers)]


def _item(day: date, number: int, chance: random.Random) -> dict[str, Any]:
    subject, adverb, aim = (chance.choice(words) for words in (SUBJECTS, ADVERBS, AIMS))
    title = f"{adverb} {subject.title()} for {aim.title()} {day:%y%m%d}-{number}"
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    published = midnight + timedelta(days=-chance.randint(0, 9), seconds=chance.randint(0, 86_399))
    stamp = f"{published:%Y-%m-%dT%H:%M:%S}.000Z"
    summary = " ".join(chance.choices(WORDS, k=chance.randint(90, 180)))
    return {
        "paper": {
            "id": f"{day:%y%m}.{day.day * MAX_PER_DAY + number:05}",
            "authors": [_author(chance) for _ in range(min(12, 1 + chance.getrandbits(3)))],
            "publishedAt": stamp,
            "title": title,
            "summary": f"{adverb} {subject} for {aim}: {summary}.",
            "upvotes": int(chance.paretovariate(1.2)),
            "ai_keywords": [subject],
        },
        "publishedAt": stamp,
        "title": title,
        "numComments": chance.randint(0, 3),
    }


def _author(chance: random.Random) -> dict[str, Any]:
    name = f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}"
    return {"_id": f"{chance.getrandbits(96):024x}", "name": name, "hidden": False}


class SyntheticListings:
    """Lists of all weekdays from `first` to `until`, with `n_papers` papers in total."""

    def __init__(self, n_papers: int, until: date, first: date = FIRST_DAY, seed: int = 0) -> None:
        span = ((until - first).days + 1) if until >= first else 0
        all_days = (first + timedelta(days=n) for n in range(span))
        self.days = [day for day in all_days if day.weekday() < 5]
        self._seed = seed
        share, rest = divmod(n_papers, max(1, len(self.days)))
        self._counts = {day: share + (n < rest) for n, day in enumerate(self.days)}

    def items(self, day: date, at: datetime) -> list[Any] | None:
        n = self._counts.get(day)
        return None if n is None else items(day, n, self._seed)
