"""Every compiled model and test can be translated to Spark SQL, so that a cluster can run them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import sqlglot
from sqlglot import ErrorLevel

from pipelines.settings import DBT_PROJECT_DIR, Settings
from pipelines.warehouse import dbt_project

pytestmark = pytest.mark.warehouse


# Functions and constructs of Spark SQL that the models need. sqlglot copies the names of functions
# that it can't translate, so a new name here must be looked up in Spark's reference first.
SPARK = {
    "ABS", "ARRAY", "ARRAY_JOIN", "ARRAY_SORT", "CAST", "CEIL", "COALESCE", "COLLECT_LIST", "COUNT",
    "DATEDIFF", "DATE_ADD", "DATE_TRUNC", "EXISTS", "EXPLODE", "FILTER", "FIRST_VALUE", "FLOOR",
    "LEAST", "LENGTH", "LN", "MAX", "MD5", "MIN", "MIN_BY", "RANK", "ROW_NUMBER", "SEQUENCE", "SIZE",
    "SQRT", "SUBSTRING", "SUM",
}  # fmt: skip


def spark(sql: str) -> str:
    """The statement in Spark SQL. Raises ValueError for a function that is not in `SPARK`."""
    (tree,) = sqlglot.parse(sql, read="duckdb")
    assert tree is not None
    translated = tree.sql("spark", comments=False, unsupported_level=ErrorLevel.RAISE)
    sqlglot.parse_one(translated, read="spark")
    called = set(re.findall(r"\b(\w+)\(", re.sub(r"'(?:[^']|'')*'", "''", translated)))
    if unknown := sorted(called - SPARK):
        raise ValueError(f"unknown functions: {', '.join(unknown)}")
    return translated


def compile_models(settings: Settings, target: Path, *options: str) -> dict[str, str]:
    """Model → SQL that dbt compiles for DuckDB on the settings' warehouse."""
    environment = dbt_project.environment(settings)
    environment |= {
        "PAPERTIDE_WAREHOUSE": str(settings.warehouse_path),
        "DBT_TARGET_PATH": str(target),
    }
    done = subprocess.run(
        [dbt_project.dbt_executable(), "--quiet", "compile", *options, "--select",
         "resource_type:model", "resource_type:test", "--project-dir", str(DBT_PROJECT_DIR)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return {path.stem: path.read_text() for path in (target / "compiled").rglob("*.sql")}


@pytest.mark.parametrize("options", [(), ("--full-refresh",)], ids=["incremental", "whole"])
def test_compiled_sql_translates_to_spark(
    demo_settings: Settings, tmp_path: Path, options: tuple[str, ...]
) -> None:
    compiled = compile_models(demo_settings, tmp_path, *options)
    n_models = len(list((DBT_PROJECT_DIR / "models").rglob("*.sql")))
    assert len(compiled) > n_models
    assert ("int_papers__changed" in compiled["dim_papers"]) == (not options)
    for name, sql in compiled.items():
        try:
            spark(sql)
        except (sqlglot.errors.SqlglotError, ValueError) as error:
            pytest.fail(f"{name}: {error}")


@pytest.mark.parametrize(
    "sql",
    [
        "select generate_subscripts(a, 1) from t",
        "select regexp_full_match(a, 'x') from t",
        "select list_extract(a, 1) from t",
    ],
)
def test_functions_of_duckdb_alone_are_found(sql: str) -> None:
    with pytest.raises(ValueError, match="unknown functions"):
        spark(sql)


def test_list_positions_are_shifted() -> None:
    """Spark counts list elements from 0; the cast in `unnest_list` tells sqlglot to shift."""
    assert "+ -1]" in spark("select a[cast(i as bigint)] from t")
