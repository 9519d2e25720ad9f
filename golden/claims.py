"""What the sources say of each resident, element by element: the claims that survivorship chooses among.

Relations made here
  claimants(rid, res, src, day, own_number, number, alone)   the records of the residents at hand; alone: the source has no other of him
  judged_elements(eix, element, method, refute_at, refute_sources, by_number, accept_at, spelt, lone)   a batch; lone: one source states it
  standing(eix, src, rank, undated)  how a source stands to an element; rank NOT_OF_RECORD: not its source of record; undated: it states no
      dates, or stamps them at upload (X-19)
  claims(eix, res, src, vid, value, untidy, damaged, rid, day, age, latest)   each value once per source; latest: what the source says now
      vid stands for the value (of a name: for all its spellings) where rows are grouped; day: when it was observed, as a number
"""

from collections.abc import Iterator, Mapping, Sequence

import duckdb
import pyarrow as pa

from golden.believing import AGE_STARTS_DAYS, COHORTS, UNDATED
from golden.engine import identifier, keep
from golden.records import rows_of, valid_number
from golden.sources import RecordSource, is_of_record_by
from rules.authority import SurvivorshipRule, SurvivorshipRules
from rules.elements import Element

NOT_OF_RECORD = 99
UNTIDY = r"\p{Han}\s|[0-9（(]"

FREQUENT: Mapping[str, str] = {"phone": "phone", "guardian_phone": "phone"}
"""Elements whose value is one person's or household's, and the attribute that tells which values are shared too widely for that (X-16)."""

ENTERPRISE_NAMES = frozenset({"enterprise_name", "enterprise_former_name"})

RID_BITS = 47
NEWEST_FIRST = f"(day::BIGINT << {RID_BITS}) - (rid & {2**RID_BITS - 1})"
"""SQL that orders by the day first and by the record among equals: a day since 1900 needs 16 bits, which leaves these for the rid."""

BATCH_CLAIMS = 40_000_000
"""So many claims are judged at once: few enough to stay in memory, and all of a small district in one go."""


def spelt_in_ways(element: Element) -> bool:
    """Whether one value of it is spelt in several ways, which `names` tells: names of people and of enterprises."""
    return element.kind == "name" or element.key in ENTERPRISE_NAMES


def batches(elements: Sequence[Element], sources: Sequence[RecordSource], rows: Sequence[int]) -> Iterator[list[Element]]:
    """Elements that are judged together."""
    batch: list[Element] = []
    claims = 0
    for element in elements:
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
    """Make `judged_elements` and `standing`; `frequencies` too where no model stands: no value is known to be shared then."""
    con.execute("CREATE TABLE IF NOT EXISTS frequencies (attribute VARCHAR, value VARCHAR, n BIGINT, shared BOOLEAN)")
    each = [rules.of(element.key) for element in elements]
    judged = {
        "eix": pa.array(range(len(each)), pa.int16()),
        "element": pa.array([r.element for r in each], pa.string()),
        "method": pa.array([r.method for r in each], pa.string()),
        "refute_at": pa.array([r.refute_at for r in each], pa.float64()),
        "refute_sources": pa.array([r.refute_sources for r in each], pa.int32()),
        "by_number": pa.array([r.refuted_by_id_number for r in each], pa.bool_()),
        "accept_at": pa.array([r.accept_at for r in each], pa.float64()),
        "spelt": pa.array([spelt_in_ways(element) for element in elements], pa.bool_()),
        "lone": pa.array([sum(element.key in source.columns for source in sources) == 1 for element in elements], pa.bool_()),
    }
    keep(con, "judged_elements", pa.table(judged))
    pairs = [(eix, src, rule, source) for eix, rule in enumerate(each) for src, source in enumerate(sources)]
    stands = {
        "eix": pa.array([eix for eix, *_ in pairs], pa.int16()),
        "src": pa.array([src for _, src, *_ in pairs], pa.int16()),
        "rank": pa.array([_rank(source, rule) for *_, rule, source in pairs], pa.int32()),
        "dated": pa.array(["updated_at" in source.columns for *_, source in pairs], pa.bool_()),
    }
    keep(con, "stands", pa.table(stands))
    con.execute("""
        CREATE OR REPLACE TABLE standing AS
        SELECT eix, src, rank, stamped OR NOT dated AS undated FROM stands JOIN sources USING (src)""")


