"""Lights (红黄绿灯): green in time, yellow soon due, red overdue, of a task (law.md F-01) and of a resource (F-02).

A task turns yellow when two working days or a fifth of its limit remain, whichever is more. What is done is green, or red where it was
done late.
"""

from datetime import date
from enum import StrEnum

from rules.clocks import WorkingDays
from rules.tickets import LightRules


class Light(StrEnum):
    """The colours of 红黄绿灯."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


LIGHT_TEXTS = {Light.GREEN: "绿 green", Light.YELLOW: "黄 yellow", Light.RED: "红 red"}


def yellow_from(received_on: date, limit_days: int, calendar: WorkingDays, rules: LightRules) -> date:
    """The day from which a task with a limit in working days is soon due; the day of receipt does not count (L-36)."""
    left = max(rules.yellow_days, int(limit_days * rules.yellow_share))
    return calendar.after(received_on, limit_days - left).day if limit_days > left else received_on


def task_light(today: date, *, yellow_on: date, due_on: date, done_on: date | None = None) -> Light:
    """The light of a task (F-01)."""
    if (done_on or today) > due_on:
        return Light.RED
    return Light.YELLOW if done_on is None and today >= yellow_on else Light.GREEN


def resource_light(today: date, *, updated_on: date | None, frequency: str, rows: int, rows_before: int | None, rules: LightRules) -> Light:
    """The light of a data set (F-02): its last update against the cycle that it declares, and whether rows were lost. Never seen: red."""
    lost = rows_before is not None and rows < (1 - rules.rows_lost) * rows_before
    if updated_on is None or lost:
        return Light.RED
    cycles = (today - updated_on).days / rules.cycle_days[frequency]
    if cycles <= 1:
        return Light.GREEN
    return Light.YELLOW if cycles <= rules.yellow_cycles else Light.RED
