"""The values of very many residents, a portion of them at a time, so that memory does not grow with the district.

A portion is a range of residents with about PORTION_RECORDS records. The rows of the sources and what is known of the records are laid out
by portions once: each is then read once per portion, and leaves the memory to the values. What is chosen of a portion goes into files of
the version at once (`versions.write_portion`); what later steps ask of all stands as views over them.

Relations made here
  portion_of(rid, res, src, portion)     all of `resident_of`; this, `records` and `unit_of` hold only the residents of the portion at hand
      meanwhile
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from golden.claims import list_claimants
from golden.engine import count, identifier, quoted, scratch
from golden.pinning import list_pins
from golden.records import rid_of
from golden.reliability import learn_reliability, nothing_learnt
from golden.sources import RecordSource, claimed_elements
from golden.survivorship import choose_numbers, choose_others, choose_values, judge_numbers, make_empty
from golden.versions import portions_as_one, write_portion
from rules.authority import SurvivorshipRules

PORTION_RECORDS = 4_000_000
"""So many records' values are chosen at once: they stay in memory, whatever their elements."""

OF_RECORDS = ("records", "unit_of")
CHOSEN = ("golden_values", "rivals", "numbers_of_record")


def choose_all_values(
    con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], rules: SurvivorshipRules, columns: Sequence[str]
) -> None:
    """The same as `choose_values`, in portions where there are many residents; `golden_rows` then stands in the files only.

    columns: of a golden record.
    """
    portions = 1 + count(con, "resident_of") // PORTION_RECORDS
    if portions == 1:
        choose_values(con, sources, rules)
        return
    if nothing_learnt(con):
        learn_reliability(con, sources, rules)
    _list_portions(con, portions)
    parts = [_portion_of(con, sources, portion) for portion in range(portions)]
    files = {relation: _laid_out_of_all(con, relation) for relation in OF_RECORDS}
    _choose_numbers(con, parts, files, rules)
    _choose_others(con, parts, files, rules, columns)
    con.execute("CREATE OR REPLACE TABLE resident_of AS SELECT rid, res FROM portion_of")
    for relation, rows in files.items():
        con.execute(f"CREATE OR REPLACE TABLE {relation} AS SELECT * EXCLUDE (portion) FROM {rows}")
    portions_as_one(con)
    list_pins(con, sources)


def _choose_numbers(
    con: duckdb.DuckDBPyConnection, parts: Sequence[tuple[RecordSource, ...]], files: Mapping[str, str], rules: SurvivorshipRules
) -> None:
    """chosen_<relation>: what `choose_numbers` leaves, of all residents; whether a number is another's too is asked over all of them."""
    make_empty(con)
    for sources in _each_at_hand(con, parts, files):
        choose_numbers(con, sources, rules)
    judge_numbers(con)
    for relation in CHOSEN:
        con.execute(f"ALTER TABLE {relation} RENAME TO chosen_{relation}")


def _choose_others(
    con: duckdb.DuckDBPyConnection,
    parts: Sequence[tuple[RecordSource, ...]],
    files: Mapping[str, str],
    rules: SurvivorshipRules,
    columns: Sequence[str],
) -> None:
    elements = claimed_elements(parts[0])
    for number, sources in enumerate(_each_at_hand(con, parts, files), start=1):
        make_empty(con)
        for relation in CHOSEN:
            con.execute(f"INSERT INTO {relation} FROM chosen_{relation} SEMI JOIN resident_of USING (res)")
        choose_others(con, sources, rules, elements)
        write_portion(con, number, columns)
    con.execute("DROP TABLE numbers_of_record")
    con.execute("ALTER TABLE chosen_numbers_of_record RENAME TO numbers_of_record")


def _each_at_hand(
    con: duckdb.DuckDBPyConnection, parts: Sequence[tuple[RecordSource, ...]], files: Mapping[str, str]
) -> Iterator[tuple[RecordSource, ...]]:
    for portion, sources in enumerate(parts):
        con.execute(f"CREATE OR REPLACE TABLE resident_of AS SELECT rid, res FROM portion_of WHERE portion = {portion}")
        for relation, rows in files.items():
            con.execute(f"CREATE OR REPLACE TABLE {relation} AS SELECT * EXCLUDE (portion) FROM {rows} WHERE portion = {portion}")
        list_claimants(con)
        yield sources


def _list_portions(con: duckdb.DuckDBPyConnection, portions: int) -> None:
    """Ranges of residents with equally many records."""
    con.execute(f"""
        CREATE OR REPLACE TABLE portion_of AS
        WITH sizes AS (SELECT res, count(*) AS n FROM resident_of GROUP BY res),
        ranges AS (SELECT res, ((sum(n) OVER (ORDER BY res) - 1) * {portions} // sum(n) OVER ())::SMALLINT AS portion FROM sizes)
        SELECT rid, res, src, portion FROM resident_of JOIN ranges USING (res) JOIN (SELECT rid, src FROM records) USING (rid)""")


def _laid_out_of_all(con: duckdb.DuckDBPyConnection, relation: str) -> str:
    """SQL of a relation's rows by portion, laid out in files; the relation itself goes."""
    folder = quoted(str(scratch(con, "relations") / relation))
    con.execute(f"""
        COPY (SELECT r.*, portion FROM {relation} r JOIN (SELECT rid, portion FROM portion_of) USING (rid))
        TO '{folder}' (FORMAT parquet, COMPRESSION snappy, PARTITION_BY (portion))""")
    con.execute(f"DROP TABLE {relation}")
    return f"read_parquet('{folder}/*/*.parquet', hive_partitioning = true)"


def _laid_out(con: duckdb.DuckDBPyConnection, src: int, source: RecordSource) -> Path:
    """A folder of the source's rows by portion, with the columns that state elements."""
    folder = scratch(con, "sources") / source.dataset
    if not folder.exists():
        stated = sorted({column for columns in source.columns.values() for column in columns})
        cells = ", ".join(["_record", *map(identifier, stated)])
        con.execute(f"""
            COPY (SELECT {cells}, portion FROM (SELECT *, {rid_of(source)} AS rid FROM read_parquet('{quoted(str(source.standard))}'))
                  JOIN (SELECT rid, portion FROM portion_of WHERE src = {src}) USING (rid))
            TO '{quoted(str(folder))}' (FORMAT parquet, COMPRESSION snappy, PARTITION_BY (portion))""")
        folder.mkdir(exist_ok=True)
    return folder


def _portion_of(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], portion: int) -> tuple[RecordSource, ...]:
    """The sources with only the rows of a portion; a source without any keeps its place."""
    found = []
    for src, source in enumerate(sources):
        folder = _laid_out(con, src, source) / f"portion={portion}"
        if not folder.exists():
            folder.mkdir()
            nothing = f"SELECT * FROM read_parquet('{quoted(str(source.standard))}') LIMIT 0"
            con.execute(f"COPY ({nothing}) TO '{quoted(str(folder / 'none.parquet'))}' (FORMAT parquet)")
        found.append(replace(source, standard=folder / "*.parquet"))
    return tuple(found)
