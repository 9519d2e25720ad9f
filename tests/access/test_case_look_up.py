"""Look-ups of a case: several granted data sets for the persons of one case, one answer with one pair of records, the case checked."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from access.case_look_up import MOST_PERSONS
from access.grants import change_state
from access.terms import Grant, GrantState, Mode, Quota, RowScope
from audit.events import Event
from audit.verify import verify
from rules.errors import Denied, Refused
from rules.tiers import Tier
from tests.access.conftest import OTHER_GRID, Platform, clients_of

WANG, CHILD, NOBODY = "990605198001011234", "990605201505054567", "990605198001010000"
CASE = "检边〔2026〕1 号"


def granted(platform: Platform, **changes: Any) -> Grant:
    usual = {"mode": Mode.LOOKUP, "tier": Tier.T4, "case_number": CASE, "columns": ["name", "marital_status"]}
    return platform.grant(**{**usual, **changes})


def both(platform: Platform) -> tuple[int, int]:
    return granted(platform).id, granted(platform, target="hukou", columns=["record", "phone"]).id


def read(out: Path) -> Any:
    return json.loads(out.read_text(encoding="utf-8"))


def test_each_person_of_a_case_is_told_of_from_every_data_set(platform: Platform, tmp_path: Path) -> None:
    golden, hukou = both(platform)
    answer = platform.door.case_look_up("lin", [golden, hukou], CASE, [WANG, CHILD, NOBODY, WANG], tmp_path / "case.json")
    first, child, nobody = read(tmp_path / "case.json")["persons"]
    assert first == {
        "id_number": WANG,
        "found": True,
        "data": [
            {"grant": golden, "target": "golden", "rows": [{"name": "王小明", "marital_status": "20"}]},
            {"grant": hukou, "target": "hukou", "rows": [{"record": "h1", "phone": "13800138001"}]},
        ],
    }
    assert [part["rows"] for part in child["data"]] == [
        [{"name": "王丽", "marital_status": "10"}],
        [{"record": "h2", "phone": "13600136005"}],
    ]
    assert nobody == {"id_number": NOBODY, "found": False, "data": []}
    assert (answer.rows, answer.residents) == (4, 2)
    assert answer.digest == sha256((tmp_path / "case.json").read_bytes()).hexdigest()


def test_it_has_one_intent_and_one_result_that_name_nobody(platform: Platform, tmp_path: Path) -> None:
    grants = both(platform)
    before = platform.log.size()
    answer = platform.door.case_look_up("lin", grants, CASE, [WANG, NOBODY], tmp_path / "case.json")
    intent, result = (entry.record for entry in platform.log.entries(before))
    assert (intent.event, result.event) == (Event.CASE_LOOK_UP_INTENT, Event.CASE_LOOK_UP_RESULT)
    assert (intent.body["grants"], intent.body["case_number"]) == (list(grants), CASE)
    assert [one["target"] for one in intent.body["targets"]] == ["golden", "hukou"]
    assert intent.body["persons"][0]["subject"] == platform.log.subject("id_number", WANG)
    assert result.body["subjects"] == [platform.log.subject("resident", "R0000000001")]
    assert {"grant": grants[1], "column": "phone", "mask": "keep", "minor_mask": "keep"} in result.body["columns"]
    assert answer.seq == before + 1
    assert verify(platform.log).ok
    assert WANG not in " ".join(repr(entry.record.body) for entry in platform.log.entries())


def test_a_child_is_masked_under_a_tier_that_masks_the_most_sensitive(platform: Platform, tmp_path: Path) -> None:
    grant = granted(platform, tier=Tier.T3)
    platform.door.case_look_up("lin", [grant.id], CASE, [WANG, CHILD], tmp_path / "case.json")
    grown_up, child = (one["data"][0]["rows"][0] for one in read(tmp_path / "case.json")["persons"])
    assert (grown_up["name"], child["name"]) == ("王小明", "王*")


def test_who_is_outside_every_scope_is_like_nobody(platform: Platform, tmp_path: Path) -> None:
    grant = granted(platform, row_scope=RowScope(areas=(OTHER_GRID,)))
    answer = platform.door.case_look_up("lin", [grant.id], CASE, [WANG, NOBODY], tmp_path / "case.json")
    outside, nobody = read(tmp_path / "case.json")["persons"]
    assert {**outside, "id_number": ""} == {**nobody, "id_number": ""}
    assert (answer.rows, answer.residents) == (0, 0)


def test_who_is_not_on_the_list_of_clients_is_like_nobody(platform: Platform, tmp_path: Path) -> None:
    grant = granted(platform, row_scope=RowScope(clients=clients_of(platform, WANG)))
    platform.door.case_look_up("lin", [grant.id], CASE, [WANG, CHILD], tmp_path / "case.json")
    assert [one["found"] for one in read(tmp_path / "case.json")["persons"]] == [True, False]


@pytest.mark.parametrize(
    ("changes", "case_number", "actor"),
    [
        ({}, "检边〔2026〕2 号", "lin"),
        ({}, "", "lin"),
        ({"case_number": ""}, "", "lin"),
        ({"case_number": "检边〔2026〕2 号"}, CASE, "lin"),
        ({"tier": Tier.T2}, CASE, "lin"),
        ({"mode": Mode.FILE}, CASE, "lin"),
        ({}, CASE, "he"),
    ],
)
def test_one_grant_that_is_not_for_the_case_denies_the_whole(
    platform: Platform, tmp_path: Path, changes: dict[str, Any], case_number: str, actor: str
) -> None:
    grants = [granted(platform).id, granted(platform, **changes).id]
    with pytest.raises(Denied):
        platform.door.case_look_up(actor, grants, case_number, [WANG], tmp_path / "case.json")
    assert platform.last().record.event is Event.CASE_LOOK_UP_DENIED
    assert Event.CASE_LOOK_UP_INTENT.value not in platform.events()
    assert not (tmp_path / "case.json").exists()


def test_a_suspended_grant_denies_it(platform: Platform, tmp_path: Path) -> None:
    grant = granted(platform)
    change_state(platform.store, platform.log, by="operator", grant_id=grant.id, state=GrantState.SUSPENDED, why="核实")
    with pytest.raises(Denied):
        platform.door.case_look_up("lin", [grant.id], CASE, [WANG], tmp_path / "case.json")


def test_each_person_counts_as_a_call(platform: Platform, tmp_path: Path) -> None:
    grant = granted(platform, quotas={Quota.CALLS_PER_DAY: 3})
    platform.door.case_look_up("lin", [grant.id], CASE, [WANG, NOBODY], tmp_path / "case.json")
    with pytest.raises(Denied):
        platform.door.case_look_up("lin", [grant.id], CASE, [WANG, NOBODY], tmp_path / "other.json")
    assert platform.last().record.body["why"] == ["quota_used"]


@pytest.mark.parametrize("numbers", [[], ["1"], [f"9906051980010{place:05}" for place in range(MOST_PERSONS + 1)]])
def test_a_case_of_nobody_or_of_too_many_is_refused(platform: Platform, tmp_path: Path, numbers: list[str]) -> None:
    with pytest.raises(Refused):
        platform.door.case_look_up("lin", [granted(platform).id], CASE, numbers, tmp_path / "case.json")


def test_what_fails_leaves_no_file_and_no_open_intent(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Any:
        raise ValueError("broken")

    monkeypatch.setattr("access.case_look_up.document", broken)
    with pytest.raises(ValueError, match="broken"):
        platform.door.case_look_up("lin", [granted(platform).id], CASE, [WANG], tmp_path / "case.json")
    assert not list(tmp_path.glob("case*"))
    assert not platform.log.open_intents()
