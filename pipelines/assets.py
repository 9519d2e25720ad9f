"""The assets: raw, standard, gate (a partition per data set), then residents, golden, serving, tickets; each reads, calls, writes, counts.

raw, standard and gate are one operation that takes any number of data sets in any order: a run per data set, or an asset step per data set
and stage, would cost minutes of bookkeeping. It records a materialisation for each data set and stage reached, so a faulty data set stops
no other; it stays unmaterialised in Dagster's pages, and the check of the stage where it stopped fails.
"""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from pipelines.checks import (
    GOLDEN_CHECK,
    INTAKE_CHECK_SPECS,
    RESIDENT_CHECK,
    SERVING_CHECK,
    TICKETS_CHECK,
    golden_check,
    intake_checks,
    resident_check,
    serving_check,
    tickets_check,
)
from pipelines.events import golden_counts, resident_counts, stage_events, ticket_counts
from pipelines.partitions import DATASETS, STAGES
from pipelines.road import Road

ROAD = "road"
INTAKE, RECONCILIATION = "intake", "reconciliation"  # the two operations that make more than one asset


class IntakeConfig(dg.Config):
    """Which data sets a run brings in where it was not started for partitions: those named, or all that are registered."""

    datasets: list[str] = Field(default_factory=list)


class ReconciliationConfig(dg.Config):
    """`full`: everything anew instead of what has changed; `learn`: the model anew as well."""

    full: bool = False
    learn: bool = False


def _stage(key: str, after: list[str], description: str) -> dg.AssetSpec:
    return dg.AssetSpec(key, deps=after, partitions_def=DATASETS, skippable=True, group_name=ROAD, description=description)


@dg.multi_asset(
    name=INTAKE,
    specs=[
        _stage("raw", [], "原始快照: a source as it came, verbatim, immutable"),
        _stage("standard", ["raw"], "标准数据: canonical values by element, each faulty cell marked"),
        _stage("gate", ["standard"], "质量闸门: accepted snapshots; where one is refused, the last good one stands"),
    ],
    check_specs=INTAKE_CHECK_SPECS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def intake(context: dg.AssetExecutionContext, config: IntakeConfig, road: dg.ResourceParam[Road]) -> Iterator[dg.AssetCheckResult]:
    datasets = road.datasets(context.partition_keys if _is_for_partitions(context) else config.datasets or None)
    context.instance.add_dynamic_partitions(str(DATASETS.name), [dataset.key for dataset in datasets])
    known = {stage: context.instance.get_materialized_partitions(dg.AssetKey(stage)) for stage in STAGES}
    since = road.clock()
    for outcome in road.ingest(datasets, run=context.run_id):
        for event in stage_events(outcome, known, since):
            context.log_event(event)
    yield from intake_checks(road.standing())


def _is_for_partitions(context: dg.AssetExecutionContext) -> bool:
    return context.has_partition_key or context.has_partition_key_range


@dg.multi_asset(
    name=RECONCILIATION,
    specs=[
        dg.AssetSpec("residents", deps=["gate"], group_name=ROAD, description="居民: which records are the same person"),
        dg.AssetSpec(
            "golden", deps=["residents"], group_name=ROAD, description="金记录: the chosen value of each element, with its rivals"
        ),
    ],
    check_specs=[RESIDENT_CHECK, GOLDEN_CHECK],
)
def reconciliation(config: ReconciliationConfig, road: dg.ResourceParam[Road]) -> Iterator[dg.MaterializeResult]:
    outcome = road.reconcile(full=config.full, learn=config.learn)
    yield dg.MaterializeResult(asset_key="residents", metadata=resident_counts(outcome), check_results=[resident_check(outcome)])
    yield dg.MaterializeResult(asset_key="golden", metadata=golden_counts(outcome), check_results=[golden_check(outcome)])


@dg.asset(deps=["golden"], group_name=ROAD, check_specs=[SERVING_CHECK], description="服务副本: golden values for look-ups")
def serving(road: dg.ResourceParam[Road]) -> dg.MaterializeResult:
    served = road.publish()
    counts = {"golden_version": served.golden_version, "residents": served.residents} if served is not None else {"golden_version": 0}
    return dg.MaterializeResult(metadata=counts, check_results=[serving_check(counts["golden_version"], road.newest_golden())])


@dg.asset(deps=["golden"], group_name=ROAD, check_specs=[TICKETS_CHECK], description="校核工单: conflicts sent back to their sources")
def tickets(road: dg.ResourceParam[Road]) -> dg.MaterializeResult:
    done = road.hand_over()
    return dg.MaterializeResult(metadata=ticket_counts(done), check_results=[tickets_check(done, road.newest_golden())])
