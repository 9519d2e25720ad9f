"""The integrator: seals by itself, two at once, says what stops it and goes on when that is over."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.errors import LogBroken, LogUnavailable
from audit.events import Event
from audit.integrator import Integrator
from audit.log import Log, open_log
from audit.verify import verify

GIVE_UP_S = 20


def until(comes_true: Callable[[], bool]) -> bool:
    """Waits for what another thread does."""
    pause = threading.Event()
    return any(comes_true() or pause.wait(0.01) for _ in range(GIVE_UP_S * 100))


def sealed(log: Log) -> int:
    head = log.witness.head()
    return head.size if head else 0


def test_what_is_written_is_sealed_and_seen_by_the_witness_without_being_asked_for(log: Log) -> None:
    with Integrator(log, every_s=0.01):
        for number in range(3):
            log.append(Event.LOG_READ, {"number": number})
            assert until(lambda expected=number + 1: sealed(log) == expected)  # type: ignore[misc]


def test_what_was_written_last_is_sealed_when_it_closes(log: Log) -> None:
    integrator = Integrator(log, every_s=3_600)
    log.append(Event.LOG_READ, {})
    integrator.close()
    assert sealed(log) == 1


def test_two_at_once_neither_fork_nor_lose(log: Log, log_url: str, tmp_path: Path) -> None:
    other = open_log(log_url, tmp_path / "keys")
    with Integrator(log, every_s=0.001) as one, Integrator(other, every_s=0.001) as two:
        for number in range(200):
            (log, other)[number % 2].append(Event.LOG_READ, {"number": number})
        one.check()
        two.check()
    other.close()
    assert verify(log).ok
    assert sealed(log) == 200


def test_it_says_why_it_cannot_seal_and_goes_on_once_it_can(log: Log) -> None:
    log.append(Event.LOG_READ, {})
    with log.storage.transaction() as db:
        db.run("ALTER TABLE tile RENAME TO away")
    with Integrator(log, every_s=0.01) as integrator:

        def stopped() -> bool:
            try:
                integrator.check()
            except LogUnavailable:
                return True
            return False

        assert until(stopped)
        with log.storage.transaction() as db:
            db.run("ALTER TABLE away RENAME TO tile")
        assert until(lambda: not stopped())
        assert sealed(log) == 1


def test_a_broken_log_is_not_sealed(log: Log) -> None:
    log.append(Event.LOG_READ, {})
    log.append(Event.LOG_READ, {})
    with log.storage.transaction() as db:
        db.run("DELETE FROM entry WHERE seq = 0")
    integrator = Integrator(log, every_s=3_600)
    integrator.close()
    with pytest.raises(LogBroken):
        integrator.check()
