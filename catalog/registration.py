"""Registration (登记): contracts become data sets of the catalogue. All faults of all files at once; the good contracts are taken."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.contracts.draft import Draft, draft
from catalog.contracts.findings import ContractFault, ContractWarning, Findings
from catalog.contracts.parts import mapping, text
from catalog.contracts.reading import contract_files
from catalog.datasets import Column, Dataset, load_datasets, server_record
from catalog.entries.attaching import follow_contracts
from catalog.schema import ContractRow, DatasetColumnRow, DatasetRow, DepartmentRow
from catalog.store import Store, serialise


@dataclass(frozen=True, kw_only=True)
class RegistrationReport:
    """What a registration did: keys of new or changed data sets and of unchanged ones, and what was found."""

    registered: tuple[str, ...]
    unchanged: tuple[str, ...]
    refused: tuple[ContractFault, ...]
    warnings: tuple[ContractWarning, ...]


def register(store: Store, paths: Sequence[Path], *, now: datetime) -> RegistrationReport:
    """Register the contracts in `paths` (files or folders), all good ones in one transaction."""
    drafts = [draft(file) for file in contract_files([Path(path) for path in paths])]
    drafts += [_nothing_found(path) for path in map(Path, paths) if path.is_dir() and not contract_files([path])]
    _refuse_repeated(drafts)
    good = [d for d in drafts if not d.findings.faults]
    with store.session() as session, session.begin():
        serialise(session, "registration")
        registered, unchanged = _take(session, good, now) if good else ([], [])
    return RegistrationReport(
        registered=tuple(sorted(registered)),
        unchanged=tuple(sorted(unchanged)),
        refused=tuple(fault for d in drafts for fault in d.findings.faults),
        warnings=tuple(warning for d in drafts for warning in d.findings.warnings),
    )


def _nothing_found(folder: Path) -> Draft:
    findings = Findings(file=str(folder))
    findings.fault("CON-FOLDER", "")
    return Draft(file=folder, findings=findings, id="")


def _refuse_repeated(drafts: Sequence[Draft]) -> None:
    """One key in two files of one call: neither is taken, for nobody can tell which is meant."""
    files: defaultdict[str, list[Draft]] = defaultdict(list)
    for d in drafts:
        files[d.id].append(d)
    for d in drafts:
        others = [str(other.file) for other in files[d.id] if other is not d] if d.id else []
        if others:
            d.findings.fault("CON-ID-TWICE", "/id", f"{d.id}; {', '.join(others)}")


def _take(session: Session, drafts: Sequence[Draft], now: datetime) -> tuple[list[str], list[str]]:
    """Write what is new or changed; returns the keys of the changed and of the unchanged data sets.

    The same contract may still come to another data set: the rules have changed, or its folder has moved. Then the rows are refreshed
    under the same contract version.
    """
    _add_departments(session, drafts, now)
    standing = {dataset.key: dataset for dataset in load_datasets(session)}
    digests = _newest_digests(session)
    versions = {d.id: _contract_version(d, standing.get(d.id), digests) for d in drafts}
    registered = [d for d in drafts if d.id not in standing or versions[d.id] > standing[d.id].contract_version]
    changed = [dataset for d in drafts if (dataset := _numbered(d, versions[d.id], standing)) != standing.get(d.id)]
    _tell(drafts, changed, registered, standing)
    _write(session, changed, set(standing), now)
    session.add_all(_contract_row(d, versions[d.id], now) for d in registered)
    session.flush()
    follow_contracts(session, changed, {d.id: _abstract(d) for d in drafts}, now)
    keys = {d.id for d in registered}
    return sorted(keys), [d.id for d in drafts if d.id not in keys]


def _abstract(d: Draft) -> str:
    """What the standard's own description says the data is for."""
    assert d.source is not None
    return text(mapping(d.source.document.get("description")).get("purpose"))


def _contract_version(d: Draft, old: Dataset | None, digests: Mapping[str, str]) -> int:
    if old is None:
        return 1
    assert d.source is not None
    return old.contract_version if digests[d.id] == d.source.digest else old.contract_version + 1


