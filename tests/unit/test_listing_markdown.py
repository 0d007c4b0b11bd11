"""Markdown of listing pages, in the forms that clippers, readers and notebooks write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from pipelines.parsing import formats, listing_markdown, markdown
from pipelines.parsing.records import Hints, Parsed
from tests.fixtures.listings import ABSTRACT, RECEIVED, assert_sound, reasons

pytestmark = pytest.mark.unit

HINTS = Hints(RECEIVED.replace(month=12))
SITE = "https://huggingface.co"
TEXT = ABSTRACT.strip()

Fact = tuple[str, str, int | None, str | None, str, int | None, int | None]
# Id, title, authors, organisation, date, upvotes, comments.
FACTS: list[Fact] = [
    ("2606.00011", "Alpha-RAG: A Count of Words", None, "ALPHA", "May 29", 101, 6),
    ("2609.01115", "Beta Radar: A Database", None, "University of Examples", "Sep 9", 173, 9),
    ("2502.00581", "The Path from Word to Count", 3, None, "Feb 27, 2025", None, None),
    ("2605.00583", "Count or It Didn't Happen", None, "Example Labs", "May 8", 1, 1),
    ("2403.00774", "WordCount: A [Re]count", 9, None, "Mar 3, 2024", None, None),
]
UNIVERSITY = "University of Examples"
ROWS = [
    ("2606.00011", "Alpha-RAG: A Count of Words", None, "ALPHA", date(2026, 5, 29), 101, 6),
    (
        "2609.01115",
        "Beta Radar: A Database",
        None,
        "University of Examples",
        date(2026, 9, 9),
        173,
        9,
    ),
    ("2502.00581", "The Path from Word to Count", 3, None, date(2025, 2, 27), None, None),
    ("2605.00583", "Count or It Didn't Happen", None, "Example Labs", date(2026, 5, 8), 1, 1),
    ("2403.00774", "WordCount: A [Re]count", 9, None, date(2024, 3, 3), None, None),
]
SHOWN = ["arxiv_id", "title", "n_authors", "organization", "published_on", "upvotes", "comments"]
MARKED = "Get trending papers in your email inbox once a day!\n\n"


def clipper_card(fact: Fact) -> str:
    arxiv_id, title, n_authors, name, day, upvotes, comments = fact
    page = f"{SITE}/papers/{arxiv_id}"
    escaped = title.replace("[", r"\[").replace("]", r"\]").replace(" Word", "\\  Word")
    end = (
        f"[![{name}]({SITE}/x.png){name}]({SITE}/org)"
        if name
        else f"[- ![]({SITE}/a.svg)\\\\\n- {n_authors} authors]({page})"
    )
    return (
        f"[{upvotes or '-'}]({SITE}/login?next=%2Fpapers%2F{arxiv_id})\n\n"
        f"### [{escaped}]({page})\n\n"
        f"[{TEXT}]({page})\n\n{end}\n\n·\n\n{day}"
        + (f"[{comments}]({page}#community)" if comments else "")
        + "\n\n"
    )


CLIPPED_HEADER = (
    f"new\n\n{MARKED}[Subscribe]({SITE}/login?next=%2Fpapers)\n\n# Daily Papers\n\n"
    f"## by [![]({SITE}/by.png)AK]({SITE}/akhaliq) and the research community\n\n- Daily\n"
    f"- Weekly\n- Monthly\n\n[Trending Papers]({SITE}/papers/trending)\n\nOct 2\n\n"
)


def notebook_card(fact: Fact) -> str:
    arxiv_id, title, n_authors, name, day, upvotes, comments = fact
    page = f"{SITE}/papers/{arxiv_id}"
    end = f" \n\n{page}\n\n {name}\n\n{SITE}/org" if name else f"[\n\n{n_authors} authors]({page})"
    more = f" \n\n{comments}\n\n{page}#community" if comments else ""
    return (
        f" [-] {upvotes or '-'}\n\n{SITE}/login?next=%2Fpapers%2F{arxiv_id}\n\n"
        f"{title}\n\n{page}\n\n"
        f"{TEXT}\n\n{page}\n\n{end}\n\n·\n\n{day}{more}\n\n"
    )


NOTEBOOK_HEADER = (
    f'---\ntitle: "Daily Papers - Hugging Face"\nurl: {SITE}/papers?q=words\n---\n\n'
    f" Hugging Face\n\n"
    f"{SITE}/\n\nModels\n\n{SITE}/models\n\n{MARKED}Subscribe\n\n{SITE}/login?next=%2Fpapers\n\n"
    f"Daily Papers\n\nby \n\nAK\n\n{SITE}/akhaliq\n\n and the research community\n\nwords\n\n"
    f"Daily\n\nWeekly\n\nMonthly \n\n{SITE}/papers/trending\n\nOct 2\n\n"
)


def numbered(facts: list[Fact], *, with_addresses: bool) -> str:
    """A page with numbers for addresses, which stand at the end of the text."""
    parts, addresses = [], [f"{SITE}/akhaliq"]

    def link(text: str, address: str) -> str:
        addresses.append(address)
        return f"{text}][{len(addresses)}]"

    for arxiv_id, title, n_authors, name, day, upvotes, comments in facts:
        page = f"{SITE}/papers/{arxiv_id}"
        votes = link(f"[\n{upvotes or '-'}\n", f"{SITE}/login?next=%2Fpapers%2F{arxiv_id}")
        heading = link(f"### [{title}", page)
        end = (
            link(f"[[x] {name}", f"{SITE}/x") if name else link(f"[\n* {n_authors} authors\n", page)
        )
        count = " " + link(f"[ {comments}", f"{page}#community") if comments else ""
        text = link(f"[\n\n{TEXT[:200]}\n{TEXT[200:]}\n\n", page)
        parts.append(f"{votes}\n\n{heading}\n\n{text}\n{end}\n·\n{day}{count}\n")
    listed = "".join(f"[{n}]: {a}\n" for n, a in enumerate(addresses, 1)) if with_addresses else ""
    header = (
        f"{MARKED}# Daily Papers\n\n## by[AK][1] and the research community\n* Daily\n\nJun 29\n"
    )
    return header + "".join(parts) + "\n" + listed


def parsed(text: str, hints: Hints = HINTS) -> Parsed:
    assert formats.detect(text.encode()).name == "listing_markdown"
    result = listing_markdown.parse(text.encode(), hints)
    assert_sound(result)
    return result


@pytest.mark.parametrize(
    ("header", "card"),
    [
        pytest.param(CLIPPED_HEADER, clipper_card, id="clipper"),
        pytest.param(NOTEBOOK_HEADER, notebook_card, id="notebook"),
        pytest.param("", clipper_card, id="clipper without header"),
        pytest.param("", notebook_card, id="notebook without header"),
    ],
)
def test_cards_become_rows_with_ids(header: str, card: Callable[[Fact], str]) -> None:
    result = parsed(header + "".join(map(card, FACTS)))
    assert result.items.select(SHOWN).rows() == ROWS
    assert result.items["abstract"].to_list() == [TEXT] * 5
    assert result.n_seen == 5


@pytest.mark.parametrize("with_addresses", [True, False])
def test_links_that_name_their_address_elsewhere(with_addresses: bool) -> None:
    result = parsed(numbered(FACTS[:4], with_addresses=with_addresses))
    columns = SHOWN[1:5] + SHOWN[6:]
    expected = [(*row[1:5], row[6]) for row in ROWS[:4]]
    assert result.items.select(columns).rows() == expected
    ids = [row[0] if with_addresses else None for row in ROWS[:4]]
    assert result.items["arxiv_id"].to_list() == ids


def test_addresses_from_the_root_of_the_site() -> None:
    text = CLIPPED_HEADER + "".join(map(clipper_card, FACTS))
    assert parsed(text.replace(SITE, "")).items.select(SHOWN).rows() == ROWS


def trending_card(fact: Fact, lead: str) -> str:
    arxiv_id, title, n_authors, name, _, upvotes, _ = fact
    end = (
        f"[[image: x] {name}]({SITE}/org)"
        if name
        else f"-\n\n- [image]\n\n- {n_authors} authors\n\n"
    )
    return (
        f"Submitted by\n\n[some-one]({SITE}/some-one)\n\n"
        f"### [{title}]({SITE}/papers/{arxiv_id})\n\n"
        f"One sentence that a model wrote.\n\n{end} · {lead}Oct 4, 2025\n\n"
        f"[Upvote\n\n{upvotes or 7}]({SITE}/login?next=%2Fpapers%2F{arxiv_id})\n\n"
        f"[GitHub 3.29k](https://github.com/a/b) [arXiv Page](https://arxiv.org/abs/{arxiv_id})"
        "\n\n"
    )


def test_the_trending_page_shows_every_paper_twice() -> None:
    facts = [("2510.00011", *FACTS[0][1:]), ("2510.00012", *FACTS[2][1:])]
    header = f"- Source URL: {SITE}/papers/trending\n\n{MARKED}# Trending Papers\n\n"
    cards = [trending_card(fact, lead) for fact in facts for lead in ("Published on ", "")]
    result = parsed(header + "".join(cards))
    assert result.stated_kind == "trending"
    columns = ["arxiv_id", "n_authors", "organization", "upvotes", "github_stars", "abstract"]
    assert result.items.select(columns).rows() == [
        ("2510.00011", None, "ALPHA", 101, 3290, None),
        ("2510.00012", 3, None, 7, 3290, None),
    ]
    assert result.items["published_on"].to_list() == [date(2025, 10, 4)] * 2
    assert result.n_seen == 2


def test_headings_without_links() -> None:
    text = f"{MARKED}## Trending Papers\n\n## by AK and the research community\n\n"
    for n in (8, 28):
        for _ in range(2):
            text += (
                f"### Paper {n}\n\nOne sentence of a model.\n- {n} authors\n"
                "[LINK: GitHub 11.3k](https://github.com/a/b)\n\n"
            )
    result = parsed(text)
    assert result.items.select("title", "n_authors", "arxiv_id").rows() == [
        ("Paper 8", 8, None),
        ("Paper 28", 28, None),
    ]
    assert result.stated_kind == "trending"


@pytest.mark.parametrize(
    ("line", "kind", "day"),
    [
        (f"URL Source: {SITE}/papers?q=words", "search", None),
        (f"URL Source: {SITE}/papers/date/2026-10-01", "daily", date(2026, 10, 1)),
        (f"url: {SITE}/papers/week/2026-W40", "weekly", None),
        (f"- URL: {SITE}/papers/month/2026-09", "monthly", None),
        (f"**URL:** {SITE}/papers/trending", "trending", None),
        ("url: https://example.org/", None, date(2026, 10, 2)),
    ],
)
def test_the_address_in_the_metadata_states_the_kind(
    line: str, kind: str | None, day: date | None
) -> None:
    result = parsed(f"{line}\nretrieved: 2026-10-02\n\n" + CLIPPED_HEADER + clipper_card(FACTS[0]))
    assert (result.stated_kind, result.listed_on) == (kind, day)
    assert result.captured_on == date(2026, 10, 2)
    assert result.items["published_on_basis"].to_list() == ["page_date_capture_year"]


LINKS = "".join(f"- [Paper page - {fact[1]}]({SITE}/papers/{fact[0]})\n" for fact in FACTS)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"# News\n\nText about words.\n\n{LINKS}", id="a list of links"),
        pytest.param(f"# Notes\n\n## [Paper]({SITE}/papers/2606.00011)\n\nMine.\n", id="a heading"),
        pytest.param(f"See {SITE}/papers/2606.00011\n\n{SITE}/papers/2606.00012\n", id="addresses"),
    ],
)
def test_text_that_links_to_papers_is_not_a_listing(text: str) -> None:
    assert formats.detect(text.encode()).name == "unknown"


def test_a_mail_with_links_to_papers_gives_no_papers() -> None:
    text = (
        "# Daily Papers\n\nby AK and the research community\n\n"
        f"### [Paper page]({SITE}/papers/2606.00011)\n\n{LINKS}\nOnwards!\n"
    )
    result = listing_markdown.parse(text.encode(), HINTS)
    assert result.items.height == 0
    assert reasons(result) == ["listing_without_cards"]


def wrong(text: str) -> list[tuple[object, ...]]:
    """Items that name another title, number of authors, organisation or date for an id."""
    known = {row[0]: row for row in ROWS}
    result = listing_markdown.parse(text.encode(), Hints(HINTS.received_at, date(2026, 10, 2)))
    assert_sound(result)
    return [
        row
        for row in result.items.select(SHOWN[:5]).rows()
        if row[0] is not None
        and any(a is not None and a != b for a, b in zip(row, known[row[0]][:5], strict=True))
    ]


@pytest.mark.parametrize(
    ("header", "card"),
    [(CLIPPED_HEADER, clipper_card), (NOTEBOOK_HEADER, notebook_card)],
    ids=["clipper", "notebook"],
)
def test_missing_and_swapped_lines_never_join_two_papers(
    header: str, card: Callable[[Fact], str]
) -> None:
    blocks = "".join(map(card, FACTS)).split("\n\n")
    for at in range(len(blocks) - 2):
        for changed in (
            blocks[:at] + blocks[at + 1 :],
            blocks[:at] + blocks[at + 2 :],
            [*blocks[:at], blocks[at + 1], blocks[at], *blocks[at + 2 :]],
        ):
            assert wrong(header + "\n\n".join(changed)) == [], (at, blocks[at])


def test_every_cut_keeps_the_complete_cards_before_it() -> None:
    text = CLIPPED_HEADER + "".join(map(clipper_card, FACTS))
    for at in range(len(CLIPPED_HEADER), len(text), 37):
        result = listing_markdown.parse(text[:at].encode(), HINTS)
        n_whole = text[:at].count("\n\n·\n\n")  # a cut date may be another date
        columns = SHOWN[:4]
        assert result.items.select(columns).rows()[:n_whole] == [r[:4] for r in ROWS[:n_whole]]
        assert result.items.height <= n_whole + 1


@pytest.mark.parametrize(
    "text", ["[" * 5_000, "[a](" * 5_000, "![" * 5_000 + "](x)" * 5_000, "\\" * 99]
)
def test_unbalanced_brackets_stay_text(text: str) -> None:
    assert sum(len(line.pieces) for line in markdown.read(text)) <= 10_001
