"""Alerts (预警): which accesses the yardsticks of law.md A-05 and P-10 point at. Each rule is a query that gives `seq`.

A rule sees all looks where the look itself is odd (two places at once, a case number that does not exist), and only the unexplained ones
where the person is what is odd: a relative who is a client of the department is a client, and so is each number of its register.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from rules.oversight import Yardsticks

UNEXPLAINED = "(SELECT a.*, u.subject FROM access a JOIN unexplained u USING (seq))"
LOOKED = "(SELECT a.*, l.subject FROM access a JOIN look l USING (seq))"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """`sql` gives `seq`; its `{…}` are the rule's numbers of the yardsticks."""

    zh: str
    en: str
    sql: str


ALERTS: Mapping[str, Alert] = {
    "unexplained": Alert(zh="无法解释的查看", en="looks that nothing explains", sql="SELECT DISTINCT seq FROM unexplained"),
    "volume": Alert(
        zh="日查询量超过本人三十日中位数的三倍",
        en="a day's count over three times the own median of thirty days",
        sql="""WITH daily AS (SELECT actor, day, count(*) AS n FROM access GROUP BY ALL),
            compared AS (SELECT *, median(n) OVER (PARTITION BY actor ORDER BY day
              RANGE BETWEEN INTERVAL ({median_days}) DAY PRECEDING AND INTERVAL 1 DAY PRECEDING) AS usual FROM daily)
            SELECT seq FROM access a JOIN compared c ON c.actor = a.actor AND c.day = a.day
            WHERE n >= {at_least} AND n > {times_median} * coalesce(usual, 0)""",
    ),
    "cumulative": Alert(
        zh="无法解释的累计人数达到 25/250/2500",
        en="25, 250 or 2,500 subjects in all without explanation, by class",
        sql="""WITH first AS (SELECT actor, class, subject, min(moment) AS moment, min(seq) AS seq FROM {unexplained} GROUP BY ALL),
            counted AS (SELECT *, row_number() OVER (PARTITION BY actor, class ORDER BY moment, seq) AS nth FROM first)
            SELECT seq FROM counted JOIN limits USING (class) WHERE nth >= subjects""",
    ),
    "night": Alert(
        zh="夜间或休息日、无法解释",
        en="at night or on a day off, without explanation",
        sql="""SELECT DISTINCT seq FROM {unexplained} u LEFT JOIN rest_day ON rest_day.day = u.day
            WHERE rest_day.day IS NOT NULL OR hour(moment) >= {from_hour} OR hour(moment) < {to_hour}""",
    ),
    "family": Alert(
        zh="与账号持有人同姓或同址、无法解释",
        en="the holder's surname at the holder's address, or that address, without explanation",
        sql="""SELECT DISTINCT seq FROM {unexplained} u JOIN holder h USING (actor) JOIN person p ON p.subject = u.subject
            WHERE p.place = h.place""",
    ),
    "namesake": Alert(
        zh="与账号持有人同姓、无法解释",
        en="the holder's surname, without explanation",
        sql="""SELECT DISTINCT seq FROM {unexplained} u JOIN holder h USING (actor) JOIN person p ON p.subject = u.subject
            WHERE p.surname = h.surname""",
    ),
    "famous": Alert(
        zh="与知名人士同名者、无法解释",
        en="a namesake of a well-known person, without explanation",
        sql="SELECT DISTINCT seq FROM {unexplained} u JOIN person p ON p.subject = u.subject WHERE famous",
    ),
    "colleague": Alert(
        zh="查看其他账号持有人、无法解释",
        en="a holder of another account, or oneself, without explanation",
        sql="SELECT DISTINCT seq FROM {unexplained} u JOIN holder h ON h.subject = u.subject",
    ),
    "sequential": Alert(
        zh="号码相邻地逐一查询、无法解释",
        en="numbers that stand next to each other, one after another, without explanation",
        sql="""WITH steps AS (SELECT seq, actor, moment, rank, abs(rank - lag(rank) OVER w) BETWEEN 1 AND {apart} AS near
              FROM {unexplained} JOIN person USING (subject) WINDOW w AS (PARTITION BY actor ORDER BY moment, seq)),
            runs AS (SELECT *, sum((NOT coalesce(near, false))::INT) OVER (PARTITION BY actor ORDER BY moment, seq) AS run FROM steps)
            SELECT seq FROM runs QUALIFY count(*) OVER (PARTITION BY actor, run) >= {in_a_row}""",
    ),
    "not_found": Alert(
        zh="一日内大量查无此人",
        en="many not-founds in a day",
        sql="""WITH daily AS (SELECT actor, day, count(*) AS n, count(*) FILTER (outcome = 'not_found') AS missing
              FROM access GROUP BY ALL)
            SELECT seq FROM access a JOIN daily d ON d.actor = a.actor AND d.day = a.day
            WHERE outcome = 'not_found' AND missing >= {at_least} AND missing >= {share} * n""",
    ),
    "two_places": Alert(
        zh="同一账号同时在两处使用",
        en="one account in two places at a time",
        sql="""WITH near AS (SELECT seq, actor, moment, origin, lag(origin) OVER w AS before, lead(origin) OVER w AS after,
              lag(moment) OVER w AS since, lead(moment) OVER w AS until FROM access WHERE origin IS NOT NULL
              WINDOW w AS (PARTITION BY actor ORDER BY moment, seq))
            SELECT seq FROM near WHERE before = after AND origin <> before AND until - since < INTERVAL ({minutes}) MINUTE""",
    ),
    "left": Alert(
        zh="持有人已离岗的账号仍在使用",
        en="an account whose holder has left",
        sql="SELECT seq FROM access JOIN holder USING (actor) WHERE access.day > left_on",
    ),
    "dormant": Alert(
        zh="长期不用的账号重新启用",
        en="an account that nobody had used for long, on its first days again",
        sql="""WITH woken AS (SELECT actor, moment AS since FROM access
              QUALIFY moment - lag(moment) OVER (PARTITION BY actor ORDER BY moment, seq) >= INTERVAL ({days}) DAY)
            SELECT DISTINCT seq FROM access a JOIN woken w ON w.actor = a.actor AND a.moment >= w.since
            AND a.moment < w.since + INTERVAL 7 DAY""",
    ),
    "no_such_case": Alert(
        zh="办件号不存在或不属本部门",
        en="a case number that does not exist, or is not the department's",
        sql="""SELECT seq FROM access WHERE case_number IS NOT NULL AND EXISTS (SELECT 1 FROM case_file)
            AND (case_number, department) NOT IN (SELECT (case_number, department) FROM case_file)""",
    ),
    "one_case": Alert(
        zh="同一办件号查看多人",
        en="many people under one case number",
        sql="""SELECT seq FROM {looked} WHERE case_number IS NOT NULL
            QUALIFY count(DISTINCT subject) OVER (PARTITION BY actor, case_number) >= {subjects}""",
    ),
    "repeated": Alert(
        zh="反复查看同一人、无法解释",
        en="one person again and again, without explanation",
        sql="SELECT seq FROM {unexplained} QUALIFY count(*) OVER (PARTITION BY actor, subject) >= {times}",
    ),
}


def raise_alerts(con: duckdb.DuckDBPyConnection, yardsticks: Yardsticks) -> None:
    """Make `alert(rule, seq)`: whatever a rule points at. `explain` came before."""
    con.execute("CREATE OR REPLACE TABLE limits (class VARCHAR, subjects BIGINT)")
    con.executemany("INSERT INTO limits VALUES (?, ?)", [list(row) for row in yardsticks.limits.items()])
    con.execute("CREATE OR REPLACE TABLE alert (rule VARCHAR, seq BIGINT)")
    for name, alert in ALERTS.items():
        numbers = yardsticks.numbers.get(name, {})
        query = alert.sql.format(unexplained=UNEXPLAINED, looked=LOOKED, **numbers)
        con.execute(f"INSERT INTO alert SELECT DISTINCT '{name}', seq FROM ({query})")
