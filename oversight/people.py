"""A person as auditors name one: by resident id or identity number; and under which keyed hashes and numbers the log knows that person.

What is read of the golden records here finds records of the log and nothing else: none of it is given out or recorded.
"""

import re
from dataclasses import dataclass, field

import duckdb

from access.populations import resident_numbers
from access.targets import GoldenFiles, newest_golden
from audit.log import Log
from golden.versions import relation
from oversight.reading_room import ReadingRoom
from rules.errors import NotFound

NUMBER = re.compile(r"\d{17}[\dX]")
HASHED = re.compile(r"[0-9a-f]{32}")
RESIDENT = re.compile(r"R\d{10}")


@dataclass(frozen=True, kw_only=True)
class Person:
    """`hashes`: under which records name the person; `numbers`: of the resident ids, by which sets of people hold it."""

    hashes: frozenset[str]
    numbers: frozenset[int] = field(default=frozenset(), repr=False)

    @property
    def recorded(self) -> str:
        """Which person it was, for the record of a look."""
        return min(self.hashes)


def find_person(room: ReadingRoom, text: str) -> Person:
    """By resident id, identity number, or a keyed hash out of a record. NotFound OVS-PERSON for anything else.

    A resident who was merged into another is the other, and known by both ids.
    """
    name = text.strip().upper()
    if HASHED.fullmatch(text.strip()):
        return Person(hashes=frozenset({text.strip()}))
    if not (RESIDENT.fullmatch(name) or NUMBER.fullmatch(name)):
        raise NotFound("OVS-PERSON")
    with room.store.session() as session:
        golden = newest_golden(session, room.lake)
    ids, numbers = ({name}, set()) if RESIDENT.fullmatch(name) else (set(), {name})
    if golden is not None:
        ids, numbers = _known_as(golden, ids, numbers)
    return Person(hashes=_hashes(room.log, ids, numbers), numbers=_as_numbers(ids))


def _known_as(golden: GoldenFiles, ids: set[str], numbers: set[str]) -> tuple[set[str], set[str]]:
    """All resident ids and the identity number of whoever has one of these."""
    residents, identities = (relation(golden.folder, name) for name in ("residents", "identities"))
    with duckdb.connect() as con:
        holders = con.execute(f"SELECT resident_id FROM {residents} WHERE id_number IN (SELECT unnest(?))", [sorted(numbers)]).fetchall()
        ids = ids | {found for (found,) in holders}
        same = con.execute(
            f"""WITH standing AS (
              SELECT coalesce(superseded_by, resident_id) AS id FROM {identities} WHERE resident_id IN (SELECT unnest($1))
            )
            SELECT resident_id FROM {identities}
            WHERE resident_id IN (SELECT id FROM standing) OR superseded_by IN (SELECT id FROM standing)""",
            [sorted(ids)],
        ).fetchall()
        ids = ids | {found for (found,) in same}
        held = con.execute(f"SELECT id_number FROM {residents} WHERE resident_id IN (SELECT unnest(?))", [sorted(ids)]).fetchall()
    return ids, numbers | {number for (number,) in held if number}


def _hashes(log: Log, ids: set[str], numbers: set[str]) -> frozenset[str]:
    return frozenset([*(log.subject("resident", one) for one in ids), *(log.subject("id_number", one) for one in numbers)])


def _as_numbers(ids: set[str]) -> frozenset[int]:
    import pyarrow as pa

    return frozenset(resident_numbers(pa.array(sorted(ids), pa.string())).tolist())
