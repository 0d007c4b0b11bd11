"""Checks that dbt can't make: on the lake before it is loaded, on the candidate before it is
published, on the snapshot after it is written.

Row rules of tables live in dbt, as tests beside the models.
"""

from collections.abc import Iterator

import dagster as dg

from pipelines.archive.archive import Archive
from pipelines.audit import runner
from pipelines.audit.findings import Outcome, Refused
from pipelines.defs.intake import parsed_items
from pipelines.defs.publish import snapshot
from pipelines.defs.resources import Home, Writer
from pipelines.lake import items
from pipelines.publishing.reader import Reader

AUDIT = [
    dg.AssetCheckSpec(
        check.name, asset=["marts", check.mart], description=check.description, blocking=True
    )
    for check in runner.CHECKS
]


@dg.asset_check(asset=parsed_items, blocking=True)
def every_capture_is_parsed(home: Home) -> dg.AssetCheckResult:
    """No capture of the archive is missing from the lake or stands there under older rules."""
    waiting = items.pending(Archive(home.settings), home.settings.items_dir)
    return dg.AssetCheckResult(
        passed=not waiting,
        description=f"{len(waiting)} capture(s) wait to be parsed",
        metadata={"n_waiting": len(waiting)},
    )


@dg.multi_asset_check(specs=AUDIT, name="audit")
def audit_candidate(home: Home, writer: Writer) -> Iterator[dg.AssetCheckResult]:
    """The candidate next to the current snapshot, in one pass.

    Raises Refused after every result is told: Dagster's own error would name the checks only.
    """
    answers = runner.run(home.settings)
    for check in runner.CHECKS:
        yield _result(check, answers[check.name])
    if errors := [finding for answer in answers.values() for finding in answer.errors]:
        raise Refused(errors)


def _result(check: runner.Check, answer: Outcome) -> dg.AssetCheckResult:
    """Blocking where there are errors; warnings alone do not pass, but let the build go on."""
    level = dg.AssetCheckSeverity.ERROR if answer.errors else dg.AssetCheckSeverity.WARN
    texts = [f"- {finding.severity}: {finding.text}" for finding in answer.findings]
    return dg.AssetCheckResult(
        asset_key=["marts", check.mart],
        check_name=check.name,
        passed=not answer.findings,
        severity=level,
        description="; ".join(finding.message for finding in answer.findings) or None,
        metadata={**answer.figures, "findings": dg.MetadataValue.md("\n".join(texts))},
    )


@dg.asset_check(asset=snapshot)
def snapshot_holds_what_it_says(home: Home) -> dg.AssetCheckResult:
    """The published database opens as readers open it and has the rows that it declares."""
    reader = Reader(home.settings)
    declared = {r["name"]: r["rows"] for r in reader.snapshot().package()["resources"]}
    wrong = {
        name: found
        for name, rows in declared.items()
        if (found := reader.query(f'select count(*) as n from marts."{name}"')["n"][0]) != rows
    }
    return dg.AssetCheckResult(
        passed=not wrong, metadata={"n_tables": len(declared), "wrong": str(wrong)}
    )
