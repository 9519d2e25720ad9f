"""Canonical records: one content, one sequence of bytes; nothing that names a person."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import RecordRefused
from audit.events import Event
from audit.records import MAX_RECORD_BYTES, Record, decode, encode, names_a_person

AT = datetime(2026, 11, 23, 9, 30, 15, 123456, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20).filter(lambda text: not names_a_person(text))
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), inner, max_size=4),
    max_leaves=20,
)


def record(**body: object) -> Record:
    return Record(event=Event.EXTRACT_INTENT, at=AT, body=body)


def test_the_bytes_of_schema_1_are_these_for_ever() -> None:
    data = encode(record(b="二", a=[1, None, True], c={"y": "1", "x": "2"}))
    assert data.decode() == (
        '{"at":"2026-11-23T09:30:15.123456+00:00","body":{"a":[1,null,true],"b":"二","c":{"x":"2","y":"1"}},'
        '"event":"access:extract:intent","v":1}'
    )


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), VALUE, max_size=5), st.sampled_from(Event))
def test_what_is_written_is_read_back_and_written_alike(body: dict[str, object], event: Event) -> None:
    data = encode(Record(event=event, at=AT, body=body))
    again = decode(data)
    assert (again.event, again.at) == (event, AT)
    assert encode(again) == data


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True), VALUE, max_size=5))
def test_any_other_encoder_comes_to_the_same_bytes(body: dict[str, object]) -> None:
    content = {"v": 1, "event": str(Event.LOG_READ), "at": "2026-11-23T09:30:15.123456+00:00", "body": body}
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    assert encode(Record(event=Event.LOG_READ, at=AT, body=body)) == text.encode()


def test_the_time_zone_does_not_show_in_the_bytes() -> None:
    shanghai = AT.astimezone(timezone(timedelta(hours=8)))
    assert encode(Record(event=Event.LOG_READ, at=shanghai, body={})) == encode(Record(event=Event.LOG_READ, at=AT, body={}))


@pytest.mark.parametrize(
    "body",
    [
        {"rate": 0.5},
        {"n": 2**53},
        {"Bad Key": 1},
        {"中文": 1},
        {"data": b"bytes"},
        {"text": "\ud800"},
        {"text": "x" * MAX_RECORD_BYTES},
        {"deep": {"list": [1, {"n": 1.5}]}},
    ],
)
def test_content_without_a_canonical_form_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(RecordRefused):
        encode(record(**body) if all(key.isidentifier() for key in body) else Record(event=Event.LOG_READ, at=AT, body=body))


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(RecordRefused):
        encode(Record(event=Event.LOG_READ, at=AT.replace(tzinfo=None), body={}))


@pytest.mark.parametrize(
    "text",
    [
        "11010519491231002X",
        "查询11010519491231002x的记录",
        "电话13800138000",
        "(110105194912310021)",
        "电话：\n13800138000",
        '"13800138000"',
    ],
)
def test_a_text_that_holds_the_number_of_a_person_is_refused(text: str) -> None:
    with pytest.raises(RecordRefused, match="person"):
        encode(record(purpose=text))


@pytest.mark.parametrize("place", [{"list": ["13800138000"]}, {"tuple": ("13800138000",)}, {"deep": {"deeper": "13800138000"}}])
def test_it_is_refused_wherever_it_stands(place: dict[str, object]) -> None:
    with pytest.raises(RecordRefused, match="person"):
        encode(record(**place))


def test_a_count_that_looks_like_one_is_a_count() -> None:
    assert decode(encode(record(bytes=13800138000, say="a\nb"))).body == {"bytes": 13800138000, "say": "a\nb"}


@pytest.mark.parametrize("text", ["a" * 64, "440605013205001", "R0000000001", "3.14", "2026-11-23T09:30:15.123456+00:00", "1" * 64])
def test_hashes_area_codes_and_ids_are_not_taken_for_numbers_of_persons(text: str) -> None:
    assert not names_a_person(text)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"not json", b'{"v":1}', b"\xff"])
def test_bytes_that_are_no_record_are_refused(data: bytes) -> None:
    with pytest.raises(RecordRefused):
        decode(data)


def test_bytes_with_another_spelling_of_the_same_content_are_refused() -> None:
    spaced = encode(record(a=1)).replace(b'"a":1', b'"a": 1')
    with pytest.raises(RecordRefused, match="canonical"):
        decode(spaced)


@pytest.mark.parametrize("event", list(Event))
def test_every_event_has_area_object_and_action(event: Event) -> None:
    assert event.value.count(":") == 2
    assert all((event.area, event.object, event.action))


@pytest.mark.parametrize("event", [event for event in Event if event.opens])
def test_every_intent_has_its_result_its_denial_and_its_abortion(event: Event) -> None:
    assert event.sibling("result").closes
    assert event.sibling("aborted").closes
    assert not event.sibling("denied").closes
