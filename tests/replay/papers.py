"""The arXiv papers of the server: rows of the corpus, or rows given by a test."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from tests.replay.oai_xml import Row, sets


@dataclass(frozen=True)
class _Known:
    datestamp: str
    sets: tuple[str, ...]
    title: str
    line: bytes


class ArxivPapers:
    """The newest row of each id, loaded on first use."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        lines = [orjson.dumps(row) for row in rows]
        self._read: Callable[[], Iterable[bytes]] = lambda: lines
        self._lock = threading.Lock()
        self._papers: dict[str, _Known] | None = None

    @classmethod
    def of_corpus(cls, corpus: Path, at_most: int | None = None) -> ArxivPapers:
        """The first `at_most` arXiv rows of the corpus (loading all takes seconds)."""
        path = corpus / "arxiv" / "arxiv-metadata-2025.jsonl.gz"

        def read() -> Iterable[bytes]:
            with gzip.open(path) as lines:
                yield from islice(lines, at_most)

        papers = cls()
        papers._read = read
        return papers

    def _loaded(self) -> dict[str, _Known]:
        with self._lock:
            if self._papers is None:
                found: dict[str, _Known] = {}
                for line in self._read():
                    row = orjson.loads(line)
                    known = found.get(row["id"])
                    if known is None or known.datestamp <= row["update_date"]:
                        found[row["id"]] = _known(row, line)
                self._papers = dict(sorted(found.items(), key=lambda p: (p[1].datestamp, p[0])))
            return self._papers

    def get(self, arxiv_id: str) -> dict[str, Any] | None:
        known = self._loaded().get(arxiv_id)
        return orjson.loads(known.line) if known else None

    def changed(self, from_on: date, until_on: date, set_spec: str | None) -> list[str]:
        """Ids in harvest order: by datestamp, then id."""
        first, last = from_on.isoformat(), until_on.isoformat()
        return [
            arxiv_id
            for arxiv_id, known in self._loaded().items()
            if first <= known.datestamp <= last
            and (
                set_spec is None
                or any(f"{spec}:".startswith(f"{set_spec}:") for spec in known.sets)
            )
        ]

    def titled(self, words: str, at_most: int) -> list[str]:
        """Ids of papers whose title has these words in sequence, ignoring punctuation."""
        phrase = f" {_plain(words)} "
        found = (i for i, known in self._loaded().items() if phrase in f" {known.title} ")
        return [arxiv_id for arxiv_id, _ in zip(found, range(at_most), strict=False)]

    def set_specs(self) -> list[str]:
        return sorted({spec for known in self._loaded().values() for spec in known.sets})


def _known(row: Row, line: bytes) -> _Known:
    return _Known(row["update_date"], tuple(sets(row)), _plain(row["title"]), line)


def _plain(text: str) -> str:
    letters = "".join(c if c.isalnum() else " " for c in text.lower())
    return " ".join(letters.split())
