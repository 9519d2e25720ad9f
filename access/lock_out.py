"""Lock-out (锁定): after some failures each further attempt to sign in has to wait, twice as long each time.

Names that nobody has are counted and delayed as well, so that who tries them learns nothing. An attempt is counted before the password is
looked at, so that many at once are no more than many in a row; one that comes too early is not counted, so that nobody is locked out for
good by another's attempts.
"""

from datetime import datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.log_faults import log_faults_translated
from audit.events import Event
from audit.log import Log
from catalog.schema import AccountRow, SignInFailureRow
from catalog.store import Store, serialise
from rules.errors import Denied

FREE_FAILURES = 5
FIRST_DELAY_SECONDS = 2
LONGEST_DELAY_SECONDS = 900
FORGOTTEN_AFTER = timedelta(days=1)


def delay_after(failures: int) -> timedelta:
    """How long the next attempt has to wait after so many failures in a row."""
    beyond = failures - FREE_FAILURES
    if beyond < 0:
        return timedelta(0)
    return timedelta(seconds=min(FIRST_DELAY_SECONDS * 2 ** min(beyond, 30), LONGEST_DELAY_SECONDS))


def attempt(store: Store, log: Log, account: str, *, now: datetime, origin: str) -> tuple[str | None, bool]:
    """Count an attempt; the account's password digest, None where there is none, and whether it is provisional. Denied DOOR-LOCKED."""
    with store.session() as session, session.begin():
        serialise(session, f"sign-in {_key(account)}")
        session.execute(sa.delete(SignInFailureRow).where(SignInFailureRow.last_at < now - FORGOTTEN_AFTER))
        failures = session.get(SignInFailureRow, _key(account), populate_existing=True)
        row = session.get(AccountRow, account, populate_existing=True)
        usable = row if row is not None and row.active else None
        if failures is None:
            failures = SignInFailureRow(name=_key(account), failures=0, last_at=now)
            session.add(failures)
        locked = now < failures.last_at + delay_after(failures.failures)
        if not locked:
            failures.failures, failures.last_at = failures.failures + 1, now
    if locked:
        record_refusal(store, log, account, origin, "locked")
        raise Denied("DOOR-LOCKED")
    return (None, False) if usable is None else (usable.secret_digest, usable.secret_provisional)


def forget(session: Session, account: str) -> None:
    """After a success nothing counts any more."""
    session.execute(sa.delete(SignInFailureRow).where(SignInFailureRow.name == _key(account)))


def record_refusal(store: Store, log: Log, account: str, origin: str, why: str) -> None:
    """The record of an attempt that failed (law.md A-01); a name that nobody has stands there as a keyed hash only."""
    with store.session() as session:
        known = session.get(AccountRow, account) is not None
    body = {"account": account if known else None, "name": log.subject("account_name", account), "origin": origin, "why": why}
    with log_faults_translated():
        log.append_sealed(Event.SESSION_REFUSED, body)


def _key(account: str) -> str:
    """What is typed as a name may be anything, a password or a number of a person as well; it is not kept."""
    return sha256(account.encode("utf-8", errors="replace")).hexdigest()
