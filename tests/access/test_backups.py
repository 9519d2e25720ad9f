"""Store and log copied away and put back, on both databases; an older copy is a fork for the witness."""

from pathlib import Path

import pytest

from access.backups import back_up, restore
from audit.events import Event
from audit.log import open_log
from audit.verify import verify
from catalog.home import Home
from rules.errors import IntegrityBroken, NotFound, Refused
from tests import postgres
from tests.access.conftest import Platform


@pytest.fixture
def bureau(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """With the server's own programs first on the path."""
    if platform.home.database_url:
        monkeypatch.setenv("PATH", str(postgres.binaries()), prepend=":")
    return platform


def lose_the_database(bureau: Platform) -> None:
    bureau.log.close()
    bureau.store.close()
    if bureau.home.database_url is None:
        for path in [*bureau.home.root.glob("store.db*"), *bureau.home.root.glob("audit.db*")]:
            path.unlink()
    else:
        postgres.empty(bureau.home.database_url)


def test_what_was_backed_up_is_there_again_and_the_log_goes_on(bureau: Platform, tmp_path: Path) -> None:
    granted = bureau.grant()
    done = back_up(bureau.home, bureau.log, "operator", tmp_path / "backup")
    lose_the_database(bureau)
    assert restore(bureau.home, "operator", tmp_path / "backup") == done.records + 1
    log = open_log(bureau.home.audit_url, bureau.home.keys)
    assert verify(log).ok
    assert [entry.record.event for entry in log.entries()][-2:] == [Event.LOG_BACKED_UP, Event.LOG_RESTORED]
    log.close()
    bureau.door.extract("lin", granted.id, bureau.home.exports / "out.csv", "csv")


def test_an_older_backup_is_recognised_by_the_witness(bureau: Platform, tmp_path: Path) -> None:
    done = back_up(bureau.home, bureau.log, "operator", tmp_path / "backup")
    bureau.grant()
    lose_the_database(bureau)
    with pytest.raises(IntegrityBroken, match="older log was restored") as fork:
        restore(bureau.home, "operator", tmp_path / "backup")
    assert fork.value.code == "AUD-BROKEN"
    log = open_log(bureau.home.audit_url, bureau.home.keys)
    assert (verify(log).ok, verify(log).first_bad) == (False, done.records)
    log.close()


def test_nothing_is_overwritten(platform: Platform, tmp_path: Path) -> None:
    if platform.home.database_url:
        return
    back_up(platform.home, platform.log, "operator", tmp_path / "backup")
    for again in (lambda: restore(platform.home, "operator", tmp_path / "backup"), lambda: _back_up_again(platform, tmp_path)):
        with pytest.raises(Refused):
            again()


def _back_up_again(platform: Platform, tmp_path: Path) -> None:
    back_up(platform.home, platform.log, "operator", tmp_path / "backup")


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        restore(Home(tmp_path / "home"), "operator", tmp_path)
