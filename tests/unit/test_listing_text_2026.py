"""Copied pages of 2026: an organisation replaces the number of authors; other text is no page."""

from __future__ import annotations

from datetime import date

import pytest

from pipelines.parsing import formats, listing_text
from pipelines.parsing.records import Hints
from tests.fixtures.listings import ABSTRACT, HEADER, HINTS, RECEIVED, card, page, reasons

pytestmark = pytest.mark.unit

SHORT_ABSTRACT = "We count words. There are enough."


def org_card(title: str, name: str, day: str, abstract: str = ABSTRACT) -> str:
    return f"{title}\n\n{abstract}\n\n{name}\n\n·\n\n{day}\n\n"


MIXED = [
    card("Alpha: A Count", 3, "May 30"),
    card("Beta 1.5: Words", 671, "Mar 8, 2024 6"),
    org_card("Gamma Technical Report", "Example Labs", "Mar 13 3"),
    card("Delta: More Words", 4, "Feb 20, 2025"),
    org_card("Epsilon Defence", "Institute 7", "Oct 23, 2025 1"),
    org_card("Zeta: A Survey", "University of Examples", "Jun 9 9"),
]
HINTS_2026 = Hints(RECEIVED.replace(month=12))
CAPTURED = Hints(RECEIVED.replace(month=12), captured_on=date(2026, 6, 29))


def test_an_organisation_in_place_of_the_authors() -> None:
    parsed = listing_text.parse(page(*MIXED), HINTS_2026)
    shown = ["title", "n_authors", "organization", "published_on", "comments"]
    assert parsed.items.select(shown).rows() == [
        ("Alpha: A Count", 3, None, date(2026, 5, 30), None),
        ("Beta 1.5: Words", 671, None, date(2024, 3, 8), 6),
        ("Gamma Technical Report", None, "Example Labs", date(2026, 3, 13), 3),
        ("Delta: More Words", 4, None, date(2025, 2, 20), None),
        ("Epsilon Defence", None, "Institute 7", date(2025, 10, 23), 1),
        ("Zeta: A Survey", None, "University of Examples", date(2026, 6, 9), 9),
    ]
    assert parsed.items["abstract"].to_list() == [ABSTRACT.strip()] * 6
    assert parsed.n_seen == 6


def test_a_page_on_which_all_papers_have_an_organisation() -> None:
    cards = [org_card(f"{n} Report", n, f"Sep {d}") for n, d in (("One", 29), ("Two", 28))]
    parsed = listing_text.parse(page(*cards, org_card("Three", "T3", "Sep 27 2")), HINTS_2026)
    assert parsed.items.select("title", "published_on", "comments").rows() == [
        ("One Report", date(2026, 9, 29), None),
        ("Two Report", date(2026, 9, 28), None),
        ("Three", date(2026, 9, 27), 2),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "01.AI",
        "H2O.ai",
        "Example, Inc.",
        "Hugging Face",
        "Spaces",
        "百度",
        "🤗 Lab",
        "GitHub",
        "a-b_c",
    ],
)
def test_organisations_have_any_name(name: str) -> None:
    cards = [*MIXED[:3], org_card("A Title", name, "May 4, 2025"), MIXED[5]]
    parsed = listing_text.parse(page(*cards), HINTS_2026)
    assert parsed.items["title"].to_list()[3] == "A Title"
    assert parsed.items["organization"].to_list()[3] == name
    assert parsed.n_seen == parsed.items.height == 5


@pytest.mark.parametrize("form", ["{} · {}", "{}\n·\nPublished on {}", "{} · Published on {}"])
def test_forms_of_the_line_with_organisation_and_date(form: str) -> None:
    end = form.format("Example Labs", "Oct 4, 2025")
    cards = [MIXED[0], f"A Title\n\n{ABSTRACT}\n\n{end}\n\n", MIXED[2]]
    parsed = listing_text.parse(page(*cards), HINTS_2026)
    assert parsed.items.select("title", "organization", "published_on").rows()[1] == (
        "A Title",
        "Example Labs",
        date(2025, 10, 4),
    )


FACTS = {
    (row["title"], row["n_authors"], row["organization"], row["published_on"])
    for row in listing_text.parse(page(*MIXED), HINTS_2026).items.iter_rows(named=True)
}


def _wrong(lines: list[str]) -> set[tuple[object, ...]]:
    """Items of a damaged page that the undamaged page does not have; null counts as right."""
    parsed = listing_text.parse((HEADER + "\n\n".join(lines)).encode(), CAPTURED)
    found = set()
    for row in parsed.items.iter_rows(named=True):
        shown = tuple(row[n] for n in ("title", "n_authors", "organization", "published_on"))
        if not any(
            all(a is None or a == b for a, b in zip(shown, fact, strict=True)) for fact in FACTS
        ):
            found.add(shown)
    return found


LINES = [line.strip() for line in "".join(MIXED).split("\n\n") if line.strip()]


@pytest.mark.parametrize("n_lines", [1, 2, 3, 4])
def test_missing_lines_never_join_two_papers(n_lines: int) -> None:
    for at in range(len(LINES) - n_lines):
        assert _wrong(LINES[:at] + LINES[at + n_lines :]) == set(), at


def test_lines_in_another_order_never_join_two_papers() -> None:
    for at in range(len(LINES) - 1):
        swapped = [*LINES[:at], LINES[at + 1], LINES[at], *LINES[at + 2 :]]
        assert _wrong(swapped) == set(), at


