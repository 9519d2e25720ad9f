"""What a grant can be over: the golden record, or any registered data set. Its columns with kind and level, its files, its persons."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.terms import Grant
from catalog.datasets import Column, Dataset, load_dataset
from catalog.entries.content import EntryColumn
from catalog.entries.grading import declared_columns, declared_return
from catalog.entries.returning import RECORD, RETURN
from catalog.lake import Lake
from catalog.schema import DatasetColumnRow, EnterpriseVersionRow, GoldenInputRow, GoldenVersionRow, ServingVersionRow
from catalog.snapshots import CHINA, AcceptedSnapshot, accepted_version, newest_accepted
from golden.engine import quoted
from golden.enterprises import ENTERPRISE_ID, enterprise_folder
from golden.versions import columns_of, golden_folder, relation, version_of
from masking.plan import MaskedColumn, Plan, plan
from rules.elements import Element, load_elements
from rules.errors import NotFound
from rules.levels import Level, highest, load_levels
from rules.tiers import TierPolicy

GOLDEN = "golden"
GOLDEN_ENTERPRISES = "golden:enterprises"
RESIDENT_ID = "resident_id"
KIND_OF_LOGICAL_TYPE = {"date": "date", "timestamp": "timestamp", "integer": "number", "number": "number", "boolean": "boolean"}
SHARE_NONE = "none"
AREA_ELEMENTS = ("grid_code", "residence_address", "registered_residence_address", "hukou_address")
"""Where a person lives, the likeliest first: what an area scope is compared with."""


@dataclass(frozen=True, kw_only=True)
class TargetColumn:
    """A column as the door sees it: of the contract and the published entry the stricter holds (G-01).

    `shared` is false where either says that nobody else gets it (不予共享).
    """

    facts: MaskedColumn
    shared: bool


@dataclass(frozen=True, kw_only=True)
class Target:
    """A version of what is asked for. `relation`: SQL of its rows, its files quoted.

    `area_column` holds 12- or 15-digit area codes; `birth_column` canonical birth dates; `number_column` identity numbers. `persons` is the
    golden folder whose crosswalk joins the rows of a data set to residents; none before the first reconciliation.
    """

    key: str
    version: int
    relation: str
    columns: Mapping[str, TargetColumn]
    about_persons: bool
    order_column: str
    area_column: str | None
    birth_column: str | None
    number_column: str | None
    persons: Path | None
    returns_to: str | None = None
    """The only department that may have it, of golden values that go back to it."""

    @property
    def has_numbers(self) -> bool:
        """Whether a row's identity number is known, by itself or by its resident."""
        return self.number_column is not None or self.persons is not None

    @property
    def golden_version(self) -> int | None:
        """The golden version that says whose the rows are; None where no resident is."""
        return None if self.persons is None else version_of(self.persons)

    @property
    def is_golden(self) -> bool:
        return self.key == GOLDEN

    @property
    def holds_residents(self) -> bool:
        """Whether each row is a resident's golden record, so that its resident and birth date stand in it."""
        return self.is_golden or self.returns_to is not None


@dataclass(frozen=True, kw_only=True)
class GoldenFiles:
    """The newest golden version: its number and its folder in the lake."""

    version: int
    folder: Path


def load_target(session: Session, lake: Lake, key: str, as_of: date | None = None) -> Target:
    """The newest version of a target, or the golden records as they were served on a day.

    NotFound DOOR-NO-GOLDEN, DOOR-NO-ENTERPRISES or DOOR-NO-SNAPSHOT if there is none yet, DOOR-NOT-SERVED for a day before the first copy,
    CAT-DATASET if it is unknown.
    """
    if key == GOLDEN:
        return _golden_target(required_golden(session, lake) if as_of is None else served_golden(session, lake, as_of), session)
    if key.startswith(RETURN):
        return _return_target(session, lake, key.removeprefix(RETURN))
    return _enterprise_target(session, lake) if key == GOLDEN_ENTERPRISES else _dataset_target(session, lake, key)


def target_of_version(session: Session, lake: Lake, key: str, version: int, at: datetime, golden_version: int | None = None) -> Target:
    """A target as it was: its own files of that version, and beside a data set the golden version that is named, else that stood then.

    NotFound DOOR-NO-SNAPSHOT where it is not there (any more), DOOR-NO-GOLDEN for golden records that are not.
    """
    if key == GOLDEN or key.startswith(RETURN):
        golden = GoldenFiles(version=version, folder=golden_folder(lake, version))
        if session.get(GoldenVersionRow, version) is None or not golden.folder.exists():
            raise NotFound("DOOR-NO-GOLDEN")
        whole = _golden_target(golden, session)
        return whole if key == GOLDEN else _returned(session, golden, whole, key.removeprefix(RETURN))
    found = accepted_version(session, lake, key, version)
    if found is None or not found.standard_path.exists():
        raise NotFound("DOOR-NO-SNAPSHOT", where=key)
    named = None if golden_version is None else GoldenFiles(version=golden_version, folder=golden_folder(lake, golden_version))
    return _snapshot_target(session, found, named or _golden_at(session, lake, at))


