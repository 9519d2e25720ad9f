"""Levels of unequal names, judged by whole columns, agree with their definitions name by name."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from golden.name_comparison import _levels

NAMES = st.text("陈大文王?", min_size=1, max_size=6)


def level_of(a: str, b: str, same_sound: bool) -> str:
    same = [x == y for x, y in zip(a, b, strict=False) if "?" not in (x, y)]
    if "?" in a + b and len(a) == len(b) and same and all(same):
        return "wildcard"
    if same_sound:
        return "pinyin"
    if OSA.distance(a, b) == 1 and min(len(a), len(b)) >= 2:
        return "shortened" if len(a) != len(b) else "one_edit"
    return "surname" if a[0] == b[0] else "else"


@given(st.lists(st.tuples(NAMES, NAMES, st.booleans()).filter(lambda row: row[0] != row[1]), min_size=1, max_size=30))
def test_a_level_is_what_its_definition_says_of_the_two_names(rows: list[tuple[str, str, bool]]) -> None:
    a, b, same = (pa.array(column) for column in zip(*rows, strict=True))
    found = _levels(pa.record_batch({"a": a, "b": b, "same_sound": same}))
    assert found.to_pylist() == [level_of(*row) for row in rows]
