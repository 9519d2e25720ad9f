"""The ranking (排序) of accounts by how surprising their alerts are, beside their colleagues'.

For each rule and account: how many of its accesses the rule points at, and how improbable at least so many are, if the account were like
the rest of its department (a Poisson tail; the account itself left out, the whole district lent to small departments as `PRIOR_LOOKS`
accesses). The bits of all rules are added, so that no rule has a weight that anybody chose; what is usual for a department surprises
nobody.

A Poisson tail counts what happens independently, and hits of some rules come in clumps (聚集): one busy day over the own median is twenty
hits of `volume` or more, but one event. So clumps are counted (Poisson clumping, Aldous 1989): a rule's clump is how many hits of one
account and day the middle one of its hits stands among, and both the count and what is expected are divided by it. Rules whose hits come
one by one have clumps of one. As it is a median, misuse moves it little where less than half of a rule's hits are misuse; a rule that
misuse alone meets takes its clump from it, and says fewer bits than it might.
"""

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from scipy.stats import poisson

from rules.oversight import Yardsticks

PRIOR_LOOKS = 200


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """An account by its bits of surprise; `by_rule`: rule → (accesses that it points at, bits), the telling ones first."""

    actor: str
    department: str | None
    accesses: int
    unexplained: int
    bits: float
    by_rule: tuple[tuple[str, int, float], ...]


def rank(con: duckdb.DuckDBPyConnection, yardsticks: Yardsticks, limit: int) -> list[Ranked]:
    """The accounts that surprise most. Makes `scored(actor, rule, n, bits)` of all. `raise_alerts` came before."""
    _score(con, yardsticks)
    rows = con.execute(
        """SELECT actor, any_value(department), any_value(looks), any_value(open), sum(bits) AS total,
          list((rule, n, bits) ORDER BY bits DESC, rule) FROM scored GROUP BY actor ORDER BY total DESC, actor LIMIT ?""",
        [limit],
    ).fetchall()
    return [
        Ranked(
            actor=actor,
            department=department,
            accesses=looks,
            unexplained=unexplained,
            bits=round(total, 1),
            by_rule=tuple((rule, n, round(bits, 1)) for rule, n, bits in rules),
        )
        for actor, department, looks, unexplained, total, rules in rows
    ]


def _score(con: duckdb.DuckDBPyConnection, yardsticks: Yardsticks) -> None:
    settings, counted = yardsticks.numbers["ranking"], _counted(con)
    n, expected, clump = (counted[name].to_numpy().astype(float) for name in ("n", "expected", "clump"))
    bits = np.where(n >= settings["at_least"], np.minimum(surprise(n, expected, clump), settings["most_bits"]), 0.0)
    con.register("counted", counted.append_column("bits", [bits]))
    con.execute("CREATE OR REPLACE TABLE scored AS SELECT * FROM counted")
    con.unregister("counted")


def _counted(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """By account and rule: its hits `n`, how many are `expected` by its colleagues', and the rule's `clump`."""
    return con.sql(
        """WITH total AS (SELECT actor, any_value(department) AS department, count(*) AS looks,
            count(*) FILTER (seq IN (SELECT seq FROM unexplained)) AS open FROM access GROUP BY actor),
          daily AS (SELECT actor, rule, day, count(*) AS n FROM alert JOIN access USING (seq) GROUP BY ALL),
          clump AS (SELECT rule, median(n) AS hits FROM (SELECT rule, n, unnest(range(n)) FROM daily) GROUP BY rule),
          hit AS (SELECT actor, rule, sum(n) AS n FROM daily GROUP BY ALL),
          department_hit AS (SELECT department, rule, sum(n) AS n FROM hit JOIN total USING (actor) GROUP BY ALL),
          department_total AS (SELECT department, sum(looks) AS looks FROM total GROUP BY ALL),
          rule_total AS (SELECT rule, sum(n) AS n FROM hit GROUP BY ALL)
        SELECT actor, t.department, rule, h.n::BIGINT AS n, t.looks, t.open, c.hits AS clump,
          t.looks * (d.n - h.n + $1 * r.n / (SELECT sum(looks) FROM total)) / (dt.looks - t.looks + $1) AS expected
        FROM hit h JOIN total t USING (actor) JOIN rule_total r USING (rule) JOIN clump c USING (rule)
        JOIN department_hit d ON d.rule = h.rule AND d.department IS NOT DISTINCT FROM t.department
        JOIN department_total dt ON dt.department IS NOT DISTINCT FROM t.department ORDER BY actor, rule""",
        params=[PRIOR_LOOKS],
    ).to_arrow_table()


def surprise(n: np.ndarray, expected: np.ndarray, clump: np.ndarray) -> np.ndarray:
    """Bits: how improbable at least `n / clump` clumps are where `expected / clump` of them are expected (Poisson)."""
    bits: np.ndarray = -poisson.logsf(np.ceil(n / clump) - 1, expected / clump) / np.log(2)
    return bits
