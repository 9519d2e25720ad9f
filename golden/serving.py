"""The serving copy: golden values in a database for look-ups, built aside and swapped in by its row in the store.

SQLite: a file serving-N.db of its own in the home. PostgreSQL: a schema serving_N, made in the transaction that adds the row. In either the
table `resident` has a column per element, `resident_id` as its key, indexes on what a resident is looked up by, and `disputed`: the keys of
the elements in dispute (存疑) or unresolved (未决), separated by blanks. The table `former` holds by what residents were named before: ids
that were merged away, and numbers that records of theirs still hold beside the golden one (曾用号, law.md D-07, D-10). The last two copies
stay, so that readers of the older can finish.
"""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.home import Home
from catalog.lake import Lake
from catalog.schema import ServingVersionRow
from catalog.store import Store
from golden.engine import identifier, open_engine
from golden.versions import golden_folder, relation, touched_since

TABLE = "resident"
FORMER = "former"
FORMER_COLUMNS = ("element", "value", "resident_id")
KEPT = 2
BATCH_ROWS = 20_000
DOCUMENTS = (
    "document_number",
    "passport_number",
    "hmt_permit_number",
    "permanent_residence_number",
    "residence_permit_number",
    "hk_macau_pass_number",
    "birth_certificate_number",
)
"""Identity documents beside the identity number: few residents have one, so their indexes are small."""
INDEXED = ("id_number", "grid_code", *DOCUMENTS)
FORMER_SQL = """CREATE TABLE {table} (
  element TEXT NOT NULL, value TEXT NOT NULL, resident_id TEXT NOT NULL, PRIMARY KEY (element, value, resident_id))"""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """A serving copy; `location`: the file's name, or the schema's."""

    version: int
    golden_version: int
    location: str
    residents: int


def publish(store: Store, home: Home, version: int, *, now: datetime) -> Serving:
    """Make golden version `version` the one that is served; what is served already is left alone."""
    lake = Lake(home.lake_root)
    with lake.lock("serving"):
        standing = newest_serving(store)
        if standing is not None and standing.golden_version == version:
            return standing
        number = 1 if standing is None else standing.version + 1
        with open_engine(lake.root / "golden" / "spill-serving") as con:
            folder = golden_folder(lake, version)
            if not store.is_sqlite:
                return _build_postgres(store, home, number, version, _Rows.of(con, folder, None), now)
            last = _mendable(home, lake, standing, folder)
            return _build_sqlite(store, home, number, version, _Rows.of(con, folder, last), now, last)


def _mendable(home: Home, lake: Lake, standing: "Serving | None", folder: Path) -> "_Last | None":
    """The copy that is served so far, where the version to serve stands on the one that it is of."""
    if standing is None or not has_former(home, standing):
        return None
    touched = touched_since(folder, golden_folder(lake, standing.golden_version))
    if touched is None:
        return None
    return _Last(file=serving_file(home, standing), folder=golden_folder(lake, standing.golden_version), touched=touched)


def newest_serving(store: Store) -> Serving | None:
    """The copy that answers."""
    with store.session() as session:
        row = session.scalar(sa.select(ServingVersionRow).order_by(ServingVersionRow.version.desc()).limit(1))
    if row is None:
        return None
    return Serving(version=row.version, golden_version=row.golden_version, location=row.location, residents=row.residents)


def serving_file(home: Home, serving: Serving) -> Path:
    """The SQLite file of a copy."""
    return home.serving_dir / serving.location


def has_former(home: Home, serving: Serving) -> bool:
    """Whether the file of a copy is there and is of a release that knows former names."""
    path = serving_file(home, serving)
    if not path.exists():
        return False
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as con:
        return con.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (FORMER,)).fetchone() is not None


