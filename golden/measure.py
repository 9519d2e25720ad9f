"""How right a crosswalk and the golden values are, where the truth is known (law.md M-06): the synthetic district, tests, benchmarks."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from golden.engine import identifier, quoted
from golden.versions import relation

ONE_NUMBER, TWINS = "X-06", "X-23"


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Over pairs of records (precision, recall, f1) and over records (B-cubed). `residents` found, `people` in truth among the records."""

    precision: float
    recall: float
    f1: float
    bcubed_precision: float
    bcubed_recall: float
    bcubed_f1: float
    records: int
    residents: int
    people: int


@dataclass(frozen=True, kw_only=True)
class PatternAccuracy:
    """Accuracy over the pairs that hold a record with a pattern of dirty data (X-nn)."""

    pattern: str
    records: int
    precision: float
    recall: float


@dataclass(frozen=True, kw_only=True)
class KeptApart:
    """Of the people whose records carry a pattern, those none of whose records lies with a record of anybody else."""

    pattern: str
    people: int
    apart: int

    @property
    def share(self) -> float:
        return _ratio(self.apart, self.people)


@dataclass(frozen=True, kw_only=True)
class ElementAccuracy:
    """Golden values of one element: `right` of the `known` residents whose true value is not empty; `empty` have no golden value.

    `held`: some source says the true value, chosen or not.
    """

    element: str
    known: int
    right: int
    empty: int
    held: int

    @property
    def share(self) -> float:
        return _ratio(self.right, self.known)

    @property
    def ceiling(self) -> float:
        return _ratio(self.held, self.known)


def pairwise(crosswalk: Path, truth: Path, *, found: str = "resident_id", true: str = "resident") -> Accuracy:
    """Compare crosswalk.parquet(dataset, record, resident_id) with truth(dataset, record, resident) over the records in both.

    `found`, `true`: the columns of the ids where the records are of other entities.
    """
    with duckdb.connect() as con:
        _join(con, f"'{quoted(str(crosswalk))}'", truth, found, true)
        shared, pairs_found, pairs_true = con.execute("""
            SELECT (SELECT sum(n * (n - 1)) FROM cells), (SELECT sum(n * (n - 1)) FROM found_sizes),
              (SELECT sum(n * (n - 1)) FROM true_sizes)
            """).fetchall()[0]
        cubed = con.execute("""
            SELECT sum(c.n * c.n / f.n) / sum(c.n), sum(c.n * c.n / t.n) / sum(c.n), sum(c.n)
            FROM cells c JOIN found_sizes f USING (resident_id) JOIN true_sizes t USING (resident)""").fetchall()[0]
        residents, people = con.execute("SELECT (SELECT count(*) FROM found_sizes), (SELECT count(*) FROM true_sizes)").fetchall()[0]
    precision, recall = _ratio(shared, pairs_found), _ratio(shared, pairs_true)
    return Accuracy(
        precision=precision,
        recall=recall,
        f1=_harmonic(precision, recall),
        bcubed_precision=float(cubed[0] or 0),
        bcubed_recall=float(cubed[1] or 0),
        bcubed_f1=_harmonic(float(cubed[0] or 0), float(cubed[1] or 0)),
        records=int(cubed[2] or 0),
        residents=residents,
        people=people,
    )


def by_pattern(
    crosswalk: Path, truth: Path, patterns: Path, *, found: str = "resident_id", true: str = "resident"
) -> list[PatternAccuracy]:
    """The same by pattern; `patterns`: Parquet of (dataset, record, pattern, …)."""
    with duckdb.connect() as con:
        _join(con, f"'{quoted(str(crosswalk))}'", truth, found, true)
        rows = con.execute(f"""
            SELECT pattern, count(*), sum(c.n - 1), sum(f.n - 1), sum(t.n - 1)
            FROM (SELECT DISTINCT dataset, record, pattern FROM '{quoted(str(patterns))}') JOIN judged USING (dataset, record)
            JOIN cells c USING (resident_id, resident) JOIN found_sizes f USING (resident_id) JOIN true_sizes t USING (resident)
            GROUP BY pattern ORDER BY pattern""").fetchall()
    return [
        PatternAccuracy(pattern=pattern, records=records, precision=_ratio(shared, pairs_found), recall=_ratio(shared, pairs_true))
        for pattern, records, shared, pairs_found, pairs_true in rows
    ]


