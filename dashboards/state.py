"""What the URL says: read into a `View`, checked against what the snapshot offers.

Belongs here: parsing, defaults, fallbacks with their notes, and writing URLs. Does not: reading
tables (`queries`) or drawing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from urllib.parse import parse_qs, urlencode

from dashboards import formats
from pipelines.runtime.text import shortened

GRAINS = ("week", "month", "quarter")
SORTS = {"listed": "Newest first", "upvotes": "Most upvotes"}
SPAN = {"week": 26, "month": 24, "quarter": 12}
MAX_TOPICS = 6
LENGTHS = {"week": (4, 8), "month": (2, 2), "quarter": (1, 1)}
"""Periods in the current window of a verdict, and in the one before it."""

MOST_CHANGE = {"complete_share": 0.25, "text_share": 0.2}
"""Periods that differ by more in how they were observed are not compared, as in the verdicts."""

CURRENT, BEFORE = "current", "before"
WINDOWS = {CURRENT: "the current window", BEFORE: "the window before"}
MAX_SEARCH = 200
PAGE_SIZE = 25
MAX_PARAMETERS = 50
ALL = "all"
TAXONOMY, DISCOVERED = "taxonomy", "discovered"
KINDS = {TAXONOMY: "Taxonomy", DISCOVERED: "Discovered"}
PARAMETERS = (
    *("population", "grain", "period", "window", "from", "to", "kind", "area", "topic", "topics"),
    *("term", "q", "code", "sort", "page"),
)


@dataclass(frozen=True)
class Population:
    """A declared set of papers: its name, what it counts, its unit, and what to keep in mind."""

    population: str
    name: str
    counts: str
    unit: str
    caveat: str


CATEGORY = "arxiv."

_KNOWN = {
    "hf_daily": Population(
        "hf_daily",
        "Hugging Face daily list",
        "papers on the Hugging Face daily list, by listing day",
        "listing",
        "The Hugging Face daily list is a selection made by its users, not the field: a change "
        "here may be a change in what is picked.",
    ),
    "arxiv": Population(
        "arxiv",
        "arXiv announcements",
        "arXiv papers, by the date of their first version",
        "paper",
        "Only the arXiv papers that were taken in are counted: see Data health for what is there.",
    ),
}


def population_named(population: str) -> Population:
    """Its description; one that is not known is called by its identifier."""
    if is_category(population):
        category = population.removeprefix(CATEGORY)
        return replace(
            _KNOWN["arxiv"],
            population=population,
            name=f"arXiv {category}",
            counts=f"arXiv papers with {category} as primary category, by the date of their first "
            "version",
        )
    plain = Population(population, population, f"papers of {population}", "paper", "")
    return _KNOWN.get(population, plain)


def is_category(population: str) -> bool:
    """Whether it is a part of arXiv's population, of one primary category."""
    return population.startswith(CATEGORY)


@dataclass(frozen=True)
class Period:
    """A period of a population and how well it is covered."""

    start: date
    end: date
    n_total: int
    is_partial: bool
    is_sufficient: bool
    complete_share: float | None = None
    """Share of its lists that were captured whole; null where there are no lists."""
    text_share: float | None = None
    """Share of its papers with more text than a title."""


@dataclass(frozen=True)
class Break:
    """A period from which on papers were observed otherwise, and the share on both sides of it."""

    at: Period
    name: str
    """`complete_share` or `text_share`."""
    before: float
    now: float


@dataclass(frozen=True)
class TopicChoice:
    """A topic that can be chosen."""

    topic_id: str
    name: str
    area: str
    kind: str
    description: str | None
    parents: Sequence[str] = ()


