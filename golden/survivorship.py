"""Which value becomes golden, with its reasons and its rivals (law.md §5.3, R-01…R-05).

Relations made here
  believed(eix, res, vid, p, independent)                  how probable each value is that sources say now, and how many independent ones do
  weighed(eix, res, vid, value, p, …)                      the same with what stands behind it
  golden_values(res, element, value, dataset, record, observed_on, received_on, rule, confidence, sources, status, value_of_record)
  rivals(res, element, value, dataset, record, observed_on)
  numbers_of_record(res, number, rid, sure)                the golden number of each resident; not sure where another has it too (X-06)
  golden_rows(res, <one column per stated element>)
It reads numbers_elsewhere(number) where it stands: golden numbers of residents who are not at hand.
"""

from collections.abc import Collection, Sequence

import duckdb
import pyarrow as pa

from golden.believing import Model, believe
from golden.claims import NOT_OF_RECORD, batches, list_claims, list_rules
from golden.engine import identifier
from golden.exact_groups import birth_in, sex_in
from golden.pinning import apply_pins
from golden.records import rows_in, valid_number
from golden.reliability import claims_of, learn_reliability, models_at_hand, nothing_learnt
from golden.sources import RecordSource, claimed_elements
from rules.authority import SurvivorshipRules
from rules.elements import Element

SURE_NUMBER = 0.995
COLUMNS_PER_JOIN = 32
RULE_RECORD = "R-01"
RULE_NUMBER = "R-02-number"
RULE_REFUTED = "R-02-refuted"
RULE_WEIGHED = "R-02-weighed"
RULE_FRESHNESS = "R-03"
RULE_UNRESOLVED = "R-02-unresolved"
SAID_BY_NUMBER = {"birth_date": birth_in("number"), "sex": sex_in("number")}


def choose_values(
    con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], rules: SurvivorshipRules, elements: Collection[str] | None = None
) -> None:
    """Make the relations of this module from `resident_of`, `records` and the sources' files, by what was learnt (`reliability.LEARNT`).

    elements: the only ones to choose, beside the identity number, by which others are judged; none: all. Where nothing was learnt yet, it
    learns first. Of each resident only his own records and the model count; one thing excepted: a number that two residents hold is sure
    for neither (`judge_numbers`).
    """
    if nothing_learnt(con):
        learn_reliability(con, sources, rules)
    make_empty(con)
    choose_numbers(con, sources, rules)
    choose_others(con, sources, rules, [e for e in claimed_elements(sources) if elements is None or e.key in elements])


def choose_numbers(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], rules: SurvivorshipRules) -> None:
    """The identity numbers come first: they may refute what others say."""
    _choose(con, [e for e in claimed_elements(sources) if e.key == "id_number"], sources, rules)
    con.execute(f"""
        INSERT INTO numbers_of_record
        SELECT d.res, d.golden, w.rid, NULL FROM decided d JOIN weighed w ON w.eix = d.eix AND w.res = d.res AND w.value = d.golden
        WHERE d.element = 'id_number' AND {valid_number("d.golden")} IS NOT NULL""")
    judge_numbers(con)


def choose_others(
    con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], rules: SurvivorshipRules, elements: Sequence[Element]
) -> None:
    """The values beside the identity number, by `numbers_of_record`; then what stewards pinned; then a column per element."""
    for batch in batches([e for e in elements if e.key != "id_number"], sources, rows_in(con, sources)):
        _choose(con, batch, sources, rules)
    _mark_shared_numbers(con)
    apply_pins(con, sources)
    _spread(con)


def _choose(con: duckdb.DuckDBPyConnection, batch: Sequence[Element], sources: Sequence[RecordSource], rules: SurvivorshipRules) -> None:
    list_rules(con, batch, sources, rules)
    list_claims(con, batch, sources)
    _believe(con, models_at_hand(con, batch, sources, rules))
    _list_former_names(con)
    choose_among(con)
    _keep_decisions(con)


def choose_among(con: duckdb.DuckDBPyConnection) -> str:
    """From `claims`, `believed`, `standing`, `sources`, `numbers_of_record`, `names_once_borne` to `decided`(eix, res, golden, rule, …)."""
    _weigh(con)
    _decide(con)
    return "decided"


