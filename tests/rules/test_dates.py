"""Dates with the precision their source knows: law.md D-31, X-13."""

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.dates import judge_date, judge_timestamp, standardise_dates, standardise_timestamps
from tests.rules.columns import TODAY, row


@pytest.mark.parametrize(
    "text",
    [
        "1990-05-01",
        "19900501",
        "1990/5/1",
        "1990.05.01",
        "1990年5月1日",
        "１９９０年５月１日",
        "一九九〇年五月一日",
        "1990 05 01",
        "1990-05-01 00:00:00",
        "1990-05-01T08:30:00Z",
        "1990/5/1 0:00",
    ],
)
def test_every_spelling_of_a_day_becomes_iso(text: str) -> None:
    assert row("birth_date", text) == ("1990-05-01", None)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1990", "1990"), ("1990年", "1990"), ("1990-05", "1990-05"), ("199005", "1990-05"), ("19900500", "1990-05"), ("1990-00-00", "1990")],
)
def test_partial_dates_keep_their_precision(text: str, value: str) -> None:
    assert row("birth_date", text) == (value, None)


@pytest.mark.parametrize(
    ("text", "value", "fault"),
    [
        ("32994", "1990-05-01", "DATE-SERIAL"),
        ("32994.0", "1990-05-01", "DATE-SERIAL"),
        ("90-5-1", "1990-05-01", "DATE-TWO-DIGIT-YEAR"),
        ("90.5.1", "1990-05-01", "DATE-TWO-DIGIT-YEAR"),
        ("900501", "1990-05-01", "DATE-TWO-DIGIT-YEAR"),
        ("05-3-14", "2005-03-14", "DATE-TWO-DIGIT-YEAR"),
        ("27-3-14", "1927-03-14", "DATE-TWO-DIGIT-YEAR"),
        ("5/25/1990", "1990-05-25", "DATE-ORDER"),
        ("25/5/1990", "1990-05-25", "DATE-ORDER"),
        ("5/6/1990", "1990", "DATE-ORDER"),
        ("农历1990年五月初一", "1990", "DATE-LUNAR"),
        ("农历1990年5月1日", "1990", "DATE-LUNAR"),
        ("民国38年10月1日", "1949-10-01", None),
        ("二〇〇五年十二月三十一日", "2005-12-31", None),
        ("二〇〇〇年二月二十九日", "2000-02-29", None),
    ],
)
def test_what_had_to_be_inferred_is_noted(text: str, value: str, fault: str | None) -> None:
    assert row("birth_date", text) == (value, fault)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("1900-01-01", "DATE-PLACEHOLDER"),
        ("1899-12-30", "DATE-PLACEHOLDER"),
        ("19000101", "DATE-PLACEHOLDER"),
        ("9999-12-31", "DATE-PLACEHOLDER"),
        ("99991231", "DATE-PLACEHOLDER"),
        ("0000-00-00", "DATE-PLACEHOLDER"),
        ("1990-02-31", "DATE-IMPOSSIBLE"),
        ("1990-13-01", "DATE-IMPOSSIBLE"),
        ("19900231", "DATE-IMPOSSIBLE"),
        ("2026-11-24", "DATE-FUTURE"),
        ("2027", "DATE-FUTURE"),
        ("农历1990年腊月初八", "DATE-LUNAR-YEAR-END"),
        ("五一节", "DATE-MALFORMED"),
        ("1990-05-01x", "DATE-MALFORMED"),
    ],
)
def test_what_is_no_date_is_void_with_its_own_fault(text: str, fault: str) -> None:
    assert row("birth_date", text) == (None, fault)


def test_only_what_has_happened_cannot_lie_in_the_future() -> None:
    assert row("birth_date", TODAY.isoformat()) == (TODAY.isoformat(), None)
    assert row("id_valid_until", "2030-01-01") == ("2030-01-01", None)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20 08:30:00",
        "2026/11/20 8:30",
        "20261120083000",
        "202611200830",
        "2026-11-20T08:30:00.123+08:00",
        "2026年11月20日 08时30分",
        "1795134600",
        "1795134600000",
    ],
)
def test_points_in_time_keep_their_time_of_day(text: str) -> None:
    assert row("updated_at", text) == ("2026-11-20T08:30:00", None)


def test_a_point_in_time_may_be_a_day() -> None:
    assert row("updated_at", "2026年11月20日") == ("2026-11-20", None)
    assert row("updated_at", "2026/11/20 下午 3:05:00") == ("2026-11-20T15:05:00", None)


_DAYS = st.dates(date(1840, 1, 1), date(2110, 1, 1))
_SPELLINGS = st.sampled_from(("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"))
_TEXTS = st.one_of(
    st.builds(lambda day, spelling: day.strftime(spelling), _DAYS, _SPELLINGS),
    st.from_regex(r"\A(1[89]|20)\d\d[-/]?[0-3]\d[-/]?[0-3]\d\Z"),
    st.from_regex(r"\A20\d\d-[01]\d-[0-3]\d[ T][0-2]\d:[0-7]\d:[0-7]\d\Z"),
)


@pytest.mark.parametrize("key", ["birth_date", "id_valid_until"])
@given(texts=st.lists(_TEXTS, max_size=10))
def test_whole_columns_of_dates_are_judged_like_single_texts(key: str, texts: list[str]) -> None:
    done = standardise_dates(pa.array(texts, pa.string()), element_key=key, today=TODAY)
    one_by_one = [tuple(judge_date(text, element_key=key, today=TODAY)) for text in texts]
    assert list(zip(done.value.to_pylist(), done.fault.to_pylist(), strict=True)) == one_by_one


@given(texts=st.lists(_TEXTS, max_size=10))
def test_whole_columns_of_times_are_judged_like_single_texts(texts: list[str]) -> None:
    done = standardise_timestamps(pa.array(texts, pa.string()), element_key="updated_at", today=TODAY)
    one_by_one = [tuple(judge_timestamp(text, element_key="updated_at", today=TODAY)) for text in texts]
    assert list(zip(done.value.to_pylist(), done.fault.to_pylist(), strict=True)) == one_by_one
