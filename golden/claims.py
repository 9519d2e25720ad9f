"""What the sources say of each resident, element by element: the claims that survivorship chooses among.

Relations made here
  judged_elements(eix, element, method, half_life, refute_at, refute_sources, by_number, accept_at)   a batch
  standing(eix, src, rank, prior)    how a source stands to an element; rank NOT_OF_RECORD: not its source of record
  claims(eix, res, src, vid, value, untidy, damaged, rid, day, age, latest)   each value once per source; latest: what the source says now
      vid stands for the value (of a name: for all its spellings) where rows are grouped; day: when it was observed, as a number
"""

from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa

from golden.engine import identifier, keep
from golden.records import rows_of, valid_number
from golden.sources import RecordSource, is_of_record_by
from rules.authority import SurvivorshipRule, SurvivorshipRules
from rules.elements import Element

NOT_OF_RECORD = 99
UNTIDY = r"\p{Han}\s|[0-9（(]"

RID_BITS = 47
NEWEST_FIRST = f"(day::BIGINT << {RID_BITS}) - (rid & {2**RID_BITS - 1})"
"""SQL that orders by the day first and by the record among equals: a day since 1900 needs 16 bits, which leaves these for the rid."""

BATCH_CLAIMS = 40_000_000
"""So many claims are judged at once: few enough to stay in memory, and all of a small district in one go."""

AGE_DAYS = 182
OLDEST = 10
UNDATED = -1
"""Ages are counted in half-years up to OLDEST; a source that stamps its rows at upload is undated (X-19)."""


def batches(elements: Sequence[Element], sources: Sequence[RecordSource], rows: Sequence[int]) -> Iterator[list[Element]]:
    """Elements that are judged together. The identity number comes first and alone: it may refute others."""
    yield [e for e in elements if e.key == "id_number"]
    batch: list[Element] = []
    claims = 0
    for element in (e for e in elements if e.key != "id_number"):
        more = sum(n for source, n in zip(sources, rows, strict=True) if element.key in source.columns)
        if batch and claims + more > BATCH_CLAIMS:
            yield batch
            batch, claims = [], 0
        batch.append(element)
        claims += more
    yield batch


def list_rules(
    con: duckdb.DuckDBPyConnection, elements: Sequence[Element], sources: Sequence[RecordSource], rules: SurvivorshipRules
) -> None:
    """Make `judged_elements` and `standing`."""
    each = [rules.of(element.key) for element in elements]
    judged = {
        "eix": pa.array(range(len(each)), pa.int16()),
        "element": pa.array([r.element for r in each], pa.string()),
        "method": pa.array([r.method for r in each], pa.string()),
        "half_life": pa.array([r.half_life_days if r.method == "freshness" else None for r in each], pa.float64()),
        "refute_at": pa.array([r.refute_at for r in each], pa.float64()),
        "refute_sources": pa.array([r.refute_sources for r in each], pa.int32()),
        "by_number": pa.array([r.refuted_by_id_number for r in each], pa.bool_()),
        "accept_at": pa.array([r.accept_at for r in each], pa.float64()),
    }
    keep(con, "judged_elements", pa.table(judged))
    pairs = [(eix, src, rule, source) for eix, rule in enumerate(each) for src, source in enumerate(sources)]
    stands = {
        "eix": pa.array([eix for eix, *_ in pairs], pa.int16()),
        "src": pa.array([src for _, src, *_ in pairs], pa.int16()),
        "rank": pa.array([_rank(source, rule) for *_, rule, source in pairs], pa.int32()),
        "prior": pa.array([_prior(source, rule, rules) for *_, rule, source in pairs], pa.float64()),
    }
    keep(con, "standing", pa.table(stands))


def list_claims(con: duckdb.DuckDBPyConnection, elements: Sequence[Element], sources: Sequence[RecordSource]) -> str:
    """Make `claims` of a batch. A borrowed number is nobody's claim; of two columns of one element the first is what the source says."""
    rows = [
        rows_of(source, f"rid, {eix}::SMALLINT AS eix, {place}::TINYINT AS place, {_cell(element, column)} AS value")
        for eix, element in enumerate(elements)
        for source in sources
        for place, column in enumerate(source.columns.get(element.key, ()))
    ]
    said = " UNION ALL ".join(rows) or "SELECT NULL::BIGINT AS rid, 0::SMALLINT AS eix, 0::TINYINT AS place, NULL::VARCHAR AS value LIMIT 0"
    own = ""
    if any(element.key == "id_number" for element in elements):
        own = "AND (own_number = value OR own_number IS NULL AND number IS DISTINCT FROM value)"
    age = f"((SELECT newest FROM newest_day) - day) // {AGE_DAYS}"
    names = ", ".join(str(eix) for eix, element in enumerate(elements) if element.kind == "name")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE claims AS
        WITH read AS (
          SELECT eix, res, r.src, value, place, day, rid{_name_columns(names)}
          FROM ({said}) c JOIN resident_of USING (rid) JOIN records r USING (rid) JOIN unit_of USING (rid)
          {f"LEFT JOIN names ON eix IN ({names}) AND names.name = value" if names else ""}
          WHERE value <> '' {own}),
        dated AS (
          SELECT eix, res, src, vid, min(untidy) AS untidy, bool_and(damaged) AS damaged, min(place) AS place, max(day) AS day,
            arg_max(value, {NEWEST_FIRST}) AS value, arg_max(rid, {NEWEST_FIRST}) AS rid
          FROM read GROUP BY eix, res, src, vid)
        SELECT d.* EXCLUDE (place), CASE WHEN stamped THEN {UNDATED} ELSE least(greatest({age}, 0), {OLDEST}) END::SMALLINT AS age,
          place = 0 AND count(*) OVER w = 1 OR row_number() OVER (w ORDER BY day DESC, place, rid) = 1 AS latest
        FROM dated d JOIN sources USING (src) WINDOW w AS (PARTITION BY eix, res, src)""")
    return "claims"


def _name_columns(names: str) -> str:
    """Spellings of one name stand together; a nickname, or one with a replaced character, is damaged; blanks and remarks make it untidy."""
    if not names:
        return ", hash(value) AS vid, 0 AS untidy, false AS damaged"
    return f""", hash(coalesce(names.name_key, value)) AS vid, (eix IN ({names}) AND regexp_matches(value, '{UNTIDY}'))::INT AS untidy,
          eix IN ({names}) AND (names.name_key IS NULL OR contains(names.name_key, '?')) AS damaged"""


def _cell(element: Element, column: str) -> str:
    cell = identifier(column)
    return f"coalesce({valid_number(cell)}, {cell})" if element.key == "id_number" else cell


def _rank(source: RecordSource, rule: SurvivorshipRule) -> int:
    if not is_of_record_by(source, rule):
        return NOT_OF_RECORD
    return -1 if source.source_of_record else rule.rank(source.department)


def _prior(source: RecordSource, rule: SurvivorshipRule, rules: SurvivorshipRules) -> float:
    if source.verified:
        return rules.prior_reliability["verified"]
    if is_of_record_by(source, rule):
        return rules.prior_reliability["of_record"]
    return rules.prior_reliability["fallback" if source.department in rule.fallbacks else "other"]
