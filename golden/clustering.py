"""Units to clusters: average linkage with cannot-link inside components, never the components themselves (they chain).

Reads, beside what the earlier steps made
  decided_pairs(a, b, together)  a steward's decisions about units, if the relation is there: `together` wins over every bar of the machine,
                                 the others are a bar of their own

Relations made here
  cluster_of(unit, cluster)     cluster: its smallest unit
  drawn(a, b)                   all pairs heavy enough, or decided, to hold a cluster together, before any is refused
  components_large(units)       components too large to compare all their pairs: what no block proposed counts as `missing_bits`
  evidence(cluster, a, b, bits, bridge, <levels>)   compared pairs inside clusters; bridge: the weakest that holds the cluster together
  smallest_cuts(cluster, bits, units, side)   of clusters of 3 to `cuts.MOST_UNITS` units: the evidence that the cluster would have to lose
      to come apart, how many units it has, and which of them would be the smaller side
"""

import duckdb
import numpy as np
import pyarrow as pa
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import minimum_spanning_tree

from golden.comparison import refuse_ambiguous, score_pairs
from golden.cuts import MOST_UNITS, smallest_cuts
from golden.engine import arrow, keep
from golden.linkage import Graph, average_linkage, first_of_component
from golden.weights import HUNDREDTHS, Weights
from rules.matching import MatchingRules

FILLED_UNITS = 60
"""Components up to this size have all their pairs compared, also those that no block proposed."""


def cluster_units(con: duckdb.DuckDBPyConnection, rules: MatchingRules, weights: Weights) -> str:
    """Make the relations of this module from `scored` and `units`."""
    _list_decided(con)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE drawn AS
        SELECT a, b FROM scored WHERE {_edge(rules)}
        UNION ALL SELECT a, b FROM decided ANTI JOIN (SELECT a, b FROM scored WHERE {_edge(rules)}) s USING (a, b) WHERE together""")
    refuse_ambiguous(con, rules)
    _list_members(con, rules)
    _fill_components(con, rules, weights)
    keep(con, "joined_units", _join_members(con, rules))
    con.execute("""
        CREATE OR REPLACE TABLE cluster_of AS
        SELECT unit, coalesce(cluster, unit) AS cluster FROM units LEFT JOIN joined_units USING (unit)""")
    _list_evidence(con, rules)
    _list_cuts(con)
    return "cluster_of"


def _list_decided(con: duckdb.DuckDBPyConnection) -> None:
    """decided(a, b, together) with a < b. Of a pair that is decided both ways `together` counts."""
    try:
        con.execute("DESCRIBE decided_pairs")
    except duckdb.CatalogException:
        con.execute("CREATE OR REPLACE TEMP TABLE decided (a BIGINT, b BIGINT, together BOOLEAN)")
        return
    con.execute("""
        CREATE OR REPLACE TEMP TABLE decided AS
        SELECT least(a, b) AS a, greatest(a, b) AS b, bool_or(together) AS together FROM decided_pairs
        WHERE a <> b AND a IN (SELECT unit FROM units) AND b IN (SELECT unit FROM units) GROUP BY ALL""")


def _list_members(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> None:
    """members(unit, node, component): the units that some edge or decision could join; node: their place from 0."""
    edges = arrow(con, f"SELECT a, b FROM scored WHERE {_edge(rules)} UNION SELECT a, b FROM decided WHERE together ORDER BY a, b")
    units, a, b = _nodes(edges)
    keep(con, "members", pa.table({"unit": units, "node": np.arange(len(units)), "component": first_of_component(a, b, len(units))}))
    con.execute("CREATE OR REPLACE TEMP TABLE component_sizes AS SELECT component, count(*) AS units FROM members GROUP BY component")
    con.execute(
        f"CREATE OR REPLACE TABLE components_large AS SELECT units FROM component_sizes WHERE units > {FILLED_UNITS} ORDER BY units"
    )


def _edge(rules: MatchingRules) -> str:
    return f"eligible AND barred IS NULL AND bits >= {round(rules.link_bits * HUNDREDTHS)}"


def _nodes(edges: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    both = np.concatenate([edges.column("a").to_numpy(), edges.column("b").to_numpy()])
    units, places = np.unique(both, return_inverse=True)
    return units, places[: len(edges)], places[len(edges) :]


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
    con.execute(f"INSERT INTO drawn SELECT a, b FROM scored ANTI JOIN drawn USING (a, b) WHERE {_edge(rules)}")
    refuse_ambiguous(con, rules)


def _join_members(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> pa.Table:
    """(unit, cluster) of every member. What is compared but not eligible may speak against two clusters, never for them."""
    nodes = arrow(con, "SELECT unit, records, number IS NOT NULL AS numbered FROM members JOIN units USING (unit) ORDER BY node")
    pairs = arrow(
        con,
        f"""
        SELECT x.node AS a, y.node AS b, barred IS NOT NULL OR NOT coalesce(together, true) AS barred,
          CASE WHEN barred IS NOT NULL OR eligible THEN least(bits, {round(rules.weight_cap_bits * HUNDREDTHS)})
            ELSE least(bits, 0) END AS bits
        FROM (SELECT a, b, bits, barred, eligible, together FROM scored LEFT JOIN decided USING (a, b)
              UNION ALL SELECT a, b, 0, NULL, false, false FROM decided ANTI JOIN scored USING (a, b) WHERE NOT together) s
        JOIN members x ON x.unit = s.a JOIN members y ON y.unit = s.b WHERE x.component = y.component ORDER BY 1, 2""",
    )
    together = arrow(
        con,
        """SELECT x.node AS a, y.node AS b FROM decided JOIN members x ON x.unit = decided.a JOIN members y ON y.unit = decided.b
           WHERE together ORDER BY 1, 2""",
    )
    units = nodes.column("unit").to_numpy()
    found = average_linkage(
        Graph(
            keys=units,
            records=nodes.column("records").to_numpy(),
            numbered=_flags(nodes, "numbered"),
            a=pairs.column("a").to_numpy(),
            b=pairs.column("b").to_numpy(),
            bits=pairs.column("bits").to_numpy().astype(np.int64),
            barred=_flags(pairs, "barred"),
            together_a=together.column("a").to_numpy(),
            together_b=together.column("b").to_numpy(),
        ),
        threshold=round(rules.cluster_bits * HUNDREDTHS),
        missing=round(rules.missing_bits * HUNDREDTHS),
    )
    return pa.table({"unit": pa.array(units, pa.int64()), "cluster": pa.array(units[found], pa.int64())})


def _flags(table: pa.Table, name: str) -> np.ndarray:
    return table.column(name).to_numpy().astype(bool)


def _list_evidence(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> None:
    levels = ", ".join(rules.comparisons)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE held AS
        SELECT x.cluster, s.a, s.b, s.bits, s.barred, {levels} FROM scored s
        JOIN cluster_of x ON x.unit = s.a JOIN cluster_of y ON y.unit = s.b WHERE x.cluster = y.cluster""")
    held = arrow(con, "SELECT a, b, bits, cluster FROM held ORDER BY a, b")
    keep(con, "bridges", _bridges(*(held.column(name).to_numpy() for name in ("a", "b", "bits", "cluster"))))
    con.execute(f"""
        CREATE OR REPLACE TABLE evidence AS
        SELECT held.cluster, a, b, bits, bridges.cluster IS NOT NULL AS bridge, {levels} FROM held LEFT JOIN bridges USING (a, b)""")


