"""The jobs run in this process, on the instance that Dagster's pages show: how the command line brings in and reconciles."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from catalog.home import Home
from pipelines import instance, jobs
from pipelines.definitions import build_defs
from pipelines.requests import COUNT_TAG, ingest_config, reconcile_config
from pipelines.road import Listener, open_road

if TYPE_CHECKING:
    from connectors.intake import IngestOutcome
    from golden.reconcile import ReconcileOutcome

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
FROM_TAG = "tongchou/from"


def ingest(home: Home, keys: Sequence[str], on_done: "Callable[[IngestOutcome], None] | None" = None) -> "list[IngestOutcome]":
    """Bring data sets in, one outcome each in the order of the work; `on_done` hears of each as it is finished.

    A data set's own fault is in its outcome. A fault of the platform (a full disk, a lost database) is raised; what was finished stands.
    """
    outcomes: list[Any] = []

    def hear(outcome: Any) -> None:
        outcomes.append(outcome)
        if on_done is not None:
            on_done(outcome)

    if keys:
        _execute(home, jobs.INGEST, ingest_config(keys), hear, {COUNT_TAG: str(len(keys))})
    return outcomes


def reconcile(home: Home, *, full: bool) -> "ReconcileOutcome":
    """Resolve accepted snapshots into residents and golden records, and publish the serving copy."""
    outcomes: list[Any] = []
    _execute(home, jobs.RECONCILE, reconcile_config(full=full), outcomes.append, {})
    return outcomes[0]


def _execute(home: Home, job: str, config: Mapping[str, Any], told: Listener, tags: Mapping[str, str]) -> None:
    _be_quiet()
    road = open_road(home, told)
    try:
        with instance.opened(home) as dagster:
            definition = build_defs(home, {"road": road}).resolve_job_def(job)
            definition.execute_in_process(instance=dagster, run_config={**config, **QUIET}, tags={FROM_TAG: "tongchou", **tags})
    finally:
        road.store.close()


def _be_quiet() -> None:
    """Dagster writes to the console what the command line tells in its own words."""
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    dg.get_dagster_logger().setLevel(logging.CRITICAL)
