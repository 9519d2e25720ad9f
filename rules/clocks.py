"""Working days and clocks (工作日、时限): on which day something is due, and whether that day is certain (law.md L-15…L-19, L-36…L-38).

Day 1 is the first working day after the day of receipt; what is due is due by the end of office hours of day N (民法典 201, 203). A day is
a day in China. Where the State Council has not announced a year, Monday to Friday but the statutory days off count as working days, and a
due date that rests on such a year is provisional (暂定).
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from rules.errors import Refused

SATURDAY = 5
LONGEST_HOLIDAY_DAYS = 15
MAX_DOCUMENT_CHARACTERS = 60
LONGEST_LIMIT_DAYS = 60
"""No limit is longer: the law's whole road of a request takes 40 working days (L-39)."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """The day on which something is due; `provisional` where it rests on a year that is not announced."""

    day: date
    provisional: bool


@dataclass(frozen=True, kw_only=True)
class Notice:
    """The State Council's arrangement of one year (放假安排): days off, and weekend days that are worked."""

    year: int
    document: str
    off: frozenset[date]
    working: frozenset[date]


@dataclass(frozen=True, kw_only=True)
class WorkingDays:
    """One version of the calendar. It knows the years of `statutory`, without a gap."""

    version: int
    notices: Mapping[int, Notice]
    statutory: Mapping[int, frozenset[date]]

    def announced(self, year: int) -> bool:
        """Whether the State Council's notice of the year is in this calendar."""
        return year in self.notices

    def is_working(self, day: date) -> bool:
        """Refused CLK-YEAR for a year that the calendar does not know."""
        if day.year not in self.statutory:
            raise Refused("CLK-YEAR", where=str(day.year))
        return day in self._working_set

    def after(self, day: date, days: int) -> Due:
        """The last of so many working days after a day of receipt, which itself does not count (L-36)."""
        assert days > 0, "a clock has at least one day"
        if day.year not in self.statutory:
            raise Refused("CLK-YEAR", where=str(day.year))
        index = bisect_right(self._working, day) + days - 1
        if index >= len(self._working):
            raise Refused("CLK-YEAR", where=str(max(self.statutory) + 1))
        due = self._working[index]
        return Due(day=due, provisional=any(not self.announced(year) for year in range(day.year, due.year + 1)))

    def between(self, start: date, end: date) -> int:
        """Working days after `start` up to `end`: so many days of a clock are used up by then. Negative where `end` lies before."""
        for day in (start, end):
            if day.year not in self.statutory:
                raise Refused("CLK-YEAR", where=str(day.year))
        return bisect_right(self._working, end) - bisect_right(self._working, start)

    @cached_property
    def _working(self) -> tuple[date, ...]:
        off = frozenset[date]().union(*(notice.off for notice in self.notices.values()))
        moved = frozenset[date]().union(*(notice.working for notice in self.notices.values()))
        first, last = date(min(self.statutory), 1, 1), date(max(self.statutory), 12, 31)
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        return tuple(day for day in days if day in moved or (day not in off and self._works_by_rule(day)))

    def _works_by_rule(self, day: date) -> bool:
        """As a day counts that no notice moves: an announced year's days off all stand in its notice."""
        return day.weekday() < SATURDAY and (self.announced(day.year) or day not in self.statutory[day.year])

    @cached_property
    def _working_set(self) -> frozenset[date]:
        return frozenset(self._working)


class Supplement(StrEnum):
    """What a request for more details does to the clock of the answer (L-38)."""

    RESTARTS = "restarts"
    RUNS_ON = "runs_on"


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A clock: how many working days the city gives, and the most that the law allows (None: the law names no limit)."""

    key: str
    days: int
    ceiling: int | None
    rule: str
    article: str
    zh: str
    en: str


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """One version of all clocks."""

    version: int
    supplement: Supplement
    clocks: Mapping[str, Clock]

    def days(self, key: str) -> int:
        return self.clocks[key].days


@cache
def shipped_calendar() -> WorkingDays:
    """The calendar that ships; what the bureau has published since is read by `catalog.published`."""
    return read_calendar(shipped_document("calendar"))


def clock_title(key: str) -> str:
    """What a clock is called, in both languages; the key of one that has gone out of use."""
    known = shipped_clocks().clocks.get(key)
    return f"{known.zh} {known.en}" if known else key


@cache
def shipped_clocks() -> Clocks:
    return read_clocks(shipped_document("clocks"))


def shipped_document(name: str) -> dict[str, Any]:
    """`calendar` or `clocks` as it ships, to be changed and published."""
    return plain(yaml.safe_load((Path(__file__).parent / f"{name}.yaml").read_text(encoding="utf-8")))


def plain(value: Any) -> Any:
    """A YAML document as JSON can hold it: days as text, keys as text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def read_calendar(document: Mapping[str, Any]) -> WorkingDays:
    """The calendar of a document without faults."""
    return WorkingDays(
        version=document["version"],
        notices={int(year): _notice(int(year), row) for year, row in document["notices"].items()},
        statutory={int(year): frozenset(map(date.fromisoformat, days)) for year, days in document["statutory"].items()},
    )


def read_clocks(document: Mapping[str, Any]) -> Clocks:
    """The clocks of a document without faults."""
    clocks = {key: Clock(key=key, **row) for key, row in document["clocks"].items()}
    return Clocks(version=document["version"], supplement=Supplement(document["supplement"]), clocks=clocks)


