"""Elements and values as people read them."""

import pytest

from rules.labels import readable, titled


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("marital_status", "20", "20 已婚"),
        ("marital_status", "99", "99"),
        ("marital_status", "*", "*"),
        ("marital_status", None, "—"),
        ("name", "王**", "王**"),
        ("secret", "1", "1"),
    ],
)
def test_a_code_stands_with_its_meaning_and_anything_else_alone(column: str, value: str | None, shown: str) -> None:
    assert readable(column, value) == shown


def test_an_element_stands_under_its_title_and_any_other_column_under_its_name() -> None:
    assert [titled(name) for name in ("sex", "disputed", "grid_note")] == ["性别 sex", "存疑 disputed", "grid_note"]
