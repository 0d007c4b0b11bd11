"""Properties of every parser on any bytes: no exception, and every item accepted or rejected."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.parsing import (
    arxiv_array,
    arxiv_atom,
    arxiv_feed,
    arxiv_list_html,
    arxiv_list_text,
    arxiv_mail,
    arxiv_oai,
    arxiv_snapshot,
    formats,
    listing_api,
    listing_html,
    listing_text,
)
from pipelines.parsing.clean import clean_text, title_key
from pipelines.parsing.head import HEAD_BYTES
from pipelines.parsing.listing_kind import infer_kind
from pipelines.parsing.records import Parsed
from tests.fixtures.listings import (
    ABSTRACT,
    HINTS,
    api,
    article,
    assert_sound,
    atom,
    card,
    entry,
    html_page,
    item,
    jsonl,
    page,
    record,
)
from tests.replay import oai_xml
from tests.unit import test_arxiv_feeds as feeds
from tests.unit import test_arxiv_lists as lists

pytestmark = pytest.mark.unit


def bounded(max_examples: int) -> settings:
    """Settings for a fixed number of examples, the same in every run."""
    return settings(derandomize=True, max_examples=max_examples, deadline=None, database=None)


def snapshot(body: bytes, hints: Any) -> Parsed:
    """All parts of a streamed file as one `Parsed`."""
    parts = list(arxiv_snapshot.parse(io.BytesIO(body), hints))
    items = [part.items for part in parts]
    rejects = tuple(reject for part in parts for reject in part.rejects)
    return Parsed(pl.concat(items) if items else listing_api.parse(b"[]", hints).items, rejects)


PARSERS: dict[str, Callable[[bytes, Any], Parsed]] = {
    "text": listing_text.parse,
    "html": listing_html.parse,
    "api": listing_api.parse,
    "atom": arxiv_atom.parse,
    "oai": arxiv_oai.parse,
    "arxiv": snapshot,
    "array": arxiv_array.parse,
    "feed": arxiv_feed.parse,
    "rss": arxiv_feed.parse,
    "list": arxiv_list_html.parse,
    "copied": arxiv_list_text.parse,
    "mail": arxiv_mail.parse,
}
ITEMS = [item(f"2501.0000{n}", f"Paper {n} of the test", githubStars=n) for n in range(1, 4)]
CARDS = [card(f"Paper {n} of the test", n, f"Mar {n}, 202{n} {n}") for n in range(1, 4)]
GOOD: dict[str, bytes] = {
    "text": page(*CARDS),
    "text without authors": page(*(f"Paper {n}\n\n{ABSTRACT}\n\n" for n in range(3))),
    "html": html_page({"dailyPapers": ITEMS, "date": "2025-01-03"}),
    "html cards": html_page("", *(article(f"2501.0000{n}", f"Paper {n}") for n in range(3))),
    "api": api(*ITEMS),
    "atom": atom(*(entry(f"2501.0000{n}") for n in range(3))),
    "oai": oai_xml.page([record(f"2501.0000{n}") for n in range(3)], token=""),
    "oai as arXiv": oai_xml.page([record(f"2501.0000{n}") for n in range(3)], "arXiv"),
    "arxiv": jsonl(*(record(f"2501.0000{n}") for n in range(3))),
    "array": json.dumps([record(f"2501.0000{n}") for n in range(3)], indent=1).encode(),
    "feed": feeds.atom_feed(*(feeds.feed_entry(f"2501.0000{n}v1", "new", "A B") for n in range(3))),
    "rss": feeds.rss_feed(*(feeds.rss_item(f"2501.0000{n}v1", "new", "A B") for n in range(3))),
    "list html": lists.html(
        "".join(lists.dt(n, f"2501.0000{n}") + lists.dd(f"Paper {n}", "A B") for n in range(3))
    ),
    "copied": lists.copied("2501.00000", "2501.00001", "2501.00002"),
    "mail": lists.mail("2501.00000", "2501.00001", "2501.00002"),
}
SPICE = [
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\r", b"\n\n", b'"', b"\\", b"{", b"]", b"<", b"&#0;",
    b"]]>", b"\\ud800", b"NaN", b"1e999", b"-1", b"null", b"9" * 30, b"\xe2\x80\xa2 0 authors",
    b"\xc2\xb7", b"Feb 30", b"Sep 11, 9999 5", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"</article>",
    b"data-props=", b"Daily Papers", b"Subscribe", b"\xf0\x9d\x94\xb8", b"\xed\xa0\x80",
]  # fmt: skip


def kind_of(name: str) -> str:
    return name.split()[0]


@pytest.mark.parametrize("parser", PARSERS)
@bounded(60)
@given(body=st.binary(max_size=400))
@example(body=b"")
@example(body=b"\xff\xfe\x00")
@example(body=b"(\xb5/\xfd")  # start of zstd data
@example(body=b"\x1f\x8b\x08")  # start of gzip data
def test_any_bytes(parser: str, body: bytes) -> None:
    assert_sound(PARSERS[parser](body, HINTS))
    formats.detect(body)


@bounded(80)
@given(text=st.text(max_size=300))
def test_any_text_parses_as_a_page(text: str) -> None:
    assert_sound(listing_text.parse(text.encode("utf-8", "replace"), HINTS))


@pytest.mark.parametrize("name", GOOD)
@bounded(80)
@given(data=st.data())
def test_mutated_captures(name: str, data: st.DataObject) -> None:
    body = bytearray(GOOD[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body)))
        length = data.draw(st.integers(0, 12))
        body[at : at + length] = data.draw(st.sampled_from(SPICE) | st.binary(max_size=6))
    assert_sound(PARSERS[kind_of(name)](bytes(body), HINTS))
    formats.detect(bytes(body))


@pytest.mark.parametrize("name", GOOD)
def test_missing_and_repeated_lines(name: str) -> None:
    lines = GOOD[name].splitlines(keepends=True)
    for number in range(len(lines)):
        for changed in (
            lines[:number] + lines[number + 1 :],
            lines[: number + 1] + lines[number:],
            lines[:number],
        ):
            assert_sound(PARSERS[kind_of(name)](b"".join(changed), HINTS))


@pytest.mark.parametrize("name", [name for name in GOOD if name != "text"])
@bounded(60)
@given(data=st.data())
def test_a_cut_never_loses_an_earlier_record(name: str, data: st.DataObject) -> None:
    body = GOOD[name]
    parse = PARSERS[kind_of(name)]
    whole = parse(body, HINTS).items
    shown = ["title", "arxiv_id", "n_authors", "upvotes", "comments"]
    at = data.draw(st.integers(0, len(body)))
    cut = parse(body[:at], HINTS)
    assert_sound(cut)
    # A record is complete if the next one has begun. No partial record is accepted.
    begun = sum(title.encode() in body[:at] for title in whole["title"].unique())
    if name != "text without authors" and whole["title"].is_unique().all():
        assert cut.items.height >= begun - 1
    assert cut.items.select(shown).equals(whole.select(shown).head(cut.items.height)) or (
        name == "text without authors" and cut.items.height <= whole.height
    )


@pytest.mark.parametrize("name", [name for name in GOOD if "html" not in name])
def test_crlf_gives_the_same_items(name: str) -> None:
    parse, body = PARSERS[kind_of(name)], GOOD[name]
    changed = parse(body.replace(b"\n", b"\r\n"), HINTS)
    assert changed.items.height == 3
    assert changed.items.equals(parse(body, HINTS).items)


@bounded(60)
@given(order=st.lists(st.integers(0, 2), min_size=1, max_size=8))
def test_repeated_cards_count_once(order: list[int]) -> None:
    parsed = listing_text.parse(page(*(CARDS[n] for n in order)), HINTS)
    assert_sound(parsed)
    assert parsed.items["n_authors"].to_list() == [n + 1 for n in dict.fromkeys(order)]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["2501.00001", "2025-01-02T03:04:05Z", "0001-01-01T00:00:00+14:00"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
PAPER_KEYS = st.sampled_from(
    [
        "id", "title", "summary", "publishedAt", "authors", "upvotes", "ai_keywords", "githubRepo",
        "githubStars", "projectPage", "organization", "submittedOnDailyAt", "unknown",
    ]
)  # fmt: skip


@bounded(150)
@given(
    paper=st.dictionaries(PAPER_KEYS, JSON, max_size=5),
    outer=st.dictionaries(st.sampled_from(["title", "numComments", "paper", "summary"]), JSON),
)
def test_items_with_any_values(paper: dict[str, Any], outer: dict[str, Any]) -> None:
    odd = {"paper": {**item()["paper"], **paper}, **outer}
    parsed = listing_api.parse(api(ITEMS[0], odd, ITEMS[1]), HINTS)
    assert_sound(parsed)
    assert parsed.n_seen == 3
    assert {"2501.00001", "2501.00002"} <= set(parsed.items["arxiv_id"])
    by_props = listing_html.parse(html_page(json.dumps({"dailyPapers": [ITEMS[0], odd]})), HINTS)
    assert_sound(by_props)


RECORD_KEYS = st.sampled_from(
    [
        "id",
        "title",
        "abstract",
        "authors",
        "authors_parsed",
        "categories",
        "versions",
        "update_date",
    ]
)


@bounded(120)
@given(odd=st.dictionaries(RECORD_KEYS, JSON, max_size=4))
def test_records_with_any_values(odd: dict[str, Any]) -> None:
    line = json.dumps({**record(), **odd}).encode()
    parsed = snapshot(jsonl(record("2501.00007"), line, record("2501.00008")), HINTS)
    assert_sound(parsed)
    assert parsed.n_seen == 3
    assert {"2501.00007", "2501.00008"} <= set(parsed.items["arxiv_id"])


@bounded(150)
@given(texts=st.lists(st.text(max_size=30) | st.text(alphabet=r"$\{}_^ab1 ", max_size=12)))
def test_clean_text_gives_one_line_and_a_key(texts: list[str]) -> None:
    raw = pl.Series("t", texts, dtype=pl.String)
    cleaned = clean_text(raw)
    assert cleaned.len() == raw.len()
    for text in cleaned.drop_nulls():
        assert text == " ".join(text.split())
    keys = pl.DataFrame({"t": cleaned}).select(title_key(pl.col("t"))).to_series()
    assert (keys.is_null() == cleaned.is_null()).all()


# One real capture of each format and age; of an arXiv file, its first lines.
REAL = [
    "hf_page/000_ab8512f849349c72.txt",
    "hf_page/papers-2024-08-01.html",
    "hf_api/2024-05-27.json.gz",
    "hf_api/2025-12-31.json.gz",
    "hf_api_later/2025-04-03.json.gz",
    "hf_api_bad/2024-12-11.repr-strings.json.gz",
    "hf_api_bad/2025-01-10.status-object.json.gz",
    "arxiv/atom-2025-10-17.xml",
    "arxiv/arxiv-metadata-2025.jsonl.gz",
]
BY_FORMAT: dict[str, Callable[[bytes, Any], Parsed]] = {
    "listing_text": listing_text.parse,
    "listing_html": listing_html.parse,
    "daily_papers_json": listing_api.parse,
    "arxiv_atom": arxiv_atom.parse,
    "arxiv_oai": arxiv_oai.parse,
    "arxiv_snapshot": snapshot,
}


@pytest.fixture(scope="module")
def real_bodies(corpus: Path) -> list[bytes]:
    bodies = []
    for name in REAL:
        with gzip.open(corpus / name) if name.endswith(".gz") else (corpus / name).open("rb") as f:
            lines = f.readlines()
        bodies.append(b"".join(lines[:40] if "metadata" in name else lines))
    return bodies


def mutated(bodies: list[bytes], rng: random.Random) -> bytes:
    """A body with one to four faults: bytes changed, a cut, a splice, or shuffled lines."""
    body = bytearray(rng.choice(bodies))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(body) + 1)
        match rng.randrange(6):
            case 0:
                for place in rng.choices(range(len(body) or 1), k=rng.choice((1, 8, 200))):
                    body[place : place + 1] = bytes([rng.randrange(256)])
            case 1:
                del body[at:]
            case 2:
                del body[: at // 4]
            case 3:
                other = rng.choice(bodies)
                begin = rng.randrange(len(other) + 1)
                body[at:at] = other[begin : begin + rng.choice((10, 1_000, 50_000))]
            case 4:
                lines = bytes(body).split(b"\n")
                rng.shuffle(lines)
                body = bytearray(b"\n".join(lines))
            case _:
                body[at : at + rng.randrange(12)] = rng.choice(SPICE)
    return bytes(body)


def assert_mutations_are_sound(bodies: list[bytes], seeds: range) -> None:
    for seed in seeds:
        body = mutated(bodies, random.Random(seed))  # noqa: S311
        parse = BY_FORMAT.get(formats.detect(body[:HEAD_BYTES]).name)
        if parse is None:
            continue
        try:
            parsed = parse(body, HINTS)
            assert_sound(parsed)
            infer_kind(parsed.items, parsed.stated_kind, parsed.listed_on)
        except Exception as error:
            raise AssertionError(f"mutation {seed} of the corpus") from error


def test_mutations_of_real_captures(real_bodies: list[bytes]) -> None:
    assert_mutations_are_sound(real_bodies, range(150))


@pytest.mark.slow
def test_many_mutations_of_real_captures(real_bodies: list[bytes]) -> None:
    n = int(os.environ.get("PAPERTIDE_MUTATIONS", "10000"))
    assert_mutations_are_sound(real_bodies, range(1_000, 1_000 + n))
