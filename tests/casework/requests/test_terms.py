"""Which terms may be asked for, and of what (law.md L-04, L-09, L-12, L-14; TX-04)."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from access.grants import load_grant
from access.terms import Quota
from casework.requests.moves import State
from rules.errors import Denied, Refused
from rules.tiers import Audience
from tests.casework.requests.conftest import (
    AGREE,
    BUREAU,
    CLERK,
    PROVIDER,
    Desk,
    changed,
    republish,
)

WRONG = (
    ({"warranted": False}, "warranty"),
    ({"scene": ""}, "使用场景"),
    ({"use_scope": " "}, "使用范围"),
    ({"legal_basis": ""}, "使用依据"),
    ({"purpose": "查990605198001011234"}, "证件号"),
    ({"columns": ()}, "no columns"),
    ({"columns": ("name", "name")}, "twice"),
    ({"columns": ("name", "gone")}, "gone"),
    ({"valid_to": date(2026, 11, 1)}, "beginning"),
    ({"valid_from": date(2026, 1, 1), "valid_to": date(2026, 11, 22)}, "past"),
    ({"valid_to": date(2036, 1, 1)}, "1830"),
    ({"quotas": {Quota.EXTRACTS: 0}}, "quota"),
    ({"responsible": "zhou"}, "L-04"),
    ({"audience": Audience.LEADERS}, "指定领导须列明账号"),
    ({"audience": Audience.LEADERS, "named": ("zhou",)}, "所列账号"),
    ({"named": (CLERK,)}, "列名仅用于指定领导"),
    ({"audience": Audience.PUBLIC}, "level_over_audience"),
)


@pytest.mark.parametrize(("change", "told"), WRONG)
def test_faulty_terms_are_not_submitted(desk: Desk, change: dict[str, Any], told: str) -> None:
    number = desk.draft(changed(**change))
    assert told in desk.refused("REQ-TERMS", lambda: desk.do("submit", number), number)


def test_the_audience_that_was_asked_for_is_the_grants(desk: Desk) -> None:
    number = desk.answered(AGREE, desk.at_provider(changed(audience=Audience.LEADERS, named=(CLERK,))))
    with desk.platform.store.session() as session:
        grant = load_grant(session, desk.dossier(number).grant)
    assert grant is not None and (grant.audience, grant.named) == (Audience.LEADERS, (CLERK,))


def test_all_faults_of_the_terms_are_told_at_once(desk: Desk) -> None:
    number = desk.draft(changed(warranted=False, scene="", legal_basis="", columns=("gone",)))
    assert desk.refused("REQ-TERMS", lambda: desk.do("submit", number), number).count(";") == 3


def test_what_is_not_shared_is_not_asked_for(desk: Desk) -> None:
    number = desk.draft()
    republish(desk, {"phone": {"share": "none"}})
    assert "phone" in desk.refused("REQ-TERMS", lambda: desk.do("submit", number), number)


def test_only_what_is_published_is_asked_for_checked_and_given(desk: Desk) -> None:
    """L-12: the data set of the enterprises is registered, its entry a draft; an entry withdrawn meanwhile stops a request on its road."""
    never = desk.draft(changed(target="enterprises", columns=("scale",)))
    desk.refused("REQ-UNPUBLISHED", lambda: desk.do("submit", never), never)
    waiting, answered = desk.draft(), desk.at_provider()
    desk.do("submit", waiting)
    desk.do("answer", answered, answer=AGREE)
    desk.do("impact", answered)
    republish(desk, open_=False)
    desk.refused("REQ-UNPUBLISHED", lambda: desk.do("approve", waiting), waiting)
    desk.refused("REQ-UNPUBLISHED", lambda: desk.do("confirm", answered), answered)


def test_conditions_are_the_published_ones_of_each_column(desk: Desk) -> None:
    republish(desk, {"phone": {"share_conditions": "仅限核对联系方式"}})
    number = desk.answered(AGREE)
    with desk.platform.store.session() as session:
        grant = load_grant(session, desk.dossier(number).grant)
    assert grant is not None and grant.conditions == ("经数源部门同意，仅用于申请时列明的用途。", "仅限核对联系方式")


def test_who_belongs_to_no_department_makes_no_request_and_none_of_a_target_that_is_not_there(desk: Desk) -> None:
    desk.refused("REQ-PARTY", lambda: desk.draft(by=BUREAU))
    desk.refused("CAT-DATASET", lambda: desk.draft(changed(target="nothing")))
    desk.refused("REQ-GRANT", lambda: desk.draft(changed(widens=77)))
    own = desk.draft(changed(responsible=PROVIDER), by=PROVIDER)
    assert "provides" in desk.refused("REQ-TERMS", lambda: desk.do("submit", own, by=PROVIDER), own)


def test_golden_records_are_the_bureaus_to_answer_by_two_people(desk: Desk) -> None:
    terms = changed(target="golden", columns=("resident_id", "name", "sex"))
    number = desk.at_provider(terms)
    assert desk.request(number).provider is None
    desk.refused("REQ-PARTY", lambda: desk.do("answer", number, answer=AGREE), number)
    desk.do("answer", number, by="operator", answer=AGREE)
    desk.do("impact", number, by=BUREAU)
    desk.refused("REQ-PARTY", lambda: desk.do("confirm", number, by="operator"), number)
    desk.do("confirm", number, by=BUREAU)
    assert desk.state(number) is State.SUPPLYING


def test_a_quota_of_extracts_is_kept_by_the_door(desk: Desk, tmp_path: Path) -> None:
    p = desk.platform
    number = desk.answered(AGREE, desk.at_provider(changed(quotas={Quota.EXTRACTS: 1})))
    grant = desk.dossier(number).grant
    p.door.extract(CLERK, grant, tmp_path / "out.csv", "csv")
    with pytest.raises(Denied, match="quota"):
        p.door.extract(CLERK, grant, tmp_path / "out.csv", "csv")
    small = desk.answered(AGREE, desk.at_provider(changed(quotas={Quota.ROWS_PER_EXTRACT: 2})))
    with pytest.raises(Refused, match="DOOR-QUOTA"):
        p.door.extract(CLERK, desk.dossier(small).grant, tmp_path / "small.csv", "csv")
    assert not (tmp_path / "small.csv").exists()
