"""The linking model learnt from the whole population, without labels: how frequent values are, and the weights of the levels."""

import duckdb

from golden.engine import count
from golden.unit_values import learn_frequencies
from golden.weights import Weights, default_weights
from rules.matching import MatchingRules


def learn_weights(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> Weights:
    """The weights, and the relation `frequencies` beside them; from `raw_<attribute>` and `units`."""
    learn_frequencies(con, rules)
    return default_weights(rules, count(con, "units"))
