"""The receipt (回执) of a bulk answer: terms, masks, counts, digest and place in the log; a row, and JSON beside an extract."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.log_faults import log_faults_translated
from access.terms import Grant
from audit.log import Log
from catalog.schema import ReceiptRow
from catalog.store import Store
from masking.plan import Plan

RECEIPT_VERSION = 1
RECEIPT_SUFFIX = ".receipt.json"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What was handed over, to whom, under which terms. `grant` is None for the bureau's own full exports."""

    actor: str
    grant: Grant | None
    target: str
    target_version: int
    plan: Plan
    policy_version: int
    rules_version: str
    rows: int
    residents: int
    file_format: str
    digest: str
    audit_seq: int
    at: datetime

    def masks(self) -> dict[str, dict[str, str]]:
        return {name: {"mask": str(column.mask), "minor_mask": str(column.minor_mask)} for name, column in self.plan.items()}


def receipts_under(session: Session, grant: int) -> int:
    """How many extracts were handed over under a grant."""
    return session.scalar(sa.select(sa.func.count(ReceiptRow.id)).where(ReceiptRow.grant_id == grant)) or 0


def keep(store: Store, receipt: Receipt) -> int:
    """Enter the receipt in the store; returns its number."""
    row = ReceiptRow(
        grant_id=receipt.grant.id if receipt.grant else None,
        actor=receipt.actor,
        target=receipt.target,
        target_version=receipt.target_version,
        columns=list(receipt.plan),
        masks=receipt.masks(),
        rules_version=receipt.rules_version,
        rows=receipt.rows,
        residents=receipt.residents,
        format=receipt.file_format,
        digest=receipt.digest,
        audit_seq=receipt.audit_seq,
        handed_over_at=receipt.at,
    )
    with store.session() as session, session.begin():
        session.add(row)
        session.flush()
        return row.id


def as_json(receipt: Receipt, number: int, log: Log) -> str:
    """The receipt with the proof that its RESULT record is in a signed head of the log."""
    with log_faults_translated():
        proof = log.prove(receipt.audit_seq)
    content = {
        "receipt_version": RECEIPT_VERSION,
        "number": number,
        "actor": receipt.actor,
        "grant": _terms(receipt.grant),
        "target": receipt.target,
        "target_version": receipt.target_version,
        "columns": [{"name": name, **masks} for name, masks in receipt.masks().items()],
        "policy_version": receipt.policy_version,
        "rules_version": receipt.rules_version,
        "rows": receipt.rows,
        "residents": receipt.residents,
        "format": receipt.file_format,
        "sha256": receipt.digest,
        "handed_over_at": receipt.at.isoformat(),
        "audit": {
            "index": proof.seq,
            "leaf_hash": _base64(proof.leaf_hash),
            "inclusion_proof": [_base64(node) for node in proof.path],
            "checkpoint": proof.note,
        },
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _terms(grant: Grant | None) -> dict[str, Any] | None:
    if grant is None:
        return None
    return {
        "number": grant.id,
        "grantee": grant.grantee,
        "tier": grant.tier.value,
        "row_scope": grant.row_scope.as_json(),
        "purpose": grant.purpose,
        "legal_basis": grant.legal_basis,
        "case_number": grant.case_number,
        "valid_from": grant.valid_from.isoformat(),
        "valid_to": grant.valid_to.isoformat(),
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
