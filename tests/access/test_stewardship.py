"""Stewards' decisions: who may, what is refused, what the log holds, and what a reconciliation makes of them, on both databases."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa

from access.accounts import Role, create_account, ensure_operator
from access.door import create_keys
from access.stewardship import merge, pin, revoke, set_apart
from audit.events import Event
from audit.log import Log, open_log
from catalog.home import Home
from catalog.schema import DatasetRow, SnapshotRow
from catalog.store import open_store
from golden.alarms import standing_alarms
from golden.decisions import Kind, State, StewardDecision, decisions_at, load_decisions
from golden.explain import why
from golden.versions import golden_folder, relation
from rules.errors import Denied, NotFound, Refused, TongchouError
from tests.beginnings import SQLITE, Begin, Beginnings
from tests.golden.bureau import COLUMNS, LI_ROW, WANG_ROW, Bureau, Row
from tests.golden.tables import number

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
NEXT = NOW + timedelta(hours=1)
LATER = datetime(2026, 11, 20, 8, tzinfo=UTC)
UNTIL = date(2027, 5, 1)
AFTER_EXPIRY = datetime(2027, 5, 2, 8, tzinfo=UTC)
SECOND = number("1990-05-06", 77)
OTHER_LI = (None, "李鸣", "1991-07-08", "13800000003", "佛山市南海区狮山镇科技路9号")


class Stewards:
    """A bureau whose data are reconciled, with a steward, the log, and a short way to decide."""

    def __init__(self, bureau: Bureau, log: Log) -> None:
        self.bureau, self.log = bureau, log
        self.store, self.lake = bureau.store, bureau.lake

    def merge(self, a: str, b: str, **changes: Any) -> StewardDecision:
        return merge(self.store, self.lake, self.log, **{"by": "mei", "a": a, "b": b, "reason": "核对户口簿原件", "now": NOW, **changes})

    def apart(self, a: str, b: str, **changes: Any) -> StewardDecision:
        return set_apart(self.store, self.lake, self.log, **{"by": "mei", "a": a, "b": b, "reason": "两人均到场", "now": NOW, **changes})

    def pin(self, who: str, element: str, value: str, **changes: Any) -> StewardDecision:
        given = {"by": "mei", "who": who, "element": element, "value": value, "reason": "本人来电确认", "now": NOW, "until": UNTIL}
        return pin(self.store, self.lake, self.log, **{**given, **changes})

    def revoke(self, decision: int, **changes: Any) -> StewardDecision:
        given = {"by": "mei", "decision": decision, "reason": "复核有误", "now": NEXT}
        return revoke(self.store, self.log, **{**given, **changes})

    def reconcile(self, now: datetime = NEXT, *, full: bool = False) -> dict[str, str]:
        return self.residents(self.bureau.reconcile(now=now, full=full).version)

    def rows(self, version: int, name: str) -> list[dict[str, Any]]:
        """The rows of a version's file, whichever parts they stand in."""
        with duckdb.connect() as con:
            found = con.sql(f"FROM {relation(golden_folder(self.lake, version), name)} ORDER BY ALL").to_arrow_table()
        return found.to_pylist()

    def residents(self, version: int) -> dict[str, str]:
        return {f"{row['dataset']}/{row['record']}": row["resident_id"] for row in self.rows(version, "crosswalk")}

    def arrives(self, dataset: str, department: str, rows: Sequence[tuple[str, Row]], *, verified: bool = False) -> None:
        """A snapshot that came after what was decided."""
        self.bureau.accept(dataset, department, rows)
        with self.store.session() as session, session.begin():
            newest = session.scalar(sa.select(sa.func.max(SnapshotRow.version)).filter_by(dataset_key=dataset))
            session.get_one(SnapshotRow, (dataset, newest)).received_at = LATER
            session.get_one(DatasetRow, dataset).verified = verified

    def alarms(self, now: datetime = LATER) -> list[tuple[int, str, str]]:
        """Decision, kind and data set of each alarm after a reconciliation, which says how many decisions they are of."""
        outcome = self.bureau.reconcile(now=now)
        alarms = [(a.decision, a.kind, a.dataset) for a in standing_alarms(golden_folder(self.lake, outcome.version))]
        told = [warning for warning in outcome.warnings if "decide list --stale" in warning]
        assert [text.split()[0] for text in told] == ([str(len({decision for decision, *_ in alarms}))] if alarms else [])
        return alarms

    def known(self) -> list[StewardDecision]:
        with self.store.session() as session:
            return load_decisions(session)


