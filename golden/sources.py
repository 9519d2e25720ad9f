"""What reconciliation needs to know of an accepted snapshot: where its rows lie and which column states which element."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from catalog.snapshots import AcceptedSnapshot
from rules.authority import SurvivorshipRule, load_survivorship
from rules.elements import Element, load_elements

ENTERPRISE_NUMBERS = ("credit_code", "organisation_code", "registration_number")


@dataclass(frozen=True, kw_only=True)
class RecordSource:
    """One accepted data set about persons. `columns`: element key → its columns in the standard file, in the contract's order.

    `department` is the kind of department by which the authority table ranks it.
    """

    dataset: str
    title: str
    department: str
    version: int
    contract_version: int
    standard: Path
    faults: Path | None
    columns: Mapping[str, tuple[str, ...]]
    received_on: date
    verified: bool
    source_of_record: frozenset[str]


def record_sources(snapshots: Iterable[AcceptedSnapshot]) -> tuple[RecordSource, ...]:
    """The snapshots that are about persons, by data set key."""
    sources = (_source(snapshot) for snapshot in snapshots)
    return tuple(sorted((s for s in sources if about_persons(s.columns)), key=lambda s: s.dataset))


def about_persons(elements: Iterable[str]) -> bool:
    """Whether a data set with these elements takes part: it holds a name or a number that identifies a person."""
    known = load_elements()
    return any(key == "name" or (key in known and known[key].identifies_person) for key in elements)


def enterprise_sources(snapshots: Iterable[AcceptedSnapshot]) -> tuple[RecordSource, ...]:
    """The snapshots that are about enterprises, by data set key."""
    sources = (_source(snapshot) for snapshot in snapshots)
    return tuple(sorted((s for s in sources if about_enterprises(s.columns)), key=lambda s: s.dataset))


def about_enterprises(elements: Iterable[str]) -> bool:
    """Whether a data set with these elements says who an enterprise is: name and a number, and no person beside it."""
    held = set(elements)
    return "enterprise_name" in held and not held.isdisjoint(ENTERPRISE_NUMBERS) and not about_persons(held)


def claimed_elements(sources: Iterable[RecordSource], of: str = "person") -> tuple[Element, ...]:
    """The elements of persons (or of what else is described) that at least one source states, in the order of the element list."""
    stated = {key for source in sources for key in source.columns}
    return tuple(e for e in load_elements().values() if e.key in stated and e.describes == of)


def is_of_record(source: RecordSource, element: str) -> bool:
    """Whether its value is the value of record (R-01) by the rules in force."""
    return is_of_record_by(source, load_survivorship().of(element))


def is_of_record_by(source: RecordSource, rule: SurvivorshipRule) -> bool:
    """The same by a rule at hand: named by the data set's contract, or by the authority table for its department."""
    if source.source_of_record:
        return rule.element in source.source_of_record
    return source.department in rule.of_record


def _source(snapshot: AcceptedSnapshot) -> RecordSource:
    dataset = snapshot.dataset
    standing = set(pq.read_schema(snapshot.standard_path).names)
    columns: dict[str, tuple[str, ...]] = {}
    for column in dataset.columns:
        if column.element is not None and column.name in standing:  # a newer contract may name a column that was not brought in yet
            columns[column.element] = (*columns.get(column.element, ()), column.name)
    return RecordSource(
        dataset=dataset.key,
        title=dataset.title,
        department=dataset.authority,
        version=snapshot.version,
        contract_version=dataset.contract_version,
        standard=snapshot.standard_path,
        faults=snapshot.faults_path if snapshot.faults_path.exists() else None,
        columns=columns,
        received_on=snapshot.received_on,
        verified=dataset.verified,
        source_of_record=frozenset(dataset.source_of_record),
    )
