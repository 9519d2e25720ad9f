"""Phone numbers: law.md D-43, X-16."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.phones import judge_phone, standardise_phones
from tests.rules.columns import row

MOBILE = "16412345670"  # 164 was given to no operator


@pytest.mark.parametrize(
    "text",
    [
        MOBILE,
        "+86 164-1234-5670",
        "008616412345670",
        "8616412345670",
        "１６４１２３４５６７０",
        "164 1234 5670",
        "16412345670.0",
        "手机：16412345670",
        "16412345670（母亲）",
        "'16412345670",
    ],
)
def test_every_spelling_becomes_11_digits(text: str) -> None:
    assert row("phone", text) == (MOBILE, None)


@pytest.mark.parametrize("text", [f"{MOBILE}/16300000001", f"{MOBILE}、0757-81234567", f"0757-81234567，{MOBILE}", f"{MOBILE} 16300000001"])
def test_of_several_numbers_the_first_mobile_one_stands(text: str) -> None:
    assert row("phone", text) == (MOBILE, "PHONE-SEVERAL")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("11111111111", "PHONE-PLACEHOLDER"),
        ("13800138000", "PHONE-PLACEHOLDER"),
        ("13000000000", "PHONE-PLACEHOLDER"),
        ("0757-81234567", "PHONE-LANDLINE"),
        ("81234567", "PHONE-LANDLINE"),
        ("1064123456789", "PHONE-THINGS"),
        ("1.64E+10", "PHONE-LOST"),
        ("164****5670", "PHONE-MASKED"),
        ("1641234567", "PHONE-MALFORMED"),
        ("12412345670", "PHONE-MALFORMED"),
        ("没装", "PHONE-MALFORMED"),
    ],
)
def test_what_is_no_persons_phone_is_void_with_its_own_fault(text: str, fault: str) -> None:
    assert row("phone", text) == (None, fault)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0757-81234567", "0757-81234567"),
        ("（0757）81234567", "0757-81234567"),
        ("075781234567转123", "0757-81234567-123"),
        (MOBILE, MOBILE),
    ],
)
def test_the_landline_element_takes_landlines(text: str, value: str) -> None:
    assert row("landline", text) == (value, None)
    assert row("landline", value) == (value, None)


@given(st.lists(st.one_of(st.from_regex(r"\A1\d{10}\Z"), st.text("0123456789+-/ *", min_size=1), st.sampled_from(("11111111111", MOBILE)))))
def test_whole_columns_are_judged_like_single_texts(texts: list[str]) -> None:
    done = standardise_phones(pa.array(texts, pa.string()), landlines=False)
    one_by_one = [tuple(judge_phone(text)) for text in texts]
    assert list(zip(done.value.to_pylist(), done.fault.to_pylist(), strict=True)) == one_by_one