def _bridges(a: np.ndarray, b: np.ndarray, bits: np.ndarray, cluster: np.ndarray) -> pa.Table:
    """(a, b, cluster): of each cluster the weakest edge of its heaviest spanning tree; of equals the first."""
    units, places = np.unique(np.concatenate([a, b]), return_inverse=True)
    x, y = places[: len(a)], places[len(a) :]
    graph = coo_matrix((bits.max(initial=0) + 1 - bits, (x, y)), shape=(len(units), len(units)))
    tree = minimum_spanning_tree(graph.astype(np.float64)).tocoo() if len(units) else graph
    stands = np.isin(x * len(units) + y, np.minimum(tree.row, tree.col).astype(np.int64) * len(units) + np.maximum(tree.row, tree.col))
    a, b, bits, cluster = a[stands], b[stands], bits[stands], cluster[stands]
    order = np.lexsort((b, a, bits, cluster))
    first = order[np.r_[True, cluster[order][1:] != cluster[order][:-1]]] if len(order) else order
    return pa.table({"a": a[first], "b": b[first], "cluster": cluster[first]})


def _list_cuts(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE OR REPLACE TABLE smallest_cuts (cluster BIGINT, bits BIGINT, units INT, side BIGINT[])")
    sizes = con.execute(f"""
        SELECT DISTINCT n FROM (SELECT count(*) AS n FROM cluster_of GROUP BY cluster) WHERE n BETWEEN 3 AND {MOST_UNITS} ORDER BY n""")
    for (size,) in sizes.fetchall():
        keep(con, "cuts_found", _cuts_of_size(con, size))
        con.execute("INSERT INTO smallest_cuts FROM cuts_found")


def _cuts_of_size(con: duckdb.DuckDBPyConnection, size: int) -> pa.Table:
    """Cuts of all clusters of one size. An edge holds with its weight, and with nothing where it speaks against the two."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE cut_units AS
        SELECT unit, cluster, row_number() OVER (PARTITION BY cluster ORDER BY unit) - 1 AS place,
          dense_rank() OVER (ORDER BY cluster) - 1 AS graph
        FROM cluster_of WHERE cluster IN (SELECT cluster FROM cluster_of GROUP BY cluster HAVING count(*) = {size})""")
    units = arrow(con, "SELECT unit, cluster FROM cut_units ORDER BY graph, place")
    edges = arrow(
        con,
        """SELECT x.graph, x.place AS a, y.place AS b, bits FROM held JOIN cut_units x ON x.unit = a JOIN cut_units y ON y.unit = b
           WHERE bits > 0 AND barred IS NULL""",
    )
    members = units.column("unit").to_numpy().reshape(-1, size)
    graph, a, b, bits = (edges.column(name).to_numpy() for name in ("graph", "a", "b", "bits"))
    weights = np.zeros((len(members), size, size), dtype=np.int64)
    weights[graph, a, b] = weights[graph, b, a] = bits
    least, side = smallest_cuts(weights)
    side ^= (side.sum(axis=1) * 2 > size)[:, None]
    return pa.table(
        {
            "cluster": units.column("cluster").to_numpy().reshape(-1, size)[:, 0],
            "bits": least,
            "units": np.full(len(members), size, dtype=np.int32),
            "side": pa.ListArray.from_arrays(np.r_[0, side.sum(axis=1).cumsum()].astype(np.int32), members[side]),
        }
    )
