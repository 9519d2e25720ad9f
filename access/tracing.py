"""Tracing (溯源): whose copy a leaked file is, by the fingerprints in it. It reads the file and the receipts, and no resident."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.epochs import epochs_of, key_of
from catalog.datasets import Server
from catalog.schema import DataGrantRow, ReceiptRow
from connectors.portions import ROW
from connectors.sources import open_server
from masking.fingerprints import (
    FALSE_ACCUSATION,
    PSEUDONYM,
    SPELLINGS,
    Agreement,
    agreement_of_pseudonyms,
    agreement_of_spellings,
    copy_secret,
    pseudonyms_in,
    read_spellings,
)
from rules.errors import Refused

MOST_VALUES = 2_000_000
"""Distinct values of a file that are looked at; a thousand rows are enough."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A copy that was handed over: to whom, by which receipt."""

    recipient: str
    fingerprint: str
    receipt: int
    grant: int


@dataclass(frozen=True, kw_only=True)
class Found:
    """A recipient whose mark stands in the file; `fingerprint`, `receipt` and `grant` where the very copy is known.

    `chance`: the probability that any of those who were compared would look as guilty without having had a part in it.
    """

    recipient: str
    fingerprint: str | None
    receipt: int | None
    grant: int | None
    mark: str
    values: int
    agreeing: int
    chance: float


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What a file tells. `compared`: so many keys were tried; `markable`: by mark how many values could carry one."""

    rows: int
    compared: int
    markable: Mapping[str, int]
    found: tuple[Found, ...]


def copies_handed_over(session: Session) -> list[Copy]:
    """All copies that carry a fingerprint, oldest first."""
    receipt, grant = ReceiptRow, DataGrantRow
    query = sa.select(receipt.id, receipt.fingerprint, grant.id, grant.grantee_key).join(grant, grant.id == receipt.grant_id)
    rows = session.execute(query.where(receipt.fingerprint.is_not(None)).order_by(receipt.id)).tuples()
    return [Copy(recipient=recipient, fingerprint=mark or "", receipt=number, grant=of) for number, mark, of, recipient in rows]


def trace(session: Session, keys: Path, master: bytes, file: Path) -> Trace:
    """Compare a file with every copy that was handed over. Nobody is named by a chance of more than FALSE_ACCUSATION, over all compared."""
    rows, texts = _read(file)
    copies = copies_handed_over(session)
    pseudonyms = pseudonyms_in(texts)
    spelt = {mark: read_spellings(texts, mark) for mark in SPELLINGS}
    recipients = sorted({copy.recipient for copy in copies})
    secrets = {(one, epoch.number): key_of(keys, one, epoch).mark_secret for one in recipients for epoch in epochs_of(session, one)}
    suspected = [(_unknown_copy(one), agreement_of_pseudonyms(pseudonyms, secret)) for (one, _), secret in secrets.items()]
    for copy in copies:
        secret = copy_secret(master, copy.recipient, copy.fingerprint)
        suspected += [(_known_copy(copy), agreement_of_spellings(read, mark, secret)) for mark, read in spelt.items()]
    found = [_found(who, agreement, len(suspected)) for who, agreement in suspected if _is_told(agreement, len(suspected))]
    return Trace(
        rows=rows,
        compared=len(suspected),
        markable={PSEUDONYM: len(pseudonyms), **{mark: len(read) for mark, read in spelt.items()}},
        found=tuple(sorted(found, key=lambda one: (one.recipient, one.chance, one.receipt or 0))),
    )


def _read(file: Path) -> tuple[int, set[str]]:
    """The rows of a file, and all distinct texts in it."""
    if not file.is_file():
        raise Refused("SRC-MISSING", where=file.name)
    rows, texts = 0, set[str]()
    for batch in _batches(file):
        rows += batch.num_rows
        for name in batch.schema.names:
            if name != ROW:
                texts.update(text for text in batch[name].cast(pa.string()).unique().to_pylist() if text)
        if len(texts) >= MOST_VALUES:
            break
    return rows, texts


def _batches(file: Path) -> Iterator[pa.RecordBatch]:
    return open_server(Server(type="local", base=str(file.parent), path=file.name)).batches()


Who = Mapping[str, str | int | None]


def _unknown_copy(recipient: str) -> Who:
    return {"recipient": recipient, "fingerprint": None, "receipt": None, "grant": None}


def _known_copy(copy: Copy) -> Who:
    return {"recipient": copy.recipient, "fingerprint": copy.fingerprint, "receipt": copy.receipt, "grant": copy.grant}


def _is_told(agreement: Agreement, compared: int) -> bool:
    return agreement.chance_of() * compared <= FALSE_ACCUSATION


def _found(who: Who, agreement: Agreement, compared: int) -> Found:
    told = {"mark": agreement.mark, "values": agreement.values, "agreeing": agreement.agreeing}
    return Found(**who, **told, chance=agreement.chance_of() * compared)  # type: ignore[arg-type]


def recipients_in(found: Sequence[Found]) -> list[str]:
    return sorted({one.recipient for one in found})
