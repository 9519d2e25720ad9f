"""Single residents out of the serving copy that answers: by an identifying element, many at once. Read by the door alone.

Whoever names a resident as he was named before (an id that was merged away; a number of his that nobody has now, law.md D-07, D-10) finds
the one who stands.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.targets import RESIDENT_ID
from catalog.home import Home
from catalog.schema import ServingVersionRow
from catalog.store import Store
from golden.engine import identifier
from golden.serving import FORMER, TABLE, Serving, serving_file
from rules.errors import NotFound

MAP_BYTES = 2**36

Row = Mapping[str, str | None]
Found = Mapping[str, Sequence[Row]]
"""Value → the residents who have it; two people may share a number (重号)."""


class ServedResidents:
    """Reads from the newest serving copy and goes over to a newer one when there is one. For one thread at a time."""

    def __init__(self, store: Store, home: Home) -> None:
        self._store, self._home = store, home
        self._serving: Serving | None = None
        self._knows_former = False
        self._file: sqlite3.Connection | None = None

    def go_over(self, session: Session) -> Serving:
        """The copy that answers now. NotFound DOOR-NO-GOLDEN if there is none."""
        newest = _newest(session)
        if newest is None:
            raise NotFound("DOOR-NO-GOLDEN")
        if newest != self._serving:
            self.close()
            self._serving = newest
            if self._store.is_sqlite:
                self._file = _opened(self._home, newest)
            self._knows_former = self._has_former()
        return newest

    def _has_former(self) -> bool:
        """A copy of an earlier release does not know former names, until the next reconciliation."""
        if self._file is not None:
            return self._file.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (FORMER,)).fetchone() is not None
        assert self._serving is not None
        return sa.inspect(self._store.engine).has_table(FORMER, schema=self._serving.location)

    def find(self, by: str, values: Collection[str], columns: Collection[str]) -> Found:
        """The residents who have one of the values, or else had it and alone did; with these columns, `by` and their id."""
        assert self._serving is not None, "no copy was chosen"
        names = sorted({*columns, by, RESIDENT_ID})
        found = self._having(by, values, names)
        before = self._had(by, set(values) - found.keys())
        standing = self._having(RESIDENT_ID, set(before.values()), names)
        return {**found, **{value: standing[resident] for value, resident in before.items() if resident in standing}}

    def _having(self, by: str, values: Collection[str], names: Sequence[str]) -> dict[str, list[Row]]:
        found: defaultdict[str, list[Row]] = defaultdict(list)
        for cells in self._rows(by, sorted(values), names) if values else ():
            row = dict(zip(names, cells, strict=True))
            found[row[by] or ""].append(row)
        return dict(found)

    def _had(self, by: str, values: Collection[str]) -> Mapping[str, str]:
        """Former value → the one resident who had it; two who had it are told apart by nothing."""
        if not values or not self._knows_former:
            return {}
        wanted = "SELECT value, min(resident_id) FROM {table} WHERE element = {by} AND value {among} GROUP BY value HAVING count(*) = 1"
        if self._file is not None:
            query = wanted.format(table=FORMER, by="?", among="IN (SELECT value FROM json_each(?))")
            with closing(self._file.execute(query, (by, json.dumps(sorted(values))))) as rows:
                return dict(rows.fetchall())
        assert self._serving is not None
        query = wanted.format(table=f"{self._serving.location}.{FORMER}", by="%s", among="= ANY(%s)")
        with self._store.engine.connect() as connection:
            return dict(connection.exec_driver_sql(query, (by, sorted(values))).tuples().all())

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rows(self, by: str, values: Sequence[str], names: Sequence[str]) -> Sequence[Sequence[str | None]]:
        assert self._serving is not None
        selected = f"SELECT {', '.join(map(identifier, names))} FROM"
        if self._file is not None:
            some = f"{TABLE} WHERE {identifier(by)} IN (SELECT value FROM json_each(?))"
            with closing(self._file.execute(f"{selected} {some}", (json.dumps(values),))) as rows:
                return rows.fetchall()
        with self._store.engine.connect() as connection:
            some = f"{self._serving.location}.{TABLE} WHERE {identifier(by)} = ANY(%s)"
            return [tuple(row) for row in connection.exec_driver_sql(f"{selected} {some}", (list(values),))]


def _newest(session: Session) -> Serving | None:
    table = ServingVersionRow
    columns = (table.version, table.golden_version, table.location, table.residents)
    row = session.execute(sa.select(*columns).order_by(table.version.desc()).limit(1)).first()
    return None if row is None else Serving(version=row[0], golden_version=row[1], location=row[2], residents=row[3])


def _opened(home: Home, serving: Serving) -> sqlite3.Connection:
    """A copy never changes, so it is read without locks and out of the page cache."""
    connection = sqlite3.connect(f"{serving_file(home, serving).as_uri()}?immutable=1", uri=True, check_same_thread=False)
    connection.execute(f"PRAGMA mmap_size={MAP_BYTES}")
    return connection
