"""The review queue (复核队列): what the machine is in doubt about, first what a steward's decision would change most.

Kinds
  unjoined        not joined although the weight is near enough
  shared_number   one number, several names that were not joined (重号, or a borrowed number)
  barred          the weight says one person, a rule says never
  bridge          joined by little: the least evidence that would have to fall for the cluster to come apart

A row weighs doubt × change. Doubt is 1 where the weights find the machine's choice as likely wrong as right, or wronger, and falls with the
probability that it is wrong; a bar is evidence that the weights do not hold, so it leaves less. Change counts the records that would
change hands and the golden elements of which the two sides say different things. What a steward decided is off the queue.

Relations made here
  review_pairs(pair, kind, a, b, res_a, res_b, bits, probability, records, elements, weight)   a, b: units
  review_levels(pair, <attribute>, <attribute>_bits)     the evidence per comparison: level, and hundredths of a bit
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log2
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb

from golden.comparison import weighed_levels
from golden.engine import arrow
from golden.versions import relation, resident_id
from golden.weights import HUNDREDTHS, Weights
from rules.matching import MatchingRules

REVIEW = "review"
MOST_SHOWN = 10_000

DOUBTED_FROM = 0.05
"""A choice that is wrong with less probability than this is not asked about."""

DOUBTED_BITS = round(HUNDREDTHS * log2((1 - DOUBTED_FROM) / DOUBTED_FROM))

SHARED_NUMBER_DOUBT, BARRED_DOUBT = 0.5, 0.05
"""The most that is left of the doubt where a rule stands against the weights."""

KIND_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "unjoined": ("未合并，但权重接近", "not joined, though the weight is near"),
        "shared_number": ("一号多名", "one number, several names"),
        "barred": ("权重高，但规则不许合并", "barred, though the weight is high"),
        "bridge": ("合并依据薄弱", "joined by little"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One row of the queue. `residents`: one where they are joined. `levels`: comparison → (level, bits)."""

    rank: int
    kind: str
    residents: tuple[str, ...]
    dataset_a: str
    record_a: str = field(repr=False)
    dataset_b: str
    record_b: str = field(repr=False)
    bits: float
    probability: float
    records: int
    elements: int
    weight: float
    levels: Mapping[str, tuple[str, float]]


@dataclass(frozen=True, kw_only=True)
class Queue:
    """The first rows of the queue of a golden version, and how many there are in all."""

    version: int
    total: int
    rows: tuple[Doubt, ...]


def list_review(
    con: duckdb.DuckDBPyConnection, rules: MatchingRules, weights: Weights, residents: str = "resident_of", previous: Path | None = None
) -> str:
    """Make the relations of this module after values were chosen.

    An incremental run names the relation (rid, res) of all residents at hand, and the version before, which knows the golden values of
    those that are not `touched`; of these the version before says all that is to be said, where they are among themselves.
    """
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE review_units AS
        SELECT u.unit, res, u.number, max(u.number) OVER (PARTITION BY res) AS own, u.records, component FROM units u
        JOIN (SELECT unit, min(res) AS res FROM unit_of JOIN {residents} USING (rid) GROUP BY unit) USING (unit)
        LEFT JOIN (SELECT unit, min(component) AS component FROM merged_records JOIN unit_of USING (rid) GROUP BY unit) USING (unit)""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE kept_apart AS
        SELECT least(x.res, y.res) AS res_a, greatest(x.res, y.res) AS res_b FROM decided_pairs d
        JOIN review_units x ON x.unit = d.a JOIN review_units y ON y.unit = d.b WHERE NOT together GROUP BY ALL""")
    _list_doubts(con, rules)
    _count_changes(con, residents, previous)
    con.execute(f"CREATE OR REPLACE TABLE review_levels AS {weighed_levels(con, rules, weights, 'review_pairs')}")
    return "review_pairs"


def _list_doubts(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> None:
    """doubts(kind, a, b, res_a, res_b, bits, moving, probability, doubt): the strongest of each pair of residents, one of each cluster."""
    probability = f"(1 / (1 + pow(2.0, -bits / {HUNDREDTHS}.0)))"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE doubts AS
        WITH found AS ({_between(rules)} UNION ALL {_sharing_numbers()} UNION ALL {_within()}),
        judged AS (
          SELECT *, round({probability}, 4) AS probability, round(least(1, 2 * CASE kind WHEN 'bridge' THEN 1 - {probability}
            ELSE {probability} END) * CASE kind WHEN 'shared_number' THEN {SHARED_NUMBER_DOUBT} WHEN 'barred' THEN {BARRED_DOUBT}
            ELSE 1 END, 9) AS doubt
          FROM found)
        SELECT * FROM judged
        QUALIFY row_number() OVER (PARTITION BY least(res_a, res_b), greatest(res_a, res_b) ORDER BY doubt DESC, bits DESC, a, b) = 1""")


