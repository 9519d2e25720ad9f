"""Which value becomes golden, element by element, with its reasons and its rivals (law.md §5.3, R-01…R-05).

Relations made here
  claims(res, src, rid, value, observed_on, age, latest)   of one element at a time; latest: what the source says now
  numbers_of_record(res, number, rid, sure)                the golden number of each resident; not sure where another has it too (X-06)
  golden_values(res, element, value, src → dataset, record, observed_on, received_on, rule, confidence, sources, status, value_of_record)
  rivals(res, element, value, dataset, record, observed_on)
  golden_rows(res, <one column per element>)
"""

from collections.abc import Iterable, Sequence

import duckdb

from golden.engine import identifier
from golden.exact_groups import birth_in, sex_in
from golden.records import offsets, rows_of, valid_number
from golden.reliability import age_sql, estimate_reliability
from golden.sources import RecordSource, claimed_elements, is_of_record
from rules.authority import SurvivorshipRule, SurvivorshipRules
from rules.elements import Element

MICRO = 1_000_000
"""Log-odds are whole millionths, so that their sums are exact."""

NOT_OF_RECORD = 99
MOST_ALTERNATIVES = 1_000
"""No element has more wrong values than this to choose from, as far as one agreement is concerned."""
COLUMNS_PER_JOIN = 16
RULE_RECORD = "R-01"
RULE_NUMBER = "R-02-number"
RULE_REFUTED = "R-02-refuted"
RULE_WEIGHED = "R-02-weighed"
RULE_FRESHNESS = "R-03"
RULE_UNRESOLVED = "R-02-unresolved"


def choose_values(
    con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], rules: SurvivorshipRules, columns: Iterable[str]
) -> None:
    """Make the relations of this module from `resident_of`, `records` and the sources' files; `columns`: the elements of `golden_rows`."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE newest_day AS SELECT max(try_cast(observed_on AS DATE)) AS day FROM records WHERE observed_on <= (SELECT max(received_on) FROM sources)"
    )
    con.execute("""
        CREATE OR REPLACE TABLE golden_values (res BIGINT, element VARCHAR, value VARCHAR, dataset VARCHAR, record VARCHAR, observed_on VARCHAR,
          received_on VARCHAR, rule VARCHAR, confidence DECIMAL(5, 4), sources INTEGER, status VARCHAR, value_of_record VARCHAR)""")
    con.execute(
        "CREATE OR REPLACE TABLE rivals (res BIGINT, element VARCHAR, value VARCHAR, dataset VARCHAR, record VARCHAR, observed_on VARCHAR)"
    )
    con.execute("CREATE OR REPLACE TABLE numbers_of_record (res BIGINT, number VARCHAR, rid BIGINT, sure BOOLEAN)")
    starts = offsets(con, sources)
    for element in _in_order(claimed_elements(sources)):
        _list_claims(con, sources, starts, element)
        estimate_reliability(con, list(sources), rules.of(element.key), rules)
        _weigh(con, sources, rules.of(element.key))
        _choose(con, rules.of(element.key))
    _mark_shared_numbers(con)
    _spread(con, columns)


def _in_order(elements: Sequence[Element]) -> list[Element]:
    """The number first: it may refute others."""
    return sorted(elements, key=lambda e: e.key != "id_number")


def _list_claims(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], starts: Sequence[int], element: Element) -> None:
    parts = []
    for src, (source, start) in enumerate(zip(sources, starts, strict=True)):
        for place, column in enumerate(source.columns.get(element.key, ())):
            cell = (
                identifier(column) if element.key != "id_number" else f"coalesce({valid_number(identifier(column))}, {identifier(column)})"
            )
            parts.append(rows_of(source, start, f"rid, {src}::SMALLINT AS src, {place} AS place, {cell} AS value"))
    own = "AND (own_number = value OR own_number IS NULL AND number IS DISTINCT FROM value)" if element.key == "id_number" else ""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE claims AS
        SELECT *, row_number() OVER (PARTITION BY res, src ORDER BY observed_on DESC, place, rid) = 1 AS latest FROM (
          SELECT res, c.src, value, min(place) AS place, max(observed_on) AS observed_on, arg_max(rid, (observed_on, -rid)) AS rid,
            min({age_sql("observed_on", "stamped")}) AS age
          FROM ({" UNION ALL ".join(parts)}) c JOIN resident_of USING (rid) JOIN records r USING (rid) JOIN sources s ON s.src = c.src
          JOIN unit_of USING (rid)
          WHERE value IS NOT NULL AND value <> '' {own} GROUP BY res, c.src, value)""")


