"""Dates and points in time (GB/T 7408): ISO 8601 with the precision that the source knows (`1990`, `1990-05`); law.md D-31, X-13."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules.cells import Cell, Matrix, Standardised, bytes_of_width, judge_rest, nothing, null_mask, placed, texts_of_width
from rules.characters import FULL_WIDTH

EARLIEST_YEAR, LATEST_YEAR = 1850, 2200
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
PLACEHOLDERS = frozenset(
    (
        *("0001-01-01", "1111-11-11", "1899-12-30", "1899-12-31", "1900-01-00", "1900-01-01", "2099-12-31", "2222-02-22"),
        *("2999-12-31", "3000-01-01", "9999-01-01", "9999-12-31"),
    )
)
NOT_IN_THE_FUTURE = frozenset(("birth_date", "death_date", "updated_at"))
NO_END = frozenset(("长期", "永久", "长期有效", "永久有效", "无固定期限", "至今"))
"""An end that is open: no date, and no fault."""

TWO_DIGIT_PIVOT = 30
"""Two-digit years up to this are of this century where today is not known."""
SERIAL_RANGE = (10_000, 80_000)
"""Spreadsheet serials taken as dates (1927–2119); shorter numbers are years."""
SERIAL_ORIGIN = date(1899, 12, 30)
BEIJING = timezone(timedelta(hours=8))

_CHINESE_DIGITS = str.maketrans("〇○零一二三四五六七八九元", "0001234567891")
_TIME_TAIL = re.compile(
    r"(?:[T日号\s]\s*|(?<=[0-9])\s+)?(?:[上下]午|[AP]M)?\s*"
    r"(\d{1,2})(?::|[时点](?=\d|\s*$))(\d{1,2})?(?:[:分](\d{1,2})?)?秒?(?:\.\d+)?\s*([AP]M)?\s*(Z|[+-]\d{2}:?\d{2})?$",
    re.ASCII,
)
_DATE_SIGNS, _TIME_SIGNS = np.frombuffer(b"-/.", np.uint8), np.frombuffer(b" T", np.uint8)
_AFTERNOON = re.compile(r"下午|PM")
_LUNAR = re.compile(r"[农阴旧][历曆]|[初廿]|腊月|正月|闰|冬月")
_LUNAR_YEAR = re.compile(r"([0-9]{4})")
_LUNAR_LATE = re.compile(r"腊月|冬月|十[一二]月|1[12]月|[-/.]1[12][-/.]")
_REPUBLIC = re.compile(r"^民国(\d{1,3})年?")


class _Parts(NamedTuple):
    year: int
    month: int = 0
    day: int = 0
    fault: str | None = None


def standardise_dates(values: pa.StringArray, *, element_key: str, today: date | None) -> Standardised:
    """Calendar dates; a time of day is dropped."""
    judge = partial(judge_date, element_key=element_key, today=today)
    return _standardise(values, judge, last=_last_day(element_key, today), with_time=False)


def standardise_timestamps(values: pa.StringArray, *, element_key: str, today: date | None) -> Standardised:
    """Points in time, `2026-11-20T08:30:00` in local time, or the date alone where the source knows no more."""
    judge = partial(judge_timestamp, element_key=element_key, today=today)
    return _standardise(values, judge, last=_last_day(element_key, today), with_time=True)


def exists(year: Matrix, month: Matrix, day: Matrix) -> Matrix:
    """Which of many dates are in the calendar."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = _MONTH_DAYS[np.where(month > 12, 0, month)] + (leap & (month == 2))
    return (year >= EARLIEST_YEAR) & (day >= 1) & (day <= longest)


def _last_day(element_key: str, today: date | None) -> int:
    """As YYYYMMDD; without a limit of the element's, the last day before the placeholders of the far future."""
    return int(today.strftime("%Y%m%d")) if today and element_key in NOT_IN_THE_FUTURE else 2099_01_01


def judge_date(text: str, *, element_key: str, today: date | None) -> Cell:
    """One text as a date, rarest spellings last."""
    plain = _plain(text)
    if plain in NO_END:
        return Cell(None)
    if _LUNAR.search(plain):
        return _lunar(plain)
    day, _ = _split_time(plain)
    return _checked(_parts(day.translate(_CHINESE_DIGITS), today), element_key, today)


def judge_timestamp(text: str, *, element_key: str, today: date | None) -> Cell:
    plain = _plain(text)
    if instant := _compact_instant(plain):
        plain = instant
    cell = judge_date(plain, element_key=element_key, today=today)
    _, time = _split_time(plain)
    return Cell(f"{cell.value}T{time}", cell.fault) if time and cell.value and len(cell.value) == 10 else cell


