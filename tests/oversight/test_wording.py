"""How records are told to people."""

from access.acts import Act
from audit.events import Event
from oversight.wording import ACT_TEXTS, AREA_TEXTS, act_told, department_told, end_told, event_told, why_told


def test_every_act_and_area_of_the_log_is_told_in_chinese() -> None:
    assert set(ACT_TEXTS) == set(Act) and {event.area for event in Event} == set(AREA_TEXTS)


def test_the_word_of_the_log_stands_beside_it_and_what_is_not_known_stands_alone() -> None:
    assert act_told("look_up") == "信息查询 look_up" and act_told("else") == "else"
    assert event_told("casework", "request") == "办理 casework:request" and event_told("access", "why") == "金记录解释 why"
    assert end_told("not_found") == "查无此人 not_found" and end_told("misuse") == "misuse"
    assert why_told("no_grant").startswith("没有可用的授权") and why_told("DOOR-MODE") == "DOOR-MODE"
    assert department_told("police") == "公安局 police" and department_told(None).endswith(" bureau")
