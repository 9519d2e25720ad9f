"""A look-up made again: its record hides whom it told of, so he is found among that version's residents by the same keyed hash.

Then his golden values of that version are masked by the same rule and for the same day as then.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from access.inquiries import Hash, Told
from access.look_up import IN_DISPUTE, Reach, Wanted, look_up
from access.reading import MaskTerms
from access.residents import Row
from access.targets import RESIDENT_ID, Target
from access.terms import Grant
from golden.versions import relation
from masking.methods import over_distinct

RESIDENTS_A_BATCH = 65_536


def made_again(
    con: duckdb.DuckDBPyConnection, told: Mapping[str, Any], grant: Grant, target: Target, terms: MaskTerms, reach: Reach
) -> Told:
    """The answer of a RESULT record's facts. It tells of nobody where it told of nobody, or of one who is not in that version."""
    rows = _rows(con, target, told["subjects"], reach.hashed)
    wanted = Wanted(rows=rows, target=target, plan=terms.plan, scope=grant.row_scope, reach=reach, key=terms.key, disputed=grant.disputed)
    return look_up([wanted], terms.policy, terms.today)[0]


def _rows(con: duckdb.DuckDBPyConnection, target: Target, subjects: Sequence[str], hashed: Hash) -> list[Row]:
    assert target.persons is not None, "the golden target knows its folder"
    disputed = f"""SELECT {RESIDENT_ID}, string_agg(element, ' ' ORDER BY element) AS {IN_DISPUTE}
        FROM {relation(target.persons, "values")} WHERE status <> 'ok' GROUP BY {RESIDENT_ID}"""
    query = f"SELECT person.*, {IN_DISPUTE} FROM {target.relation} AS person LEFT JOIN ({disputed}) USING ({RESIDENT_ID})"
    found: list[Row] = []
    for resident in _residents(con, target, frozenset(subjects), hashed):
        found += con.sql(f"{query} WHERE {RESIDENT_ID} = $1", params=[resident]).to_arrow_table().to_pylist()
    return found


def _residents(con: duckdb.DuckDBPyConnection, target: Target, subjects: frozenset[str], hashed: Hash) -> Iterator[str]:
    if not subjects:
        return
    with con.cursor() as reading:
        for batch in reading.sql(f"SELECT {RESIDENT_ID} FROM {target.relation}").to_arrow_reader(RESIDENTS_A_BATCH):
            hidden = over_distinct(batch[RESIDENT_ID], lambda resident: hashed("resident", resident))
            yield from batch[RESIDENT_ID].filter(pc.is_in(hidden, value_set=pa.array(sorted(subjects)))).to_pylist()
