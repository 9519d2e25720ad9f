"""A damaged number leads to every valid number one error away, and to nothing else."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from golden.number_repair import repaired_numbers
from tests.golden.tables import number

NUMBERS = st.builds(number, st.dates().filter(lambda d: 1920 <= d.year <= 2020).map(str), st.integers(1, 999))
DIGITS = "0123456789X"


def candidates(raw: str) -> set[str]:
    return set(repaired_numbers(pa.table({"rid": [7], "raw": [raw]})).column("value").to_pylist())


def naive(raw: str) -> set[str]:
    changed = {raw[:i] + d + raw[i + 1 :] for i in range(18) for d in (DIGITS if i == 17 else DIGITS[:10])}
    swapped = {raw[:i] + raw[i + 1] + raw[i] + raw[i + 2 :] for i in range(17)}
    return {n for n in changed | swapped if n[:17].isdigit() and number(f"{n[6:10]}-{n[10:12]}-{n[12:14]}", int(n[14:17]), n[:6]) == n}


@given(NUMBERS, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_finds_what_a_search_through_all_finds(right: str, place: int, shift: int) -> None:
    wrong = right[:place] + str((int(right[place]) + shift) % 10) + right[place + 1 :]
    if not wrong.endswith("000"):
        assert right in candidates(wrong)
        assert candidates(wrong) == naive(wrong)


def test_a_number_cut_by_a_spreadsheet_keeps_its_first_15_digits() -> None:
    assert candidates("440699199005061000") == {"440699199005061"}


def test_what_has_no_form_of_a_number_leads_nowhere() -> None:
    assert candidates("440699") == set()
    assert candidates("４４０６９９１９９００５０６０１１１") == set()
