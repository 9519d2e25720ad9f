"""Nothing personal beside the data: after the whole road no resident stands in a log, an event, a check or a message."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.kills import finish, start

BESIDE_THE_DATA = ("store.db", "audit.db", "dagster/**/*", "witness/**/*", "lake/**/*.lock")
"""Everything under the home that is not the data themselves: bookkeeping, the log, Dagster's events, checkpoints."""

SHORTEST_NAME = 3
"""Names of two characters also stand inside ordinary words (and in titles of elements); three and more do not."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a district of 1,000 residents after the whole road."""
    home = tmp_path_factory.mktemp("nothing_personal") / "home"
    finish(home, ("demo", "--residents", "1000"))
    return home


def test_no_resident_stands_beside_the_data(home: Path) -> None:
    told = personal_values(home / "district" / "truth" / "residents.parquet")
    found = {str(path.relative_to(home)) for path in files(home) for text in texts(path) if any_of(told, text)}
    assert found == set()


def test_a_failing_command_prints_no_value(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told = personal_values(home / "district" / "truth" / "residents.parquet")
    extract = ("extract", "99", "--as", "nobody", "--out", f"{home}/exports/x.csv")
    for command in (("why", "R9999999999"), ("ingest", "no_such_dataset"), extract):
        child = start(home, command)
        child.join()
        assert child.exitcode in {3, 4}
    output = capfd.readouterr()
    assert not any_of(told, output.out + output.err)


def test_the_search_itself_finds_what_is_planted(home: Path, tmp_path: Path) -> None:
    told = personal_values(home / "district" / "truth" / "residents.parquet")
    with sqlite3.connect(tmp_path / "planted.db") as planted:
        planted.execute("CREATE TABLE message (text TEXT)")
        planted.execute("INSERT INTO message VALUES (?)", [f"row 7: {next(iter(told))}"])
    assert any(any_of(told, text) for text in texts(tmp_path / "planted.db"))


def personal_values(truth: Path) -> frozenset[str]:
    with duckdb.connect() as con:
        rows = con.execute(f"SELECT id_number, phone, name FROM '{truth}'").fetchall()
    return frozenset(value for row in rows for value in row if value and len(value) >= SHORTEST_NAME)


def files(home: Path) -> Iterator[Path]:
    for pattern in BESIDE_THE_DATA:
        yield from (path for path in home.glob(pattern) if path.is_file())


def texts(path: Path) -> Iterator[str]:
    """The cells of a database, or the text of any other file."""
    if path.read_bytes()[:15] == b"SQLite format 3":
        yield from cells(path)
    else:
        yield path.read_text(encoding="utf-8", errors="ignore")


def cells(path: Path) -> Iterator[str]:
    with sqlite3.connect(path) as db:
        db.text_factory = lambda data: data.decode("utf-8", errors="ignore")
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in db.execute(f'SELECT * FROM "{table}"'):
                yield from (
                    cell if isinstance(cell, str) else cell.decode("utf-8", errors="ignore")
                    for cell in row
                    if isinstance(cell, str | bytes)
                )


def any_of(told: frozenset[str], text: str) -> bool:
    return any(value in text for value in told)
