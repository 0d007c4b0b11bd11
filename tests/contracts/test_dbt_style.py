"""House rules for SQL: forbidden constructs and the structure of models."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pipelines.settings import DBT_PROJECT_DIR
from pipelines.topics.text_forms import FIELD_SEPARATOR

pytestmark = pytest.mark.contracts

MODELS = sorted((DBT_PROJECT_DIR / "models").rglob("*.sql"))
MARTS = [path for path in MODELS if path.parent.name == "marts"]
BY_NAME = {"ids": lambda path: path.stem}

FORBIDDEN = {
    "group by all": r"\bgroup\s+by\s+all\b",
    "order by all": r"\border\s+by\s+all\b",
    "columns excluded by name": r"\bexclude\b|\bexcept\s*\(",
    "qualify": r"\bqualify\b",
    "positions in group by": r"\bgroup\s+by\s+[^()]*?(?<![\w.])\d+(?![\w.])",
    "positions in order by": r"\border\s+by\s+\d",
    "casts by ::": r"::",
    "keywords in upper case": r"\b(SELECT|FROM|WHERE|JOIN|GROUP BY|ORDER BY|WITH|CASE|WHEN)\b",
    "functions of DuckDB": (
        r"\b(unnest|generate_series|list_\w+|array_agg|array_to_string|regexp_\w+|strftime|isodow"
        r"|min_by|max_by|arg_min|arg_max|any_value|string_agg)\s*\("
    ),
}


def sql_of(path: Path) -> str:
    """The model's SQL without comments."""
    text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"--.*", "", text)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_models_do_not_use(what: str) -> None:
    found = [path.stem for path in MODELS if re.search(FORBIDDEN[what], sql_of(path))]
    assert not found, f"{what}: {found}"


@pytest.mark.parametrize(
    ("what", "sql"),
    [
        ("positions in group by", "select a from b group by 1, 2"),
        ("positions in group by", "select a from b group by a, 2"),
        ("positions in order by", "select a from b order by 1"),
        ("columns excluded by name", "select * exclude (a) from b"),
        ("functions of DuckDB", "select list_sort(a) from b"),
    ],
)
def test_forbidden_constructs_are_detected(what: str, sql: str) -> None:
    assert re.search(FORBIDDEN[what], sql)


@pytest.mark.parametrize("path", MODELS, **BY_NAME)
def test_a_model_ends_in_a_select(path: Path) -> None:
    lines = [line for line in sql_of(path).splitlines() if line and not line[0].isspace()]
    statements = [line for line in lines if not line.startswith(("{%", "{{"))]
    last_select = max(i for i, line in enumerate(statements) if line.startswith("select"))
    closed = [i for i, line in enumerate(statements) if line.startswith(")")]
    assert last_select > max(closed, default=-1), "a CTE follows the last select"


@pytest.mark.parametrize("path", MODELS, **BY_NAME)
def test_a_model_reads_its_inputs_in_import_ctes(path: Path) -> None:
    """Each ref and source is a separate import CTE; the rest of the model reads these."""
    for line in sql_of(path).splitlines():
        if re.search(r"\b(ref|source)\(", line):
            read = r"(ref\('\w+'\)|source\('\w+', '\w+'\)|changed_rows\(ref\('\w+'\)\))"
            assert re.fullmatch(rf"    select \* from \{{\{{ {read} \}}\}}", line), line


@pytest.mark.parametrize("path", MARTS, **BY_NAME)
def test_marts_name_their_columns(path: Path) -> None:
    final = re.split(r"^select\b", sql_of(path), flags=re.MULTILINE)[1:]
    assert final
    assert not any(part.lstrip().startswith("*") for part in final)


def test_marts_have_enforced_contracts() -> None:
    project = yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text())
    assert project["models"]["papertide"]["marts"]["+contract"] == {"enforced": True}
    for path in MARTS:
        assert "contract" not in path.read_text(), f"{path.stem} overrides the contract rule"
        (model,) = yaml.safe_load(path.with_suffix(".yml").read_text())["models"]
        assert "contract" not in model.get("config", {}), path.stem
        untyped = [column["name"] for column in model["columns"] if "data_type" not in column]
        assert not untyped, f"{path.stem}: {untyped}"


def test_sql_and_python_join_keywords_with_the_same_separator() -> None:
    scored = DBT_PROJECT_DIR / "models" / "intermediate" / "int_paper_topics__scored.sql"
    assert f"join_list('keywords', '{FIELD_SEPARATOR}')" in scored.read_text()