def _numbered(d: Draft, version: int, standing: Mapping[str, Dataset]) -> Dataset:
    """The draft's data set under its contract version; a department that stands keeps its title."""
    assert d.dataset is not None
    old = standing.get(d.id)
    title = old.department_title if old and old.department == d.dataset.department else d.dataset.department_title
    return replace(d.dataset, contract_version=version, department_title=title)


def _tell(drafts: Sequence[Draft], changed: Sequence[Dataset], registered: Sequence[Draft], standing: Mapping[str, Dataset]) -> None:
    findings, renewed = {d.id: d.findings for d in drafts}, {d.id for d in registered}
    for dataset in changed:
        if dataset.key not in renewed:
            findings[dataset.key].warn("CON-REFRESHED", "", dataset.key)
        elif dataset.key in standing and standing[dataset.key].department != dataset.department:
            findings[dataset.key].warn("CON-DEPARTMENT-MOVED", "/domain", f"{standing[dataset.key].department} → {dataset.department}")


def _add_departments(session: Session, drafts: Sequence[Draft], now: datetime) -> None:
    known = set(session.scalars(sa.select(DepartmentRow.key)))
    for d in drafts:
        assert d.dataset is not None
        if d.dataset.department not in known:
            known.add(d.dataset.department)
            session.add(_department_row(d.dataset, now))
    session.flush()


def _department_row(dataset: Dataset, now: datetime) -> DepartmentRow:
    return DepartmentRow(
        key=dataset.department,
        title=dataset.department_title,
        authority=dataset.authority,
        credit_code=dataset.items.get("creditCode"),
        created_at=now,
    )


def _newest_digests(session: Session) -> Mapping[str, str]:
    is_newest = (DatasetRow.key == ContractRow.dataset_key) & (DatasetRow.contract_version == ContractRow.version)
    return dict(session.execute(sa.select(DatasetRow.key, ContractRow.digest).join(ContractRow, is_newest)).tuples().all())


def _write(session: Session, datasets: Sequence[Dataset], standing: set[str], now: datetime) -> None:
    """All data sets and their columns, in a handful of statements."""
    rows = {dataset.key: _dataset_values(dataset, now) for dataset in datasets}
    fresh = [{**row, "registered_at": now} for key, row in rows.items() if key not in standing]
    stale = [row for key, row in rows.items() if key in standing]
    if fresh:
        session.execute(sa.insert(DatasetRow), fresh)
    if stale:
        session.execute(sa.update(DatasetRow), stale)
        session.execute(sa.delete(DatasetColumnRow).where(DatasetColumnRow.dataset_key.in_([row["key"] for row in stale])))
    if columns := [row for dataset in datasets for row in _column_values(dataset)]:
        session.execute(sa.insert(DatasetColumnRow), columns)


def _dataset_values(dataset: Dataset, now: datetime) -> dict[str, Any]:
    return {
        "key": dataset.key,
        "title": dataset.title,
        "department_key": dataset.department,
        "contract_version": dataset.contract_version,
        "server": server_record(dataset.server),
        "share": dataset.share,
        "update_frequency": dataset.update_frequency,
        "verified": dataset.verified,
        "about_persons": dataset.about_persons,
        "source_of_record": sorted(dataset.source_of_record),
        "items": dataset.items,
        "changed_at": now,
    }


def _column_values(dataset: Dataset) -> list[dict[str, Any]]:
    names = [field.name for field in fields(Column)]
    return [
        {"dataset_key": dataset.key, "position": position, **{name: getattr(column, name) for name in names}}
        for position, column in enumerate(dataset.columns)
    ]


def _contract_row(d: Draft, version: int, now: datetime) -> ContractRow:
    assert d.source is not None
    return ContractRow(
        dataset_key=d.id,
        version=version,
        digest=d.source.digest,
        api_version=d.source.document["apiVersion"],
        text=d.source.text,
        file=str(d.file),
        registered_at=now,
    )