def _weigh(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], rule: SurvivorshipRule) -> None:
    """weighed(res, value, p, backers, verified, rank, src, rid, observed_on): each value that a source says now, with its probability.

    Naive Bayes over the sources: a value gains log(p·k/(1-p)) from each that says it, k being how many wrong values there are to say; what
    nobody says stays possible. A source that was right less often than chance says nothing.
    """
    ranks = ", ".join(f"({src}, {_rank(source, rule)})" for src, source in enumerate(sources))
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE alternatives AS
        SELECT greatest(1, least(coalesce((sum(n) * sum(n))::DOUBLE / sum(n * n)::DOUBLE, 1), {MOST_ALTERNATIVES})) AS k
        FROM (SELECT count(*)::HUGEINT AS n FROM claims GROUP BY value)""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE weighed AS
        WITH backed AS (
          SELECT res, value, sum(greatest(round({MICRO} * ln(p * k / (1 - p)))::BIGINT, 0)) AS odds, count(*)::INT AS backers, bool_or(verified) AS verified,
            min(rank) AS rank, arg_min({{'src': src, 'rid': rid, 'observed_on': observed_on}}, (rank, -age, src)) AS teller, max(observed_on) AS newest
          FROM claims JOIN reliability USING (src, age) JOIN sources USING (src) JOIN (VALUES {ranks}) r(src, rank) USING (src), alternatives
          WHERE latest GROUP BY res, value),
        scaled AS (
          SELECT *, max(odds) OVER w AS top, exp((odds - max(odds) OVER w) / {MICRO})::DECIMAL(18, 12) AS part, count(*) OVER w AS said
          FROM backed WINDOW w AS (PARTITION BY res))
        SELECT res, value, odds, backers, verified, rank, teller.src AS src, teller.rid AS rid, teller.observed_on AS observed_on, newest,
          (part / (sum(part) OVER (PARTITION BY res) + exp(-top / {MICRO}) * greatest(k + 1 - said, 0.01)))::DECIMAL(5, 4) AS p
        FROM scaled, alternatives""")


def _rank(source: RecordSource, rule: SurvivorshipRule) -> int:
    if not is_of_record(source, rule.element):
        return NOT_OF_RECORD
    return -1 if source.source_of_record else rule.rank(source.department)


def _choose(con: duckdb.DuckDBPyConnection, rule: SurvivorshipRule) -> None:
    """The value of record unless refuted; without one, or where freshness decides, the most probable; below `accept_at` none."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE decided AS
        WITH best AS (SELECT * FROM weighed QUALIFY row_number() OVER (PARTITION BY res ORDER BY odds DESC, rank, newest DESC, value) = 1),
        of_record AS (
          SELECT * FROM weighed WHERE rank < {NOT_OF_RECORD}
          QUALIFY row_number() OVER (PARTITION BY res ORDER BY rank, newest DESC, odds DESC, value) = 1),
        numbers AS ({_number_values(rule)}),
        known AS (
          SELECT coalesce(b.res, n.res) AS res, o.value AS of_record, n.value AS by_number, b.value AS best, b.p, b.backers, b.verified
          FROM best b LEFT JOIN of_record o USING (res) FULL JOIN numbers n ON n.res = b.res)
        SELECT *, CASE
            WHEN by_number IS NOT NULL AND by_number IS DISTINCT FROM coalesce(of_record, best) THEN '{RULE_NUMBER}'
            WHEN of_record IS NULL OR '{rule.method}' = 'freshness' THEN
              CASE WHEN p < {rule.accept_at} THEN '{RULE_UNRESOLVED}' WHEN '{rule.method}' = 'freshness' THEN '{RULE_FRESHNESS}' ELSE '{RULE_WEIGHED}' END
            WHEN best <> of_record AND p >= {rule.refute_at} AND (backers >= {rule.refute_sources} OR verified) THEN '{RULE_REFUTED}'
            ELSE '{RULE_RECORD}' END AS rule
        FROM known""")
    con.execute(f"""
        INSERT INTO golden_values
        SELECT d.res, '{rule.element}', d.golden, s.dataset, r.record, coalesce(w.observed_on, r.observed_on), s.received_on, d.rule,
          CASE WHEN d.rule = '{RULE_NUMBER}' THEN 0.995 ELSE coalesce(w.p, d.p) END, coalesce(w.backers, 0),
          CASE WHEN d.rule IN ('{RULE_NUMBER}', '{RULE_REFUTED}') AND NOT starts_with(d.golden, d.of_record) THEN 'disputed'
               WHEN d.rule = '{RULE_UNRESOLVED}' THEN 'unresolved' ELSE 'ok' END, d.of_record
        FROM (SELECT *, CASE rule WHEN '{RULE_NUMBER}' THEN by_number WHEN '{RULE_RECORD}' THEN of_record
                WHEN '{RULE_UNRESOLVED}' THEN NULL ELSE best END AS golden FROM decided) d
        LEFT JOIN weighed w ON w.res = d.res AND w.value = d.golden
        LEFT JOIN numbers_of_record n ON n.res = d.res AND d.rule = '{RULE_NUMBER}'
        LEFT JOIN records r ON r.rid = coalesce(w.rid, n.rid) LEFT JOIN sources s ON s.src = r.src""")
    con.execute(f"""
        INSERT INTO rivals
        SELECT c.res, '{rule.element}', c.value, s.dataset, r.record, c.observed_on
        FROM claims c JOIN golden_values g ON g.res = c.res AND g.element = '{rule.element}' AND g.value IS DISTINCT FROM c.value
        JOIN sources s ON s.src = c.src JOIN records r ON r.rid = c.rid""")
    if rule.element == "id_number":
        _list_own_numbers(con)


def _number_values(rule: SurvivorshipRule) -> str:
    """What the person's own number says of this element: birth date or sex."""
    said = {"birth_date": birth_in("number"), "sex": sex_in("number")}.get(rule.element)
    if said is None or not rule.refuted_by_id_number:
        return "SELECT NULL::BIGINT AS res, NULL::VARCHAR AS value LIMIT 0"
    return f"SELECT res, {said} AS value FROM numbers_of_record WHERE sure"


