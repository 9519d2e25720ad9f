"""The door end to end, on both databases: what is asked for, decided, recorded, masked, handed over."""

import csv
import inspect
import json
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import python_calamine
import sqlalchemy as sa

from access.accounts import Role, create_account
from access.door import Door
from access.files import write
from access.grants import change_state
from access.linkage import approve_linkage
from access.loading import Destination, destination
from access.recording import Answer
from access.terms import GrantState, Mode
from audit.errors import LogBroken
from audit.log import Sealed
from audit.merkle import root_from_inclusion
from audit.notes import read_checkpoint
from audit.verify import verify
from catalog.schema import AccountRow, DoorCheckRow, ReceiptRow, TicketItemRow, TicketRow
from golden.explain import Explanation
from golden.reliability_table import ReliabilityTable
from rules.authority import load_survivorship
from rules.errors import Denied, NotFound, PlatformFault, Refused
from rules.tiers import Tier
from tests.access.conftest import GRID, NOW, RESIDENTS, Platform, in_order, read_parquet

EXPORT = "统筹局全量导出"


def test_a_masked_extract_holds_only_masked_values(platform: Platform, tmp_path: Path) -> None:
    granted = platform.grant()
    answer = platform.door.extract("lin", granted.id, tmp_path / "out.parquet", "parquet")
    first, second, third, nobody_knows, child, _ = in_order(platform, granted, read_parquet(tmp_path / "out.parquet"))
    assert (answer.rows, answer.residents) == (6, 6)
    assert first.pop("residence_address") in {"广东省佛山市南海区桂城街道", "佛山市南海区桂城街道"}, "the copy's mark"
    assert first | {"resident_id": ""} == {
        "resident_id": "",
        "name": "王**",
        "id_number": "9****************4",
        "sex": "1",
        "birth_date": "1980",
        "phone": "138****8001",
        "grid_code": GRID[:12],
        "marital_status": None,
        "religion": None,
    }
    assert second["name"] == "欧阳**"
    assert third["name"] == "阿***"
    assert first["resident_id"] != RESIDENTS["resident_id"][0]
    for hidden in (child, nobody_knows):
        assert {value for column, value in hidden.items() if column != "resident_id"} == {None}, (
            "children are masked, and whoever may be one"
        )


def test_a_child_leaves_the_class_on_the_fourteenth_birthday(platform: Platform, tmp_path: Path) -> None:
    granted = platform.grant(valid_to=NOW.date().replace(year=2030))
    for day, shown in (
        (datetime.fromisoformat("2029-05-04T12:00+08:00"), None),
        (datetime.fromisoformat("2029-05-05T12:00+08:00"), "2015"),
    ):
        platform.clock.now = day
        platform.door.extract("lin", granted.id, tmp_path / "out.parquet", "parquet")
        assert in_order(platform, granted, read_parquet(tmp_path / "out.parquet"))[4]["birth_date"] == shown


def test_scoped_plaintext_shows_all_but_what_is_sensitive(platform: Platform, tmp_path: Path) -> None:
    granted = platform.grant(tier=Tier.T3)
    platform.door.extract("lin", granted.id, tmp_path / "out.parquet", "parquet")
    rows = read_parquet(tmp_path / "out.parquet")
    assert (rows[0]["name"], rows[0]["id_number"], rows[0]["religion"]) == ("王小明", "990605198001011234", None)
    assert (rows[4]["name"], rows[4]["phone"], rows[4]["sex"]) == ("王*", "136****6005", None)


def test_a_full_record_shows_everything(platform: Platform, tmp_path: Path) -> None:
    platform.door.extract("lin", platform.grant(tier=Tier.T4).id, tmp_path / "out.parquet", "parquet")
    assert read_parquet(tmp_path / "out.parquet")[0] == {column: values[0] for column, values in RESIDENTS.items()}


def test_two_recipients_get_pseudonyms_that_cannot_be_joined(platform: Platform, tmp_path: Path) -> None:
    seen = []
    for actor, grantee in (("lin", "civil_affairs"), ("he", "health"), ("lin", "civil_affairs")):
        granted = platform.grant(grantee=grantee, columns=["resident_id"])
        platform.door.extract(actor, granted.id, tmp_path / "out.parquet", "parquet")
        seen.append([row["resident_id"] for row in in_order(platform, granted, read_parquet(tmp_path / "out.parquet"))])
    assert seen[0] == seen[2]
    assert not set(seen[0]) & set(seen[1])


