"""The group of processes behind Dagster's pages ends as a whole, whatever its members do with signals."""

import subprocess
import sys
import time
from pathlib import Path

from catalog.home import Home
from pipelines.instance import CONFIGURATION, settle
from pipelines.serve import end_group

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) > 1:
    child = subprocess.Popen([sys.executable, __file__])
    open(sys.argv[1], "w").write(str(child.pid))
time.sleep(60)
"""


def test_a_child_that_ignores_signals_is_not_left_behind(tmp_path: Path) -> None:
    program, told = tmp_path / "stubborn.py", tmp_path / "pid"
    program.write_text(STUBBORN)
    leader = subprocess.Popen([sys.executable, program, told], start_new_session=True)
    while not (told.exists() and told.read_text()):
        time.sleep(0.05)
    end_group(leader, grace_s=0.5)
    assert leader.returncode is not None
    assert _ends(int(told.read_text()), within_s=5)


def test_the_configuration_of_the_checkout_is_linked_into_the_home(home: Home) -> None:
    assert settle(home) == home.dagster == settle(home)
    assert (home.dagster / "dagster.yaml").resolve() == CONFIGURATION.resolve()


def _ends(pid: int, *, within_s: float) -> bool:
    """A killed process is gone a moment after the kill."""
    deadline = time.monotonic() + within_s
    while _is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not _is_running(pid)


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_group_that_has_ended_by_itself_is_fine() -> None:
    leader = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    leader.wait()
    end_group(leader, grace_s=0.1)
    assert leader.returncode == 0
