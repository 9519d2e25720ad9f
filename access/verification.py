"""Verification (核验) and kinship (我妈是我妈): yes, no or not known about values that the asker brings; never which differs (I-08).

No data goes out, so no mask is needed; what protects the residents is that at least two attributes are asked beside the one that finds the
person, that limits count every question, and that an answer is one word. A value in dispute (存疑) can confirm, but it refutes nothing.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from access.inquiries import CHILD_SLOTS, ID_NUMBER, Kinship, Named, Told, Verification
from access.look_up import disputed_of
from access.residents import Row
from access.targets import RESIDENT_ID

MALE, FEMALE = "1", "2"
SLOT_OF_SEX: Mapping[str | None, tuple[str, ...]] = {MALE: CHILD_SLOTS[:1], FEMALE: CHILD_SLOTS[1:]}
HOUSEHOLD, RELATION = "household_number", "relation_to_head"
HEADS = frozenset({"0", "01", "02"})
"""Relations to the head of household (GB/T 4761-2008): the head."""
CHILDREN_OF_HEAD = frozenset({"21", "22", "23", "24", "25", "26", "31", "32", "33", "34", "35", "36"})
"""Sons and daughters: not those by marriage (28, 38), nor codes that leave open whether by adoption or a new marriage."""
PARENTS_OF_HEAD = frozenset({"51", "52"})


class Verdict(StrEnum):
    """一致、不一致、无法判断."""

    YES = "yes"
    NO = "no"
    NOT_KNOWN = "not_known"


def verify(matter: Verification, rows: Sequence[Row]) -> Told:
    """Whether the values are of the person; `rows`: the residents of that number within the scope, two where a number is shared."""
    return _told(_of_any([_of_one(matter, row) for row in rows]), rows, matter.asked)


def kinship(matter: Kinship, parents: Sequence[Row], children: Sequence[Row], granted: Collection[str]) -> Told:
    """Whether one is the parent of the other. Someone whose name is another than was said is not known."""
    parent, child = _only(matter.parent, parents), _only(matter.child, children)
    known = [row for row in (parent, child) if row is not None]
    verdict = Verdict.NOT_KNOWN if parent is None or child is None else _related(parent, child, granted)
    return _told(verdict, known, matter.asked)


def _of_one(matter: Verification, row: Row) -> Verdict:
    agreed = [_agrees(row, column, value) for column, value in matter.attributes]
    if False in agreed:
        return Verdict.NO
    return Verdict.NOT_KNOWN if None in agreed else Verdict.YES


def _agrees(row: Row, column: str, value: str) -> bool | None:
    held = row[column]
    if held == value:
        return True
    return None if not held or column in disputed_of(row) else False


def _of_any(verdicts: Sequence[Verdict]) -> Verdict:
    if Verdict.YES in verdicts:
        return Verdict.YES
    return Verdict.NO if verdicts and all(verdict is Verdict.NO for verdict in verdicts) else Verdict.NOT_KNOWN


def _only(named: Named, rows: Sequence[Row]) -> Row | None:
    """The one resident of that number and name."""
    fitting = [row for row in rows if row["name"] == named.name]
    return fitting[0] if len(fitting) == 1 else None


def _related(parent: Row, child: Row, granted: Collection[str]) -> Verdict:
    """By the parents' numbers that the child's record states, and by the household where that is granted; they may not contradict."""
    if parent[RESIDENT_ID] == child[RESIDENT_ID]:
        return Verdict.NO
    stated = _by_numbers(parent, child)
    household = _by_household(parent, child) if {HOUSEHOLD, RELATION} <= set(granted) else Verdict.NOT_KNOWN
    if stated is Verdict.NO and household is Verdict.YES:
        return Verdict.NOT_KNOWN
    return household if stated is Verdict.NOT_KNOWN else stated


def _by_numbers(parent: Row, child: Row) -> Verdict:
    number, slots = parent[ID_NUMBER], SLOT_OF_SEX.get(parent["sex"], CHILD_SLOTS)
    if not number:
        return Verdict.NOT_KNOWN
    if number in [child[slot] for slot in slots]:
        return Verdict.YES
    doubtful = ID_NUMBER in disputed_of(parent) or number in [child[slot] for slot in CHILD_SLOTS]
    refuted = all(child[slot] and slot not in disputed_of(child) for slot in slots)
    return Verdict.NO if refuted and not doubtful else Verdict.NOT_KNOWN


def _by_household(parent: Row, child: Row) -> Verdict:
    doubtful = {HOUSEHOLD, RELATION} & (disputed_of(parent) | disputed_of(child))
    if doubtful or not parent[HOUSEHOLD] or parent[HOUSEHOLD] != child[HOUSEHOLD]:
        return Verdict.NOT_KNOWN
    below_head = parent[RELATION] in HEADS and child[RELATION] in CHILDREN_OF_HEAD
    above_head = parent[RELATION] in PARENTS_OF_HEAD and child[RELATION] in HEADS
    return Verdict.YES if below_head or above_head else Verdict.NOT_KNOWN


def _told(verdict: Verdict, rows: Sequence[Row], asked: Sequence[str]) -> Told:
    return Told(
        body=json.dumps({"verdict": verdict.value}, separators=(",", ":")).encode(),
        outcome=verdict.value,
        rows=len(rows),
        residents=tuple(row[RESIDENT_ID] or "" for row in rows),
        facts={"columns": [{"column": column} for column in asked]},
    )