def list_claimants(con: duckdb.DuckDBPyConnection, residents: str = "resident_of") -> None:
    """Make `claimants` of the residents in a relation (rid, res), and `cohorts`, by their own numbers and `learnt_day`."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE claimants AS
        SELECT rid, res, src, day, own_number, number, count(*) OVER (PARTITION BY res, src) = 1 AS alone
        FROM {residents} JOIN records USING (rid) JOIN unit_of USING (rid)""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE cohorts AS
        SELECT res, least(greatest(({_YEAR} - max(try_cast(own_number[7:10] AS INT))) // 10, 0) + 1, {COHORTS - 1}) AS cohort
        FROM claimants WHERE own_number IS NOT NULL GROUP BY res""")


def list_claims(con: duckdb.DuckDBPyConnection, elements: Sequence[Element], sources: Sequence[RecordSource]) -> str:
    """Make `claims` of a batch, of the `claimants`. Of two columns of one element the first is what the source says.

    Nearly always a source has one record of a resident and one column of an element: that is one claim, and the latest. Only where there
    are several do they have to be compared.
    """
    _read_sources(con, elements, sources)
    single, several = [], []
    for eix, element in enumerate(elements):
        for src, source in enumerate(sources):
            columns = source.columns.get(element.key, ())
            for place, column in enumerate(columns):
                if len(columns) == 1:
                    single.append(_said(eix, element, src, place, column, "alone"))
                several.append(_said(eix, element, src, place, column, "true" if len(columns) > 1 else "NOT alone"))
    cells = "eix, res, src, vid, untidy, damaged, day, value, rid"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE claims AS
        WITH dated AS (
          SELECT eix, res, src, vid, min(untidy) AS untidy, bool_and(damaged) AS damaged, min(place) AS place, max(day) AS day,
            arg_max(value, {NEWEST_FIRST}) AS value, arg_max(rid, {NEWEST_FIRST}) AS rid
          FROM ({_union(several)}) GROUP BY eix, res, src, vid),
        compared AS (
          SELECT {cells}, place = 0 AND count(*) OVER w = 1 OR row_number() OVER (w ORDER BY day DESC, place, rid) = 1 AS latest
          FROM dated WINDOW w AS (PARTITION BY eix, res, src))
        SELECT c.*, CASE WHEN undated THEN {UNDATED} ELSE {_AGE_CLASS} END::SMALLINT AS age
        FROM (SELECT {cells}, true AS latest FROM ({_union(single)}) UNION ALL FROM compared) c JOIN standing USING (eix, src)""")
    if any(source.verified for source in sources):
        _put_checks_last(con)
    for src in range(len(sources)):
        con.execute(f"DROP TABLE said_{src}")
    return "claims"


def _put_checks_last(con: duckdb.DuckDBPyConnection) -> None:
    """Whoever looked before a verified observation has an older class of age than it: the classes are months wide, and what changed in
    between, the last observation alone can have seen. Without that, some who agree on the day before outvote the check of today.
    """
    con.execute(f"""
        UPDATE claims SET age = claims.age + 1
        FROM (SELECT eix, res, max(day) AS day, arg_max(age, day) AS age FROM claims JOIN sources USING (src)
              WHERE verified AND latest AND age < {UNDATED} GROUP BY eix, res) AS checked
        WHERE claims.eix = checked.eix AND claims.res = checked.res AND claims.age = checked.age AND claims.day < checked.day
          AND claims.age < {UNDATED - 1}""")


def _read_sources(con: duckdb.DuckDBPyConnection, elements: Sequence[Element], sources: Sequence[RecordSource]) -> None:
    """said_<src>(res, rid, day, alone, <columns>): a source's rows of the claimants with what they say of the elements, read once.

    A borrowed number is nobody's claim.
    """
    for src, source in enumerate(sources):
        columns = [(element, column) for element in elements for column in source.columns.get(element.key, ())]
        cells = ["rid", *(f"{_cell(element, column)} AS {identifier(column)}" for element, column in columns)]
        own = ["res", "rid", "day", "alone", *(f"{_own(element, column)} AS {identifier(column)}" for element, column in columns)]
        con.execute(f"""
            CREATE OR REPLACE TEMP TABLE said_{src} AS
            SELECT {", ".join(own)} FROM ({rows_of(source, ", ".join(cells))}) JOIN (FROM claimants WHERE src = {src}) USING (rid)""")


_YEAR = "(SELECT 1900 + day // 365.2425 FROM learnt_day)::INT"
_AGE_CLASS = " + ".join(f"((SELECT day FROM learnt_day) - c.day >= {start})::INT" for start in AGE_STARTS_DAYS[1:])
_NOTHING = """SELECT 0::SMALLINT AS eix, 0::BIGINT AS res, 0::SMALLINT AS src, 0::BIGINT AS rid, 0 AS day, 0::TINYINT AS place, '' AS value,
  0::UBIGINT AS vid, 0 AS untidy, false AS damaged LIMIT 0"""


def _said(eix: int, element: Element, src: int, place: int, column: str, where: str) -> str:
    """SQL of one column's claims. Spellings of one name stand together; a nickname, or a name with a replaced character, is damaged, as is
    an agency's phone; blanks and remarks make a name untidy.
    """
    cell = identifier(column)
    rows = f"FROM said_{src} WHERE {where} AND {cell} <> ''"
    about = f"{eix}::SMALLINT AS eix, res, {src}::SMALLINT AS src, rid, day, {place}::TINYINT AS place, {cell} AS value"
    if not spelt_in_ways(element):
        return f"SELECT {about}, hash({cell}) AS vid, 0 AS untidy, {_shared(element, cell)} AS damaged {rows}"
    return f"""
        SELECT eix, res, src, rid, day, place, value, hash(coalesce(names.name_key, value)) AS vid,
          regexp_matches(value, '{UNTIDY}')::INT AS untidy, names.name_key IS NULL OR contains(names.name_key, '?') AS damaged
        FROM (SELECT {about} {rows}) LEFT JOIN names ON names.name = value"""


def _shared(element: Element, cell: str) -> str:
    attribute = FREQUENT.get(element.key)
    return f"{cell} IN (SELECT value FROM frequencies WHERE shared AND attribute = '{attribute}')" if attribute else "false"


def _union(parts: Sequence[str]) -> str:
    return " UNION ALL ".join(f"({part})" for part in parts) or _NOTHING


def _own(element: Element, column: str) -> str:
    cell = identifier(column)
    if element.key != "id_number":
        return cell
    return f"CASE WHEN own_number = {cell} OR own_number IS NULL AND number IS DISTINCT FROM {cell} THEN {cell} END"


def _cell(element: Element, column: str) -> str:
    cell = identifier(column)
    return f"coalesce({valid_number(cell)}, {cell})" if element.key == "id_number" else cell


def _rank(source: RecordSource, rule: SurvivorshipRule) -> int:
    if not is_of_record_by(source, rule):
        return NOT_OF_RECORD
    return -1 if source.source_of_record else rule.rank(source.department)


def prior_reliability(source: RecordSource, rule: SurvivorshipRule, rules: SurvivorshipRules) -> float:
    """How far a source is believed by its role, before anything was learnt of it."""
    if source.verified:
        return rules.prior_reliability["verified"]
    if is_of_record_by(source, rule):
        return rules.prior_reliability["of_record"]
    return rules.prior_reliability["fallback" if source.department in rule.fallbacks else "other"]
