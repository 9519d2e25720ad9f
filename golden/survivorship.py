"""Which value becomes golden, with its reasons and its rivals (law.md §5.3, R-01…R-05).

Relations made here
  believed(eix, res, vid, p, independent)                  how probable each value is that sources say now, and how many independent ones do
  weighed(eix, res, vid, value, p, …)                      the same with what stands behind it
  golden_values(res, element, value, dataset, record, observed_on, received_on, rule, confidence, sources, status, value_of_record)
  rivals(res, element, value, dataset, record, observed_on)
  numbers_of_record(res, number, rid, sure, pinned)        the golden number of each resident; not sure where another has it too (X-06)
  golden_rows(res, <one column per stated element>)
It reads numbers_elsewhere(number) where it stands: golden numbers of residents who are not at hand.
"""

from collections import deque
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import duckdb
import numpy as np
import pyarrow as pa

from golden.believing import Beliefs, Model, believe
from golden.claims import NOT_OF_RECORD, batches, list_claimants, list_claims, list_rules
from golden.engine import arrow, enum_of, keep
from golden.exact_groups import birth_in, sex_in
from golden.pinning import RULE_PINNED, apply_pins, pin_numbers
from golden.records import rows_in, valid_number
from golden.reliability import claims_of, learn_reliability, models_at_hand, nothing_learnt
from golden.sources import RecordSource, claimed_elements
from rules.authority import SurvivorshipRules
from rules.elements import Element, load_elements

SURE_NUMBER = 0.995
WEIGHED_AT_ONCE = 2
"""The claims of so many elements are weighed at once; each holds its arrays meanwhile."""
SPREAD_AT_ONCE = 2

RULE_RECORD = "R-01"
RULE_NUMBER = "R-02-number"
RULE_REFUTED = "R-02-refuted"
RULE_WEIGHED = "R-02-weighed"
RULE_FRESHNESS = "R-03"
RULE_UNRESOLVED = "R-02-unresolved"
RULES = (RULE_RECORD, RULE_NUMBER, RULE_REFUTED, RULE_WEIGHED, RULE_FRESHNESS, RULE_UNRESOLVED, RULE_PINNED)
STATUSES = ("disputed", "ok", "unresolved")
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
    list_claimants(con)
    choose_numbers(con, sources, rules)
    choose_others(con, sources, rules, [e for e in claimed_elements(sources) if elements is None or e.key in elements])


def choose_numbers(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], rules: SurvivorshipRules) -> None:
    """The identity numbers of the `claimants` come first, pinned ones in the machine's place: they may refute what others say."""
    _choose(con, [e for e in claimed_elements(sources) if e.key == "id_number"], sources, rules)
    con.execute(f"""
        INSERT INTO numbers_of_record
        SELECT res, golden, rid, NULL, false FROM decided WHERE element = 'id_number' AND {valid_number("golden")} IS NOT NULL""")
    pin_numbers(con)
    judge_numbers(con)


def choose_others(
    con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], rules: SurvivorshipRules, elements: Sequence[Element]
) -> None:
    """The values beside the identity number, by `numbers_of_record`; then what stewards pinned; then a column per element."""
    _choose_each(con, [e for e in elements if e.key != "id_number"], sources, rules)
    _mark_shared_numbers(con)
    apply_pins(con, sources)
    _spread(con)


def choose_of_enterprises(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], rules: SurvivorshipRules) -> None:
    """The same of enterprises, with `res` the enterprise: by what is learnt of their sources each time, for they are few. No number says
    anything of them beside itself, and nobody pins their values.
    """
    elements = claimed_elements(sources, of="enterprise")
    learn_reliability(con, sources, rules, elements)
    make_empty(con)
    list_claimants(con)
    _choose_each(con, elements, sources, rules)
    _spread(con)


def _choose_each(
    con: duckdb.DuckDBPyConnection, elements: Sequence[Element], sources: Sequence[RecordSource], rules: SurvivorshipRules
) -> None:
    for batch in batches(elements, sources, rows_in(con, sources)):
        _choose(con, batch, sources, rules)


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
    _list_contenders(con)
    _decide(con)
    return "decided"


