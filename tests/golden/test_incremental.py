"""An incremental run gives what a full run gives, whatever changed: the same residents, values, evidence and ids."""

import random
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import duckdb
import pytest

import golden.versions
from catalog.home import Home
from catalog.schema import AccountRow, DecisionAnchorRow, StewardDecisionRow
from catalog.store import open_store
from golden.explain import why
from golden.serving import publish, serving_file
from golden.state import FILE
from golden.versions import PARTS, golden_folder, parts_of, relation
from tests.golden.bureau import NOW, Bureau, Row
from tests.golden.tables import number

FILES = ("crosswalk", "residents", "values", "rivals", "evidence", "identities", "history")
SURNAMES, GIVEN = "王李张刘陈杨黄赵", ("秀英", "明", "伟", "丽华", "建国", "小红", "志强", "敏")
ROADS = ("南海大道", "桂平路", "海五路", "千灯湖路")
SOURCES = {"hukou": "police", "social": "hrss", "grid": "grid", "clinic": "health"}
PEOPLE = 160


@dataclass(frozen=True, kw_only=True)
class Person:
    number: str
    name: str
    birth: str
    phone: str
    address: str

    def row(self) -> Row:
        return (self.number, self.name, self.birth, self.phone, self.address)


@dataclass(kw_only=True)
class Town:
    """People in households that share phones and addresses, with namesakes, as four departments list them; every row can be changed."""

    rng: random.Random
    tables: dict[str, dict[str, Row]] = field(default_factory=dict)
    gone: list[tuple[str, str, Row]] = field(default_factory=list)

    def settle(self) -> None:
        people = [self._person(place) for place in range(PEOPLE)]
        for place in range(0, PEOPLE, 20):  # twins, and somebody with another's number
            people[place + 1] = replace(people[place], number=number(people[place].birth, 2 * place + 12), name=people[place].name + "娟")
            people[place + 2] = replace(people[place + 2], number=people[place].number)
        for dataset in SOURCES:
            listed = [person for person in people if self.rng.random() < 0.7]
            self.tables[dataset] = {f"{dataset[0]}{place}": self._seen(person) for place, person in enumerate(listed)}

    def change(self, rows: int) -> set[str]:
        """So many rows come, go, come back, lose their number, move, take another's name or number. Returns the data sets that changed."""
        changed = set()
        for _ in range(rows):
            dataset = self.rng.choice(sorted(self.tables))
            table = self.tables[dataset]
            key, other = self.rng.choice(sorted(table)), self.rng.choice(sorted(table))
            mine, theirs = table[key], table[other]
            what = self.rng.randrange(7)
            if what == 0:
                self.gone.append((dataset, key, table.pop(key)))
            elif what == 6 and self.gone:
                dataset, key, row = self.gone.pop()
                self.tables[dataset][key] = row
            elif what in (1, 6):
                table[f"{dataset[0]}new{self.rng.randrange(10**6)}"] = self._seen(self._person(self.rng.randrange(500, 900)))
            else:
                table[key] = {
                    2: (None, *mine[1:]),
                    3: (*mine[:3], *theirs[3:]),
                    4: (mine[0], theirs[1], *mine[2:]),
                    5: (theirs[0], *mine[1:]),
                }[what]
            changed.add(dataset)
        return changed

    def _person(self, place: int) -> Person:
        birth = f"{1950 + place % 60}-{1 + place % 12:02d}-{1 + place % 28:02d}"
        home = place // 4
        return Person(
            number=number(birth, 10 + place % 900),
            name=self.rng.choice(SURNAMES) + self.rng.choice(GIVEN),
            birth=birth,
            phone=f"138{home:08d}",
            address=f"佛山市南海区桂城街道{ROADS[home % 4]}{home}号",
        )

    def _seen(self, person: Person) -> Row:
        row = list(person.row())
        for place in (0, 2, 3, 4):
            if self.rng.random() < 0.15:
                row[place] = None
        return tuple(row)


@pytest.fixture
def bureau(home: Home) -> Bureau:
    return Bureau(open_store(home.store_url), home)


def send(bureau: Bureau, town: Town, datasets: set[str]) -> None:
    for dataset in sorted(datasets):
        bureau.accept(dataset, SOURCES[dataset], list(town.tables[dataset].items()))


