"""dbt's seeds, models and tests as assets and asset checks: one dbt invocation a run."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtCliRuntimeError,
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    dbt_assets,
)

from pipelines import dbt_project
from pipelines.defs.resources import Home, Writer
from pipelines.settings import DBT_PROJECT_DIR, get_settings

log = logging.getLogger("papertide")


class Translator(DagsterDbtTranslator):
    """Groups follow the project's folders, so the lineage reads staging → intermediate → marts."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        if dbt_resource_props["resource_type"] == "seed":
            return "reference"
        return str(dbt_resource_props["fqn"][1])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        return ["team:warehouse"]


def dbt_resource() -> DbtCliResource:
    """dbt's command line, run in this project with this home's settings."""
    return DbtCliResource(
        project_dir=str(DBT_PROJECT_DIR),
        profiles_dir=str(DBT_PROJECT_DIR),
        dbt_executable=dbt_project.dbt_executable(),
    )


@dbt_assets(
    manifest=dbt_project.manifest(get_settings()),
    dagster_dbt_translator=Translator(
        settings=DagsterDbtTranslatorSettings(enable_asset_checks=True)
    ),
)
def dbt_models(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, home: Home, writer: Writer
) -> Iterator[Any]:
    """Seeds, staging, intermediate, marts and their tests. A failing test stops the run."""
    log.info("building and checking the tables")
    target = home.settings.dbt_target_dir / "target"
    run = dbt.cli(["build"], context=context, target_path=target)
    try:
        yield from run.stream()
    except DagsterDbtCliRuntimeError:
        raise dbt_project.failure(target) from None
