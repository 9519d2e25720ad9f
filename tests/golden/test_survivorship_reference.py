"""Survivorship against a deliberately naive reference: one resident at a time, floats, no SQL (law.md §5.3)."""

from dataclasses import dataclass
from itertools import groupby
from math import exp, log

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.claims import NOT_OF_RECORD
from golden.engine import keep
from golden.survivorship import FURTHER, MICRO, choose_among

SOURCES = 5
VERIFIED = 4
METHODS = ("record", "freshness", "event")
BY_NUMBER = "1990-05-06"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One resident: what each source says now of a birth date and when, how each is believed, and the rule."""

    said: tuple[str | None, ...]
    days: tuple[int, ...]
    p: tuple[float, ...]
    ranks: tuple[int, ...]
    lots: tuple[int, ...]
    method: str
    refute_at: float
    accept_at: float
    number: bool


CASES = st.builds(
    Case,
    said=st.tuples(*[st.sampled_from([None, "1990-05-06", "1991-01-01", "1990"]) for _ in range(SOURCES)]).filter(any),
    days=st.tuples(*[st.integers(1, 9) for _ in range(SOURCES)]),
    p=st.tuples(*[st.sampled_from([0.3, 0.6, 0.85, 0.92, 0.97, 0.995]) for _ in range(SOURCES)]),
    ranks=st.tuples(*[st.sampled_from([0, 1, NOT_OF_RECORD]) for _ in range(SOURCES)]),
    lots=st.tuples(*[st.integers(0, 3) for _ in range(SOURCES)]),
    method=st.sampled_from(METHODS),
    refute_at=st.sampled_from([0.9, 0.98]),
    accept_at=st.sampled_from([0.5, 0.8]),
    number=st.booleans(),
)


def naive(case: Case) -> tuple[str, str | None]:
    """The rule that decides and the golden value."""
    values = sorted({v for v in case.said if v is not None})
    k = max(1.0, alternatives(case))
    odds: dict[str, int] = {}
    for value in values:
        sources = sorted((s for s in range(SOURCES) if case.said[s] == value), key=lambda s: case.lots[s])
        each = [
            max(max(round(MICRO * log(case.p[s] * k / (1 - case.p[s]))), 0) for s in lot)
            for _, lot in groupby(sources, lambda s: case.lots[s])
        ]
        rest = sum(each) - max(each)
        odds[value] = max(each) + round(rest * (FURTHER if case.method == "freshness" else 1))
    whole = sum(exp(o / MICRO) for o in odds.values()) + max(k + 1 - len(values), 0.01)
    best = min(values, key=lambda v: (-odds[v], rank(case, v), -newest(case, v), v))
    share = exp(odds[best] / MICRO) / whole
    holders = [v for v in values if rank(case, v) < NOT_OF_RECORD]
    of_record = min(holders, key=lambda v: (rank(case, v), -newest(case, v), -odds[v], v), default=None)
    backers = {case.lots[s] for s in range(SOURCES) if case.said[s] == best}
    backed = any(BY_NUMBER.startswith(value) for value in values)
    outweighed = not backed and best == (of_record or best) and round(share, 4) >= case.refute_at and len(backers) >= 2
    if case.number and (of_record or best) != BY_NUMBER and not outweighed:
        return "R-02-number", BY_NUMBER
    if of_record is None or case.method == "freshness":
        if round(share, 4) < case.accept_at:
            return "R-02-unresolved", None
        return ("R-03" if case.method == "freshness" else "R-02-weighed"), best
    sure = len(backers) >= 2 or case.said[VERIFIED] == best
    if best != of_record and round(share, 4) >= case.refute_at and sure:
        return "R-02-refuted", best
    return "R-01", of_record


def rank(case: Case, value: str) -> int:
    return min(case.ranks[s] for s in range(SOURCES) if case.said[s] == value)


def newest(case: Case, value: str) -> int:
    return max(case.days[s] for s in range(SOURCES) if case.said[s] == value)


def alternatives(case: Case) -> float:
    counts = [case.said.count(v) for v in {v for v in case.said if v is not None}]
    return sum(counts) ** 2 / sum(n * n for n in counts)


def in_sql(con: duckdb.DuckDBPyConnection, case: Case) -> tuple[str, str | None]:
    every = range(SOURCES)
    keep(con, "sources", pa.table({"src": pa.array(every, pa.int16()), "verified": [s == VERIFIED for s in every]}))
    said = [s for s in every if case.said[s] is not None]
    claims = {"eix": pa.array([0] * len(said), pa.int16()), "res": [1] * len(said), "src": pa.array(said, pa.int16())}
    facts = {"value": [case.said[s] for s in said], "rid": said, "day": [case.days[s] for s in said], "age": [0] * len(said)}
    keep(con, "said", pa.table(claims | facts))
    con.execute("CREATE OR REPLACE TABLE claims AS SELECT *, hash(value) AS vid, true AS latest, false AS damaged, 0 AS untidy FROM said")
    keep(con, "reliability", pa.table({"eix": [0] * SOURCES, "src": list(every), "age": [0] * SOURCES, "p": list(case.p)}))
    keep(con, "standing", pa.table({"eix": [0] * SOURCES, "src": list(every), "rank": list(case.ranks), "prior": list(case.p)}))
    keep(con, "copies", pa.table({"eix": [0] * SOURCES, "src": list(every), "lot": list(case.lots)}))
    limits = {"refute_at": [case.refute_at], "refute_sources": [2], "accept_at": [case.accept_at], "by_number": [True], "half_life": [None]}
    keep(con, "judged_elements", pa.table({"eix": [0], "element": ["birth_date"], "method": [case.method], **limits}))
    con.execute("CREATE OR REPLACE TABLE numbers_of_record AS SELECT 1 AS res, '440699199005060116' AS number, 0 AS rid, true AS sure")
    if not case.number:
        con.execute("DELETE FROM numbers_of_record")
    con.execute("CREATE OR REPLACE TABLE names_once_borne (eix SMALLINT, res BIGINT, vid UBIGINT)")
    choose_among(con)
    return con.execute("SELECT rule, golden FROM decided").fetchall()[0]


@given(CASES)
@settings(max_examples=60, deadline=None)
def test_the_queries_decide_as_the_naive_reference_does(case: Case) -> None:
    with duckdb.connect() as con:
        assert in_sql(con, case) == naive(case)