def newest_golden(session: Session, lake: Lake) -> GoldenFiles | None:
    version = session.scalar(sa.select(sa.func.max(GoldenVersionRow.version)))
    return None if version is None else GoldenFiles(version=version, folder=golden_folder(lake, version))


def required_golden(session: Session, lake: Lake) -> GoldenFiles:
    golden = newest_golden(session, lake)
    if golden is None:
        raise NotFound("DOOR-NO-GOLDEN")
    return golden


def served_golden(session: Session, lake: Lake, day: date) -> GoldenFiles:
    """The golden records that answered at the end of a day in China: the files of a version stay as they are, whatever came later."""
    midnight = datetime.combine(day + timedelta(days=1), time(0), tzinfo=CHINA)
    served = sa.select(ServingVersionRow.golden_version).where(ServingVersionRow.created_at < midnight)
    version = session.scalar(served.order_by(ServingVersionRow.version.desc()).limit(1))
    if version is None:
        raise NotFound("DOOR-NOT-SERVED", where=day.isoformat())
    return GoldenFiles(version=version, folder=golden_folder(lake, version))


def served_target(session: Session, lake: Lake, version: int) -> Target:
    """The golden records of a version, as the serving copy that is of it holds them."""
    return _golden_target(GoldenFiles(version=version, folder=golden_folder(lake, version)), session)


def _golden_target(golden: GoldenFiles, session: Session) -> Target:
    names = columns_of(golden.folder, "residents")
    levels = _levels_by_element(session, golden.version)
    columns = {name: TargetColumn(facts=_golden_facts(name, levels), shared=True) for name in names}
    return Target(
        key=GOLDEN,
        version=golden.version,
        relation=relation(golden.folder, "residents"),
        columns=columns,
        about_persons=True,
        order_column=RESIDENT_ID,
        area_column="grid_code" if "grid_code" in names else None,
        birth_column="birth_date" if "birth_date" in names else None,
        number_column="id_number" if "id_number" in names else None,
        persons=golden.folder,
    )


def _return_target(session: Session, lake: Lake, key: str) -> Target:
    """The golden records of the residents whom a data set holds, each with the department's own key of its record."""
    golden = required_golden(session, lake)
    return _returned(session, golden, _golden_target(golden, session), key)


def _returned(session: Session, golden: GoldenFiles, whole: Target, key: str) -> Target:
    dataset = load_dataset(session, key)
    declared = declared_columns(session, [key]).get(key, {})
    level = highest([_level(column, declared.get(column.name)) for column in dataset.key_columns])
    own = MaskedColumn(name=RECORD, element=None, kind="text", level=level, of_person=True)
    columns, said = {RECORD: TargetColumn(facts=own, shared=True), **whole.columns}, declared_return(session, key)
    crosswalk = relation(golden.folder, "crosswalk")
    mine = f"SELECT {RECORD}, {RESIDENT_ID} FROM {crosswalk} WHERE dataset = '{quoted(key)}'"
    return replace(
        whole,
        key=f"{RETURN}{key}",
        relation=f"(SELECT mine.{RECORD}, person.* FROM ({mine}) AS mine JOIN {whole.relation} AS person USING ({RESIDENT_ID}))",
        columns={name: _as_declared(column, said.get(name)) for name, column in columns.items()},
        order_column=RECORD,
        returns_to=dataset.department,
    )


def _as_declared(column: TargetColumn, declared: EntryColumn | None) -> TargetColumn:
    """The stricter of a column and of what the published entry says of it."""
    if declared is None:
        return column
    facts = replace(column.facts, level=highest([column.facts.level, Level(declared.level)]))
    return TargetColumn(facts=facts, shared=column.shared and declared.share != SHARE_NONE)


def _enterprise_target(session: Session, lake: Lake) -> Target:
    """The crosswalk of enterprises: it holds no fact of a person."""
    version = session.scalar(sa.select(sa.func.max(EnterpriseVersionRow.version)))
    if version is None:
        raise NotFound("DOOR-NO-ENTERPRISES")
    names = ("dataset", "record", ENTERPRISE_ID)
    facts = [MaskedColumn(name=name, element=None, kind="text", level=Level.L1, of_person=False) for name in names]
    return Target(
        key=GOLDEN_ENTERPRISES,
        version=version,
        relation=f"read_parquet('{quoted(str(enterprise_folder(lake, version) / 'crosswalk.parquet'))}')",
        columns={fact.name: TargetColumn(facts=fact, shared=True) for fact in facts},
        about_persons=False,
        order_column="dataset, record",
        area_column=None,
        birth_column=None,
        number_column=None,
        persons=None,
    )


