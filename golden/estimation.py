"""The linking model learnt from the whole population, without labels: how frequent values are, and the weights of the levels.

u comes from random pairs. m comes from expectation–maximisation (Winkler 1988) over candidate pairs of sampled units, one pass per blocking
key: a comparison is learnt in the passes that are not conditioned on it, and what is not one entity has frequencies of its own in each
pass, for those who share a home are alike in more than random pairs are. The rules' m and u are the start, and count as a few
observations. Samples are drawn by hashes, sums are over sorted patterns: the same population gives the same model.

Relations made here
  frequencies                     see `unit_values`
  sampled(pair, a, b, passes)     candidate pairs of sampled units; passes: a bit per blocking key that proposes them
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2

import duckdb
import numpy as np

from golden.blocking import keyed_units
from golden.comparison import compare_pairs
from golden.engine import count
from golden.unit_values import learn_frequencies, list_unit_values
from golden.weights import HUNDREDTHS, Weights, default_weights
from rules.matching import Comparison, MatchingRules

RANDOM_PAIRS = 500_000
SAMPLED_UNITS = 30_000
RULES_WEIGHT = 100
"""The rules' m counts as much as so many pairs of one entity."""

FEWEST_MATCHES = 20
"""A pass that finds fewer pairs of one entity says nothing."""

ROUNDS = 60
SILENT = 255


@dataclass(frozen=True, kw_only=True, eq=False)
class Patterns:
    """Distinct outcomes of compared pairs: ranks (patterns, comparisons), SILENT where one side says nothing; how many pairs; passes."""

    ranks: np.ndarray
    pairs: np.ndarray
    passes: np.ndarray

    def only(self, which: np.ndarray) -> "Patterns":
        return Patterns(ranks=self.ranks[which], pairs=self.pairs[which], passes=self.passes[which])


Tables = Mapping[str, np.ndarray]
"""By comparison: a probability per level."""


