"""Standardisation: a column as a department sent it → canonical values and fault codes, by the kind of its element.

The raw column stays with the caller. One function per kind, listed in KINDS; all are pure and work on whole Arrow columns.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, partial

import pyarrow as pa
import pyarrow.compute as pc

from rules.addresses import AddressBook, standardise_addresses
from rules.cells import Standardised, as_text, judge_distinct
from rules.characters import MISSING, MISSING_ZERO, TRIMMED
from rules.coded_values import judge_coded_value, table_of
from rules.credit_codes import judge_credit_code
from rules.dates import standardise_dates, standardise_timestamps
from rules.documents import judge_document_number
from rules.elements import Element
from rules.identity_numbers import standardise_identity_numbers
from rules.names import standardise_names
from rules.numbers import judge_boolean, judge_grid_code, judge_household_number, judge_money, judge_number, judge_text
from rules.phones import standardise_phones

__all__ = ["KINDS", "Standardised", "standardise"]


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a rule may know besides the text."""

    element: Element
    code_system: str | None
    areas: AddressBook | None
    today: date | None


Rule = Callable[[pa.StringArray, Context], Standardised]


def standardise(
    element: Element,
    values: pa.Array | pa.ChunkedArray,
    *,
    code_system: str | None = None,
    areas: AddressBook | None = None,
    today: date | None = None,
) -> Standardised:
    """Canonical values of one element, faults beside them, in the column's order and length.

    `code_system` names the table of the source's codes where it is not the element's; `areas` completes addresses and gives grid codes;
    `today` is the day against which birth, death and confirmation dates cannot lie in the future.
    """
    rule = KINDS[element.kind]
    context = Context(element=element, code_system=code_system, areas=areas, today=today)
    return rule(present(values, zero_is_value=element.kind in ZERO_IS_VALUE), context)


def present(values: pa.Array | pa.ChunkedArray, *, zero_is_value: bool = False) -> pa.StringArray:
    """The trimmed texts, null where a cell is empty or says only that there is no value."""
    trimmed = pc.utf8_trim(as_text(values), characters=TRIMMED)
    words = MISSING - MISSING_ZERO if zero_is_value else MISSING
    missing = pc.is_in(trimmed, value_set=pa.array(["", *sorted(words)]))
    return pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)


def _code(values: pa.StringArray, context: Context) -> Standardised:
    table = table_of(context.element.code_table, context.code_system)
    return judge_distinct(values, partial(judge_coded_value, table=table))


def _grid_code(values: pa.StringArray, context: Context) -> Standardised:
    known = context.areas.grid_codes if context.areas else None
    return judge_distinct(values, partial(judge_grid_code, known=known))


def _document(values: pa.StringArray, context: Context) -> Standardised:
    return judge_distinct(values, partial(judge_document_number, element_key=context.element.key))


def _identity(values: pa.StringArray, context: Context) -> Standardised:
    return standardise_identity_numbers(values, regions=_county_codes(), today=context.today)


@cache
def _county_codes() -> frozenset[str]:
    try:
        from rules.regions import county_codes
    except ImportError:
        return frozenset()
    return county_codes()


KINDS: Mapping[str, Rule] = {
    "id_number": _identity,
    "document_number": _document,
    "credit_code": lambda values, _: judge_distinct(values, judge_credit_code),
    "name": lambda values, _: standardise_names(values),
    "text": lambda values, _: judge_distinct(values, judge_text),
    "date": lambda values, c: standardise_dates(values, element_key=c.element.key, today=c.today),
    "timestamp": lambda values, c: standardise_timestamps(values, element_key=c.element.key, today=c.today),
    "phone": lambda values, _: standardise_phones(values),
    "address": lambda values, c: standardise_addresses(values, areas=c.areas),
    "code": _code,
    "number": lambda values, _: judge_distinct(values, judge_number),
    "money": lambda values, _: judge_distinct(values, judge_money),
    "boolean": lambda values, _: judge_distinct(values, judge_boolean),
    "grid_code": _grid_code,
    "household_number": lambda values, _: judge_distinct(values, judge_household_number),
}
ZERO_IS_VALUE = frozenset(("code", "number", "money", "boolean"))
