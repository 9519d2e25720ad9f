"""A small platform behind the door: six residents, one data set of persons, one of enterprises, accounts and a clock that stands still."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import md5
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
import yaml

from access.accounts import Role, create_account, ensure_operator
from access.clients import SUFFIX
from access.door import Door, create_keys
from access.epochs import FIRST, key_of
from access.grants import grant
from access.populations import keep_bytes
from access.terms import Clients, Grant, RowScope
from audit.log import Entry, Log, open_log
from catalog.datasets import load_dataset
from catalog.home import Home
from catalog.lake import Lake
from catalog.registration import register
from catalog.schema import EnterpriseVersionRow, GoldenInputRow, GoldenVersionRow, ReconcileRunRow
from catalog.snapshots import add_raw, mark_accepted, mark_standard
from catalog.store import Store, open_store
from golden.enterprises import enterprise_folder
from golden.serving import publish
from rules.matching import load_matching
from rules.tiers import Tier
from tests.beginnings import Begin

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
GRID = "440605011001001"
OTHER_GRID = "440605012001001"
RESIDENTS: Mapping[str, Sequence[str | None]] = {
    "resident_id": [f"R{number:010d}" for number in range(1, 7)],
    "name": ["王小明", "欧阳明月", "阿依古丽·买买提", "李强", "王丽", "=陈诗"],
    "id_number": ["990605198001011234", "990605197502022345", "990605199003033456", None, "990605201505054567", "990605196606065678"],
    "sex": ["1", "2", "2", "1", "2", "1"],
    "birth_date": ["1980-01-01", "1975-02-02", "1990-03-03", None, "2015-05-05", "1966-06-06"],
    "phone": ["13800138001", "13900139002", None, "13700137004", "13600136005", "13500135006"],
    "residence_address": ["广东省佛山市南海区桂城街道南海大道12号天湖郦都3栋1203室"] * 6,
    "grid_code": [GRID, GRID, OTHER_GRID, OTHER_GRID, GRID, OTHER_GRID],
    "marital_status": ["20", "10", "20", "10", "10", "40"],
    "religion": ["00", "00", "40", "00", "00", "10"],
}
PERSONS: Mapping[str, Sequence[Any]] = {
    "_row": [2, 3, 4],
    "_record": ["h1", "h2", "h9"],
    "record": ["h1", "h2", "h9"],
    "name": ["王小明", "王丽", "赵无名"],
    "phone": ["13800138001", "13600136005", "13400134009"],
    "secret": ["甲", "乙", "丙"],
}
ENTERPRISES: Mapping[str, Sequence[Any]] = {"_row": [2, 3], "_record": ["e1", "e2"], "record": ["e1", "e2"], "scale": ["-12.5", "@SUM(1)"]}
CROSSWALK = {
    "dataset": ["hukou", "hukou", "shebao"],
    "record": ["h1", "h2", "s1"],
    "resident_id": ["R0000000001", "R0000000005", "R0000000001"],
}
ENTERPRISE_CROSSWALK = {"dataset": ["register", "tax"], "record": ["b1", "t1"], "enterprise_id": ["E0000000001"] * 2}
RELIABILITY: Mapping[str, list[Any]] = {
    "element": ["name", "name", "name", "phone"],
    "dataset": ["hukou", "hukou", "shebao", "shebao"],
    "undated": [False, True, False, False],
    "age_from_days": pa.array([None] * 4, pa.int64()),
    "age_to_days": pa.array([None] * 4, pa.int64()),
    "claims": [3, 3, 1, 1],
    "p": [0.97, 0.97, 0.99, 0.8],
    "low": [0.9, 0.9, 0.95, 0.6],
    "high": [0.99, 0.99, 1.0, 0.9],
    "checked": [0, 0, 0, 0],
    "agreed": [0, 0, 0, 0],
    "copies_from": pa.array([None, None, "hukou", None], pa.string()),
    "copied": pa.array([None, None, 0.4, None], pa.float64()),
    "learnt_version": [1, 1, 1, 1],
}
EXPLANATION: Mapping[str, Mapping[str, Any]] = {
    "identities": {"resident_id": ["R0000000001"], "status": ["current"], "superseded_by": pa.array([None], pa.string())},
    "values": {
        "resident_id": ["R0000000001"],
        "element": ["name"],
        "value": ["王小明"],
        "dataset": ["hukou"],
        "record": ["h1"],
        "observed_on": ["2026-01-01"],
        "received_on": ["2026-01-02"],
        "rule": ["R-02a"],
        "confidence": [0.99],
        "sources": [2],
        "status": ["ok"],
        "value_of_record": ["王小明"],
    },
    "rivals": {name: pa.array([], pa.string()) for name in ("resident_id", "element", "value", "dataset", "record", "observed_on")},
    "evidence": {
        name: pa.array([], pa.bool_() if name == "bridge" else pa.float64() if name == "bits" else pa.string())
        for name in ("resident_id", "dataset_a", "record_a", "dataset_b", "record_b", "bits", "bridge", *load_matching().comparisons)
    },
}
TERMS: Mapping[str, Any] = {
    "by": "operator",
    "grantee": "civil_affairs",
    "target": "golden",
    "columns": [
        "resident_id",
        "name",
        "id_number",
        "sex",
        "birth_date",
        "phone",
        "residence_address",
        "grid_code",
        "marital_status",
        "religion",
    ],
    "tier": Tier.T2,
    "purpose": "低保资格核查",
    "legal_basis": "《社会救助暂行办法》第十一条",
    "valid_from": date(2026, 1, 1),
    "valid_to": date(2026, 12, 31),
    "now": NOW,
}


@dataclass
class Clock:
    """Stands still until it is set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Platform:
    """What a test of the door needs at hand."""

    store: Store
    home: Home
    log: Log
    lake: Lake
    clock: Clock
    door: Door

    def grant(self, **changes: Any) -> Grant:
        return grant(self.store, self.lake, self.log, **{**TERMS, **changes})

    def scoped(self, *areas: str, **equals: tuple[str, ...]) -> Grant:
        return self.grant(row_scope=RowScope(areas=areas, equals=equals))

    def events(self) -> list[str]:
        return [entry.record.event.value for entry in self.log.entries()]

    def last(self) -> Entry:
        return list(self.log.entries())[-1]


