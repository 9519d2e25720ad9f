"""The asset checks, one or two per stage: whether what stands there can be relied on. Row-level quality is in the catalogue's tables.

A failed check stops nothing: the last good snapshot and the last golden version stand. Its metadata names data sets and error codes only.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from pipelines.partitions import REACHED

if TYPE_CHECKING:
    from connectors.intake import IngestOutcome
    from golden.reconcile import ReconcileOutcome

NAMED = 50  # data sets that a failed check names; the rest is counted

INTAKE_CHECKS = {
    "raw": ("every_source_was_read", "Each source of the run was there and could be read (源可读)"),
    "standard": ("every_snapshot_was_standardised", "Each raw snapshot of the run has its standard rows (已标准化)"),
    "gate": ("every_snapshot_was_accepted", "Each snapshot of the run passed the gate (通过闸门)"),
}
INTAKE_CHECK_SPECS = [dg.AssetCheckSpec(name, asset=stage, description=told) for stage, (name, told) in INTAKE_CHECKS.items()]

RESIDENT_CHECK = dg.AssetCheckSpec("no_more_residents_than_records", asset="residents", description="居民数不多于记录数")
GOLDEN_CHECK = dg.AssetCheckSpec("no_warnings", asset="golden", description="对账无提示: nothing for a person to look at")
SERVING_CHECK = dg.AssetCheckSpec("serves_the_newest_version", asset="serving", description="服务副本为最新金记录版本")
WARN = dg.AssetCheckSeverity.WARN


def intake_checks(outcomes: "Sequence[IngestOutcome]") -> Iterator[dg.AssetCheckResult]:
    """One result per stage, over the data sets of a run."""
    for stage, (name, _) in INTAKE_CHECKS.items():
        stopped = [outcome for outcome in outcomes if outcome.error is not None and stage not in _reached(outcome)]
        yield dg.AssetCheckResult(
            asset_key=stage,
            check_name=name,
            passed=not stopped,
            metadata={"data_sets": len(outcomes), "stopped": len(stopped), "which": _which(stopped)},
        )


def resident_check(outcome: "ReconcileOutcome") -> dg.AssetCheckResult:
    """A resident is made of records, so there can never be more residents than records."""
    counts = {"residents": outcome.residents, "records": outcome.records}
    return dg.AssetCheckResult(
        asset_key="residents", check_name=RESIDENT_CHECK.name, passed=outcome.residents <= outcome.records, metadata=counts
    )


def golden_check(outcome: "ReconcileOutcome") -> dg.AssetCheckResult:
    """Reconciliation had nothing to warn of; a warning is for a person to look at, and stops nothing."""
    counts = {"warnings": len(outcome.warnings), "conflicts": sum(outcome.conflicts_by_element.values())}
    return dg.AssetCheckResult(
        asset_key="golden", check_name=GOLDEN_CHECK.name, passed=not outcome.warnings, severity=WARN, metadata=counts
    )


def serving_check(served: int, newest: int) -> dg.AssetCheckResult:
    """The serving copy answers with the newest golden version, also where another run has made one meanwhile."""
    versions = {"served": served, "newest": newest}
    return dg.AssetCheckResult(asset_key="serving", check_name=SERVING_CHECK.name, passed=served == newest, metadata=versions)


def _reached(outcome: "IngestOutcome") -> Sequence[str]:
    return REACHED[outcome.snapshot.state] if outcome.snapshot is not None else ()


def _which(stopped: "Sequence[IngestOutcome]") -> str:
    return ", ".join(f"{outcome.dataset} {getattr(outcome.error, 'code', '')}".strip() for outcome in stopped[:NAMED])
