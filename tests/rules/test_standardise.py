"""What holds for every kind of element: missing markers, faults, canonical values as fixed points, no text that breaks anything."""

import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.elements import KINDS as ELEMENT_KINDS
from rules.faults import load_faults
from rules.standardise import KINDS, standardise
from tests.rules.columns import TEST_REGIONS, TODAY, element_of_kind, row, rows

RULES = Path(__file__).parents[2] / "rules"
CANONICAL = {
    "id_number": ["11010519491231002X", "810000199001010019", "USA123456789012"],
    "name": ["张三", "阿卜杜拉·买买提", "CHAN TAI MAN"],
    "birth_date": ["1990-05-01", "1990-05", "1990", "2000-02-29"],
    "sex": ["1", "2"],
    "ethnicity": ["01", "56"],
    "marital_status": ["10", "20", "21", "22", "23", "30", "40"],
    "education": ["11", "20", "90"],
    "phone": ["16412345670"],
    "hukou_address": ["广东省佛山市南海区桂城街道南海大道12号天湖郦都3栋1203室"],
    "updated_at": ["2026-11-20", "2026-11-20T08:30:00"],
    "grid_code": ["440605011001001"],
    "credit_code": ["91350100M000100Y43"],
    "landline": ["0757-81234567"],
}


def test_every_kind_of_element_has_a_standardiser() -> None:
    assert set(KINDS) == set(ELEMENT_KINDS)


@pytest.mark.parametrize("key", CANONICAL)
def test_canonical_values_stand_without_a_fault(key: str) -> None:
    assert rows(key, CANONICAL[key]) == [(value, None) for value in CANONICAL[key]]


@pytest.mark.parametrize(
    "key", ["id_number", "name", "birth_date", "sex", "ethnicity", "phone", "hukou_address", "education", "updated_at"]
)
@pytest.mark.parametrize("marker", ["", "  ", "无", "/", "-", "—", "——", "不详", "NULL", "\\N", "　无　", "N/A", "待补", None])
def test_missing_markers_are_no_value_and_no_fault(key: str, marker: str | None) -> None:
    assert row(key, marker) == (None, None)


def test_zero_is_missing_unless_it_can_be_a_value() -> None:
    assert row("phone", "0") == (None, None)
    assert row("relation_to_head", "0") == ("0", None)


def test_every_fault_that_the_code_names_is_described_and_every_described_one_is_named() -> None:
    codes = "|".join(sorted({code.split("-")[0] for code in load_faults()}))
    named = {
        code for path in RULES.glob("*.py") for code in re.findall(rf'"((?:{codes})(?:-[A-Z0-9]+)+)"', path.read_text(encoding="utf-8"))
    }
    assert named - set(load_faults()) <= {"STD-CODE-SYSTEM"}
    assert set(load_faults()) <= named


def test_faults_are_told_in_both_languages() -> None:
    assert all(fault.severity in ("void", "note") and fault.zh and fault.en for fault in load_faults().values())


_TEXTS = st.one_of(
    st.none(),
    st.text(max_size=25),
    st.text("0123456789Xx年月日-/.:+*号栋室张三（） 男女农历Ee　１２", max_size=22),
    st.sampled_from([value for values in CANONICAL.values() for value in values]),
)


@pytest.mark.parametrize("kind", sorted(ELEMENT_KINDS))
@given(texts=st.lists(_TEXTS, max_size=6))
def test_no_text_breaks_a_standardiser(kind: str, texts: list[str | None]) -> None:
    """And a cell is void exactly when its fault says so; a value without fault is a fixed point."""
    element = element_of_kind(kind)
    column = pa.array(texts, pa.string())
    done = standardise(element, column, today=TODAY, regions=TEST_REGIONS)
    values, faults = done.value.to_pylist(), done.fault.to_pylist()
    assert len(values) == len(faults) == len(texts)
    for value, fault in zip(values, faults, strict=True):
        if fault is not None:
            assert (value is None) == (load_faults()[fault].severity == "void")
    kept = pa.array([v if f is None else None for v, f in zip(values, faults, strict=True)], pa.string())
    if kind != "address":
        again = standardise(element, kept, today=TODAY, regions=TEST_REGIONS)
        assert again.value.to_pylist() == kept.to_pylist()
        assert again.fault.null_count == len(texts)


@pytest.mark.parametrize("kind", sorted(ELEMENT_KINDS))
def test_columns_may_come_in_pieces_empty_or_as_dictionaries(kind: str) -> None:
    element = element_of_kind(kind)
    whole = pa.array(["1", None, "广东省佛山市1号", "2020-01-01"])
    expected = standardise(element, whole).value.to_pylist()
    assert standardise(element, pa.chunked_array([whole.slice(0, 1), whole.slice(1)])).value.to_pylist() == expected
    assert standardise(element, whole.dictionary_encode()).value.to_pylist() == expected
    assert standardise(element, whole.cast(pa.large_string())).value.to_pylist() == expected
    assert standardise(element, pa.nulls(3)).value.to_pylist() == [None] * 3
    assert standardise(element, pa.array([], pa.string())).value.to_pylist() == []