def make_empty(con: duckdb.DuckDBPyConnection) -> None:
    elements, rules, statuses = enum_of(load_elements()), enum_of(RULES), enum_of(STATUSES)
    datasets = enum_of(row[0] for row in con.execute("SELECT dataset FROM sources").fetchall())
    con.execute(f"""
        CREATE OR REPLACE TABLE golden_values (
          res BIGINT, element {elements}, value VARCHAR, dataset {datasets}, record VARCHAR, observed_on VARCHAR,
          received_on VARCHAR, rule {rules},
          confidence DECIMAL(5, 4), sources INTEGER, status {statuses}, value_of_record VARCHAR)""")
    con.execute(f"""
        CREATE OR REPLACE TABLE rivals (
          res BIGINT, element {elements}, value VARCHAR, dataset {datasets}, record VARCHAR, observed_on VARCHAR)""")
    con.execute("CREATE TEMP TABLE IF NOT EXISTS numbers_elsewhere (number VARCHAR)")
    con.execute("CREATE OR REPLACE TABLE numbers_of_record (res BIGINT, number VARCHAR, rid BIGINT, sure BOOLEAN, pinned BOOLEAN)")


def _believe(con: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> None:
    """believed, element by element; while some elements' claims are weighed the next one's are read."""
    con.execute("CREATE OR REPLACE TEMP TABLE believed (eix SMALLINT, res BIGINT, vid UBIGINT, p DECIMAL(9, 8), independent INTEGER)")
    under_way: deque[Future[Beliefs]] = deque()
    with ThreadPoolExecutor(WEIGHED_AT_ONCE) as weighing:
        for eix, model in enumerate(models):
            words = {word: place for place, word in enumerate(model.values)}
            under_way.append(weighing.submit(believe, claims_of(con, eix, words), model))
            if len(under_way) > WEIGHED_AT_ONCE:
                _keep_beliefs(con, eix - WEIGHED_AT_ONCE, under_way.popleft().result())
        for eix, beliefs in enumerate(under_way, start=len(models) - len(under_way)):
            _keep_beliefs(con, eix, beliefs.result())


def _keep_beliefs(con: duckdb.DuckDBPyConnection, eix: int, beliefs: Beliefs) -> None:
    con.register("arriving", pa.table({"res": beliefs.resident, "vid": beliefs.value, "p": beliefs.p, "independent": beliefs.independent}))
    con.execute(f"INSERT INTO believed SELECT {eix}, res, vid, round(p, 8)::DECIMAL(9, 8), independent FROM arriving")
    con.unregister("arriving")


def _weigh(con: duckdb.DuckDBPyConnection) -> None:
    """Each value with the record that is shown for it: of the highest rank, then the one observed last; a tidy spelling before others.

    Only names are spelt in several ways: of other elements any claim's value will do, which is much the quicker.
    """
    backed = " UNION ALL ".join(
        _backed(where, value) for where, value in (("spelt", "arg_min(value, place)"), ("NOT spelt", "any_value(value)"))
    )
    backed += f" UNION ALL {_alone()}"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE weighed AS
        SELECT b.*, coalesce(p, 0)::DECIMAL(9, 8) AS p, coalesce(independent, 0) AS lots
        FROM ({backed}) b LEFT JOIN believed USING (eix, res, vid)""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE contested AS
        SELECT eix, res FROM weighed WHERE eix IN (SELECT eix FROM judged_elements WHERE NOT lone) GROUP BY eix, res HAVING count(*) > 1""")


def _backed(where: str, value: str) -> str:
    return f"""
        SELECT eix, res, vid, bool_or(verified) AS verified, min(rank) AS rank, max(day) AS newest, arg_min(rid, place) AS rid,
          {value} AS value, bool_and(damaged) AS damaged, count(*)::INT AS tellers
        FROM (SELECT c.*, rank, verified, (untidy * 1000 + rank + 1)::BIGINT * 10**9 + (100000 - day)::BIGINT * 1000 + src AS place
              FROM claims c JOIN sources USING (src) JOIN standing USING (eix, src)
              WHERE latest AND eix IN (SELECT eix FROM judged_elements WHERE {where} AND NOT lone))
        GROUP BY eix, res, vid"""


def _alone() -> str:
    """The same of elements that one source states: its latest claim is all there is."""
    return """
        SELECT eix, res, vid, verified, rank, day AS newest, rid, value, damaged, 1 AS tellers
        FROM claims JOIN sources USING (src) JOIN standing USING (eix, src)
        WHERE latest AND eix IN (SELECT eix FROM judged_elements WHERE lone)"""


def _list_contenders(con: duckdb.DuckDBPyConnection) -> None:
    """contenders(eix, res, best, …, of_record, …): the most probable value and the value of record. Of most there is one value only."""
    shown = ("value", "rid", "tellers", "p")
    alone = ", ".join(f"CASE WHEN rank < {NOT_OF_RECORD} THEN {name} END AS record_{name}" for name in shown)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE contenders AS
        WITH several AS (FROM weighed SEMI JOIN contested USING (eix, res)),
        best AS (
          SELECT * FROM several QUALIFY row_number() OVER (PARTITION BY eix, res ORDER BY p DESC, rank, newest DESC, value) = 1),
        of_record AS (
          SELECT * FROM several WHERE rank < {NOT_OF_RECORD}
          QUALIFY row_number() OVER (PARTITION BY eix, res ORDER BY rank, newest DESC, p DESC, value) = 1)
        SELECT w.* EXCLUDE (rank, newest), {alone}, true AS sole FROM weighed w ANTI JOIN contested USING (eix, res)
        UNION ALL
        SELECT b.* EXCLUDE (rank, newest), {", ".join(f"o.{name}" for name in shown)}, false
        FROM best b LEFT JOIN of_record o USING (eix, res)""")


