"""Which records lost against better evidence (对账分歧): what reconciliation leaves in the files of a golden version for casework.

Of a record and an element: whose value is not golden although the golden one is probable enough; who shares a number with another; who is
active after a death. No value leaves these functions, only the
names of records; values are read through the door.

Relation made here
  conflicts(dataset, record, element, resident_id, against_dataset, against_record, kind)    each (dataset, record, element) once
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from catalog.datasets import Dataset
from golden.engine import arrow, keep, quoted
from golden.versions import relation
from rules.authority import load_survivorship
from rules.elements import load_elements
from rules.names import name_key
from rules.tickets import TicketRules

DEVIATES, OUTLIVES, REFUTED, SHARED_NUMBER, REPORTED = "deviates", "outlives", "refuted", "shared_number", "reported"
KIND_TEXTS: Mapping[str, str] = {
    DEVIATES: "与更可信的值不一致 deviates from better evidence",
    OUTLIVES: "已死亡，仍在册（应销未销） active after a death",
    REFUTED: "登记值被推翻 a value of record is refuted",
    SHARED_NUMBER: "两人同号 one number, two people",
    REPORTED: "有人反映有误 reported as wrong",
}
NUMBER = "id_number"
DEATH = "death_date"
NAME_KIND = "name"


def list_conflicts(con: duckdb.DuckDBPyConnection, folder: Path, datasets: Sequence[Dataset], rules: TicketRules) -> str:
    """Make `conflicts` of a golden version."""
    _list_standing(con, datasets, rules)
    _list_spellings(con, folder)
    _list_living(con, rules)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE conflicts AS
        SELECT dataset, record, element, resident_id, against_dataset, against_record, kind
        FROM (SELECT * FROM ({lost(folder)}) UNION ALL SELECT * FROM ({_shared_numbers(folder)})
          UNION ALL SELECT * FROM ({_outlived(folder, rules)}))
        QUALIFY row_number() OVER (PARTITION BY dataset, record, element ORDER BY kind DESC, against_dataset, against_record) = 1
        ORDER BY dataset, element, record""")
    return "conflicts"


def _list_standing(con: duckdb.DuckDBPyConnection, datasets: Sequence[Dataset], rules: TicketRules) -> None:
    """holders(dataset, element, of_record, lost_at): what a data set says of whom it can be asked to correct. Door checks are nobody's."""
    asked = [d for d in datasets if not d.verified]
    pairs = [(d, element) for d in asked for element in sorted({c.element for c in d.columns if c.element})]
    known = load_survivorship().rules
    held = {
        "dataset": pa.array([d.key for d, _ in pairs], pa.string()),
        "element": pa.array([element for _, element in pairs], pa.string()),
        "of_record": pa.array([element in known and is_of_record(d, element) for d, element in pairs], pa.bool_()),
        "lost_at": pa.array([rules.threshold(element) for _, element in pairs], pa.float64()),
    }
    keep(con, "holders", pa.table(held))


