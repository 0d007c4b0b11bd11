"""Papers that do not exist, with all facts that any form can show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Paper:
    """The facts of one paper."""

    arxiv_id: str
    title: str
    abstract: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]
    published_on: date
    announced_on: date
    upvotes: int
    comments: int
    organization: str
    keywords: tuple[str, ...]

    @property
    def published_at(self) -> datetime:
        """Time of version 1."""
        return datetime(*self.published_on.timetuple()[:3], 12, tzinfo=UTC)


_SUBJECTS = (
    "Grüße an Übersetzer", "Lantern Routing", "Moss-Guided Agents", "Quiet Compilers",
    "Paper Boats", "Tidal Gradients", "Copper Embeddings", "Slow Glass",
)  # fmt: skip
_NAMES = (
    "Ada Lindqvist", "José Ñandú", "Mei Okafor", "Tomasz Żak", "Priya Venn", "Olu Bright",
    "Søren Holt", "Ines Prado", "Kwame Stone", "Rui Amaral", "Zoë Field", "Ivan Petrov",
    "Lea Morgen", "Hugo Lenz", "Noor Haddad", "Sam Whitlock", "Uma Castell", "Victor Ng",
)  # fmt: skip


def _paper(n: int) -> Paper:
    subject = _SUBJECTS[n]
    names = tuple(_NAMES[(2 * n + k) % len(_NAMES)] for k in range(2 + n % 3))
    abstract = (
        f"We describe {subject.lower()} in study number {n + 11}, and count how often it helps. "
        f"The method costs {n + 3} % more than its rival and needs no labels. "
        f"On {n + 21} made-up data "
        f"sets it is better in {n + 2} of {n + 21} cases. We state where it fails, and why the "
        f"failure of {subject.lower()} is not the rule."
    )
    return Paper(
        arxiv_id=f"2510.{11 + 7 * n:05}",
        title=f"{subject}: A Study of Case {n + 11}",
        abstract=abstract,
        authors=names,
        categories=("cs.LG", "cs.CL") if n % 2 else ("cs.CV", "stat.ML"),
        published_on=date(2025, 10, 2 + n),
        announced_on=date(2025, 10, 10),
        upvotes=40 + n,
        comments=3 + n,
        organization=f"Institute {n + 11} of Nowhere",
        keywords=(f"{subject.lower()} methods", f"case {n + 11}"),
    )


PAPERS = tuple(_paper(n) for n in range(len(_SUBJECTS)))
