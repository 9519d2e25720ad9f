"""Dagster's pages and daemon as one group of processes that ends together.

`dagster dev` starts a web server, a daemon and two code servers and leaves some of them behind when it is signalled, so it gets a
process group of its own, and the whole group is stopped: asked first, then killed. A killed run goes on where it stopped when run again.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from types import FrameType

from catalog.home import Home
from pipelines.abandoned import close_abandoned
from pipelines.instance import opened

GRACE_S = 10.0
POLL_S = 0.1
ANYONE_THERE = 0  # the signal that only asks
ENDED_BY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """A signal asked for the end."""


def serve(home: Home, environ: Mapping[str, str], *, host: str, port: int) -> int:
    """Serve until a signal comes (then 0) or Dagster ends by itself (then its exit code). No process is left behind."""
    for number in ENDED_BY:  # also so that the children do not inherit "ignored" from a shell that put us in the background
        signal.signal(number, _stop)
    with opened(home) as instance:
        close_abandoned(home, instance, {})
    group = subprocess.Popen(_command(host, port), env=_environment(home, environ), cwd=home.dagster, start_new_session=True)
    try:
        return group.wait()
    except Stopped:
        return 0
    finally:
        for number in ENDED_BY:
            signal.signal(number, signal.SIG_IGN)
        end_group(group, grace_s=GRACE_S)


def end_group(leader: "subprocess.Popen[bytes]", *, grace_s: float) -> None:
    """Ask the leader to end its children in its order, and kill what is left of the group after `grace_s` seconds."""
    leader.terminate()
    deadline = time.monotonic() + grace_s
    while _is_alive(leader) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    _signal_group(leader.pid, signal.SIGKILL)
    leader.wait()


def _command(host: str, port: int) -> Sequence[str]:
    options = ["--host", host, "--port", str(port), "--log-level", "warning"]
    return [sys.executable, "-m", "dagster", "dev", "-m", "pipelines.definitions", *options]


def _environment(home: Home, environ: Mapping[str, str]) -> Mapping[str, str]:
    told = {"TONGCHOU_HOME": str(home.root), "TONGCHOU_DATABASE_URL": home.database_url or "", "DAGSTER_HOME": str(home.dagster)}
    return {**environ, **told, "PYTHONWARNINGS": "ignore"}


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


def _is_alive(leader: "subprocess.Popen[bytes]") -> bool:
    leader.poll()  # takes the leader's exit code, so that a dead leader does not count as a living member
    return _signal_group(leader.pid, ANYONE_THERE)


def _signal_group(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True
