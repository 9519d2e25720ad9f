"""The records of all sources as relations: one row per record, and one row per value that records are matched by.

Relations made here
  sources(src, dataset, department, verified, attests, stamped)   attests: the source of record of identity numbers
  records(rid, src, record, content, since, observed_on, day, number, name_key, birth, sex)
      content: a hash of what the record says; since: the day on which it was first received with this content, so that sending the same
      again makes nothing newer (X-19, TX-26); observed_on: the day that the source gives, else since; day: observed_on from 1900
      rid = a hash of data set and record: the same in every run and whatever else is read, and no join is needed to find a cell again
  names(name, name_key, pinyin)               every distinct name once
  record_<attribute>(rid, value)              one per attribute of the matching rules
  placeholders(raw)                           part of the model: void numbers that too many records carry; made where it does not stand
  record_lost(rid, kind, value)               what is left of identity numbers that were void: near (one error away), prefix (15 digits)
"""

from collections.abc import Callable, Collection, Iterable, Sequence

import duckdb
import pyarrow as pa

from golden.engine import arrow, identifier, keep, quoted
from golden.number_repair import WEIGHTS, repaired_numbers
from golden.sources import RecordSource, is_of_record
from rules.elements import load_elements
from rules.matching import Attribute, MatchingRules
from rules.names import name_key, pinyin_key

NAME_KINDS = ("name", "folded")
RESIDENT_NUMBER = "^[0-9]{17}[0-9X]$"
NUMBERS = ("id_number", "document_number", "hmt_permit_number", "permanent_residence_number")
"""Where a person's 18-digit number may stand; residents of Hong Kong, Macau, Taiwan and foreigners have one (D-11, D-12)."""

STAMPED_SHARE, STAMPED_ROWS = 0.5, 50
"""A source in which more rows than this share carry one and the same date stamped them at upload: its dates say nothing (X-19). Fewer
rows than STAMPED_ROWS may carry one date by chance."""

PLACEHOLDER_RECORDS = 5
"""A void number that more records than this carry is a placeholder, not somebody's number with an error (X-05)."""


def read_records(
    con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], rules: MatchingRules, stamped: Collection[str] | None = None
) -> None:
    """Make the relations of this module from the standard files of `sources`, and from `old_contents` if there was a run before.

    `stamped`: the data sets whose dates say nothing, where the files at hand are only a part of them; none: they are looked for.
    """
    list_records(con, sources, rules, stamped_at_upload(con, sources) if stamped is None else stamped)
    for attribute in rules.attributes.values():
        if attribute.kind != "number":
            _list_values(con, sources, attribute)
    _list_lost_numbers(con, sources)


def list_records(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], rules: MatchingRules, stamped: Collection[str]) -> None:
    """Make `names`, `sources` and `records` only: where units stand already, what is matched by is not asked for again."""
    _list_names(con, sources, rules)
    _list_sources(con, sources, stamped)
    _list_records(con, sources, stamped)
    _doubt_cut_numbers(con)


def stamped_at_upload(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource]) -> frozenset[str]:
    """The data sets of which most rows carry one and the same date (X-19). Not verified ones: whoever checks may do it all on one day."""
    dated = [(source, column_of(source, "updated_at")) for source in sources if not source.verified]
    found = {source.dataset: _most_on_one_day(con, source, column) for source, column in dated if column}
    return frozenset(dataset for dataset, (n, total) in found.items() if n > STAMPED_SHARE * total and total >= STAMPED_ROWS)


def _most_on_one_day(con: duckdb.DuckDBPyConnection, source: RecordSource, column: str) -> tuple[int, int]:
    days = f"SELECT left({column}, 10) AS day, count(*) AS n FROM read_parquet('{quoted(str(source.standard))}') GROUP BY day"
    most, total = con.execute(f"SELECT coalesce(max(n), 0), coalesce(sum(n), 0)::BIGINT FROM ({days})").fetchall()[0]
    return most, total


