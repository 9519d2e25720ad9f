"""The grant book (授权簿): all grants in memory as of one change and one day, found by department, target, purpose and columns.

A book never changes; `OpenBook` holds the newest and looks at each question whether the store has changed since, so that a suspended grant
answers nothing more. A question's grant is found by intersecting sets of positions, whatever the number of grants.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from pyroaring import FrozenBitMap
from sqlalchemy.orm import Session

from access.grants import grants_changed_since, newest_change
from access.terms import Grant, GrantState, Mode

Key = TypeVar("Key")
Place = tuple[str, str]
"""Whose a grant is (a department), and over what (a target)."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a grant is looked for by: it is the department's, over the target, for this purpose, in one of the modes, with all columns."""

    department: str
    target: str
    purpose: str
    columns: Collection[str]
    modes: Collection[Mode]


class GrantBook:
    """All grants as of a change, looked at on a day."""

    __slots__ = ("_grants", "_shelves", "change", "today")

    def __init__(self, grants: Mapping[int, Grant], shelves: Mapping[Place, "_Shelf"], change: int, today: date) -> None:
        self._grants, self._shelves, self.change, self.today = grants, shelves, change, today

    def __len__(self) -> int:
        return len(self._grants)

    def get(self, number: int) -> Grant | None:
        return self._grants.get(number)

    def find(self, wanted: Wanted) -> Grant | None:
        """The grant to decide by: one in force before one that is not, then the lowest tier, then the newest. None: there is none."""
        shelf = self._shelves.get((wanted.department, wanted.target))
        return None if shelf is None else shelf.find(wanted)

    def with_changes(self, changed: Iterable[Grant], change: int, today: date) -> "GrantBook":
        """The book after some grants were made or changed; what nothing touched is kept. A new day moves what is in force."""
        fresh = {grant.id: grant for grant in changed}
        touched = {_place(grant) for grant in fresh.values()} if today == self.today else None
        grants = {**self._grants, **fresh}
        kept = {} if touched is None else {place: shelf for place, shelf in self._shelves.items() if place not in touched}
        return GrantBook(grants, {**kept, **_shelves(grants.values(), touched, today)}, change, today)


class OpenBook:
    """The newest grant book of a process. `at` looks at the store: one read along an index."""

    def __init__(self) -> None:
        self._book = GrantBook({}, {}, 0, date.min)

    def at(self, session: Session, today: date, *, unchanged: bool = False) -> GrantBook:
        """The book as the store stands; `unchanged`: nothing was committed to it since the book was last asked for."""
        book = self._book
        change = book.change if unchanged else newest_change(session)
        if (change, today) != (book.change, book.today):
            book = self._book = book.with_changes(grants_changed_since(session, book.change), change, today)
        return book


@dataclass(frozen=True, kw_only=True)
class _Shelf:
    """The grants of one place, the best to decide by first; sets hold positions in `grants`."""

    grants: tuple[Grant, ...]
    by_purpose: Mapping[str, FrozenBitMap]
    by_mode: Mapping[Mode, FrozenBitMap]
    by_column: Mapping[str, FrozenBitMap] = field(repr=False)

    def find(self, wanted: Wanted) -> Grant | None:
        found = self.by_purpose.get(wanted.purpose.strip(), NOBODY) & _any_of(self.by_mode, wanted.modes)
        for column in wanted.columns:
            found &= self.by_column.get(column, NOBODY)
        return self.grants[found.min()] if found else None


NOBODY = FrozenBitMap()


def _place(grant: Grant) -> Place:
    return grant.grantee, grant.target


def _shelves(grants: Iterable[Grant], touched: set[Place] | None, today: date) -> dict[Place, _Shelf]:
    """The shelves of the touched places; of all where None."""
    by_place: defaultdict[Place, list[Grant]] = defaultdict(list)
    for grant in grants:
        if touched is None or _place(grant) in touched:
            by_place[_place(grant)].append(grant)
    return {place: _shelf(some, today) for place, some in by_place.items()}


def _shelf(grants: Iterable[Grant], today: date) -> _Shelf:
    ranked = tuple(sorted(grants, key=lambda grant: (not _in_force(grant, today), grant.tier, -grant.id)))
    return _Shelf(
        grants=ranked,
        by_purpose=_positions((grant.purpose.strip(),) for grant in ranked),
        by_mode=_positions((grant.mode,) for grant in ranked),
        by_column=_positions(grant.columns for grant in ranked),
    )


def _in_force(grant: Grant, today: date) -> bool:
    return grant.state is GrantState.ACTIVE and grant.valid_from <= today <= grant.valid_to


def _positions(keys: Iterable[Iterable[Key]]) -> dict[Key, FrozenBitMap]:
    found: defaultdict[Key, list[int]] = defaultdict(list)
    for position, some in enumerate(keys):
        for key in some:
            found[key].append(position)
    return {key: FrozenBitMap(positions) for key, positions in found.items()}


def _any_of(by_mode: Mapping[Mode, FrozenBitMap], modes: Collection[Mode]) -> FrozenBitMap:
    return FrozenBitMap.union(*(by_mode.get(mode, NOBODY) for mode in modes)) if modes else NOBODY
