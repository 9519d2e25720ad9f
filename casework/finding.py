"""Finding in the catalogue for an account (目录检索): who it is to the catalogue, and the lights that the facet shows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import load_account
from access.terms import GrantState
from casework.lights import resource_lights
from catalog.entries.attaching import Report, Resource
from catalog.entries.returning import RETURN, returns_open
from catalog.entries.shelf import Entry
from catalog.schema import DataGrantRow, EntryResourceRow
from catalog.search.index import Asker
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
    """Golden values that a department may have back for its own residents (回流, L-22): `target` is what it requests."""

    target: str
    entry: int
    code: str | None
    title: str
    department: str
    columns: tuple[str, ...]


def returned_to(session: Session, asker: Asker) -> list[Returned]:
    """What goes back to the asker's department, to the bureau all, by target: what is published of it."""
    found = [_returned(entry, department) for entry, department in returns_open(session, asker.department)]
    return sorted(found, key=lambda one: one.target)


def _returned(entry: Entry, department: str) -> Returned:
    content = entry.published
    assert content is not None and entry.returns is not None
    columns = tuple(column.name for column in content.columns if column.share != "none")
    return Returned(
        target=f"{RETURN}{entry.returns}", entry=entry.id, code=entry.code, title=content.title, department=department, columns=columns
    )


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