def prepare(home: Home) -> None:
    """Two data sets of three persons, reconciled once, a steward and somebody who is none."""
    create_keys(home)
    with closing(open_store(home.store_url)) as store:
        ensure_operator(store, NOW)
        with closing(open_log(home.audit_url, home.keys, clock=lambda: NOW)) as log:
            for name, role in (("mei", Role.STEWARD), ("lin", Role.DEPARTMENT_REQUESTER)):
                create_account(store, log, by="operator", name=name, title=name, department=None, roles=[role], now=NOW)
        bureau = Bureau(store, home)
        bureau.accept("hukou", "police", [("a", LI_ROW), ("b", WANG_ROW)])
        bureau.accept("social", "hrss", [("1", LI_ROW), ("2", OTHER_LI)])
        bureau.reconcile()


@contextmanager
def at_work(home: Home) -> Iterator[Stewards]:
    with closing(open_store(home.store_url)) as store, closing(open_log(home.audit_url, home.keys, clock=lambda: NOW)) as log:
        yield Stewards(Bureau(store, home), log)


@pytest.fixture
def stewards(beginnings: Beginnings, tmp_path: Path) -> Iterator[Stewards]:
    with at_work(beginnings.copy(prepare, SQLITE, tmp_path / "home")) as stewards:
        yield stewards


@pytest.fixture
def on_both(begin: Begin) -> Iterator[Stewards]:
    """On SQLite and on PostgreSQL."""
    with at_work(begin(prepare)) as stewards:
        yield stewards


def test_a_merge_joins_two_residents_and_its_revocation_restores_what_was_before(on_both: Stewards) -> None:
    stewards = on_both
    before = stewards.residents(1)
    made = stewards.merge("hukou/a", before["social/2"])
    joined = stewards.reconcile()
    assert joined["social/2"] == joined["hukou/a"] == joined["social/1"] == before["hukou/a"]
    stewards.revoke(made.id, now=NEXT + timedelta(hours=1))
    assert stewards.reconcile(NEXT + timedelta(hours=2)) == before
    assert why(stewards.store, stewards.lake, before["social/2"]).resident_id == before["social/2"]


def test_after_a_revocation_the_files_are_those_of_before(stewards: Stewards) -> None:
    made = stewards.merge("hukou/a", "hukou/b")
    stewards.reconcile(full=True)
    stewards.revoke(made.id, now=NEXT + timedelta(hours=1))
    stewards.reconcile(NEXT + timedelta(hours=2), full=True)
    for name in ("residents", "values", "rivals", "crosswalk", "identities", "evidence", "history"):
        assert stewards.rows(1, name) == stewards.rows(3, name), name


def test_a_merge_outlives_the_record_that_it_was_made_on(stewards: Stewards) -> None:
    before = stewards.residents(1)
    stewards.merge(before["hukou/a"], before["social/2"])
    stewards.bureau.accept("social", "hrss", [("2", OTHER_LI)])
    after = stewards.reconcile()
    assert after["social/2"] == after["hukou/a"]


def test_merges_hold_together_over_a_record_that_has_gone(stewards: Stewards) -> None:
    stewards.merge("hukou/a", "social/2")
    stewards.merge("social/2", "hukou/b")
    stewards.bureau.accept("social", "hrss", [("1", LI_ROW)])
    after = stewards.reconcile()
    assert after["hukou/a"] == after["hukou/b"]


def test_apart_separates_records_of_one_number_and_its_revocation_joins_them_again(stewards: Stewards) -> None:
    before = stewards.residents(1)
    made = stewards.apart("hukou/a", "social/1")
    parted = stewards.reconcile()
    assert parted["hukou/a"] == before["hukou/a"] and parted["social/1"] not in before.values()
    stewards.revoke(made.id, now=NEXT + timedelta(hours=1))
    assert stewards.reconcile(NEXT + timedelta(hours=2)) == before


def test_a_record_named_second_leaves_the_resident_named_first(stewards: Stewards) -> None:
    resident = stewards.residents(1)["hukou/a"]
    stewards.apart(resident, "social/1")
    after = stewards.reconcile()
    assert after["hukou/a"] == resident != after["social/1"]


def test_records_set_apart_within_one_number_go_their_own_ways(stewards: Stewards) -> None:
    stewards.bureau.accept("grid", "grid", [("g", LI_ROW)])
    stewards.reconcile()
    stewards.apart("hukou/a", "social/1")
    stewards.apart("hukou/a", "grid/g")
    stewards.apart("social/1", "grid/g")
    after = stewards.reconcile()
    assert len({after["hukou/a"], after["social/1"], after["grid/g"]}) == 3


