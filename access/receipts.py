"""The receipt (回执) of a bulk answer: terms, masks, counts, digest and place in the log; a row, and JSON beside an extract.

The RESULT record holds the digest of what the receipt states (`Receipt.statement`), and the receipt holds the record with the proof that it
stands in a signed head of the log. So everything that a receipt states can be checked offline, by anyone who holds the log's verifier key.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.log_faults import log_faults_translated
from access.terms import Grant
from audit.errors import ProofInvalid, RecordRefused
from audit.log import Log
from audit.merkle import leaf_hash, root_from_inclusion
from audit.notes import Verifier, read_checkpoint
from audit.records import Record, decode, encode
from catalog.schema import ReceiptRow
from masking.effect import EffectLevel
from masking.plan import Plan
from rules.errors import IntegrityBroken

RECEIPT_VERSION = 2
RECEIPT_SUFFIX = ".receipt.json"
NOT_MARKABLE = "not markable"
STATED_ELSEWHERE = frozenset({"number", "audit"})
"""The number under which the bureau files it, and the proof: not part of what is proven."""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What is handed over, to whom, under which terms. `grant` is None for the bureau's own full exports.

    `population`: the digest of the bitmap of its residents; `groups`: of a statistic that of its groups; `fingerprint`: which copy it is,
    None: not markable.
    """

    actor: str
    grant: Grant | None
    target: str
    target_version: int
    columns: tuple[str, ...]
    plan: Plan
    policy_version: int
    rules_version: str
    masks_version: int
    effect_level: EffectLevel
    rows: int
    residents: int
    file_format: str
    digest: str
    population: str
    groups: str | None
    fingerprint: str | None
    at: datetime

    def masks(self) -> dict[str, dict[str, str]]:
        return {name: {"mask": str(column.mask), "minor_mask": str(column.minor_mask)} for name, column in self.plan.items()}

    def statement(self) -> dict[str, Any]:
        """What the receipt states, as it stands in its file."""
        masks = self.masks()
        return {
            "receipt_version": RECEIPT_VERSION,
            "actor": self.actor,
            "grant": _terms(self.grant),
            "target": self.target,
            "target_version": self.target_version,
            "columns": [{"name": name, **masks.get(name, {})} for name in self.columns],
            "policy_version": self.policy_version,
            "rules_version": self.rules_version,
            "masks_version": self.masks_version,
            "effect_level": int(self.effect_level),
            "rows": self.rows,
            "residents": self.residents,
            "format": self.file_format,
            "sha256": self.digest,
            "population_sha256": self.population,
            "groups_sha256": self.groups,
            "fingerprint": self.fingerprint or NOT_MARKABLE,
            "handed_over_at": self.at.isoformat(),
        }

    def statement_digest(self) -> str:
        return _digest(self.statement())


@dataclass(frozen=True, kw_only=True)
class Proven:
    """A receipt that was checked: what it states is what the record at `index` of the log stands for."""

    statement: Mapping[str, Any]
    log: str
    index: int
    recorded_at: datetime


def receipts_under(session: Session, grant: int) -> int:
    """How many extracts were handed over under a grant."""
    return session.scalar(sa.select(sa.func.count(ReceiptRow.id)).where(ReceiptRow.grant_id == grant)) or 0


def add_receipt(session: Session, receipt: Receipt, audit_seq: int) -> int:
    """Enter the receipt of the record at `audit_seq`; returns its number."""
    row = ReceiptRow(
        grant_id=receipt.grant.id if receipt.grant else None,
        actor=receipt.actor,
        target=receipt.target,
        target_version=receipt.target_version,
        columns=list(receipt.columns),
        masks=receipt.masks(),
        rules_version=receipt.rules_version,
        rows=receipt.rows,
        residents=receipt.residents,
        format=receipt.file_format,
        digest=receipt.digest,
        population=receipt.population,
        groups=receipt.groups,
        fingerprint=receipt.fingerprint,
        effect_level=int(receipt.effect_level),
        audit_seq=audit_seq,
        handed_over_at=receipt.at,
    )
    session.add(row)
    session.flush()
    return row.id


def as_json(receipt: Receipt, number: int, audit_seq: int, log: Log) -> str:
    """The receipt with its RESULT record and the proof that this is in a signed head of the log."""
    with log_faults_translated():
        proof, entry = log.prove(audit_seq), log.entry(audit_seq)
    audit = {
        "index": proof.seq,
        "record": encode(entry.record).decode(),
        "leaf_hash": _base64(proof.leaf_hash),
        "inclusion_proof": [_base64(node) for node in proof.path],
        "checkpoint": proof.note,
    }
    return json.dumps({"number": number, **receipt.statement(), "audit": audit}, ensure_ascii=False, indent=2) + "\n"


def verify_receipt(text: str, verifier: Verifier, file_digest: str | None = None) -> Proven:
    """Check a receipt by itself, and the file that it came with by its digest. IntegrityBroken DOOR-RECEIPT says what does not hold."""
    try:
        content = json.loads(text)
        audit, statement = content["audit"], {name: value for name, value in content.items() if name not in STATED_ELSEWHERE}
        index, data = int(audit["index"]), str(audit["record"]).encode()
        path = [base64.b64decode(node, validate=True) for node in audit["inclusion_proof"]]
        note = str(audit["checkpoint"])
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as fault:
        raise _forged("不是回执 this is no receipt") from fault
    record = _proven_record(data, index, path, note, verifier)
    if record.event.action != "result" or record.body.get("receipt") != _digest(statement):
        raise _forged("所列内容与日志记录不符 what it states is not what the log recorded")
    if file_digest is not None and file_digest != statement["sha256"]:
        raise _forged("文件与回执不符 the file is not the one that the receipt was given for")
    return Proven(statement=statement, log=verifier.name, index=index, recorded_at=record.at)


def _proven_record(data: bytes, index: int, path: list[bytes], note: str, verifier: Verifier) -> Record:
    try:
        head = read_checkpoint(note, verifier)
        if root_from_inclusion(index, head.size, leaf_hash(data), path) != head.root:
            raise _forged("该记录不在日志内 the record is not in the log")
        return decode(data)
    except ProofInvalid as fault:
        raise _forged("检查点或证明无效 the checkpoint or the proof is not valid") from fault
    except RecordRefused as fault:
        raise _forged("不是日志记录 it holds no record of a log") from fault


def _forged(reason: str) -> IntegrityBroken:
    return IntegrityBroken("DOOR-RECEIPT", what=reason)


def _digest(statement: Mapping[str, Any]) -> str:
    return sha256(json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _terms(grant: Grant | None) -> dict[str, Any] | None:
    if grant is None:
        return None
    return {
        "number": grant.id,
        "grantee": grant.grantee,
        "tier": grant.tier.value,
        "mode": grant.mode.value,
        "row_scope": grant.row_scope.as_json(),
        "disputed": grant.disputed.value,
        "purpose": grant.purpose,
        "legal_basis": grant.legal_basis,
        "case_number": grant.case_number,
        "valid_from": grant.valid_from.isoformat(),
        "valid_to": grant.valid_to.isoformat(),
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