def _list_own_numbers(con: duckdb.DuckDBPyConnection) -> None:
    """numbers_of_record(res, number, rid, sure): the golden number of each resident; not sure where another resident has it too (X-06)."""
    con.execute(f"""
        CREATE OR REPLACE TABLE numbers_of_record AS
        SELECT g.res, g.value AS number, w.rid, count(*) OVER (PARTITION BY g.value) = 1 AS sure
        FROM golden_values g JOIN weighed w ON w.res = g.res AND w.value = g.value
        WHERE g.element = 'id_number' AND {valid_number("g.value")} IS NOT NULL""")


def _mark_shared_numbers(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        UPDATE golden_values SET status = 'disputed'
        WHERE element = 'id_number' AND res IN (SELECT res FROM numbers_of_record WHERE NOT sure)""")


def _spread(con: duckdb.DuckDBPyConnection, columns: Iterable[str]) -> None:
    """golden_rows: a column per element, text; a few columns at a time, so that no join is wider than memory likes."""
    con.execute("CREATE OR REPLACE TABLE golden_rows AS SELECT DISTINCT res FROM resident_of")
    keys = list(columns)
    stated = {row[0] for row in con.execute("SELECT DISTINCT element FROM golden_values").fetchall()}
    for start in range(0, len(keys), COLUMNS_PER_JOIN):
        part = keys[start : start + COLUMNS_PER_JOIN]
        cells = ", ".join(
            f"g{i}.value AS {identifier(k)}" if k in stated else f"NULL::VARCHAR AS {identifier(k)}" for i, k in enumerate(part)
        )
        joins = " ".join(
            f"LEFT JOIN (SELECT res, value FROM golden_values WHERE element = '{k}') g{i} ON g{i}.res = w.res"
            for i, k in enumerate(part)
            if k in stated
        )
        con.execute(f"CREATE OR REPLACE TABLE wider AS SELECT w.*, {cells} FROM golden_rows w {joins}")
        con.execute("DROP TABLE golden_rows")
        con.execute("ALTER TABLE wider RENAME TO golden_rows")
