"""How a run is asked for: the same run configuration for the command line, sensors and schedules."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from pipelines.assets import INTAKE, RECONCILIATION

COUNT_TAG = "tongchou/data_sets"


def ingest_config(keys: Sequence[str]) -> Mapping[str, Any]:
    return {"ops": {INTAKE: {"config": {"datasets": list(keys)}}}}


def reconcile_config(*, full: bool, learn: bool = False) -> Mapping[str, Any]:
    return {"ops": {RECONCILIATION: {"config": {"full": full, "learn": learn}}}}


def ingest_request(keys: Sequence[str], run_key: str | None = None) -> dg.RunRequest:
    """One run over many data sets, next to each other in the list of partitions or not."""
    return dg.RunRequest(run_key=run_key, run_config=ingest_config(keys), tags={COUNT_TAG: str(len(keys))})
