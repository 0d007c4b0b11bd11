"""Known counts of the corpus of real captures, and mutations of it that parsers must survive."""

from __future__ import annotations

import gzip
import io
import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.archive.archive import Archive, Received
from pipelines.intake.sidecar import sidecar_facts
from pipelines.lake import items
from pipelines.parsing import (
    arxiv_atom,
    arxiv_snapshot,
    listing_api,
    listing_html,
    listing_text,
)
from pipelines.parsing.records import Hints, Parsed
from pipelines.settings import Settings
from tests.fixtures.listings import assert_sound

pytestmark = pytest.mark.contracts

HINTS = Hints(datetime(2026, 7, 1, tzinfo=UTC))
PAGE = Path("hf_page") / "000_ab8512f849349c72.txt"
HTML = Path("hf_page") / "papers-2024-08-01.html"
ATOM = Path("arxiv") / "atom-2025-10-17.xml"
DUMP = Path("arxiv") / "arxiv-metadata-2025.jsonl.gz"


def body_of(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@pytest.fixture(scope="module")
def founding_page(corpus: Path) -> Parsed:
    return listing_text.parse(body_of(corpus / PAGE), HINTS)


def test_the_founding_page_is_read_whole(founding_page: Parsed) -> None:
    assert_sound(founding_page)
    assert (founding_page.n_seen, founding_page.items.height) == (71, 71)
    assert founding_page.items["position"].to_list() == list(range(1, 72))
    assert founding_page.items["abstract"].null_count() == 0


def test_its_missing_years_are_inferred_by_a_rule(founding_page: Parsed) -> None:
    frame = founding_page.items
    inferred = frame.filter(pl.col("published_on_basis") == "page_date_year_after_largest_printed")
    assert inferred.height == 21
    assert set(inferred["published_on"].dt.year()) == {2025}
    assert Counter(frame["published_on"].dt.year().to_list()) == {
        2015: 1, 2019: 2, 2020: 2, 2021: 8, 2022: 7, 2023: 15, 2024: 15, 2025: 21,
    }  # fmt: skip
    (rule,) = (rule for rule in founding_page.rules if rule.startswith("year_inferred"))
    assert "2025" in rule
    assert "2024 plus one" in rule
    assert "(21)" in rule


def test_its_comments_and_author_counts(founding_page: Parsed) -> None:
    frame = founding_page.items
    assert sorted(frame["comments"].drop_nulls()) == [1, 1, 1, 1, 2, 2, 3]
    assert (frame["n_authors"].min(), frame["n_authors"].max()) == (1, 12)
    assert frame["n_authors"].median() == 5
    assert frame["upvotes"].null_count() == 71


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(Settings(home=tmp_path))


def receive(archive: Archive, path: Path) -> Received:
    given = sidecar_facts(path.parent).get(path.name, {})
    with path.open("rb") as stream:
        return archive.receive(stream, str(path), given)


def test_the_founding_page_is_a_search(corpus: Path, archive: Archive) -> None:
    received = receive(archive, corpus / PAGE)
    facts = items.load(archive, received.receipt, archive.home / "items")
    assert facts["listing_kind"] == "search"
    assert "2015 to 2025" in facts["listing_kind_rule"]
    assert facts["listed_on"] is None
    assert facts["captured_at"] == "2025-11-06T00:00:00"
    assert (facts["n_seen"], facts["n_accepted"], facts["n_quarantined"]) == (71, 71, 0)


def test_the_page_with_crlf_and_byte_order_mark_is_the_same(
    corpus: Path, founding_page: Parsed
) -> None:
    body = b"\xef\xbb\xbf" + body_of(corpus / PAGE).replace(b"\n", b"\r\n")
    assert listing_text.parse(body, HINTS).items.equals(founding_page.items)


def test_the_page_cut_at_any_line_keeps_the_complete_cards_before_it(
    corpus: Path, founding_page: Parsed
) -> None:
    hints = Hints(HINTS.received_at, captured_on=date(2025, 11, 6))
    shown = ["title", "abstract", "n_authors", "published_on"]
    whole = founding_page.items.select(shown)
    lines = body_of(corpus / PAGE).splitlines(keepends=True)
    closing = [re.match(rb"\s*\S+ \d+ authors$", line) is not None for line in lines]
    first = closing.index(True)
    for number in range(first + 1, len(lines), 3):
        parsed = listing_text.parse(b"".join(lines[:number]), hints)
        n_begun = sum(closing[:number])
        assert n_begun - 1 <= parsed.items.height <= n_begun
        assert parsed.items.select(shown).equals(whole.head(parsed.items.height))
        assert parsed.n_seen <= n_begun + 1


@pytest.mark.parametrize(("folder", "n_items"), [("hf_api", 6_373), ("hf_api_later", 2_988)])
def test_every_api_item_is_accepted(corpus: Path, folder: str, n_items: int) -> None:
    n_seen, papers = 0, 0
    for path in sorted((corpus / folder).glob("*.json.gz")):
        parsed = listing_api.parse(body_of(path), HINTS)
        assert parsed.rejects == (), path.name
        n_seen += parsed.n_seen
        papers += parsed.items["arxiv_id"].n_unique()
    assert n_seen == n_items
    assert papers <= n_items


def test_bodies_that_are_not_listings_are_rejected(corpus: Path) -> None:
    paths = sorted(path for path in (corpus / "hf_api_bad").iterdir() if path.suffix == ".gz")
    assert paths
    for path in paths:
        parsed = listing_api.parse(body_of(path), HINTS)
        assert_sound(parsed)
        assert parsed.items.height == 0
        assert parsed.rejects, path.name


def test_the_html_page_is_the_same_by_props_and_by_cards(corpus: Path) -> None:
    body = body_of(corpus / HTML)
    by_props = listing_html.parse(body, HINTS)
    broken = body.replace(b'data-props="{&quot;', b'data-props="{broken')
    assert broken != body
    by_cards = listing_html.parse(broken, HINTS)
    shown = ["arxiv_id", "title", "n_authors", "upvotes", "comments"]
    assert by_props.items.height == 13
    assert by_props.listed_on == date(2024, 8, 1)
    assert by_cards.items.select(shown).equals(by_props.items.select(shown))
    assert by_cards.rules[0].startswith("article_cards")


def test_the_atom_answer_holds_two_entries(corpus: Path) -> None:
    parsed = arxiv_atom.parse(body_of(corpus / ATOM), HINTS)
    assert (parsed.n_seen, parsed.items.height) == (2, 2)
    assert parsed.captured_on is not None


def test_the_arxiv_file_is_read_whole(corpus: Path) -> None:
    n_rows, n_rejects, ids, most = 0, 0, set[str](), 0
    basis: Counter[str] = Counter()
    with gzip.open(corpus / DUMP) as stream:
        for part in arxiv_snapshot.parse(stream, HINTS):  # type: ignore[arg-type]
            n_rows += part.items.height
            n_rejects += len(part.rejects)
            ids.update(part.items["arxiv_id"])
            most = max(most, part.items["n_authors"].max() or 0)  # type: ignore[type-var, assignment]
            basis.update(part.items["published_on_basis"].to_list())
            assert part.items["published_on"].null_count() == 0
            assert part.items["announced_on"].null_count() == 0
    assert (n_rows, n_rejects, len(ids)) == (74_234, 0, 47_459)
    assert most == 3_303
    # 56,714 rows have no versions, and 4,285 have only later ones.
    assert basis["arxiv_id_month"] == 56_714 + 4_285


@pytest.mark.parametrize(
    ("path", "day", "basis"),
    [
        ("hf_api/2024-05-27.json.gz", "2024-05-27", "captures.csv"),
        ("hf_api/2025-06-25.json.gz", "2025-06-25", "captures.csv"),
        ("hf_page/papers-2024-08-01.html", "2024-08-01", "page_date"),
    ],
)
def test_days_of_lists(corpus: Path, archive: Archive, path: str, day: str, basis: str) -> None:
    received = receive(archive, corpus / path)
    facts = items.load(archive, received.receipt, archive.home / "items")
    assert (str(facts["listed_on"]), facts["listed_on_basis"]) == (day, basis)
    assert facts["listing_kind"] == "daily"
    assert facts["n_quarantined"] == 0


def test_every_name_in_captures_csv_is_a_file(corpus: Path) -> None:
    facts = sidecar_facts(corpus / "hf_api")
    assert len(facts) == 432
    assert {path.name for path in (corpus / "hf_api").glob("*.json.gz")} == facts.keys()


SPICE = (
    b"\0",
    b"\xff",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"<",
    b">",
    b"\n",
    b"\r",
    b"NaN",
)


def mutate(body: bytes, rng: random.Random) -> bytes:
    """The body with one to four parts replaced, removed, repeated, flipped or cut off."""
    changed = bytearray(body)
    for _ in range(rng.randint(1, 4)):
        at, length = rng.randrange(len(changed) + 1), rng.choice((0, 1, 1, 8, 200))
        match rng.randrange(5):
            case 0:
                changed[at : at + length] = rng.choice(SPICE)
            case 1:
                del changed[at : at + length]
            case 2:
                changed[at:at] = changed[at : at + length]
            case 3 if at < len(changed):
                changed[at] ^= 1 << rng.randrange(8)
            case _:
                del changed[max(at, len(changed) // 4) :]
    return bytes(changed)


def snapshot(body: bytes, hints: Hints) -> Parsed:
    parts = list(arxiv_snapshot.parse(io.BytesIO(body), hints))
    rejects = tuple(reject for part in parts for reject in part.rejects)
    if not parts:
        return listing_api.parse(b"[]", hints)
    return Parsed(pl.concat([part.items for part in parts]), rejects)


def head_of_dump(path: Path) -> bytes:
    with gzip.open(path) as stream:
        return b"".join(stream.readline() for _ in range(40))


@pytest.mark.parametrize(
    ("path", "read", "parse", "n"),
    [
        pytest.param(PAGE, body_of, listing_text.parse, 150, id="text"),
        pytest.param(HTML, body_of, listing_html.parse, 100, id="html"),
        pytest.param("hf_api/2024-05-27.json.gz", body_of, listing_api.parse, 100, id="api 2024"),
        pytest.param("hf_api/2025-12-31.json.gz", body_of, listing_api.parse, 100, id="api 2025"),
        pytest.param(ATOM, body_of, arxiv_atom.parse, 150, id="atom"),
        pytest.param(DUMP, head_of_dump, snapshot, 100, id="arxiv"),
    ],
)
def test_mutated_captures_raise_no_exception(
    corpus: Path,
    path: Path | str,
    read: Callable[[Path], bytes],
    parse: Callable[[bytes, Hints], Parsed],
    n: int,
) -> None:
    body = read(corpus / path)
    n_seen = parse(body, HINTS).n_seen
    rng: Any = random.Random(f"{path}")  # noqa: S311  a fixed seed, not a secret
    for _ in range(n):
        parsed = parse(mutate(body, rng), HINTS)
        assert_sound(parsed)
        assert parsed.n_seen <= n_seen + 8  # damage may split items, but not multiply them
