"""The table of field classes against the elements. law.md G-07, G-08."""

import pytest

from rules.elements import load_elements
from rules.levels import Level, highest, load_levels

TABLE = load_levels()


def test_every_class_cites_known_sources_and_has_the_strictest_level() -> None:
    assert TABLE.version >= 1
    for found in TABLE.classes.values():
        assert set(found.by_source) <= set(TABLE.sources) and found.by_source
        assert found.level == sorted(found.by_source.values())[-1]


def test_where_the_two_standards_differ_both_are_cited_and_the_stricter_holds() -> None:
    """G-07: of the number of an identity card."""
    numbers = TABLE.classes["identity_numbers"]
    assert numbers.by_source["gbt_35273"] is Level.L3 and numbers.by_source["gbt_45574"] is Level.L2
    assert TABLE.floor("id_number") is Level.L3


def test_no_element_is_graded_below_its_class() -> None:
    elements = load_elements()
    for key, found in TABLE.by_element.items():
        assert Level(elements[key].level) >= found.level, key


def test_every_person_element_of_the_highest_level_has_its_class() -> None:
    """So that whoever adds one says why."""
    highest_ones = {key for key, element in load_elements().items() if element.level == "L4"}
    assert highest_ones <= set(TABLE.by_element)


@pytest.mark.parametrize(
    ("element", "level"), [("religion", "L4"), ("ethnicity", "L3"), ("marital_status", "L3"), ("sex", "L2"), (None, "L1")]
)
def test_a_floor_is(element: str | None, level: str) -> None:
    assert TABLE.floor(element) == level


def test_the_highest_of_none_is_the_highest_there_is() -> None:
    assert highest([]) is Level.L4
    assert highest([Level.L1, Level.L3]) is Level.L3
