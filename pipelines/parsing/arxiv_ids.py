"""arXiv identifiers and categories: recognise them, split off the version, read the month.

Identifiers look like `2507.01467v2` since April 2007, and like `cs.LG/0501001` or `hep-th/9901001`
before.
"""

from __future__ import annotations

import re

import polars as pl

# `[0-9]`, because `\d` also matches the digits of other scripts.
_MONTH = r"[0-9]{2}(?:0[1-9]|1[0-2])"
ID_PATTERN = (
    rf"^(?:{_MONTH}\.[0-9]{{4,5}}|[a-z][a-z-]*(?:\.[A-Z]{{2}})?/{_MONTH}[0-9]{{3}})"
    r"(?:v([0-9]{1,4}))?$"
)
_ID = re.compile(ID_PATTERN)
# `cs.CL`, `math.OC` or `hep-th`, but neither ACM codes (`I.2.7`) nor MSC codes (`68T50`).
CATEGORY_PATTERN = r"^[a-z][a-z-]+(\.[A-Za-z-]{2,})?$"


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


def id_month(arxiv_id: pl.Expr) -> pl.Expr:
    """First day of the month in the id, null without one; years 91 to 99 are 1991 to 1999."""
    yymm = arxiv_id.str.extract(r"(?:^|/)(\d{4})", 1)
    year = yymm.str.slice(0, 2).cast(pl.Int32, strict=False)
    full = pl.when(year >= 91).then(year + 1900).otherwise(year + 2000)
    month = yymm.str.slice(2, 2).cast(pl.Int32, strict=False)
    return pl.when(month.is_between(1, 12)).then(pl.date(full, month, 1))
