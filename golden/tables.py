"""Any table linked by a rule set of its own: persons, enterprises, whatever `matching.yaml` describes (or a file like it).

The steps are those of residents, from exact groups to clusters; the rule set says which of them have something to do.

Relations made here, beside those of the steps
  records, sources, names, record_<attribute>, record_lost      as `records` makes them from snapshots
  table_rows, respelt        the table as it was read, and the names whose key is another text
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
    con: duckdb.DuckDBPyConnection,
    relation: str,
    rules: MatchingRules,
    weights: Weights | None = None,
    *,
    of_record: Collection[str] = (),
    told: Callable[[str], None] = lambda step: None,
) -> str:
    """Link the rows of `relation` by `rules` and make `linked(rid, cluster)`, whose name is returned.

    relation: rid BIGINT, unique; one column per attribute of the rule set, VARCHAR or VARCHAR[] where a row holds several values (a column
    may be missing: nothing is said of it); optionally `source` VARCHAR. Dates are ISO 8601, whole or cut at month or year; texts are
    compared as they stand, so the caller standardises them. A number whose check does not hold counts as none (and, if the rule set
    says `repaired`, for what it may have been). of_record: the sources that are of record for numbers: two of their numbers are two
    entities. weights: learnt from the table itself where none are given; else the relation `frequencies` learnt with them must stand.
    told: hears each step's name.

    `unit_of(rid, unit)`, `evidence` and the warnings' relations `blocks_capped`, `shared_values`, `components_large` stand as well.
    """
    told("records")
    list_table_records(con, relation, rules, of_record)
    group_exactly(con, rules.exact)
    list_raw_values(con, rules)
    told("learning")
    model = learn_weights(con, rules) if weights is None else weights
    told("pairs")
    list_unit_values(con, rules, model)
    propose_pairs(con, rules)
    told("scores")
    score_pairs(con, rules, model)
    told("clusters")
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


def list_table_records(con: duckdb.DuckDBPyConnection, relation: str, rules: MatchingRules, of_record: Collection[str]) -> None:
    """The relations that `records` makes from snapshots, from a table."""
    columns = {name: kind for name, kind, *_ in con.execute(f"DESCRIBE {relation}").fetchall()}
    _list_rows(con, relation, rules, columns)
    _list_table_names(con, rules, columns)
    for key in {"former_name", *rules.attributes}:
        con.execute(f"CREATE OR REPLACE TABLE record_{key} AS {_values_sql(rules, key, columns.get(key))}")
    _list_table_sources(con, of_record)
    facts = {"name": rules.name, "birth": _stating(rules, "birth"), "sex": _stating(rules, "sex")}
    several = [key for key in facts.values() if key is not None and _holds_several(columns.get(key))]
    joins = " ".join(f"LEFT JOIN (SELECT rid, min(value) AS value FROM record_{key} GROUP BY rid) v_{key} USING (rid)" for key in several)
    con.execute(f"""
        CREATE OR REPLACE TABLE records AS
        SELECT r.rid, src, r.rid::VARCHAR AS record, r.number, {", ".join(_first(rules, fact, key, columns) for fact, key in facts.items())}
        FROM table_rows r JOIN sources USING (dataset) {_respelt(rules, columns)} {joins}""")
    _list_table_lost(con, rules, columns)


def _list_rows(con: duckdb.DuckDBPyConnection, relation: str, rules: MatchingRules, columns: Mapping[str, str]) -> None:
    """table_rows(rid, dataset, number, is_<attribute>): the table read once; the number where its check holds, cells that say something."""
    said = [f"nullif({identifier(key)}::VARCHAR, '') AS {_cell(key)}" for key in _single(rules, columns)]
    said += [f"{identifier(key)} AS {_cell(key)}" for key in {"former_name", *rules.attributes} if _holds_several(columns.get(key))]
    source = "source" if "source" in columns else "''"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE table_rows AS
        SELECT *, {_valid_number(rules, columns)} AS number
        FROM (SELECT {", ".join(["rid", f"{source} AS dataset", *said])} FROM {relation})""")


def _cell(key: str) -> str:
    return identifier(f"is_{key}")


def _holds_several(kind: str | None) -> bool:
    return kind is not None and kind.endswith("[]")


def _single(rules: MatchingRules, columns: Mapping[str, str]) -> list[str]:
    """The attributes of which a row says one thing at most."""
    return [key for key in sorted({"former_name", *rules.attributes}) if key in columns and not _holds_several(columns[key])]


