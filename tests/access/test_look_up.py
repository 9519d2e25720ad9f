"""Look-ups of one resident through the door, on both databases: decided, recorded twice, masked, the same alone and in groups."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
import sqlalchemy as sa

from access.accounts import Role, close_account, create_account
from access.counts import KEPT_DAYS, forget
from access.desk import TARGET_STANDS, Desk, Posed, Settled
from access.epochs import FIRST
from access.grants import change_state
from access.inquiries import ByName, Inquiry, LookUp, Told, person
from access.line import Line
from access.look_up import Wanted
from access.recording import Answer
from access.terms import Disputed, Grant, GrantState, Mode, Quota, RowScope
from audit.events import Event
from audit.integrator import Integrator
from audit.verify import verify
from catalog.schema import DatasetColumnRow, DoorCountRow
from catalog.snapshots import CHINA
from catalog.store import Store
from rules.errors import Denied, PlatformFault, Refused, TongchouError
from rules.tiers import Tier
from tests.access.conftest import (
    GRID,
    NOW,
    RESIDENTS,
    Platform,
    clients_of,
    in_order,
    read_parquet,
    serve_another,
    serve_part,
)

WANG, CHILD, NOBODY = "990605198001011234", "990605201505054567", "990605198001010000"
OTHER_AREA = "990605199003033456"


@pytest.fixture
def bureau(served: Platform) -> Platform:
    return served


def looked_up(bureau: Platform, **changes: Any) -> Grant:
    return bureau.grant(**{"mode": Mode.LOOKUP, **changes})


def told(answer: Answer) -> dict[str, Any]:
    assert isinstance(answer.value, Told)
    return dict(json.loads(answer.value.body))


def ask(number: str, grant: Grant, actor: str = "lin", case_number: str = "") -> Inquiry:
    matter = LookUp(person=person("id_number", number))
    return Inquiry(asker=ByName(account=actor), grant=grant.id, matter=matter, case_number=case_number)


def in_a_group(desk: Desk, inquiries: Sequence[Inquiry]) -> list[Answer | TongchouError]:
    """The results of one group, in the order of the questions."""
    settled, due = desk.turn([], [Posed(inquiry=one, ticket=place) for place, one in enumerate(inquiries)])
    results = {one.ticket: one.result for one in [*settled, *desk.turn(due, [])[0]]}
    return [results[place] for place in range(len(inquiries))]


def unmarked(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the columns in which an extract carries its copy's fingerprint; a look-up is no copy."""
    return {name: value for name, value in row.items() if name not in ("resident_id", "residence_address")}


def test_a_look_up_gives_what_an_extract_would_give(bureau: Platform, tmp_path: Any) -> None:
    extracted = bureau.grant()
    bureau.door.extract("lin", extracted.id, tmp_path / "out.parquet", "parquet")
    rows = in_order(bureau, extracted, read_parquet(tmp_path / "out.parquet"))
    for by, position in (("id_number", 0), ("resident_id", 0), ("resident_id", 3), ("id_number", 4)):
        key = RESIDENTS[by][position]
        answer = bureau.door.look_up("lin", looked_up(bureau).id, by, key or "")
        assert unmarked(told(answer)["values"]) == unmarked(rows[position])


@pytest.mark.parametrize("tier", [Tier.T3, Tier.T4])
def test_each_tier_masks_a_look_up_as_an_extract(bureau: Platform, tmp_path: Any, tier: Tier) -> None:
    bureau.door.extract("lin", bureau.grant(tier=tier).id, tmp_path / "out.parquet", "parquet")
    granted = looked_up(bureau, tier=tier)
    for row in read_parquet(tmp_path / "out.parquet"):
        assert unmarked(told(bureau.door.look_up("lin", granted.id, "resident_id", row["resident_id"]))["values"]) == unmarked(row)


def test_a_child_is_masked_by_the_day_on_which_it_is_looked_up(bureau: Platform) -> None:
    granted = looked_up(bureau, valid_to=NOW.date().replace(year=2030), columns=["name", "birth_date"])
    for day, shown in (("2029-05-04T12:00+08:00", None), ("2029-05-05T12:00+08:00", "2015")):
        bureau.clock.now = datetime.fromisoformat(day)
        assert told(bureau.door.look_up("lin", granted.id, "id_number", CHILD))["values"]["birth_date"] == shown