def make_empty(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE OR REPLACE TABLE golden_values (
          res BIGINT, element VARCHAR, value VARCHAR, dataset VARCHAR, record VARCHAR, observed_on VARCHAR,
          received_on VARCHAR, rule VARCHAR,
          confidence DECIMAL(5, 4), sources INTEGER, status VARCHAR, value_of_record VARCHAR)""")
    con.execute("""
        CREATE OR REPLACE TABLE rivals (
          res BIGINT, element VARCHAR, value VARCHAR, dataset VARCHAR, record VARCHAR, observed_on VARCHAR)""")
    con.execute("CREATE TEMP TABLE IF NOT EXISTS numbers_elsewhere (number VARCHAR)")
    con.execute("CREATE OR REPLACE TABLE numbers_of_record (res BIGINT, number VARCHAR, rid BIGINT, sure BOOLEAN)")


def _believe(con: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> None:
    """believed, element by element."""
    con.execute("CREATE OR REPLACE TEMP TABLE believed (eix SMALLINT, res BIGINT, vid UBIGINT, p DECIMAL(9, 8), independent INTEGER)")
    for eix, model in enumerate(models):
        words = {word: place for place, word in enumerate(model.values)}
        beliefs = believe(claims_of(con, eix, words), model)
        con.register(
            "arriving", pa.table({"res": beliefs.resident, "vid": beliefs.value, "p": beliefs.p, "independent": beliefs.independent})
        )
        con.execute(f"INSERT INTO believed SELECT {eix}, res, vid, round(p, 8)::DECIMAL(9, 8), independent FROM arriving")
        con.unregister("arriving")


def _weigh(con: duckdb.DuckDBPyConnection) -> None:
    """Each value with the record that is shown for it: of the highest rank, then the one observed last; a tidy spelling before others."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE weighed AS
        WITH backed AS (
          SELECT eix, res, vid, bool_or(verified) AS verified, min(rank) AS rank, max(day) AS newest, arg_min(rid, place) AS rid,
            arg_min(value, place) AS value, bool_and(damaged) AS damaged, count(*)::INT AS tellers
          FROM (SELECT c.*, rank, verified, (untidy * 1000 + rank + 1)::BIGINT * 10**9 + (100000 - day)::BIGINT * 1000 + src AS place
                FROM claims c JOIN sources USING (src) JOIN standing USING (eix, src) WHERE latest)
          GROUP BY eix, res, vid)
        SELECT b.*, coalesce(p, 0)::DECIMAL(9, 8) AS p, coalesce(independent, 0) AS lots
        FROM backed b LEFT JOIN believed USING (eix, res, vid)""")


def _decide(con: duckdb.DuckDBPyConnection) -> None:
    """decided: the value of record unless refuted; without one, or where freshness decides, the most probable; below `accept_at` none.

    The person's own number decides, unless two or more independent sources state the value of record, .98 probable, and none states what
    the number says: then the number is doubtful, most likely one that was replaced when the birth date was corrected (D-08, D-10).
    A damaged spelling refutes nothing, nor does a name that the person is known to have borne before (X-10): it is merely outdated.
    """
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE decided AS
        WITH best AS (
          SELECT * FROM weighed QUALIFY row_number() OVER (PARTITION BY eix, res ORDER BY p DESC, rank, newest DESC, value) = 1),
        of_record AS (
          SELECT * FROM weighed WHERE rank < {NOT_OF_RECORD}
          QUALIFY row_number() OVER (PARTITION BY eix, res ORDER BY rank, newest DESC, p DESC, value) = 1),
        numbers AS ({_said_by_numbers()}),
        backing AS (
          SELECT eix, res, bool_or(starts_with(n.value, w.value)) AS backed
          FROM weighed w JOIN numbers n USING (eix, res) GROUP BY eix, res),
        known AS (
          SELECT coalesce(b.eix, n.eix) AS eix, coalesce(b.res, n.res) AS res, o.value AS of_record, n.value AS by_number,
            n.rid AS number_rid, coalesce(backed, false) AS number_backed,
            b.value AS best, b.p, b.lots, b.verified, b.damaged OR f.vid IS NOT NULL AS cannot_refute
          FROM best b LEFT JOIN of_record o USING (eix, res)
          LEFT JOIN names_once_borne f ON f.eix = b.eix AND f.res = b.res AND f.vid = b.vid
          FULL JOIN numbers n ON n.eix = b.eix AND n.res = b.res LEFT JOIN backing k ON k.eix = b.eix AND k.res = b.res),
        ruled AS (
          SELECT k.*, element, CASE
            WHEN k.by_number IS NOT NULL AND k.by_number IS DISTINCT FROM coalesce(of_record, best) AND NOT coalesce(
              NOT number_backed AND best = coalesce(of_record, best) AND p >= refute_at AND lots >= refute_sources, false)
              THEN '{RULE_NUMBER}'
            WHEN of_record IS NULL OR method = 'freshness' THEN
              CASE WHEN p < accept_at AND of_record IS NULL THEN '{RULE_UNRESOLVED}' WHEN p < accept_at THEN '{RULE_RECORD}'
                WHEN method = 'freshness' THEN '{RULE_FRESHNESS}' ELSE '{RULE_WEIGHED}' END
            WHEN best <> of_record AND NOT cannot_refute AND p >= refute_at AND (lots >= refute_sources OR verified) THEN '{RULE_REFUTED}'
            ELSE '{RULE_RECORD}' END AS rule
          FROM known k JOIN judged_elements USING (eix))
        SELECT *, CASE rule WHEN '{RULE_NUMBER}' THEN by_number WHEN '{RULE_RECORD}' THEN of_record WHEN '{RULE_UNRESOLVED}' THEN NULL
          ELSE best END AS golden FROM ruled""")