def test_the_order_of_rows_joins_no_two_extracts(platform: Platform, tmp_path: Path) -> None:
    """I-04, L-24: neither of two recipients, nor of two grants of one; the same grant gives the same file again."""
    orders = []
    for actor, grantee in [("lin", "civil_affairs"), ("he", "health")] * 4:
        granted = platform.grant(grantee=grantee, columns=["phone"], tier=Tier.T4)
        digests = {platform.door.extract(actor, granted.id, tmp_path / "out.parquet", "parquet").digest for _ in range(2)}
        assert len(digests) == 1
        orders.append(tuple(row["phone"] for row in read_parquet(tmp_path / "out.parquet")))
    assert len(set(orders)) > 5


def test_the_row_scope_is_an_area(platform: Platform, tmp_path: Path) -> None:
    answer = platform.door.extract("lin", platform.scoped(GRID[:9]).id, tmp_path / "out.parquet", "parquet")
    assert (answer.rows, answer.residents) == (3, 3)


def test_a_filter_sees_only_what_the_mask_lets_through(platform: Platform, tmp_path: Path) -> None:
    platform.door.extract("lin", platform.scoped(sex=("2",)).id, tmp_path / "out.parquet", "parquet")
    assert {row["name"] for row in read_parquet(tmp_path / "out.parquet")} == {"欧阳**", "阿***"}, (
        "the girl's sex is masked: she is not found"
    )


def test_a_data_set_of_persons_takes_ages_and_residents_from_the_golden_record(platform: Platform, tmp_path: Path) -> None:
    granted = platform.grant(target="hukou", columns=["record", "name", "phone"], tier=Tier.T2)
    answer = platform.door.extract("lin", granted.id, tmp_path / "out.parquet", "parquet")
    assert sorted(str(row["name"]) for row in read_parquet(tmp_path / "out.parquet")) == ["None", "None", "王**"]
    assert (answer.rows, answer.residents) == (3, 3)
    assert platform.last().record.body["target"] == "hukou"