def test_who_is_outside_the_area_is_answered_like_nobody(bureau: Platform) -> None:
    granted = looked_up(bureau, row_scope=RowScope(areas=(GRID[:9],)), columns=["name"])
    inside, outside, nobody = (bureau.door.look_up("lin", granted.id, "id_number", number) for number in (WANG, OTHER_AREA, NOBODY))
    assert told(inside)["found"]
    assert told(outside) == told(nobody) == {"found": False, "values": None}
    assert (outside.rows, outside.residents, outside.digest) == (nobody.rows, nobody.residents, nobody.digest)
    outcomes = [entry.record.body["outcome"] for entry in bureau.log.entries() if entry.record.event is Event.LOOK_UP_RESULT]
    assert outcomes == ["found", "out_of_scope", "not_found"], "the log knows the difference, the asker does not"


def test_who_is_not_on_the_departments_list_of_clients_is_answered_like_nobody(bureau: Platform) -> None:
    granted = looked_up(bureau, row_scope=RowScope(clients=clients_of(bureau, WANG, OTHER_AREA)), columns=["name"])
    answers = [told(bureau.door.look_up("lin", granted.id, "id_number", number)) for number in (WANG, OTHER_AREA, CHILD, NOBODY)]
    assert [answer["found"] for answer in answers] == [True, True, False, False]
    assert answers[2] == answers[3]
    nobodys = told(bureau.door.look_up("lin", granted.id, "resident_id", RESIDENTS["resident_id"][3] or ""))
    assert not nobodys["found"], "whoever has no number stands on no list"


def test_a_filter_of_the_scope_sees_masked_values_only(bureau: Platform) -> None:
    granted = looked_up(bureau, row_scope=RowScope(equals={"sex": ("2",)}))
    found = [told(bureau.door.look_up("lin", granted.id, "id_number", number))["found"] for number in (OTHER_AREA, WANG, CHILD)]
    assert found == [True, False, False], "the girl's sex is masked: she is not found"


@pytest.mark.parametrize("disputed", list(Disputed))
def test_values_in_dispute_are_told_of_as_in_an_extract(bureau: Platform, tmp_path: Any, disputed: Disputed) -> None:
    granted = {"columns": ["name", "sex", "phone"], "disputed": disputed}
    serve_another(bureau, {}, disputed="phone")
    extracted = bureau.grant(**granted)
    bureau.door.extract("lin", extracted.id, tmp_path / "out.parquet", "parquet")
    answer = bureau.door.look_up("lin", looked_up(bureau, **granted).id, "id_number", WANG)
    assert told(answer)["values"] == in_order(bureau, extracted, read_parquet(tmp_path / "out.parquet"))[0]


def test_two_residents_of_one_number_are_not_told_apart(bureau: Platform) -> None:
    serve_another(bureau, {"id_number": [WANG, WANG, *RESIDENTS["id_number"][2:]]})
    answer = bureau.door.look_up("lin", looked_up(bureau).id, "id_number", WANG)
    assert told(answer) == {"found": False, "values": None}
    assert bureau.last().record.body["outcome"] == "several"


MERGED, OLD_NUMBER = "R0000000009", "990605197001011111"


@pytest.mark.parametrize(("by", "former"), [("resident_id", MERGED), ("id_number", OLD_NUMBER)])
def test_who_is_named_as_he_was_named_before_is_found_and_the_record_says_both(bureau: Platform, by: str, former: str) -> None:
    """M-04, D-07, D-10: an id that was merged away, a number that only old records hold."""
    serve_another(bureau, {}, merged=[(MERGED, "R0000000001")], numbers=[(OLD_NUMBER, "R0000000001")])
    granted = looked_up(bureau, tier=Tier.T4)
    answer = bureau.door.look_up("lin", granted.id, by, former)
    assert told(answer) == told(bureau.door.look_up("lin", granted.id, "id_number", WANG)), "the one who stands, as he stands"
    result = bureau.log.entry(answer.seq).record.body
    asked = bureau.log.subject("resident" if by == "resident_id" else by, former)
    assert bureau.log.entry(result["intent"]).record.body["subject"] == asked
    assert (result["former"], result["subjects"]) == ([{"by": by, "subject": asked}], [bureau.log.subject("resident", "R0000000001")])
    assert "former" not in bureau.last().record.body, "nor is it said where he is named as he is named now"


