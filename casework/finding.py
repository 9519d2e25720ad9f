"""Finding in the catalogue for an account (目录检索): who it is to the catalogue, and the lights that the facet shows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import load_account
from access.targets import RETURN, newest_golden
from access.terms import GrantState
from casework.lights import resource_lights
from casework.requests.offers import Offer, offer_of
from catalog.entries.attaching import Report, Resource
from catalog.lake import Lake
from catalog.schema import DataGrantRow, DatasetRow, EntryResourceRow, EntryRow, SnapshotRow
from catalog.search.index import Asker
from catalog.snapshots import ACCEPTED
from rules.errors import Denied
from rules.lights import Light

WORST = (Light.GREEN, Light.YELLOW, Light.RED)


def asker_of(session: Session, name: str) -> Asker:
    """Who an account is to the catalogue. Denied CAT-RIGHT where it is closed."""
    account = load_account(session, name)
    if not account.active:
        raise Denied("CAT-RIGHT", where=name)
    return Asker(department=account.department)


@dataclass(frozen=True, kw_only=True)
class Returned:
    """Golden values that a department may have back for its own residents (回流, L-22): `target` is what it requests.

    It has no promise of its own: `code` and `entry` are those of the entry to whose data set it belongs, none of a draft.
    """

    target: str
    entry: int | None
    code: str | None
    title: str
    department: str
    columns: tuple[str, ...]


def returned_to(session: Session, lake: Lake, asker: Asker) -> list[Returned]:
    """What goes back to the asker's department, to the bureau all, by target; nothing before the first reconciliation."""
    if newest_golden(session, lake) is None:
        return []
    mine = sa.true() if asker.department is None else DatasetRow.department_key == asker.department
    brought = sa.exists().where(SnapshotRow.dataset_key == DatasetRow.key, SnapshotRow.state == ACCEPTED)
    rows = session.execute(
        sa.select(DatasetRow.key, DatasetRow.department_key, EntryRow.id, EntryRow.code)
        .outerjoin(EntryResourceRow, EntryResourceRow.dataset_key == DatasetRow.key)
        .outerjoin(EntryRow, EntryRow.id == EntryResourceRow.entry_id)
        .where(DatasetRow.about_persons, mine, brought)
        .order_by(DatasetRow.key)
    ).all()
    return [_returned(offer_of(session, lake, f"{RETURN}{key}"), department, entry, code) for key, department, entry, code in rows]


def _returned(offer: Offer, department: str, entry: int | None, code: str | None) -> Returned:
    return Returned(target=offer.target, entry=entry, code=code, title=offer.title, department=department, columns=tuple(offer.shares))


def told_report(session: Session, asker: Asker, resource: Resource, department: str) -> Report:
    """The report of a data set as an asker may see it: what is wrong with it is told to its department, the bureau and those who use it."""
    standing = sa.select(DataGrantRow.id).where(
        DataGrantRow.target == resource.dataset, DataGrantRow.grantee_key == asker.department, DataGrantRow.state == GrantState.ACTIVE.value
    )
    if asker.department in (None, department) or session.scalar(standing.limit(1)) is not None:
        return resource.report
    return replace(resource.report, problems=(), score=None)


def entry_lights(session: Session, today: date) -> Mapping[int, str]:
    """Of each entry with data sets in service the worst of their lights (F-02)."""
    entries = dict(
        session.execute(sa.select(EntryResourceRow.dataset_key, EntryResourceRow.entry_id).where(EntryResourceRow.attached_at.is_not(None)))
        .tuples()
        .all()
    )
    worst: dict[int, Light] = {}
    for one in resource_lights(session, today):
        if one.dataset in entries:
            entry = entries[one.dataset]
            worst[entry] = max(worst.get(entry, Light.GREEN), one.light, key=WORST.index)
    return {entry: light.value for entry, light in worst.items()}


def red_resources(session: Session, today: date) -> frozenset[str]:
    """The data sets that are late by their own cycle, or lost rows."""
    return frozenset(one.dataset for one in resource_lights(session, today) if one.light is Light.RED)
