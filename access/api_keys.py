"""API keys (接口密钥) of systems: made, shown once, looked up at every call, revoked.

A key is 256 random bits. Kept is its SHA-256 and nothing else: nobody guesses 256 bits, so a slow hash such as argon2 would protect nothing
here and cost tens of milliseconds of every call, of which 2,000 come a second. (Passwords are guessed; they get argon2.)
The digest is looked up by an index, and since whoever asks cannot choose a digest, how long that takes tells him nothing.
"""

import base64
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Account, Role, account_maker, load_account
from access.acts import Act
from access.grants import load_grant
from access.grounds import KEY_ACTS
from access.log_faults import log_faults_translated
from access.presence import Means, Presence
from access.questions import KeyScope
from access.reasons import reason_faults
from audit.events import Event
from audit.log import Log
from catalog.schema import AccountRow, ApiKeyRow, RoleGrantRow
from catalog.store import Store
from rules.errors import Denied, NotFound, Refused

KEY_BYTES = 32
KEY_PREFIX = "tck_"
"""Makes a key recognisable where it must not stand: in a repository, a log, a mail."""
LONGEST_LIFE_DAYS = 366
SCOPE_GRANTS = 1_000
"""So many grants one key may name at most."""

Draw = Callable[[int], bytes]
"""Gives so many random bytes."""


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key as it is kept: all but the key."""

    id: int
    account: str
    title: str
    scope: KeyScope
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    def usable(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key just made with its `secret`, which is shown now and never again."""

    key: ApiKey
    secret: str

    def __repr__(self) -> str:
        return f"NewKey(id={self.key.id})"


def make_key(
    store: Store,
    log: Log,
    *,
    by: str,
    account: str,
    title: str,
    acts: Collection[Act],
    grants: Collection[int],
    expires_at: datetime,
    now: datetime,
    plaintext: bool = False,
    draw: Draw = secrets.token_bytes,
) -> NewKey:
    """Make a key for a system of a department. Refused KEY-TERMS with all faults at once; Denied DOOR-DENIED if `by` may not."""
    scope = KeyScope(acts=frozenset(acts), grants=frozenset(grants), plaintext=plaintext)
    with store.session() as session, session.begin():
        account_maker(session, by)
        faults = _faults(session, by, account, title, scope, now, expires_at)
        if faults:
            raise Refused("KEY-TERMS", where=account, what="; ".join(faults))
        secret = KEY_PREFIX + _as_text(draw(KEY_BYTES))
        row = _row(secret, account, title, scope, by, now, expires_at)
        session.add(row)
        session.flush()
        with log_faults_translated():
            log.append_sealed(Event.KEY_MADE, _recorded(row))
        return NewKey(key=_key(row), secret=secret)


def revoke_key(store: Store, log: Log, *, by: str, key: int, why: str, now: datetime) -> ApiKey:
    """End a key, in effect from the next call. Its own account may do so, too. NotFound KEY-NONE; Refused KEY-STATE if it was revoked."""
    with store.session() as session, session.begin():
        row = session.get(ApiKeyRow, key, populate_existing=True)
        if row is None or row.account != by:
            account_maker(session, by)
        if faults := reason_faults(why):
            raise Refused("KEY-TERMS", where=str(key), what="; ".join(faults))
        if row is None:
            raise NotFound("KEY-NONE", where=str(key))
        if row.revoked_at is not None:
            raise Refused("KEY-STATE", where=str(key))
        row.revoked_at, row.revoked_by = now, by
        session.flush()
        with log_faults_translated():
            log.append_sealed(Event.KEY_REVOKED, {"actor": by, "key": key, "account": row.account, "why": why})
        return _key(row)


def list_keys(session: Session, account: str | None = None) -> list[ApiKey]:
    """All keys, or those of an account, oldest first."""
    query = sa.select(ApiKeyRow).order_by(ApiKeyRow.id)
    return [_key(row) for row in session.scalars(query if account is None else query.where(ApiKeyRow.account == account))]


KeyHolder = sa.Row[Any]
"""A key with its account, as the store has them."""


def authenticate_key(session: Session, log: Log, presented: str, *, now: datetime, origin: str) -> Presence:
    """Who calls with a key, and what the key reaches; raises as `admit_holder`."""
    return admit_holder(log, key_holder(session, digest_of_key(presented)), now=now, origin=origin)


def key_holder(session: Session, digest: str) -> KeyHolder | None:
    """Who holds the key of a digest (`digest_of_key`): one read along an index. None: nobody."""
    return session.execute(KEY_OF_DIGEST, {"digest": digest}).one_or_none()


