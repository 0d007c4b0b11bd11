"""Blocks and texts that several pages share: formulas, notes, legends and paper lists.

Belongs here: what more than one page shows. Does not: a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from dashboards import blocks as b
from dashboards import formats
from dashboards.breaks import Break, find_breaks
from dashboards.choices import DISCOVERED, Choices
from dashboards.populations import ARXIV, CATEGORY_PREFIX, is_category
from dashboards.queries import Queries
from dashboards.view import View

METHODS = "docs/methodology.md"
NO_TOPIC = "no-topic"
INSUFFICIENT = "Insufficient: fewer than 20 papers."
WILSON = (
    "Shares of k among n papers have 95 % intervals (Wilson 1927). See “Shares and their "
    f"intervals” in {METHODS}."
)
ORDER_STATISTICS = (
    "95 % intervals of the median and the 90th percentile come from order statistics and are valid "
    f"for any distribution; that of the mean is ± 1.96 s/√n. See “Author counts” in {METHODS}."
)
NEWCOMBE = (
    "95 % interval of a difference of shares: computed from the two Wilson intervals (Newcombe "
    f"1998, method 10). See “Differences” in {METHODS}."
)
DISCOVERED_NOTE = (
    "Discovered topics are clusters of papers with similar text. Each paper is in at most one. The "
    "clusters are refitted twice a year and all papers are assigned again, so past shares change "
    f"too. Cluster boundaries are approximate. See “Discovered topics” in {METHODS}."
)
TIME_KEY = (
    b.Key("dot", "full period"),
    b.Key("hollow", "partial period (dotted line)"),
    b.Key("band", "95 % interval"),
    b.Key("cross", "insufficient (fewer than 20 papers)"),
)
LEVEL_KEY = (
    b.Key("line-1", "level"),
    b.Key("band", "its 80 % interval"),
    b.Key("dot-muted", "share, with 95 % interval"),
    b.Key("hollow-muted", "partial period"),
    b.Key("cross", "insufficient (fewer than 20 papers)"),
)
BREAK_KEY = b.Key("break", "data collection changed")
LEVEL_ALLOWS = (
    "Lists captured in part differ from complete ones; the level allows for that with an offset "
    "and a wider interval."
)
NOT_ALLOWED = (
    "Papers listed early in a day are not a random sample of that day, so values before and after "
    "can differ for that reason alone."
)
DOT_KEY = (b.Key("dot", "share"), b.Key("whisker", "95 % interval"))
MAX_AUTHORS = 6
TopicsByPaper = dict[str, list[b.Topic]]


def caveats(view: View) -> tuple[str, ...]:
    """The known limitation of the population, if it has one."""
    return (view.about.caveat,) if view.about.caveat else ()


@dataclass(frozen=True)
class BreakNotes:
    """The breaks within a chart: their days, a note about each, and the legend entry."""

    starts: tuple[date, ...]
    notes: tuple[str, ...]
    key: tuple[b.Key, ...]


def text_breaks(view: View) -> BreakNotes:
    """Breaks in how much text papers have, across which topic shares are not comparable."""
    found = find_breaks(view, "text_share")
    return BreakNotes(
        tuple(one.at.start for one in found),
        tuple(_text_note(view, one) for one in found),
        (BREAK_KEY,) if found else (),
    )


def _text_note(view: View, one: Break) -> str:
    is_more = one.after > one.before
    return (
        f"From {formats.period(view.grain, one.at.start)}, {'more' if is_more else 'fewer'} papers "
        f"come with an abstract or keywords {_change(one)}, so topics are detected "
        f"{'more often' if is_more else 'less often'}. Values on either side of the dotted line "
        "are not comparable."
    )


def capture_notes(view: View, *, has_level: bool = True) -> tuple[str, ...]:
    """Notes on periods from which on more or fewer lists were captured in full.

    `has_level`: the chart shows a level, which allows for that.
    """
    return tuple(
        f"From {formats.period(view.grain, one.at.start)}, "
        f"{'more' if one.after > one.before else 'fewer'} lists were captured in full "
        f"{_change(one)}. {LEVEL_ALLOWS if has_level else NOT_ALLOWED}"
        for one in find_breaks(view, "complete_share")
    )


def _change(one: Break) -> str:
    return f"({formats.share(one.after)}, {formats.share(one.before)} before)"


def level_note(view: View, choices: Choices) -> str:
    """What the level of `arxiv` is standardised over; empty for other populations."""
    categories = [name for name in choices.populations if is_category(name)]
    if view.population != ARXIV or len(categories) < 2:
        return ""
    names = formats.listed([name.removeprefix(CATEGORY_PREFIX) for name in categories])
    return (
        f"The level of arXiv is standardised: the mean of the levels in {names}, with fixed "
        "weights (see “Trends” in "
        f"{METHODS}). It doesn't depend on how many papers of each category were captured, so it "
        "can differ from the share."
    )


def insufficient_note(view: View) -> str:
    """The note about a period with too few papers."""
    return f"{formats.sentence_case(view.period_name)}: {INSUFFICIENT.lower()}"


def kind_notes(view: View) -> tuple[str, ...]:
    """The note about discovered topics, where they are shown."""
    return (DISCOVERED_NOTE,) if view.kind == DISCOVERED else ()


def n_of(view: View) -> str:
    """`n = 397 papers on the Hugging Face daily list, by listing day, Dec 2025 (partial)`."""
    if not view.period:
        return view.about.counted
    partial = " (partial)" if view.period.is_partial else ""
    return f"n = {view.period.n_total:,} {view.about.counted}, {view.period_name}{partial}"


def span_of(view: View) -> str:
    """`Papers on the Hugging Face daily list, by listing day, Jan 2024 to Dec 2025`."""
    counted = formats.sentence_case(view.about.counted)
    if not view.first or not view.last:
        return counted
    first = formats.period(view.grain, view.first.start)
    last = formats.period(view.grain, view.last.start)
    return f"{counted}, {first} to {last}"


def no_data() -> list[b.Block]:
    """The page of a snapshot without periods."""
    return [
        b.Text(
            "No population has dated papers, so there is nothing to count. Ingest daily listings "
            "or an arXiv file with `papertide ingest PATH`, then run `papertide build`.",
            "note",
        )
    ]


def topic_link(page: str, view: View, row: b.Row) -> b.Link:
    """A link to the row's topic on a page, for the same population and grain."""
    return b.Link(
        page, {"population": view.population, "grain": view.grain, "topic": row["topic_id"]}
    )