def _decide(con: duckdb.DuckDBPyConnection) -> None:
    """decided: the value of record unless refuted; without one, or where freshness decides, the most probable; below `accept_at` none.

    The person's own number decides, unless two or more independent sources state the value of record, .98 probable, and none states what
    the number says: then the number is doubtful, most likely one that was replaced when the birth date was corrected (D-08, D-10).
    A number that a steward pinned is not: who looked at the papers has decided it (R-05).
    A damaged spelling refutes nothing, nor does a name that the person is known to have borne before (X-10): it is merely outdated.
    """
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE decided AS
        WITH numbers AS ({_said_by_numbers()}),
        stated AS (
          SELECT eix, res, n.value, w.rid, w.tellers, w.value AS said
          FROM numbers n JOIN weighed w USING (eix, res) WHERE starts_with(n.value, w.value)),
        backing AS (
          SELECT eix, res, any_value(rid) FILTER (WHERE said = value) AS rid, any_value(tellers) FILTER (WHERE said = value) AS tellers
          FROM stated GROUP BY eix, res),
        known AS (
          SELECT coalesce(b.eix, n.eix) AS eix, coalesce(b.res, n.res) AS res, b.record_value AS of_record, n.value AS by_number,
            k.eix IS NOT NULL AS number_backed, b.value AS best, b.p, b.lots, b.verified, b.damaged OR f.vid IS NOT NULL AS cannot_refute,
            coalesce(b.sole, true) AS sole, record_rid, record_tellers, record_p, b.rid AS best_rid, b.tellers AS best_tellers,
            coalesce(k.rid, n.rid) AS number_rid, k.tellers AS number_tellers, n.pinned
          FROM contenders b LEFT JOIN names_once_borne f ON f.eix = b.eix AND f.res = b.res AND f.vid = b.vid
          FULL JOIN numbers n ON n.eix = b.eix AND n.res = b.res LEFT JOIN backing k ON k.eix = n.eix AND k.res = n.res),
        ruled AS (
          SELECT k.*, element, spelt, CASE
            WHEN k.by_number IS NOT NULL AND k.by_number IS DISTINCT FROM coalesce(of_record, best) AND NOT coalesce(
              NOT pinned AND NOT number_backed AND best = coalesce(of_record, best) AND p >= refute_at AND lots >= refute_sources, false)
              THEN '{RULE_NUMBER}'
            WHEN of_record IS NULL OR method = 'freshness' THEN
              CASE WHEN p < accept_at AND of_record IS NULL THEN '{RULE_UNRESOLVED}' WHEN p < accept_at THEN '{RULE_RECORD}'
                WHEN method = 'freshness' THEN '{RULE_FRESHNESS}' ELSE '{RULE_WEIGHED}' END
            WHEN best <> of_record AND NOT cannot_refute AND p >= refute_at AND (lots >= refute_sources OR verified) THEN '{RULE_REFUTED}'
            ELSE '{RULE_RECORD}' END AS rule
          FROM known k JOIN judged_elements USING (eix))
        SELECT eix, res, element, rule, of_record, by_number,
          {_by_rule("by_number", "of_record", "NULL", "best")} AS golden,
          {_by_rule("number_rid", "record_rid", "NULL", "best_rid")} AS rid,
          {_by_rule("number_tellers", "record_tellers", "0", "best_tellers")} AS tellers,
          {_by_rule(str(SURE_NUMBER), "record_p", "p", "p")} AS confidence,
          sole AND NOT spelt AND rule NOT IN ('{RULE_NUMBER}', '{RULE_UNRESOLVED}') AS undisputed
        FROM ruled""")


def _by_rule(number: str, record: str, unresolved: str, best: str) -> str:
    cases = {RULE_NUMBER: number, RULE_RECORD: record, RULE_UNRESOLVED: unresolved}
    whens = " ".join(f"WHEN '{rule}' THEN {sql}" for rule, sql in cases.items())
    return f"CASE rule {whens} ELSE {best} END"


def _list_former_names(con: duckdb.DuckDBPyConnection) -> None:
    """names_once_borne(eix, res, vid), in the form of claims of the name."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE names_once_borne AS
        SELECT DISTINCT eix, res, hash(value) AS vid FROM record_former_name JOIN resident_of USING (rid), judged_elements
        WHERE element IN ('name', 'enterprise_name')""")


def _said_by_numbers() -> str:
    """What the person's own number says: birth date and sex, also where no source states them."""
    said = " ".join(f"WHEN '{element}' THEN {sql}" for element, sql in SAID_BY_NUMBER.items())
    return f"""SELECT eix, res, rid, pinned, CASE element {said} END AS value FROM numbers_of_record, judged_elements
               WHERE sure AND by_number AND element IN ('{"', '".join(SAID_BY_NUMBER)}')"""