def test_a_former_number_names_nobody_where_two_had_it_or_somebody_has_it_now(bureau: Platform) -> None:
    held = [(OLD_NUMBER, "R0000000001"), (OLD_NUMBER, "R0000000002"), (CHILD, "R0000000001")]
    serve_another(bureau, {}, numbers=held)
    granted = looked_up(bureau, tier=Tier.T4)
    assert not told(bureau.door.look_up("lin", granted.id, "id_number", OLD_NUMBER))["found"]
    childs = bureau.door.look_up("lin", granted.id, "id_number", CHILD)
    assert bureau.log.entry(childs.seq).record.body["subjects"] == [bureau.log.subject("resident", "R0000000005")]


def test_a_former_id_outside_the_row_scope_is_answered_like_nobody(bureau: Platform) -> None:
    serve_another(bureau, {}, merged=[(MERGED, "R0000000003")])
    granted = looked_up(bureau, row_scope=RowScope(areas=(GRID[:9],)), columns=["name"])
    assert told(bureau.door.look_up("lin", granted.id, "resident_id", MERGED)) == {"found": False, "values": None}
    assert bureau.last().record.body["outcome"] == "out_of_scope"


def test_a_mended_copy_knows_new_former_names_and_forgets_those_that_were_taken_back(bureau: Platform) -> None:
    serve_another(bureau, {}, merged=[(MERGED, "R0000000001")], numbers=[(OLD_NUMBER, "R0000000001"), (NOBODY, "R0000000002")])
    granted = looked_up(bureau, tier=Tier.T4, columns=["resident_id"])
    serve_part(bureau, ["R0000000001", MERGED], merged=[], numbers=[("990605197001012222", "R0000000001")])
    asked = [("resident_id", MERGED), ("id_number", OLD_NUMBER), ("id_number", NOBODY), ("id_number", "990605197001012222")]
    found = [told(bureau.door.look_up("lin", granted.id, by, value))["values"] for by, value in asked]
    assert found == [None, None, {"resident_id": "R0000000002"}, {"resident_id": "R0000000001"}]


def test_a_record_says_from_which_golden_version_and_epoch_it_was_answered(bureau: Platform) -> None:
    granted, versions = looked_up(bureau), []
    for _ in range(2):
        answer = bureau.door.look_up("lin", granted.id, "id_number", WANG)
        intent = bureau.log.entry(bureau.log.entry(answer.seq).record.body["intent"]).record.body
        versions.append(intent["target_version"])
        assert (intent["target"], intent["epoch"], intent["digest_of_pseudonyms"]) == ("golden", FIRST.number, FIRST.digest)
        if len(versions) == 1:
            serve_another(bureau, {})
    assert versions == [1, 2]


def test_each_answer_has_its_two_records_and_they_name_nobody(bureau: Platform) -> None:
    answer = bureau.door.look_up("lin", looked_up(bureau).id, "id_number", WANG)
    result = bureau.log.entry(answer.seq).record
    intent = bureau.log.entry(result.body["intent"]).record
    assert (intent.event, result.event) == (Event.LOOK_UP_INTENT, Event.LOOK_UP_RESULT)
    assert intent.body["subject"] == bureau.log.subject("id_number", WANG)
    assert result.body["subjects"] == [bureau.log.subject("resident", "R0000000001")]
    assert (intent.body["actor"], intent.body["department"], intent.body["purpose"]) == ("lin", "civil_affairs", "低保资格核查")
    assert {"column": "name", "mask": "partial_name", "minor_mask": "suppress"} in result.body["columns"]
    assert isinstance(answer.value, Told)
    assert result.body["digest"] == answer.digest == sha256(answer.value.body).hexdigest()
    assert verify(bureau.log).ok
    assert not bureau.log.open_intents()
    kept = " ".join(repr(entry.record.body) for entry in bureau.log.entries())
    assert WANG not in kept and "R0000000001" not in kept
    assert WANG not in repr(answer.value) + repr(ask(WANG, looked_up(bureau)))


def suspended(bureau: Platform) -> Grant:
    granted = looked_up(bureau)
    change_state(bureau.store, bureau.log, by="operator", grant_id=granted.id, state=GrantState.SUSPENDED, why="核实")
    return granted