def test_decisions_that_contradict_each_other_are_refused_also_over_a_third(stewards: Stewards) -> None:
    stewards.merge("hukou/a", "social/2")
    first = stewards.apart("hukou/b", "social/2")
    with pytest.raises(Refused, match="DEC-CONTRADICTS") as refused:
        stewards.merge("hukou/a", "hukou/b")
    assert refused.value.where == str(first.id)
    with pytest.raises(Refused, match="DEC-CONTRADICTS"):
        stewards.apart("hukou/a", "social/2")
    stewards.revoke(first.id)
    stewards.merge("hukou/a", "hukou/b", now=NEXT + timedelta(hours=1))


def test_a_pin_wins_until_it_expires_and_the_machine_is_its_rival(on_both: Stewards) -> None:
    stewards = on_both
    resident = stewards.residents(1)["hukou/a"]
    stewards.pin(resident, "phone", " 139 0000 0009 ")
    stewards.reconcile()
    (reason,) = why(stewards.store, stewards.lake, resident, "phone").reasons
    assert (reason.value, reason.rule, reason.status, reason.origin) == ("13900000009", "R-05", "ok", None)
    assert {rival.value for rival in reason.rivals} == {"13800000001"}
    stewards.reconcile(AFTER_EXPIRY)
    (reason,) = why(stewards.store, stewards.lake, resident, "phone").reasons
    assert reason.value == "13800000001" and reason.rivals == ()


def test_a_pin_stands_through_its_last_day(stewards: Stewards) -> None:
    made = stewards.pin("hukou/a", "phone", "13900000009")
    assert made.state(datetime(2027, 5, 1, 15, 59, tzinfo=UTC)) is State.STANDING
    assert made.state(datetime(2027, 5, 1, 16, 0, tzinfo=UTC)) is State.EXPIRED, "midnight in China"


def test_an_element_that_no_source_states_can_be_pinned(stewards: Stewards) -> None:
    resident = stewards.residents(1)["hukou/b"]
    stewards.pin("hukou/b", "marital_status", "20")
    stewards.reconcile()
    rows = stewards.rows(2, "residents")
    assert {row["resident_id"]: row["marital_status"] for row in rows} == dict.fromkeys(r["resident_id"] for r in rows) | {resident: "20"}


def test_birth_and_sex_follow_a_pinned_number_until_it_ends(stewards: Stewards) -> None:
    """R-02, R-05: also against a birth date that every source states, and where no record states the number."""
    woman: dict[str, list[str | None]] = {"record": ["x"], "id_number": [WANG_ROW[0]], "name": ["王秀英"], "sex": ["2"]}
    stewards.bureau.accept_columns("clinic", "health", woman)
    resident = stewards.residents(1)["hukou/a"]
    renewed = number("1992-03-04", 12)
    said = ("id_number", "birth_date", "sex")

    def golden(now: datetime, *, full: bool = False) -> list[tuple[str | None, str]]:
        stewards.reconcile(now, full=full)
        return [(r.value, r.rule) for element in said for r in why(stewards.store, stewards.lake, resident, element).reasons]

    before = golden(NEXT)
    assert [value for value, _ in before] == [LI_ROW[0], "1990-05-06", "1"]
    stewards.pin(resident, "id_number", renewed)
    pinned = [(renewed, "R-05"), ("1992-03-04", "R-02-number"), ("2", "R-02-number")]
    assert golden(NEXT + timedelta(hours=1)) == golden(NEXT + timedelta(hours=2), full=True) == pinned
    (birth,) = why(stewards.store, stewards.lake, resident, "birth_date").reasons
    assert (birth.origin, birth.status, {rival.value for rival in birth.rivals}) == (None, "disputed", {"1990-05-06"})
    assert golden(AFTER_EXPIRY) == golden(AFTER_EXPIRY + timedelta(hours=1), full=True) == before


def test_of_two_pins_the_newer_counts_and_its_revocation_brings_the_older_back(stewards: Stewards) -> None:
    resident = stewards.residents(1)["hukou/a"]
    stewards.pin(resident, "phone", "13900000009")
    newer = stewards.pin(resident, "phone", "13900000010")

    def phone(now: datetime) -> str | None:
        stewards.reconcile(now)
        return why(stewards.store, stewards.lake, resident, "phone").reasons[0].value

    assert phone(NEXT) == "13900000010"
    stewards.revoke(newer.id)
    assert phone(NEXT + timedelta(hours=2)) == "13900000009"


