"""Units to clusters: average linkage with cannot-link inside components, never the components themselves (they chain).

Most components are a unit and its counterpart, or units that all agree with each other; only the others are looked at one by one.

Relations made here
  cluster_of(unit, cluster)     cluster: its smallest unit
  components_cut(units)         components over the size that is clustered whole, with the size; their weaker edges were left out
  evidence(cluster, a, b, bits, bridge, <levels>)   compared pairs inside clusters; bridge: the weakest that holds the cluster together
"""

import duckdb
import numpy as np
import pyarrow as pa
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import minimum_spanning_tree

from golden.comparison import refuse_ambiguous, score_pairs
from golden.engine import arrow, keep
from golden.exact_groups import component_labels
from golden.linkage import Component, average_linkage
from golden.weights import HUNDREDTHS, Weights
from rules.matching import MatchingRules

FILLED_UNITS = 60
"""Components up to this size have all their pairs compared, also those that no block proposed."""

WHOLE_UNITS = 1_000
"""Components over this size are cut at a higher weight, over and over, before they are clustered."""

STEP_BITS = 3


def cluster_units(con: duckdb.DuckDBPyConnection, rules: MatchingRules, weights: Weights) -> str:
    """Make the relations of this module from `scored` and `units`."""
    con.execute("CREATE OR REPLACE TABLE components_cut (units BIGINT)")
    refuse_ambiguous(con, rules)
    _list_edges(con, rules)
    _fill_components(con, rules, weights)
    clusters = _merge(con, rules)
    keep(con, "joined_units", clusters)
    con.execute(
        "CREATE OR REPLACE TABLE cluster_of AS "
        "SELECT unit, coalesce(cluster, unit) AS cluster FROM units LEFT JOIN joined_units USING (unit)"
    )
    _list_evidence(con, rules)
    return "cluster_of"


