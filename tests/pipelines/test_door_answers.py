"""A door check's answer goes the whole road: it comes in as its own verified data set, wins at reconciliation, closes the ticket, and who
was handed the old value is told (law.md §7.3-5, R-06, R-08).
"""

import csv
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from access.accounts import Role, create_account, ensure_operator
from access.casefiles import Form
from access.door import Door, create_keys
from access.grants import grant
from access.terms import RowScope
from audit.log import Log, open_log
from casework import corrections, door_checks
from casework.attempts import Act
from casework.door_checks import Result, Visit
from casework.notices import list_notices
from casework.observations import DATASET
from casework.tickets import Wanted, list_tickets
from catalog.home import Home
from catalog.lake import Lake
from catalog.registration import register
from catalog.store import Store
from golden.decisions import day_of
from golden.versions import golden_folder, relation
from pipelines.road import Road
from rules.errors import Refused
from rules.tickets import load_ticket_rules
from rules.tiers import Tier
from tests.catalog.contracts import column, custom, good_contract, write
from tests.golden.tables import number

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
GRID = "440605011001001"
OLD, NEW = "13826094417", "13700137007"
LI = number("1990-05-06", 11)
SAID: Mapping[str, Mapping[str, str]] = {
    "hukou": {"id_number": LI, "name": "李明", "birth_date": "1990-05-06"},
    "social": {"id_number": LI, "name": "李明", "phone": OLD, "updated_at": "2026-11-14"},
    "clinic": {"id_number": LI, "name": "李明", "phone": OLD, "updated_at": "2026-11-12"},
    "insured": {"id_number": LI, "name": "李明", "phone": OLD, "updated_at": "2026-11-08"},
    "market": {"id_number": LI, "name": "李明", "phone": NEW, "updated_at": "2023-01-04"},
    "survey": {"id_number": LI, "name": "李明", "grid_code": GRID, "phone": OLD, "updated_at": "2026-11-04"},
}
"""What each data set says of one resident; the market regulators hold another telephone number than three others, from long ago."""
HELD_BY = {
    "hukou": "police", "social": "hrss", "clinic": "health", "insured": "medical_insurance", "market": "market", "survey": "grid",
}  # fmt: skip
OTHERS = 30
"""So many residents more, about whom all agree."""
PEOPLE = (
    ("hua", "hrss", Role.DEPARTMENT_REQUESTER),
    ("song", "hrss", Role.DEPARTMENT_HEAD),
    ("qian", "market", Role.DEPARTMENT_REQUESTER),
    ("sun", "market", Role.DEPARTMENT_HEAD),
    ("lin", "civil_affairs", Role.DEPARTMENT_REQUESTER),
    ("gao", "grid", Role.GRID_WORKER),
    ("chief", "grid", Role.DEPARTMENT_HEAD),
)


@dataclass
class Bureau:
    """Real files, the real road, and people who act."""

    home: Home
    store: Store
    log: Log
    folder: Path
    now: datetime = NOW

    @property
    def lake(self) -> Lake:
        return Lake(self.home.lake_root)

    @property
    def road(self) -> Road:
        return Road(home=self.home, store=self.store, lake=self.lake, clock=lambda: self.now)

    def act(self, by: str) -> Act:
        return Act(by=by, now=self.now, reason="已核对档案")

    def come_in(self, *datasets: str) -> None:
        """Intake, reconciliation and hand-over, as every night."""
        self.now += timedelta(days=1)
        for outcome in self.road.ingest(self.road.datasets(datasets), run="r"):
            assert outcome.state == "accepted", outcome
        self.road.reconcile(full=False)
        self.road.hand_over()

    def confidence(self) -> float:
        with duckdb.connect() as con:
            values = relation(golden_folder(self.lake, self.road.newest_golden()), "values")
            (found,) = con.execute(f"SELECT confidence FROM {values} WHERE element = 'phone' AND value = $1", [NEW]).fetchall()
        return float(found[0])

    def phone(self) -> tuple[str, str, str]:
        """The golden number of 李明, the data set that it is shown for, and the status."""
        with duckdb.connect() as con:
            folder = golden_folder(self.lake, self.road.newest_golden())
            found = con.execute(
                f"SELECT p.value, p.dataset, p.status FROM {relation(folder, 'values')} p JOIN {relation(folder, 'values')} n "
                "USING (resident_id) WHERE p.element = 'phone' AND n.element = 'id_number' AND n.value = $1",
                [LI],
            ).fetchall()
        (row,) = found
        return row

    def tickets(self, *, ended: bool = False) -> list[tuple[str, str, int, int]]:
        """Department, state, round and items of the tickets about telephone numbers."""
        with self.store.session() as session:
            page = list_tickets(session, Wanted(element="phone", ended=ended), day_of(self.now))
        return sorted((t.department_key, t.state.value, t.round, t.items) for t in page.tickets)

    def standing(self) -> list[tuple[int, str]]:
        """Number and department of the tickets that stand."""
        with self.store.session() as session:
            page = list_tickets(session, Wanted(element="phone"), day_of(self.now))
        return sorted(((t.id, t.department_key) for t in page.tickets), key=lambda one: one[1])