@dataclass(frozen=True)
class Choices:
    """What the snapshot offers: periods by population and grain, and topics."""

    periods: Mapping[tuple[str, str], tuple[Period, ...]] = field(default_factory=dict)
    topics: tuple[TopicChoice, ...] = ()

    @property
    def populations(self) -> tuple[str, ...]:
        """Populations that have periods, the selection first."""
        found = {population for population, _ in self.periods}
        return tuple(sorted(found, key=lambda name: (name != "hf_daily", name)))

    @property
    def whole_populations(self) -> tuple[str, ...]:
        """The same without those that are a part of another."""
        return tuple(name for name in self.populations if not is_category(name))

    def grains(self, population: str) -> tuple[str, ...]:
        """Grains of the population, finest first."""
        return tuple(grain for grain in GRAINS if (population, grain) in self.periods)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of topics that there are, the taxonomy first."""
        found = {topic.kind for topic in self.topics}
        return tuple(kind for kind in KINDS if kind in found)

    def of_kind(self, kind: str) -> tuple[TopicChoice, ...]:
        """The topics of a kind, by name."""
        return tuple(topic for topic in self.topics if topic.kind == kind)

    def areas(self, kind: str) -> tuple[str, ...]:
        """Areas of a kind's topics, by name."""
        return tuple(sorted({topic.area for topic in self.of_kind(kind)}))

    def around(self, topic: TopicChoice) -> tuple[tuple[TopicChoice, ...], tuple[TopicChoice, ...]]:
        """The topics right over a topic, and those right under it."""
        broader = (other for other in self.topics if other.topic_id in topic.parents)
        narrower = (other for other in self.topics if topic.topic_id in other.parents)
        return tuple(broader), tuple(narrower)

    def topic(self, topic_id: str | None) -> TopicChoice | None:
        """The topic of that id."""
        return next((topic for topic in self.topics if topic.topic_id == topic_id), None)


@dataclass(frozen=True)
class View:
    """What a page is asked to show. Every value is one that the snapshot offers."""

    population: str = ""
    grain: str = "month"
    periods: tuple[Period, ...] = ()
    period: Period | None = None
    has_period: bool = False
    window: str = ""
    start: Period | None = None
    end: Period | None = None
    kind: str = TAXONOMY
    area: str | None = None
    topic: str | None = None
    topics: tuple[str, ...] = ()
    term: str = ""
    q: str = ""
    code: bool = False
    sort: str = "listed"
    page: int = 1
    page_size: int = PAGE_SIZE
    notes: tuple[str, ...] = ()

    @property
    def about(self) -> Population:
        """The population's description."""
        return population_named(self.population)

    @property
    def period_name(self) -> str:
        """The chosen period as text."""
        return formats.period(self.grain, self.period.start) if self.period else "no period"

    @property
    def judged(self) -> Period | None:
        """The last period up to `to` that verdicts can be about; else the last."""
        known = [p for p in self.periods if not self.end or p.start <= self.end.start]
        return _default_period(tuple(known))

    @property
    def window_periods(self) -> tuple[Period, ...]:
        """The chosen period, or those of the window of its verdict that is asked for."""
        if not self.period:
            return ()
        last = self.periods.index(self.period) + 1
        if not self.window:
            return self.periods[last - 1 : last]
        current, before = LENGTHS[self.grain]
        if self.window == BEFORE:
            last = max(last - current, 0)
        return self.periods[max(last - (before if self.window == BEFORE else current), 0) : last]

    @property
    def previous(self) -> Period | None:
        """The nearest complete and sufficient period before the chosen one."""
        if not self.period:
            return None
        earlier = [p for p in self.periods if p.start < self.period.start and _is_solid(p)]
        return earlier[-1] if earlier else None