def test_a_pin_goes_with_its_records_when_residents_merge(stewards: Stewards) -> None:
    stewards.pin("social/2", "phone", "13900000009")
    stewards.merge("hukou/a", "social/2")
    after = stewards.reconcile()
    assert why(stewards.store, stewards.lake, after["hukou/a"], "phone").reasons[0].value == "13900000009"


def test_decisions_make_a_new_version_and_a_full_run_afterwards_changes_nothing(stewards: Stewards) -> None:
    stewards.merge("hukou/a", "social/2")
    stewards.pin("hukou/b", "phone", "13900000009")
    assert stewards.bureau.reconcile(now=NEXT).unchanged is False
    assert stewards.bureau.reconcile(now=NEXT).unchanged is True
    stewards.reconcile(full=True)
    for name in ("crosswalk", "residents", "values", "rivals", "evidence", "identities", "history"):
        assert stewards.rows(2, name) == stewards.rows(3, name), name


ILLEGAL: Mapping[str, tuple[str, dict[str, Any]]] = {
    "no reason": ("DEC-TERMS", {"reason": " "}),
    "a number in the reason": ("DEC-TERMS", {"reason": f"见{SECOND}"}),
    "past expiry": ("DEC-TERMS", {"until": date(2026, 11, 2)}),
    "no expiry": ("DEC-TERMS", {"until": None}),
    "an expiry beyond all bounds": ("DEC-TERMS", {"until": date(2040, 1, 1)}),
    "an invalid date": ("DEC-VALUE", {"element": "birth_date", "value": "1990-02-30"}),
    "an unknown code": ("DEC-VALUE", {"element": "sex", "value": "7"}),
    "an empty value": ("DEC-VALUE", {"value": "无"}),
    "an unknown resident": ("REC-RESIDENT", {"who": "R9999999999"}),
    "an unknown record": ("DEC-RECORD", {"who": "hukou/zz"}),
    "an unknown element": ("REC-ELEMENT", {"element": "shoe_size"}),
    "no steward": ("DOOR-DENIED", {"by": "lin"}),
    "an operator is no steward": ("DOOR-DENIED", {"by": "operator"}),
    "an unknown account": ("DOOR-NO-ACCOUNT", {"by": "nobody"}),
}


def test_illegal_pins_are_refused_by_code_and_leave_nothing(on_both: Stewards) -> None:
    size = on_both.log.size()
    for wrong, (code, changes) in ILLEGAL.items():
        given = {"who": "hukou/a", "element": "phone", "value": "13900000009"} | changes
        with pytest.raises(TongchouError) as refused:
            on_both.pin(**given)
        assert refused.value.code == code, wrong
        assert "1990-02-30" not in str(refused.value) and SECOND not in str(refused.value)
    assert on_both.known() == [] and on_both.log.size() == size


def test_all_faults_are_told_at_once(stewards: Stewards) -> None:
    with pytest.raises(Refused) as refused:
        stewards.merge("hukou/a", "hukou/b", reason="", until=date(2020, 1, 1))
    assert refused.value.what.count(";") == 1


def test_one_resident_is_neither_merged_with_itself_nor_parted_from_itself(stewards: Stewards) -> None:
    resident = stewards.residents(1)["hukou/a"]
    for decide in (stewards.merge, stewards.apart):
        with pytest.raises(Refused, match="DEC-SIDES"):
            decide(resident, resident)


def test_a_revocation_is_made_once_by_a_steward_of_a_decision_that_is(stewards: Stewards) -> None:
    made = stewards.merge("hukou/a", "hukou/b")
    with pytest.raises(Denied):
        stewards.revoke(made.id, by="lin")
    with pytest.raises(Refused, match="DEC-TERMS"):
        stewards.revoke(made.id, reason="")
    with pytest.raises(NotFound, match="DEC-NONE"):
        stewards.revoke(99)
    done = stewards.revoke(made.id)
    assert (done.revoked_by, done.revoke_reason, done.state(NEXT)) == ("mei", "复核有误", State.REVOKED)
    with pytest.raises(Refused, match="DEC-STATE"):
        stewards.revoke(made.id)
    assert [(d.id, d.kind) for d in stewards.known()] == [(made.id, Kind.MERGE)], "revoked, not deleted"