def difference(bureau: Bureau, a: int, b: int, files: Sequence[str] = FILES) -> dict[str, int]:
    """Rows by file that two versions do not share."""
    folders = [golden_folder(bureau.lake, version) for version in (a, b)]
    with duckdb.connect() as con:
        found = {}
        for name in files:
            one, two = (f"SELECT * FROM {relation(folder, name)}" for folder in folders)
            rows = con.execute(f"SELECT count(*) FROM (({one} EXCEPT ALL {two}) UNION ALL ({two} EXCEPT ALL {one}))").fetchall()
            found[name] = rows[0][0]
    return {name: rows for name, rows in found.items() if rows}


def is_part(bureau: Bureau, version: int) -> bool:
    return (golden_folder(bureau.lake, version) / PARTS).exists()


@pytest.mark.parametrize("seed", range(2))
def test_what_changed_is_found_as_a_full_run_finds_it(bureau: Bureau, seed: int) -> None:
    town = Town(rng=random.Random(seed))
    town.settle()
    send(bureau, town, set(SOURCES))
    bureau.reconcile()
    for rows in (1, 9, 25):
        send(bureau, town, town.change(rows))
        brought = bureau.reconcile()
        assert is_part(bureau, brought.version)
        full = bureau.reconcile(full=True)
        assert (brought.residents, brought.records) == (full.residents, full.records)
        assert brought.conflicts_by_element == full.conflicts_by_element
        assert difference(bureau, brought.version, full.version) == {}
        assert full.new == full.merged == full.split == 0


TERMS = {"overruled": [], "reason": "x", "golden_version": 1}


@dataclass(kw_only=True)
class Steward:
    """Somebody who merges, sets apart and pins at random, and takes some of it back."""

    bureau: Bureau
    rng: random.Random
    decided: list[int] = field(default_factory=list)

    def begin(self) -> None:
        with self.bureau.store.session() as session, session.begin():
            session.add(AccountRow(name="mei", title="mei", active=True, created_at=NOW))

    def act(self, version: int, now: datetime) -> None:
        residents: dict[str, list[tuple[str, str]]] = {}
        with duckdb.connect() as con:
            rows = (
                f"SELECT resident_id, dataset, record FROM {relation(golden_folder(self.bureau.lake, version), 'crosswalk')} ORDER BY ALL"
            )
            for resident, dataset, record in con.execute(rows).fetchall():
                residents.setdefault(resident, []).append((dataset, record))
        several = sorted(resident for resident, records in residents.items() if len(records) > 1)
        a, b = self.rng.sample(several, 2)
        self._decide("merge", now, a, residents[a], b, residents[b][:1])
        a, b, c = self.rng.sample(several, 3)
        self._decide("apart", now, a, residents[a][1:], a, residents[a][:1])
        self._decide("apart", now, b, residents[b], c, residents[c])
        self._decide("pin", now, a, residents[a][:1], None, [])
        with self.bureau.store.session() as session, session.begin():
            for gone in self.rng.sample(self.decided, 2):
                row = session.get_one(StewardDecisionRow, gone)
                row.revoked_by, row.revoked_at, row.revoke_reason = "mei", now, "x"
                self.decided.remove(gone)

    def _decide(
        self, kind: str, now: datetime, a: str, side_a: list[tuple[str, str]], b: str | None, side_b: list[tuple[str, str]]
    ) -> None:
        pinned = {"element": "phone", "value": "13800000000"} if kind == "pin" else {"element": None, "value": None}
        with self.bureau.store.session() as session, session.begin():
            row = StewardDecisionRow(kind=kind, resident_a=a, resident_b=b, decided_by="mei", decided_at=now, **pinned, **TERMS)
            session.add(row)
            session.flush()
            self.decided.append(row.id)
            for side, anchors in (("a", side_a), ("b", side_b)):
                for dataset, record in anchors:
                    session.add(DecisionAnchorRow(decision_id=row.id, side=side, dataset_key=dataset, record=record))


