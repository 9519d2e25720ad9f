"""A column of texts through the standardiser of an element, as rows of (value, fault)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pyarrow as pa

from rules.addresses import AddressBook
from rules.elements import Element, load_elements
from rules.standardise import standardise

TODAY = date(2026, 11, 23)
TEST_REGIONS = frozenset(("110105", "440524", "440605", "440622", "440682"))
Row = tuple[str | None, str | None]


def element_of_kind(kind: str) -> Element:
    """An element of this kind, made where the list holds none."""
    elements = load_elements()
    return next((e for e in elements.values() if e.kind == kind), replace(elements["employer"], key=f"some_{kind}", kind=kind))


def rows(
    element: str | Element, texts: Sequence[str | None], *, code_system: str | None = None, areas: AddressBook | None = None
) -> list[Row]:
    """What becomes of each text on the day of the tests."""
    found = load_elements()[element] if isinstance(element, str) else element
    done = standardise(found, pa.array(texts, pa.string()), code_system=code_system, areas=areas, today=TODAY, regions=TEST_REGIONS)
    assert len(done.value) == len(done.fault) == len(texts)
    return list(zip(done.value.to_pylist(), done.fault.to_pylist(), strict=True))


def row(element: str | Element, text: str | None, *, code_system: str | None = None, areas: AddressBook | None = None) -> Row:
    return rows(element, [text], code_system=code_system, areas=areas)[0]
