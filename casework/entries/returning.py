"""The bureau offers what goes back (回流, law.md L-22): an entry for each data set of people; who compiles it does not publish it."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import ensure_department, load_account
from access.targets import load_target, required_golden
from audit.events import Event
from audit.log import Log
from casework.entries.acting import check_rights, joined, log_act, recorded
from casework.entries.moves import MOVES, Act
from casework.entries.publishing import move
from catalog.datasets import Dataset, load_datasets
from catalog.entries.attaching import resource_of
from catalog.entries.checks import faults_of
from catalog.entries.content import EntryContent, digest_of
from catalog.entries.returning import RETURN, Assessments, returned_content
from catalog.entries.shelf import Entry, add_entries, load_entry, surroundings
from catalog.entries.states import State
from catalog.lake import Lake
from catalog.schema import DatasetRow, EntryRow, SnapshotRow
from catalog.snapshots import ACCEPTED
from catalog.store import Store, serialise
from rules.departments import BUREAU_DEPARTMENT
from rules.errors import Refused

MADE = "对账后回流 made of what reconciliation found"
OFFER = "offer_returns"


def offer_returns(
    store: Store, lake: Lake, log: Log, *, by: str, datasets: Sequence[str], assessments: Assessments, now: datetime
) -> list[Entry]:
    """Entries with their codes, received for publication: of the named data sets, or of all with an accepted snapshot; each has one.

    Refused CAT-FAULTS where the declaration or an assessment is missing (L-01, L-07), CAT-RETURNS where for what is named none can be made.
    """
    with recorded(log, by, OFFER), store.session() as session, session.begin():
        check_rights(load_account(session, by), BUREAU_DEPARTMENT, MOVES[Act.EDIT], OFFER)
        required_golden(session, lake)
        serialise(session, "returning entries")
        wanted = _wanted(session, datasets)
        ensure_department(session, BUREAU_DEPARTMENT, now)
        contents = [_content(session, lake, dataset, assessments) for dataset in wanted]
        _check(session, contents)
        made = add_entries(session, contents, by=by, now=now, reason=MADE, returns=[dataset.key for dataset in wanted])
        for number, content in zip(made, contents, strict=True):
            log_act(log, Event.ENTRY_MADE, {"actor": by, "entry": number, "department": BUREAU_DEPARTMENT, "digest": digest_of(content)})
    return [_submitted(store, log, by, number, now) for number in made]


def _submitted(store: Store, log: Log, by: str, number: int, now: datetime) -> Entry:
    with store.session() as session:
        drafted = load_entry(session, number)
    return move(store, log, by=by, entry=number, act=Act.SUBMIT, revision=drafted.revision, now=now)


def _wanted(session: Session, named: Sequence[str]) -> list[Dataset]:
    """Those about persons of which something was accepted and that have no entry yet, by key."""
    offered = sa.select(EntryRow.returns_key).where(EntryRow.returns_key.is_not(None), EntryRow.state != State.CANCELLED)
    brought = sa.exists().where(SnapshotRow.dataset_key == DatasetRow.key, SnapshotRow.state == ACCEPTED)
    chosen = DatasetRow.key.in_(sorted(set(named))) if named else sa.true()
    keys = session.scalars(
        sa.select(DatasetRow.key).where(DatasetRow.about_persons, brought, chosen, DatasetRow.key.not_in(offered)).order_by(DatasetRow.key)
    ).all()
    if left := sorted(set(named) - set(keys)):
        raise Refused("CAT-RETURNS", where=", ".join(left)[:200])
    return load_datasets(session, keys) if keys else []


def _content(session: Session, lake: Lake, dataset: Dataset, assessments: Assessments) -> EntryContent:
    columns = load_target(session, lake, f"{RETURN}{dataset.key}").columns
    levels = {name: column.facts.level.value for name, column in columns.items()}
    resource = resource_of(session, dataset.key)
    source = None if resource is None else load_entry(session, resource.entry).code
    return returned_content(dataset, levels, assessments, source)


def _check(session: Session, contents: Sequence[EntryContent]) -> None:
    around = surroundings(session, BUREAU_DEPARTMENT)
    if faults := [fault for content in contents for fault in faults_of(content, around)]:
        raise Refused("CAT-FAULTS", what=joined(list(dict.fromkeys(faults))))
