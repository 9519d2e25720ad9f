"""Lights of tasks and of data sets against a naive reference that counts day by day (law.md F-01, F-02)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.clocks import shipped_calendar
from rules.lights import Light, resource_light, task_light, yellow_from
from rules.tickets import load_ticket_rules

CALENDAR, RULES = shipped_calendar(), load_ticket_rules().lights
DAYS = st.dates(date(2026, 1, 5), date(2026, 11, 30))


def working_days_left(today: date, due: date) -> int:
    """Counted one by one."""
    return sum(CALENDAR.is_working(today + timedelta(days=n)) for n in range(1, (due - today).days + 1))


@given(DAYS, st.integers(1, 30), st.integers(0, 70))
def test_yellow_is_two_working_days_or_a_fifth_of_the_limit_before_the_end(received: date, limit: int, later: int) -> None:
    """F-01."""
    due, today = CALENDAR.after(received, limit).day, received + timedelta(days=later)
    light = task_light(today, yellow_on=yellow_from(received, limit, CALENDAR, RULES), due_on=due)
    left = working_days_left(today, due)
    assert light == ("red" if today > due else "yellow" if left <= 2 or left <= limit * 0.2 else "green")


@pytest.mark.parametrize(("done", "light"), [(date(2026, 11, 23), Light.GREEN), (date(2026, 11, 24), Light.RED)])
def test_what_is_done_is_green_or_red_for_ever(done: date, light: Light) -> None:
    assert task_light(date(2027, 6, 1), yellow_on=date(2026, 11, 20), due_on=date(2026, 11, 23), done_on=done) is light


@pytest.mark.parametrize(
    ("days", "rows", "before", "light"),
    [
        (0, 100, None, Light.GREEN),
        (7, 100, 100, Light.GREEN),
        (8, 100, 100, Light.YELLOW),
        (10, 100, 100, Light.YELLOW),
        (11, 100, 100, Light.RED),
        (1, 70, 100, Light.GREEN),
        (1, 69, 100, Light.RED),
    ],
)
def test_a_weekly_data_set(days: int, rows: int, before: int | None, light: Light) -> None:
    """F-02: within the cycle, up to 1.5 cycles, beyond; or more than 30 % of the rows lost."""
    today = date(2026, 11, 23)
    updated = today - timedelta(days=days)
    assert resource_light(today, updated_on=updated, frequency="每周", rows=rows, rows_before=before, rules=RULES) is light


def test_a_data_set_that_never_came_is_red() -> None:
    assert resource_light(date(2026, 11, 23), updated_on=None, frequency="每年", rows=0, rows_before=None, rules=RULES) is Light.RED


def test_every_frequency_that_a_contract_may_name_has_a_cycle() -> None:
    from catalog.terms import UPDATE_FREQUENCIES

    assert set(RULES.cycle_days) == set(UPDATE_FREQUENCIES)
    assert replace(RULES, yellow_days=3) != RULES
