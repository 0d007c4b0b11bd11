"""dbt's seeds, models and tests as assets and asset checks: one dbt invocation a run."""

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from pipelines.defs.resources import Home, Writer
from pipelines.errors import CheckFailed
from pipelines.settings import get_settings
from pipelines.topics.embedding import load_embedder
from pipelines.warehouse import dbt_project, dbt_runner
from pipelines.warehouse.table_facts import table_facts

log = logging.getLogger("papertide")

PREVIEW_ROWS = 5


class Translator(DagsterDbtTranslator):
    """Groups follow the project's folders, so the lineage reads staging → intermediate → marts."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The folder that contains the model; seeds are reference data."""
        if dbt_resource_props["resource_type"] == "seed":
            return "reference"
        return str(dbt_resource_props["fqn"][-2])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """One team owns the warehouse."""
        return ["team:warehouse"]


MANIFEST = dbt_project.manifest(get_settings())
TRANSLATOR = Translator(settings=DagsterDbtTranslatorSettings(enable_asset_checks=True))


@dbt_assets(manifest=MANIFEST, dagster_dbt_translator=TRANSLATOR)
def dbt_models(context: dg.AssetExecutionContext, home: Home, writer: Writer) -> Iterator[Any]:
    """Seeds, staging, intermediate, marts and their tests. A failing test stops the run."""
    log.info("building and checking the tables")
    load_embedder(home.settings.topic_embedder or "")  # fail before the build, not within it
    target = home.settings.dbt_target_dir / "target"
    results, failure = dbt_runner.build(home.settings, target)
    if failure and not isinstance(failure, CheckFailed):
        raise failure
    # Only now has dbt let go of the file that holds the counts.
    facts = table_facts(home.settings, PREVIEW_ROWS)
    manifest = json.loads(MANIFEST.read_bytes())
    for result in results:
        told = DbtCoreCliEventMessage(raw_event=result, event_history_metadata={})
        for event in told.to_default_asset_events(manifest, TRANSLATOR, context, target):
            yield _with_facts(context, event, facts)
    if failure:
        raise failure


def _with_facts(
    context: dg.AssetExecutionContext, event: Any, facts: Mapping[str, tuple[int, str]]
) -> Any:
    """A materialization with its number of rows and a preview; other events as they are."""
    if not isinstance(event, dg.Output):
        return event
    key = context.asset_key_for_output(event.output_name)
    if ".".join(key.path) not in facts:
        return event
    rows, preview = facts[".".join(key.path)]
    return event.with_metadata(
        {
            **event.metadata,
            "dagster/row_count": rows,
            "preview": dg.MetadataValue.md(preview),
        }
    )
