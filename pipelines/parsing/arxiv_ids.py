"""arXiv identifiers: recognise, strip the version, read the month.

New style `2507.01467v2` (since April 2007), old style `cs.LG/0501001` or `hep-th/9901001`.
"""

from __future__ import annotations

import re

import polars as pl

# Digits are spelled out: `\d` would take those of other scripts too.
_MONTH = r"[0-9]{2}(?:0[1-9]|1[0-2])"
ID_PATTERN = (
    rf"^(?:{_MONTH}\.[0-9]{{4,5}}|[a-z][a-z-]*(?:\.[A-Z]{{2}})?/{_MONTH}[0-9]{{3}})"
    r"(?:v([0-9]{1,4}))?$"
)
_ID = re.compile(ID_PATTERN)


def split_version(text: object) -> tuple[str | None, int | None]:
    """`("2507.01467", 2)` for `2507.01467v2`; `(None, None)` for what is no arXiv id."""
    if not isinstance(text, str):
        return None, None
    found = _ID.match(text.strip())
    if not found:
        return None, None
    version = found.group(1)
    bare = text.strip()
    return (bare[: -len(version) - 1], int(version)) if version else (bare, None)


def id_month(arxiv_id: pl.Expr) -> pl.Expr:
    """First day of the month that the id carries (old ids from 91 to 99 are of the 1990s)."""
    yymm = arxiv_id.str.extract(r"(?:^|/)(\d{4})", 1)
    year = yymm.str.slice(0, 2).cast(pl.Int32, strict=False)
    full = pl.when(year >= 91).then(year + 1900).otherwise(year + 2000)
    month = yymm.str.slice(2, 2).cast(pl.Int32, strict=False)
    return pl.when(month.is_between(1, 12)).then(pl.date(full, month, 1))
