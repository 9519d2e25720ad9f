"""How elements and their values are shown to people: the element's title beside its key, the code's meaning beside the code."""

from collections.abc import Mapping

from rules.code_tables import load_code_tables
from rules.elements import load_elements

TITLES = {"resident_id": "居民标识 resident_id", "disputed": "存疑 disputed"}
"""Of columns that are no elements, but stand among them in answers."""


def labels_of(column: str) -> Mapping[str, str]:
    """Code → label of the element that a column bears the name of; empty where it is not coded."""
    element = load_elements().get(column)
    table = load_code_tables().get(element.code_table) if element and element.code_table else None
    return table.labels if table else {}


def titled(column: str) -> str:
    """`性别 sex`; of a column that is no element its own name."""
    element = load_elements().get(column)
    return f"{element.title} {column}" if element else TITLES.get(column, column)


def readable(column: str, value: str | None) -> str:
    """`1 男性`; — where there is no value. A masked code has no meaning and stands alone."""
    label = labels_of(column).get(value or "")
    return "—" if value is None else f"{value} {label}" if label else value
