"""Made-up papers about four subjects, for the tests of discovered topics."""

from __future__ import annotations

import random

import polars as pl

_WORDS = """
robots: robot grasp gripper manipulation arm tactile policy object contact force
speech: speech speaker acoustic transcription voice phoneme audio word noise whisper
clinic: patient tumor scan lesion clinical diagnosis hospital organ tissue mri
graphs: graph node edge neighbour spectral laplacian message passing molecule link
"""
SUBJECTS = {
    name: words.split()
    for name, _, words in (line.partition(":") for line in _WORDS.strip().splitlines())
}
PAPER_SCHEMA = {
    "paper_id": pl.String,
    "title": pl.String,
    "abstract": pl.String,
    "keywords": pl.List(pl.String),
}


def make_papers(n: int = 160, *, seed: int = 1, without_abstract: float = 0.0) -> pl.DataFrame:
    """Papers p000, p001, … whose subject is the name of `SUBJECTS` at their number modulo 4."""
    draw = random.Random(seed)  # noqa: S311
    rows = []
    for at in range(n):
        words = list(SUBJECTS.values())[at % len(SUBJECTS)]
        title = " ".join(draw.sample(words, 3))
        sentences = [" ".join(["we study the", *draw.sample(words, 4)]) for _ in range(4)]
        has_abstract = draw.random() >= without_abstract
        rows.append(
            (
                f"p{at:03d}",
                title.capitalize(),
                ". ".join(sentences) + "." if has_abstract else None,
                None if has_abstract else draw.sample(words, 4),
            )
        )
    return pl.DataFrame(rows, schema=PAPER_SCHEMA, orient="row")


def subject_of(paper_id: str) -> int:
    """The subject's number of a paper that `make_papers` made."""
    return int(paper_id[1:]) % len(SUBJECTS)