def _plain(text: str) -> str:
    return text.strip().translate(FULL_WIDTH).strip().upper()


def _split_time(plain: str) -> tuple[str, str | None]:
    """The date part and, where there is one, the time of day as HH:MM:SS."""
    found = _TIME_TAIL.search(plain)
    if not found:
        return plain, None
    hour, minute, second = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    hour += 12 if _AFTERNOON.search(found[0]) and hour < 12 else 0
    head = plain[: found.start()] + (found[0][0] if found[0][:1] in ("日", "号") else "")
    return head.rstrip(), f"{hour:02}:{minute:02}:{second:02}" if hour < 24 and minute < 60 and second < 61 else None


def _compact_instant(plain: str) -> str | None:
    """14 or 12 digits, or seconds and milliseconds since 1970, in the spelling with separators."""
    if re.fullmatch(r"[12][0-9]{3}(?:[0-9]{8}|[0-9]{10})", plain) and 1850 <= int(plain[:4]) <= 2200:
        return f"{plain[:8]} {plain[8:10]}:{plain[10:12]}:{plain[12:] or '00'}"
    if re.fullmatch(r"1[0-9]{9}(?:[0-9]{3})?", plain):
        return datetime.fromtimestamp(int(plain[:10]), UTC).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
    return None


def _lunar(plain: str) -> Cell:
    """Day and month of the lunar calendar are not those of ours, and its last two months may lie in the next year."""
    if not (year := _LUNAR_YEAR.search(plain.translate(_CHINESE_DIGITS))):
        return Cell(None, "DATE-MALFORMED")
    return Cell(None, "DATE-LUNAR-YEAR-END") if _LUNAR_LATE.search(plain) else Cell(year[1], "DATE-LUNAR")


def _year_first(m: re.Match[str], _: date | None) -> _Parts:
    return _Parts(int(m[1]), int(m[2] or 0), int(m[3] or 0))


def _republic(m: re.Match[str], _: date | None) -> _Parts:
    return _Parts(int(m[1]) + 1911, int(m[2] or 0), int(m[3] or 0))


def _two_digit_year(m: re.Match[str], today: date | None) -> _Parts:
    pivot = today.year % 100 if today else TWO_DIGIT_PIVOT
    year = int(m[1])
    return _Parts(year + (2000 if year <= pivot else 1900), int(m[2]), int(m[3]), "DATE-TWO-DIGIT-YEAR")


def _year_last(m: re.Match[str], _: date | None) -> _Parts:
    first, second, year = int(m[1]), int(m[2]), int(m[3])
    if first > 12 or second > 12 or first == second:
        month, day = (second, first) if first > 12 else (first, second)
        return _Parts(year, month, day, "DATE-ORDER")
    return _Parts(year, fault="DATE-ORDER")


def _serial(m: re.Match[str], _: date | None) -> _Parts:
    found = SERIAL_ORIGIN + timedelta(days=int(m[1]))
    inside = SERIAL_RANGE[0] <= int(m[1]) <= SERIAL_RANGE[1]
    return _Parts(found.year, found.month, found.day, "DATE-SERIAL") if inside else _Parts(0)


def _chinese_month(text: str) -> int:
    """十二 → 12, after the digits have been translated: 十2, 2十1 and 十 are left."""
    if "十" not in text:
        return int(text)
    tens, ones = text.split("十", 1)
    return int(tens or 1) * 10 + int(ones or 0)