def _between(rules: MatchingRules) -> str:
    """Pairs of units of two residents. What bars any pair of them, or a number of its own on each side, stands against all of them."""
    link = round(rules.link_bits * HUNDREDTHS)
    return f"""
        SELECT kind, a, b, res_a, res_b, bits, NULL::BIGINT AS moving FROM (
          SELECT CASE WHEN x.number = y.number THEN 'shared_number'
              WHEN bool_or(barred IS NOT NULL) OVER pairs OR x.own <> y.own THEN
                CASE WHEN (eligible OR barred IS NULL) AND bits >= {link} THEN 'barred' END
              WHEN bits >= -{DOUBTED_BITS} THEN 'unjoined' END AS kind,
            a, b, x.res AS res_a, y.res AS res_b, bits
          FROM scored JOIN review_units x ON x.unit = a JOIN review_units y ON y.unit = b
          WHERE x.res <> y.res
            AND NOT EXISTS (FROM kept_apart k WHERE k.res_a = least(x.res, y.res) AND k.res_b = greatest(x.res, y.res))
          WINDOW pairs AS (PARTITION BY least(x.res, y.res), greatest(x.res, y.res)))
        WHERE kind IS NOT NULL"""


def _sharing_numbers() -> str:
    """Units of one number that no block proposed, each with the number's first: even odds."""
    return """
        SELECT 'shared_number', first, u.unit, f.res, u.res, 0, NULL
        FROM (SELECT unit, res, min(unit) OVER (PARTITION BY number) AS first FROM review_units SEMI JOIN number_conflicts USING (number)) u
        JOIN review_units f ON f.unit = first
        WHERE f.res <> u.res AND NOT EXISTS (FROM scored s WHERE s.a = first AND s.b = u.unit)
          AND NOT EXISTS (FROM kept_apart k WHERE k.res_a = least(f.res, u.res) AND k.res_b = greatest(f.res, u.res))"""


def _within() -> str:
    """Of a cluster its smallest cut, with the strongest pair across it; its bridge where no cut is known."""
    return f"""
        SELECT 'bridge', e.a, e.b, x.res, x.res, coalesce(c.bits, e.bits), coalesce(moving, least(x.records, y.records))
        FROM evidence e JOIN review_units x ON x.unit = e.a JOIN review_units y ON y.unit = e.b
        LEFT JOIN smallest_cuts c ON c.cluster = e.cluster
        LEFT JOIN (
          SELECT cluster, sum(records)::BIGINT AS moving FROM (SELECT cluster, unnest(side) AS unit FROM smallest_cuts)
          JOIN review_units USING (unit) GROUP BY cluster) m ON m.cluster = e.cluster
        WHERE coalesce(c.bits, e.bits) <= {DOUBTED_BITS} AND x.component IS DISTINCT FROM coalesce(y.component, -1)
          AND CASE WHEN c.cluster IS NULL THEN bridge ELSE list_contains(side, e.a) <> list_contains(side, e.b) END
        QUALIFY row_number() OVER (PARTITION BY e.cluster ORDER BY e.bits DESC, e.a, e.b) = 1"""


