"""Where each data set stands, from the catalogue: what the checks of raw, standard and gate judge, whichever run brought it there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.schema import IngestRunRow
from catalog.snapshots import RAW, REFUSED, STANDARD, newest_of_all


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The data sets that have been brought in at least once, and those that stopped at a stage: key → error code, sorted."""

    tried: int
    stopped: Mapping[str, Mapping[str, str]]


def read_standing(session: Session) -> Standing:
    """A source that could not be read stops at raw, what a killed run left half done at standard, what the gate refused at gate."""
    newest = newest_of_all(session).values()
    attempts = _newest_attempts(session)
    unread = {row.dataset_key: row.code or "" for row in attempts if row.code and row.stage == "raw"}
    unfinished = {snapshot.dataset: "" for snapshot in newest if snapshot.state == RAW}
    refused = {snapshot.dataset: snapshot.code or "" for snapshot in newest if snapshot.state in (STANDARD, REFUSED)}
    stopped = {"raw": unread, "standard": unfinished, "gate": refused}
    return Standing(tried=len(attempts), stopped={stage: dict(sorted(found.items())) for stage, found in stopped.items()})


def _newest_attempts(session: Session) -> Sequence[IngestRunRow]:
    newest = sa.select(sa.func.max(IngestRunRow.id)).group_by(IngestRunRow.dataset_key)
    return session.scalars(sa.select(IngestRunRow).where(IngestRunRow.id.in_(newest))).all()
