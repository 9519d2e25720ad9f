"""Phone numbers (电话): mobile numbers of 11 digits, law.md D-43, X-16.

A person's phone is a mobile number; a landline belongs to a flat or an office, is no evidence for a person, and its 10 to 12 digits would
not fit the canonical 11. So in a person's element it is void with a fault of its own; the element `landline` takes it as 0757-81234567.
"""

import re
from functools import partial

import numpy as np
import pyarrow as pa

from rules.cells import Cell, Matrix, Standardised, bytes_of_width, judge_rest, nothing, null_mask, only_where
from rules.characters import DASHES, FULL_WIDTH, INVISIBLE, SCIENTIFIC

MOBILE = re.compile(r"1[3-9][0-9]{9}")
PLACEHOLDERS = frozenset(
    (
        *("13800138000", "13800000000", "13000000000", "13900000000", "10000000000", "12345678901", "12345678910"),
        *("13812345678", "13912345678", "13512345678"),
    )
)

_LANDLINE = re.compile(r"(0(?:10|2[0-9]|[3-9][0-9]{2}))?([2-9][0-9]{6,7})(?:(?:转|#|EXT)([0-9]{1,6}))?")
_THINGS = re.compile(r"1[0-9]{12}")
_BETWEEN_NUMBERS = re.compile(r"[/／、,，;；|\\\n或和及&]+|\s+(?=1[3-9][0-9]{9}|0[0-9]{2,3}[-—]?[0-9]{7,8})")
_INSIDE = re.compile(rf"[\s{DASHES}{INVISIBLE}().·_（）]")
_COUNTRY = re.compile(r"^(?:\+|00)?86(?=1[3-9][0-9]{9}$|0?[1-9][0-9]{8,})")
_MASKED = re.compile(r"[0-9]{2,}[*●•X#]{2,}[0-9]*")
_EXTENSION = re.compile(r"(?<=[0-9]{7})\s*[-—转]\s*(?=[0-9]{1,6}$)")
_DECIMAL_TAIL = re.compile(r"\.0+$")
_LABEL = re.compile(r"^[^0-9+]{1,6}[:： ]*|\(?[^0-9()*]{1,6}\)?$")


def standardise_phones(values: pa.StringArray, *, landlines: bool) -> Standardised:
    """Mobile numbers of 11 digits, with `landlines` also those; the common spelling is decided on whole columns, the others one by one."""
    rows, matrix = bytes_of_width(values, 11)
    done = null_mask(values)
    done[rows[_mobile(matrix)]] = True
    quick = Standardised(value=only_where(values, done), fault=nothing(len(values)))
    return judge_rest(values, quick, done, partial(judge_phone, landlines=landlines))


def judge_phone(text: str, *, landlines: bool = False) -> Cell:
    """The first mobile number of the cell, else the first landline where those count; noted when there are several numbers."""
    plain = text.strip().translate(FULL_WIDTH)
    if SCIENTIFIC.fullmatch(plain):
        return Cell(None, "PHONE-LOST")
    numbers = [number for part in _BETWEEN_NUMBERS.split(_DECIMAL_TAIL.sub("", plain)) if (number := _bare(part))]
    taken = [number for number in numbers if MOBILE.fullmatch(number) and not _placeholder(number)]
    if landlines:
        taken += [_landline(found) for number in numbers if (found := _LANDLINE.fullmatch(number)) and not _placeholder(number)]
    if taken:
        return Cell(taken[0], "PHONE-SEVERAL" if len(set(numbers)) > 1 else None)
    return Cell(None, _why_none(numbers[0]) if numbers else "PHONE-MALFORMED")


def _bare(part: str) -> str:
    return _COUNTRY.sub("", _INSIDE.sub("", _EXTENSION.sub("#", _LABEL.sub("", part.strip()))).upper())


def _landline(found: re.Match[str]) -> str:
    return "-".join(part for part in found.groups() if part)


def _why_none(number: str) -> str:
    if _placeholder(number):
        return "PHONE-PLACEHOLDER"
    for shape, fault in ((_THINGS, "PHONE-THINGS"), (_LANDLINE, "PHONE-LANDLINE"), (_MASKED, "PHONE-MASKED")):
        if shape.fullmatch(number):
            return fault
    return "PHONE-MALFORMED"


def _placeholder(number: str) -> bool:
    return number in PLACEHOLDERS or len(set(number)) == 1 or (len(number) == 11 and set(number[3:]) == {"0"})


def _mobile(matrix: Matrix) -> Matrix:
    """Which rows are 1, 3–9 and nine digits, and no placeholder (those go the slow way)."""
    digits = matrix - 48
    shaped = (digits < 10).all(axis=1) & (digits[:, 0] == 1) & (digits[:, 1] >= 3)
    value = (digits[:, 1:].astype(np.float64) @ 10.0 ** np.arange(9, -1, -1)).astype(np.int64) + 10**10
    known = np.isin(value, [int(number) for number in PLACEHOLDERS])
    same = (matrix == matrix[:, :1]).all(axis=1) | (digits[:, 3:] == 0).all(axis=1)
    return shaped & ~known & ~same
