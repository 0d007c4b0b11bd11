"""House rules for names: queries over the contracts that must return no rows."""

from __future__ import annotations

import re
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.settings import DBT_PROJECT_DIR
from pipelines.tools.data_dictionary import lake, marts

pytestmark = pytest.mark.contracts

MODELS = DBT_PROJECT_DIR / "models"
FILE_NAMES = {
    "staging": r"stg_[a-z0-9]+__[a-z0-9]+(_[a-z0-9]+)*",
    "intermediate": r"int_[a-z0-9]+(_[a-z0-9]+)*__[a-z0-9]+(_[a-z0-9]+)*",
    "marts": r"(fct|dim|bridge|rpt)_[a-z0-9]+(_[a-z0-9]+)*",
}
# A list of `reason: n`. The name is part of the published contract.
NOT_A_COUNT = ["n_by_reason"]

NAME, TYPE = pl.col("column"), pl.col("type")
SHARE = NAME.str.contains(r"(^|_)share($|_)")
BREACHES = {
    "names are snake_case": ~NAME.str.contains(r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"),
    "_on is a date": NAME.str.ends_with("_on") & (TYPE != "date"),
    "a date is named _on": (TYPE == "date") & ~NAME.str.ends_with("_on"),
    "_at is a timestamp": NAME.str.ends_with("_at") & (TYPE != "timestamp"),
    "a timestamp is named _at": (TYPE == "timestamp") & ~NAME.str.ends_with("_at"),
    "n_ is a count": NAME.str.starts_with("n_") & (TYPE != "bigint") & ~NAME.is_in(NOT_A_COUNT),
    "is_ and has_ are boolean": NAME.str.contains("^(is|has)_") & (TYPE != "boolean"),
    "a boolean is named is_ or has_": (TYPE == "boolean") & ~NAME.str.contains("^(is|has)_"),
    "a share is a double": SHARE & (TYPE != "double"),
    "_id is text": NAME.str.ends_with("_id") & (TYPE != "varchar"),
    "every column has a meaning": pl.col("meaning").str.strip_chars().str.len_chars() == 0,
    "types are written in lower case": TYPE.str.to_lowercase() != TYPE,
}


def columns(tables: list[Any]) -> pl.DataFrame:
    """table, column, type, meaning of every column of the tables."""
    return pl.DataFrame(
        [(t.name, c.name, c.dtype, c.meaning) for t in tables for c in t.columns],
        schema=["table", "column", "type", "meaning"],
        orient="row",
    )


@pytest.mark.parametrize("rule", BREACHES)
def test_columns_of_marts(rule: str) -> None:
    rows = columns(marts()).filter(BREACHES[rule])
    assert rows.is_empty(), f"{rule}: {rows.rows()}"


def names_with_several_types() -> dict[str, list[str]]:
    """Column name → tables, for columns with different types."""
    found = (
        columns([*marts(), *lake()])
        .group_by("column")
        .agg("table", pl.col("type").n_unique())
        .filter(pl.col("type") > 1)
    )
    return dict(found.select("column", "table").iter_rows())


def test_one_name_has_one_type_everywhere() -> None:
    found = names_with_several_types()
    assert not found, found


def test_bounds_are_in_pairs() -> None:
    names = columns(marts()).group_by("table").agg("column")
    for table, found in names.iter_rows():
        for name in found:
            if name.endswith("_low"):
                assert name.removesuffix("_low") + "_high" in found, f"{table}.{name}"


def test_every_mart_has_a_description() -> None:
    for table in marts():
        assert table.about.strip(), table.name
        assert table.about.strip().endswith("."), f"{table.name}: {table.about}"


@pytest.mark.parametrize("layer", FILE_NAMES)
def test_file_names_match_the_layer(layer: str) -> None:
    names = [path.stem for path in (MODELS / layer).rglob("*") if path.suffix in (".sql", ".py")]
    assert names
    wrong = [name for name in names if not re.fullmatch(FILE_NAMES[layer], name)]
    assert not wrong, wrong


def test_a_mart_has_its_yml_next_to_it() -> None:
    for path in (MODELS / "marts").glob("*.sql"):
        names = [m["name"] for m in yaml.safe_load(path.with_suffix(".yml").read_text())["models"]]
        assert names == [path.stem]
