"""Citizen identity numbers (公民身份号码, GB 11643-1999) and the cards built like them: law.md D-01…D-13, X-01…X-05.

18 characters: region 6, birth date 8, sequence 3 (odd male, even female), check character by ISO 7064 MOD 11-2. Residence permits of
Hong Kong, Macau and Taiwan residents (regions 810000, 820000, 830000) and permanent-residence cards of foreigners (first digit 9: 9,
province 2, nationality 3) share that layout.
"""

import re
from collections.abc import Set
from datetime import date
from functools import partial

import numpy as np
import pyarrow as pa

from rules.cells import Cell, Matrix, Standardised, bytes_of_width, fault_column, judge_rest, null_mask, placed, texts_of_width
from rules.characters import FULL_WIDTH, SCIENTIFIC, SEPARATORS
from rules.dates import EARLIEST_YEAR, exists
from rules.documents import recognise

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
RESIDENCE_PERMIT_REGIONS = {"810000": "hong_kong_residence", "820000": "macau_residence", "830000": "taiwan_residence"}
CENTENARIAN_SEQUENCES = ("996", "997", "998", "999")

_FAULTS = (None, "ID-REGION", "ID-DOUBTFUL", "ID-SEQUENCE", "ID-FUTURE", "ID-DATE", "ID-CHECK", "ID-LOST", "ID-PLACEHOLDER")
_NONE, _REGION, _DOUBTFUL, _SEQUENCE, _FUTURE, _DATE, _CHECK, _LOST, _PLACEHOLDER = range(len(_FAULTS))
_FIRST_VOID = _SEQUENCE

_LIKE_X = re.compile(r"(?<=^[0-9]{17})[XxⅩⅹХхΧχ×✕✖*]$")
_FULL = re.compile(r"[0-9]{17}[0-9X]")
_OLD = re.compile(r"[0-9]{15}")
_FOREIGN_2017 = re.compile(r"[A-Z]{3}[0-9]{12}")
_WITH_SUFFIX = re.compile(r"([0-9]{17}[0-9X])([0-9A-Z]{1,2}|之?[子女儿孩].{0,2}|[长次三幼婴小].{0,3})")
_WITH_PREFIX = re.compile(r"[父母家监][^0-9]{0,3}([0-9]{17}[0-9X])")
_DECIMAL_TAIL = re.compile(r"(?<=^[0-9]{15})\.0+$|(?<=^[0-9]{18})\.0+$")
_MASKED = re.compile(r"[0-9X*●•#]*[*●•#]{2,}[0-9X*●•#]*")


def check_character(first17: str) -> str:
    """The 18th character: C = "10X98765432"[S mod 11] (GB 11643)."""
    return CHECK_CHARACTERS[sum(int(digit) * weight for digit, weight in zip(first17, WEIGHTS, strict=True)) % 11]


def standardise_identity_numbers(values: pa.StringArray, *, regions: Set[str], today: date | None) -> Standardised:
    """Numbers of 18 characters with a capital X. `regions` are the codes that ever were a county's (D-05: others are only noted).

    A number in the column that is plainly another document's (passport, travel permit, 15-character permanent-residence card) stands in
    that document's spelling: people without a citizen's number are found by it.
    """
    rows, matrix = bytes_of_width(values, 18)
    seventeen, matrix = _digits_and_x(rows, matrix)
    rows, matrix = rows[seventeen], matrix[seventeen]
    verdict = _verdicts(matrix, _region_table(regions), _as_number(today))
    done = null_mask(values)
    done[rows] = True
    good = verdict < _FIRST_VOID
    value = placed(len(values), rows[good], texts_of_width(matrix[good]))
    quick = Standardised(value=value, fault=fault_column(len(values), rows, verdict, _FAULTS))
    return judge_rest(values, quick, done, partial(judge_identity_number, regions=regions, today=today))


def judge_identity_number(text: str, *, regions: Set[str], today: date | None) -> Cell:
    """The rule for one text, in plain words; the column version above takes its common path only for 18 ASCII characters."""
    plain = text.strip().translate(FULL_WIDTH)
    if SCIENTIFIC.fullmatch(plain):
        return Cell(None, "ID-LOST")
    number = _LIKE_X.sub("X", SEPARATORS.sub("", _DECIMAL_TAIL.sub("", plain))).upper()
    if _FULL.fullmatch(number):
        return _judge_18(number, regions, today)
    if _OLD.fullmatch(number):
        return _judge_15(number, regions, today)
    if _WITH_SUFFIX.fullmatch(number) or _WITH_PREFIX.fullmatch(number):
        return Cell(None, "ID-GUARDIAN")
    return _judge_other(number)