@pytest.mark.parametrize("extra", ["Share this page", "·", "12", "Sign in to vote.", "May 4, 2024"])
def test_lines_from_elsewhere_never_become_papers(extra: str) -> None:
    for at in range(len(LINES) + 1):
        wrong = _wrong([*LINES[:at], extra, *LINES[at:]])
        assert {shown for shown in wrong if shown[0] not in {f[0] for f in FACTS}} == set(), at


@pytest.mark.parametrize("blank", ["\u00a0", "\u202f", "\u2009"], ids=["nbsp", "narrow", "thin"])
def test_blanks_of_any_kind(blank: str) -> None:
    text = page(*[card(f"Title {n}", n + 2, "Sep 11 1") for n in range(3)]).decode()
    parsed = listing_text.parse(text.replace(" ", blank).encode(), HINTS)
    assert parsed.items.select("title", "n_authors").rows() == [
        ("Title 0", 2),
        ("Title 1", 3),
        ("Title 2", 4),
    ]
    assert parsed.items["comments"].to_list() == [1] * 3
    assert parsed.n_seen == 3


PARAGRAPHS = "".join(f"Item {n} of the news\n\n{ABSTRACT}\n\n" for n in range(4))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"The Digest\n\nNews in your email inbox.\n\n{PARAGRAPHS}", id="newsletter"),
        pytest.param(
            f'My notes\n\nSee "Daily Papers" and "Trending Papers".\n\n{PARAGRAPHS}', id="notes"
        ),
        pytest.param(f"Daily Papers\n\n{PARAGRAPHS}\n\nUnsubscribe\n", id="one line of the header"),
        pytest.param(f"Reading list\n\n5 authors\n\n{PARAGRAPHS}", id="a line of authors"),
    ],
)
def test_other_text_is_not_a_listing(text: str) -> None:
    assert formats.detect(text.encode()).name == "unknown"


def test_a_mail_with_the_names_of_the_page_gives_no_papers() -> None:
    mail = (
        "Daily Papers\n\nby AK and the research community\n\nHere is the selection for today:\n\n"
        "A First Title (113 ▲)\n\nA Second Title (55 ▲)\n\nA Third Title (12 ▲)\n\n"
        "You can submit papers too.\n\nUnsubscribe\n"
    )
    parsed = listing_text.parse(mail.encode(), HINTS)
    assert parsed.items.height == 0
    assert reasons(parsed) == ["listing_without_cards"]


def test_the_menus_around_a_page_are_no_papers() -> None:
    footer = "Previous\n\nNext\n\nSystem theme\n\nCompany\n\nTOS\n\nPrivacy\n\nModels\n\nDocs\n"
    header = HEADER.replace("Nov 6", "Daily\n\nWeekly\n\nMonthly\n\nNov 6")
    parsed = listing_text.parse(page(*MIXED, footer, header=header), HINTS_2026)
    assert (parsed.items.height, parsed.n_seen) == (6, 6)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Week 11, 2026", "weekly"),
        ("Mar 9 - Mar 15", "weekly"),
        ("March 2026", "monthly"),
        ("Mar 9", None),
    ],
)
def test_the_header_states_week_or_month(line: str, kind: str | None) -> None:
    parsed = listing_text.parse(page(*MIXED, header=HEADER.replace("Nov 6", line)), HINTS_2026)
    assert parsed.stated_kind == kind
    assert parsed.items.height == 6


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Daily Papers\n\nTrending Papers\n\nby AK and the research community\n\n", "trending"),
        ("Daily Papers\n\nby AK and the research community\n\nTrending Papers\n\n", None),
    ],
    ids=["a menu names the daily papers", "a menu names the trending papers"],
)
def test_the_title_of_the_page_decides_whether_it_is_trending(
    header: str, kind: str | None
) -> None:
    parsed = listing_text.parse(page(*MIXED, header=header), HINTS_2026)
    assert parsed.stated_kind == kind


def test_a_day_page_of_2026_without_abstracts() -> None:
    def day_card(title: str, end: str) -> str:
        return f"Submitted by\n\nsome-one\n\n97\n\n{title}\n\n{end}\n\n"

    cards = [
        day_card("One Title", "·12 authors\n\n3"),
        day_card("Two: A Title of Words", "Example Labs\n\n·\n\n4"),
        day_card("Three Title", "·2 authors"),
    ]
    parsed = listing_text.parse(page(*cards), HINTS_2026)
    assert parsed.items.select("title", "n_authors", "organization").rows() == [
        ("One Title", 12, None),
        ("Two: A Title of Words", None, "Example Labs"),
        ("Three Title", 2, None),
    ]


def test_a_title_that_may_be_the_organisation_is_in_doubt() -> None:
    header = "Submitted by\n\nsome-one\n\n97\n\n"
    cards = [f"{header}Title Number {n}\n\n·{n} authors\n\n" for n in (1, 2, 3)]
    swapped = f"{header}Example Labs\n\nA Title of Several Words\n\n·\n\n4\n\n"
    parsed = listing_text.parse(page(*cards, swapped), HINTS_2026)
    assert parsed.items["title"].to_list() == ["Title Number 1", "Title Number 2", "Title Number 3"]
    assert reasons(parsed) == ["title_uncertain"]


def test_a_name_alone_before_a_date_is_not_a_title() -> None:
    parsed = listing_text.parse(page(*MIXED, "Example Labs\n\n·\n\nMay 4, 2024\n"), HINTS_2026)
    assert "Example Labs" not in parsed.items["title"].to_list()
    assert parsed.n_seen == 7
