"""The data dictionary: written from the contracts, so that it can't drift from them.

Belongs here: reading the marts' contracts (dbt), the lake's columns (`schemas.py`) and the seeds,
and writing `docs/data-dictionary.md`. Does not: pages that a person writes, or any data.

    python -m pipelines.tools.data_dictionary            write it
    python -m pipelines.tools.data_dictionary --check   exit 1 when it is not current
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import click
import jinja2
import yaml

from pipelines.lake.schemas import LAKE_TABLES, SQL_TYPES
from pipelines.settings import DBT_PROJECT_DIR, PROJECT_ROOT

DICTIONARY = PROJECT_ROOT / "docs" / "data-dictionary.md"

_PAGE = """\
<!-- Written by `make docs` from the contracts. Change those, not this file. -->
# Data dictionary

Every table and column that Papertide keeps, with its type and meaning. Three sources, nothing
else: the marts' contracts in `dbt_models/models/marts`, the lake's columns in
`pipelines/lake/schemas.py`, the reference tables' descriptions in `dbt_models/seeds`.

- [Marts](#marts): what people read, in the schema `marts` of every snapshot.
- [Lake](#lake): what parsing gives, in the schema `raw` of the warehouse file.
- [Reference](#reference): written by hand, in the schema `reference` of the warehouse file.

Names tell types: `_on` is a date, `_at` a UTC timestamp, `n_` a count, `share` a fraction from 0
to 1, `is_` and `has_` true or false. Bounds end in `_low` and `_high` and are those of a 95 %
interval. How the figures come about is in the [methodology](methodology.md).

## Marts

| table | one row per | about |
| --- | --- | --- |
{%- for table in marts %}
| [`{{ table.name }}`](#{{ table.name }}) | {{ table.grain }} | {{ table.about | cell }} |
{%- endfor %}
{% for table in marts %}
### {{ table.name }}

{{ table.about }}

Key: {{ table.key }}.
{{ columns(table) }}
{%- if table.rules %}

Always true, or nothing is published:
{% for rule in table.rules %}
- `{{ rule }}`
{%- endfor %}
{%- endif %}
{% endfor %}
## Lake

Parquet and JSON files below `lake/`, loaded as they stand. They are written again when the
parsing rules, the taxonomy or a capture's overrides change.
{% for table in lake %}
### raw.{{ table.name }}

{{ table.about }}
{{ columns(table) }}
{% endfor %}
## Reference
{% for table in reference %}
### reference.{{ table.name }}

{{ table.about }}
{{ columns(table) }}
{% endfor -%}
"""

_COLUMNS = """\
{% macro columns(table) %}
| column | type | null | meaning |
| --- | --- | --- | --- |
{%- for column in table.columns %}
| `{{ column.name }}` | {{ column.dtype }} | {{ column.null }} | {{ column.meaning | cell }} |
{%- endfor %}
{%- endmacro -%}
"""


@dataclass(frozen=True)
class ColumnEntry:
    """A column as the dictionary shows it; `null` is `never`, or empty where it may be."""

    name: str
    dtype: str
    null: str
    meaning: str


@dataclass(frozen=True)
class TableEntry:
    """A table as the dictionary shows it. `key` names its key columns, `rules` its row rules."""

    name: str
    about: str
    columns: tuple[ColumnEntry, ...]
    key: str = ""
    grain: str = ""
    rules: tuple[str, ...] = ()


def marts() -> list[TableEntry]:
    """The marts by name, from the dbt contracts."""
    folder = DBT_PROJECT_DIR / "models" / "marts"
    return sorted((_mart(model) for model in _entries(folder, "models")), key=lambda t: t.name)


def lake() -> list[TableEntry]:
    """The lake's tables, from `schemas.py`."""
    return [
        TableEntry(
            name,
            about,
            tuple(ColumnEntry(c.name, SQL_TYPES[c.dtype], "", c.meaning) for c in columns),
        )
        for name, (about, columns) in LAKE_TABLES.items()
    ]


def reference() -> list[TableEntry]:
    """The reference tables, from the seeds' descriptions."""
    tables = []
    for seed in _entries(DBT_PROJECT_DIR / "seeds", "seeds"):
        types = seed.get("config", {}).get("column_types", {})
        tables.append(
            TableEntry(
                seed["name"],
                seed["description"],
                tuple(
                    ColumnEntry(
                        c["name"], types.get(c["name"], "varchar"), _null(c, seed), c["description"]
                    )
                    for c in seed["columns"]
                ),
            )
        )
    return sorted(tables, key=lambda table: table.name)


def dictionary() -> str:
    """The whole page in Markdown, the same bytes for the same contracts."""
    page = jinja2.Environment(  # noqa: S701  Markdown of our own contracts, not HTML
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    page.filters["cell"] = _cell
    template = page.from_string(_COLUMNS + _PAGE)
    return template.render(marts=marts(), lake=lake(), reference=reference())


def _entries(folder: Path, section: str) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.yml")):
        yield from yaml.safe_load(path.read_text(encoding="utf-8")).get(section, [])


def _mart(model: Mapping[str, Any]) -> TableEntry:
    key = _key(model)
    return TableEntry(
        name=model["name"],
        about=model["description"],
        columns=tuple(
            ColumnEntry(c["name"], c["data_type"], _null(c, model), c["description"])
            for c in model["columns"]
        ),
        key=", ".join(f"`{name}`" for name in key) if key else "none; rows may repeat",
        grain=" × ".join(f"`{name}`" for name in key) if key else "what the text says",
        rules=tuple(chain.from_iterable(_arguments(model, "expressions_are_true", "expressions"))),
    )


def _key(model: Mapping[str, Any]) -> list[str]:
    """Columns of the table's first `unique_key` test; empty if it has none."""
    return next((list(c) for c in _arguments(model, "unique_key", "columns")), [])


def _arguments(model: Mapping[str, Any], test: str, argument: str) -> Iterator[Any]:
    for entry in model.get("data_tests", []):
        if isinstance(entry, dict) and test in entry:
            yield entry[test]["arguments"].get(argument, [])


def _null(column: Mapping[str, Any], table: Mapping[str, Any]) -> str:
    """`never` if a constraint or a test rules out null, else empty."""
    rules = [*(c["type"] for c in column.get("constraints", [])), *column.get("data_tests", [])]
    keys = chain.from_iterable(_arguments(table, "unique_key", "columns"))
    nullable = chain.from_iterable(_arguments(table, "unique_key", "nullable"))
    is_key = column["name"] in set(keys) - set(nullable)
    return "never" if is_key or "not_null" in rules else ""


def _cell(text: str) -> str:
    """Text that stands in one cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when it is not current.")
def main(*, check: bool) -> None:
    """Write docs/data-dictionary.md from the contracts."""
    wanted = dictionary()
    if not check:
        DICTIONARY.parent.mkdir(exist_ok=True)
        DICTIONARY.write_text(wanted, encoding="utf-8")
    elif not DICTIONARY.is_file() or DICTIONARY.read_text(encoding="utf-8") != wanted:
        click.echo(
            "docs/data-dictionary.md is not what the contracts say: run `make docs`.", err=True
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