def kind_of(number: str) -> str:
    """Which document a canonical number belongs to (TX-16)."""
    if not _FULL.fullmatch(number):
        return recognise(number)[0] or "unknown"
    if number[0] == "9":
        return "permanent_residence_2023"
    return RESIDENCE_PERMIT_REGIONS.get(number[:6], "citizen")


def _judge_18(number: str, regions: Set[str], today: date | None) -> Cell:
    if number[6:17] == "19000101000" or len(set(number)) == 1:
        return Cell(None, "ID-PLACEHOLDER")
    if number[17] != check_character(number[:17]):
        return Cell(None, "ID-LOST" if number.endswith("000") else "ID-CHECK")
    if (born := _date_in(number)) is None:
        return Cell(None, "ID-DATE")
    if today is not None and born > today:
        return Cell(None, "ID-FUTURE")
    if number[14:17] == "000":
        return Cell(None, "ID-SEQUENCE")
    if number.endswith("000"):
        return Cell(number, "ID-DOUBTFUL")
    known = number[0] == "9" or number[:6] in RESIDENCE_PERMIT_REGIONS or number[:6] in regions
    return Cell(number, None if known else "ID-REGION")


def _judge_15(number: str, regions: Set[str], today: date | None) -> Cell:
    """D-02: the century of the sequences 996–999 was the one before; nothing says so in the number once it is rewritten."""
    if len(set(number)) == 1:
        return Cell(None, "ID-PLACEHOLDER")
    if number[12:] in CENTENARIAN_SEQUENCES:
        return Cell(None, "ID-15-CENTURY")
    first17 = number[:6] + "19" + number[6:]
    cell = _judge_18(first17 + check_character(first17), regions, today)
    return Cell(cell.value, "ID-15") if cell.value else cell


def _judge_other(number: str) -> Cell:
    if _FOREIGN_2017.fullmatch(number):
        return Cell(number)
    if _MASKED.fullmatch(number):
        return Cell(None, "ID-MASKED")
    if number.isdigit() and len(set(number)) == 1:
        return Cell(None, "ID-PLACEHOLDER")
    kind, canonical = recognise(number)
    return Cell(canonical, "ID-DOCUMENT") if kind else Cell(None, "ID-MALFORMED")


def _date_in(number: str) -> date | None:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    return born if born.year >= EARLIEST_YEAR else None


def _digits_and_x(rows: Matrix, matrix: Matrix) -> tuple[Matrix, Matrix]:
    """Which rows are 17 digits and a digit or x, and the matrix with capital X."""
    last = matrix[:, 17]
    if (last == ord("x")).any():
        matrix = matrix.copy()
        matrix[:, 17] = last = np.where(last == ord("x"), ord("X"), last)
    digits = (matrix - 48) < 10
    return digits[:, :17].all(axis=1) & (digits[:, 17] | (last == ord("X"))), matrix


def _verdicts(matrix: Matrix, regions: Matrix, today: int) -> Matrix:
    """Positions in _FAULTS, one per row; what is written later outranks what was written before."""
    digits = (matrix[:, :17] - 48).astype(np.float32)
    region, year, month_day, sequence = (_number(digits, a, b) for a, b in ((0, 6), (6, 10), (10, 14), (14, 17)))
    checks = (digits @ np.array(WEIGHTS, np.float32)).astype(np.int64) % 11
    right = np.frombuffer(CHECK_CHARACTERS.encode(), np.uint8)[checks] == matrix[:, 17]
    cut = (matrix[:, 15:] == 48).all(axis=1)
    born = year * 10000 + month_day
    verdict = np.full(len(matrix), _NONE, np.int8)
    verdict[~(regions[region] | (matrix[:, 0] == ord("9")))] = _REGION
    verdict[cut] = _DOUBTFUL
    verdict[sequence == 0] = _SEQUENCE
    verdict[born > today] = _FUTURE
    verdict[~exists(year, month_day // 100, month_day % 100)] = _DATE
    verdict[~right] = _CHECK
    verdict[~right & cut] = _LOST
    verdict[((born == 19000101) & (sequence == 0)) | (matrix == matrix[:, :1]).all(axis=1)] = _PLACEHOLDER
    return verdict


def _number(digits: Matrix, start: int, stop: int) -> Matrix:
    """The decimal number in some columns; at most 7 digits, so that float32 holds it exactly."""
    return (digits[:, start:stop] @ (10.0 ** np.arange(stop - start - 1, -1, -1)).astype(np.float32)).astype(np.int64)


def _region_table(regions: Set[str]) -> Matrix:
    known = np.zeros(1_000_000, bool)
    known[[int(code) for code in (*regions, *RESIDENCE_PERMIT_REGIONS)]] = True
    return known


def _as_number(today: date | None) -> int:
    return int(today.strftime("%Y%m%d")) if today else 99_999_999