@pytest.mark.parametrize("seed", range(2))
def test_what_stewards_decide_and_take_back_is_found_as_a_full_run_finds_it(bureau: Bureau, seed: int) -> None:
    town, steward = Town(rng=random.Random(100 + seed)), Steward(bureau=bureau, rng=random.Random(200 + seed))
    town.settle()
    steward.begin()
    send(bureau, town, set(SOURCES))
    newest = bureau.reconcile().version
    for hours in (1, 2):
        now = NOW + timedelta(hours=hours)
        steward.act(newest, now - timedelta(minutes=30))
        send(bureau, town, town.change(6))
        brought = bureau.reconcile(now=now)
        assert is_part(bureau, brought.version)
        newest = bureau.reconcile(now=now, full=True).version
        assert difference(bureau, brought.version, newest, (*FILES, "alarms")) == {}


def test_versions_stand_on_each_other_until_one_is_written_whole(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden.versions, "MOST_PARTS", 3)
    town = Town(rng=random.Random(7))
    town.settle()
    send(bureau, town, set(SOURCES))
    bureau.reconcile()
    for _ in range(4):
        send(bureau, town, town.change(3))
        newest = bureau.reconcile().version
    assert [len(parts_of(golden_folder(bureau.lake, version))) for version in range(1, newest + 1)] == [1, 2, 3, 1, 2]
    full = bureau.reconcile(full=True)
    assert difference(bureau, newest, full.version) == {}
    assert difference(bureau, newest - 1, full.version) != {}


def test_readers_see_one_version_whatever_it_stands_on(bureau: Bureau) -> None:
    town = Town(rng=random.Random(3))
    town.settle()
    send(bureau, town, set(SOURCES))
    bureau.reconcile()
    gone = next(iter(town.tables["grid"]))
    resident = bureau.residents(1)[f"grid/{gone}"]
    del town.tables["grid"][gone]
    send(bureau, town, {"grid"})
    outcome = bureau.reconcile()
    assert is_part(bureau, outcome.version)
    served = publish(bureau.store, bureau.home, outcome.version, now=NOW)
    assert served.residents == outcome.residents
    if any(holder == resident and record != f"grid/{gone}" for record, holder in bureau.residents(1).items()):
        origins = why(bureau.store, bureau.lake, resident).records
        assert f"grid/{gone}" not in {f"{origin.dataset}/{origin.record}" for origin in origins}


def test_a_serving_copy_is_mended_to_what_a_new_one_would_be(bureau: Bureau) -> None:
    town = Town(rng=random.Random(4))
    town.settle()
    send(bureau, town, set(SOURCES))
    publish(bureau.store, bureau.home, bureau.reconcile().version, now=NOW)
    for rows in (4, 4):  # two versions on, the copy has missed one
        send(bureau, town, town.change(rows))
        newest = bureau.reconcile()
    mended = publish(bureau.store, bureau.home, newest.version, now=NOW)
    whole = publish(bureau.store, bureau.home, bureau.reconcile(full=True).version, now=NOW)
    with sqlite3.connect(serving_file(bureau.home, mended)) as one, sqlite3.connect(serving_file(bureau.home, whole)) as two:
        for table in ("resident", "former"):
            query = f"SELECT * FROM {table} ORDER BY 1, 2, 3"
            assert one.execute(query).fetchall() == two.execute(query).fetchall()
        assert one.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_state_that_was_lost_or_cut_off_only_costs_a_full_run(bureau: Bureau) -> None:
    town = Town(rng=random.Random(5))
    town.settle()
    send(bureau, town, set(SOURCES))
    bureau.reconcile()
    state = bureau.lake.root / "golden" / FILE
    for damage in (state.unlink, lambda: state.write_bytes(state.read_bytes()[:5000])):
        damage()
        send(bureau, town, town.change(2))
        whole = bureau.reconcile()
        assert not is_part(bureau, whole.version)
        send(bureau, town, town.change(2))
        assert is_part(bureau, bureau.reconcile().version)


def test_a_data_set_that_the_model_never_saw_is_learnt_with(bureau: Bureau) -> None:
    town = Town(rng=random.Random(6))
    town.settle()
    send(bureau, town, set(SOURCES) - {"clinic"})
    first = bureau.reconcile()
    send(bureau, town, {"clinic"})
    assert not is_part(bureau, bureau.reconcile().version)
    models = sorted(path.name for path in (bureau.lake.root / "golden" / "models").iterdir())
    assert models == [f"v{first.version:06d}", f"v{first.version + 1:06d}"]
