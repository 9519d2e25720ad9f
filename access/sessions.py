"""Sessions (会话) of people: opened with a password, kept as digests, ended by sign-out, idleness, age or the end of the account.

The token is 256 random bits, as an API key is. A second proof (再次验证) makes the session good for plaintext for some minutes.
"""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa
from argon2 import PasswordHasher

from access.accounts import load_account
from access.log_faults import log_faults_translated
from access.passwords import HASHER, checked_password
from access.presence import Means, Presence
from audit.events import Event
from audit.log import Log
from catalog.schema import AccountRow, SessionRow
from catalog.store import Store
from rules.errors import Denied

TOKEN_BYTES = 32
TOKEN_PREFIX = "tcs_"
"""Tells a token from a key, and makes it recognisable where it must not stand."""
LONGEST_SESSION = timedelta(hours=10)
"""A working day with its break; the next morning one signs in again."""
IDLE_LIMIT = timedelta(minutes=30)
SEEN_STEP = timedelta(minutes=1)
"""That a session was used is written down so often at most."""
PROOF_LASTS = timedelta(minutes=10)

Draw = Callable[[int], bytes]


@dataclass(frozen=True, kw_only=True)
class NewSession:
    """A session just opened; `token` is given to its owner and not kept."""

    number: int
    account: str
    expires_at: datetime
    token: str = field(repr=False)


def sign_in(
    store: Store,
    log: Log,
    *,
    account: str,
    password: str,
    now: datetime,
    origin: str,
    hasher: PasswordHasher = HASHER,
    draw: Draw = secrets.token_bytes,
) -> NewSession:
    """Open a session. Denied DOOR-SIGN-IN or DOOR-LOCKED without a word on what was wrong; Refused PASSWORD-PROVISIONAL."""
    checked_password(store, log, account=account, password=password, now=now, origin=origin, hasher=hasher)
    token = TOKEN_PREFIX + base64.urlsafe_b64encode(draw(TOKEN_BYTES)).rstrip(b"=").decode()
    with store.session() as session, session.begin():
        row = SessionRow(digest=_digest(token), account=account, opened_at=now, seen_at=now, expires_at=now + LONGEST_SESSION)
        session.add(row)
        session.flush()
        with log_faults_translated():
            log.append_sealed(Event.SESSION_OPENED, {"actor": account, "session": row.id, "origin": origin})
        return NewSession(number=row.id, account=account, expires_at=row.expires_at, token=token)


def authenticate_session(store: Store, token: str, *, now: datetime) -> Presence:
    """Who calls with a session's token. Denied DOOR-SESSION whatever is wrong.

    It is unknown, ended, too old, idle, the account is closed, or its password is another since.
    """
    with store.session() as session:
        row = session.scalars(sa.select(SessionRow).where(SessionRow.digest == _digest(token))).one_or_none()
        if row is None or not _stands(row, now):
            raise Denied("DOOR-SESSION")
        holder = session.get_one(AccountRow, row.account, populate_existing=True)
        account = load_account(session, row.account)
    if not account.active or holder.secret_set_at is None or row.opened_at < holder.secret_set_at:
        raise Denied("DOOR-SESSION")
    if now - row.seen_at >= SEEN_STEP:
        _seen(store, row.id, now)
    return Presence(account=account, means=Means.SESSION, number=row.id, proven_until=row.proven_until)


def prove_again(
    store: Store, log: Log, *, presence: Presence, password: str, now: datetime, origin: str, hasher: PasswordHasher = HASHER
) -> datetime:
    """The second proof: the password again. The session, and no other, is good for plaintext until the time returned."""
    assert presence.means is Means.SESSION and presence.number is not None, "only a session is proven again"
    checked_password(store, log, account=presence.account.name, password=password, now=now, origin=origin, hasher=hasher)
    with store.session() as session, session.begin():
        row = session.get(SessionRow, presence.number, populate_existing=True)
        if row is None or not _stands(row, now):
            raise Denied("DOOR-SESSION")
        row.proven_until = until = now + PROOF_LASTS
        with log_faults_translated():
            body = {"actor": row.account, "session": row.id, "origin": origin, "until": until.isoformat()}
            log.append_sealed(Event.SESSION_PROVEN, body)
    return until


def sign_out(store: Store, log: Log, *, presence: Presence, now: datetime) -> None:
    """End a session; to end one twice changes nothing."""
    assert presence.means is Means.SESSION and presence.number is not None, "only a session ends"
    with store.session() as session, session.begin():
        row = session.get_one(SessionRow, presence.number, populate_existing=True)
        row.ended_at = row.ended_at or now
        with log_faults_translated():
            log.append_sealed(Event.SESSION_ENDED, {"actor": row.account, "session": row.id})


def _stands(row: SessionRow, now: datetime) -> bool:
    return row.ended_at is None and now < row.expires_at and now - row.seen_at < IDLE_LIMIT


def _seen(store: Store, number: int, now: datetime) -> None:
    with store.session() as session, session.begin():
        session.execute(sa.update(SessionRow).where(SessionRow.id == number).values(seen_at=now))


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", errors="replace")).hexdigest()
