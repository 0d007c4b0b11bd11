"""House rules of the dbt project: layers, sources, keys, incremental models, exposures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.lake.schemas import LAKE_TABLES
from pipelines.settings import DBT_PROJECT_DIR, PROJECT_ROOT

pytestmark = pytest.mark.contracts

MODELS = DBT_PROJECT_DIR / "models"
FILES = {path.stem: path for path in MODELS.rglob("*") if path.suffix in (".sql", ".py")}
# Which layers a layer may read. `changes` finds what changed since the last build.
MAY_READ = {
    "staging": {"raw"},
    "intermediate": {"staging", "intermediate", "changes", "seeds"},
    "changes": {"staging", "intermediate", "changes", "seeds", "last_build"},
    "marts": {"staging", "intermediate", "marts", "changes"},
}
SEEDS = {path.stem for path in (DBT_PROJECT_DIR / "seeds").glob("*.csv")}
# A capture may contain two identical rejects: the rows have no key.
WITHOUT_KEY = {"stg_raw__quarantine", "rpt_quarantine"}


def documents(section: str) -> dict[str, tuple[Path, dict[str, Any]]]:
    """Name → (file, entry) of everything that the yml files describe in a section."""
    found = {}
    for path in sorted(MODELS.rglob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for entry in content.get(section, []):
            assert entry["name"] not in found, f"{entry['name']} is described twice"
            found[entry["name"]] = (path, entry)
    return found


def reads(path: Path) -> set[str]:
    """Models, seeds and sources (as `source.table`) that a model reads."""
    text = path.read_text(encoding="utf-8")
    found = set(re.findall(r"""\bref\(['"](\w+)['"]\)""", text))
    found |= {".".join(pair) for pair in re.findall(r"\bsource\('(\w+)', '(\w+)'\)", text)}
    return found | {f"last_build.{table}" for table in re.findall(r"\blast_build\('(\w+)'", text)}


def layer(name: str) -> str:
    if "." in name:
        return name.split(".")[0]
    return "seeds" if name in SEEDS else FILES[name].parent.name


def unique_keys(entry: dict[str, Any]) -> list[dict[str, Any]]:
    tests = entry.get("data_tests", [])
    return [
        t["unique_key"]["arguments"] for t in tests if isinstance(t, dict) and "unique_key" in t
    ]


def declared_key(path: Path) -> str | None:
    """The key by which a model is incremental; None for other models."""
    found = re.findall(r"^\{\{ recompute_by\('(\w+)'\) \}\}$", path.read_text(), re.MULTILINE)
    assert len(found) <= 1, path.stem
    return found[0] if found else None


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_model_reads_only_layers_to_its_left(name: str) -> None:
    found = {read: layer(read) for read in reads(FILES[name])}
    wrong = {read: to for read, to in found.items() if to not in MAY_READ[layer(name)]}
    assert not wrong, wrong


def test_the_last_build_is_read_before_it_is_replaced() -> None:
    """Each model behind a `last_build` table is built after all models that read that table."""
    tables = documents("sources")["last_build"][1]["tables"]
    behind = {f"last_build.{t['name']}": t["identifier"] for t in tables}
    needs = {name: {r for r in reads(path) if r in FILES} for name, path in FILES.items()}
    keys = {"title": "int_items__changed", "paper": "int_papers__changed"}
    keys["period"] = "int_periods__changed"
    for name, path in FILES.items():
        needs[name] |= {keys[key]} if (key := declared_key(path)) else set()

    def upstream(name: str) -> set[str]:
        return {name}.union(*(upstream(other) for other in needs[name]))

    for name, path in FILES.items():
        for table in reads(path) & set(behind):
            assert name in upstream(behind[table]), f"{name} reads {table} too late"


def test_each_raw_table_has_one_source_and_one_staging_model() -> None:
    tables = {t["name"]: t["description"] for t in documents("sources")["raw"][1]["tables"]}
    assert tables == {name: description for name, (description, _) in LAKE_TABLES.items()}
    staged = {name.removeprefix("stg_raw__") for name in FILES if layer(name) == "staging"}
    assert staged == set(tables)


def test_staging_models_describe_every_column() -> None:
    for name, path in FILES.items():
        if layer(name) != "staging":
            continue
        (body,) = re.findall(r"^ *select\s+([^*]+?)\n *from", path.read_text(), re.MULTILINE)
        columns = [re.split(r" as |\.", line)[-1].strip(" ,") for line in body.splitlines()]
        described = documents("models")[name][1].get("columns", [])
        assert [column["name"] for column in described] == columns, name
        assert all(column["description"].strip() for column in described), name


def test_every_model_is_described_in_its_own_folder() -> None:
    described = documents("models")
    assert set(described) == set(FILES)
    for name, (path, entry) in described.items():
        assert path.parent == FILES[name].parent, name
        assert entry["description"].strip().endswith("."), name


def test_every_model_has_a_tested_key() -> None:
    without = {name for name, (_, entry) in documents("models").items() if not unique_keys(entry)}
    assert without == WITHOUT_KEY


def test_every_model_has_a_group_and_intermediate_models_an_access() -> None:
    groups = documents("groups")
    for name, (_, entry) in documents("models").items():
        config = entry["config"]
        assert config["group"] in groups, name
        assert ("access" in config) == (layer(name) != "marts"), name
    project = yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text())
    assert project["models"]["papertide"]["marts"]["+access"] == "public"


def test_incremental_models_are_declared_in_one_way() -> None:
    for name, path in FILES.items():
        text = path.read_text()
        assert "incremental" not in text.replace("is_incremental", ""), name
        assert "is_incremental" not in text, f"{name}: recompute_by and changed_rows decide"


@pytest.mark.parametrize("name", [n for n, path in FILES.items() if declared_key(path)])
def test_an_incremental_model_filters_its_input(name: str) -> None:
    assert "changed_rows(" in FILES[name].read_text(), "the whole input is read in every build"


def test_key_tests_read_whole_marts_and_changed_rows_of_intermediate_models() -> None:
    """The audit before a publication must find any duplicate, also one from an earlier build."""
    for name, (_, entry) in documents("models").items():
        key = declared_key(FILES[name]) if layer(name) == "intermediate" else None
        for arguments in unique_keys(entry):
            assert arguments.get("recompute_by") == key, name


def test_no_other_model_filters_its_input() -> None:
    for name, path in FILES.items():
        if declared_key(path) is None:
            assert "changed_rows(" not in path.read_text(), name


def test_exposures_name_the_marts_that_readers_use() -> None:
    marts = {name for name in FILES if layer(name) == "marts"}
    code = " ".join(p.read_text() for p in (PROJECT_ROOT / "dashboards").rglob("*.py"))
    shown = {mart for mart in marts if re.search(rf"\b{mart}\b", code)}
    found = {
        name: set(re.findall(r"ref\('(\w+)'\)", " ".join(entry["depends_on"])))
        for name, (_, entry) in documents("exposures").items()
    }
    assert found == {"dashboard": shown, "static_site": shown, "sql": marts}
