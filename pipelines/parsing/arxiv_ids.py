"""arXiv identifiers and categories: recognise them, split off the version, read the month.

Identifiers look like `2507.01467v2` since April 2007, and like `cs.LG/0501001` or `hep-th/9901001`
before. The number has four digits up to December 2014 and five since January 2015, so an id that
lost a zero on its way through a spreadsheet is not an id.
"""

from __future__ import annotations

import re

import polars as pl

# arXiv's archives, with those that were merged into others (https://arxiv.org/archive).
_ARCHIVES = (
    "acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|"
    "comp-gas|cond-mat|cs|dg-ga|econ|eess|funct-an|gr-qc|hep-ex|hep-lat|hep-ph|hep-th|math-ph|"
    "math|mtrl-th|nlin|nucl-ex|nucl-th|patt-sol|physics|plasm-ph|q-alg|q-bio|q-fin|quant-ph|"
    "solv-int|stat|supr-con"
)
# `[0-9]`, because `\d` also matches the digits of other scripts.
_MM = "(?:0[1-9]|1[0-2])"
_FOUR_DIGITS = rf"(?:07(?:0[4-9]|1[0-2])|(?:0[89]|1[0-4]){_MM})\.[0-9]{{4}}"
_FIVE_DIGITS = rf"(?:1[5-9]|[2-8][0-9]){_MM}\.[0-9]{{5}}"
_OLD = rf"(?:{_ARCHIVES})(?:\.[A-Z]{{2}})?/(?:9[1-9]|0[0-7]){_MM}[0-9]{{3}}"
_BARE = rf"(?:{_FIVE_DIGITS}|{_FOUR_DIGITS}|{_OLD})"
ID_PATTERN = rf"^{_BARE}(?:v([0-9]{{1,4}}))?$"
_ID = re.compile(ID_PATTERN)
# The id in an address, in the name of an OAI record, in a DOI, or after `arXiv:`.
_WITHIN = re.compile(
    r"(?:arxiv\.org/(?:abs|pdf|html|format|ps|src|e-print)/|oai:arXiv\.org:|arXiv[:.]\s*)"
    rf"({_BARE}(?:v[0-9]{{1,4}})?)(?![0-9])",
    re.IGNORECASE | re.ASCII,
)
_NUMBER = re.compile(r"[0-9]{3,4}(?:\.[0-9]{0,5})?")
# `cs.CL`, `math.OC` or `hep-th`, but neither ACM codes (`I.2.7`) nor MSC codes (`68T50`).
CATEGORY_PATTERN = rf"^(?:{_ARCHIVES})(?:\.[A-Za-z-]{{2,}})?$"


def split_version(text: object) -> tuple[str | None, int | None]:
    """`("2507.01467", 2)` for `2507.01467v2`; `(None, None)` if the value is not an arXiv id."""
    if not isinstance(text, str):
        return None, None
    arxiv_id = text.strip()
    found = _ID.match(arxiv_id)
    if not found:
        return None, None
    version = found.group(1)
    return (arxiv_id[: -len(version) - 1], int(version)) if version else (arxiv_id, None)


def id_within(text: object) -> str | None:
    """The id, with its version if it has one, that a value is or names; None if there is none.

    Understands `2507.01467`, `arXiv:2507.01467v2`, addresses of arXiv, `oai:arXiv.org:2507.01467`
    and the DOI `10.48550/arXiv.2507.01467`.
    """
    if not isinstance(text, str):
        return None
    if _ID.match(text.strip()):
        return text.strip()
    found = _WITHIN.search(text)
    return found.group(1) if found else None


def bad_id_detail(value: object, name: str = "id") -> str:
    """Why a value is not an arXiv id, as a sentence. `name` is the name of its field."""
    shown = value if isinstance(value, str) else repr(value)
    detail = f"`{name}` is not an arXiv id: {shown[:100]!r}."
    if _NUMBER.fullmatch(shown.strip()):
        detail += (
            " The id passed through a number and may lack zeros; read the column as text "
            "(in pandas, `dtype=str`)."
        )
    return detail


def id_month(arxiv_id: pl.Expr) -> pl.Expr:
    """First day of the month in the id, null without one; years 91 to 99 are 1991 to 1999."""
    yymm = arxiv_id.str.extract(r"(?:^|/)(\d{4})", 1)
    year = yymm.str.slice(0, 2).cast(pl.Int32, strict=False)
    full = pl.when(year >= 91).then(year + 1900).otherwise(year + 2000)
    month = yymm.str.slice(2, 2).cast(pl.Int32, strict=False)
    return pl.when(month.is_between(1, 12)).then(pl.date(full, month, 1))
