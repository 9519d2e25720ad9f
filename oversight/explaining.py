"""Explanation first (先释后疑): reasons why a look was in order, found by joining the looks with the business tables (Fabbri & LeFevre).

Each explanation is a query over `access`, `look` and the facts below; what none explains is `unexplained`, and only that is ranked.

client(department, subject)             a data set of the department holds the person
matter(department, subject, since, until)   a ticket or objection about the person that was with the department then; until null: still is
visit(actor, subject, since, until)     a check at the door that is the actor's
ward(actor, subject)                    a resident of a grid that the actor works
case_file(case_number)                  case numbers that exist in the platform, with the department that has the case
person(subject, surname, place, rank, famous)   what alerts compare: nothing of it leaves
holder(actor, surname, place, subject, left_on) who an account belongs to, as the personnel list says
rest_day(day)                           weekends and holidays of the rules' calendar
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

FACTS: Mapping[str, str] = {
    "client": "department VARCHAR, subject VARCHAR",
    "matter": "department VARCHAR, subject VARCHAR, since TIMESTAMP, until TIMESTAMP",
    "visit": "actor VARCHAR, subject VARCHAR, since TIMESTAMP, until TIMESTAMP",
    "ward": "actor VARCHAR, subject VARCHAR",
    "case_file": "case_number VARCHAR, department VARCHAR",
    "person": "subject VARCHAR, surname VARCHAR, place VARCHAR, rank BIGINT, famous BOOLEAN",
    "holder": "actor VARCHAR, surname VARCHAR, place VARCHAR, subject VARCHAR, left_on DATE",
    "rest_day": "day DATE",
}


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """`sql` gives (seq, subject) of the looks that it explains."""

    zh: str
    en: str
    sql: str


DURING = "a.moment >= f.since AND (f.until IS NULL OR a.moment < f.until)"
EXPLANATIONS: Mapping[str, Explanation] = {
    "matter": Explanation(
        zh="本部门当时有涉及此人的工单或申请",
        en="a ticket or request about the person was with the department then",
        sql=f"SELECT seq, subject FROM access a JOIN look USING (seq) JOIN matter f USING (department, subject) WHERE {DURING}",
    ),
    "visit": Explanation(
        zh="本人承办的入户核查",
        en="a check at the door of the worker's own",
        sql=f"SELECT seq, subject FROM access a JOIN look USING (seq) JOIN visit f USING (actor, subject) WHERE {DURING}",
    ),
    "ward": Explanation(
        zh="本人网格内的居民",
        en="a resident of the worker's own grid",
        sql="SELECT seq, subject FROM access JOIN look USING (seq) JOIN ward USING (actor, subject)",
    ),
    "case": Explanation(
        zh="办件号属本部门且存在",
        en="the case number exists and is the department's",
        sql="SELECT seq, subject FROM access JOIN look USING (seq) JOIN case_file USING (case_number, department)",
    ),
    "client": Explanation(
        zh="本部门的服务对象",
        en="the department's own client",
        sql="SELECT seq, subject FROM access JOIN look USING (seq) JOIN client USING (department, subject)",
    ),
}


def make_facts(con: duckdb.DuckDBPyConnection) -> None:
    """The relations of facts, empty."""
    for name, columns in FACTS.items():
        con.execute(f"CREATE OR REPLACE TABLE {name} ({columns})")


def explain(con: duckdb.DuckDBPyConnection) -> None:
    """Make `explained(seq, subject, reason)` and `unexplained(seq, subject)`."""
    found = " UNION ALL ".join(f"SELECT DISTINCT seq, subject, '{name}' AS reason FROM ({one.sql})" for name, one in EXPLANATIONS.items())
    con.execute(f"CREATE OR REPLACE TABLE explained AS {found}")
    con.execute("CREATE OR REPLACE TABLE unexplained AS SELECT * FROM look ANTI JOIN explained USING (seq, subject)")