def contents(sources: Sequence[RecordSource], stamped: Collection[str], beside: Callable[[RecordSource], str] = lambda source: "") -> str:
    """SQL for (rid, content) of all records of some sources: two versions of a record that say the same have the same content.

    beside: SQL of further columns of a source's rows, each led by a comma.
    """
    parts = [rows_of(source, f"rid, {contents_of(source, stamped)} AS content{beside(source)}") for source in sources]
    rows = union_of(parts, "SELECT NULL::BIGINT AS rid, NULL::BIGINT AS content")
    return f"SELECT * EXCLUDE (lost) REPLACE ({WITH_LOST} AS content) FROM ({rows}) LEFT JOIN ({_lost_contents(sources)}) USING (rid)"


WITH_LOST = "xor(content, coalesce(lost, 0))"


def _lost_contents(sources: Sequence[RecordSource]) -> str:
    """(rid, lost): what void identity numbers add to a record's content; their cells are empty."""
    rows = union_of(_number_faults(sources), "SELECT 0::BIGINT AS rid, '' AS fault, '' AS raw")
    return f"SELECT rid, (bit_xor(hash(fault, raw)) >> 1)::BIGINT AS lost FROM ({rows}) GROUP BY rid"


def _number_faults(sources: Sequence[RecordSource]) -> list[str]:
    """For each source SQL of its void identity numbers: rid, fault, raw."""
    parts = []
    for source in sources:
        columns = source.columns.get("id_number", ())
        if source.faults is not None and columns and source.faults.exists():
            names = ", ".join(f"'{quoted(c)}'" for c in columns)
            path = quoted(str(source.faults))
            parts.append(f"SELECT {rid_of(source)} AS rid, fault, raw FROM read_parquet('{path}') WHERE \"column\" IN ({names})")
    return parts


def contents_of(source: RecordSource, stamped: Collection[str]) -> str:
    """SQL over a row of a standard file: a hash of all that the record says of its elements, dates that say nothing left out."""
    said = sorted(c for e, columns in source.columns.items() for c in columns if not (e == "updated_at" and source.dataset in stamped))
    cells = ", ".join(identifier(column) for column in said)
    return f"(hash({cells}) >> 1)::BIGINT" if cells else "0::BIGINT"


def column_of(source: RecordSource, element: str) -> str | None:
    """SQL for the first value that the source states for an element, null where it states none."""
    columns = source.columns.get(element, ())
    if not columns:
        return None
    return f"coalesce({', '.join(f'nullif({identifier(c)}, {_EMPTY})' for c in columns)})"


def rid_in(dataset: str, record: str) -> str:
    """SQL: the 62 bits by which a record is known, from SQL of its data set and of its key there."""
    return f"(hash({dataset}, {record}) >> 2)::BIGINT"


def rid_of(source: RecordSource) -> str:
    """SQL: the same for the rows of a source's files."""
    return rid_in(f"'{quoted(source.dataset)}'", "_record")


def rows_of(source: RecordSource, select: str) -> str:
    """SQL that selects from a source's standard file; `rid` is at hand."""
    path = quoted(str(source.standard))
    return f"SELECT {select} FROM (SELECT {rid_of(source)} AS rid, * FROM read_parquet('{path}'))"


def rows_in(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource]) -> list[int]:
    """How many rows each source has; Parquet knows without reading them."""
    return [con.execute(f"SELECT count(*) FROM read_parquet('{quoted(str(s.standard))}')").fetchall()[0][0] for s in sources]


_EMPTY = "''"