@dataclass(frozen=True, kw_only=True)
class _Last:
    """A copy, the version that it is of, and SQL of the residents that differ from it."""

    file: Path
    folder: Path
    touched: str


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """The rows to serve, or of a copy that is mended those that differ. `columns`: all; `stated`: those that any of these residents has a
    value in, the only ones that are carried over; `total`: residents served in all; `former`: their former names.
    """

    con: duckdb.DuckDBPyConnection
    columns: Sequence[str]
    stated: Sequence[str]
    total: int
    former: Sequence[tuple[str, str, str]]

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, folder: Path, last: "_Last | None") -> "_Rows":
        residents, values = (relation(folder, name, None if last is None else last.folder) for name in ("residents", "values"))
        con.execute(f"""
            CREATE OR REPLACE TEMP VIEW served AS SELECT r.*, d.disputed FROM {residents} r LEFT JOIN (
              SELECT resident_id, string_agg(element, ' ' ORDER BY element) AS disputed FROM {values} WHERE status <> 'ok'
              GROUP BY resident_id
            ) d USING (resident_id)""")
        columns = [row[0] for row in con.execute("DESCRIBE served").fetchall()]
        counted = con.execute(f"SELECT count(*), {', '.join(f'count({identifier(c)})' for c in columns)} FROM served").fetchall()[0]
        stated = [column for column, n in zip(columns, counted[1:], strict=True) if n]
        total = counted[0] if last is None else con.execute(f"SELECT count(*) FROM {relation(folder, 'residents')}").fetchall()[0][0]
        former = _former(con, folder, None if last is None else last.folder)
        return cls(con=con, columns=columns, stated=stated, total=total, former=former)

    def batches(self) -> Iterator[list[tuple[str | None, ...]]]:
        """Rows of the stated columns, in the order of the key, so that its index is written from left to right."""
        self.con.execute(f"SELECT {', '.join(map(identifier, self.stated))} FROM served ORDER BY resident_id")
        while rows := self.con.fetchmany(BATCH_ROWS):
            yield rows


def _former(con: duckdb.DuckDBPyConnection, folder: Path, after: Path | None) -> list[tuple[str, str, str]]:
    """Element, value, resident: a number counts as a former one of him in whose records it stands, whoever else has it."""
    identities, rivals = (relation(folder, name, after) for name in ("identities", "rivals"))
    return con.execute(f"""
        SELECT 'resident_id', resident_id, superseded_by FROM {identities} WHERE superseded_by IS NOT NULL UNION
        SELECT 'id_number', value, resident_id FROM {rivals} WHERE element = 'id_number' ORDER BY ALL""").fetchall()


def _build_sqlite(store: Store, home: Home, number: int, version: int, rows: _Rows, now: datetime, last: _Last | None) -> Serving:
    _drop_unnamed_files(home, number)
    serving = Serving(version=number, golden_version=version, location=f"serving-{number}.db", residents=rows.total)
    with Lake(home.lake_root).aside(serving_file(home, serving)) as aside:
        if last is None:
            _fill_sqlite(aside, rows)
        else:
            _mend_sqlite(aside, rows, last)
    with store.session() as session, session.begin():
        _add_row(session, serving, now)
        outdated = _outdated(session)
    for location in outdated:
        (home.serving_dir / location).unlink(missing_ok=True)
    return serving


def _fill_sqlite(path: Path, rows: _Rows) -> None:
    with _unguarded(path) as con:
        con.execute(_table_sql(TABLE, rows.columns, "WITHOUT ROWID"))
        con.execute(FORMER_SQL.format(table=FORMER))
        _insert(con, rows, rows.batches())
        _index(con, rows.columns)


def _mend_sqlite(path: Path, rows: _Rows, last: _Last) -> None:
    """The last copy with the rows of the residents that differ replaced."""
    shutil.copyfile(last.file, path)
    with _unguarded(path) as con:
        touched = rows.con.execute(last.touched).fetchall()
        con.executemany(f"DELETE FROM {TABLE} WHERE resident_id = ?", touched)
        con.executemany(f"DELETE FROM {FORMER} WHERE element = 'resident_id' AND value = ?", touched)
        con.executemany(f"DELETE FROM {FORMER} WHERE element <> 'resident_id' AND resident_id = ?", touched)
        _insert(con, rows, rows.batches())
        _index(con, rows.columns)


