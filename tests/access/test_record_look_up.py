"""Look-ups of one record of a registered data set, through the same door: decided, masked and recorded as every other answer."""

import json
from typing import Any

import pytest

from access.acts import Act
from access.inquiries import Told
from access.recording import Answer
from access.terms import Grant, Mode, Quota, RowScope
from audit.events import Event
from rules.errors import Denied, Refused
from rules.tiers import Tier
from tests.access.conftest import RESIDENTS, Platform, clients_of

NOBODY = {"found": False, "values": None}


def granted(platform: Platform, **changes: Any) -> Grant:
    return platform.grant(**{"mode": Mode.LOOKUP, "tier": Tier.T4, "target": "hukou", "columns": ["record", "name", "phone"], **changes})


def told(answer: Answer) -> dict[str, Any]:
    assert isinstance(answer.value, Told)
    return dict(json.loads(answer.value.body))


def test_a_record_is_found_by_its_key_and_masked_by_the_plan_of_the_grant(platform: Platform) -> None:
    plain, masked = granted(platform), granted(platform, tier=Tier.T2)
    wang = {"record": "h1", "name": "王小明", "phone": "13800138001"}
    assert told(platform.door.look_up("lin", plain.id, "record", "h1")) == {"found": True, "values": wang}
    values = told(platform.door.look_up("lin", masked.id, "record", "h1"))["values"]
    assert (values["name"], values["phone"]) == ("王**", "138****8001")
    enterprises = granted(platform, target="enterprises", columns=["record", "scale"])
    assert told(platform.door.look_up("lin", enterprises.id, "record", "e1"))["values"]["scale"] == "-12.5"


def test_what_is_not_there_and_what_is_outside_the_scope_are_answered_alike(platform: Platform) -> None:
    clients = clients_of(platform, RESIDENTS["id_number"][4])
    grant = granted(platform, row_scope=RowScope(clients=clients))
    outside, nowhere, quoted = (platform.door.look_up("lin", grant.id, "record", key) for key in ("h1", "h0", "' OR 1=1 --"))
    assert told(outside) == told(nowhere) == told(quoted) == NOBODY
    assert (outside.digest, outside.rows, outside.residents) == (nowhere.digest, nowhere.rows, nowhere.residents)
    assert told(platform.door.look_up("lin", grant.id, "record", "h2"))["found"]


def test_it_leaves_two_records_that_name_nobody_and_whom_it_was_about(platform: Platform) -> None:
    answer = platform.door.look_up("lin", granted(platform).id, "record", "h1")
    result = platform.log.entry(answer.seq).record
    intent = platform.log.entry(result.body["intent"]).record
    assert (intent.event, result.event) == (Event.LOOK_UP_INTENT, Event.LOOK_UP_RESULT)
    assert (intent.body["subject"], intent.body["target"], intent.body["target_version"]) == (
        platform.log.subject("record", "h1"),
        "hukou",
        1,
    )
    assert (intent.body["golden_version"], result.body["outcome"]) == (1, "found")
    assert result.body["subjects"] == [platform.log.subject("resident", "R0000000001")]


@pytest.mark.parametrize(
    ("changes", "actor", "case_number"),
    [({}, "he", ""), ({"mode": Mode.FILE}, "lin", ""), ({"case_number": "检 1 号"}, "lin", "检 2 号")],
)
def test_it_is_denied_and_recorded(platform: Platform, changes: dict[str, Any], actor: str, case_number: str) -> None:
    with pytest.raises(Denied):
        platform.door.look_up(actor, granted(platform, **changes).id, "record", "h1", case_number)
    assert platform.last().record.event == Act.LOOK_UP.intent.sibling("denied")


def test_residents_have_no_record_key_and_each_call_counts(platform: Platform) -> None:
    with pytest.raises(Refused, match="DOOR-ASKED"):
        platform.door.look_up("lin", granted(platform, target="golden", columns=["name"]).id, "record", "h1")
    assert platform.last().record.body["why"] == ["DOOR-ASKED"]
    limited = granted(platform, quotas={Quota.CALLS_PER_DAY: 1})
    platform.door.look_up("lin", limited.id, "record", "h1")
    with pytest.raises(Denied):
        platform.door.look_up("lin", limited.id, "record", "h1")
