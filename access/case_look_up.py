"""The look-up of a case (办案查询): what several granted data sets say of the persons of one case, joined through the crosswalk.

For those whose duty it is (a prosecutor's check of border crossings, a check for the subsistence allowance), under grants of a high tier
that name the case. All of it is one answer: one intent, one result, staged and sealed as one.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from access.clients import Listed
from access.inquiries import ID_NUMBER, Person, Told, person
from access.look_up import FOUND, NOT_FOUND, recorded_columns
from access.populations import Population
from access.reading import NUMBER, SUBJECT, MaskTerms, base_query, masked_batches
from access.targets import RESIDENT_ID, Target
from access.terms import Grant
from golden.engine import quoted
from golden.versions import relation
from rules.errors import Refused

MOST_PERSONS = 50
MOST_GRANTS = 20
MOST_ROWS = 10_000
"""Of all persons in one granted data set together: more is no case, but an extract."""

Values = Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True)
class CaseTerms:
    """One grant of a case: how its target is read. `listed`: the list of clients that its scope names."""

    grant: Grant
    target: Target
    masks: MaskTerms
    listed: Listed | None


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one grant says: per resident the masked rows."""

    grant: Grant
    target: Target
    rows: Mapping[str, Sequence[Values]] = field(repr=False)


def persons_of(numbers: Sequence[str]) -> list[Person]:
    """The persons of a case, each once. Refused DOOR-ASKED for none, too many, or what is no identity number."""
    persons = list(dict.fromkeys(person(ID_NUMBER, number) for number in numbers))
    if not 0 < len(persons) <= MOST_PERSONS:
        raise Refused("DOOR-ASKED", where="persons", what=f"1–{MOST_PERSONS}")
    return persons


def check_grants(numbers: Sequence[int]) -> list[int]:
    """The grants of a case, each once, in order. Refused DOOR-ASKED for none or too many."""
    grants = sorted(set(numbers))
    if not 0 < len(grants) <= MOST_GRANTS:
        raise Refused("DOOR-ASKED", where="grants", what=f"1–{MOST_GRANTS}")
    return grants


def look_up_case(
    con: duckdb.DuckDBPyConnection, golden: Path, case_number: str, persons: Sequence[Person], terms: Sequence[CaseTerms]
) -> Told:
    """What all grants say of the persons of a case. `golden`: the folder of the version whose crosswalk joins them."""
    known = residents_of(con, golden, persons)
    parts = [part_of(con, one, known.values()) for one in terms]
    residents = told_of(persons, known, parts)
    columns = [{"grant": one.grant.id, **column} for one in terms for column in recorded_columns(one.masks.plan)]
    return Told(
        body=as_bytes(document(case_number, persons, known, parts)),
        outcome=FOUND if residents else NOT_FOUND,
        rows=sum(len(some) for part in parts for some in part.rows.values()),
        residents=tuple(sorted(residents)),
        facts={"columns": columns},
    )


def residents_of(con: duckdb.DuckDBPyConnection, golden: Path, persons: Sequence[Person]) -> Mapping[str, str]:
    """Number → resident, of those whom nobody shares the number with (重号)."""
    wanted = pa.table({ID_NUMBER: [one.value for one in persons]})
    con.register("wanted", wanted)
    rows = con.execute(f"""
        SELECT {ID_NUMBER}, min({RESIDENT_ID}) FROM {relation(golden, "residents")} JOIN wanted USING ({ID_NUMBER})
        GROUP BY {ID_NUMBER} HAVING count(*) = 1""").fetchall()
    con.unregister("wanted")
    return dict(rows)


def part_of(con: duckdb.DuckDBPyConnection, terms: CaseTerms, residents: Collection[str]) -> Part:
    """The rows of some residents in the scope of a grant, masked by its plan. Refused DOOR-QUOTA for more than MOST_ROWS."""
    grant, listed = terms.grant, terms.listed
    assert (grant.row_scope.clients is None) == (listed is None), "the scope's own list of clients comes with it"
    among = ", ".join(f"'{quoted(resident)}'" for resident in sorted(residents)) or "NULL"
    base = base_query(terms.target, list(terms.masks.plan), grant.row_scope.areas, numbered=listed is not None)
    query = f'SELECT * FROM ({base}) WHERE "{SUBJECT}" IN ({among}) LIMIT {MOST_ROWS + 1}'
    reader = iter(con.sql(query).to_arrow_reader(MOST_ROWS))
    batches = listed.only(reader, NUMBER) if listed else reader
    rows: dict[str, list[Values]] = {}
    for subject, values in _rows(masked_batches(batches, grant.row_scope, terms.masks, Population(), with_subjects=True)):
        rows.setdefault(subject, []).append(values)
    if sum(map(len, rows.values())) > MOST_ROWS:
        raise Refused("DOOR-QUOTA", what=str(MOST_ROWS))
    return Part(grant=grant, target=terms.target, rows=rows)


def document(case_number: str, persons: Sequence[Person], known: Mapping[str, str], parts: Sequence[Part]) -> dict[str, Any]:
    """The answer: each person as asked for, and what each grant says of him. Who is nowhere within the grants is like nobody."""
    return {"case_number": case_number, "persons": [_about(one, known.get(one.value), parts) for one in persons]}


def told_of(persons: Sequence[Person], known: Mapping[str, str], parts: Sequence[Part]) -> set[str]:
    """The residents of whom the answer tells anything."""
    return {known[one.value] for one in persons if one.value in known and any(part.rows.get(known[one.value]) for part in parts)}


def as_bytes(answer: Mapping[str, Any]) -> bytes:
    return (json.dumps(answer, ensure_ascii=False, indent=1) + "\n").encode()


def _about(one: Person, resident: str | None, parts: Sequence[Part]) -> dict[str, Any]:
    said = [
        {"grant": part.grant.id, "target": part.target.key, "rows": list(part.rows[resident])}
        for part in parts
        if resident is not None and part.rows.get(resident)
    ]
    return {ID_NUMBER: one.value, "found": bool(said), "data": said}


def _rows(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[str, Values]]:
    """Rows in the order of their values, so that an answer's bytes depend on nothing else."""
    found = [(str(row.pop(SUBJECT)), row) for batch in batches for row in batch.to_pylist()]
    yield from sorted(found, key=lambda one: (one[0], json.dumps(one[1], ensure_ascii=False, sort_keys=True)))
