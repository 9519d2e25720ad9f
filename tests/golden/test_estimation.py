"""Weights learnt without labels, on populations whose m and u are known."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from golden.engine import keep, open_engine
from golden.estimation import Patterns, learn_m, learn_prior, learn_weights
from golden.exact_groups import group_exactly
from golden.tables import list_table_records
from golden.unit_values import list_raw_values
from golden.weights import Weights
from rules.matching import MatchingRules, matching_of

WORDS = {"first": 200, "last": 500, "town": 40, "job": 30, "street": 300, "phone": 2_000}
"""Attributes of the generated people and how many values each has."""

RIGHT = {"first": 0.9, "last": 0.8, "town": 0.7, "job": 0.6, "street": 0.7, "phone": 0.5}
"""How often the second record of a person says of an attribute what the first one says."""


def rules() -> MatchingRules:
    level = {"equal": {"m": 0.75, "u": 0.02}, "else": {"m": 0.25, "u": 0.98}}
    return matching_of(
        "people",
        {
            "attributes": {key: {"kind": "value"} for key in WORDS},
            "comparisons": {key: {"agrees": "equal", "levels": level} for key in WORDS},
            "blocking": [["first", "last"], ["town", "last"], ["first", "town", "job"], ["last", "job"]],
            "block_cap": 1000,
            "link_bits": 0,
            "cluster_bits": 0,
            "missing_bits": 0,
            "weight_cap_bits": 30,
        },
    )


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_engine(tmp_path / "spill") as con:
        yield con


def people(con: duckdb.DuckDBPyConnection, persons: int, share_twice: float) -> None:
    """Rows of persons, some of whom come twice, the second time with errors."""
    draw = np.random.default_rng(7)
    truth = {key: draw.integers(0, n, persons) for key, n in WORDS.items()}
    again = draw.random(persons) < share_twice
    columns = {}
    for key, values in truth.items():
        second = np.where(draw.random(persons) < RIGHT[key], values, draw.integers(0, WORDS[key], persons))
        columns[key] = pa.array([f"{key}{value}" for value in np.concatenate([values, second[again]])])
    keep(con, "people", pa.table({"rid": np.arange(persons + again.sum()), **columns}))


def learnt(con: duckdb.DuckDBPyConnection) -> Weights:
    list_table_records(con, "people", rules(), ())
    group_exactly(con, rules().exact)
    list_raw_values(con, rules())
    return learn_weights(con, rules())


def test_the_true_m_u_and_prior_are_found_without_labels(con: duckdb.DuckDBPyConnection) -> None:
    people(con, 6_000, 0.5)
    weights = learnt(con)
    for key, values in WORDS.items():
        m, u = weights.probabilities[key, "equal"]
        assert m == pytest.approx(RIGHT[key] + (1 - RIGHT[key]) / values, abs=0.06)
        assert u == pytest.approx(1 / values, rel=0.1), "random pairs hold a few of one entity"
    true_odds = 3_000 / (9_000 * 8_999 / 2)
    assert weights.prior_bits / 100 == pytest.approx(np.log2(true_odds), abs=0.7)


def test_the_same_population_gives_the_same_model_and_it_survives_being_kept(con: duckdb.DuckDBPyConnection) -> None:
    people(con, 800, 0.5)
    weights = learnt(con)
    con.execute("CREATE OR REPLACE TABLE people AS FROM people ORDER BY hash(rid)")
    assert learnt(con) == weights
    assert Weights.from_json(weights.to_json()) == weights


def test_a_population_without_duplicates_makes_itself_none(con: duckdb.DuckDBPyConnection) -> None:
    people(con, 3_000, 0)
    assert learnt(con).prior_bits / 100 < np.log2(0.05 / 3_000)


def drawn(m: np.ndarray, u: np.ndarray, pairs: int, share: float) -> Patterns:
    """Pairs of which a share is one entity, each with a level per comparison; all proposed by the second pass."""
    draw = np.random.default_rng(3)
    one = draw.random(pairs) < share
    ranks = np.stack([np.where(draw.random(pairs) < np.where(one, m[c], u[c]), 0, 1) for c in range(len(m))], axis=1)
    found, counts = np.unique(ranks, axis=0, return_counts=True)
    return Patterns(ranks=found, pairs=counts, passes=np.full(len(found), 0b0010))


def test_expectation_maximisation_finds_what_naive_counting_with_labels_finds() -> None:
    """A pass on (town, last): nothing is learnt of these two, whose m stays that of the rules."""
    m, u = np.array([0.9, 1.0, 1.0, 0.6, 0.8, 0.5]), np.array([0.01, 0.99, 0.99, 0.05, 0.02, 0.01])
    tables = {key: np.array([0.02, 0.98]) for key in WORDS}
    patterns = drawn(m, u, 50_000, 0.4)
    found = learn_m(rules(), patterns, tables)
    assert found["first"][0] == pytest.approx(0.9, abs=0.04)
    assert found["job"][0] == pytest.approx(0.6, abs=0.04)
    assert found["street"][0] == pytest.approx(0.8, abs=0.04)
    assert found["phone"][0] == pytest.approx(0.5, abs=0.04)
    assert found["town"] == pytest.approx([0.75, 0.25])
    assert found["last"] == pytest.approx([0.75, 0.25])


def test_the_prior_is_the_expected_number_of_counterparts_among_all() -> None:
    """100 pairs that agree in everything, among 1,000 units of which all were sampled."""
    patterns = Patterns(ranks=np.array([[0] * len(WORDS), [1] * len(WORDS)]), pairs=np.array([100, 5_000]), passes=np.array([1, 1]))
    m = {key: np.array([0.9, 0.1]) for key in WORDS}
    u = {key: np.array([0.001, 0.999]) for key in WORDS}
    prior = learn_prior(patterns, m, u, sampled=1_000, units=1_000)
    assert prior / 100 == pytest.approx(np.log2(100 / (1_000 * 999 / 2)), abs=0.01)
