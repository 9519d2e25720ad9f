"""Runs whose process was killed: Dagster would show them as running for ever, and the queue would wait for them.

A run of the command line holds a lock that the kernel frees with its process. A run of the daemon lives no longer than `tongchou serve`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from catalog.home import Home
from catalog.locks import hold, is_held

RUNNING = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
MESSAGE = "进程已被终止，已完成的部分都已保存，再次运行即可续做。 The process was killed; what was finished is kept, run it again."


@contextmanager
def alive(home: Home, run_id: str) -> Iterator[None]:
    """This process works on the run."""
    lock = _lock(home, run_id)
    try:
        with hold(lock, wait_s=0):
            yield
    finally:
        lock.unlink(missing_ok=True)


def close_abandoned(home: Home, instance: dg.DagsterInstance, tags: Mapping[str, str]) -> int:
    """Mark as failed the runs with these tags that no process works on; returns how many."""
    abandoned = [run for run in instance.get_runs(dg.RunsFilter(statuses=RUNNING, tags=dict(tags))) if not is_held(_lock(home, run.run_id))]
    for run in abandoned:
        instance.report_run_failed(run, MESSAGE)
        _lock(home, run.run_id).unlink(missing_ok=True)
    return len(abandoned)


def _lock(home: Home, run_id: str) -> Path:
    return home.dagster / "alive" / f"{run_id}.lock"