def _golden_facts(name: str, levels: Mapping[str, list[Level]]) -> MaskedColumn:
    element = load_elements().get(name)
    kind = RESIDENT_ID if name == RESIDENT_ID else element.kind if element else "text"
    own = Level.L2 if name == RESIDENT_ID else Level(element.level) if element else Level.L4
    return MaskedColumn(name=name, element=name, kind=kind, level=highest([own, *levels[name]]), of_person=name != RESIDENT_ID)


def _levels_by_element(session: Session, version: int) -> Mapping[str, list[Level]]:
    """Levels that the sources of a version grade an element with, by contract and by published entry: the golden one has the highest of
    them (就高从严, G-01, L-24).

    A data set that is registered and went into no golden value raises nothing.
    """
    table, contributes = DatasetColumnRow, GoldenInputRow.dataset_key == DatasetColumnRow.dataset_key
    query = sa.select(table.dataset_key, table.name, table.element, table.level).join(GoldenInputRow, contributes)
    rows = session.execute(query.where(GoldenInputRow.golden_version == version, table.element.is_not(None)).distinct()).tuples().all()
    declared = declared_columns(session, {dataset for dataset, *_ in rows})
    levels: defaultdict[str, list[Level]] = defaultdict(list)
    for dataset, name, element, level in rows:
        said = declared.get(dataset, {}).get(name)
        levels[element or ""] += [Level(level), *([Level(said.level)] if said else [])]
    return levels


def _dataset_target(session: Session, lake: Lake, key: str) -> Target:
    found = newest_accepted(session, lake, [key])
    if not found:
        raise NotFound("DOOR-NO-SNAPSHOT", where=key)
    return _snapshot_target(session, found[0], newest_golden(session, lake))


def _golden_at(session: Session, lake: Lake, at: datetime) -> GoldenFiles | None:
    version = session.scalar(sa.select(sa.func.max(GoldenVersionRow.version)).where(GoldenVersionRow.created_at <= at))
    return None if version is None else GoldenFiles(version=version, folder=golden_folder(lake, version))


def _snapshot_target(session: Session, found: AcceptedSnapshot, golden: GoldenFiles | None) -> Target:
    dataset = found.dataset
    declared = declared_columns(session, [dataset.key]).get(dataset.key, {})
    stored = set(pq.read_schema(found.standard_path).names)
    by_element = {column.element: column.name for column in dataset.columns if column.element}
    return Target(
        key=dataset.key,
        version=found.version,
        relation=f"read_parquet('{quoted(str(found.standard_path))}')",
        columns={
            column.name: _dataset_column(dataset, column, declared.get(column.name)) for column in dataset.columns if column.name in stored
        },
        about_persons=dataset.about_persons,
        order_column="_row",
        area_column=_area_column(by_element, stored),
        birth_column=by_element.get("birth_date"),
        number_column=by_element.get("id_number"),
        persons=golden.folder if golden and dataset.about_persons else None,
    )


def _dataset_column(dataset: Dataset, column: Column, declared: EntryColumn | None) -> TargetColumn:
    element = load_elements().get(column.element or "")
    kind = element.kind if element else KIND_OF_LOGICAL_TYPE.get(column.logical_type, "text")
    facts = MaskedColumn(
        name=column.name,
        element=column.element,
        kind=kind,
        level=_level(column, declared),
        of_person=dataset.about_persons and _of_person(element),
    )
    shares = (column.share, declared.share if declared else column.share)
    return TargetColumn(facts=facts, shared=SHARE_NONE not in shares)


def _level(column: Column, declared: EntryColumn | None) -> Level:
    """The strictest of contract, published entry and the class of its field (G-07)."""
    said = [Level(declared.level)] if declared else []
    return highest([Level(column.level), *said, load_levels().floor(column.element)])


def _of_person(element: Element | None) -> bool:
    """A column without an element in a table about persons may well be a fact of the person."""
    return element is None or element.describes == "person"


def _area_column(by_element: Mapping[str, str], stored: set[str]) -> str | None:
    if "grid_code" in by_element:
        return by_element["grid_code"]
    grids = (f"{by_element[element]}__grid" for element in AREA_ELEMENTS if element in by_element)
    return next((grid for grid in grids if grid in stored), None)


def plan_of(grant: Grant, target: Target, policy: TierPolicy) -> Plan:
    """The masks that the terms of a grant give, by the levels that the target's columns have now."""
    columns = [target.columns[name].facts for name in grant.columns if name in target.columns]
    return plan(columns, grant.tier, policy, audience=grant.audience, chosen=grant.masks)