def _list_edges(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> None:
    """members(unit, node, component): the units that some edge could join; node: their place from 0."""
    link = round(rules.link_bits * HUNDREDTHS)
    con.execute(f"CREATE OR REPLACE TEMP TABLE edges AS SELECT a, b, bits FROM scored WHERE eligible AND barred IS NULL AND bits >= {link}")
    edges = arrow(con, "SELECT a, b, bits FROM edges ORDER BY a, b")
    units, a, b = _nodes(edges)
    labels = _cut_components(con, a, b, edges.column("bits").to_numpy(), len(units))
    keep(con, "members", pa.table({"unit": units, "node": np.arange(len(units)), "component": labels}))
    con.execute("CREATE OR REPLACE TEMP TABLE component_sizes AS SELECT component, count(*) AS units FROM members GROUP BY component")


def _nodes(edges: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    both = np.concatenate([edges.column("a").to_numpy(), edges.column("b").to_numpy()])
    units, places = np.unique(both, return_inverse=True)
    return units, places[: len(edges)], places[len(edges) :]


def _cut_components(con: duckdb.DuckDBPyConnection, a: np.ndarray, b: np.ndarray, bits: np.ndarray, nodes: int) -> np.ndarray:
    """Component of each node; oversized ones lose their weakest edges until the pieces are of a size."""
    standing = np.ones(len(a), dtype=bool)
    limit = bits.min(initial=0)
    while True:
        labels = component_labels(pa.table({"a": a[standing], "b": b[standing]}), nodes)
        sizes = np.bincount(labels, minlength=1) if len(labels) else np.zeros(1, dtype=np.int64)
        if sizes.max() <= WHOLE_UNITS or not standing.any():
            return labels
        con.executemany("INSERT INTO components_cut VALUES (?)", [[int(size)] for size in sizes[sizes > WHOLE_UNITS]])
        limit += STEP_BITS * HUNDREDTHS
        standing &= ~((sizes[labels[a]] > WHOLE_UNITS) & (bits < limit))


def _fill_components(con: duckdb.DuckDBPyConnection, rules: MatchingRules, weights: Weights) -> None:
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE unproposed AS
        SELECT row_number() OVER (ORDER BY a, b) AS pair, a, b FROM (
          SELECT x.unit AS a, y.unit AS b FROM members x JOIN members y USING (component) JOIN component_sizes USING (component)
          WHERE x.unit < y.unit AND units BETWEEN 3 AND {FILLED_UNITS}
          EXCEPT SELECT a, b FROM pairs)""")
    con.execute("ALTER TABLE scored RENAME TO scored_first")
    score_pairs(con, rules, weights, "unproposed")
    con.execute("INSERT INTO scored SELECT * REPLACE (-pair AS pair) FROM scored_first")
    con.execute("DROP TABLE scored_first")
    refuse_ambiguous(con, rules)


def _merge(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> pa.Table:
    """(unit, cluster) of every unit in a component."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE inside AS
        SELECT x.component, x.node AS a, y.node AS b, barred IS NOT NULL AS barred,
          CASE WHEN barred IS NOT NULL OR eligible THEN least(bits, {round(rules.weight_cap_bits * HUNDREDTHS)})
            ELSE least(bits, 0) END AS bits
        FROM scored JOIN members x ON x.unit = scored.a JOIN members y ON y.unit = scored.b WHERE x.component = y.component""")
    threshold = round(rules.cluster_bits * HUNDREDTHS)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE plain AS
        SELECT component FROM inside JOIN component_sizes USING (component) GROUP BY component, units
        HAVING count(*) = units * (units - 1) / 2 AND min(bits) > {threshold} AND NOT bool_or(barred)""")
    plain = arrow(
        con, "SELECT unit, min(unit) OVER (PARTITION BY component) AS cluster FROM members SEMI JOIN plain USING (component) ORDER BY unit"
    )
    return pa.concat_tables([plain, _merge_suspicious(con, rules)])


def _merge_suspicious(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> pa.Table:
    nodes = arrow(
        con,
        """
        SELECT component, unit, node, records, coalesce(number, '') AS number, number_attested
        FROM members ANTI JOIN plain USING (component)
        JOIN units USING (unit) ORDER BY component, node""",
    )
    pairs = arrow(con, "SELECT component, a, b, bits, barred FROM inside ANTI JOIN plain USING (component) ORDER BY component, a, b")
    units, node, component = (nodes.column(c).to_numpy() for c in ("unit", "node", "component"))
    starts, ends = _runs(component)
    pair_starts = np.searchsorted(pairs.column("component").to_numpy(), component[starts], side="left")
    pair_ends = np.searchsorted(pairs.column("component").to_numpy(), component[starts], side="right")
    numbers = np.array(nodes.column("number").to_pylist(), dtype=object)
    a, b, bits, barred = (pairs.column(c).to_numpy() for c in ("a", "b", "bits", "barred"))
    records = nodes.column("records").to_numpy()
    cluster = units.copy()
    for start, end, first, last in zip(starts, ends, pair_starts, pair_ends, strict=True):
        places = node[start:end]
        found = average_linkage(
            Component(
                records=records[start:end],
                numbers=numbers[start:end],
                a=np.searchsorted(places, a[first:last]),
                b=np.searchsorted(places, b[first:last]),
                bits=bits[first:last],
                barred=barred[first:last].astype(bool),
            ),
            threshold=round(rules.cluster_bits * HUNDREDTHS),
            missing=round(rules.missing_bits * HUNDREDTHS),
        )
        cluster[start:end] = units[start:end][found]
    return pa.table({"unit": pa.array(units, pa.int64()), "cluster": pa.array(cluster, pa.int64())})


def _runs(sorted_values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not len(sorted_values):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate([[True], sorted_values[1:] != sorted_values[:-1]]))
    return starts, np.append(starts[1:], len(sorted_values))


def _list_evidence(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> None:
    levels = ", ".join(rules.comparisons)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE held AS
        SELECT x.cluster, s.a, s.b, s.bits, {levels} FROM scored s
        JOIN cluster_of x ON x.unit = s.a JOIN cluster_of y ON y.unit = s.b WHERE x.cluster = y.cluster""")
    held = arrow(con, "SELECT a, b, bits FROM held ORDER BY a, b")
    units, a, b = _nodes(held)
    heavy = held.column("bits").to_numpy().max(initial=0) + 1
    graph = coo_matrix((heavy - held.column("bits").to_numpy(), (a, b)), shape=(len(units), len(units)))
    tree = minimum_spanning_tree(graph.astype(np.float64)).tocoo() if len(units) else graph
    keep(con, "tree", pa.table({"a": pa.array(units[tree.row], pa.int64()), "b": pa.array(units[tree.col], pa.int64())}))
    con.execute(f"""
        CREATE OR REPLACE TABLE evidence AS
        SELECT cluster, a, b, bits,
          coalesce(t.a IS NOT NULL AND row_number() OVER (PARTITION BY cluster, t.a IS NOT NULL ORDER BY bits, a, b) = 1, false) AS bridge,
          {levels}
        FROM held LEFT JOIN (SELECT least(a, b) AS a, greatest(a, b) AS b FROM tree) t USING (a, b)""")