@pytest.mark.parametrize(
    ("granted", "actor", "case_number", "reason"),
    [
        (looked_up, "he", "", "no_grant"),
        (looked_up, "nobody", "", "no_grant"),
        (looked_up, "operator", "", "no_grant"),
        (suspended, "lin", "", "not_active"),
        (lambda b: b.grant(), "lin", "", "wrong_form"),
        (lambda b: b.grant(mode=Mode.VERIFY, tier=Tier.T1), "lin", "", "wrong_form"),
        (lambda b: looked_up(b, case_number="检 1 号"), "lin", "检 2 号", "wrong_case"),
        (lambda b: looked_up(b, target="hukou", columns=["record", "name"]), "lin", "", "not_served"),
    ],
)
def test_a_look_up_is_denied_and_recorded(
    bureau: Platform, granted: Callable[[Platform], Grant], actor: str, case_number: str, reason: str
) -> None:
    with pytest.raises(Denied) as denied:
        bureau.door.look_up(actor, granted(bureau).id, "id_number", WANG, case_number)
    assert denied.value.code == "DOOR-DENIED"
    assert bureau.last().record.event is Event.LOOK_UP_DENIED
    assert bureau.last().record.body["why"] == [reason]
    assert Event.LOOK_UP_INTENT.value not in bureau.events()


def test_anothers_grant_and_none_are_denied_alike(bureau: Platform) -> None:
    messages = []
    for grant_id in (looked_up(bureau).id, 999):
        with pytest.raises(Denied) as denied:
            bureau.door.look_up("he", grant_id, "id_number", WANG)
        messages.append(str(denied.value))
    assert messages[0] == messages[1]


def test_nothing_is_told_before_anything_is_served(platform: Platform) -> None:
    with pytest.raises(Denied):
        platform.door.look_up("lin", looked_up(platform).id, "id_number", WANG)
    assert platform.last().record.body["why"] == ["not_served"]


@pytest.mark.parametrize(("by", "value"), [("phone", "13800138001"), ("id_number", "123"), ("resident_id", "' OR 1"), ("by\n", "1")])
def test_what_names_nobody_is_refused_without_repeating_it(bureau: Platform, by: str, value: str) -> None:
    with pytest.raises(Refused) as refused:
        bureau.door.look_up("lin", looked_up(bureau).id, by, value)
    assert refused.value.code == "DOOR-ASKED"
    assert value not in str(refused.value) or value == "1"


def test_a_number_is_found_however_it_is_typed(bureau: Platform) -> None:
    granted = looked_up(bureau, columns=["name"])
    assert told(bureau.door.look_up("lin", granted.id, "id_number", " ９90605198001011234 "))["found"]


def test_the_quota_of_calls_a_day_counts_found_and_not_found_and_begins_anew_each_day(bureau: Platform) -> None:
    granted = looked_up(bureau, quotas={Quota.CALLS_PER_DAY: 3})
    for number in (WANG, NOBODY, WANG):
        bureau.door.look_up("lin", granted.id, "id_number", number)
    for number in (WANG, NOBODY):
        with pytest.raises(Denied) as denied:
            bureau.door.look_up("lin", granted.id, "id_number", number)
        assert denied.value.code == "DOOR-LIMIT"
    bureau.clock.now = datetime.fromisoformat("2026-11-24T00:00+08:00")
    assert told(bureau.door.look_up("lin", granted.id, "id_number", WANG))["found"]


def test_counts_that_no_limit_looks_at_any_more_are_forgotten(bureau: Platform) -> None:
    granted = looked_up(bureau, quotas={Quota.CALLS_PER_DAY: 1})
    bureau.door.look_up("lin", granted.id, "id_number", WANG)
    today = NOW.astimezone(CHINA).date()
    for days, left in ((KEPT_DAYS, 1), (KEPT_DAYS + 1, 0)):
        with bureau.store.session() as session, session.begin():
            forget(session, today + timedelta(days=days))
            assert len(session.scalars(sa.select(DoorCountRow)).all()) == left


def test_a_quota_holds_within_a_group_and_for_two_desks(bureau: Platform) -> None:
    granted = looked_up(bureau, quotas={Quota.CALLS_PER_DAY: 3})
    first, second = bureau.door.desk(), bureau.door.desk()
    results = [*in_a_group(first, [ask(WANG, granted)] * 2), *in_a_group(second, [ask(WANG, granted)] * 3)]
    assert [isinstance(result, Answer) for result in results] == [True, True, True, False, False]
    first.close()
    second.close()