def kept_apart(crosswalk: Path, truth: Path, patterns: Path, wanted: Sequence[str] = (ONE_NUMBER, TWINS)) -> list[KeptApart]:
    """How many of the people that a pattern of dirty data would have merged were not: 重号 and twins (law.md M-02, X-06, X-23).

    Stricter than "not merged with their double": a record of anybody at all counts.
    """
    with duckdb.connect() as con:
        _join(con, f"'{quoted(str(crosswalk))}'", truth)
        rows = con.execute(
            f"""
            WITH people AS (SELECT DISTINCT pattern, resident FROM '{quoted(str(patterns))}' JOIN judged USING (dataset, record)
              WHERE pattern IN (SELECT unnest(?)))
            SELECT pattern, count(*), count_if(resident NOT IN (
              SELECT resident FROM cells JOIN found_sizes USING (resident_id) WHERE found_sizes.n > cells.n))
            FROM people GROUP BY pattern ORDER BY pattern""",
            [list(wanted)],
        ).fetchall()
    return [KeptApart(pattern=pattern, people=people, apart=apart) for pattern, people, apart in rows]


def golden_accuracy(golden: Path, truth_records: Path, truth_residents: Path) -> list[ElementAccuracy]:
    """Golden values of a version's folder against the true ones, by element; a true resident is judged by the golden one that most of the
    records went to.
    """
    with duckdb.connect() as con:
        _join(con, relation(golden, "crosswalk"), truth_records)
        con.execute("""
            CREATE TABLE judged_people AS SELECT resident, resident_id FROM cells
            QUALIFY row_number() OVER (PARTITION BY resident ORDER BY n DESC, resident_id) = 1""")
        con.execute(f"CREATE VIEW golden_residents AS SELECT * FROM {relation(golden, 'residents')}")
        con.execute(f"CREATE VIEW rivals AS SELECT * FROM {relation(golden, 'rivals')}")
        con.execute(f"CREATE VIEW truth AS FROM '{quoted(str(truth_residents))}'")
        known = _columns(con, "truth")
        return [_element(con, element) for element in _columns(con, "golden_residents") if element in known]


def _element(con: duckdb.DuckDBPyConnection, element: str) -> ElementAccuracy:
    column = identifier(element)
    known, right, empty, held = con.execute(f"""
        SELECT count(*), count_if(g.{column} = t.{column}), count_if(g.{column} IS NULL),
          count_if(g.{column} = t.{column} OR r.value IS NOT NULL)
        FROM judged_people JOIN (SELECT resident_id, {column} FROM golden_residents) g USING (resident_id)
        JOIN (SELECT resident, nullif({column}::VARCHAR, '') AS {column} FROM truth) t USING (resident)
        LEFT JOIN (SELECT DISTINCT resident_id, value FROM rivals WHERE element = '{element}') r
          ON r.resident_id = g.resident_id AND r.value = t.{column}
        WHERE t.{column} IS NOT NULL""").fetchall()[0]
    return ElementAccuracy(element=element, known=known, right=right, empty=empty, held=held)


def _join(con: duckdb.DuckDBPyConnection, crosswalk: str, truth: Path, found: str = "resident_id", true: str = "resident") -> None:
    con.execute(f"""
        CREATE TABLE judged AS SELECT dataset, record, {found} AS resident_id, {true} AS resident
        FROM {crosswalk} JOIN '{quoted(str(truth))}' USING (dataset, record)""")
    con.execute("CREATE TABLE cells AS SELECT resident_id, resident, count(*) AS n FROM judged GROUP BY ALL")
    con.execute("CREATE TABLE found_sizes AS SELECT resident_id, count(*) AS n FROM judged GROUP BY ALL")
    con.execute("CREATE TABLE true_sizes AS SELECT resident, count(*) AS n FROM judged GROUP BY ALL")


def _columns(con: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    rows = con.execute(f"DESCRIBE {relation}").fetchall()
    return [row[0] for row in rows]


def _ratio(part: int | None, whole: int | None) -> float:
    return float(part or 0) / float(whole) if whole else 1.0


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0
