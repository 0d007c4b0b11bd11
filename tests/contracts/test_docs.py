"""The docs say what the code does: nothing that exists is left out, nothing is out of date."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from pipelines.cli.main import papertide
from pipelines.parsing.listing_kind import KINDS
from pipelines.parsing.records import Reason
from pipelines.settings import DBT_PROJECT_DIR, PROJECT_ROOT, Settings, variable
from pipelines.tools import data_dictionary

pytestmark = pytest.mark.contracts

DOCS = PROJECT_ROOT / "docs"
PAGES = sorted(
    [*PROJECT_ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(PROJECT_ROOT / "sample").glob("*.md")]
)
PARSERS = PROJECT_ROOT / "pipelines" / "parsing"


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def table_rows(text: str) -> dict[str, str]:
    """First cell (its first code span) → the whole row, of every Markdown table."""
    rows = {}
    for line in text.splitlines():
        if found := re.match(r"\| `([^`]+)`", line):
            rows[found.group(1)] = line
    return rows


# The data dictionary


def test_the_data_dictionary_is_current() -> None:
    assert data_dictionary.DICTIONARY.read_text(encoding="utf-8") == data_dictionary.dictionary(), (
        "run `make docs`"
    )


def test_the_check_fails_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "data-dictionary.md"
    stale.write_text("old")
    monkeypatch.setattr(data_dictionary, "DICTIONARY", stale)
    with pytest.raises(SystemExit) as left:
        data_dictionary.main(["--check"], standalone_mode=False)
    assert left.value.code == 1
    assert capsys.readouterr().err.strip().count("\n") == 0
    assert stale.read_text() == "old"
    data_dictionary.main([], standalone_mode=False)
    data_dictionary.main(["--check"], standalone_mode=False)


def test_every_mart_and_column_is_in_the_dictionary() -> None:
    text = read("data-dictionary.md")
    for model in (DBT_PROJECT_DIR / "models" / "marts").glob("*.sql"):
        (contract,) = yaml.safe_load(model.with_suffix(".yml").read_text())["models"]
        _, _, section = text.partition(f"\n### {model.stem}\n")
        section = section.partition("\n### ")[0]
        missing = [c["name"] for c in contract["columns"] if f"\n| `{c['name']}` |" not in section]
        assert section
        assert not missing, f"{model.stem}: {missing}"


# Operations


def test_every_setting_is_documented_with_its_default() -> None:
    rows = table_rows(read("operations.md"))
    fields = {variable(name): field for name, field in Settings.model_fields.items()}
    documented = {name for name in rows if re.fullmatch(r"(PAPERTIDE|HF)_[A-Z_]+", name)}
    assert documented == set(fields)
    for name, field in fields.items():
        default = "none" if field.default is None else f"`{field.default}`"
        assert f"| {default} |" in rows[name], f"{name}: {rows[name]}"
        assert field.description, name


def test_every_command_and_option_is_documented() -> None:
    text = read("operations.md")
    headings = re.findall(r"^### `papertide ([a-z-]+)", text, flags=re.MULTILINE)
    assert sorted(headings) == sorted(papertide.commands)
    for name, command in papertide.commands.items():
        section = text.partition(f"### `papertide {name}")[2].partition("\n### ")[0]
        for parameter in command.params:
            options = [option for option in parameter.opts if option.startswith("-")]
            assert not options or any(option in section for option in options), (name, options)


def test_every_command_shows_examples_or_needs_none() -> None:
    for name, command in papertide.commands.items():
        assert command.help, name
        needs = any(parameter.required for parameter in command.params)
        assert not needs or "Example" in command.help or len(command.params) == 1, name


def test_every_kind_of_list_is_documented() -> None:
    for page in ("operations.md", "methodology.md"):
        missing = [kind for kind in KINDS if f"`{kind}`" not in read(page)]
        assert not missing, f"{page}: {missing}"


# Methodology


def test_reason_codes_and_their_table_are_the_same() -> None:
    section = read("methodology.md").partition("### Quarantine")[2].partition("\n## ")[0]
    assert set(table_rows(section)) == set(get_args(Reason))


@pytest.mark.parametrize("code", get_args(Reason))
def test_reason_codes_are_in_use(code: str) -> None:
    sources = [*PARSERS.glob("*.py"), PROJECT_ROOT / "pipelines" / "lake" / "captures.py"]
    n_used = sum(path.read_text(encoding="utf-8").count(f'"{code}"') for path in sources)
    assert n_used >= 2, "one of them is its declaration"


@pytest.mark.parametrize(
    ("seed", "key", "columns"),
    [
        ("source_precedence", "format", ("text_rank",)),
        ("date_precedence", "basis", ("date_rank", "date_precision")),
    ],
)
def test_precedence_is_documented_as_it_is(seed: str, key: str, columns: tuple[str, ...]) -> None:
    text = read("methodology.md")
    with (DBT_PROJECT_DIR / "seeds" / f"{seed}.csv").open(newline="") as handle:
        for row in csv.DictReader(handle):
            rank, *others = (row[column] for column in columns)
            begin = " | ".join([f"| {rank} | `{row[key]}`", *others])
            assert begin in text, f"{seed}: {begin}"


@pytest.mark.parametrize(
    "variable", ["topic_score_threshold", "min_period_coverage", "min_sufficient_n"]
)
def test_thresholds_have_their_value_where_they_are_named(variable: str) -> None:
    value = yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text())["vars"][variable]
    assert f"`{variable}`" in read("operations.md")
    named = [line for line in read("methodology.md").splitlines() if f"`{variable}`" in line]
    assert any(re.search(rf"[≥<] {re.escape(str(value))}(?![\d.])", line) for line in named), named


def test_the_quantile_of_95_percent_intervals_is_the_one_in_use() -> None:
    z95 = yaml.safe_load((DBT_PROJECT_DIR / "dbt_project.yml").read_text())["vars"]["z95"]
    assert "`z95`" in read("operations.md")
    assert f"*z* = {z95}" in read("methodology.md")


# All pages


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", ""))
    return kept.replace(" ", "-")


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {slug(heading) for heading in headings}


def links(page: Path) -> list[str]:
    """Relative links of a page, those in code left out."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(PROJECT_ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        assert target.is_relative_to(PROJECT_ROOT), f"{page.name}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{page.name}: {link}"


def targets() -> set[str]:
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z0-9-]*):", makefile, flags=re.MULTILINE))


def test_the_readme_names_the_two_commands() -> None:
    text = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(PROJECT_ROOT).as_posix())
def test_make_targets_that_pages_name_exist(page: Path) -> None:
    code = re.findall(
        r"`make ([a-z0-9-]+)|^make (?:[A-Z]+=\S+ )*([a-z0-9-]+)", page.read_text(), re.M
    )
    named = {name for pair in code for name in pair if name}
    assert named <= targets(), named - targets()


def test_contributing_explains_the_main_targets() -> None:
    rows = table_rows((PROJECT_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    wanted = {"demo", "test", "quality", "style", "e2e", "up", "docs", "bench"}
    assert {f"make {name}" for name in wanted} <= set(rows)


def test_every_decision_is_listed_and_short() -> None:
    folder = DOCS / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    records = sorted(folder.glob("[0-9]*.md"))
    assert [path.name[:4] for path in records] == [f"{n:04}" for n in range(1, len(records) + 1)]
    for path in records:
        lines = path.read_text(encoding="utf-8").splitlines()
        title = lines[0].removeprefix(f"# {path.name[:4]}. ")
        assert f"| {path.name[:4]} | [{title}]({path.name}) |" in index
        assert len(lines) <= 25, path.name