def _count_changes(con: duckdb.DuckDBPyConnection, residents: str, previous: Path | None) -> None:
    before = ""
    if previous is not None:
        before = f"""UNION ALL SELECT resident_id[2:]::BIGINT AS res, element, value FROM {relation(previous, "values")}
                     WHERE resident_id IN (SELECT {resident_id("res")} FROM others)"""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE others AS
        SELECT DISTINCT res FROM (SELECT res_a AS res FROM doubts UNION ALL SELECT res_b FROM doubts)
        ANTI JOIN (SELECT DISTINCT res FROM golden_values) USING (res)""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE values_at_hand AS
        SELECT res, element, value FROM golden_values
        WHERE res IN (SELECT res_a FROM doubts UNION SELECT res_b FROM doubts) AND value IS NOT NULL {before}""")
    con.execute(f"CREATE OR REPLACE TEMP TABLE held_by AS SELECT res, count(*) AS records FROM {residents} GROUP BY res")
    con.execute("""
        CREATE OR REPLACE TABLE review_pairs AS
        WITH unlike AS (
          SELECT d.a, d.b, count(*) AS elements FROM doubts d JOIN values_at_hand v ON v.res = d.res_a
          JOIN values_at_hand w ON w.res = d.res_b AND w.element = v.element AND w.value <> v.value GROUP BY d.a, d.b),
        disputed AS (SELECT res, count(DISTINCT element) AS elements FROM rivals GROUP BY res),
        counted AS (
          SELECT d.*, coalesce(moving, least(h.records, i.records)) AS records,
            coalesce(CASE WHEN res_a = res_b THEN r.elements ELSE u.elements END, 0) AS elements
          FROM doubts d JOIN held_by h ON h.res = res_a JOIN held_by i ON i.res = res_b
          LEFT JOIN unlike u ON u.a = d.a AND u.b = d.b LEFT JOIN disputed r ON r.res = res_a)
        SELECT row_number() OVER (ORDER BY a, b) AS pair, kind, a, b, res_a, res_b, bits, probability, records::INT AS records,
          elements::INT AS elements, round(doubt * (records + elements), 4) AS weight
        FROM counted""")
    if previous is not None:
        con.execute("DELETE FROM review_pairs WHERE res_a NOT IN (FROM touched) AND res_b NOT IN (FROM touched)")


def read_queue(folder: Path, version: int, levels: Sequence[str], limit: int) -> Queue:
    """The first rows of a version's queue. Rows that only one of the two residents still holds are outdated and left out."""
    assert 0 < limit <= MOST_SHOWN
    if not (folder / f"{REVIEW}.parquet").exists():
        return Queue(version=version, total=0, rows=())
    with duckdb.connect() as con:
        con.execute(f"""
            CREATE TABLE queue AS
            SELECT DISTINCT q.* FROM {relation(folder, REVIEW)} q
            SEMI JOIN {relation(folder, REVIEW)} o ON o.resident_id = q.other_id AND o.other_id = q.resident_id
              AND o.record_a = q.record_a AND o.record_b = q.record_b AND o.bits = q.bits AND o.weight = q.weight
            WHERE q.resident_id <= q.other_id""")
        total = int(con.execute("SELECT count(*) FROM queue").fetchall()[0][0])
        found = arrow(con, f"FROM queue ORDER BY weight DESC, dataset_a, record_a, dataset_b, record_b LIMIT {limit}")
    return Queue(version=version, total=total, rows=tuple(_doubt(rank, row, levels) for rank, row in enumerate(found.to_pylist(), start=1)))


def _doubt(rank: int, row: Mapping[str, Any], levels: Sequence[str]) -> Doubt:
    return Doubt(
        rank=rank,
        kind=row["kind"],
        residents=tuple(dict.fromkeys((row["resident_id"], row["other_id"]))),
        dataset_a=row["dataset_a"],
        record_a=row["record_a"],
        dataset_b=row["dataset_b"],
        record_b=row["record_b"],
        bits=float(row["bits"]),
        probability=float(row["probability"]),
        records=row["records"],
        elements=row["elements"],
        weight=float(row["weight"]),
        levels={level: (row[level], float(row[f"{level}_bits"])) for level in levels if row[level] is not None},
    )
