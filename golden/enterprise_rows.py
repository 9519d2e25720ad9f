"""The records of all sources about enterprises as one table, in the columns that the rule set `enterprises` compares.

Relations made here
  enterprise_names(name, key, branch)       every distinct name once, without place and legal form
  enterprise_rows(rid, source, record, code, organisation[], former_number[], code_start[], name[], branch, representative[], address[],
      door[], established[])
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import duckdb
import pyarrow as pa

from golden.engine import arrow, identifier, keep, quoted
from golden.records import rid_of, rows_of, union_of
from golden.sources import RecordSource, is_of_record
from rules.credit_codes import FormerNumbers, held_numbers, is_organisation_code, read_former_numbers
from rules.enterprise_names import HEAD_OFFICE, branch_part, enterprise_name_key
from rules.matching import Attribute, MatchingRules

CREDIT_FAULTS = ("CREDIT-ORGANISATION", "CREDIT-REGISTRATION", "CREDIT-LOST", "CREDIT-MALFORMED")


def read_enterprises(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], rules: MatchingRules) -> str:
    """Make the relation of this module from the standard files of `sources`."""
    for key, attribute in rules.attributes.items():
        con.execute(f"CREATE OR REPLACE TEMP TABLE said_{key} AS {_said_sql(sources, attribute)}")
    _fold_names(con, sources)
    _drop_borrowed_codes(con, sources)
    _read_numbers(con, sources)
    several = [key for key in rules.attributes if key not in ("code", "branch")]
    lists = " ".join(f"LEFT JOIN (SELECT rid, list(DISTINCT value) AS {key} FROM said_{key} GROUP BY rid) USING (rid)" for key in several)
    rows = " UNION ALL ".join(rows_of(source, f"rid, '{quoted(source.dataset)}' AS source, _record AS record") for source in sources)
    con.execute(f"""
        CREATE OR REPLACE TABLE enterprise_rows AS
        SELECT rid, source, record, code, branch, {", ".join(several)} FROM ({rows})
        LEFT JOIN (SELECT rid, min(value) AS code FROM said_code GROUP BY rid) USING (rid)
        LEFT JOIN (SELECT rid, min(value) AS branch FROM said_branch GROUP BY rid) USING (rid) {lists}""")
    return "enterprise_rows"


def list_spellings(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource]) -> None:
    """Add the enterprises' names, with their keys, to `names`; and make `record_former_name`(rid, value) of the keys of former ones."""
    con.execute("INSERT INTO names SELECT name, key, NULL FROM enterprise_names ANTI JOIN names USING (name)")
    former = [
        rows_of(source, f"rid, {identifier(column)} AS name")
        for source in sources
        for column in (*source.columns["enterprise_name"][1:], *source.columns.get("enterprise_former_name", ()))
    ]
    said = union_of(former, "SELECT NULL::BIGINT AS rid, NULL::VARCHAR AS name")
    con.execute(f"CREATE OR REPLACE TABLE record_former_name AS SELECT rid, key AS value FROM ({said}) JOIN enterprise_names USING (name)")


def _said_sql(sources: Sequence[RecordSource], attribute: Attribute) -> str:
    """(rid, value): what the columns of the attribute's elements say."""
    form = "value" if attribute.extract is None else f"regexp_extract(value, '{quoted(attribute.extract)}')"
    cells = [
        rows_of(source, f"rid, {identifier(column)} AS value")
        for source in sources
        for element in attribute.elements
        for column in source.columns.get(element, ())
    ]
    said = " UNION ALL ".join(cells) or "SELECT NULL::BIGINT AS rid, NULL::VARCHAR AS value LIMIT 0"
    return f"SELECT DISTINCT rid, value FROM (SELECT rid, {form} AS value FROM ({said})) WHERE value <> ''"


def _drop_borrowed_codes(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource]) -> None:
    """A branch office that shows the code of a head office shows its company's, unless the source of record says so."""
    head = f"(SELECT rid FROM said_branch WHERE value = '{HEAD_OFFICE}')"
    attests = [rows_of(source, "rid") for source in sources if is_of_record(source, "credit_code")]
    kept = " UNION ALL ".join([f"SELECT rid FROM {head}", *attests])
    con.execute(f"DELETE FROM said_code WHERE rid NOT IN ({kept}) AND value IN (SELECT value FROM said_code WHERE rid IN {head})")


def _read_numbers(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource]) -> None:
    """What valid codes hold of former numbers, and what stood in their place; a number is read once, however many rows show it."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE void_codes AS {_void_codes_sql(sources)}")
    readings = {code: held_numbers(code) for code in _distinct(con, "SELECT value FROM said_code")}
    readings |= {raw: read_former_numbers(raw) for raw in _distinct(con, "SELECT value FROM void_codes")}
    _list_readings(con, readings)
    con.execute("UPDATE said_organisation SET value = regexp_replace(upper(value), '[^0-9A-Z]', '', 'g')")
    void = [(code,) for code in _distinct(con, "SELECT value FROM said_organisation") if not is_organisation_code(code)]
    if void:
        con.executemany("DELETE FROM said_organisation WHERE value = ?", void)
    for key in ("organisation", "former_number", "code_start"):
        con.execute(f"""
            INSERT INTO said_{key} SELECT rid, r.value FROM (FROM said_code UNION ALL FROM void_codes) s
            JOIN number_readings r ON r.raw = s.value WHERE r.attribute = '{key}'""")


def _distinct(con: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    return [row[0] for row in con.execute(f"SELECT DISTINCT value FROM ({sql}) ORDER BY value").fetchall()]


def _list_readings(con: duckdb.DuckDBPyConnection, readings: Mapping[str, FormerNumbers]) -> None:
    """number_readings(raw, attribute, value)."""
    rows = [(raw, key, value) for raw, held in readings.items() for key, value in asdict(held).items() if value is not None]
    columns = {name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(("raw", "attribute", "value"))}
    keep(con, "number_readings", pa.table(columns))


def _void_codes_sql(sources: Sequence[RecordSource]) -> str:
    faults = ", ".join(f"'{fault}'" for fault in CREDIT_FAULTS)
    parts = []
    for source in sources:
        columns = ", ".join(f"'{quoted(column)}'" for column in source.columns.get("credit_code", ()))
        if source.faults is not None and columns:
            path = quoted(str(source.faults))
            rows = f"read_parquet('{path}') WHERE \"column\" IN ({columns}) AND fault IN ({faults})"
            parts.append(f"SELECT {rid_of(source)} AS rid, raw AS value FROM {rows}")
    return " UNION ALL ".join(parts) or "SELECT NULL::BIGINT AS rid, NULL::VARCHAR AS value LIMIT 0"


def _fold_names(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource]) -> None:
    """said_name of keys instead of names; said_branch of the name that the row has now, not of a former one."""
    spelt = arrow(con, "SELECT DISTINCT value FROM said_name ORDER BY value").column("value").combine_chunks()
    keep(con, "enterprise_names", pa.table({"name": spelt, "key": enterprise_name_key(spelt), "branch": branch_part(spelt)}))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE said_name AS SELECT DISTINCT rid, key AS value FROM said_name JOIN enterprise_names ON name = value"
    )
    now = " UNION ALL ".join(
        rows_of(source, f"rid, {identifier(column)} AS name") for source in sources for column in source.columns["enterprise_name"][:1]
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE said_branch AS SELECT rid, branch AS value FROM ({now}) JOIN enterprise_names USING (name)")
