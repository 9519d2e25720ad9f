"""Epochs (期) of a recipient's masks: a new one makes all its pseudonyms and encrypted numbers new. law.md I-04, I-11.

The master key lies beside the log's keys, outside the database; the store knows only which epoch it is and by which digest.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Role, load_account
from access.log_faults import log_faults_translated
from access.reasons import reason_faults
from audit.events import Event
from audit.keys import read_private
from audit.log import Log
from catalog.schema import DepartmentRow, PseudonymEpochRow
from catalog.store import Store, serialise
from masking.keyed_hashes import SHA256, digest_in_use, is_available
from masking.methods import RecipientKey
from masking.pseudonyms import recipient_key
from rules.errors import Denied, PlatformFault, Refused
from rules.tiers import load_tier_policy

MASTER_KEY = "pseudonym-master.key"
KEEPERS = frozenset({Role.BUREAU_OPERATOR, Role.SECURITY_ADMINISTRATOR})
WORK = "epochs"


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """`digest`: by which its pseudonyms are made."""

    number: int
    digest: str


FIRST = Epoch(number=1, digest=SHA256)
"""Until somebody begins another."""


def epochs_of(session: Session, recipient: str) -> tuple[Epoch, ...]:
    """All epochs of a recipient, the one that stands first."""
    row = PseudonymEpochRow
    found = session.execute(sa.select(row.epoch, row.digest).where(row.department_key == recipient).order_by(row.epoch.desc()))
    return (*(Epoch(number=number, digest=digest) for number, digest in found), FIRST)


def key_of(keys: Path, recipient: str, epoch: Epoch) -> RecipientKey:
    """The key of a recipient in an epoch. PlatformFault DOOR-DIGEST where this build lacks the digest: no other gives the same names."""
    if not is_available(epoch.digest):
        raise PlatformFault("DOOR-DIGEST", where=epoch.digest)
    return recipient_key(read_private(keys / MASTER_KEY), recipient, str(epoch.number), epoch.digest)


def keys_of(store: Store, keys: Path, recipient: str) -> list[RecipientKey]:
    """The keys of a recipient, one an epoch, the one that stands first."""
    with store.session() as session:
        epochs = epochs_of(session, recipient)
    return [key_of(keys, recipient, epoch) for epoch in epochs]


def begin_epoch(store: Store, log: Log, *, by: str, recipient: str, reason: str, now: datetime) -> Epoch:
    """From now on all pseudonyms for a recipient are new. Refused DOOR-REASON, DOOR-DEPARTMENT; Denied DOOR-DENIED.

    The digest is the policy's, or SHA-256 where this build lacks it; the record and the caller are told which.
    """
    if faults := reason_faults(reason):
        raise Refused("DOOR-REASON", where=recipient, what="; ".join(faults))
    wanted = load_tier_policy().pseudonym_digest
    with store.session() as session, session.begin():
        _may_begin(session, by)
        serialise(session, WORK)
        if session.get(DepartmentRow, recipient) is None:
            raise Refused("DOOR-DEPARTMENT", where=recipient)
        epoch = Epoch(number=epochs_of(session, recipient)[0].number + 1, digest=digest_in_use(wanted))
        session.add(_row(recipient, epoch, by, reason, now))
        session.flush()
        body = {"actor": by, "recipient": recipient, "epoch": epoch.number, "digest": epoch.digest, "digest_wanted": wanted, "why": reason}
        with log_faults_translated():
            log.append_sealed(Event.EPOCH_BEGUN, body)
    return epoch


def _may_begin(session: Session, name: str) -> None:
    account = load_account(session, name)
    if not account.active or not account.roles & KEEPERS:
        raise Denied("DOOR-DENIED", where=name, what="假名密钥的期由统筹局更换 epochs are begun by the bureau")


def _row(recipient: str, epoch: Epoch, by: str, reason: str, now: datetime) -> PseudonymEpochRow:
    return PseudonymEpochRow(department_key=recipient, epoch=epoch.number, digest=epoch.digest, reason=reason, begun_by=by, begun_at=now)
