"""The sensors: new and changed source files start `ingest` for their data sets only; what it accepted starts `reconcile`."""

import json

import dagster as dg

from pipelines import jobs
from pipelines.changes import changed, look_at
from pipelines.partitions import DATASETS
from pipelines.requests import ingest_request, reconcile_config
from pipelines.road import Road

LOOK_EVERY_S = 30
SETTLED_S = 10  # a file untouched for so long is no longer being copied


@dg.sensor(
    job=jobs.ingest,
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="发现新到或更新的源文件: brings in the data sets whose files are new or changed",
)
def changed_sources(context: dg.SensorEvaluationContext, road: dg.ResourceParam[Road]) -> dg.SensorResult:
    seen: dict[str, str] = json.loads(context.cursor or "{}")
    datasets = road.datasets()
    looks = look_at(datasets, settled_before=road.clock().timestamp() - SETTLED_S)
    keys = changed(looks, seen, road.received())
    return dg.SensorResult(
        run_requests=[ingest_request(keys)] if keys else [],
        skip_reason=None if keys else f"{len(looks)} 个源文件均无变化 No change in {len(looks)} data sets' files",
        dynamic_partitions_requests=[DATASETS.build_add_request([dataset.key for dataset in datasets])],
        cursor=json.dumps({**seen, **{key: look.fingerprint for key, look in looks.items()}}),
    )


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[jobs.ingest],
    request_job=jobs.reconcile,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="归集后对账: reconciles after an ingest that brought something new",
)
def ingest_done(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
    run_id = context.dagster_run.run_id
    news = context.instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION, limit=1).records
    if not news:
        return dg.SkipReason("没有新快照 Nothing new was brought in")
    return dg.RunRequest(run_key=run_id, run_config=reconcile_config(full=False))