def furnish(home: Home) -> None:
    """The small platform: its accounts, golden records and two registered data sets."""
    create_keys(home)
    store, lake = open_store(home.store_url), Lake(home.lake_root)
    log = open_log(home.audit_url, home.keys, clock=Clock())
    ensure_operator(store, NOW)
    people = [
        ("lin", "civil_affairs", Role.DEPARTMENT_REQUESTER),
        ("he", "health", Role.DEPARTMENT_REQUESTER),
        ("auditor", None, Role.AUDITOR),
    ]
    for name, department, role in people:
        create_account(store, log, by="operator", name=name, title=name, department=department, roles=[role], now=NOW)
    make_golden(store, lake)
    make_golden_enterprises(store, lake)
    register_samples(store, lake, home.root / "contracts")
    log.close()
    store.close()


def furnish_and_serve(home: Home) -> None:
    """The small platform with a serving copy of its golden records, as reconciliation publishes it."""
    furnish(home)
    store = open_store(home.store_url)
    publish(store, home, 1, now=NOW)
    store.close()


@contextmanager
def opened(home: Home) -> Iterator[Platform]:
    """The platform at work, and closed in the end."""
    clock, store = Clock(), open_store(home.store_url)
    log = open_log(home.audit_url, home.keys, clock=clock)
    with Door(store, home, log, clock) as door:
        yield Platform(store=store, home=home, log=log, lake=Lake(home.lake_root), clock=clock, door=door)
    log.close()
    store.close()


@pytest.fixture
def platform(begin: Begin) -> Iterator[Platform]:
    with opened(begin(furnish)) as platform:
        yield platform


@pytest.fixture
def served(begin: Begin) -> Iterator[Platform]:
    """The platform with its serving copy."""
    with opened(begin(furnish_and_serve)) as platform:
        yield platform


