"""What `dagster dev -m pipelines.definitions` loads. Only here does this package read the environment, and only when `defs` is loaded."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import dagster as dg

from catalog.home import Home
from pipelines import jobs
from pipelines.assets import intake, reconciliation, serving, tickets
from pipelines.road import open_road
from pipelines.schedules import reminders, schedules
from pipelines.sensors import changed_sources, ingest_done

NO_SECRETS: Mapping[str, str] = MappingProxyType({})


def build_defs(home: Home, overrides: Mapping[str, object] | None = None, *, secrets: Mapping[str, str] = NO_SECRETS) -> dg.Definitions:
    """Fresh definitions over a home; `overrides` replaces resources by name (`road`), `secrets` fills the `${NAME}` of database URLs."""
    return dg.Definitions(
        assets=[intake, reconciliation, serving, tickets],
        jobs=[jobs.ingest, jobs.reconcile, jobs.casework],
        sensors=[changed_sources, ingest_done],
        schedules=[*schedules.values(), reminders],
        resources={"road": dg.ResourceDefinition(lambda _: open_road(home, secrets=secrets)), **(overrides or {})},
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    root = Path(os.environ.get("TONGCHOU_HOME") or "var")
    return build_defs(Home(root=root, database_url=os.environ.get("TONGCHOU_DATABASE_URL") or None), secrets=dict(os.environ))