def _list_spellings(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """spellings(value, name_key) of the names in question: how probable a name is says nothing of how it is spelt (D-38)."""
    names = ", ".join(f"'{element.key}'" for element in load_elements().values() if element.kind == NAME_KIND)
    said = arrow(
        con,
        f"""
        WITH contested AS (SELECT resident_id, element, value FROM {relation(folder, "rivals")} WHERE element IN ({names}))
        SELECT value FROM contested UNION SELECT v.value FROM {relation(folder, "values")} v
        SEMI JOIN contested USING (resident_id, element) WHERE v.value IS NOT NULL""",
    )
    values = said.column("value").combine_chunks()
    keep(con, "spellings", pa.table({"value": values, "name_key": name_key(values)}))


def _list_living(con: duckdb.DuckDBPyConnection, rules: TicketRules) -> None:
    """living(element, value): what nobody dead has (X-17)."""
    pairs = [(element, value) for element, values in rules.ended_by_death.items() for value in sorted(values)]
    texts = {"element": [element for element, _ in pairs], "value": [value for _, value in pairs]}
    keep(con, "living", pa.table({name: pa.array(column, pa.string()) for name, column in texts.items()}))


def is_of_record(dataset: Dataset, element: str) -> bool:
    """Whether a data set's value of an element is the value of record (R-01): by its contract, or by the authority table."""
    if dataset.source_of_record:
        return element in dataset.source_of_record
    return dataset.authority in load_survivorship().of(element).of_record


def lost(folder: Path, certain: str = "confidence >= lost_at") -> str:
    """Rivals of a golden value that is probable enough, or `certain` otherwise.

    What is only less exact (a year for a day, an address without its room), or another spelling of one name, contradicts nothing. While a
    value of record is refuted, those who copied it are not asked: its source is, at once (R-06, D-40).
    """
    return f"""
        WITH against AS (
          SELECT resident_id, element, r.dataset, r.record, v.dataset AS against_dataset, v.record AS against_record, v.confidence,
            coalesce(v.status = 'disputed' AND r.value = v.value_of_record AND v.value <> r.value, false) AS refuted
          FROM {relation(folder, "rivals")} r JOIN {relation(folder, "values")} v USING (resident_id, element)
          LEFT JOIN spellings lost ON lost.value = r.value LEFT JOIN spellings golden ON golden.value = v.value
          WHERE v.value IS NOT NULL AND NOT starts_with(v.value, r.value) AND NOT starts_with(r.value, v.value)
            AND coalesce(lost.name_key <> golden.name_key, true))
        SELECT dataset, record, element, resident_id, against_dataset, against_record,
          CASE WHEN of_record AND refuted THEN '{REFUTED}' ELSE '{DEVIATES}' END AS kind
        FROM against JOIN holders USING (dataset, element) WHERE {certain} AND (of_record OR NOT refuted)"""


def _shared_numbers(folder: Path) -> str:
    """Residents whose golden number another has too (重号, X-06): never merged, always asked about (TX-17).

    Whoever is not of record is asked first; where all are, all (D-40).
    """
    return f"""
        WITH held AS (
          SELECT resident_id, value, dataset, record, count(*) OVER (PARTITION BY value) AS people
          FROM {relation(folder, "values")} WHERE element = '{quoted(NUMBER)}' AND status = 'disputed' AND value IS NOT NULL),
        asked AS (
          SELECT held.*, of_record, bool_and(of_record) OVER (PARTITION BY value) AS all_of_record
          FROM held JOIN holders USING (dataset) WHERE people > 1 AND holders.element = '{quoted(NUMBER)}')
        SELECT a.dataset, a.record, '{NUMBER}' AS element, a.resident_id, min(b.dataset) AS against_dataset,
          arg_min(b.record, b.dataset) AS against_record, '{SHARED_NUMBER}' AS kind
        FROM asked a JOIN held b ON b.value = a.value AND b.resident_id <> a.resident_id
        WHERE a.all_of_record OR NOT a.of_record GROUP BY ALL"""


def _outlived(folder: Path, rules: TicketRules) -> str:
    """Who is still said to be paid, insured or living there after a death (X-17): asked, never ended by the platform."""
    claims = " UNION ".join(
        f"SELECT resident_id, element, value, dataset, record FROM {relation(folder, name)}" for name in ("values", "rivals")
    )
    return f"""
        WITH died AS (
          SELECT resident_id, dataset AS against_dataset, record AS against_record FROM {relation(folder, "values")}
          WHERE element = '{DEATH}' AND value IS NOT NULL AND status = 'ok' AND confidence >= {rules.threshold(DEATH)})
        SELECT dataset, record, element, resident_id, against_dataset, against_record, '{OUTLIVES}' AS kind
        FROM ({claims}) SEMI JOIN living USING (element, value) JOIN died USING (resident_id) SEMI JOIN holders USING (dataset, element)"""
