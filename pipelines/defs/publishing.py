"""Publishing: the audit of the candidate, the snapshot, and the record of a failed build.

Belongs here: assets and checks to the right of the marts. Does not: copying or auditing
(`publishing`, `audit`).
"""

import logging
from collections.abc import Iterator

import dagster as dg

from pipelines.audit import runner
from pipelines.audit.findings import Outcome, Refused
from pipelines.defs.resources import WriterLock
from pipelines.defs.results import PublishedSnapshot
from pipelines.publishing import build_status, retention
from pipelines.publishing.publication import publish
from pipelines.publishing.reader import Reader
from pipelines.settings import DBT_PROJECT_DIR, Settings
from pipelines.warehouse import candidate

log = logging.getLogger("papertide")

AFTER_PUBLISHING = ("site", "snapshot_snapshot_holds_what_it_says")  # steps that publish nothing
MARTS = [["marts", path.stem] for path in sorted((DBT_PROJECT_DIR / "models/marts").rglob("*.sql"))]
AUDIT = [
    dg.AssetCheckSpec(
        check.name, asset=["marts", check.mart], description=check.description, blocking=True
    )
    for check in runner.CHECKS
]


@dg.multi_asset_check(specs=AUDIT, name="audit")
def audit_candidate(
    settings: dg.ResourceParam[Settings], writer: dg.ResourceParam[WriterLock]
) -> Iterator[dg.AssetCheckResult]:
    """The candidate compared with the current snapshot, in one pass.

    Raises Refused after all results are reported: Dagster's own error names only the checks.
    """
    outcomes = runner.run(settings)
    for check in runner.CHECKS:
        yield _check_result(check, outcomes[check.name])
    if errors := [finding for outcome in outcomes.values() for finding in outcome.errors]:
        raise Refused(errors)


def _check_result(check: runner.Check, outcome: Outcome) -> dg.AssetCheckResult:
    """Blocks the build on errors; with warnings alone the check fails and the build continues."""
    level = dg.AssetCheckSeverity.ERROR if outcome.errors else dg.AssetCheckSeverity.WARN
    texts = [f"- {finding.severity}: {finding.text}" for finding in outcome.findings]
    return dg.AssetCheckResult(
        asset_key=["marts", check.mart],
        check_name=check.name,
        passed=not outcome.findings,
        severity=level,
        description="; ".join(finding.message for finding in outcome.findings) or None,
        metadata={**outcome.figures, "findings": dg.MetadataValue.md("\n".join(texts))},
    )


@dg.asset(deps=MARTS, group_name="published", kinds={"duckdb", "parquet"})
def snapshot(
    settings: dg.ResourceParam[Settings], writer: dg.ResourceParam[WriterLock]
) -> dg.MaterializeResult[None]:
    """An immutable copy of the checked marts; readers switch to it between queries."""
    log.info("publishing a snapshot")
    published = publish(settings)
    candidate.adopt(settings)
    expired = retention.expire(settings)
    package = published.package()
    rows = {resource["name"]: resource["rows"] for resource in package["resources"]}
    result = PublishedSnapshot(
        snapshot_id=published.snapshot_id,
        content_hash=package["content_hash"],
        n_papers=rows["dim_papers"],
        n_listings=rows["fct_listings"],
        n_quarantined=rows["rpt_quarantine"],
        n_expired=len(expired),
    )
    folder = dg.MetadataValue.path(str(published.folder))
    return dg.MaterializeResult(metadata={**result.to_metadata(), "folder": folder})


@dg.asset_check(asset="snapshot")
def snapshot_holds_what_it_says(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
    """The published database opens for readers and has the row counts that it declares."""
    reader = Reader(settings)
    declared = {r["name"]: r["rows"] for r in reader.snapshot().package()["resources"]}
    wrong = {
        name: found
        for name, rows in declared.items()
        if (found := reader.query(f'select count(*) as n from marts."{name}"')["n"][0]) != rows
    }
    return dg.AssetCheckResult(
        passed=not wrong, metadata={"n_tables": len(declared), "wrong": str(wrong)}
    )


@dg.failure_hook(required_resource_keys={"settings"})
def note_failed_build(context: dg.HookContext) -> None:
    """Record for readers and monitoring that a build published nothing, and why.

    Dagster skips hooks in a run that raises, as command-line runs do; the command line records it.
    """
    if context.op.name not in AFTER_PUBLISHING:
        build_status.note_failed_build(context.resources.settings, context.op_exception)
