"""What several pages share: formulas in a line, notes, keys, and paper lists.

Belongs here: blocks that more than one page shows. Does not: a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from dashboards import blocks as b
from dashboards import formats, state
from dashboards.queries import Queries
from dashboards.state import View

METHODS = "docs/methodology.md"
WILSON = (
    "Interval of a share k/n: (k + z²/2 ± z √(k(n−k)/n + z²/4)) / (n + z²), z = 1.96 "
    f"(Wilson 1927). See “Shares and their intervals” in {METHODS}."
)
ORDER_STATISTICS = (
    "Median and 90th percentile: the interval runs between the order statistics whose ranks "
    "enclose the quantile with 95 % probability (binomial ranks by their normal approximation; "
    "any distribution). Mean: "
    f"± 1.96 s/√n. See “Author counts” in {METHODS}."
)
NEWCOMBE = (
    "Interval of a difference of shares: from the two Wilson intervals (Newcombe 1998, "
    f"method 10). See “Differences” in {METHODS}."
)
DISCOVERED = (
    "Discovered topics are groups that the papers' own texts form; nobody named them. A paper is "
    "in one at most. They are learned anew twice a year, and then all papers are placed anew, so "
    f"past shares change too. Borders are soft. See “Discovered topics” in {METHODS}."
)
TIME_KEY = (
    b.Key("dot", "covered period"),
    b.Key("hollow", "partial period: dotted line"),
    b.Key("band", "95 % interval"),
    b.Key("cross", "fewer than 20 papers in all"),
)
BREAK_KEY = b.Key("break", "observed otherwise from here on")
DOT_KEY = (b.Key("dot", "share"), b.Key("whisker", "95 % interval"))
MAX_AUTHORS = 6
TopicsByPaper = dict[str, list[b.Topic]]


def caveats(view: View) -> tuple[str, ...]:
    """What must be kept in mind wherever figures of the population are shown."""
    return (view.about.caveat,) if view.about.caveat else ()


@dataclass(frozen=True)
class Breaks:
    """Where a chart does not compare with itself: first days, what to say, and the key's entry."""

    starts: tuple[date, ...]
    notes: tuple[str, ...]
    key: tuple[b.Key, ...]


def breaks_of(view: View, *, by_text: bool = False) -> Breaks:
    """From where on lists were captured otherwise; `by_text`: or papers come with other texts."""
    names = ("complete_share", "text_share") if by_text else ("complete_share",)
    found = state.breaks(view, *names)
    return Breaks(
        tuple(sorted({one.at.start for one in found})),
        tuple(_break_note(view, one) for one in found),
        (BREAK_KEY,) * bool(found),
    )


def _break_note(view: View, one: state.Break) -> str:
    since = formats.period(view.grain, one.at.start)
    change = f"({formats.share(one.before)} before, {formats.share(one.now)} then)"
    if one.name == "text_share":
        more = "more often" if one.now > one.before else "less often"
        return (
            f"From {since} on another share of papers comes with an abstract or keywords {change}, "
            f"so topics are found {more}: shares on both sides of the line do not compare."
        )
    return (
        f"From {since} on another share of lists was captured whole {change}: what is listed early "
        "in a day is no sample of the day, so both sides of the line do not compare."
    )


def about_kind(view: View) -> tuple[str, ...]:
    """What must be kept in mind where topics of the kind are shown."""
    return (DISCOVERED,) if view.kind == state.DISCOVERED else ()


def n_of(view: View) -> str:
    """`397 papers on the Hugging Face daily list, by listing day, Dec 2025 (partial)`."""
    if not view.period:
        return view.about.counts
    partial = ", partial" if view.period.is_partial else ""
    return f"n = {view.period.n_total:,} {view.about.counts}, {view.period_name}{partial}"


def span_of(view: View) -> str:
    """`papers …, Jan 2024 to Dec 2025`."""
    if not view.start or not view.end:
        return view.about.counts
    first = formats.period(view.grain, view.start.start)
    last = formats.period(view.grain, view.end.start)
    return f"{view.about.counts[0].upper()}{view.about.counts[1:]}, {first} to {last}"


def nothing_yet() -> list[b.Block]:
    """What a page says when the snapshot has no periods at all."""
    return [
        b.Text(
            "No population has dated papers yet, so there is nothing to count. Take in daily "
            "listings or an arXiv file with `papertide ingest PATH`, then run `papertide build`.",
            "note",
        )
    ]


def topic_link(page: str, view: View, row: b.Row) -> b.Link:
    """The topic's place on a page, with the population and grain kept."""
    return b.Link(
        page, {"population": view.population, "grain": view.grain, "topic": row["topic_id"]}
    )


def topics_by_paper(queries: Queries, *frames: pl.DataFrame) -> TopicsByPaper:
    """Topics with their evidence, by paper, of all papers in some frames."""
    papers = sorted({paper for frame in frames for paper in frame["paper_id"]})
    found: TopicsByPaper = {}
    if papers:
        for row in queries.topics_of(papers).iter_rows(named=True):
            found.setdefault(row["paper_id"], []).append(
                b.Topic(row["topic_id"], row["name"], _evidence(row))
            )
    return found


def _evidence(row: b.Row) -> tuple[str, ...]:
    """Where and as which words the topic was found."""
    if row["kind"] == state.DISCOVERED:
        return (f"discovered by: {', '.join(row['evidence'])}",)
    return tuple(row["evidence"])


def without_counts(frame: pl.DataFrame) -> pl.DataFrame:
    """The papers as their download holds them."""
    return frame.drop("n_found", "page", strict=False)


def paper_list(
    frame: pl.DataFrame,
    topics: TopicsByPaper,
    *,
    key: str,
    title: str,
    subtitle: str,
    empty: str,
    page: int = 1,
    n_pages: int = 1,
) -> b.Papers:
    """A list of papers with topics, evidence, links and counters."""
    return b.Papers(
        key=key,
        title=title,
        subtitle=subtitle,
        papers=tuple(
            _paper(row, topics.get(row["paper_id"], ())) for row in frame.iter_rows(named=True)
        ),
        table=b.Table(key, title, without_counts(frame), ()),
        empty=empty,
        page=page,
        n_pages=n_pages,
    )


def _paper(row: b.Row, topics: Sequence[b.Topic]) -> b.Paper:
    on = row["counted_on"]
    counters = [("Upvotes", row["upvotes"]), ("Comments", row["comments"])]
    if row["github_stars"] is not None:
        counters.append(("GitHub stars", row["github_stars"]))
    return b.Paper(
        title=row["title"],
        date=formats.month(on) if row["date_precision"] == "month" else formats.day(on),
        authors=_authors(row["authors"], row["n_authors"]),
        topics=tuple(topics),
        links=_links(row),
        counters=tuple((label, formats.integer(value)) for label, value in counters),
    )


def _authors(names: Sequence[str] | None, n_authors: int | None) -> str:
    if not names:
        return formats.plural(n_authors, "author") if n_authors else "Authors not known"
    shown = ", ".join(names[:MAX_AUTHORS])
    rest = (n_authors or len(names)) - min(len(names), MAX_AUTHORS)
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def _links(row: b.Row) -> tuple[tuple[str, str], ...]:
    arxiv = f"https://arxiv.org/abs/{row['arxiv_id']}" if row["arxiv_id"] else None
    found = (
        ("arXiv", formats.web_url(arxiv)),
        ("Project", formats.web_url(row["project_url"])),
        ("GitHub", formats.web_url(row["github_url"])),
    )
    return tuple((label, url) for label, url in found if url)
