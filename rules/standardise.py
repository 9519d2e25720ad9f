"""Standardisation: a column as a department sent it → canonical values and fault codes, by the kind of its element.

The raw column stays with the caller. One function per kind, listed in KINDS; all are pure and work on whole Arrow columns.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from datetime import date
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from rules.addresses import AddressBook, standardise_addresses
from rules.cells import Standardised, as_text, judge_distinct
from rules.characters import TRIMMED
from rules.coded_values import judge_coded_value, table_of
from rules.credit_codes import judge_credit_code
from rules.dates import standardise_dates, standardise_timestamps
from rules.documents import judge_document_number
from rules.elements import Element
from rules.identity_numbers import standardise_identity_numbers
from rules.missing import missing_words
from rules.names import standardise_names
from rules.numbers import NO, judge_boolean, judge_grid_code, judge_household_number, judge_money, judge_number, judge_text
from rules.phones import standardise_phones
from rules.regions import county_codes

__all__ = ["KINDS", "Standardised", "standardise"]


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a rule may know besides the text."""

    element: Element
    code_system: str | None
    areas: AddressBook | None
    today: date | None
    regions: Set[str]


Rule = Callable[[pa.StringArray, Context], Standardised]


def standardise(
    element: Element,
    values: pa.Array | pa.ChunkedArray,
    *,
    code_system: str | None = None,
    areas: AddressBook | None = None,
    today: date | None = None,
    regions: Set[str] | None = None,
) -> Standardised:
    """Canonical values of one element, faults beside them, in the column's order and length.

    `code_system` names the table of the source's codes where it is not the element's; `areas` completes addresses and gives grid codes;
    `today` is the day against which birth, death and confirmation dates cannot lie in the future; `regions` are the county codes that
    numbers may begin with, where a test register is added to those that ship (`RegionRegister.with_codes`).
    """
    context = Context(
        element=element, code_system=code_system, areas=areas, today=today, regions=county_codes() if regions is None else regions
    )
    return KINDS[element.kind](present(values, missing_in(element, code_system)), context)


def missing_in(element: Element, code_system: str | None = None) -> frozenset[str]:
    """The texts that say "no value" here: not zero where it can be a value, not 无 where a code table or a yes/no means it."""
    words = missing_words(zero_is_value=element.kind in ZERO_IS_VALUE)
    if element.kind == "boolean":
        return words - NO
    if element.kind != "code":
        return words
    table = table_of(element.code_table, code_system)
    return frozenset(word for word in words if not word or table.code_of(word) is None)


def present(values: pa.Array | pa.ChunkedArray, missing: frozenset[str]) -> pa.StringArray:
    """The trimmed texts, null where a cell is empty or says only that there is no value."""
    trimmed = pc.utf8_trim(as_text(values), characters=TRIMMED)
    return pc.if_else(pc.is_in(trimmed, value_set=pa.array(sorted(missing))), pa.scalar(None, pa.string()), trimmed)


def _code(values: pa.StringArray, context: Context) -> Standardised:
    table = table_of(context.element.code_table, context.code_system)
    return judge_distinct(values, partial(judge_coded_value, table=table))


def _grid_code(values: pa.StringArray, context: Context) -> Standardised:
    known = context.areas.grid_codes if context.areas else None
    return judge_distinct(values, partial(judge_grid_code, known=known))


def _document(values: pa.StringArray, context: Context) -> Standardised:
    return judge_distinct(values, partial(judge_document_number, element_key=context.element.key))


def _identity(values: pa.StringArray, context: Context) -> Standardised:
    return standardise_identity_numbers(values, regions=context.regions, today=context.today)


def _takes_landlines(element: Element) -> bool:
    """A person's number is a mobile one; offices, and the element that asks for it, have landlines."""
    return element.key in ("landline", "employer_phone") or element.describes != "person"


KINDS: Mapping[str, Rule] = {
    "id_number": _identity,
    "document_number": _document,
    "credit_code": lambda values, _: judge_distinct(values, judge_credit_code),
    "name": lambda values, _: standardise_names(values),
    "text": lambda values, _: judge_distinct(values, judge_text),
    "date": lambda values, c: standardise_dates(values, element_key=c.element.key, today=c.today),
    "timestamp": lambda values, c: standardise_timestamps(values, element_key=c.element.key, today=c.today),
    "phone": lambda values, c: standardise_phones(values, landlines=_takes_landlines(c.element)),
    "address": lambda values, c: standardise_addresses(values, areas=c.areas),
    "code": _code,
    "number": lambda values, _: judge_distinct(values, judge_number),
    "money": lambda values, _: judge_distinct(values, judge_money),
    "boolean": lambda values, _: judge_distinct(values, judge_boolean),
    "grid_code": _grid_code,
    "household_number": lambda values, _: judge_distinct(values, judge_household_number),
}
ZERO_IS_VALUE = frozenset(("code", "number", "money", "boolean"))
