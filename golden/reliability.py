"""How far a source is believed about an element, by the age of what it says. The place of learned reliability (issue: law.md R-02, R-03).

Here it is estimated simply: from agreement with verified observations where there are enough, else from agreement with the value of record,
and held towards the prior of the source's role. Relation made here
  reliability(src, age, p)      age: whole half-years since the value was observed, 0…OLDEST; UNDATED for a source that stamps its rows
"""

import duckdb

from golden.sources import RecordSource, is_of_record
from rules.authority import SurvivorshipRule, SurvivorshipRules

AGE_DAYS = 182
OLDEST = 10
UNDATED = -1
PRIOR_COMPARISONS = 20
"""The prior of a role counts as much as so many comparisons."""

MOST, LEAST = 0.999, 0.02


def age_sql(observed: str, stamped: str) -> str:
    """SQL: the age step of a claim against the newest date in all sources."""
    days = f"date_diff('day', try_cast({observed} AS DATE), (SELECT day FROM newest_day))"
    return f"CASE WHEN {stamped} THEN {UNDATED} ELSE least(greatest(coalesce({days}, {AGE_DAYS * OLDEST}), 0) // {AGE_DAYS}, {OLDEST}) END"


def estimate_reliability(
    con: duckdb.DuckDBPyConnection, sources: list[RecordSource], rule: SurvivorshipRule, rules: SurvivorshipRules
) -> None:
    """Make `reliability` for the claims of one element (relation `claims`)."""
    priors = ", ".join(f"({src}, {_prior(source, rule, rules)})" for src, source in enumerate(sources))
    half = rule.half_life_days if rule.method == "freshness" else None
    decay = f"power(2, -age * {AGE_DAYS} / {half})" if half else "1"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE references_known AS
        SELECT res, src AS by_src, value AS known FROM claims JOIN sources USING (src)
        WHERE latest AND (verified OR {_of_record_sql(sources, rule)})
        QUALIFY row_number() OVER (PARTITION BY res ORDER BY verified DESC, observed_on DESC, src) = 1""")
    con.execute(f"""
        CREATE OR REPLACE TABLE reliability AS
        WITH steps AS (SELECT DISTINCT src, age FROM claims),
        compared AS (
          SELECT src, age, count(*) AS n, count_if(value = known) AS agreed FROM claims JOIN references_known USING (res)
          WHERE latest AND src <> by_src GROUP BY src, age)
        SELECT src, age, greatest(least((coalesce(agreed, 0) + {PRIOR_COMPARISONS} * prior * CASE WHEN age > 0 THEN {decay} ELSE 1 END)
                                  / (coalesce(n, 0) + {PRIOR_COMPARISONS}), {MOST}), {LEAST}) AS p
        FROM steps JOIN (VALUES {priors}) priors(src, prior) USING (src) LEFT JOIN compared USING (src, age)""")


def _prior(source: RecordSource, rule: SurvivorshipRule, rules: SurvivorshipRules) -> float:
    if source.verified:
        return rules.prior_reliability["verified"]
    if is_of_record(source, rule.element):
        return rules.prior_reliability["of_record"]
    return rules.prior_reliability["fallback" if source.department in rule.fallbacks else "other"]


def _of_record_sql(sources: list[RecordSource], rule: SurvivorshipRule) -> str:
    members = [str(src) for src, source in enumerate(sources) if is_of_record(source, rule.element)]
    return f"src IN ({', '.join(members)})" if members else "false"