def test_each_act_is_a_record_that_holds_nothing_personal(stewards: Stewards) -> None:
    merged = stewards.merge("hukou/a", "social/2")
    pinned = stewards.pin("hukou/a", "phone", "13900000009")
    stewards.revoke(merged.id)
    entries = [entry.record for entry in stewards.log.entries() if entry.record.event.area == "stewardship"]
    assert [entry.event for entry in entries] == [Event.DECISION_MADE, Event.DECISION_MADE, Event.DECISION_REVOKED]
    assert [entry.body["decision"] for entry in entries] == [merged.id, pinned.id, merged.id]
    assert all(entry.body["actor"] == "mei" and entry.body["why"] for entry in entries)
    told = str([entry.body for entry in entries])
    assert not any(value in told for value in ("13900000009", "hukou/a", "R0000000001", *filter(None, LI_ROW)))
    assert "13900000009" not in repr(pinned) and "李明" not in repr(merged)


def test_a_day_of_review_ends_nothing(stewards: Stewards) -> None:
    made = stewards.merge("hukou/a", "hukou/b", until=UNTIL)
    assert not made.review_due(NOW) and made.review_due(AFTER_EXPIRY)
    with stewards.store.session() as session:
        assert [d.id for d in decisions_at(session, AFTER_EXPIRY).standing] == [made.id]
    assert replace(made, until=None).review_due(AFTER_EXPIRY) is False


def moved(row: Row, **changes: str) -> Row:
    return tuple(changes.get(name, value) for name, value in zip(COLUMNS, row, strict=True))


def test_a_new_value_of_record_contradicts_a_pin_one_that_was_known_does_not(stewards: Stewards) -> None:
    named = stewards.pin("hukou/a", "name", "李铭")
    street = stewards.pin("hukou/b", "name", "王秀莹")
    assert stewards.alarms(NEXT) == []
    renamed, elsewhere = moved(LI_ROW, name="李明明"), moved(WANG_ROW, phone="13811111111")
    stewards.arrives("hukou", "police", [("a", renamed), ("b", elsewhere)])
    assert stewards.alarms() == [(named.id, "other_value", "hukou")], f"{street.id} overruled the name that is sent again"
    (reason,) = why(stewards.store, stewards.lake, stewards.residents(1)["hukou/a"], "name").reasons
    assert reason.value == "李铭", "an alarm changes nothing"


def test_a_verified_observation_contradicts_a_pin_whatever_was_known(stewards: Stewards) -> None:
    made = stewards.pin("hukou/a", "phone", "13900000009")
    stewards.arrives("social", "hrss", [("1", moved(LI_ROW, phone="13700000007")), ("2", OTHER_LI)])
    assert stewards.alarms() == [], "nobody's phone is of record"
    stewards.arrives("checks", "grid", [("d", LI_ROW)], verified=True)
    assert stewards.alarms() == [(made.id, "other_value", "checks")]


def test_a_second_number_of_record_contradicts_a_merge(stewards: Stewards) -> None:
    made = stewards.merge("hukou/a", "social/2")
    assert stewards.alarms(NEXT) == []
    stewards.arrives("hukou", "police", [("a", LI_ROW), ("b", WANG_ROW), ("c", (SECOND, *OTHER_LI[1:]))])
    stewards.arrives("social", "hrss", [("1", LI_ROW), ("2", (SECOND, *OTHER_LI[1:]))])
    assert (made.id, "two_numbers", "hukou") in stewards.alarms()


def test_a_record_that_changed_away_from_the_other_side_contradicts_a_merge(stewards: Stewards) -> None:
    namesake = moved(OTHER_LI, name="李明")
    stewards.bureau.accept("social", "hrss", [("1", LI_ROW), ("2", namesake)])
    stewards.reconcile()
    made = stewards.merge("hukou/a", "social/2")
    stewards.arrives("social", "hrss", [("1", LI_ROW), ("2", moved(namesake, phone="13911111111"))])
    assert stewards.alarms() == [], "another phone is no other person"
    stewards.arrives("social", "hrss", [("1", LI_ROW), ("2", OTHER_LI)])
    assert stewards.alarms() == [(made.id, "no_longer_alike", "social")]


def test_a_number_and_a_name_in_common_contradict_an_apart_if_they_are_new(stewards: Stewards) -> None:
    known = stewards.apart("hukou/a", "social/1")
    made = stewards.apart("hukou/b", "social/2")
    assert stewards.alarms(NEXT) == []
    stewards.arrives("social", "hrss", [("1", LI_ROW), ("2", WANG_ROW)])
    assert stewards.alarms() == [(made.id, "same_number_and_name", "social")], f"{known.id} was decided in full knowledge"
    assert stewards.residents(3)["hukou/b"] != stewards.residents(3)["social/2"]
