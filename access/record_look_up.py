"""The look-up of one record of a registered data set by its record key: read from the snapshot that stands, masked by the grant's plan.

Most data sets are about no person, so the copy that serves residents knows nothing of them. Plan, masks and records are those of every
other answer. Who asks for a key that is not there, and for a row outside the scope, is answered alike.
"""

import json
import re
import unicodedata
from dataclasses import replace

import duckdb
import pyarrow as pa

from access.clients import Listed
from access.inquiries import Hash, Told
from access.look_up import FOUND, NOT_FOUND, SEVERAL, recorded_columns
from access.populations import Population
from access.reading import NUMBER, SUBJECT, MaskTerms, base_query, masked_batches
from access.recording import Facts
from access.targets import Target
from access.terms import RowScope
from golden.engine import quoted
from rules.errors import Refused

RECORD = "record"
"""What names a record: its key as the data set's contract has it."""
FORM = re.compile(r"[^\x00-\x1f]{1,200}")
AT_MOST = 2
"""One row more than is told tells that there are several."""


def record_key(text: str) -> str:
    """Refused DOOR-ASKED where it can be no key; by its form alone."""
    key = unicodedata.normalize("NFC", text).strip()
    if not FORM.fullmatch(key):
        raise Refused("DOOR-ASKED", where=RECORD)
    return key


def asked_facts(key: str, hashed: Hash) -> Facts:
    """A key may be somebody's number: records hold its keyed hash."""
    return {"by": RECORD, "subject": hashed(RECORD, key)}


def look_up_record(
    con: duckdb.DuckDBPyConnection, target: Target, key: str, scope: RowScope, terms: MaskTerms, listed: Listed | None
) -> Told:
    """The row of a key within the scope, masked; of several with one key nobody is told."""
    assert (scope.clients is None) == (listed is None), "the scope's own list of clients comes with it"
    one = replace(target, relation=f"(SELECT * FROM {target.relation} WHERE _record = '{quoted(key)}')")
    base = base_query(one, list(terms.plan), scope.areas, numbered=listed is not None)
    reader = iter(con.sql(f"SELECT * FROM ({base})").to_arrow_reader())
    batches = listed.only(reader, NUMBER) if listed else reader
    masked = list(masked_batches(batches, scope, terms, Population(), with_subjects=True))
    rows = pa.Table.from_batches(masked).slice(0, AT_MOST).to_pylist() if masked else []
    subjects = [subject for row in rows if (subject := row.pop(SUBJECT))]
    found = len(rows) == 1
    answer = {"found": found, "values": rows[0] if found else None}
    return Told(
        body=json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode(),
        outcome=FOUND if found else SEVERAL if rows else NOT_FOUND,
        rows=1 if found else 0,
        residents=tuple(subjects) if found else (),
        facts={"columns": recorded_columns(terms.plan)},
    )
