"""Passwords (口令): hashed with argon2id, set provisionally by the bureau, then chosen by whose account it is.

A password that the bureau set opens nothing but the way to one's own: so no colleague knows it (law.md A-04).
"""

import base64
import secrets
import unicodedata
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.orm import Session

from access.accounts import account_maker, load_account
from access.lock_out import attempt, forget, record_refusal
from access.log_faults import log_faults_translated
from audit.events import Event
from audit.log import Log
from audit.records import names_a_person
from catalog.schema import AccountRow
from catalog.store import Store
from rules.errors import Denied, Refused

HASHER = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4, hash_len=32, salt_len=16)
"""argon2id as RFC 9106 §4 recommends where memory is dear (its second choice): 64 MiB, three passes, four lanes."""
SHORTEST_CHARACTERS = 12
LONGEST_CHARACTERS = 128
PROVISIONAL_BYTES = 15
NOBODYS_PASSWORD = "nobody's password"

Draw = Callable[[int], bytes]


def provisional_password(
    store: Store, log: Log, *, by: str, account: str, now: datetime, hasher: PasswordHasher = HASHER, draw: Draw = secrets.token_bytes
) -> str:
    """Give an account a password to choose its own with, shown once; the one it had is void. Denied DOOR-DENIED if `by` may not."""
    password = base64.b32encode(draw(PROVISIONAL_BYTES)).decode().lower()
    digest = hasher.hash(_folded(password))
    with store.session() as session, session.begin():
        account_maker(session, by)
        load_account(session, account)
        if by == account:
            raise Denied("DOOR-DENIED", where=account, what="不能为自己重置口令 nobody resets his own password")
        _set(session, log, by, account, digest, provisional=True, now=now)
    return password


def choose_password(
    store: Store, log: Log, *, account: str, old: str, new: str, now: datetime, origin: str, hasher: PasswordHasher = HASHER
) -> None:
    """Choose one's own password. Refused PASSWORD-WEAK with all faults at once; Denied DOOR-SIGN-IN where the old one is wrong."""
    if faults := password_faults(account, old, new):
        raise Refused("PASSWORD-WEAK", what="; ".join(faults))
    checked_password(store, log, account=account, password=old, now=now, origin=origin, hasher=hasher, provisional_serves=True)
    digest = hasher.hash(_folded(new))
    with store.session() as session, session.begin():
        _set(session, log, account, account, digest, provisional=False, now=now)


def checked_password(
    store: Store,
    log: Log,
    *,
    account: str,
    password: str,
    now: datetime,
    origin: str,
    hasher: PasswordHasher,
    provisional_serves: bool = False,
) -> None:
    """Denied DOOR-SIGN-IN, with the same words, the same records and the same work, whether name or password is wrong or both.

    DOOR-LOCKED after too many failures, of names that nobody has as well. Refused PASSWORD-PROVISIONAL where the password is right but only
    serves to choose one's own.
    """
    digest, provisional = attempt(store, log, account, now=now, origin=origin)
    right = _verified(hasher, digest, password)
    if not right:
        record_refusal(store, log, account, origin, "wrong")
        raise Denied("DOOR-SIGN-IN")
    with store.session() as session, session.begin():
        forget(session, account)
        if digest is not None and hasher.check_needs_rehash(digest):
            session.get_one(AccountRow, account).secret_digest = hasher.hash(_folded(password))
    if provisional and not provisional_serves:
        raise Refused("PASSWORD-PROVISIONAL")


def password_faults(account: str, old: str, new: str) -> list[str]:
    """What is wrong with a new password, all of it at once. Length counts, mixed kinds of characters do not (NIST SP 800-63B)."""
    checks = {
        f"少于 {SHORTEST_CHARACTERS} 字符 too short": len(new) < SHORTEST_CHARACTERS,
        f"多于 {LONGEST_CHARACTERS} 字符 too long": len(new) > LONGEST_CHARACTERS,
        "含有账号名 it holds the account's name": account.lower() in new.lower(),
        "含有证件号或手机号 it holds a person's number": names_a_person(new),
        "字符过于单一 too few different characters": len(set(new)) < SHORTEST_CHARACTERS // 2,
        "与原口令相同 it is the old one": new == old,
    }
    return [fault for fault, wrong in checks.items() if wrong]


def _verified(hasher: PasswordHasher, digest: str | None, password: str) -> bool:
    """An account without a password, or none at all, costs the same work and is never right."""
    try:
        hasher.verify(digest or _nobodys(hasher), _folded(password))
    except (VerificationError, InvalidHashError):
        return False
    return digest is not None


@lru_cache(maxsize=4)
def _nobodys(hasher: PasswordHasher) -> str:
    return hasher.hash(NOBODYS_PASSWORD)


def _set(session: Session, log: Log, by: str, account: str, digest: str, *, provisional: bool, now: datetime) -> None:
    """A new password ends every session that the old one opened (`access/sessions.py`)."""
    row = session.get_one(AccountRow, account)
    row.secret_digest, row.secret_provisional, row.secret_set_at = digest, provisional, now
    session.flush()
    with log_faults_translated():
        log.append_sealed(Event.PASSWORD_SET, {"actor": by, "account": account, "provisional": provisional})


def _folded(password: str) -> str:
    """One password for all ways of typing it."""
    return unicodedata.normalize("NFKC", password)