def read(search: str | None, choices: Choices) -> View:
    """The view that a URL query asks for; what it asks wrongly falls back, with a note."""
    notes: list[str] = []
    asked = _asked(search or "", notes)
    ignored = [name for name in asked if name not in PARAMETERS]
    if ignored:
        some = formats.listed([f"“{_short(name)}”" for name in ignored[:3]])
        notes.append(f"The address sets {some}, which no page knows; left out.")
    population = _one_of(
        "population",
        asked.get("population"),
        choices.populations,
        _first(choices.populations),
        notes,
    )
    grains = choices.grains(population)
    grain = _one_of(
        "period length",
        asked.get("grain"),
        grains,
        "month" if "month" in grains else _first(grains),
        notes,
    )
    periods = choices.periods.get((population, grain), ())
    period = _period("period", asked.get("period"), periods, _default_period(periods), notes)
    recent = periods[-SPAN.get(grain, 24) :]
    begins = tuple(p for p in recent if p.is_sufficient) or recent
    start = _period("first period", asked.get("from"), periods, _first_or_none(begins), notes)
    end = _period("last period", asked.get("to"), periods, periods[-1] if periods else None, notes)
    if start and end and start.start > end.start:
        notes.append("The first period came after the last one; they were swapped.")
        start, end = end, start
    known = [topic.topic_id for topic in choices.topics]
    topic = _one_of("topic", asked.get("topic"), known, "", notes) or None
    kind = _kind(asked, topic, choices, notes)
    area = _one_of("area", asked.get("area"), choices.areas(kind), "", notes) or None
    return View(
        population=population,
        grain=grain,
        periods=periods,
        period=period,
        has_period="period" in asked and period is not None,
        window=_one_of("window", asked.get("window"), tuple(WINDOWS), "", notes),
        start=start,
        end=end,
        kind=kind,
        area=area,
        topic=topic,
        topics=_several(
            asked.get("topics"), [topic.topic_id for topic in choices.of_kind(kind)], notes
        ),
        term=asked.get("term", "")[:MAX_SEARCH],
        q=asked.get("q", "")[:MAX_SEARCH],
        code=_one_of("code filter", asked.get("code"), ("1",), "", notes) == "1",
        sort=_one_of("order", asked.get("sort"), tuple(SORTS), "listed", notes),
        page=_page(asked.get("page"), notes),
        notes=tuple(notes),
    )


def span(view: View) -> tuple[Period, ...]:
    """The periods from `from` to `to`."""
    if not view.start or not view.end:
        return ()
    return tuple(p for p in view.periods if view.start.start <= p.start <= view.end.start)


def breaks(view: View, *names: str) -> tuple[Break, ...]:
    """Where, from `from` to `to`, a share of `MOST_CHANGE` changes by more than it may.

    Compared are its means over as many periods as the current window of a verdict has, on both
    sides; of neighbouring periods that differ so much the one at which they differ most is named.
    """
    shown = set(span(view))
    found = [one for name in names for one in _breaks(view, name) if one.at in shown]
    return tuple(sorted(found, key=lambda one: (one.at.start, one.name)))


def _breaks(view: View, name: str) -> Iterable[Break]:
    size = LENGTHS.get(view.grain, (1, 1))[0]
    sides = [_mean(view.periods[at : at + size], name) for at in range(len(view.periods))]
    run: list[Break] = []
    inner = view.periods[size : len(view.periods) - size + 1]
    for period, before, now in zip(inner, sides, sides[size:], strict=False):
        if before is not None and now is not None and abs(now - before) > MOST_CHANGE[name]:
            run.append(Break(period, name, before, now))
            continue
        yield from _widest(run)
        run = []
    yield from _widest(run)


def _mean(periods: Sequence[Period], name: str) -> float | None:
    known = [value for period in periods if (value := getattr(period, name)) is not None]
    return sum(known) / len(known) if known else None


def _widest(run: Sequence[Break]) -> Sequence[Break]:
    return [max(run, key=lambda one: abs(one.now - one.before))] if run else []


def write(params: Mapping[str, str | None]) -> str:
    """The URL query of the values that are set, with its question mark; empty for none."""
    kept = {name: value for name, value in params.items() if value}
    return "?" + urlencode(kept) if kept else ""


def kept(view: View) -> dict[str, str]:
    """What goes along from page to page: the population and the grain."""
    return {"population": view.population, "grain": view.grain}


