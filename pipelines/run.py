"""The jobs run in this process, on the instance that Dagster's pages show: how the command line brings in and reconciles."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import dagster as dg

from catalog.home import Home
from pipelines import instance, jobs
from pipelines.abandoned import alive, close_abandoned
from pipelines.definitions import NO_SECRETS, build_defs
from pipelines.requests import COUNT_TAG, ingest_config, reconcile_config
from pipelines.road import Road, open_road

if TYPE_CHECKING:
    from connectors.intake import IngestOutcome
    from golden.reconcile import ReconcileOutcome

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
FROM_HERE = {"tongchou/from": "tongchou"}
LISTED = {".dagster/repository": "__repository__@pipelines.definitions"}  # the tag by which Dagster's pages list a run under its job


def ingest(
    home: Home, keys: Sequence[str], on_done: "Callable[[IngestOutcome], None] | None" = None, *, secrets: Mapping[str, str] = NO_SECRETS
) -> "list[IngestOutcome]":
    """Bring data sets in, one outcome each in the order of the work; `on_done` hears of each as it is finished.
    `secrets` fills the `${NAME}` of database URLs: the environment, as the command line sees it.

    A data set's own fault is in its outcome. A fault of the platform (a full disk, a lost database) is raised; what was finished stands.
    """
    outcomes: list[Any] = []

    def hear(outcome: Any) -> None:
        outcomes.append(outcome)
        if on_done is not None:
            on_done(outcome)

    if keys:
        road = open_road(home, secrets=secrets, told=hear)
        _execute(road, jobs.INGEST, ingest_config(keys), {COUNT_TAG: str(len(keys))})
    return outcomes


def reconcile(home: Home, *, full: bool, learn: bool = False) -> "ReconcileOutcome":
    """Resolve accepted snapshots into residents and golden records, and publish the serving copy."""
    outcomes: list[Any] = []
    _execute(open_road(home, secrets=NO_SECRETS, told=outcomes.append), jobs.RECONCILE, reconcile_config(full=full, learn=learn), {})
    return outcomes[0]


def _execute(road: Road, job: str, config: Mapping[str, Any], tags: Mapping[str, str]) -> None:
    _be_quiet()
    run_id = str(uuid4())
    definition = build_defs(road.home, {"road": road}).resolve_job_def(job)
    given, told = {**config, **QUIET}, {**FROM_HERE, **LISTED, **tags}
    try:
        with instance.opened(road.home) as dagster, alive(road.home, run_id):
            close_abandoned(road.home, dagster, FROM_HERE)
            definition.execute_in_process(instance=dagster, run_id=run_id, run_config=given, tags=told)
    finally:
        road.store.close()


def _be_quiet() -> None:
    """Dagster writes to the console what the command line tells in its own words."""
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    dg.get_dagster_logger().setLevel(logging.CRITICAL)
