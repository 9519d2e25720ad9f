"""What disks, databases and clocks do to a log: it acknowledges nothing that is not durable, says so, and then goes on by itself."""

import errno
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit.errors import LogBroken, LogUnavailable
from audit.events import Event
from audit.integrator import Integrator
from audit.log import Log, open_log
from audit.verify import verify
from tests import postgres
from tests.audit.test_integrator import until

BODY = {"why": "x" * 2_000}
FEW_PAGES = 256 * 1_024


def append(log: Log) -> int:
    return log.append(Event.LOG_READ, BODY).seq


def refuses(log: Log) -> bool:
    try:
        append(log)
    except LogUnavailable:
        return True
    return False


@pytest.fixture
def sqlite_log(tmp_path: Path) -> Iterator[Log]:
    log = open_log(f"sqlite:///{tmp_path / 'audit.db'}", tmp_path / "keys")
    yield log
    log.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("this user may mount nothing; the file size limit stands in for it")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> None:
    with (folder / "ballast").open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4_096))
        except OSError as fault:
            assert fault.errno == errno.ENOSPC


def test_a_full_disk_takes_no_record_and_once_it_has_room_the_log_goes_on(small_disk: Path) -> None:
    log = open_log(f"sqlite:///{small_disk / 'audit.db'}", small_disk / "keys")
    acknowledged = [append(log) for _ in range(5)]
    log.seal()
    fill(small_disk)
    with pytest.raises(LogUnavailable):
        while True:
            acknowledged.append(append(log))
    assert refuses(log)
    (small_disk / "ballast").unlink()
    acknowledged.append(append(log))
    assert acknowledged == list(range(len(acknowledged))) and log.size() == len(acknowledged)
    assert log.seal().size == len(acknowledged)
    assert verify(log).ok
    log.close()


def test_a_witness_without_room_stops_sealing_and_goes_on(sqlite_log: Log, small_disk: Path, tmp_path: Path) -> None:
    log = open_log(f"sqlite:///{tmp_path / 'audit.db'}", tmp_path / "keys", witness=small_disk / "witness")
    append(log)
    log.seal()
    fill(small_disk)
    log.append_all([(Event.LOG_READ, {}) for _ in range(300)])
    with pytest.raises(LogUnavailable, match="witness"):
        log.seal()
    (small_disk / "ballast").unlink()
    assert log.seal().size == 301
    assert verify(log).ok
    log.close()


LIMITED = """
import resource, signal, sys
from pathlib import Path
from audit.errors import LogUnavailable
from audit.events import Event
from audit.log import open_log

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = open_log(sys.argv[1], Path(sys.argv[2]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
given = []
try:
    while True:
        given.append(log.append(Event.LOG_READ, {"why": "x" * 2000}).seq)
except LogUnavailable:
    print("refused", len(given))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
given.append(log.append(Event.LOG_READ, {}).seq)
print("went on", given == list(range(len(given))))
"""