def with_notices(document: Mapping[str, Any], notices: Mapping[str, Any]) -> dict[str, Any]:
    """A calendar document with the notices of some years added or corrected, as its next version.

    Refused CLK-CALENDAR with all faults at once. A year once announced can be corrected, not withdrawn; the year after the last that the
    calendar knows is added with the days off of its notice.
    """
    statutory = dict(document["statutory"])
    following = str(int(max(statutory)) + 1)
    if following in notices and not _faults_of_shape(notices[following]):
        statutory[following] = _days_off_in(following, notices[following])
    faults = [fault for year, row in sorted(notices.items()) for fault in _faults_of_notice(year, row, statutory)]
    if not notices:
        faults.append("没有放假安排 no notice")
    if faults:
        raise Refused("CLK-CALENDAR", what="; ".join(faults))
    changed = {"notices": {**document["notices"], **notices}, "statutory": statutory}
    return {**document, **changed, "version": document["version"] + 1}


def with_limits(document: Mapping[str, Any], days: Mapping[str, Any], supplement: str | None = None) -> dict[str, Any]:
    """A clocks document with other local limits, as its next version. Refused CLK-LIMITS with all faults at once (L-21)."""
    clocks = {**shipped_document("clocks")["clocks"], **document["clocks"]}  # also those that ship since it was published
    faults = [fault for key, number in sorted(days.items()) if (fault := _fault_of_limit(key, number, clocks))]
    if supplement is not None and supplement not in set(Supplement):
        faults.append(f"supplement: {' | '.join(Supplement)}")
    if faults:
        raise Refused("CLK-LIMITS", what="; ".join(faults))
    changed = {key: {**row, "days": days.get(key, row["days"])} for key, row in clocks.items()}
    return {
        **document,
        "version": document["version"] + 1,
        "supplement": supplement or document["supplement"],
        "clocks": changed,
    }


def _notice(year: int, row: Mapping[str, Any]) -> Notice:
    ranges = ((date.fromisoformat(first), date.fromisoformat(last)) for first, last in row["days_off"].values())
    off = frozenset(day for first, last in ranges for day in _days(first, last))
    return Notice(year=year, document=row["document"], off=off, working=frozenset(map(date.fromisoformat, row["days_worked"])))


def _days_off_in(year: str, row: Mapping[str, Any]) -> list[str]:
    return sorted(day.isoformat() for day in _notice(int(year), row).off if day.year == int(year))


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _faults_of_notice(year: str, row: Any, statutory: Mapping[str, Any]) -> list[str]:
    if year not in statutory:
        return [f"{year}: 日历只到 the calendar ends with {max(statutory)}"]
    shape = _faults_of_shape(row)
    if shape:
        return [f"{year}: {fault}" for fault in shape]
    notice = _notice(int(year), row)
    first, last = date(int(year) - 1, 12, 1), date(int(year), 12, 31)
    outside = sorted(day for day in notice.off | notice.working if not first <= day <= last)
    missing = sorted(set(map(date.fromisoformat, statutory[year])) - notice.off)
    weekdays = sorted(day for day in notice.working if day.weekday() < SATURDAY)
    both = sorted(notice.off & notice.working)
    checks = {
        "不在该年 not of the year": outside,
        "法定节日未放假 a statutory day that is not off": missing,
        "上班日不是周末 a moved working day that is no weekend day": weekdays,
        "既放假又上班 both off and worked": both,
    }
    return [f"{year}: {text}: {', '.join(map(str, days))}" for text, days in checks.items() if days]


def _faults_of_shape(row: Any) -> list[str]:
    if not isinstance(row, Mapping) or set(row) != {"document", "days_off", "days_worked"}:
        return ["应恰有 needs exactly document, days_off, days_worked"]
    document, off, working = row["document"], row["days_off"], row["days_worked"]
    checks = {
        "document: 文号为空或过长 no document number, or too long": not isinstance(document, str)
        or not 0 < len(document.strip()) <= MAX_DOCUMENT_CHARACTERS,
        "days_off: 节日: [首日, 末日] holiday: [first day, last day]": not isinstance(off, Mapping)
        or not off
        or not all(_is_range(days) for days in off.values()),
        "days_worked: [日, …] days": not isinstance(working, list) or not all(_is_day(day) for day in working),
    }
    return [fault for fault, wrong in checks.items() if wrong]


def _is_range(days: Any) -> bool:
    if not isinstance(days, list) or len(days) != 2 or not all(_is_day(day) for day in days):
        return False
    first, last = map(date.fromisoformat, days)
    return timedelta(0) <= last - first < timedelta(days=LONGEST_HOLIDAY_DAYS)


def _is_day(text: Any) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except (TypeError, ValueError):
        return False


def _fault_of_limit(key: str, days: Any, clocks: Mapping[str, Any]) -> str | None:
    if key not in clocks:
        return f"{key}: 没有这个时限 no such clock"
    ceiling, rule = clocks[key]["ceiling"], clocks[key]["rule"]
    if not isinstance(days, int) or isinstance(days, bool) or days < 1:
        return f"{key}: 应为正整数 a whole number from 1"
    if ceiling is not None and days > ceiling:
        return f"{key}: 不得长于法定 {ceiling} 个工作日 not longer than the law's {ceiling} working days ({rule})"
    if days > LONGEST_LIMIT_DAYS:
        return f"{key}: 不得长于 {LONGEST_LIMIT_DAYS} 个工作日 not longer than {LONGEST_LIMIT_DAYS} working days (L-39)"
    return None