def make_golden(store: Store, lake: Lake) -> None:
    folder = lake.root / "golden" / "v000001"
    folder.mkdir(parents=True)
    pq.write_table(text_table(RESIDENTS), folder / "residents.parquet")
    pq.write_table(text_table(CROSSWALK), folder / "crosswalk.parquet")
    pq.write_table(pa.table(RELIABILITY), folder / "reliability.parquet")
    for name, rows in EXPLANATION.items():
        pq.write_table(pa.table(rows), folder / f"{name}.parquet")
    with store.session() as session, session.begin():
        run = ReconcileRunRow(full=True, state="done", message="", started_at=NOW)
        session.add(run)
        session.flush()
        version = {"inputs_digest": "0" * 64, "rules_version": "0" * 12, "counts": {}, "created_at": NOW}
        session.add(GoldenVersionRow(version=1, run_id=run.id, residents=6, records=3, **version))


def clients_of(platform: Platform, *numbers: str | None) -> Clients:
    """A list of clients as an upload keeps it."""
    hashes = sorted(platform.log.subject("id_number", number or "") for number in numbers)
    return Clients(digest=keep_bytes(platform.home.clients, "\n".join(hashes).encode(), SUFFIX), size=len(hashes))


def serve_golden(platform: Platform) -> None:
    """The serving copy of the golden records, as reconciliation publishes it."""
    publish(platform.store, platform.home, 1, now=NOW)


Former = Sequence[tuple[str, str]]


def serve_another(
    platform: Platform, changed: Mapping[str, Sequence[str | None]], disputed: str = "", merged: Former = (), numbers: Former = ()
) -> None:
    """A second golden version, served from now on: with other or further columns, and one element of the first resident in dispute.

    `merged`: ids and those that they were merged into; `numbers`: numbers and whose records still hold them.
    """
    golden = platform.lake.root / "golden"
    shutil.copytree(golden / "v000001", golden / "v000002")
    pq.write_table(text_table({**RESIDENTS, **changed}), golden / "v000002" / "residents.parquet")
    if disputed:
        values = pq.read_table(golden / "v000001" / "values.parquet").to_pydict()
        pq.write_table(pa.table({**values, "element": [disputed], "status": ["disputed"]}), golden / "v000002" / "values.parquet")
    write_former(golden / "v000002", merged, numbers)
    add_version(platform, 2)


def serve_part(platform: Platform, touched: Sequence[str], merged: Former, numbers: Former) -> None:
    """A third version that stands on the second and says of some only what is new: their former names."""
    folder = platform.lake.root / "golden" / "v000003"
    folder.mkdir()
    (folder / "parts.json").write_text('["v000002"]', encoding="utf-8")
    for name in ("residents", "values", "rivals", "identities"):
        rows = pq.read_table(folder.parent / "v000002" / f"{name}.parquet")
        pq.write_table(rows.filter(pc.is_in(rows["resident_id"], value_set=pa.array(touched))), folder / f"{name}.parquet")
    pq.write_table(pa.table({"resident_id": touched}), folder / "touched.parquet")
    write_former(folder, merged, numbers)
    add_version(platform, 3)


def add_version(platform: Platform, version: int) -> None:
    with platform.store.session() as session, session.begin():
        run = session.scalars(sa.select(GoldenVersionRow.run_id).limit(1)).one()
        facts = {"inputs_digest": "0" * 64, "rules_version": "0" * 12, "counts": {}, "created_at": NOW}
        session.add(GoldenVersionRow(version=version, run_id=run, residents=6, records=3, **facts))
    publish(platform.store, platform.home, version, now=NOW)


def write_former(folder: Path, merged: Former, numbers: Former) -> None:
    ids = {"resident_id": [old for old, _ in merged], "status": ["merged"] * len(merged), "superseded_by": [new for _, new in merged]}
    held = {"resident_id": [who for _, who in numbers], "element": ["id_number"] * len(numbers), "value": [value for value, _ in numbers]}
    said = {name: ["shebao"] * len(numbers) for name in ("dataset", "record", "observed_on")}
    pq.write_table(text_table(ids), folder / "identities.parquet")
    pq.write_table(text_table({**held, **said}), folder / "rivals.parquet")


