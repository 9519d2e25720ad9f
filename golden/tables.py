"""Any table linked by a rule set of its own: persons, enterprises, whatever `matching.yaml` describes (or a file like it).

The steps are those of residents, from exact groups to clusters; the rule set says which of them have something to do.

Relations made here, beside those of the steps
  records, sources, names, record_<attribute>, record_lost      as `records` makes them from snapshots
  linked(rid, cluster)      cluster: the smallest unit in it
"""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

import duckdb
import pyarrow as pa

from golden.blocking import propose_pairs
from golden.clustering import cluster_units
from golden.comparison import score_pairs
from golden.engine import arrow, identifier, keep, quoted
from golden.estimation import learn_weights
from golden.exact_groups import group_exactly
from golden.number_repair import repaired_numbers
from golden.records import NAME_KINDS, valid_number
from golden.unit_values import list_raw_values, list_unit_values
from golden.weights import Weights
from rules.credit_codes import ALPHABET
from rules.credit_codes import WEIGHTS as CREDIT_WEIGHTS
from rules.matching import Attribute, MatchingRules
from rules.names import name_key, pinyin_key


def link_table(
    con: duckdb.DuckDBPyConnection, relation: str, rules: MatchingRules, weights: Weights | None = None, *, of_record: Collection[str] = ()
) -> str:
    """Link the rows of `relation` by `rules` and make `linked(rid, cluster)`, whose name is returned.

    relation: rid BIGINT, unique; one column per attribute of the rule set, VARCHAR or VARCHAR[] where a row holds several values (a column
    may be missing: nothing is said of it); optionally `source` VARCHAR. Dates are ISO 8601, whole or cut at month or year; texts are
    compared as they stand, so the caller standardises them. A number whose check does not hold counts as none (and, if the rule set
    says `repaired`, for what it may have been). of_record: the sources that are of record for numbers: two of their numbers are two
    entities. weights: learnt from the table itself where none are given; else the relation `frequencies` learnt with them must stand.

    `unit_of(rid, unit)`, `evidence` and the warnings' relations `blocks_capped`, `shared_values`, `components_large` stand as well.
    """
    _list_table_records(con, relation, rules, of_record)
    group_exactly(con, rules.exact)
    list_raw_values(con, rules)
    model = learn_weights(con, rules) if weights is None else weights
    list_unit_values(con, rules, model)
    propose_pairs(con, rules)
    score_pairs(con, rules, model)
    cluster_units(con, rules, model)
    con.execute("CREATE OR REPLACE TABLE linked AS SELECT rid, cluster FROM unit_of JOIN cluster_of USING (unit)")
    return "linked"


def valid_credit_code(column: str) -> str:
    """SQL: the cell where it is a unified social credit code whose check character holds (GB 32100), else null."""
    value = f"(strpos('{ALPHABET}', {column}[{{}}]) - 1)"
    total = " + ".join(f"{value.format(place)} * {weight}" for place, weight in enumerate((*CREDIT_WEIGHTS, 1), start=1))
    return f"CASE WHEN regexp_full_match({column}, '[{ALPHABET}]{{18}}') AND ({total}) % 31 = 0 THEN {column} END"


CHECKS: Mapping[str | None, Callable[[str], str]] = MappingProxyType(
    {"gb11643": valid_number, "gb32100": valid_credit_code, None: lambda column: f"nullif({column}, '')"}
)
"""What makes a number valid, as `check` of its attribute says."""