def _list_records(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], stamped: Collection[str]) -> None:
    parts, width = [], max((len(_number_columns(source)) for source in sources), default=0)
    for src, source in enumerate(sources):
        confirmed = None if source.dataset in stamped else column_of(source, "updated_at")
        cells = {
            "src": f"{src}::SMALLINT",
            "record": "_record",
            "content": contents_of(source, stamped),
            "confirmed": f"left({confirmed}, 10)" if confirmed else "NULL::VARCHAR",
            "numbers": _listed(_number_columns(source), width),
            "name": column_of(source, "name") or "NULL",
            "birth": column_of(source, "birth_date") or "NULL",
            "sex": column_of(source, "sex") or "NULL",
        }
        parts.append(rows_of(source, "rid, " + ", ".join(f"{sql} AS {name}" for name, sql in cells.items())))
    numbers = ", ".join(valid_number(f"numbers[{place}]") for place in range(1, width + 1))
    nothing = "SELECT NULL::BIGINT AS rid, NULL::BIGINT AS content, NULL::VARCHAR AS since LIMIT 0"
    con.execute(f"CREATE TEMP VIEW IF NOT EXISTS old_contents AS {nothing}")
    con.execute(f"""
        CREATE OR REPLACE TABLE records AS
        WITH dated AS (
          SELECT r.*, coalesce(o.since, received_on) AS since, coalesce(confirmed, o.since, received_on) AS observed_on
          FROM (SELECT * REPLACE ({WITH_LOST} AS content) FROM ({union_of(parts)}) LEFT JOIN ({_lost_contents(sources)}) USING (rid)) r
          JOIN sources USING (src) LEFT JOIN old_contents o ON o.rid = r.rid AND o.content = r.content)
        SELECT rid, src, record, content, since, observed_on,
          coalesce(date_diff('day', DATE '1900-01-01', try_cast(observed_on AS DATE)), 0)::INT AS day,
          coalesce({numbers or "NULL::VARCHAR"}, NULL) AS number, name_key, birth, sex
        FROM dated LEFT JOIN names USING (name)""")
    total, distinct = con.execute("SELECT count(*), count(DISTINCT rid) FROM records").fetchall()[0]
    assert total == distinct, "two records share a hash, or a record key stands twice in a standard file"


def _number_columns(source: RecordSource) -> list[str]:
    return [column for element in NUMBERS for column in source.columns.get(element, ())]


def _listed(columns: Sequence[str], width: int) -> str:
    """SQL: cells as a list of so many. What is long to say is said of the list once, not of each source: planning took the longer time."""
    cells = [*map(identifier, columns), *["NULL"] * (width - len(columns))]
    return f"[{', '.join(cells)}]::VARCHAR[]"


def valid_number(column: str) -> str:
    """SQL: the cell where it is an identity number of 18 places whose check digit holds (GB 11643), else null."""
    digits = " + ".join(f"(ascii({column}[{place}]) - 48) * {weight}" for place, weight in enumerate(WEIGHTS[:17], start=1))
    check = f"CASE {column}[18] WHEN 'X' THEN 10 ELSE ascii({column}[18]) - 48 END"
    return f"CASE WHEN regexp_matches({column}, '{RESIDENT_NUMBER}') AND ({digits} + {check}) % 11 = 1 THEN {column} END"


def _list_sources(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], stamped: Collection[str]) -> None:
    listed = pa.table(
        {
            "src": pa.array(range(len(sources)), pa.int16()),
            "dataset": [s.dataset for s in sources],
            "department": [s.department for s in sources],
            "verified": [s.verified for s in sources],
            "attests": [is_of_record(s, "id_number") for s in sources],
            "received_on": [s.received_on.isoformat() for s in sources],
            "stamped": [s.dataset in stamped for s in sources],
        }
    )
    keep(con, "sources", listed)