def _index(con: sqlite3.Connection, columns: Sequence[str]) -> None:
    """A mended copy has them already, unless it is of an older release."""
    con.execute(f"CREATE INDEX IF NOT EXISTS {FORMER}_resident ON {FORMER} (resident_id)")
    for column in indexed(columns):
        con.execute(f"CREATE INDEX IF NOT EXISTS {TABLE}_{column} ON {TABLE} ({column}) WHERE {column} IS NOT NULL")


def indexed(columns: Sequence[str]) -> list[str]:
    """Which columns of a copy have an index."""
    return [column for column in INDEXED if column in columns]


def _insert(con: sqlite3.Connection, rows: _Rows, batches: Iterator[list[tuple[str | None, ...]]]) -> None:
    places = ", ".join("?" * len(rows.stated))
    for batch in batches:
        con.executemany(f"INSERT INTO {TABLE} ({', '.join(map(identifier, rows.stated))}) VALUES ({places})", batch)
    con.executemany(f"INSERT INTO {FORMER} ({', '.join(FORMER_COLUMNS)}) VALUES (?, ?, ?)", rows.former)


@contextmanager
def _unguarded(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction without journal and syncs: the file is worth nothing until it is whole; the lake syncs it before it gets its name."""
    con = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", "cache_size=-200000"):
            con.execute(f"PRAGMA {pragma}")
        con.execute("BEGIN")
        yield con
        con.execute("COMMIT")
    finally:
        con.close()


def _drop_unnamed_files(home: Home, number: int) -> None:
    """What a killed run left: a whole file that no row names."""
    for path in home.serving_dir.glob("serving-*.db"):
        if int(path.stem.removeprefix("serving-")) >= number:
            path.unlink()


def _build_postgres(store: Store, home: Home, number: int, version: int, rows: _Rows, now: datetime) -> Serving:
    schema = f"serving_{number}"
    serving = Serving(version=number, golden_version=version, location=schema, residents=rows.total)
    with store.session() as session, session.begin():
        driver = session.connection().connection.driver_connection
        assert driver is not None
        with driver.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {schema}")
            cursor.execute(_table_sql(f"{schema}.{TABLE}", rows.columns, ""))
            with cursor.copy(f"COPY {schema}.{TABLE} ({', '.join(map(identifier, rows.stated))}) FROM STDIN") as copy:
                for batch in rows.batches():
                    for row in batch:
                        copy.write_row(row)
            cursor.execute(FORMER_SQL.format(table=f"{schema}.{FORMER}"))
            with cursor.copy(f"COPY {schema}.{FORMER} ({', '.join(FORMER_COLUMNS)}) FROM STDIN") as copy:
                for former in rows.former:
                    copy.write_row(former)
            for column in indexed(rows.columns):
                cursor.execute(f"CREATE INDEX ON {schema}.{TABLE} ({column}) WHERE {column} IS NOT NULL")
            cursor.execute(f"ANALYZE {schema}.{TABLE}, {schema}.{FORMER}")  # unknown, the table would be read whole for a few numbers
        _add_row(session, serving, now)
        for location in _outdated(session):
            session.execute(sa.schema.DropSchema(location, cascade=True, if_exists=True))
    return serving


def _table_sql(table: str, columns: Sequence[str], options: str) -> str:
    cells = ", ".join(f"{identifier(c)} TEXT" + (" PRIMARY KEY" if c == "resident_id" else "") for c in columns)
    return f"CREATE TABLE {table} ({cells}) {options}"


def _add_row(session: Session, serving: Serving, now: datetime) -> None:
    session.add(
        ServingVersionRow(
            version=serving.version,
            golden_version=serving.golden_version,
            location=serving.location,
            residents=serving.residents,
            created_at=now,
        )
    )
    session.flush()


def _outdated(session: Session) -> list[str]:
    """Copies that two newer ones have replaced, newest first, a few at a time: older ones went before."""
    found = sa.select(ServingVersionRow.location).order_by(ServingVersionRow.version.desc()).offset(KEPT).limit(KEPT)
    return list(session.scalars(found))
