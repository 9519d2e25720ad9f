"""A schedule per update frequency (更新频率): what a contract promises is what is fetched, whether file or database."""

from collections.abc import Mapping

import dagster as dg

from pipelines.jobs import casework, ingest
from pipelines.requests import ingest_request
from pipelines.road import Road

TIME_ZONE = "Asia/Shanghai"

CRON = {
    "实时": ("realtime", "*/10 * * * *"),
    "每日": ("daily", "0 1 * * *"),
    "每周": ("weekly", "0 2 * * 1"),
    "每月": ("monthly", "0 3 1 * *"),
    "每季度": ("quarterly", "0 4 1 1,4,7,10 *"),
    "每半年": ("half_yearly", "30 4 1 1,7 *"),
    "每年": ("yearly", "0 5 1 1 *"),
}
"""Update frequency → name of its schedule and when it is due. A file that comes earlier is seen by the sensor."""


def _schedule(frequency: str, name: str, cron: str) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name, cron_schedule=cron, job=ingest, execution_timezone=TIME_ZONE, description=f"归集更新频率为“{frequency}”的数据集",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )  # fmt: skip
    def due(road: dg.ResourceParam[Road]) -> dg.RunRequest | dg.SkipReason:
        keys = [dataset.key for dataset in road.datasets() if dataset.update_frequency == frequency]
        return ingest_request(keys) if keys else dg.SkipReason(f"没有更新频率为“{frequency}”的数据集 No data set is updated so often")

    return due


schedules: Mapping[str, dg.ScheduleDefinition] = {frequency: _schedule(frequency, *entry) for frequency, entry in CRON.items()}


@dg.schedule(
    name="reminders", cron_schedule="30 7 * * *", job=casework, execution_timezone=TIME_ZONE, description="每日提醒（红黄绿灯）",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)  # fmt: skip
def reminders() -> dg.RunRequest:
    """Clocks run whether data come in or not (law.md F-01)."""
    return dg.RunRequest()
