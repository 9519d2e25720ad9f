"""Looks (查看): the accesses to single people of a period, as two relations that explanations and alerts are queries over.

access(seq, moment, day, actor, department, act, grant_id, case_number, origin, outcome, class)   an answered access, in China's time
look(seq, subject)   whom it was about, by keyed hash
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from audit.errors import RecordDestroyed
from audit.log import MAX_RECORDS_A_READ, Log
from audit.storage import as_bytes
from catalog.snapshots import CHINA
from oversight.facets import SUBJECT, found_by
from rules.oversight import Yardsticks

ACCESS = pa.schema(
    [
        ("seq", pa.int64()),
        ("moment", pa.timestamp("us")),
        ("day", pa.date32()),
        *((name, pa.string()) for name in ("actor", "department", "act")),
        ("grant_id", pa.int64()),
        *((name, pa.string()) for name in ("case_number", "origin", "outcome", "class")),
    ]
)
LOOK = pa.schema([("seq", pa.int64()), ("subject", pa.string())])
BY_DUTY = frozenset({"review", "replay"})
"""Acts about many people at once, which nobody chooses: they are no looks at somebody."""

Row = tuple[Any, ...]


def gather_looks(con: duckdb.DuckDBPyConnection, log: Log, yardsticks: Yardsticks, start: int, end: int) -> int:
    """Make the relations `access` and `look` of the answers among the records [start, end); returns how many accesses there are.

    An answer belongs to where its RESULT stands, so that each is in one of two periods that follow one another, and none in neither.
    """
    accesses: list[Row] = []
    looks: list[Row] = []
    open_intents: dict[int, Mapping[str, Any]] = {}
    for seq, content in _contents(log, start, end):
        area, act, action = content["event"].split(":")
        body = content["body"]
        if area != "access" or act in BY_DUTY:
            continue
        if action == "intent":
            open_intents[seq] = body
        elif action == "result" and (asked := _asked(log, body["intent"], open_intents, start)) is not None:
            subjects = sorted({value for facet, value in [*found_by(body).terms, *found_by(asked).terms] if facet == SUBJECT})
            if subjects:
                accesses.append(_access(seq, content["at"], act, asked, body, yardsticks))
                looks.extend((seq, subject) for subject in _chosen(body, subjects))
    _keep(con, "access", ACCESS, accesses)
    _keep(con, "look", LOOK, looks)
    return len(accesses)


def _asked(log: Log, intent: int, open_intents: dict[int, Mapping[str, Any]], start: int) -> Mapping[str, Any] | None:
    """What an answer was asked by, also from before `start`; none where that was destroyed at the end of its time (A-08)."""
    if intent >= start:
        return open_intents.pop(intent, None)
    try:
        return log.entry(intent).record.body
    except RecordDestroyed:
        return None


def _chosen(told: Mapping[str, Any], subjects: list[str]) -> list[str]:
    """Whom the answer was about; whoever was not found stands under the hash of what was asked."""
    found = told.get("subjects")
    return sorted(found) if isinstance(found, list) and found else subjects


def _access(seq: int, at: str, act: str, asked: Mapping[str, Any], told: Mapping[str, Any], yardsticks: Yardsticks) -> Row:
    columns = frozenset(column["column"] if isinstance(column, Mapping) else str(column) for column in told.get("columns", ()))
    local = datetime.fromisoformat(at).astimezone(CHINA).replace(tzinfo=None)
    grant = asked.get("grant")
    return (
        seq,
        local,
        local.date(),
        asked.get("actor"),
        asked.get("department"),
        act,
        grant if isinstance(grant, int) else None,
        asked.get("case_number") or None,
        asked.get("origin") or None,
        told.get("outcome") or "result",
        yardsticks.class_of(columns),
    )


def _contents(log: Log, start: int, end: int) -> Iterator[tuple[int, Mapping[str, Any]]]:
    sql = "SELECT seq, record FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?"
    while rows := log.storage.rows(sql, (start, end, MAX_RECORDS_A_READ)):
        yield from ((int(seq), json.loads(as_bytes(stored))) for seq, stored in rows)
        start = int(rows[-1][0]) + 1


def _keep(con: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema, rows: list[Row]) -> None:
    columns: list[Any] = list(zip(*rows, strict=True)) or [() for _ in schema]
    table = pa.table([pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema=schema)
    con.register("gathered", table)
    con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM gathered")
    con.unregister("gathered")