def learn_weights(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> Weights:
    """The weights, and the relation `frequencies` beside them; from `raw_<attribute>` and `units`."""
    learn_frequencies(con, rules)
    units = count(con, "units")
    start = default_weights(rules, units)
    list_unit_values(con, rules, start)
    _draw_random(con, units)
    said = {key: count(con, f"(SELECT DISTINCT unit FROM unit_{key})") for key in rules.comparisons}
    u = _learn_u(con, rules, _patterns(con, rules, "random_pairs"), said)
    _draw_candidates(con, rules, units)
    candidates = _patterns(con, rules, "sampled")
    m = learn_m(rules, candidates, u)
    probabilities = {
        (key, level.key): (float(m[key][rank]), float(u[key][rank]))
        for key, comparison in rules.comparisons.items()
        for rank, level in enumerate(comparison.levels)
    }
    prior = learn_prior(candidates, m, u, sampled=min(units, SAMPLED_UNITS), units=units)
    return Weights(probabilities=probabilities, prior_bits=prior, units=units)


def _draw_random(con: duckdb.DuckDBPyConnection, units: int) -> None:
    """random_pairs(pair, a, b, passes): each unit beside others drawn by lot, as often as it takes."""
    draws = max(1, min(RANDOM_PAIRS // max(units, 1), (units - 1) // 2))
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE drawn AS
        SELECT unit, draw, row_number() OVER (PARTITION BY draw ORDER BY hash(unit, draw), unit) AS place
        FROM (SELECT unit FROM units ORDER BY hash(unit), unit LIMIT {RANDOM_PAIRS}), range({2 * draws}) r(draw)""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE random_pairs AS
        SELECT row_number() OVER (ORDER BY a, b) AS pair, a, b, 0 AS passes FROM (
          SELECT DISTINCT least(x.unit, y.unit) AS a, greatest(x.unit, y.unit) AS b
          FROM drawn x JOIN drawn y ON y.draw = x.draw + 1 AND y.place = x.place WHERE x.draw % 2 = 0 AND x.unit <> y.unit)""")


def _draw_candidates(con: duckdb.DuckDBPyConnection, rules: MatchingRules, units: int) -> None:
    """sampled: as blocking would propose them, but only for a sample of units."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE sampled_units AS SELECT unit FROM units ORDER BY hash(unit), unit LIMIT {SAMPLED_UNITS}")
    con.execute("CREATE OR REPLACE TEMP TABLE proposed (a BIGINT, b BIGINT, pass BIGINT)")
    for place, key in enumerate(rules.blocking):
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE keyed AS SELECT k.unit, block, attested FROM ({keyed_units(key)}) k JOIN units USING (unit)"
        )
        con.execute(f"""
            CREATE OR REPLACE TEMP TABLE in_size AS
            SELECT * FROM keyed SEMI JOIN (SELECT block FROM keyed GROUP BY block HAVING count(*) BETWEEN 2 AND {rules.block_cap})
            USING (block)""")  # before the join: a condition beside it would be tested on all pairs of a large block
        con.execute(f"""
            INSERT INTO proposed
            SELECT DISTINCT least(x.unit, y.unit), greatest(x.unit, y.unit), {1 << place}
            FROM (SELECT * FROM in_size SEMI JOIN sampled_units USING (unit)) x JOIN in_size y USING (block)
            WHERE x.unit <> y.unit AND NOT (x.attested AND y.attested)""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE sampled AS
        SELECT row_number() OVER (ORDER BY a, b) AS pair, a, b, sum(pass)::BIGINT AS passes FROM proposed GROUP BY a, b""")
    con.execute("DROP TABLE proposed")


def _patterns(con: duckdb.DuckDBPyConnection, rules: MatchingRules, pairs: str) -> Patterns:
    ranks = ", ".join(f"coalesce({_own_rank(comparison)}, {SILENT}) AS {key}" for key, comparison in rules.comparisons.items())
    compared = compare_pairs(con, rules, pairs)
    found = con.sql(f"""
        SELECT passes, {ranks}, count(*) AS pairs FROM ({compared}) JOIN (SELECT pair, passes FROM {pairs}) USING (pair)
        GROUP BY ALL ORDER BY ALL""").to_arrow_table()
    columns = [found.column(key).to_numpy() for key in rules.comparisons]
    return Patterns(
        ranks=np.stack(columns, axis=1).astype(np.int64), pairs=found.column("pairs").to_numpy(), passes=found.column("passes").to_numpy()
    )


def _own_rank(comparison: Comparison) -> str:
    """Silent where a comparison that says the same more precisely agrees."""
    key = comparison.attribute
    return f"CASE WHEN {comparison.within} IS DISTINCT FROM 0 THEN {key} END" if comparison.within else key


def _learn_u(con: duckdb.DuckDBPyConnection, rules: MatchingRules, random: Patterns, said: Mapping[str, int]) -> Tables:
    """The rules' u of a level counts as one observation of it. How often two units say the same is known exactly."""
    tables = {}
    for place, (key, comparison) in enumerate(rules.comparisons.items()):
        counts = _counts(random, place, len(comparison.levels), random.pairs.astype(np.float64))
        rules_u = np.array([level.u for level in comparison.levels])
        u = (counts + 1) / (counts.sum() + 1 / rules_u)
        if comparison.frequency:
            equal, pairs = _equal_pairs(con, key, said[key])
            u[0] = (equal + 1) / (pairs + 1 / rules_u[0])
        tables[key] = u
    return tables


def _equal_pairs(con: duckdb.DuckDBPyConnection, key: str, said: int) -> tuple[float, float]:
    rows = con.execute(f"SELECT coalesce(sum(n * (n - 1)), 0) FROM frequencies WHERE attribute = '{key}' AND NOT shared").fetchall()
    return float(rows[0][0]) / 2, said * (said - 1) / 2


def _counts(patterns: Patterns, place: int, levels: int, weight: np.ndarray) -> np.ndarray:
    ranks = patterns.ranks[:, place]
    speaks = ranks != SILENT
    return np.bincount(ranks[speaks], weights=weight[speaks], minlength=levels)


def learn_m(rules: MatchingRules, candidates: Patterns, u: Tables) -> Tables:
    """m of every comparison, over all passes that are not conditioned on it."""
    start = {key: _shares(np.array([level.m for level in comparison.levels])) for key, comparison in rules.comparisons.items()}
    found = {key: RULES_WEIGHT * table for key, table in start.items()}
    for place, key in enumerate(rules.blocking):
        patterns = candidates.only((candidates.passes >> place) & 1 == 1)
        free = [c for c in rules.comparisons if c not in _conditioned(rules, key)]
        matches = _expect(rules, patterns, free, start, u)
        if matches.sum() >= FEWEST_MATCHES:
            for c in free:
                found[c] = found[c] + _counts(patterns, list(rules.comparisons).index(c), len(start[c]), matches)
    return {key: _shares(table) for key, table in found.items()}


def _conditioned(rules: MatchingRules, key: tuple[str, ...]) -> set[str]:
    """The attributes that a blocking key holds equal, and what a common number states as well."""
    held = {rules.derived[part].source if part in rules.derived else part for part in key}
    if rules.number in held:
        held |= {attribute.key for attribute in rules.attributes.values() if attribute.stated is not None}
    return held


def _expect(rules: MatchingRules, patterns: Patterns, free: list[str], start: Tables, u: Tables) -> np.ndarray:
    """How many pairs of each pattern are expected to be one entity."""
    places = [list(rules.comparisons).index(c) for c in free]
    m, other = {c: start[c] for c in free}, {c: _shares(u[c]) for c in free}
    share, pairs = 0.5, patterns.pairs.astype(np.float64)
    matches = pairs * share
    for _ in range(ROUNDS if len(pairs) else 0):
        matches = pairs * _posterior(patterns, places, [m[c] for c in free], [other[c] for c in free], share)
        share = float(np.clip(matches.sum() / pairs.sum(), 1e-6, 1 - 1e-6))
        for c, place in zip(free, places, strict=True):
            m[c] = _shares(_counts(patterns, place, len(m[c]), matches) + RULES_WEIGHT * start[c])
            other[c] = _shares(_counts(patterns, place, len(m[c]), pairs - matches) + RULES_WEIGHT * _shares(u[c]))
    return matches


def _posterior(patterns: Patterns, places: list[int], m: list[np.ndarray], u: list[np.ndarray], share: float) -> np.ndarray:
    """The probability of each pattern's pairs to be one entity, given their share among all."""
    odds = np.full(len(patterns.pairs), np.log(share) - np.log1p(-share))
    for place, m_levels, u_levels in zip(places, m, u, strict=True):
        ranks = patterns.ranks[:, place]
        odds += np.append(np.log(m_levels / u_levels), np.zeros(SILENT + 1 - len(m_levels)))[ranks]
    return 1 / (1 + np.exp(-odds))


def learn_prior(candidates: Patterns, m: Tables, u: Tables, *, sampled: int, units: int) -> int:
    """Hundredths of a bit: the odds of two random units to be one entity, from how many pairs of one entity the candidates are expected to
    hold. At least one unit in ten thousand is taken to have a counterpart, and at most all to be one.
    """
    places = list(range(len(m)))
    every = max(units * (units - 1) / 2, 1)
    seen = 1 - (1 - sampled / max(units, 1)) ** 2
    share = 1 / max(units, 2)
    for _ in range(ROUNDS):
        expected = float((candidates.pairs * _posterior(candidates, places, list(m.values()), list(u.values()), share)).sum())
        share = float(np.clip(expected / max(seen, 1e-9) / every, min(1e-4 * units / every, 0.5), 0.5))
    return round(HUNDREDTHS * (log2(share) - log2(1 - share)))


def _shares(table: np.ndarray) -> np.ndarray:
    return table / table.sum()
