"""The populations that a page can show: name, what is counted, and known limitations.

Belongs here: text about populations. Does not: their periods (`choices`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

ARXIV = "arxiv"
CATEGORY_PREFIX = "arxiv."


@dataclass(frozen=True)
class Population:
    """Text about a population.

    `counted` is a noun phrase with its clock, `unit` a singular noun, `caveat` a limitation that
    every page repeats.
    """

    population: str
    name: str
    counted: str
    unit: str
    caveat: str


_KNOWN = {
    "hf_daily": Population(
        "hf_daily",
        "Hugging Face daily list",
        "papers on the Hugging Face daily list, by listing day",
        "listing",
        "Users select the papers on the Hugging Face daily list. A change here can be a change in "
        "selection, not in the field.",
    ),
    ARXIV: Population(
        ARXIV,
        "arXiv announcements",
        "arXiv papers, by the date of version 1",
        "paper",
        "Only ingested arXiv papers are counted. Data health shows which days are covered.",
    ),
}


def population_named(population: str) -> Population:
    """The text about a population; an unknown one is named by its identifier."""
    if is_category(population):
        category = population.removeprefix(CATEGORY_PREFIX)
        return replace(
            _KNOWN[ARXIV],
            population=population,
            name=f"arXiv {category}",
            counted=f"arXiv papers with primary category {category}, by the date of version 1",
        )
    unknown = Population(population, population, f"papers in {population}", "paper", "")
    return _KNOWN.get(population, unknown)


def is_category(population: str) -> bool:
    """True for the arXiv papers of one primary category."""
    return population.startswith(CATEGORY_PREFIX)