def test_a_file_that_may_grow_no_more_takes_no_record_and_then_goes_on(sqlite_log: Log, tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    url, keys = f"sqlite:///{tmp_path / 'audit.db'}", str(tmp_path / "keys")
    command = [sys.executable, "-c", LIMITED, url, keys, str(FEW_PAGES)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=True)
    refused, went_on = ran.stdout.splitlines()
    assert went_on == "went on True"
    assert sqlite_log.size() == int(refused.split()[1]) + 1
    sqlite_log.seal()
    assert verify(sqlite_log).ok


def test_a_file_system_that_turned_read_only_takes_no_record_and_then_goes_on(small_disk: Path) -> None:
    log = open_log(f"sqlite:///{small_disk / 'audit.db'}", small_disk / "keys")
    append(log)
    log.close()  # the kernel refuses to turn it while files are open for writing; a dying disk does not ask
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert refuses(log)
    with pytest.raises(LogUnavailable):
        log.seal()
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    append(log)
    assert log.seal().size == 2
    assert verify(log).ok
    log.close()


def test_a_database_that_was_moved_away_takes_nothing_until_it_is_back(sqlite_log: Log, tmp_path: Path) -> None:
    """An open file goes on taking what is written to it after its name is gone: nobody would read that again."""
    append(sqlite_log)
    sqlite_log.seal()
    for name in ("audit.db", "audit.db-wal", "audit.db-shm"):
        (tmp_path / name).rename(tmp_path / f"{name}.away")
    assert refuses(sqlite_log)
    with pytest.raises(LogUnavailable):
        sqlite_log.seal()
    for name in ("audit.db", "audit.db-wal", "audit.db-shm"):
        (tmp_path / f"{name}.away").rename(tmp_path / name)
    append(sqlite_log)
    assert sqlite_log.seal().size == 2
    assert verify(sqlite_log).ok


def test_a_log_that_was_deleted_is_not_begun_anew(sqlite_log: Log, tmp_path: Path) -> None:
    append(sqlite_log)
    sqlite_log.seal()
    for path in tmp_path.glob("audit.db*"):
        path.unlink()
    with pytest.raises(LogBroken, match="lost or replaced"):
        open_log(f"sqlite:///{tmp_path / 'audit.db'}", tmp_path / "keys")
    with pytest.raises(LogBroken, match="another was put in its place"):
        append(sqlite_log)


def test_an_older_copy_put_in_the_place_of_a_running_log_is_a_fork(sqlite_log: Log, tmp_path: Path) -> None:
    append(sqlite_log)
    sqlite_log.seal()
    sqlite_log.close()
    shutil.copy(tmp_path / "audit.db", tmp_path / "older.db")
    append(sqlite_log)
    sqlite_log.seal()
    sqlite_log.close()
    for path in tmp_path.glob("audit.db*"):
        path.unlink()
    (tmp_path / "older.db").rename(tmp_path / "audit.db")
    append(sqlite_log)
    with pytest.raises(LogBroken, match="older log was restored") as fork:
        sqlite_log.seal()
    assert fork.value.first_bad == 1
    verdict = verify(sqlite_log)
    assert (verdict.ok, verdict.first_bad) == (False, 1)


def test_a_clock_set_back_changes_nothing_but_the_times_that_records_tell(log_url: str, tmp_path: Path) -> None:
    start = datetime(2026, 11, 23, tzinfo=UTC)
    times = iter([start, start + timedelta(hours=1), start - timedelta(days=400), start])
    log = open_log(log_url, tmp_path / "keys", clock=lambda: next(times))
    for _ in range(4):
        append(log)
        log.seal()
    assert [entry.seq for entry in log.entries()] == [0, 1, 2, 3]
    assert [entry.record.at.year for entry in log.entries()] == [2026, 2026, 2025, 2026]
    assert verify(log).ok
    log.close()


@pytest.fixture
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A PostgreSQL server that only this test uses and may restart."""
    folder = tmp_path_factory.mktemp("pg")
    for above in (folder, *folder.parents[:3]):
        above.chmod(above.stat().st_mode | 0o055)
    postgres.start(folder)
    yield folder
    postgres.control(folder, "stop", "-m", "immediate")


def test_a_postgresql_that_restarts_under_load_loses_nothing_that_was_acknowledged(own_server: Path, tmp_path: Path) -> None:
    log = open_log(f"postgresql://{postgres.USER}@/postgres?host={own_server}", tmp_path / "keys")
    acknowledged: list[int] = []
    faults: list[str] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            try:
                acknowledged.append(append(log))
            except LogUnavailable as fault:
                faults.append(str(fault))
                stop.wait(0.01)

    def grows_from(count: int) -> Callable[[], bool]:
        return lambda: len(acknowledged) > count + 20

    writers = [threading.Thread(target=write) for _ in range(4)]
    with Integrator(log, every_s=0.02) as integrator:
        for writer in writers:
            writer.start()
        for kind in ("fast", "immediate"):
            assert until(grows_from(len(acknowledged)))
            postgres.control(own_server, "restart", "-m", kind)
        assert until(grows_from(len(acknowledged)))
        stop.set()
        for writer in writers:
            writer.join()
        assert until(lambda: works(integrator.check))
    assert faults
    held = [entry.seq for entry in log.entries()]
    assert held == list(range(len(held)))
    assert len(acknowledged) == len(set(acknowledged)) and set(acknowledged) <= set(held)
    log.seal()
    assert verify(log).ok
    log.close()


def works(act: Callable[[], object]) -> bool:
    try:
        act()
    except LogUnavailable:
        return False
    return True


def test_a_postgresql_that_is_gone_takes_nothing_and_the_log_goes_on_once_it_is_back(own_server: Path, tmp_path: Path) -> None:
    log = open_log(f"postgresql://{postgres.USER}@/postgres?host={own_server}", tmp_path / "keys")
    append(log)
    postgres.control(own_server, "stop", "-m", "immediate")
    assert refuses(log) and refuses(log)
    postgres.control(own_server, "start")
    append(log)
    assert log.seal().size == log.size()
    assert verify(log).ok
    log.close()


def test_two_integrators_in_two_processes_neither_fork_nor_lose(log: Log, log_url: str, tmp_path: Path) -> None:
    program = """
import sys, time
from pathlib import Path
from audit.integrator import Integrator
from audit.log import open_log
with Integrator(open_log(sys.argv[1], Path(sys.argv[2])), every_s=0.001) as integrator:
    print("sealing", flush=True)
    sys.stdin.readline()
    integrator.check()
"""
    command = [sys.executable, "-c", program, log_url, str(tmp_path / "keys")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": Path(__file__).parents[2]}
    others = [subprocess.Popen(command, **pipes) for _ in range(2)]  # type: ignore[call-overload]
    for other in others:
        assert other.stdout.readline() == "sealing\n"
    for _ in range(200):
        append(log)
    for other in others:
        other.communicate("stop\n")
        assert other.returncode == 0
    log.seal()
    assert verify(log).ok
    sizes = [head.size for head in log.witness.checkpoints()]
    assert sizes == sorted(set(sizes)) and sizes[-1] == 200
