"""A cell is masked as its column would be (law.md I-01, I-04, I-06, P-08)."""

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.cells import RULES, is_minor, mask_cell
from masking.methods import METHODS, Basis, Mask, apply
from masking.plan import minors
from rules.tiers import load_tier_policy
from tests.masking.test_methods import KEY

DAYS = st.dates(date(1900, 1, 1), date(2030, 12, 31)).map(date.isoformat)
CELLS = st.one_of(
    st.none(),
    st.text("1990-张欧阳·•.　 \n\t省市区街道镇乡村社区巷路号AZ", max_size=16),
    st.text(max_size=12),
    st.text("0123456789", max_size=18),
    DAYS,
    DAYS.map(lambda day: day[:7]),
    DAYS.map(lambda day: day[:4]),
    st.lists(
        st.sampled_from(["广东省", "佛山市", "南海区", "桂城街道", "拉堡镇", "夏北社区", "基隆村", "南海大道", "12号"]), max_size=7
    ).map("".join),
)
TODAY = st.dates(date(2024, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize("method", sorted(RULES))
@given(cells=st.lists(CELLS, max_size=8), today=TODAY, first=st.integers(0, 6), last=st.integers(0, 4))
def test_cells_are_masked_as_their_column_is(method: str, cells: list[str | None], today: date, first: int, last: int) -> None:
    mask, basis = Mask(method=method, first=first, last=last), Basis(key=KEY, today=today)
    assert [mask_cell(mask, cell, basis) for cell in cells] == apply(mask, pa.array(cells, pa.string()), basis).to_pylist()


@pytest.mark.parametrize("method", sorted(set(METHODS) - set(RULES)))
def test_what_has_no_rule_for_a_cell_is_masked_as_a_column(method: str) -> None:
    mask, basis = Mask(method=method), Basis(key=KEY, today=date(2026, 11, 23), subjects=pa.array(["R1"]))
    for cell in ("440524188001010014", None):
        assert [mask_cell(mask, cell, basis)] == apply(mask, pa.array([cell], pa.string()), basis).to_pylist()


@given(st.one_of(st.none(), DAYS, DAYS.map(lambda day: day[:7]), DAYS.map(lambda day: day[:4])), TODAY)
def test_who_is_a_child_is_one_in_a_column_too(birth_date: str | None, today: date) -> None:
    policy = load_tier_policy()
    [expected] = minors(pa.array([birth_date], pa.string()), today, policy).to_pylist()
    assert is_minor(birth_date, today, policy) == expected
