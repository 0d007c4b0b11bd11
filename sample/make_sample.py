"""Writes the API part of the bundled sample, a facts-only extract of a corpus of captures.

The sample has one file per listing day, in the shape of a response of `GET /api/daily_papers`: the
union of all captures of that day, with each paper as in its newest capture. It keeps facts (ids,
titles, author names, dates, counts, keywords, links), and leaves out abstracts, generated
summaries, users and media. The same corpus always gives the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CAPTURE_DIRS = ("hf_api", "hf_api_later")
ITEM_FACTS = ("publishedAt", "title", "numComments")
PAPER_FACTS = (
    "id",
    "title",
    "publishedAt",
    "authors",
    "upvotes",
    "submittedOnDailyAt",
    "githubRepo",
    "githubStars",
    "projectPage",
    "ai_keywords",
    "organization",
)
ORGANIZATION_FACTS = ("name", "fullname")

Json = dict[str, Any]


@dataclass(frozen=True)
class Capture:
    """A stored response: its file, the day it lists, and its time of capture."""

    path: Path
    listed_on: str
    captured_at: datetime


@dataclass(frozen=True)
class Summary:
    """Counts of what was written; a paper that is listed on two days is two listings."""

    n_days: int
    n_listings: int
    n_papers: int
    n_bytes: int


def read_captures(corpus: Path) -> dict[str, list[Capture]]:
    """Day → its captures, newest first; days in order."""
    days: dict[str, list[Capture]] = {}
    for folder in CAPTURE_DIRS:
        with (corpus / folder / "captures.csv").open(encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle):
                capture = Capture(
                    path=corpus / folder / row["file"],
                    listed_on=row["listing_date"],
                    captured_at=datetime.fromisoformat(row["captured_at"]).astimezone(UTC),
                )
                days.setdefault(capture.listed_on, []).append(capture)
    for captures in days.values():
        captures.sort(key=lambda c: (c.captured_at, c.path.parent.name, c.path.name), reverse=True)
    return dict(sorted(days.items()))


def select(source: Mapping[str, Any], keys: Iterable[str]) -> Json:
    """The keys that are not missing or null, in the given order."""
    return {key: source[key] for key in keys if source.get(key) is not None}


def author_facts(author: Mapping[str, Any]) -> Json:
    """The printed name, and `hidden` for a hidden author."""
    facts: Json = {"name": author["name"]}
    if author.get("hidden") is True:
        facts["hidden"] = True
    return facts


def item_facts(item: Mapping[str, Any]) -> Json:
    """The facts of one item of a listing."""
    paper = select(item["paper"], PAPER_FACTS)
    if "authors" in paper:
        paper["authors"] = [author_facts(author) for author in paper["authors"]]
    if "organization" in paper:
        paper["organization"] = select(paper["organization"], ORGANIZATION_FACTS)
    return {"paper": paper, **select(item, ITEM_FACTS)}


def fill_in(newer: Json, older: Json) -> Json:
    """`newer` with the fields that only `older` has, in the usual order."""
    paper = select({**older["paper"], **newer["paper"]}, PAPER_FACTS)
    return {"paper": paper, **select({**older, **newer}, ITEM_FACTS)}


def merge_day(captures: Iterable[Capture]) -> list[Json]:
    """The union of a day's captures, which are given newest first.

    The order is that of the newest capture, followed by papers that only older captures list.
    """
    merged: dict[str, Json] = {}
    for capture in captures:
        for raw in json.loads(gzip.decompress(capture.path.read_bytes())):
            item = item_facts(raw)
            key = item["paper"]["id"]
            merged[key] = fill_in(merged[key], item) if key in merged else item
    return list(merged.values())


def encode(items: list[Json]) -> bytes:
    """Gzipped compact JSON, without a name or time in the gzip header."""
    text = json.dumps(items, ensure_ascii=False, separators=(",", ":"))
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as handle:
        handle.write(text.encode("utf-8"))
    return buffer.getvalue()


def write_sample(corpus: Path, out: Path) -> Summary:
    """Write `hf_api/` in `out` and delete files of days that the corpus no longer has."""
    target = out / "hf_api"
    target.mkdir(parents=True, exist_ok=True)
    rows = ["file,listing_date,captured_at,is_last"]
    written: set[str] = set()
    papers: set[str] = set()
    n_listings = 0
    n_bytes = 0
    for day, captures in read_captures(corpus).items():
        items = merge_day(captures)
        content = encode(items)
        name = f"{day}.json.gz"
        (target / name).write_bytes(content)
        rows.append(f"{name},{day},{captures[0].captured_at.isoformat()},1")
        written.add(name)
        papers.update(item["paper"]["id"] for item in items)
        n_listings += len(items)
        n_bytes += len(content)
    for path in target.glob("*.json.gz"):
        if path.name not in written:
            path.unlink()
    table = ("\n".join(rows) + "\n").encode("utf-8")
    (target / "captures.csv").write_bytes(table)
    return Summary(len(written), n_listings, len(papers), n_bytes + len(table))


def main() -> None:
    """Write the sample for the command-line arguments."""
    default_corpus = os.environ.get("PAPERTIDE_CORPUS") or str(ROOT.parent / "shared" / "corpus")
    parser = argparse.ArgumentParser(description="Write the API part of the bundled sample.")
    parser.add_argument(
        "--corpus", type=Path, default=Path(default_corpus), help="folder of the corpus"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "sample", help="folder to write")
    args = parser.parse_args()
    if not (args.corpus / "hf_api" / "captures.csv").is_file():
        parser.error(f"no corpus at {args.corpus}: set PAPERTIDE_CORPUS or give --corpus")
    done = write_sample(args.corpus, args.out)
    print(
        f"{done.n_days} days, {done.n_listings} listings of {done.n_papers} papers, "
        f"{done.n_bytes} bytes in {args.out / 'hf_api'}"
    )


if __name__ == "__main__":
    main()
