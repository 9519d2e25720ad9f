"""Survivorship against a deliberately naive reference: one resident at a time, loops over every reading, no SQL (law.md §5.3)."""

from dataclasses import dataclass
from itertools import product

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.believing import AGES, CHANGES, COHORTS, SEES, UNDATED, Claims, Model, believe
from golden.claims import NOT_OF_RECORD
from golden.engine import keep
from golden.survivorship import choose_among

SOURCES = 5
VERIFIED = 4
METHODS = ("record", "freshness", "event")
BY_NUMBER = "1990-05-06"
WORDS = ("10", "20", "30", "")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One resident: what each source says now of a birth date and when, how probable each value is, how many sources state it alone."""

    said: tuple[str | None, ...]
    days: tuple[int, ...]
    p: dict[str, float]
    independent: dict[str, int]
    ranks: tuple[int, ...]
    method: str
    refute_at: float
    accept_at: float
    number: bool


VALUES = ("1990-05-06", "1991-01-01", "1990")
CASES = st.builds(
    Case,
    said=st.tuples(*[st.sampled_from([None, *VALUES]) for _ in range(SOURCES)]).filter(any),
    days=st.tuples(*[st.integers(1, 9) for _ in range(SOURCES)]),
    p=st.fixed_dictionaries({value: st.sampled_from([0.0, 0.3, 0.5, 0.85, 0.985]) for value in VALUES}),
    independent=st.fixed_dictionaries({value: st.integers(1, 3) for value in VALUES}),
    ranks=st.tuples(*[st.sampled_from([0, 1, NOT_OF_RECORD]) for _ in range(SOURCES)]),
    method=st.sampled_from(METHODS),
    refute_at=st.sampled_from([0.9, 0.98]),
    accept_at=st.sampled_from([0.5, 0.8]),
    number=st.booleans(),
)


def naive(case: Case) -> tuple[str, str | None]:
    """The rule that decides and the golden value."""
    values = sorted({v for v in case.said if v is not None})
    best = min(values, key=lambda v: (-case.p[v], rank(case, v), -newest(case, v), v))
    holders = [v for v in values if rank(case, v) < NOT_OF_RECORD]
    of_record = min(holders, key=lambda v: (rank(case, v), -newest(case, v), -case.p[v], v), default=None)
    sure = case.p[best] >= case.refute_at
    backed = any(BY_NUMBER.startswith(value) for value in values)
    outweighed = not backed and best == (of_record or best) and sure and case.independent[best] >= 2
    if case.number and (of_record or best) != BY_NUMBER and not outweighed:
        return "R-02-number", BY_NUMBER
    if of_record is None or case.method == "freshness":
        if case.p[best] < case.accept_at:
            return ("R-01", of_record) if of_record else ("R-02-unresolved", None)
        return ("R-03" if case.method == "freshness" else "R-02-weighed"), best
    if best != of_record and sure and (case.independent[best] >= 2 or case.said[VERIFIED] == best):
        return "R-02-refuted", best
    return "R-01", of_record


def rank(case: Case, value: str) -> int:
    return min(case.ranks[s] for s in range(SOURCES) if case.said[s] == value)


def newest(case: Case, value: str) -> int:
    return max(case.days[s] for s in range(SOURCES) if case.said[s] == value)


def in_sql(con: duckdb.DuckDBPyConnection, case: Case) -> tuple[str, str | None]:
    every = range(SOURCES)
    keep(con, "sources", pa.table({"src": pa.array(every, pa.int16()), "verified": [s == VERIFIED for s in every]}))
    said = [s for s in every if case.said[s] is not None]
    claims = {"eix": pa.array([0] * len(said), pa.int16()), "res": [1] * len(said), "src": pa.array(said, pa.int16())}
    facts = {"value": [case.said[s] for s in said], "rid": said, "day": [case.days[s] for s in said]}
    keep(con, "said", pa.table(claims | facts))
    con.execute("CREATE OR REPLACE TABLE claims AS SELECT *, hash(value) AS vid, true AS latest, false AS damaged, 0 AS untidy FROM said")
    values = sorted({v for v in case.said if v is not None})
    weighed = {"value": values, "p": [case.p[v] for v in values], "independent": [case.independent[v] for v in values]}
    keep(con, "probable", pa.table(weighed))
    con.execute("""CREATE OR REPLACE TABLE believed AS
        SELECT 0::SMALLINT AS eix, 1::BIGINT AS res, hash(value) AS vid, p::DECIMAL(9, 8) AS p, independent FROM probable""")
    keep(con, "standing", pa.table({"eix": [0] * SOURCES, "src": list(every), "rank": list(case.ranks)}))
    limits = {
        "refute_at": [case.refute_at],
        "refute_sources": [2],
        "accept_at": [case.accept_at],
        "by_number": [True],
        "spelt": [False],
        "lone": [False],
    }
    keep(con, "judged_elements", pa.table({"eix": [0], "element": ["birth_date"], "method": [case.method], **limits}))
    con.execute("""
        CREATE OR REPLACE TABLE numbers_of_record AS
        SELECT 1 AS res, '440699199005060116' AS number, 0 AS rid, true AS sure, false AS pinned""")
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


def some_model(seed: int, words: tuple[str, ...]) -> Model:
    """Any model: sources that copy from their neighbours, are more or less wrong, know their dates or do not."""
    rng = np.random.default_rng(seed)
    size = len(words)
    error = rng.uniform(0.01, 0.4, SOURCES)
    confusion = rng.dirichlet(np.ones(size), (SOURCES, size + 1)) if words else np.stack([1 - error, error / 20, error / 50], axis=1)
    before = rng.dirichlet(np.ones(max(size, 1)), max(size, 1)) * (1 - np.eye(max(size, 1)))
    return Model(
        values=words,
        alternatives=50.0,
        mistakes=20.0,
        errors=confusion,
        change=rng.dirichlet(np.ones(CHANGES), size + 1),
        undated=rng.uniform(0, 1, SOURCES),
        ages=rng.dirichlet(np.ones(AGES), SOURCES),
        parent=np.array([-1, 0, 0, -1, 3]),
        copied=np.array([0.0, 0.7, 0.2, 0.0, 0.9]),
        now=rng.dirichlet(np.ones(max(size, 1))),
        aged=rng.dirichlet(np.ones(max(size, 1)), COHORTS),
        before=before / np.maximum(before.sum(axis=1, keepdims=True), 1e-9),
        first=np.array([place == 0 for place in range(max(size, 1))]) & bool(words),
        events=np.array([False, False, False, True, False]),
    )


def naively_believed(said: tuple[int | None, ...], ages: tuple[int, ...], cohort: int, model: Model) -> dict[int, float]:
    """Bayes over every reading: what is true now, what was before, in which class of age it changed."""
    values: list[int | None] = [*sorted({v for v in said if v is not None})]
    weight = {
        (now, before, change): prior(now, before, change, values, cohort, model) * likelihood(now, before, change, said, ages, model)
        for now, before, change in product([*values, None], [*values, None], range(CHANGES))
        if now != before or now is None
    }
    return {v: sum(w for (now, *_), w in weight.items() if now == v) / sum(weight.values()) for v in values if v is not None}


def prior(now: int | None, before: int | None, change: int, values: list[int | None], cohort: int, model: Model) -> float:
    if not model.values:
        every = model.alternatives + 1
        mistaken = len(values) - (now is not None) - (before is not None)
        each = [1.0 if value is not None else every - len(values) for value in (now, before)]
        return each[0] / every * each[1] / every * (model.mistakes / every) ** mistaken * model.change[0, change]
    aged = model.aged[cohort]
    of_now = aged[now] if now is not None else 1 - sum(aged[v] for v in values)
    follows = model.before[now] if now is not None else model.now
    of_before = follows[before] if before is not None else max(1 - sum(follows[v] for v in values), 1e-6)
    came_back = 1e-9 if now is not None and model.first[now] and change < CHANGES - 1 else 1.0
    came = model.change[len(WORDS) if now is None else now, change]
    return max(max(of_now, 1e-6) * of_before, 1e-12) * came * came_back


def likelihood(
    now: int | None, before: int | None, change: int, said: tuple[int | None, ...], ages: tuple[int, ...], model: Model
) -> float:
    whole = 1.0
    for source, value in enumerate(said):
        if value is None:
            continue
        at_random = sum(model.ages[source][age] * SEES[age][change] for age in range(AGES))
        stated = at_random if ages[source] == UNDATED else SEES[ages[source]][change]
        sees = 1.0 if model.events[source] else (1 - model.undated[source]) * stated + model.undated[source] * at_random
        if ages[source] == UNDATED and not model.events[source]:
            sees = at_random
        own = sees * emitted(source, now, before, value, model) + (1 - sees) * emitted(source, before, now, value, model)
        parent = said[model.parent[source]] if model.parent[source] >= 0 else None
        copied = model.copied[source] if parent is not None else 0.0
        whole *= copied * (parent == value) + (1 - copied) * own
    return whole


def emitted(source: int, seen: int | None, other: int | None, value: int, model: Model) -> float:
    if model.values:
        return model.errors[source][len(model.values) if seen is None else seen][value]
    return model.errors[source][0 if seen == value else 2 if other == value else 1]


@given(
    seed=st.integers(0, 9),
    coded=st.booleans(),
    said=st.tuples(*[st.sampled_from([None, 0, 1, 2]) for _ in range(SOURCES)]).filter(lambda said: any(v is not None for v in said)),
    ages=st.tuples(*[st.integers(0, UNDATED) for _ in range(SOURCES)]),
    cohort=st.integers(0, COHORTS - 1),
)
@settings(max_examples=60, deadline=None)
def test_values_are_as_probable_as_bayes_over_every_reading_says(
    seed: int, coded: bool, said: tuple[int | None, ...], ages: tuple[int, ...], cohort: int
) -> None:
    model = some_model(seed, WORDS if coded else ())
    told = [source for source in range(SOURCES) if said[source] is not None]
    values = np.array([said[source] for source in told], np.int64)
    claims = Claims(
        resident=np.zeros(len(told), np.int64),
        source=np.array(told),
        age=np.array([ages[source] for source in told]),
        value=values.astype(np.uint64),
        word=values if coded else np.zeros(len(told), np.int64),
        damaged=np.zeros(len(told), np.bool_),
        cohort=np.full(len(told), cohort),
    )
    found = believe(claims, model)
    assert dict(zip(found.value.tolist(), found.p, strict=True)) == pytest.approx(naively_believed(said, ages, cohort, model), abs=1e-9)