def _list_former_names(con: duckdb.DuckDBPyConnection) -> None:
    """names_once_borne(eix, res, vid), in the form of claims of the name."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE names_once_borne AS
        SELECT DISTINCT eix, res, hash(value) AS vid FROM record_former_name JOIN resident_of USING (rid), judged_elements
        WHERE element = 'name'""")


def _said_by_numbers() -> str:
    """What the person's own number says: birth date and sex, also where no source states them."""
    said = " ".join(f"WHEN '{element}' THEN {sql}" for element, sql in SAID_BY_NUMBER.items())
    return f"""SELECT eix, res, rid, CASE element {said} END AS value FROM numbers_of_record, judged_elements
               WHERE sure AND by_number AND element IN ('{"', '".join(SAID_BY_NUMBER)}')"""


def _keep_decisions(con: duckdb.DuckDBPyConnection) -> None:
    """A value that the number says is shown with the record of the number where no source states it."""
    con.execute(f"""
        INSERT INTO golden_values
        SELECT d.res, d.element, d.golden, s.dataset, r.record, r.observed_on, r.since, d.rule,
          CASE WHEN d.rule = '{RULE_NUMBER}' THEN {SURE_NUMBER} ELSE coalesce(w.p, d.p) END, coalesce(w.tellers, 0),
          CASE WHEN d.rule IN ('{RULE_NUMBER}', '{RULE_REFUTED}') AND NOT starts_with(d.golden, d.of_record) THEN 'disputed'
               WHEN d.golden <> d.by_number AND NOT starts_with(d.by_number, d.golden) THEN 'disputed'
               WHEN d.rule = '{RULE_UNRESOLVED}' THEN 'unresolved' ELSE 'ok' END, d.of_record
        FROM decided d LEFT JOIN weighed w ON w.eix = d.eix AND w.res = d.res AND w.value = d.golden
        LEFT JOIN records r ON r.rid = coalesce(w.rid, CASE WHEN d.rule = '{RULE_NUMBER}' THEN d.number_rid END)
        LEFT JOIN sources s ON s.src = r.src""")
    con.execute("""
        INSERT INTO rivals
        SELECT c.res, d.element, c.value, s.dataset, r.record, r.observed_on
        FROM claims c JOIN decided d ON d.eix = c.eix AND d.res = c.res AND d.golden IS DISTINCT FROM c.value
        JOIN sources s ON s.src = c.src JOIN records r ON r.rid = c.rid""")


def judge_numbers(con: duckdb.DuckDBPyConnection) -> None:
    """A number that two residents hold is sure for neither (X-06)."""
    con.execute("""
        CREATE OR REPLACE TABLE numbers_of_record AS
        SELECT res, number, rid, count(*) OVER (PARTITION BY number) = 1 AND number NOT IN (FROM numbers_elsewhere) AS sure
        FROM numbers_of_record""")


def _mark_shared_numbers(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        UPDATE golden_values SET status = 'disputed'
        WHERE element = 'id_number' AND res IN (SELECT res FROM numbers_of_record WHERE NOT sure)""")


def _spread(con: duckdb.DuckDBPyConnection) -> None:
    """A column per element that anybody has; a few columns at a time, so that no join is wider than memory likes."""
    con.execute("CREATE OR REPLACE TABLE golden_rows AS SELECT DISTINCT res FROM resident_of")
    stated = [
        row[0] for row in con.execute("SELECT DISTINCT element FROM golden_values WHERE value IS NOT NULL ORDER BY element").fetchall()
    ]
    for start in range(0, len(stated), COLUMNS_PER_JOIN):
        part = stated[start : start + COLUMNS_PER_JOIN]
        cells = ", ".join(f"max(value) FILTER (WHERE element = '{key}') AS {identifier(key)}" for key in part)
        con.execute(f"""
            CREATE OR REPLACE TABLE wider AS SELECT * FROM golden_rows LEFT JOIN (
              SELECT res, {cells} FROM golden_values WHERE element IN ('{"', '".join(part)}') GROUP BY res) USING (res)""")
        con.execute("DROP TABLE golden_rows")
        con.execute("ALTER TABLE wider RENAME TO golden_rows")