def _values_sql(rules: MatchingRules, key: str, kind: str | None) -> str:
    """(rid, value), each value once per row; names by their keys."""
    if kind is None:
        return "SELECT NULL::BIGINT AS rid, NULL::VARCHAR AS value LIMIT 0"
    rows = f"SELECT rid, {_cell(key)} AS value FROM table_rows"
    if _holds_several(kind):
        rows = f"SELECT DISTINCT rid, value FROM (SELECT rid, unnest({_cell(key)})::VARCHAR AS value FROM table_rows)"
    if key not in _folded(rules):
        return f"SELECT rid, value FROM ({rows}) WHERE value <> ''"
    distinct = "DISTINCT " if _holds_several(kind) else ""
    return f"""
        SELECT {distinct}rid, coalesce(k.name_key, r.value) AS value FROM ({rows}) r LEFT JOIN respelt k ON k.name = r.value
        WHERE replace(coalesce(k.name_key, r.value), '?', '') <> ''"""


def _folded(rules: MatchingRules) -> list[str]:
    return [attribute.key for attribute in rules.attributes.values() if attribute.kind in NAME_KINDS]


def _list_table_names(con: duckdb.DuckDBPyConnection, rules: MatchingRules, columns: Mapping[str, str]) -> None:
    """names, and of them those whose key is another text, or none: respelt(name, name_key)."""
    said = [f"unnest({_cell(key)})" if _holds_several(columns[key]) else _cell(key) for key in _folded(rules) if key in columns]
    rows = " UNION ALL ".join(f"SELECT {value} AS value FROM table_rows" for value in said) or "SELECT NULL::VARCHAR AS value LIMIT 0"
    spelt = arrow(con, f"SELECT DISTINCT value FROM ({rows}) WHERE value <> ''").column("value").combine_chunks()
    keep(con, "names", pa.table({"name": spelt, "name_key": name_key(spelt), "pinyin": pinyin_key(spelt)}))
    con.execute("""
        CREATE OR REPLACE TEMP TABLE respelt AS
        SELECT name, coalesce(name_key, '') AS name_key FROM names WHERE name_key IS DISTINCT FROM name""")


def _respelt(rules: MatchingRules, columns: Mapping[str, str]) -> str:
    single = rules.name in columns and rules.name in _folded(rules) and not _holds_several(columns[rules.name])
    return f"LEFT JOIN respelt k ON k.name = r.{_cell(rules.name)}" if single and rules.name is not None else ""


def _list_table_sources(con: duckdb.DuckDBPyConnection, of_record: Collection[str]) -> None:
    attests = ", ".join(f"'{quoted(source)}'" for source in sorted(of_record)) or "NULL"
    con.execute(f"""
        CREATE OR REPLACE TABLE sources AS
        SELECT row_number() OVER (ORDER BY dataset) - 1 AS src, dataset, coalesce(dataset IN ({attests}), false) AS attests
        FROM (SELECT DISTINCT dataset FROM table_rows)""")


def _number_attribute(rules: MatchingRules) -> Attribute | None:
    return None if rules.number is None else rules.attributes[rules.number]


def _valid_number(rules: MatchingRules, columns: Mapping[str, str]) -> str:
    attribute = _number_attribute(rules)
    if attribute is None or attribute.key not in columns:
        return "NULL::VARCHAR"
    if _holds_several(columns[attribute.key]):
        return f"list_min([v FOR v IN [{CHECKS[attribute.check]('v')} FOR v IN {_cell(attribute.key)}] IF v IS NOT NULL])"
    return CHECKS[attribute.check](_cell(attribute.key))


def _stating(rules: MatchingRules, stated: str) -> str | None:
    return next((attribute.key for attribute in rules.attributes.values() if attribute.stated == stated), None)


def _first(rules: MatchingRules, fact: str, key: str | None, columns: Mapping[str, str]) -> str:
    """SQL for what a row says of itself; of several values the first in order."""
    name = "name_key" if fact == "name" else fact
    if key is None or key not in columns:
        return f"NULL::VARCHAR AS {name}"
    if _holds_several(columns[key]):
        return f"v_{key}.value AS {name}"
    if key in _folded(rules):
        said = f"coalesce(k.name_key, r.{_cell(key)})"
        return f"CASE WHEN replace({said}, '?', '') <> '' THEN {said} END AS {name}"
    return f"r.{_cell(key)} AS {name}"


def _list_table_lost(con: duckdb.DuckDBPyConnection, rules: MatchingRules, columns: Mapping[str, str]) -> None:
    """record_lost, of identity numbers whose check does not hold."""
    attribute = _number_attribute(rules)
    void = "SELECT NULL::BIGINT AS rid, NULL::VARCHAR AS raw LIMIT 0"
    if attribute is not None and attribute.repaired and attribute.key in columns:
        doubtful = f"SELECT rid, value FROM record_{attribute.key}"
        if not _holds_several(columns[attribute.key]):
            doubtful += " SEMI JOIN (SELECT rid FROM table_rows WHERE number IS NULL) USING (rid)"
        void = f"SELECT rid, value AS raw FROM ({doubtful}) WHERE {CHECKS[attribute.check]('value')} IS NULL ORDER BY rid, value"
    keep(con, "record_lost", repaired_numbers(arrow(con, void)))
