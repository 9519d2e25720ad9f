"""Staleness alarms (失效警报): evidence newer than a steward's decision contradicts it. An alarm changes nothing; a steward looks again.

Newer is what came, or was confirmed by its source, on a later day than the decision. What a steward had before them then is no news.

Relation made here
  alarms(decision, kind, res, element, dataset, record)   record: the newer one that contradicts
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import duckdb
import pyarrow as pa

from golden.engine import keep
from golden.sources import RecordSource, is_of_record
from golden.versions import relation

ALARMS = "alarms"
ALARM_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "other_value": ("数源部门或实地核验的新值与人工确认值不符", "a newer value of record or verified observation says otherwise"),
        "two_numbers": ("合并后的居民现有两个登记号码", "the merged resident now has two numbers of record"),
        "no_longer_alike": (
            "合并后有记录改动，姓名或生日与另一方均不相同",
            "a record changed since; its name or birth is none of the other side's",
        ),
        "same_number_and_name": ("拆分后双方号码、姓名相同", "the two set apart now share a number and a name"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """A decision that newer evidence contradicts, the resident and the element concerned, and the data set that says so."""

    decision: int
    kind: str
    resident_id: str
    element: str | None
    dataset: str
    record: str = field(repr=False)


def raise_alarms(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource]) -> str:
    """Make `alarms` for the residents at hand, after `apply_pins`."""
    _list_answerable(con, sources)
    parts = (_other_values(), _two_numbers(), _no_longer_alike(), _same_number_and_name())
    con.execute(f"""
        CREATE OR REPLACE TABLE alarms AS
        SELECT decision, kind, res, element, dataset, record FROM ({" UNION ALL ".join(parts)})
        QUALIFY row_number() OVER (PARTITION BY decision, kind, res ORDER BY newest DESC, dataset, record) = 1""")
    return ALARMS


def standing_alarms(folder: Path) -> list[Alarm]:
    """The alarms of a golden version, in the order of the decisions; none in a version from before there were any."""
    if not (folder / f"{ALARMS}.parquet").exists():
        return []
    with duckdb.connect() as con:
        rows = con.execute(f"""
            SELECT decision, kind, resident_id, element, dataset, record FROM {relation(folder, ALARMS)}
            ORDER BY decision, kind, resident_id""").fetchall()
    names = ("decision", "kind", "resident_id", "element", "dataset", "record")
    return [Alarm(**dict(zip(names, row, strict=True))) for row in rows]


def tell_alarms(alarms: Sequence[Alarm]) -> list[str]:
    """What a reconciliation says of its alarms: how many decisions are contradicted, and where they are shown."""
    decisions = {alarm.decision for alarm in alarms}
    if not decisions:
        return []
    en = "decisions are" if len(decisions) > 1 else "decision is"
    return [f"{len(decisions)} 项裁定与新的证据不符，请复看 {en} contradicted by new evidence → tongchou decide list --stale"]


def _list_answerable(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource]) -> None:
    """answerable(src, element): whose word on a pinned element counts as authority."""
    elements = [row[0] for row in con.execute("SELECT DISTINCT element FROM pinned ORDER BY element").fetchall()]
    pairs = [(src, e) for src, source in enumerate(sources) for e in elements if source.verified or is_of_record(source, e)]
    listed = {"src": pa.array([src for src, _ in pairs], pa.int16()), "element": pa.array([e for _, e in pairs], pa.string())}
    keep(con, "answerable", pa.table(listed))


def _other_values() -> str:
    """A verified observation speaks anew whatever was known; a source of record only where its value is new."""
    return """
        SELECT p.decision, 'other_value' AS kind, p.res, p.element, s.dataset, r.record, greatest(r.since, r.observed_on) AS newest
        FROM pinned p JOIN pinned_claims c ON c.res = p.res AND c.element = p.element AND c.value <> p.value
        JOIN steward_decisions d USING (decision) JOIN records r ON r.rid = c.rid JOIN sources s ON s.src = c.src
        JOIN answerable a ON a.src = c.src AND a.element = p.element
        WHERE greatest(r.since, r.observed_on) > d.decided_on AND (s.verified OR NOT list_contains(d.overruled, c.value))"""


def _two_numbers() -> str:
    return """
        SELECT decision, 'two_numbers' AS kind, res, 'id_number' AS element, arg_max(dataset, since) AS dataset,
          arg_max(record, since) AS record, max(since) AS newest
        FROM (SELECT DISTINCT decision, decided_on, res FROM steward_decisions JOIN decision_anchors USING (decision)
              JOIN resident_of USING (rid) WHERE kind = 'merge')
        JOIN resident_of USING (res) JOIN unit_of USING (rid) JOIN records r USING (rid) JOIN sources USING (src)
        WHERE attests AND r.number = own_number
        GROUP BY decision, decided_on, res HAVING count(DISTINCT r.number) > 1 AND max(since) > decided_on"""


def _no_longer_alike() -> str:
    """A changed record that has neither the name nor the birth of any record of the other side: its key stands for somebody else now."""
    return """
        SELECT decision, 'no_longer_alike' AS kind, res, NULL AS element, dataset, record, max(since) AS newest
        FROM (
          SELECT decision, res, s.dataset, x.record, x.since, y.name_key = x.name_key AS same_name, y.birth = x.birth AS same_birth
          FROM steward_decisions d JOIN decision_anchors i USING (decision) JOIN decision_anchors j USING (decision)
          JOIN records x ON x.rid = i.rid JOIN records y ON y.rid = j.rid JOIN sources s ON s.src = x.src
          JOIN resident_of o ON o.rid = x.rid
          WHERE d.kind = 'merge' AND i.side <> j.side AND x.since > d.decided_on)
        GROUP BY decision, res, dataset, record
        HAVING bool_or(same_name IS NOT NULL) AND NOT bool_or(coalesce(same_name, false) OR coalesce(same_birth, false))"""


def _same_number_and_name() -> str:
    return """
        SELECT d.decision, 'same_number_and_name' AS kind, o.res, 'id_number' AS element, s.dataset, n.record, n.since AS newest
        FROM decided_records d JOIN steward_decisions USING (decision) JOIN records x ON x.rid = d.record_a
        JOIN records y ON y.rid = d.record_b AND y.number = x.number AND y.name_key = x.name_key
        JOIN records n ON n.rid = (CASE WHEN x.since > y.since THEN x.rid ELSE y.rid END)
        JOIN sources s ON s.src = n.src JOIN resident_of o ON o.rid = n.rid
        WHERE NOT d.together AND n.since > decided_on"""