def test_a_table_that_is_not_about_persons_is_handed_over_in_the_same_way(platform: Platform, tmp_path: Path) -> None:
    granted = platform.grant(target="enterprises", columns=["record", "scale"])
    platform.door.extract("lin", granted.id, tmp_path / "out.csv", "csv")
    assert (tmp_path / "out.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [["record", "scale"], ["e1", "-12.5"], ["e2", "'@SUM(1)"]]


@pytest.mark.parametrize("tier", [Tier.T3, Tier.T4])
def test_a_name_that_looks_like_a_formula_runs_in_no_spreadsheet(platform: Platform, tmp_path: Path, tier: Tier) -> None:
    granted = platform.grant(columns=["name", "birth_date"], tier=tier)
    platform.door.extract("lin", granted.id, tmp_path / "out.csv", "csv")
    assert "'=陈诗" in (tmp_path / "out.csv").read_text(encoding="utf-8")
    platform.door.extract("lin", granted.id, tmp_path / "out.xlsx", "xlsx")
    rows = python_calamine.load_workbook(tmp_path / "out.xlsx").get_sheet_by_index(0).to_python()
    assert "=陈诗" in {row[0] for row in rows}, "in XLSX it is a text cell"


def test_the_receipt_says_what_was_handed_over_and_proves_its_record(platform: Platform, tmp_path: Path) -> None:
    granted = platform.grant()
    answer = platform.door.extract("lin", granted.id, tmp_path / "out.csv", "csv")
    receipt = json.loads((tmp_path / "out.csv.receipt.json").read_text(encoding="utf-8"))
    assert receipt["sha256"] == answer.digest == sha256((tmp_path / "out.csv").read_bytes()).hexdigest()
    assert (receipt["rows"], receipt["residents"], receipt["grant"]["purpose"]) == (6, 6, "低保资格核查")
    assert {"name": "name", "mask": "partial_name", "minor_mask": "suppress"} in receipt["columns"]
    audit = receipt["audit"]
    head = read_checkpoint(audit["checkpoint"], platform.log.keys.verifier)
    path = [b64decode(node) for node in audit["inclusion_proof"]]
    assert root_from_inclusion(audit["index"], head.size, b64decode(audit["leaf_hash"]), path) == head.root
    with platform.store.session() as session:
        row = session.scalars(sa.select(ReceiptRow)).one()
    assert (row.id, row.grant_id, row.audit_seq, row.rows) == (receipt["number"], granted.id, answer.seq, 6)


def test_the_full_export_has_every_resident_unmasked_as_text(platform: Platform, tmp_path: Path) -> None:
    answer = platform.door.export_golden("operator", EXPORT, tmp_path / "golden.parquet")
    table = pq.read_table(tmp_path / "golden.parquet")
    assert table.to_pydict() == RESIDENTS
    assert {str(kind) for kind in table.schema.types} == {"string"}
    assert answer.residents == 6
    assert not (tmp_path / "golden.parquet.receipt.json").exists()


def test_labels_stand_beside_the_codes(platform: Platform, tmp_path: Path) -> None:
    platform.door.export_golden("operator", EXPORT, tmp_path / "golden.parquet", labels=True)
    rows = read_parquet(tmp_path / "golden.parquet")
    assert (rows[0]["sex"], rows[0]["sex_label"]) == ("1", "男性")
    assert [name for name in rows[0] if name.endswith("_label")] == ["sex_label", "marital_status_label", "religion_label"]


def test_the_crosswalk_has_each_record_once(platform: Platform, tmp_path: Path) -> None:
    answer = platform.door.export_crosswalk("operator", EXPORT, tmp_path / "crosswalk.parquet")
    rows = [tuple(row.values()) for row in read_parquet(tmp_path / "crosswalk.parquet")]
    assert rows == [("hukou", "h1", "R0000000001"), ("hukou", "h2", "R0000000005"), ("shebao", "s1", "R0000000001")]
    assert (answer.rows, answer.residents) == (3, 2)


def test_the_crosswalk_of_enterprises_tells_of_no_resident(platform: Platform, tmp_path: Path) -> None:
    answer = platform.door.export_enterprise_crosswalk("operator", EXPORT, tmp_path / "crosswalk.parquet")
    rows = [tuple(row.values()) for row in read_parquet(tmp_path / "crosswalk.parquet")]
    assert rows == [("register", "b1", "E0000000001"), ("tax", "t1", "E0000000001")]
    assert (answer.rows, answer.residents) == (2, 0)
    assert platform.last().record.body["target"] == "golden:enterprises"


def test_the_table_of_reliabilities_has_the_best_source_first_and_tells_of_no_resident(platform: Platform, tmp_path: Path) -> None:
    answer = platform.door.reliability("operator", "了解数据质量", "name")
    assert isinstance(answer.value, ReliabilityTable)
    (found,) = answer.value.elements
    assert [(s.dataset, s.p, s.copies_from, len(s.by_age)) for s in found.sources] == [
        ("shebao", 0.99, "hukou", 0),
        ("hukou", 0.97, None, 1),
    ]
    assert (answer.rows, answer.residents, answer.value.learnt_version) == (2, 0, 1)
    exported = platform.door.export_reliability("operator", EXPORT, tmp_path / "out.parquet")
    assert (exported.rows, exported.residents) == (4, 0)
    assert read_parquet(tmp_path / "out.parquet")[0]["dataset"] == "hukou"


def test_an_explanation_is_recorded_by_the_residents_keyed_hash(platform: Platform) -> None:
    answer = platform.door.why("operator", "复核存疑", "R0000000001", "name")
    intent = list(platform.log.entries())[-2].record
    assert intent.body["subject"] == platform.log.subject("resident", "R0000000001")
    assert isinstance(answer.value, Explanation)
    assert [reason.value for reason in answer.value.reasons] == ["王小明"]


def test_who_asks_about_a_resident_that_is_not_there_is_recorded_too(platform: Platform) -> None:
    with pytest.raises(NotFound):
        platform.door.why("operator", "复核存疑", "R9999999999")
    assert platform.last().record.event.value == "access:why:aborted"
    assert platform.last().record.body["why"] == "REC-RESIDENT"


Ask = Callable[[Platform, Path, str], Answer]
ASKS: dict[str, Ask] = {
    "extract": lambda p, out, actor: p.door.extract(actor, p.grant().id, out, "parquet"),
    "load": lambda p, out, actor: p.door.load(actor, p.grant(mode=Mode.TABLE).id, a_database(out), out),
    "trace": lambda p, out, actor: p.door.trace(actor, EXPORT, leaked(p, out)),
    "statistics": lambda p, out, actor: p.door.statistics(actor, p.grant(tier=Tier.T0, columns=["sex"]).id, ["sex"]),
    "export_golden": lambda p, out, actor: p.door.export_golden(actor, EXPORT, out),
    "export_crosswalk": lambda p, out, actor: p.door.export_crosswalk(actor, EXPORT, out),
    "export_enterprise_crosswalk": lambda p, out, actor: p.door.export_enterprise_crosswalk(actor, EXPORT, out),
    "export_reliability": lambda p, out, actor: p.door.export_reliability(actor, EXPORT, out),
    "reliability": lambda p, out, actor: p.door.reliability(actor, EXPORT, "name"),
    "review": lambda p, out, actor: p.door.review(actor, EXPORT, 10),
    "impact": lambda p, out, actor: p.door.impact(actor, p.grant(), None),
    "ticket_items": lambda p, out, actor: p.door.ticket_items(actor, EXPORT, a_ticket(p), limit=10),
    "door_form": lambda p, out, actor: p.door.door_form(actor, EXPORT, a_door_check(p)),
    "simulate": lambda p, out, actor: p.door.simulate(actor, EXPORT, load_survivorship()),
    "why": lambda p, out, actor: p.door.why(actor, EXPORT, "R0000000001"),
    "reverse": lambda p, out, actor: p.door.reverse(actor, EXPORT, p.grant().id, "resident_id", ["0" * 24]),
    "link": lambda p, out, actor: p.door.link(actor, a_linkage(p), out, "parquet"),
}
NOT_ANSWERS = {"before", "close", "desk"}
ABOUT_ONE = {"look_up", "verify", "kinship", "case_look_up"}
"""Asked by departments, not the operator: walked in test_look_up.py, test_verification.py, test_case_look_up.py, test_every_way.py."""

AUDITORS = {"replay"}
"""Walked in tests/oversight/test_replay.py: what the accounts here are denied is theirs, and the other way round."""


def a_linkage(platform: Platform) -> int:
    """A ticket for two grants that hand out pseudonyms, approved by somebody else than who carries it out."""
    with platform.store.session() as session:
        known = session.get(AccountRow, "song")
    if known is None:
        roles = [Role.BUREAU_APPROVER]
        create_account(platform.store, platform.log, by="operator", name="song", title="x", department=None, roles=roles, now=NOW)
    first, second = (platform.grant(columns=["resident_id"], grantee=grantee).id for grantee in ("civil_affairs", "health"))
    terms = {"legal_basis": "《中华人民共和国社会救助法》第十一条", "case_number": "2026-17", "reason": EXPORT}
    return approve_linkage(platform.store, platform.log, by="song", grants=(first, second), valid_to=NOW.date(), now=NOW, **terms).id


def a_database(out: Path) -> Destination:
    return destination("${URL}", "people", {"URL": f"sqlite:///{out.with_name('department.db')}"})


def leaked(platform: Platform, out: Path) -> Path:
    """A file that somebody found."""
    place = out.with_name("leaked.csv")
    place.write_text("姓名,性别\n王**,1\n", encoding="utf-8")
    return place


def a_ticket(platform: Platform) -> int:
    """A ticket with the police, about the record h1."""
    counts = dict.fromkeys(("items", "items_open", "items_awaiting", "items_contested", "items_at_door", "reroutes", "reopened"), 1)
    texts = {
        "topic": "",
        "about": "",
        "description": "",
        "verdict": "",
        "kind": "correction",
        "origin": "reconciliation",
        "state": "raised",
    }
    days = {"received_on": NOW.date(), "yellow_on": NOW.date(), "due_on": NOW.date(), "limit_days": 10, "provisional": False}
    facts = {"department_key": "police", "element": "name", "round": 1, "standing": True, "version": 1, "created_at": NOW}
    item = {"kind": "deviates", "resident_id": "R0000000001", "dataset_key": "hukou", "record": "h1", "element": "name", "state": "open"}
    with platform.store.session() as session, session.begin():
        ticket = TicketRow(**counts, **texts, **days, **facts)
        session.add(ticket)
        session.flush()
        standing = session.scalar(sa.select(TicketItemRow))
        if standing is None:
            session.add(TicketItemRow(ticket_id=ticket.id, decided=False, opened_version=1, **item))
        else:
            standing.ticket_id = ticket.id
        return ticket.id


def a_door_check(platform: Platform) -> int:
    """A check of the first resident's phone at the door; the worker is `lin`."""
    with platform.store.session() as session, session.begin():
        check = DoorCheckRow(
            resident_id="R0000000001", elements=["phone"], grid_code="440605011001001", worker="lin", assessor="operator",
            state="dispatched", evidence="", due_on=NOW.date(), created_by="operator", created_at=NOW,
        )  # fmt: skip
        session.add(check)
        session.flush()
        return check.id


def test_a_department_sees_its_own_values_in_question_and_a_worker_only_his_form(platform: Platform) -> None:
    people = [("wu", "police", Role.DEPARTMENT_HEAD), ("gao", "grid", Role.GRID_WORKER)]
    for name, department, role in people:
        create_account(platform.store, platform.log, by="operator", name=name, title=name, department=department, roles=[role], now=NOW)
    views: Any = platform.door.ticket_items("wu", EXPORT, a_ticket(platform), limit=10).value
    (view,) = views
    assert (view.record, view.value, view.withheld) == ("h1", "王小明", False)
    assert "王小明" not in repr(view)
    check = a_door_check(platform)
    with pytest.raises(Denied):
        platform.door.door_form("gao", EXPORT, check)
    with platform.store.session() as session, session.begin():
        session.get_one(DoorCheckRow, check).worker = "gao"
    form: Any = platform.door.door_form("gao", EXPORT, check).value
    assert form.asked[0].prefilled == "13800138001"
    assert "13800138001" not in repr(form)


def test_every_way_through_the_door_is_walked_here() -> None:
    public = {name for name, _ in inspect.getmembers(Door, inspect.isfunction) if not name.startswith("_")}
    assert public - NOT_ANSWERS - ABOUT_ONE - AUDITORS == set(ASKS), "a new method of the door needs its row in ASKS"


@pytest.mark.parametrize("name", ASKS)
def test_every_answer_stands_between_its_two_records(
    platform: Platform, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import golden.explain

    monkeypatch.setattr(golden.explain, "why", lambda *_: Sealed(seq=1, leaf_hash=b""))
    answer = ASKS[name](platform, tmp_path / "out", "operator")
    intent, result = list(platform.log.entries())[-2:]
    assert isinstance(answer, Answer)
    assert (intent.record.event.action, result.record.event.action) == ("intent", "result")
    assert (result.record.body["intent"], answer.seq, answer.digest) == (intent.seq, result.seq, result.record.body["digest"])
    assert intent.record.body["actor"] == "operator"
    assert intent.record.body["purpose"]
    assert platform.log.open_intents() == []
    assert platform.log.witness.head().size == result.seq + 1  # type: ignore[union-attr]
    assert verify(platform.log).ok


@pytest.mark.parametrize("name", ASKS)
@pytest.mark.parametrize("actor", ["auditor", "he", "nobody"])
def test_every_denial_is_recorded_and_nothing_is_handed_over(platform: Platform, tmp_path: Path, name: str, actor: str) -> None:
    with pytest.raises(Denied) as denied:
        ASKS[name](platform, tmp_path / "out", actor)
    assert denied.value.exit_code == 3
    assert platform.last().record.event.action == "denied"
    assert not (tmp_path / "out").exists()


def test_an_answer_without_its_record_can_not_be_made(platform: Platform) -> None:
    not_a_result = platform.log.size() - 1
    with pytest.raises(LogBroken, match="RESULT"):
        Answer(platform.log, Sealed(seq=not_a_result, leaf_hash=b""))


@pytest.mark.parametrize("name", ["extract", "export_golden", "export_crosswalk"])
def test_no_file_appears_if_its_record_can_not_be_written(
    platform: Platform, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log's table is taken away once the intent stands: the result has nowhere to go."""
    import access.delivery

    def write_and_lose_the_log(*arguments: Any) -> int:
        rows = write(*arguments)
        with platform.log.storage.transaction() as db:
            db.run("ALTER TABLE entry RENAME TO away")
        return rows

    monkeypatch.setattr(access.delivery, "write", write_and_lose_the_log)
    with pytest.raises(PlatformFault, match="AUD-UNAVAILABLE"):
        ASKS[name](platform, tmp_path / "out", "operator")
    with platform.log.storage.transaction() as db:
        db.run("ALTER TABLE away RENAME TO entry")
    assert not (tmp_path / "out").exists()
    assert [intent.event.action for intent in platform.log.open_intents()] == ["intent"]
    assert not [path for path in (platform.home.exports / ".staging").rglob("*") if path.is_file() and path.name != "lock"]


def test_a_grant_suspended_while_the_extract_runs_stops_it(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import access.delivery

    granted = platform.grant()

    def suspended_on_the_way(*arguments: Any) -> int:
        rows = write(*arguments)
        change_state(platform.store, platform.log, by="operator", grant_id=granted.id, state=GrantState.SUSPENDED, why="违规")
        return rows

    monkeypatch.setattr(access.delivery, "write", suspended_on_the_way)
    with pytest.raises(Denied, match="DOOR-STOPPED"):
        platform.door.extract("lin", granted.id, tmp_path / "out.csv", "csv")
    assert platform.last().record.event.value == "access:extract:aborted"
    assert platform.last().record.body["why"] == "DOOR-STOPPED"
    assert not (tmp_path / "out.csv").exists()


def test_a_foreign_grant_and_none_at_all_are_told_apart_by_nobody(platform: Platform, tmp_path: Path) -> None:
    told = []
    for grant_id in (platform.grant().id, 999):
        with pytest.raises(Denied) as denied:
            platform.door.extract("he", grant_id, tmp_path / "out.csv", "csv")
        told.append(denied.value.message())
    assert told[0] == told[1]


def test_an_extract_overwrites_and_makes_its_folder(platform: Platform, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder" / "out.csv"
    platform.door.extract("lin", platform.grant().id, out, "csv")
    out.write_text("older")
    platform.door.extract("lin", platform.grant(columns=["sex"]).id, out, "csv")
    assert out.read_text(encoding="utf-8-sig").startswith('"sex"')
    assert out.stat().st_mode & 0o777 == 0o600


def test_what_can_not_be_written_is_refused_before_anything_is_read(platform: Platform, tmp_path: Path) -> None:
    before = platform.log.size()
    (tmp_path / "file").touch()
    for out, file_format, code in (
        (tmp_path, "csv", "DOOR-OUT"),
        (tmp_path / "file" / "out", "csv", "DOOR-OUT"),
        (tmp_path / "o", "pdf", "DOOR-FORMAT"),
    ):
        with pytest.raises(Refused, match=code):
            platform.door.extract("lin", 1, out, file_format)
    assert platform.log.size() == before


def test_a_number_of_a_person_in_the_purpose_reaches_no_record(platform: Platform, tmp_path: Path) -> None:
    with pytest.raises(Denied, match="number"):
        platform.door.export_golden("operator", "查 990605198001011234", tmp_path / "out.parquet")
    assert platform.last().record.body["purpose"] == ""


@pytest.mark.parametrize("shift", [timedelta(days=-400), timedelta(days=400)])
def test_outside_its_days_a_grant_gives_nothing(platform: Platform, tmp_path: Path, shift: timedelta) -> None:
    granted = platform.grant()
    platform.clock.now = NOW + shift
    with pytest.raises(Denied):
        platform.door.extract("lin", granted.id, tmp_path / "out.csv", "csv")


def test_an_xlsx_file_has_its_limit(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("access.files.MAX_XLSX_ROWS", 5)
    with pytest.raises(Refused, match="DOOR-XLSX-ROWS"):
        platform.door.extract("lin", platform.grant().id, tmp_path / "out.xlsx", "xlsx")
    assert platform.last().record.event.action == "aborted"
    assert not (tmp_path / "out.xlsx").exists()


def test_no_record_of_the_log_holds_a_value_of_a_resident(platform: Platform, tmp_path: Path) -> None:
    for name in ("extract", "export_golden", "export_crosswalk"):
        ASKS[name](platform, tmp_path / "out", "operator")
    text = "".join(str(entry.record.body) for entry in platform.log.entries())
    personal = [
        value for column in ("resident_id", "name", "id_number", "phone", "residence_address") for value in RESIDENTS[column] if value
    ]
    assert [value for value in personal if value in text] == []
