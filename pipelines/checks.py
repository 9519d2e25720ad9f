"""The asset checks, one or two per stage: whether what stands there can be relied on. Row-level quality is in the catalogue's tables.

A failed check stops nothing: the last good snapshot and the last golden version stand. Its metadata names data sets and error codes only.
"""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import dagster as dg

from pipelines.standing import Standing

if TYPE_CHECKING:
    from casework.handover import Handover
    from golden.reconcile import ReconcileOutcome

NAMED = 50  # data sets that a failed check names; the rest is counted

INTAKE_CHECKS = {
    "raw": ("every_source_was_read", "源可读: each data set's source was there and could be read, when it was last tried"),
    "standard": ("every_snapshot_was_standardised", "已标准化: no raw snapshot waits for its standard rows"),
    "gate": ("every_snapshot_was_accepted", "通过闸门: each data set's newest snapshot was accepted"),
}
INTAKE_CHECK_SPECS = [dg.AssetCheckSpec(name, asset=stage, description=told) for stage, (name, told) in INTAKE_CHECKS.items()]

RESIDENT_CHECK = dg.AssetCheckSpec("no_more_residents_than_records", asset="residents", description="居民数不多于记录数")
GOLDEN_CHECK = dg.AssetCheckSpec("no_warnings", asset="golden", description="对账无提示: nothing for a person to look at")
SERVING_CHECK = dg.AssetCheckSpec("serves_the_newest_version", asset="serving", description="服务副本为最新金记录版本")
TICKETS_CHECK = dg.AssetCheckSpec("newest_version_was_handed_over", asset="tickets", description="最新金记录版本的分歧已建单")
WARN = dg.AssetCheckSeverity.WARN


def intake_checks(standing: Standing) -> Iterator[dg.AssetCheckResult]:
    """One result per stage, over all data sets and not only those of the run: what is faulty stays red until it is repaired."""
    for stage, (name, _) in INTAKE_CHECKS.items():
        stopped = standing.stopped[stage]
        named = ", ".join(f"{key} {code}".strip() for key, code in islice(stopped.items(), NAMED))
        told: dict[str, int | str] = {"data_sets": standing.tried, "stopped": len(stopped), "which": named}
        yield dg.AssetCheckResult(asset_key=stage, check_name=name, passed=not stopped, metadata=told)


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


def tickets_check(done: "Handover | None", newest: int) -> dg.AssetCheckResult:
    """The conflicts of the newest golden version stand on tickets."""
    versions = {"handed_over": done.golden_version if done else 0, "newest": newest}
    return dg.AssetCheckResult(
        asset_key="tickets", check_name=TICKETS_CHECK.name, passed=versions["handed_over"] == newest, metadata=versions
    )