@pytest.fixture
def bureau(home: Home, store: Store, tmp_path: Path) -> Iterator[Bureau]:
    create_keys(home)
    ensure_operator(store, NOW)
    with closing(open_log(home.audit_url, home.keys, clock=lambda: NOW)) as log:
        for name, department, role in PEOPLE:
            create_account(store, log, by="operator", name=name, title=name, department=department, roles=[role], now=NOW)
        made = Bureau(home=home, store=store, log=log, folder=tmp_path / "sources")
        report = register(store, [write_source(made.folder, dataset, row) for dataset, row in SAID.items()], now=NOW)
        assert not report.refused, report.refused
        made.come_in(*SAID)
        yield made


def write_source(folder: Path, dataset: str, row: Mapping[str, str]) -> Path:
    """A data set's file, with 李明 and the others, and its contract."""
    folder.mkdir(exist_ok=True)
    with (folder / f"{dataset}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["no", *row])
        for at, said in enumerate([row, *others(row)]):
            writer.writerow([f"{dataset}{at}", *said.values()])
    columns = [{**column("no", "no"), "primaryKey": True}, *(column(name, name, element=name) for name in row)]
    return write(
        folder,
        good_contract(
            id=dataset,
            name=dataset,
            domain=HELD_BY[dataset],
            servers=[{"server": "main", "type": "local", "path": f"{dataset}.csv", "format": "csv"}],
            schema=[{"name": dataset, "properties": columns}],
            customProperties=custom(share="conditional", shareConditions="经同意", updateFrequency="每月"),
        ),
    )


def others(row: Mapping[str, str]) -> list[dict[str, str]]:
    """All say the same of them."""
    made = []
    for n in range(OTHERS):
        birth = f"19{50 + n}-0{1 + n % 9}-1{n % 10}"
        name = "王张刘陈杨赵黄周吴徐"[n % 10] + "伟芳娜敏静"[n // 10] + "丽强磊军洋勇艳杰娟涛"[(n * 7) % 10]
        day = f"2026-0{1 + n % 9}-{11 + n % 17}"
        told = {"id_number": number(birth, 100 + n), "name": name, "birth_date": birth, "phone": f"13{n % 5}{n:08}", "updated_at": day}
        made.append({key: told.get(key, row[key]) for key in row})
    return made


def turn_round(bureau: Bureau) -> int:
    """Both sides say that theirs is correct; the number of the ticket that is contested."""
    for ticket, clerk, head in ((1, "qian", "sun"), (2, "hua", "song")):
        corrections.accept(bureau.store, bureau.log, ticket=ticket, act=bureau.act(clerk))
        last = corrections.uphold(bureau.store, bureau.log, ticket=ticket, act=bureau.act(head))
    assert last.state.value == "contested"
    return last.id


def ask_at_the_door(bureau: Bureau, ticket: int, found: str) -> None:
    """The grid's worker is sent, finds this number, and his assessor accepts it."""
    door_checks.appoint(bureau.store, bureau.log, grid=GRID, worker="gao", assessor="chief", act=bureau.act("operator"))
    door_checks.dispatch(bureau.store, bureau.lake, bureau.log, ticket=ticket, act=bureau.act("operator"))
    with Door(bureau.store, bureau.home, bureau.log, lambda: bureau.now) as door:
        form = door.door_form("gao", "入户核查", 1).value
    assert isinstance(form, Form)
    told = Visit(result=Result.UPDATED, contact="home", values={"phone": found})
    door_checks.visit(bureau.store, bureau.home, bureau.log, form=form, visit=told, act=bureau.act("gao"))
    door_checks.review(bureau.store, bureau.home, bureau.log, check=1, accept=True, act=bureau.act("chief"))


def hand_out(bureau: Bureau, target: Path) -> None:
    """The civil affairs bureau receives the golden telephone numbers."""
    terms = {"by": "operator", "grantee": "civil_affairs", "target": "golden", "columns": ["resident_id", "phone"], "tier": Tier.T3}
    reasons = {"purpose": "低保资格核查", "legal_basis": "《社会救助暂行办法》第十一条"}
    period = {"valid_from": date(2026, 1, 1), "valid_to": date(2027, 1, 1)}
    made = grant(bureau.store, bureau.lake, bureau.log, **terms, **reasons, **period, row_scope=RowScope(areas=(GRID,)), now=bureau.now)  # type: ignore[arg-type]
    with Door(bureau.store, bureau.home, bureau.log, lambda: bureau.now) as door:
        door.extract("lin", made.id, target, "csv")


def notices(bureau: Bureau) -> list[tuple[str, int, Mapping[str, int]]]:
    with bureau.store.session() as session:
        return [(n.department_key, n.residents, n.columns) for n in list_notices(session)]


def test_an_answer_that_proves_the_loser_right_wins_closes_the_ticket_and_users_are_told(bureau: Bureau, tmp_path: Path) -> None:
    assert bureau.phone() == (OLD, "social", "ok")
    assert bureau.tickets() == [("market", "raised", 1, 1)]
    hand_out(bureau, tmp_path / "home" / "exports" / "handed.csv")
    ask_at_the_door(bureau, turn_round(bureau), found=NEW)
    assert (bureau.tickets(), notices(bureau)) == ([("hrss", "at_door", 2, 1)], [])
    bureau.come_in(DATASET)
    assert bureau.phone() == (NEW, DATASET, "ok")
    assert bureau.tickets(ended=True) == [("hrss", "closed", 2, 1), ("market", "closed", 1, 1)]
    assert [department for _, department in bureau.standing()] == ["grid", "health", "hrss", "medical_insurance"], "who said otherwise"
    assert notices(bureau) == [("civil_affairs", 1, {"phone": 1})]


def test_who_holds_what_the_answer_contradicts_is_asked_however_probable_it_is_until_he_corrects_it(bureau: Bureau) -> None:
    """R-06: .96 is less than a machine alone may ask for."""
    ask_at_the_door(bureau, turn_round(bureau), found=NEW)
    bureau.come_in(DATASET)
    assert bureau.confidence() < load_ticket_rules().threshold("phone")
    bureau.come_in()
    write_source(bureau.folder, "clinic", {**SAID["clinic"], "phone": NEW})
    bureau.come_in("clinic")
    assert [department for _, department in bureau.standing()] == ["grid", "hrss", "medical_insurance"]
    assert ("health", "closed", 1, 1) in bureau.tickets(ended=True)


def test_an_answer_that_both_sides_lose_by_is_corrected_by_who_holds_the_record(bureau: Bureau) -> None:
    """The item that had turned round goes back to the department that holds its record, and cannot be upheld again (R-06)."""
    found = "13711223344"
    ask_at_the_door(bureau, turn_round(bureau), found=found)
    bureau.come_in(DATASET)
    assert bureau.phone() == (found, DATASET, "ok")
    (again,) = (number for number, department in bureau.standing() if department == "market")
    corrections.accept(bureau.store, bureau.log, ticket=again, act=bureau.act("qian"))
    with pytest.raises(Refused, match="TKT-DECIDED"):
        corrections.uphold(bureau.store, bureau.log, ticket=again, act=bureau.act("sun"))
    corrections.correct(bureau.store, bureau.log, ticket=again, act=bureau.act("qian"))
    write_source(bureau.folder, "market", {**SAID["market"], "phone": found})
    bureau.come_in("market")
    assert "market" not in {department for _, department in bureau.standing()}
