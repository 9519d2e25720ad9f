"""Working days and clocks: the vectors of law.md L-36, a naive reference, and what may be published (L-21, L-37)."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules.clocks import (
    LONGEST_LIMIT_DAYS,
    Due,
    WorkingDays,
    read_calendar,
    read_clocks,
    shipped_calendar,
    shipped_clocks,
    shipped_document,
    with_limits,
    with_notices,
)
from rules.errors import Refused

NOTICE_2027: dict[str, Any] = {
    "document": "国办发明电〔2026〕N号",
    "days_off": {
        "元旦": ["2027-01-01", "2027-01-03"],
        "春节": ["2027-02-05", "2027-02-11"],
        "清明节": ["2027-04-03", "2027-04-05"],
        "劳动节": ["2027-05-01", "2027-05-05"],
        "端午节": ["2027-06-09", "2027-06-09"],
        "中秋节": ["2027-09-15", "2027-09-15"],
        "国庆节": ["2027-10-01", "2027-10-07"],
    },
    "days_worked": ["2026-12-27", "2027-02-14"],
}
"""A made-up arrangement: the real one is not known here."""


def day(text: str, year: int = 2026) -> date:
    return date.fromisoformat(f"{year}-{text}")


@pytest.mark.parametrize(
    ("received", "one", "ten", "twenty"),
    [
        ("02-12", "02-13", "03-04", "03-18"),
        ("04-29", "04-30", "05-15", "05-29"),
        ("09-18", "09-20", "10-09", "10-22"),
        ("09-30", "10-08", "10-20", "11-03"),
        ("11-23", "11-24", "12-07", "12-21"),
    ],
)
def test_the_vectors_of_l_36(received: str, one: str, ten: str, twenty: str) -> None:
    calendar = shipped_calendar()
    found = [calendar.after(day(received), days) for days in (1, 10, 20)]
    assert [due.day for due in found] == [day(one), day(ten), day(twenty)]
    assert not any(due.provisional for due in found)


def test_weekend_working_days_of_2026_are_those_of_the_notice() -> None:
    weekends = [d for d in all_days(2026) if d.weekday() > 4 and shipped_calendar().is_working(d)]
    assert weekends == [day(text) for text in ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10")]


@pytest.mark.parametrize(("year", "expected"), [(2025, 248), (2026, 248)])
def test_a_year_has_so_many_working_days(year: int, expected: int) -> None:
    """365 days, 104 weekend days, 13 statutory days off: 2025 and 2026 have 248 working days."""
    assert sum(shipped_calendar().is_working(d) for d in all_days(year)) == expected


def test_a_date_that_rests_on_an_unannounced_year_is_provisional_and_certain_after_the_notice() -> None:
    """TX-02: a clock of 20 working days started on 2026-12-21."""
    calendar, announced = shipped_calendar(), read_calendar(with_notices(shipped_document("calendar"), {"2027": NOTICE_2027}))
    assert calendar.after(day("12-21"), 20) == due("01-19", provisional=True)
    assert announced.after(day("12-21"), 20) == due("01-18", provisional=False), "2026-12-27 is worked now"
    assert (calendar.announced(2027), announced.announced(2027), announced.version) == (False, True, calendar.version + 1)


def test_a_year_that_the_calendar_does_not_know_is_refused() -> None:
    for ask in (
        lambda: shipped_calendar().after(date(2035, 12, 30), 20),
        lambda: shipped_calendar().after(date(2024, 12, 30), 1),
        lambda: shipped_calendar().is_working(date(2036, 1, 1)),
        lambda: shipped_calendar().between(date(2024, 1, 1), date(2025, 1, 1)),
    ):
        with pytest.raises(Refused, match="CLK-YEAR"):
            ask()


def test_the_statutory_days_of_every_known_year_are_thirteen_or_meet_on_one_day() -> None:
    """2028: 中秋 falls on 3 October, 2031 on the first: one of the three days of 国庆."""
    short = {year for year, days in shipped_calendar().statutory.items() if len(days) != 13}
    assert (short, [len(shipped_calendar().statutory[year]) for year in sorted(short)]) == ({2028, 2031}, [12, 12])
    assert all(d.year == year for year, days in shipped_calendar().statutory.items() for d in days)


DAYS = st.dates(date(2025, 1, 1), date(2034, 12, 31))


def naive_works(calendar: WorkingDays, d: date) -> bool:
    """Word for word: moved days as the notices say, else Monday to Friday, without the statutory days where no notice speaks."""
    for notice in calendar.notices.values():
        if d in notice.working:
            return True
        if d in notice.off:
            return False
    if d.year not in calendar.notices and d in calendar.statutory[d.year]:
        return False
    return d.strftime("%a") not in ("Sat", "Sun")


def naive_after(calendar: WorkingDays, received: date, days: int) -> tuple[date, bool]:
    """Walk on from the day after the receipt until enough working days have passed."""
    here, left, touched = received, days, {received.year}
    while left:
        here += timedelta(days=1)
        touched.add(here.year)
        left -= naive_works(calendar, here)
    return here, not touched <= set(calendar.notices)


def calendars() -> st.SearchStrategy[WorkingDays]:
    announced = read_calendar(with_notices(shipped_document("calendar"), {"2027": NOTICE_2027}))
    return st.sampled_from([shipped_calendar(), announced])


@given(calendar=calendars(), received=DAYS, days=st.integers(1, 60))
@example(calendar=shipped_calendar(), received=date(2026, 9, 18), days=1)
@example(calendar=shipped_calendar(), received=date(2026, 12, 31), days=1)
def test_due_dates_are_those_of_the_naive_reference(calendar: WorkingDays, received: date, days: int) -> None:
    found = calendar.after(received, days)
    assert (found.day, found.provisional) == naive_after(calendar, received, days)
    assert calendar.between(received, found.day) == days
    assert calendar.between(found.day, received) == -days
    assert calendar.is_working(found.day)


@given(calendar=calendars(), one=DAYS, other=DAYS)
def test_working_days_between_are_counted_as_the_naive_reference_counts(calendar: WorkingDays, one: date, other: date) -> None:
    first, last = sorted((one, other))
    counted = sum(naive_works(calendar, first + timedelta(days=n)) for n in range(1, (last - first).days + 1))
    assert calendar.between(first, last) == counted


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"document": " "}, "document"),
        ({"days_off": {**NOTICE_2027["days_off"], "国庆节": ["2027-10-02", "2027-10-07"]}}, "2027-10-01"),
        ({"days_off": {**NOTICE_2027["days_off"], "国庆节": ["2027-10-07", "2027-10-01"]}}, "days_off"),
        ({"days_off": {**NOTICE_2027["days_off"], "国庆节": "2027-10-01"}}, "days_off"),
        ({"days_worked": ["2027-02-15"]}, "2027-02-15"),
        ({"days_worked": ["2027-01-02"]}, "2027-01-02"),
        ({"days_worked": ["2028-01-15"]}, "2028-01-15"),
        ({"days_worked": ["2027-02-30"]}, "days_worked"),
        ({"more": 1}, "exactly"),
    ],
)
def test_a_faulty_arrangement_is_refused_with_the_days_at_fault(change: dict[str, Any], told: str) -> None:
    with pytest.raises(Refused, match="CLK-CALENDAR") as refused:
        with_notices(shipped_document("calendar"), {"2027": {**NOTICE_2027, **change}})
    assert told in refused.value.what


def test_the_year_after_the_last_known_one_comes_with_its_notice() -> None:
    """So the calendar never runs out for good: each year's notice brings the year with it."""
    moved = {name: [day.replace("2027", "2036") for day in days] for name, days in NOTICE_2027["days_off"].items()}
    notice = {"document": "x", "days_off": moved, "days_worked": ["2036-02-16"]}
    longer = read_calendar(with_notices(shipped_document("calendar"), {"2036": notice}))
    assert longer.announced(2036) and longer.after(date(2035, 12, 31), 1) == Due(day=date(2036, 1, 4), provisional=True)
    assert longer.is_working(date(2036, 2, 16))
    with pytest.raises(Refused, match="CLK-CALENDAR"):
        with_notices(shipped_document("calendar"), {"2037": notice})