def topics_by_paper(queries: Queries, *frames: pl.DataFrame) -> TopicsByPaper:
    """Topics and their evidence by paper_id, for all papers in the frames."""
    papers = sorted({paper for frame in frames for paper in frame["paper_id"]})
    found: TopicsByPaper = {}
    if papers:
        for row in queries.topics_of(papers).iter_rows(named=True):
            found.setdefault(row["paper_id"], []).append(
                b.Topic(row["topic_id"], row["name"], _evidence(row))
            )
    return found


def _evidence(row: b.Row) -> tuple[str, ...]:
    """The words that matched and where."""
    if row["kind"] == DISCOVERED:
        return (f"shared terms: {', '.join(row['evidence'])}",)
    return tuple(row["evidence"])


def download_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """Papers without the columns that only serve paging."""
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
    """Papers with their topics, evidence, links and counters."""
    return b.Papers(
        key=key,
        title=title,
        subtitle=subtitle,
        papers=tuple(
            _paper(row, topics.get(row["paper_id"], ())) for row in frame.iter_rows(named=True)
        ),
        table=b.Table(key, title, download_frame(frame), ()),
        empty=empty,
        page=page,
        n_pages=n_pages,
    )


def _paper(row: b.Row, topics: Sequence[b.Topic]) -> b.Paper:
    counted_on = row["counted_on"]
    counters = [("Upvotes", row["upvotes"]), ("Comments", row["comments"])]
    if row["github_stars"] is not None:
        counters.append(("GitHub stars", row["github_stars"]))
    return b.Paper(
        title=row["title"],
        date=(formats.month if row["date_precision"] == "month" else formats.day)(counted_on),
        authors=_authors(row["authors"], row["n_authors"]),
        topics=tuple(topics),
        links=_links(row),
        counters=tuple((label, formats.integer(value)) for label, value in counters),
    )


def _authors(names: Sequence[str] | None, n_authors: int | None) -> str:
    if not names:
        return formats.plural(n_authors, "author") if n_authors else "Authors unknown"
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