def test_a_group_is_answered_as_each_would_be_alone(bureau: Platform) -> None:
    create_account(
        bureau.store, bureau.log, by="operator", name="zhou", title="周", department="health", roles=[Role.DEPARTMENT_HEAD], now=NOW
    )
    grants = [
        looked_up(bureau),
        looked_up(bureau, tier=Tier.T3),
        looked_up(bureau, grantee="health", columns=["resident_id", "name"]),
        looked_up(bureau, row_scope=RowScope(areas=(GRID,))),
    ]
    numbers = [number for number in RESIDENTS["id_number"] if number] + [NOBODY]
    actors = {"civil_affairs": "lin", "health": "zhou"}
    inquiries = [ask(number, grant, actors[grant.grantee]) for grant in grants for number in numbers]
    desk = bureau.door.desk()
    together = [told(result) for result in in_a_group(desk, inquiries) if isinstance(result, Answer)]
    alone = [told(desk.answer(one)) for one in inquiries]
    desk.close()
    assert together == alone
    assert len({json.dumps(one) for one in together}) > len(numbers)


def test_the_results_of_one_group_and_the_intents_of_the_next_share_a_commit(bureau: Platform) -> None:
    granted, desk = looked_up(bureau), bureau.door.desk()
    before = bureau.log.size()
    nothing, due = desk.turn([], [Posed(inquiry=ask(WANG, granted), ticket=1)])
    assert (nothing, bureau.log.size()) == ([], before + 1), "no answer without its RESULT"
    settled, due = desk.turn(due, [Posed(inquiry=ask(NOBODY, granted), ticket=2)])
    assert ([one.ticket for one in settled], bureau.log.size()) == ([1], before + 3)
    settled, due = desk.turn(due, [])
    assert ([one.ticket for one in settled], due) == ([2], [])
    assert not bureau.log.open_intents()
    desk.close()