def test_all_faults_of_an_arrangement_are_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        with_notices(shipped_document("calendar"), {"2027": {}, "1999": NOTICE_2027, "2028": {**NOTICE_2027, "days_worked": []}})
    assert all(year in refused.value.what for year in ("1999:", "2027:", "2028:"))
    with pytest.raises(Refused):
        with_notices(shipped_document("calendar"), {})


def test_the_laws_limits_ship_and_a_city_may_set_shorter_ones_only() -> None:
    ships = {key: (clock.days, clock.ceiling) for key, clock in shipped_clocks().clocks.items()}
    assert ships["answer_unconditional"] == (1, 1) and ships["answer_conditional"] == (10, 10) and ships["answer_extension"] == (10, 10)
    assert ships["supply"] == (20, 20) and ships["correction"] == (10, 10) and ships["conformity_check"] == (2, None)
    assert all(ceiling is None or days <= ceiling for days, ceiling in ships.values())
    shorter = read_clocks(with_limits(shipped_document("clocks"), {"answer_conditional": 5, "conformity_check": 30}, "runs_on"))
    assert (shorter.days("answer_conditional"), shorter.days("conformity_check"), shorter.days("supply")) == (5, 30, 20)
    assert (shorter.version, shorter.supplement) == (shipped_clocks().version + 1, "runs_on")


def test_a_limit_longer_than_the_laws_is_refused_with_its_rule() -> None:
    faulty = {"answer_conditional": 11, "supply": 21, "answer_unconditional": 0, "correction": True, "lunch": 1}
    with pytest.raises(Refused, match="CLK-LIMITS") as refused:
        with_limits(shipped_document("clocks"), faulty, "never")
    assert "L-16" in refused.value.what and "L-19" in refused.value.what
    assert refused.value.what.count(";") == len(faulty)


def test_no_limit_is_so_long_that_its_light_could_not_be_listed() -> None:
    """Where the law names no limit, the bureau's own is 60 working days at most."""
    longest = with_limits(shipped_document("clocks"), {"dispute": LONGEST_LIMIT_DAYS})
    assert read_clocks(longest).days("dispute") == LONGEST_LIMIT_DAYS
    with pytest.raises(Refused, match=r"CLK-LIMITS.*L-39"):
        with_limits(shipped_document("clocks"), {"dispute": LONGEST_LIMIT_DAYS + 1})


def due(text: str, *, provisional: bool) -> Any:
    return Due(day=day(text, 2027), provisional=provisional)


def all_days(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(days=n) for n in range(366) if (first + timedelta(days=n)).year == year]
