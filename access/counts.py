"""How often was asked today (限额, I-08): under a grant, by an actor, about a subject; kept in the store, for all processes together.

What is asked about somebody who is not there counts like any other question, so that a limit tells nothing of who is known.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.schema import DoorCountRow

GRANT, ACTOR, SUBJECT = "grant", "actor", "subject"
KEPT_DAYS = 31

_TAKE = sa.text("""
    INSERT INTO door_count (kind, name, day, calls) VALUES (:kind, :name, :day, :calls)
    ON CONFLICT (kind, name, day) DO UPDATE SET calls = door_count.calls + excluded.calls RETURNING calls
""").bindparams(sa.bindparam("day", type_=sa.Date()))


@dataclass(frozen=True, kw_only=True, order=True)
class Counted:
    """What is counted: `name` is a grant's number, an account, or a department with the keyed hash of a person."""

    kind: str
    name: str


class Tally:
    """What was counted before some questions; each of them then takes its turn."""

    def __init__(self, before: Mapping[Counted, int]) -> None:
        self._next = dict(before)

    def take(self, counted: Counted) -> int:
        """How many came before this one."""
        before = self._next[counted]
        self._next[counted] = before + 1
        return before


def count(session: Session, questions: Counter[Counted], today: date) -> Tally:
    """Count questions, in an order in which two processes cannot wait for each other."""
    before = {}
    for counted, calls in sorted(questions.items()):
        values = {"kind": counted.kind, "name": counted.name, "day": today, "calls": calls}
        before[counted] = int(session.execute(_TAKE, values).scalar_one()) - calls
    return Tally(before)


def forget(session: Session, today: date) -> None:
    """Drop the counts that no limit looks at any more."""
    session.execute(sa.delete(DoorCountRow).where(DoorCountRow.day < today - timedelta(days=KEPT_DAYS)))