def _list_table_records(con: duckdb.DuckDBPyConnection, relation: str, rules: MatchingRules, of_record: Collection[str]) -> None:
    columns = {name: kind for name, kind, *_ in con.execute(f"DESCRIBE {relation}").fetchall()}
    for key in {"former_name", *rules.attributes}:
        con.execute(f"CREATE OR REPLACE TABLE record_{key} AS {_values_sql(relation, key, columns.get(key))}")
    _list_table_names(con, rules)
    source = "source" if "source" in columns else "''"
    _list_table_sources(con, f"SELECT DISTINCT {source} AS source FROM {relation} ORDER BY 1", of_record)
    said = " ".join(
        f"LEFT JOIN (SELECT rid, min(value) AS value FROM record_{key} GROUP BY rid) v_{key} USING (rid)" for key in _facts(rules)
    )
    con.execute(f"""
        CREATE OR REPLACE TABLE records AS
        SELECT t.rid, src, t.rid::VARCHAR AS record, number, {_first("name", rules.name)}, {_first("birth", _stating(rules, "birth"))},
          {_first("sex", _stating(rules, "sex"))}
        FROM {relation} t JOIN sources ON dataset = {source} LEFT JOIN ({_valid_numbers(rules)}) n USING (rid) {said}""")
    _list_table_lost(con, rules)


def _values_sql(relation: str, key: str, kind: str | None) -> str:
    if kind is None:
        return "SELECT NULL::BIGINT AS rid, NULL::VARCHAR AS value LIMIT 0"
    column = identifier(key)
    value = f"unnest({column})" if kind.endswith("[]") else column
    return f"SELECT DISTINCT rid, value FROM (SELECT rid, {value}::VARCHAR AS value FROM {relation}) said WHERE value <> ''"


def _list_table_names(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> None:
    """names, and Chinese names replaced by their keys."""
    folded = [attribute.key for attribute in rules.attributes.values() if attribute.kind in NAME_KINDS]
    said = " UNION ".join(f"SELECT value FROM record_{key}" for key in folded) or "SELECT NULL::VARCHAR AS value LIMIT 0"
    spelt = arrow(con, f"SELECT value FROM ({said}) ORDER BY value").column("value").combine_chunks()
    keep(con, "names", pa.table({"name": spelt, "name_key": name_key(spelt), "pinyin": pinyin_key(spelt)}))
    for key in folded:
        con.execute(f"""
            CREATE OR REPLACE TABLE record_{key} AS
            SELECT DISTINCT rid, name_key AS value FROM record_{key} JOIN names ON name = value WHERE replace(name_key, '?', '') <> ''""")


def _list_table_sources(con: duckdb.DuckDBPyConnection, listed: str, of_record: Collection[str]) -> None:
    attests = ", ".join(f"'{quoted(source)}'" for source in sorted(of_record)) or "NULL"
    con.execute(f"""
        CREATE OR REPLACE TABLE sources AS
        SELECT row_number() OVER (ORDER BY source) - 1 AS src, source AS dataset, coalesce(source IN ({attests}), false) AS attests
        FROM ({listed})""")


def _number_attribute(rules: MatchingRules) -> Attribute | None:
    return None if rules.number is None else rules.attributes[rules.number]


def _valid_numbers(rules: MatchingRules) -> str:
    attribute = _number_attribute(rules)
    if attribute is None:
        return "SELECT NULL::BIGINT AS rid, NULL::VARCHAR AS number LIMIT 0"
    return f"SELECT rid, min({CHECKS[attribute.check]('value')}) AS number FROM record_{attribute.key} GROUP BY rid"


def _stating(rules: MatchingRules, stated: str) -> str | None:
    return next((attribute.key for attribute in rules.attributes.values() if attribute.stated == stated), None)


def _facts(rules: MatchingRules) -> list[str]:
    return [key for key in (rules.name, _stating(rules, "birth"), _stating(rules, "sex")) if key is not None]


def _first(fact: str, key: str | None) -> str:
    name = "name_key" if fact == "name" else fact
    return f"NULL::VARCHAR AS {name}" if key is None else f"v_{key}.value AS {name}"


def _list_table_lost(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> None:
    """record_lost, of identity numbers whose check does not hold."""
    attribute = _number_attribute(rules)
    void = "SELECT NULL::BIGINT AS rid, NULL::VARCHAR AS raw LIMIT 0"
    if attribute is not None and attribute.repaired:
        void = f"SELECT rid, value AS raw FROM record_{attribute.key} WHERE {CHECKS[attribute.check]('value')} IS NULL ORDER BY rid, value"
    keep(con, "record_lost", repaired_numbers(arrow(con, void)))