_END = r"[日号]?[\s.,]*$"
# The first spelling that fits the whole text decides.
_SPELLINGS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date | None], _Parts]], ...] = (
    (re.compile(r"(\d{4})\s*[-/.年\\_ ]\s*(\d{1,2})\s*(?:[-/.月\\_ ]\s*(?:(\d{1,2})\s*" + _END + r")?)?$", re.ASCII), _year_first),
    (re.compile(r"((?:1[89]|2[012]|99)\d\d)(0\d|1[0-2])(\d\d)?$", re.ASCII), _year_first),
    (re.compile(r"()?(\d{4})()年?$", re.ASCII), lambda m, _: _Parts(int(m[2]))),
    (re.compile(r"(\d{5})(?:\.\d+)?$", re.ASCII), _serial),
    (re.compile(r"民国(\d{1,3})年(?:(\d{1,2})月(?:(\d{1,2})[日号]?)?)?$", re.ASCII), _republic),
    (re.compile(r"(\d{2})[-/.年](\d{1,2})[-/.月](\d{1,2})" + _END, re.ASCII), _two_digit_year),
    (re.compile(r"(\d\d)(0[1-9]|1[0-2])(\d\d)$", re.ASCII), _two_digit_year),
    (re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$", re.ASCII), _year_last),
    (re.compile(r"()?((?:1[89]|2[01])\d\d)\d{4}()$", re.ASCII), lambda m, _: _Parts(int(m[2]), 99)),
)


def _parts(day: str, today: date | None) -> _Parts | None:
    text = re.sub(r"[0-9]?十[0-9]?", lambda m: str(_chinese_month(m[0])), day.strip("'\" "))
    text = re.sub(r"\.0+$", "", text) if re.fullmatch(r"[0-9]{4,8}\.0+", text) else text
    for spelling, read in _SPELLINGS:
        if found := spelling.match(text):
            return read(found, today)
    return None


def _checked(parts: _Parts | None, element_key: str, today: date | None) -> Cell:
    """Zero for day or month says that it is not known, as registers of older people have it."""
    if parts is None:
        return Cell(None, "DATE-MALFORMED")
    iso = f"{parts.year:04}-{parts.month:02}-{parts.day:02}"
    if iso in PLACEHOLDERS or parts.year == 0:
        return Cell(None, "DATE-PLACEHOLDER")
    if not EARLIEST_YEAR <= parts.year <= LATEST_YEAR or not _in_calendar(parts):
        return Cell(None, "DATE-IMPOSSIBLE")
    value = iso if parts.day and parts.month else iso[:7] if parts.month else iso[:4]
    if today is not None and element_key in NOT_IN_THE_FUTURE and value > today.isoformat():
        return Cell(None, "DATE-FUTURE")
    return Cell(value, parts.fault)


def _in_calendar(parts: _Parts) -> bool:
    try:
        date(parts.year, parts.month or 1, parts.day or 1)
    except ValueError:
        return False
    return True


def _standardise(values: pa.StringArray, judge: Callable[[str], Cell], *, last: int, with_time: bool) -> Standardised:
    """The common spellings of plain days up to `last` (YYYYMMDD) are rewritten column-wise; every other distinct text is judged."""
    done = null_mask(values)
    value = nothing(len(values))
    for width in (8, 10, 19) if with_time else (8, 10):
        rows, matrix = bytes_of_width(values, width)
        iso, good = _canonical(matrix, last)
        done[rows[good]] = True
        value = pc.coalesce(value, placed(len(values), rows[good], texts_of_width(iso[good])))
    return judge_rest(values, Standardised(value=value, fault=nothing(len(values))), done, judge)


def _canonical(matrix: Matrix, last: int) -> tuple[Matrix, Matrix]:
    """YYYYMMDD, YYYY-MM-DD, YYYY/MM/DD, each perhaps with HH:MM:SS, as ISO; and which rows are so and lie between 1901 and `last`."""
    width = matrix.shape[1]
    good = np.ones(len(matrix), bool)
    if width == 8:
        matrix = np.insert(matrix, (4, 6), ord("-"), axis=1)
    else:
        good &= (matrix[:, 4] == matrix[:, 7]) & np.isin(matrix[:, 4], _DATE_SIGNS)
        good &= np.isin(matrix[:, 10], _TIME_SIGNS) & (matrix[:, [13, 16]] == ord(":")).all(axis=1) if width == 19 else True
        matrix = matrix.copy()
        matrix[:, [4, 7]] = ord("-")
        matrix[:, 10:11] = ord("T")
    digits = [at for at in range(matrix.shape[1]) if at not in (4, 7, 10, 13, 16)]
    good &= ((matrix[:, digits] - 48) < 10).all(axis=1)
    return matrix, good & _plain_day(matrix, last) & (_plain_time(matrix) if width == 19 else True)


def _plain_day(matrix: Matrix, last: int) -> Matrix:
    year, month, day = _pair(matrix, 0) * 100 + _pair(matrix, 2), _pair(matrix, 5), _pair(matrix, 8)
    return (year >= 1901) & (year * 10000 + month * 100 + day <= last) & exists(year, month, day)


def _plain_time(matrix: Matrix) -> Matrix:
    return (_pair(matrix, 11) < 24) & (_pair(matrix, 14) < 60) & (_pair(matrix, 17) < 60)


def _pair(matrix: Matrix, at: int) -> Matrix:
    return (matrix[:, at] - 48).astype(np.int32) * 10 + (matrix[:, at + 1] - 48)