def as_params(view: View) -> dict[str, str]:
    """The view as URL parameters, complete, so that a link shows the same page later."""
    params = {
        **kept(view),
        "period": view.period.start.isoformat() if view.period and view.has_period else "",
        "window": view.window if view.has_period else "",
        "from": view.start.start.isoformat() if view.start else "",
        "to": view.end.start.isoformat() if view.end else "",
        "kind": view.kind if view.kind != TAXONOMY else "",
        "area": view.area or "",
        "topic": view.topic or "",
        "topics": ",".join(view.topics),
        "term": view.term,
        "q": view.q,
        "code": "1" if view.code else "",
        "sort": view.sort if view.sort != "listed" else "",
        "page": str(view.page) if view.page > 1 else "",
    }
    return {name: value for name, value in params.items() if value}


def with_page(view: View, page: int) -> View:
    """The same view on another page of the list."""
    return replace(view, page=page)


def _is_solid(period: Period) -> bool:
    return period.is_sufficient and not period.is_partial


def _default_period(periods: tuple[Period, ...]) -> Period | None:
    """The last complete and sufficient period; else the last sufficient; else the last."""
    solid = [p for p in periods if _is_solid(p)]
    enough = [p for p in periods if p.is_sufficient]
    best = solid or enough or list(periods)
    return best[-1] if best else None


def _asked(search: str, notes: list[str]) -> dict[str, str]:
    """Name → last value that is not empty."""
    parts = search.lstrip("?").split("&")
    if len(parts) > MAX_PARAMETERS:
        notes.append(f"Only the first {MAX_PARAMETERS} settings of the address were read.")
    pairs = parse_qs("&".join(parts[:MAX_PARAMETERS]))
    return {name: values[-1].strip() for name, values in pairs.items() if values[-1].strip()}


def _one_of(
    what: str, asked: str | None, offered: Iterable[str], default: str, notes: list[str]
) -> str:
    if not asked or asked == ALL:
        return default
    if asked in offered:
        return asked
    notes.append(f"There is no {what} “{_short(asked)}”; {_instead(default)}.")
    return default


def _kind(asked: Mapping[str, str], topic: str | None, choices: Choices, notes: list[str]) -> str:
    """The kind of the topic that is asked for; else the one that is; else the taxonomy."""
    wanted = _one_of("kind of topics", asked.get("kind"), choices.kinds, TAXONOMY, notes)
    several = [choices.topic(part) for part in asked.get("topics", "").split(",")]
    named = [choices.topic(topic), *([] if "kind" in asked else several)]
    return next((choice.kind for choice in named if choice), wanted)


def _instead(default: str) -> str:
    return f"showing “{default}” instead" if default else "it was left out"


def _period(
    what: str,
    asked: str | None,
    offered: tuple[Period, ...],
    default: Period | None,
    notes: list[str],
) -> Period | None:
    if not asked:
        return default
    found = next((p for p in offered if p.start.isoformat() == asked), None)
    if found:
        return found
    shown = formats.day(default.start) if default else ""
    notes.append(f"There is no {what} that starts on “{_short(asked)}”; {_instead(shown)}.")
    return default


def _several(asked: str | None, known: list[str], notes: list[str]) -> tuple[str, ...]:
    wanted = list(dict.fromkeys(part for part in (asked or "").split(",") if part))
    unknown = [part for part in wanted if part not in known]
    if unknown:
        some = formats.listed([f"“{_short(part)}”" for part in unknown[:3]])
        notes.append(f"There is no topic {some}; left out.")
    found = [part for part in wanted if part in known]
    if len(found) > MAX_TOPICS:
        notes.append(f"At most {MAX_TOPICS} topics are drawn; the first {MAX_TOPICS} are shown.")
    return tuple(found[:MAX_TOPICS])


def _page(asked: str | None, notes: list[str]) -> int:
    if asked is None:
        return 1
    if asked.isascii() and asked.isdigit() and len(asked) < 7 and int(asked) > 0:
        return int(asked)
    notes.append(f"There is no page “{_short(asked)}”; showing the first.")
    return 1


def _short(value: str) -> str:
    return shortened(value, 40)


def _first(values: tuple[str, ...]) -> str:
    return values[0] if values else ""


def _first_or_none(values: tuple[Period, ...]) -> Period | None:
    return values[0] if values else None