def _list_names(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], rules: MatchingRules) -> None:
    """A nickname has no key: it says nothing for or against anybody. known_names: what an earlier run made of names, where it stands."""
    elements = {e for attribute in rules.attributes.values() if attribute.kind in NAME_KINDS for e in attribute.elements}
    parts = [rows_of(s, f"{identifier(c)} AS name") for s in sources for e in sorted(elements) for c in s.columns.get(e, ())]
    con.execute("CREATE TEMP VIEW IF NOT EXISTS known_names AS SELECT '' AS name, '' AS name_key, '' AS pinyin LIMIT 0")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE said_names AS
        SELECT DISTINCT name FROM ({union_of(parts, "SELECT NULL::VARCHAR AS name")}) WHERE name IS NOT NULL""")
    names = arrow(con, "SELECT name FROM said_names ANTI JOIN known_names USING (name) ORDER BY name").column("name").combine_chunks()
    keep(con, "spelt_names", pa.table({"name": names, "name_key": name_key(names), "pinyin": pinyin_key(names)}))
    nickname = " OR ".join(f"regexp_matches(name, '{quoted(p)}')" for c in rules.comparisons.values() for p in c.nicknames) or "false"
    con.execute(f"""
        CREATE OR REPLACE TABLE names AS
        SELECT name, CASE WHEN NOT ({nickname}) AND replace(name_key, '?', '') <> '' THEN name_key END AS name_key, pinyin
        FROM spelt_names UNION ALL SELECT name, name_key, pinyin FROM known_names SEMI JOIN said_names USING (name)""")


def _list_values(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], attribute: Attribute) -> None:
    """record_<attribute>: each value once per record; empty and unusable values are left out."""
    parts = []
    for source in sources:
        parts += [rows_of(source, f"rid, {_cell_sql(attribute, e, identifier(c))} AS cell") for e, c in _columns(source, attribute)]
    rows = f"SELECT rid, {_value_sql(attribute)} AS value FROM ({union_of(parts, 'SELECT NULL::BIGINT AS rid, NULL::VARCHAR AS cell')})"
    if attribute.kind in NAME_KINDS:
        rows = f"SELECT rid, name_key AS value FROM ({rows}) raw JOIN names ON raw.value = names.name"
    con.execute(f"CREATE OR REPLACE TABLE record_{attribute.key} AS SELECT DISTINCT rid, value FROM ({rows}) WHERE value IS NOT NULL")


def _columns(source: RecordSource, attribute: Attribute) -> Iterable[tuple[str, str]]:
    elements = list(attribute.elements)
    if attribute.identifying_documents:
        elements += [key for key, e in load_elements().items() if e.identifies_person and e.kind in ("id_number", "document_number")]
    return [(element, column) for element in dict.fromkeys(elements) for column in source.columns.get(element, ())]


def _cell_sql(attribute: Attribute, element: str, column: str) -> str:
    told_apart = attribute.qualified and not attribute.identifying_documents and attribute.extract is None
    return f"'{element}:' || nullif({column}, '')" if told_apart else column


def _value_sql(attribute: Attribute) -> str:
    """SQL over a `cell`, whichever source it is of: patterns are prepared once, not once per source."""
    if attribute.identifying_documents:
        return f"CASE WHEN NOT regexp_matches(cell, '{RESIDENT_NUMBER}') THEN nullif(cell, '') END"
    if attribute.extract is not None:
        return f"nullif(regexp_extract(cell, '{quoted(attribute.extract)}'), '')"
    return "nullif(cell, '')"


def _doubt_cut_numbers(con: duckdb.DuckDBPyConnection) -> None:
    """doubtful(rid, number): a number ending in 000 that no source of record holds was cut, although its check holds by chance.

    attested_elsewhere(number): such numbers that records which are not at hand attest, where it stands.
    """
    con.execute("CREATE TEMP TABLE IF NOT EXISTS attested_elsewhere (number VARCHAR)")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE doubtful AS
        SELECT rid, number FROM records WHERE number LIKE '%000'
        AND number NOT IN (SELECT number FROM records JOIN sources USING (src) WHERE attests AND number LIKE '%000')
        AND number NOT IN (FROM attested_elsewhere)""")
    con.execute("UPDATE records SET number = NULL WHERE rid IN (SELECT rid FROM doubtful)")


def _list_lost_numbers(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource]) -> None:
    faults = union_of(_number_faults(sources), "SELECT 0::BIGINT AS rid, '' AS fault, '' AS raw")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE void_numbers AS
        SELECT rid, upper(regexp_replace(raw, '[^0-9A-Za-z]', '', 'g')) AS raw FROM ({faults}) faults SEMI JOIN records USING (rid)
        WHERE fault IN ('ID-CHECK', 'ID-DATE', 'ID-LOST') UNION ALL SELECT rid, number FROM doubtful""")
    con.execute(f"""
        CREATE TABLE IF NOT EXISTS placeholders AS
        SELECT raw FROM void_numbers GROUP BY raw HAVING count(*) > {PLACEHOLDER_RECORDS}""")
    void = arrow(con, "SELECT rid, raw FROM void_numbers ANTI JOIN placeholders USING (raw) ORDER BY rid, raw")
    keep(con, "record_lost", repaired_numbers(void))


def union_of(parts: Sequence[str], empty: str = "SELECT NULL::BIGINT AS rid") -> str:
    """SQL of all parts together; of `empty`, without its row, where there are none."""
    return " UNION ALL ".join(parts) if parts else f"{empty} LIMIT 0"
