"""What Dagster is told of an outcome: which partition of which asset exists now, with counts. Never a value of a row."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import dagster as dg

from catalog.snapshots import Snapshot
from pipelines.partitions import REACHED

if TYPE_CHECKING:
    from casework.handover import Handover
    from connectors.intake import IngestOutcome
    from golden.reconcile import ReconcileOutcome

Counts = Mapping[str, int | bool]
Known = Mapping[str, Collection[str]]


def stage_events(outcome: "IngestOutcome", known: Known, since: datetime) -> Iterator[dg.AssetMaterialization]:
    """A materialisation for each stage that this run brought forward; none where an unchanged source left what Dagster knows already."""
    snapshot = outcome.snapshot
    if snapshot is None:
        return
    for stage in REACHED[snapshot.state]:
        if _touched(snapshot) >= since or outcome.dataset not in known[stage]:
            yield dg.AssetMaterialization(stage, partition=outcome.dataset, metadata=_stage_counts(stage, snapshot))


def golden_counts(outcome: "ReconcileOutcome") -> Counts:
    return {"version": outcome.version, "residents": outcome.residents, "records": outcome.records, "unchanged": outcome.unchanged}


def resident_counts(outcome: "ReconcileOutcome") -> Counts:
    return {**golden_counts(outcome), "new": outcome.new, "merged": outcome.merged, "split": outcome.split}


def ticket_counts(done: "Handover | None") -> Counts:
    if done is None:
        return {"golden_version": 0}
    opened = {"items_opened": done.items_opened, "tickets_opened": done.tickets_opened}
    settled = {"items_settled": done.items_settled, "tickets_closed": done.tickets_closed}
    return {"golden_version": done.golden_version, **opened, **settled, "unchanged": done.unchanged}


def _touched(snapshot: Snapshot) -> datetime:
    return snapshot.judged_at or snapshot.received_at


def _stage_counts(stage: str, snapshot: Snapshot) -> Counts:
    counts = {
        "raw": {"rows": snapshot.rows_raw},
        "standard": {"rows": snapshot.rows_standard or 0, "faulty_cells": snapshot.fault_cells or 0},
        "gate": {"rows": snapshot.rows_standard or 0, "quarantined_rows": snapshot.rows_quarantined or 0},
    }
    return {"version": snapshot.version, **counts[stage]}
