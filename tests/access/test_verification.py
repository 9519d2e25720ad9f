"""Verification and kinship: against naive references on made-up residents, and through the door."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from access.desk import QUESTIONS_A_DAY_ABOUT_SUBJECT
from access.inquiries import CHILD_SLOTS, Kinship, Named, Person, Told, Verification, named, verification
from access.recording import Answer
from access.residents import Row
from access.terms import Grant, Mode, Quota, RowScope
from access.verification import HOUSEHOLD, RELATION, kinship, verify
from audit.events import Event
from audit.verify import verify as verify_log
from rules.errors import Denied, Refused
from rules.tiers import Tier
from tests.access.conftest import GRID, Platform, serve_another

WANG, OUYANG, NOBODY, OTHER_AREA = "990605198001011234", "990605197502022345", "990605198001010000", "990605199003033456"
COLUMNS = ("name", "sex", "phone")
VALUES = st.sampled_from(["a", "b"])
HELD = st.none() | VALUES
ROWS = st.fixed_dictionaries({**dict.fromkeys(COLUMNS, HELD), "disputed": st.sampled_from([None, "phone", "name sex"])})


def verdict(told: Told) -> str:
    return str(json.loads(told.body)["verdict"])


def numbered(rows: Sequence[Row]) -> list[Row]:
    return [{**row, "resident_id": f"R{place}"} for place, row in enumerate(rows)]


def naive_verdict(attributes: dict[str, str], rows: Sequence[Row]) -> str:
    """Said person by person and value by value."""
    answers = []
    for row in rows:
        differs = unknown = False
        for column, value in attributes.items():
            if row[column] is None or (row[column] != value and column in (row["disputed"] or "").split()):
                unknown = True
            elif row[column] != value:
                differs = True
        answers.append("no" if differs else "not_known" if unknown else "yes")
    if "yes" in answers:
        return "yes"
    return "no" if answers and set(answers) == {"no"} else "not_known"


@given(st.dictionaries(st.sampled_from(COLUMNS), VALUES, min_size=2), st.lists(ROWS, max_size=2))
def test_a_verification_agrees_with_the_naive_reference(attributes: dict[str, str], rows: list[Row]) -> None:
    matter = Verification(person=Person(by="id_number", value=WANG), attributes=tuple(attributes.items()))
    assert verdict(verify(matter, numbered(rows))) == naive_verdict(attributes, rows)


@given(st.dictionaries(st.sampled_from(COLUMNS), VALUES, min_size=2), ROWS)
def test_a_no_never_says_which_differs(attributes: dict[str, str], row: Row) -> None:
    """Whichever of the attributes is made the one that differs, the answer is the same to the byte."""
    plain = {**row, "resident_id": "R1", "disputed": None, **attributes}
    person = Person(by="id_number", value=WANG)
    told = {
        verify(Verification(person=person, attributes=tuple({**attributes, column: "z"}.items())), [plain]).body for column in attributes
    }
    assert told == {b'{"verdict":"no"}'}


RELATIONS = ["01", "0", "12", "22", "33", "27", "28", "29", "2", "51", "52", "53", "57", "5", None]
NUMBERS = st.sampled_from(["A", "B", "C", None])
PEOPLE = st.fixed_dictionaries(
    {
        "id_number": NUMBERS,
        "name": st.just("甲"),
        "sex": st.sampled_from(["1", "2", None]),
        CHILD_SLOTS[0]: NUMBERS,
        CHILD_SLOTS[1]: NUMBERS,
        HOUSEHOLD: st.sampled_from(["H1", "H1", "H2", None]),
        RELATION: st.sampled_from(RELATIONS),
        "disputed": st.sampled_from(
            [None, None, "father_id_number", "mother_id_number", "id_number", "relation_to_head", "household_number"]
        ),
    }
)


def naive_kinship(parent: Row, child: Row, household_granted: bool) -> str:
    number, disputed = parent["id_number"], set(f"{parent['disputed']} {child['disputed']}".split())
    father, mother = child["father_id_number"], child["mother_id_number"]
    slots = {"1": [("father_id_number", father)], "2": [("mother_id_number", mother)]}.get(
        parent["sex"] or "", [("father_id_number", father), ("mother_id_number", mother)]
    )
    stated = "not_known"
    if number is not None and any(value == number for _, value in slots):
        stated = "yes"
    elif number is not None and number not in (father, mother):
        in_doubt = parent["disputed"] == "id_number" or any(child["disputed"] == name for name, _ in slots)
        if all(value is not None for _, value in slots) and not in_doubt:
            stated = "no"
    household = "not_known"
    if household_granted and not disputed & {"relation_to_head", "household_number"}:
        pair = (parent["relation_to_head"], child["relation_to_head"])
        together = parent["household_number"] is not None and parent["household_number"] == child["household_number"]
        if together and pair in {*itertools.product(("0", "01"), ("22", "33")), *itertools.product(("51", "52"), ("0", "01"))}:
            household = "yes"
    if (stated, household) == ("no", "yes"):
        return "not_known"
    return household if stated == "not_known" else stated


SON: dict[str, Any] = {"id_number": "B", "name": "甲", "sex": "1", "father_id_number": "A", "mother_id_number": "C", "disputed": None}
SON |= {HOUSEHOLD: "H1", RELATION: "22"}
FATHER = {**SON, "id_number": "A", "father_id_number": None, "mother_id_number": None, RELATION: "01"}


@given(PEOPLE, PEOPLE, st.booleans())
@example(FATHER, SON, True)
@example({**FATHER, "id_number": "C"}, {**SON, "father_id_number": None}, True)
@example({**FATHER, "id_number": "D"}, SON, False)
def test_kinship_agrees_with_the_naive_reference(parent: Row, child: Row, household_granted: bool) -> None:
    granted = ("name", *CHILD_SLOTS, *((HOUSEHOLD, RELATION) if household_granted else ()))
    mother, son = ({**row, "resident_id": name} for row, name in ((parent, "R1"), (child, "R2")))
    one = Named(person=Person(by="id_number", value="A"), name="甲")
    told = kinship(Kinship(parent=one, child=one), [mother], [son], granted)
    assert verdict(told) == naive_kinship(parent, child, household_granted)


@pytest.mark.parametrize("rows", [[], [{**FATHER, "name": "乙"}], [FATHER, FATHER]])
def test_kinship_of_somebody_who_is_not_known_by_number_and_name_is_not_known(rows: list[Row]) -> None:
    one = Named(person=Person(by="id_number", value="A"), name="甲")
    told = kinship(Kinship(parent=one, child=one), numbered(rows), [{**SON, "resident_id": "R9"}], ("name", *CHILD_SLOTS))
    assert verdict(told) == "not_known"


def test_nobody_is_their_own_parent() -> None:
    one = Named(person=Person(by="id_number", value="A"), name="甲")
    same: Row = {**FATHER, "father_id_number": "A", "resident_id": "R1"}
    assert verdict(kinship(Kinship(parent=one, child=one), [same], [same], ("name", *CHILD_SLOTS))) == "no"


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"name": "王小明"},
        {"name": "王小明", "nothing": "1"},
        {"name": "王小明", "id_number": WANG},
        {"name": "王小明", "birth_date": "昨天"},
        {"name": "王小明", "sex": "不知道的性别"},
        {"name": "王小明", WANG: "1"},
        {f"name{place}": "1" for place in range(11)},
    ],
)
def test_a_verification_that_cannot_be_is_refused_without_repeating_a_value(attributes: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        verification("id_number", WANG, attributes)
    assert refused.value.code == "DOOR-ASKED"
    assert not [value for value in (WANG, "王小明", "昨天", "不知道的性别") if value in str(refused.value)]


@pytest.fixture
def bureau(served: Platform) -> Platform:
    return served


def verified(bureau: Platform, **changes: Any) -> Grant:
    return bureau.grant(**{"mode": Mode.VERIFY, "tier": Tier.T1, "columns": ["name", "birth_date", "phone", "sex"], **changes})


def asked(bureau: Platform, grant: Grant, number: str = WANG, actor: str = "lin", **attributes: str) -> str:
    answer = bureau.door.verify(actor, grant.id, "id_number", number, attributes or {"name": "王小明", "sex": "男"})
    return _verdict(answer)


def _verdict(answer: Answer) -> str:
    assert isinstance(answer.value, Told)
    return verdict(answer.value)


def test_values_are_compared_as_golden_records_hold_them(bureau: Platform) -> None:
    granted = verified(bureau)
    assert asked(bureau, granted, name=" 王小明 ", birth_date="1980年1月1日", sex="男", phone="+86 138-0013-8001") == "yes"
    assert asked(bureau, granted, name="王小明", birth_date="1980-01-02") == "no"
    assert asked(bureau, granted, number=NOBODY) == "not_known"


def test_who_is_outside_the_area_is_not_known(bureau: Platform) -> None:
    granted = verified(bureau, row_scope=RowScope(areas=(GRID[:9],)))
    assert asked(bureau, granted, number=OTHER_AREA, name="阿依古丽·买买提", sex="女") == "not_known"
    assert asked(bureau, granted) == "yes"


def test_a_verification_leaves_two_records_with_hashed_values(bureau: Platform) -> None:
    answer = bureau.door.verify("lin", verified(bureau).id, "id_number", WANG, {"name": "王小明", "phone": "13800138001"})
    result = bureau.log.entry(answer.seq).record
    intent = bureau.log.entry(result.body["intent"]).record.body
    assert result.event is Event.VERIFY_RESULT
    hashed = bureau.log.subject("asked name", "王小明")
    assert {"column": "name", "value": hashed} in intent["asked"]
    assert (result.body["outcome"], result.body["residents"]) == ("yes", 1)
    kept = " ".join(repr(entry.record.body) for entry in bureau.log.entries())
    assert not [value for value in (WANG, "王小明", "13800138001") if value in kept]
    assert verify_log(bureau.log).ok


@pytest.mark.parametrize(
    ("changes", "actor", "reason"),
    [
        ({}, "he", ["no_grant"]),
        ({"mode": Mode.LOOKUP, "tier": Tier.T2}, "lin", ["wrong_form"]),
        ({"columns": ["name", "phone"]}, "lin", []),
    ],
)
def test_a_verification_is_denied_and_recorded(bureau: Platform, changes: dict[str, Any], actor: str, reason: list[str]) -> None:
    with pytest.raises(Denied):
        asked(bureau, verified(bureau, **changes), actor=actor)
    assert bureau.last().record.event is Event.VERIFY_DENIED
    assert bureau.last().record.body["why"] == reason


@pytest.mark.parametrize("number", [WANG, NOBODY])
def test_the_limit_about_one_person_is_the_same_whether_or_not_somebody_is_there(bureau: Platform, number: str) -> None:
    granted = verified(bureau)
    for _ in range(QUESTIONS_A_DAY_ABOUT_SUBJECT):
        asked(bureau, granted, number=number)
    with pytest.raises(Denied) as denied:
        asked(bureau, granted, number=number)
    assert denied.value.code == "DOOR-LIMIT"
    assert bureau.last().record.body["why"] == ["asked_too_often"]
    assert asked(bureau, granted, number=OUYANG) == "no", "another person may be asked about"


def test_the_limit_about_one_person_holds_over_all_grants_of_a_department(bureau: Platform) -> None:
    grants = [verified(bureau), verified(bureau)]
    with pytest.raises(Denied):
        for place in range(QUESTIONS_A_DAY_ABOUT_SUBJECT + 1):
            asked(bureau, grants[place % 2])


def test_the_limit_on_an_actor_counts_all_persons(bureau: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("access.desk.QUESTIONS_A_DAY_BY_ACTOR", 2)
    granted = verified(bureau)
    assert [asked(bureau, granted, number=number) for number in (WANG, NOBODY)] == ["yes", "not_known"]
    with pytest.raises(Denied):
        asked(bureau, granted, number=OUYANG)


def test_the_quota_of_a_grant_counts_verifications(bureau: Platform) -> None:
    granted = verified(bureau, quotas={Quota.CALLS_PER_DAY: 1})
    asked(bureau, granted)
    with pytest.raises(Denied):
        asked(bureau, granted, number=NOBODY)


def test_kinship_through_the_door_needs_the_columns_that_it_rests_on(bureau: Platform) -> None:
    parent, child = named("id_number", WANG, "王小明"), named("id_number", OUYANG, "欧阳明月")
    with pytest.raises(Denied):
        bureau.door.kinship("lin", verified(bureau).id, parent, child)
    assert {found["column"] for found in bureau.last().record.body["columns_why"]} == set(CHILD_SLOTS)


def test_my_mother_is_my_mother(bureau: Platform) -> None:
    """Resident 2 is stated as the mother of resident 5, a child; of the others nothing is stated."""
    girl = "990605201505054567"
    nothing: list[str | None] = [None] * 6
    stated = {"mother_id_number": [*nothing[:4], OUYANG, None], "father_id_number": [*nothing[:4], WANG, None]}
    serve_another(bureau, {**stated, HOUSEHOLD: nothing, RELATION: nothing})
    granted = verified(bureau, columns=["name", *CHILD_SLOTS])
    child = named("id_number", girl, "王丽")
    parents = {"欧阳明月": OUYANG, "王小明": WANG}
    answers = [bureau.door.kinship("lin", granted.id, named("id_number", number, name), child) for name, number in parents.items()]
    assert [_verdict(answer) for answer in answers] == ["yes", "yes"]
    assert _verdict(bureau.door.kinship("lin", granted.id, named("id_number", OTHER_AREA, "阿依古丽·买买提"), child)) == "no"
    assert _verdict(bureau.door.kinship("lin", granted.id, named("id_number", OUYANG, "王小明"), child)) == "not_known"
    assert _verdict(bureau.door.kinship("lin", granted.id, child, named("id_number", OUYANG, "欧阳明月"))) == "not_known"
    assert bureau.last().record.body["residents"] == 2
