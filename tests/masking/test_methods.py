"""Every mask as a table: value in, value out. law.md I-04, I-05, I-06."""

import hmac
from datetime import date
from hashlib import blake2b

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.methods import METHODS, Basis, Mask, RecipientKey, apply
from masking.pseudonyms import recipient_key
from rules.names import surname_of, surnames
from rules.tiers import load_tier_policy

KEY = recipient_key(bytes(range(32)), "civil_affairs", "1")
TODAY = date(2026, 11, 23)
ADDRESS = "广东省佛山市南海区桂城街道南海大道12号天湖郦都3栋1203室"


def masked(mask: Mask, *values: str | None, key: RecipientKey = KEY) -> list[str | None]:
    return apply(mask, pa.array(values, pa.string()), Basis(key=key, today=TODAY)).to_pylist()


@pytest.mark.parametrize(
    ("method", "value", "expected"),
    [
        ("keep", "张三", "张三"),
        ("suppress", "张三", None),
        ("partial_name", "张三", "张*"),
        ("partial_name", "李小明", "李**"),
        ("partial_name", "欧阳明月", "欧阳**"),
        ("partial_name", "司马光", "司马*"),
        ("partial_name", "阿依古丽·买买提", "阿***"),
        ("partial_name", "John Smith", "J***"),
        ("partial_name", "张", "张*"),
        ("partial_phone", "13812345678", "138****5678"),
        ("partial_phone", "0757-86234567", "075****"),
        ("partial_phone", "110", "****"),
        ("address_to_community", ADDRESS, "广东省佛山市南海区桂城街道"),
        ("address_to_community", "广东省佛山市南海区桂城街道夏北社区南海大道12号", "广东省佛山市南海区桂城街道夏北社区"),
        ("address_to_community", "广西壮族自治区柳州市柳江区拉堡镇基隆村12号", "广西壮族自治区柳州市柳江区拉堡镇基隆村"),
        ("address_to_community", "广东省佛山市南海区桂平路12号新镇小区", "广东省佛山市南海区"),
        ("address_to_community", "南海大道12号", None),
        ("address_to_street", "广东省佛山市南海区桂城街道夏北社区南海大道12号", "广东省佛山市南海区桂城街道"),
        ("area_to_community", "440605011001007", "440605011001"),
        ("area_to_street", "440605011001007", "440605011"),
        ("year", "1990-01-02", "1990"),
        ("year_band", "1990-01-02", "1990–1994"),
        ("year_band", "1989", "1985–1989"),
        ("year_band", "去年", None),
        ("address_to_district", "广东省佛山市南海区桂城街道夏北社区南海大道12号", "广东省佛山市南海区"),
        ("area_to_district", "440605011001007", "440605"),
        ("area_to_street", "桂城街道某村12号", None),
        ("month", "1990-01-02", "1990-01"),
        ("month", "1990", "1990"),
        ("year", "2/1/1990", None),
        ("age_band", "1983-06-01", "40–44"),
        ("age_band", "1986-11-23", "40–44"),
        ("age_band", "1986-11-24", "35–39"),
        ("age_band", "2026-11-23", "0–4"),
        ("age_band", "2026-11-24", None),
        ("age_band", "1986", "35–39"),
        ("age_band", "1986-11", "35–39"),
        ("age_band", "1936-11-23", "90+"),
        ("age_band", "1901-01-01", "90+"),
        ("age_band", "不详", None),
        ("encrypted_number", "12345", None),
        ("encrypted_number", "110105194912310021", None),
        ("noise", "很多", None),
    ],
)
def test_a_value_is_masked_to(method: str, value: str, expected: str | None) -> None:
    assert masked(Mask(method=method), value) == [expected]


@pytest.mark.parametrize(
    ("first", "last", "value", "expected"),
    [
        (1, 1, "11010519491231002X", "1****************X"),
        (6, 4, "11010519491231002X", "110105********002X"),
        (0, 0, "11010519491231002X", "*" * 18),
        (0, 1, "H1234567", "*******7"),
        (1, 0, "H1234567", "H*******"),
        (1, 1, "12", "**"),
        (1, 1, "", ""),
    ],
)
def test_a_number_shows_what_the_policy_allows_and_a_short_one_nothing(first: int, last: int, value: str, expected: str) -> None:
    assert masked(Mask(method="partial_number", first=first, last=last), value) == [expected]


@given(st.sampled_from(sorted(METHODS)), st.lists(st.none() | st.text("1990-张三省市区街道村·AZ ", min_size=4, max_size=12), max_size=6))
def test_every_method_keeps_length_and_nulls(method: str, values: list[str | None]) -> None:
    found = masked(Mask(method=method, first=1, last=1), *values)
    assert len(found) == len(values)
    assert all(result is None for value, result in zip(values, found, strict=True) if value is None)


@given(st.text("0123456789X", min_size=3, max_size=18))
def test_a_partial_number_agrees_with_the_naive_one(value: str) -> None:
    assert masked(Mask(method="partial_number", first=1, last=1), value) == [value[0] + "*" * (len(value) - 2) + value[-1]]


def test_a_pseudonym_is_equal_for_one_recipient_and_another_for_the_next() -> None:
    pseudonym, tax = Mask(method="pseudonym"), recipient_key(bytes(range(32)), "tax", "1")
    first, again, other = masked(pseudonym, "R1", "R1", "R2")
    assert first == again != other
    assert masked(pseudonym, "R1", key=tax) != [first]
    assert masked(pseudonym, "R1", key=recipient_key(bytes(range(32)), "civil_affairs", "2")) != [first]
    core = hmac.digest(KEY.secret, b"R1", "sha256").hex()[:16]
    assert first == core + blake2b(core.encode(), key=KEY.mark_secret, digest_size=4).hexdigest()


def test_keys_of_recipients_differ_even_where_their_names_run_together() -> None:
    assert recipient_key(bytes(32), "a", "b1").secret != recipient_key(bytes(32), "ab", "1").secret


def test_a_key_shows_itself_in_no_message() -> None:
    assert KEY.secret.hex() not in repr(KEY)
    assert str(KEY.secret) not in repr(KEY)


def test_every_method_that_the_rules_name_exists() -> None:
    policy = load_tier_policy()
    named = {method for by_level in policy.masks.values() for method in by_level.values()} | set(policy.elements.values())
    assert named <= set(METHODS)


@given(st.text("张欧阳司马上官诸葛买提·.•　 aA", max_size=6))
def test_surnames_of_a_column_are_those_of_its_names(name: str) -> None:
    assert surnames(pa.array([name])).to_pylist() == [surname_of(name)]


@given(st.dates(date(1900, 1, 1), date(2030, 12, 31)), st.dates(date(2026, 1, 1), date(2030, 12, 31)))
def test_an_age_band_agrees_with_the_naive_age(birth: date, today: date) -> None:
    age = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    expected = None if age < 0 else "90+" if age >= 90 else f"{age // 5 * 5}–{age // 5 * 5 + 4}"
    basis = Basis(key=KEY, today=today)
    assert apply(Mask(method="age_band"), pa.array([birth.isoformat()]), basis).to_pylist() == [expected]