def admit_holder(log: Log, found: KeyHolder | None, *, now: datetime, origin: str) -> Presence:
    """Denied DOOR-KEY whatever is wrong: unknown, expired, revoked, its account closed. The log says which (law.md A-01)."""
    faults = [] if found is None else [name for name, wrong in _objections(found, now).items() if wrong]
    if found is None or faults:
        body = {"origin": origin, "key": found and found.id, "account": found and found.account, "why": faults or ["unknown"]}
        with log_faults_translated():
            log.append(Event.KEY_REFUSED, body)
        raise Denied("DOOR-KEY")
    roles = frozenset(Role(role) for role in (found.roles or "").split(",") if role)
    account = Account(name=found.account, department=found.department_key, roles=roles, active=found.active)
    return Presence(account=account, means=Means.API_KEY, number=found.id, scope=_scope(found))


def digest_of_key(presented: str) -> str:
    return sha256(presented.encode("utf-8", errors="replace")).hexdigest()


def _as_text(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()


ROLES_OF_ACCOUNT = (
    sa.select(sa.func.aggregate_strings(RoleGrantRow.role, ",")).where(RoleGrantRow.account == AccountRow.name).scalar_subquery()
)
KEY_OF_DIGEST = (
    sa.select(
        ApiKeyRow.id,
        ApiKeyRow.account,
        ApiKeyRow.acts,
        ApiKeyRow.grants,
        ApiKeyRow.plaintext,
        ApiKeyRow.expires_at,
        ApiKeyRow.revoked_at,
        AccountRow.department_key,
        AccountRow.active,
        ROLES_OF_ACCOUNT.label("roles"),
    )
    .join(AccountRow, AccountRow.name == ApiKeyRow.account)
    .where(ApiKeyRow.digest == sa.bindparam("digest"))
)
"""Key, account and roles in one statement: it runs at every call of every system."""


def _objections(found: sa.Row[Any], now: datetime) -> dict[str, bool]:
    return {"revoked": found.revoked_at is not None, "expired": now >= found.expires_at, "account_closed": not found.active}


def _faults(session: Session, by: str, account: str, title: str, scope: KeyScope, now: datetime, expires_at: datetime) -> list[str]:
    holder = load_account(session, account)
    grants = [load_grant(session, number) for number in sorted(scope.grants)[:SCOPE_GRANTS]]
    checks = {
        "账号已停用，或不是部门的账号 the account is closed, or not a department's": not holder.active or holder.department is None,
        "不能为自己的账号办理密钥 nobody makes a key for his own account": by == account,
        "未列用途 no acts": not scope.acts,
        "密钥只能用于依授权的动作 a key serves acts under a grant only": bool(scope.acts - KEY_ACTS),
        f"未列授权，或多于 {SCOPE_GRANTS} 个 no grants, or too many": not 0 < len(scope.grants) <= SCOPE_GRANTS,
        "授权不是该部门的 a grant is not of that department": any(one is None or one.grantee != holder.department for one in grants),
        "到期时间不在将来 the end is not in the future": expires_at <= now,
        f"有效期最长 {LONGEST_LIFE_DAYS} 天 a key lives {LONGEST_LIFE_DAYS} days at most": expires_at - now
        > timedelta(days=LONGEST_LIFE_DAYS),
    }
    return reason_faults(title, missing="未说明系统名称 no title") + [fault for fault, wrong in checks.items() if wrong]


def _row(secret: str, account: str, title: str, scope: KeyScope, by: str, now: datetime, expires_at: datetime) -> ApiKeyRow:
    return ApiKeyRow(
        digest=digest_of_key(secret),
        account=account,
        title=title,
        acts=sorted(act.value for act in scope.acts),
        grants=sorted(scope.grants),
        plaintext=scope.plaintext,
        made_by=by,
        made_at=now,
        expires_at=expires_at,
    )


def _key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        account=row.account,
        title=row.title,
        scope=_scope(row),
        made_by=row.made_by,
        made_at=row.made_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


def _scope(row: ApiKeyRow | sa.Row[Any]) -> KeyScope:
    return KeyScope(acts=frozenset(Act(act) for act in row.acts), grants=frozenset(row.grants), plaintext=row.plaintext)


def _recorded(row: ApiKeyRow) -> dict[str, object]:
    """The key as the log keeps it: never the key, nor its digest."""
    return {
        "actor": row.made_by,
        "key": row.id,
        "account": row.account,
        "title": row.title,
        "acts": list(row.acts),
        "grants": list(row.grants),
        "plaintext": row.plaintext,
        "expires_at": row.expires_at.isoformat(),
    }