def test_what_fails_in_a_group_fails_alone_and_closes_its_intent(bureau: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    granted, desk = looked_up(bureau), bureau.door.desk()
    from access.look_up import look_up

    def faulty(wanted: Sequence[Wanted], *rest: Any) -> list[Told]:
        if any(row["id_number"] == CHILD for one in wanted for row in one.rows):
            raise ValueError("a row with a value " + CHILD)
        return look_up(wanted, *rest)

    monkeypatch.setattr("access.desk.look_up", faulty)
    first, broken, last = in_a_group(desk, [ask(WANG, granted), ask(CHILD, granted), ask(NOBODY, granted)])
    assert isinstance(first, Answer) and isinstance(last, Answer)
    assert isinstance(broken, PlatformFault)
    assert CHILD not in str(broken)
    aborted = [entry.record.body for entry in bureau.log.entries() if entry.record.event is Event.LOOK_UP_ABORTED]
    assert [body["why"] for body in aborted] == ["DOOR-FAULT"]
    assert not bureau.log.open_intents()
    desk.close()


def test_no_answer_leaves_while_the_log_takes_no_record(bureau: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    from audit.errors import LogUnavailable

    granted, desk = looked_up(bureau), bureau.door.desk()
    _, due = desk.turn([], [Posed(inquiry=ask(WANG, granted), ticket=1)])

    def full(_: object) -> list[Any]:
        raise LogUnavailable("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(bureau.log, "append_all", full)
        settled, due = desk.turn(due, [Posed(inquiry=ask(WANG, granted), ticket=2)])
    assert [(one.ticket, getattr(one.result, "code", "")) for one in settled] == [(1, "AUD-UNAVAILABLE"), (2, "AUD-UNAVAILABLE")]
    assert due == []
    assert isinstance(desk.answer(ask(WANG, granted)), Answer)
    assert not bureau.log.open_intents(), "what could not be told is closed once the log takes records again"
    desk.close()


def test_a_record_that_the_log_refuses_fails_its_own_question_only(bureau: Platform) -> None:
    granted, desk = looked_up(bureau), bureau.door.desk()
    good, bad = in_a_group(desk, [ask(WANG, granted), ask(WANG, granted, case_number="查13800138000")])
    assert isinstance(good, Answer)
    assert isinstance(bad, Refused) and bad.code == "AUD-RECORD"
    desk.close()


def test_a_line_answers_what_many_threads_put_in_and_seals_behind_them(bureau: Platform) -> None:
    granted = looked_up(bureau)
    settled: list[Settled] = []
    integrator = Integrator(bureau.log, every_s=0.02)
    line = Line(bureau.door.desk(), integrator, settled.extend)
    people = [number for number in RESIDENTS["id_number"] if number]

    def put(thread: int) -> None:
        for place in range(10):
            line.put(Posed(inquiry=ask(people[(thread + place) % len(people)], granted), ticket=(thread, place)))

    threads = [threading.Thread(target=put, args=(thread,)) for thread in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    line.close()
    integrator.close()
    assert sorted(one.ticket for one in settled) == [(thread, place) for thread in range(6) for place in range(10)]
    assert all(isinstance(one.result, Answer) for one in settled)
    assert len({one.result.seq for one in settled if isinstance(one.result, Answer)}) == 60
    head = bureau.log.seal()
    assert head.size == bureau.log.size()
    assert verify(bureau.log).ok


def test_a_line_takes_nothing_while_the_log_cannot_be_sealed(bureau: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    from audit.errors import LogBroken

    def broken() -> None:
        raise LogBroken(0, "changed")

    granted = looked_up(bureau)
    monkeypatch.setattr(bureau.log, "seal", broken)
    integrator = Integrator(bureau.log, every_s=0.01)
    line = Line(bureau.door.desk(), integrator, lambda _: None)
    looked = time.monotonic()
    with pytest.raises(TongchouError) as fault:
        while time.monotonic() - looked < 30:
            line.put(Posed(inquiry=ask(WANG, granted)))
            time.sleep(0.005)
    assert fault.value.code == "AUD-BROKEN"
    line.close()
    integrator.close()


def test_a_newer_serving_copy_answers_from_the_next_question_on(bureau: Platform) -> None:
    desk, granted = bureau.door.desk(), looked_up(bureau, columns=["name"], tier=Tier.T4)
    assert told(desk.answer(ask(WANG, granted)))["values"] == {"name": "王小明"}
    serve_another(bureau, {"name": ["王大明", *RESIDENTS["name"][1:]]})
    assert told(desk.answer(ask(WANG, granted)))["values"] == {"name": "王大明"}
    assert bureau.last().record.event is Event.LOOK_UP_RESULT
    desk.close()


@contextmanager
def questions_to(store: Store) -> Iterator[list[str]]:
    """The statements that reach a store meanwhile."""
    heard: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    sa.event.listen(store.engine, "before_cursor_execute", hear)
    yield heard
    sa.event.remove(store.engine, "before_cursor_execute", hear)


def test_a_store_to_which_nothing_was_committed_is_not_asked_again(bureau: Platform) -> None:
    """On SQLite, which tells so; PostgreSQL does not, and is asked each time."""
    granted = looked_up(bureau, columns=["name"])
    with closing(bureau.door.desk()) as desk:
        in_a_group(desk, [ask(WANG, granted)])
        with questions_to(bureau.store) as heard:
            [answer] = in_a_group(desk, [ask(WANG, granted)])
    assert isinstance(answer, Answer)
    assert (heard == []) is bureau.store.is_sqlite


CHANGES: Mapping[str, Callable[[Platform, Grant], object]] = {
    "the grant is suspended": lambda bureau, granted: change_state(
        bureau.store, bureau.log, by="operator", grant_id=granted.id, state=GrantState.SUSPENDED, why="核查"
    ),
    "the account is closed": lambda bureau, granted: close_account(bureau.store, bureau.log, by="operator", account="lin", why="离职"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_committed_holds_from_the_next_group_on(bureau: Platform, change: str) -> None:
    granted = looked_up(bureau, columns=["name"])
    with closing(bureau.door.desk()) as desk:
        assert all(isinstance(answer, Answer) for _ in range(2) for answer in in_a_group(desk, [ask(WANG, granted)]))
        CHANGES[change](bureau, granted)
        for _ in range(2):
            [denied] = in_a_group(desk, [ask(WANG, granted)])
            assert isinstance(denied, Denied)


def test_a_level_that_was_changed_is_read_within_a_second_though_nothing_follows_it(bureau: Platform) -> None:
    """The change comes within the second in which levels are not read again; the store is silent from then on."""
    granted = looked_up(bureau, columns=["name"])
    with closing(bureau.door.desk()) as desk:
        in_a_group(desk, [ask(WANG, granted)])
        with bureau.store.session() as session, session.begin():
            for column in session.scalars(sa.select(DatasetColumnRow).filter_by(dataset_key="hukou", name="name")):
                column.level = "L4"
        [before] = in_a_group(desk, [ask(WANG, granted)])
        bureau.clock.now += TARGET_STANDS
        [after] = in_a_group(desk, [ask(WANG, granted)])
    assert isinstance(before, Answer) and isinstance(after, Answer)
    assert [told(answer)["values"]["name"] for answer in (before, after)] == ["王**", None]