def _keep_decisions(con: duckdb.DuckDBPyConnection) -> None:
    """A value that the number says is shown with the record of the number where no source states it. Rivals are looked for where there can
    be any: beside a sole value only an older one of the same source's.
    """
    con.execute(f"""
        INSERT INTO golden_values
        SELECT d.res, d.element, d.golden, s.dataset, r.record, r.observed_on, r.since, d.rule, d.confidence, coalesce(d.tellers, 0),
          CASE WHEN d.rule IN ('{RULE_NUMBER}', '{RULE_REFUTED}') AND NOT starts_with(d.golden, d.of_record) THEN 'disputed'
               WHEN d.golden <> d.by_number AND NOT starts_with(d.by_number, d.golden) THEN 'disputed'
               WHEN d.rule = '{RULE_UNRESOLVED}' THEN 'unresolved' ELSE 'ok' END, d.of_record
        FROM decided d LEFT JOIN records r ON r.rid = d.rid LEFT JOIN sources s ON s.src = r.src""")
    con.execute("""
        INSERT INTO rivals
        WITH older AS (SELECT DISTINCT eix, res FROM claims WHERE NOT latest),
        open AS (FROM decided WHERE NOT undisputed UNION ALL FROM decided SEMI JOIN older USING (eix, res) WHERE undisputed)
        SELECT c.res, d.element, c.value, s.dataset, r.record, r.observed_on
        FROM claims c JOIN open d ON d.eix = c.eix AND d.res = c.res AND d.golden IS DISTINCT FROM c.value
        JOIN sources s ON s.src = c.src JOIN records r ON r.rid = c.rid""")


def judge_numbers(con: duckdb.DuckDBPyConnection) -> None:
    """A number that two residents hold is sure for neither (X-06)."""
    con.execute("""
        CREATE OR REPLACE TABLE numbers_of_record AS
        SELECT res, number, rid, count(*) OVER (PARTITION BY number) = 1 AND number NOT IN (FROM numbers_elsewhere) AS sure, pinned
        FROM numbers_of_record""")


def _mark_shared_numbers(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        UPDATE golden_values SET status = 'disputed'
        WHERE element = 'id_number' AND res IN (SELECT res FROM numbers_of_record WHERE NOT sure)""")


def _spread(con: duckdb.DuckDBPyConnection) -> None:
    """A column per element that anybody has. Laid out by position: an aggregate per element and cell took four times as long."""
    said = arrow(con, "SELECT res, element, value::VARCHAR AS value FROM golden_values WHERE value IS NOT NULL")
    residents = arrow(con, "SELECT DISTINCT res FROM resident_of ORDER BY res").column("res").to_numpy()
    rows = np.searchsorted(residents, said.column("res").to_numpy())
    elements = said.column("element").combine_chunks()
    order = np.argsort(elements.indices.to_numpy(), kind="stable")
    bounds = np.searchsorted(elements.indices.to_numpy()[order], np.arange(len(elements.dictionary) + 1))
    values = said.column("value").cast(pa.large_string()).combine_chunks()

    def spread(place: int) -> pa.Array:
        mine = order[bounds[place] : bounds[place + 1]]
        places = np.full(len(residents), -1)
        places[rows[mine]] = mine
        return values.take(pa.array(places, mask=places < 0))

    stated = [place for place in range(len(elements.dictionary)) if bounds[place] < bounds[place + 1]]
    with ThreadPoolExecutor(SPREAD_AT_ONCE) as spreading:
        columns = dict(zip([elements.dictionary[place].as_py() for place in stated], spreading.map(spread, stated), strict=True))
    keep(con, "golden_rows", pa.table({"res": pa.array(residents), **columns}))
