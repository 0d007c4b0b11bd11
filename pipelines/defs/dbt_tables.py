"""dbt's seeds, models and tests as assets and asset checks: one dbt invocation per run.

Belongs here: mapping dbt's nodes and results to Dagster's. Does not: running dbt
(`warehouse/dbt_project`). The project is parsed when definitions are loaded, never at import.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets

from pipelines.defs.resources import WriterLock
from pipelines.errors import CheckFailed
from pipelines.settings import Settings, load_settings
from pipelines.topics.embedding import load_embedder
from pipelines.warehouse import dbt_project, dbt_runner
from pipelines.warehouse.loading import start_models
from pipelines.warehouse.table_facts import table_facts

log = logging.getLogger("papertide")

PREVIEW_ROWS = 5
UNIQUE_ID = "dagster_dbt/unique_id"  # metadata that dagster-dbt puts on assets and checks


class Translator(DagsterDbtTranslator):
    """Groups follow the folders: reference → staging → intermediate → marts, and changes apart."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The folder that contains the model; seeds are reference data."""
        if dbt_resource_props["resource_type"] == "seed":
            return "reference"
        return str(dbt_resource_props["fqn"][-2])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """None: dbt requires an owner for each group, and the declared one is a placeholder."""
        return []


@dg.definitions
def defs() -> dg.Definitions:
    """The dbt project's assets. Parses the project first when its files changed."""
    return dg.Definitions(assets=[dbt_tables(dbt_project.manifest(load_settings()))])


def dbt_tables(manifest: Path) -> dg.AssetsDefinition:
    """One asset per seed and model, one check per test, all built by one dbt invocation."""
    translator = Translator(settings=DagsterDbtTranslatorSettings(enable_asset_checks=True))

    @dbt_assets(manifest=json.loads(manifest.read_bytes()), dagster_dbt_translator=translator)
    def dbt_models(
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        writer: dg.ResourceParam[WriterLock],
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        """Seeds, staging, intermediate, marts and their tests. A failing test stops the run."""
        log.info("building and checking the tables")
        load_embedder(settings.topic_embedder or "")  # fail before the build, not within it
        start_models(settings)
        target = settings.dbt_target_dir / "target"
        results, failure = dbt_runner.build(settings, target)
        if failure and not isinstance(failure, CheckFailed):
            raise failure
        facts = table_facts(settings, PREVIEW_ROWS)  # after dbt closed the file
        yield from _events(context.assets_def, results, facts)
        if failure:
            raise failure

    return dbt_models


def _events(
    tables: dg.AssetsDefinition,
    results: Iterable[Mapping[str, Any]],
    facts: Mapping[str, tuple[int, str]],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """dbt's results as Dagster's: a table that was built, or a check that was evaluated."""
    assets = {spec.metadata.get(UNIQUE_ID): spec.key for spec in tables.specs}
    checks = {(spec.metadata or {}).get(UNIQUE_ID): spec.key for spec in tables.check_specs}
    for result in results:
        node, data = result["data"]["node_info"], result["data"]
        status = node["node_status"]
        metadata: dict[str, Any] = {"unique_id": node["unique_id"], "status": status}
        if seconds := data.get("execution_time"):
            metadata["execution_s"] = float(seconds)
        if (key := assets.get(node["unique_id"])) and status == "success":
            if table := facts.get(".".join(key.path)):
                n_rows, preview = table
                metadata["dagster/row_count"] = n_rows
                metadata["preview"] = dg.MetadataValue.md(preview)
            yield dg.MaterializeResult(asset_key=key, metadata=metadata)
        elif check := checks.get(node["unique_id"]):
            is_warning = status == "warn"
            yield dg.AssetCheckResult(
                asset_key=check.asset_key,
                check_name=check.name,
                passed=status == "pass",
                severity=dg.AssetCheckSeverity.WARN if is_warning else dg.AssetCheckSeverity.ERROR,
                metadata=metadata | _failed_rows(data),
            )


def _failed_rows(data: Mapping[str, Any]) -> dict[str, int]:
    n_failed = data.get("num_failures")
    return {} if n_failed is None else {"n_failed_rows": int(n_failed)}