def make_golden_enterprises(store: Store, lake: Lake) -> None:
    folder = enterprise_folder(lake, 1)
    folder.mkdir(parents=True)
    pq.write_table(text_table(ENTERPRISE_CROSSWALK), folder / "crosswalk.parquet")
    version = {"inputs_digest": "0" * 64, "rules_version": "0" * 12, "counts": {}, "created_at": NOW}
    with store.session() as session, session.begin():
        session.add(EnterpriseVersionRow(version=1, enterprises=1, records=2, **version))


def register_samples(store: Store, lake: Lake, folder: Path) -> None:
    folder.mkdir()
    plain = contract("hukou", "police", ["record", "name:name", "phone:phone", "secret"])
    withheld = contract("enterprises", "market", ["record", "scale"])
    for content in (plain, withheld):
        (folder / f"{content['id']}.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    report = register(store, [folder], now=NOW)
    assert not report.refused, report.refused
    accept(store, lake, "hukou", PERSONS)
    accept(store, lake, "enterprises", ENTERPRISES)
    with store.session() as session, session.begin():
        session.add(GoldenInputRow(golden_version=1, dataset_key="hukou", snapshot_version=1))


def contract(key: str, department: str, columns: Sequence[str], share: str = "conditional") -> dict[str, Any]:
    properties = [_property(*column.partition(":")[::2], key=position == 0) for position, column in enumerate(columns)]
    return {
        "apiVersion": "v3.0.2",
        "kind": "DataContract",
        "id": key,
        "name": f"{key} 样例",
        "version": "1.0.0",
        "status": "active",
        "domain": department,
        "servers": [{"server": "source", "type": "local", "path": f"{key}.csv", "format": "csv"}],
        "schema": [{"name": key, "logicalType": "object", "properties": properties}],
        "customProperties": [{"property": "share", "value": share}, {"property": "updateFrequency", "value": "每日"}],
    }


def accept(store: Store, lake: Lake, key: str, rows: Mapping[str, Sequence[Any]]) -> None:
    """An accepted snapshot of a data set, as intake would leave it."""
    table = pa.table({name: pa.array(values, pa.int64() if name == "_row" else pa.string()) for name, values in rows.items()})
    with store.session() as session, session.begin():
        dataset = load_dataset(session, key)
        count = table.num_rows
        with lake.writer(lake.path("standard", key, 1), table.schema) as writer:
            writer.write_table(table)
        raw = add_raw(session, dataset, version=1, source_digest="0" * 64, rules_version="0" * 12, rows_raw=count, now=NOW)
        mark_accepted(session, mark_standard(session, raw, rows_standard=count, rows_quarantined=0, fault_cells=0), now=NOW)


def text_table(rows: Mapping[str, Sequence[Any]]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string()) for name, values in rows.items()})


def _property(name: str, element: str, *, key: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"name": name, "physicalName": name, "logicalType": "string"}
    if key:
        told |= {"primaryKey": True, "primaryKeyPosition": 1, "required": True}
    graded = {"property": "element", "value": element} if element else {"property": "level", "value": "L4" if name == "secret" else "L1"}
    return {**told, "customProperties": [graded]}


def in_order(platform: Platform, granted: Grant, rows: Sequence[Any]) -> list[Any]:
    """The rows of an extract of all residents in the order of RESIDENTS: they come in an order that only the grant's secret tells."""
    secret = (key_of(platform.home.keys, granted.grantee, FIRST).order_secret + str(granted.id).encode()).hex()
    ids = [str(resident) for resident in RESIDENTS["resident_id"]]
    handed_over = sorted(ids, key=lambda resident: md5(f"{secret}{resident}".encode()).hexdigest())
    by_resident = dict(zip(handed_over, rows, strict=True))
    return [by_resident[resident] for resident in ids]


Read = Callable[[Path], list[dict[str, Any]]]


def read_parquet(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()
