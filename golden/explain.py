"""Why a golden record says what it says: values with source, date, rule and rivals, and what holds the records together (R-04)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import duckdb
import sqlalchemy as sa

from catalog.lake import Lake
from catalog.schema import DatasetRow, DepartmentRow, GoldenVersionRow
from catalog.store import Store
from golden.pinning import RULE_PINNED
from golden.survivorship import (
    RULE_FRESHNESS,
    RULE_NUMBER,
    RULE_RECORD,
    RULE_REFUTED,
    RULE_UNRESOLVED,
    RULE_WEIGHED,
)
from golden.versions import golden_folder, relation
from rules.elements import load_elements
from rules.errors import NotFound
from rules.labels import readable
from rules.matching import load_matching

RULE_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        RULE_RECORD: ("数源部门的值，未被推翻", "the value of record, not refuted"),
        RULE_NUMBER: ("以本人有效身份证号推算", "by the person's own check-valid number"),
        RULE_REFUTED: (
            "数源值被两个以上独立来源或实地核验推翻",
            "the value of record is refuted by independent sources or a verified observation",
        ),
        RULE_WEIGHED: ("数源部门无值，取最可信者", "no value of record; the most probable of the others"),
        RULE_FRESHNESS: ("易变数据项：可信度×新鲜度", "an element that changes: reliability × freshness"),
        RULE_UNRESOLVED: ("没有足够可信的值", "no value is probable enough"),
        RULE_PINNED: ("人工确认值，到期前有效", "pinned by a steward until it expires"),
    }
)
STATUS_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"ok": ("", ""), "disputed": ("存疑", "disputed"), "unresolved": ("未决", "unresolved")}
)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Who says a value: data set and record of it, and when it was observed."""

    dataset: str
    title: str
    department: str
    record: str = field(repr=False)
    observed_on: str


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A value that was not chosen."""

    value: str = field(repr=False)
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why an element has its value. `sources`: how many data sets say the same; `origin` None: unresolved."""

    element: str
    title: str
    value: str | None = field(repr=False)
    status: str
    rule: str
    confidence: float
    sources: int
    origin: Origin | None
    received_on: str | None
    value_of_record: str | None = field(repr=False)
    rivals: tuple[Rival, ...]


@dataclass(frozen=True, kw_only=True)
class Bond:
    """Two records (each for all records that share its number and name) and what their comparison weighs, in bits."""

    a: Origin
    b: Origin
    bits: int
    bridge: bool
    levels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The answer to why. `asked` may be an id that has been merged into `resident_id`."""

    asked: str
    resident_id: str
    version: int
    rules_version: str
    reasons: tuple[Reason, ...]
    records: tuple[Origin, ...]
    bonds: tuple[Bond, ...]

    @property
    def weakest_bridge(self) -> Bond | None:
        return next((bond for bond in self.bonds if bond.bridge), None)


def why(store: Store, lake: Lake, resident_id: str, element: str | None = None, version: int | None = None) -> Explanation:
    """Explain one element of a resident, or all, in `version` or the newest. NotFound REC-NONE, REC-RESIDENT, REC-ELEMENT."""
    if element is not None and element not in load_elements():
        raise NotFound("REC-ELEMENT", where=element)
    with store.session() as session:
        wanted = sa.true() if version is None else GoldenVersionRow.version == version
        row = session.scalar(sa.select(GoldenVersionRow).where(wanted).order_by(GoldenVersionRow.version.desc()).limit(1))
        titles = session.execute(sa.select(DatasetRow.key, DatasetRow.title, DepartmentRow.title).join(DepartmentRow)).all()
    if row is None:
        raise NotFound("REC-NONE")
    with duckdb.connect() as con:
        files = _Files(con=con, folder=golden_folder(lake, row.version), titles={key: (title, unit) for key, title, unit in titles})
        stands = files.resolve(resident_id)
        return Explanation(
            asked=resident_id,
            resident_id=stands,
            version=row.version,
            rules_version=row.rules_version,
            reasons=files.reasons(stands, element),
            records=files.records(stands),
            bonds=files.bonds(stands),
        )


@dataclass(frozen=True, kw_only=True)
class _Files:
    """The files of a version, asked about one resident."""

    con: duckdb.DuckDBPyConnection
    folder: Path
    titles: Mapping[str, tuple[str, str]]

    def resolve(self, resident_id: str) -> str:
        rows = self._rows("SELECT resident_id, status, superseded_by FROM {identities} WHERE resident_id = $1", resident_id)
        if not rows or rows[0][1] == "gone":
            raise NotFound("REC-RESIDENT", where=resident_id)
        return str(rows[0][2] or rows[0][0])

    def reasons(self, resident_id: str, element: str | None) -> tuple[Reason, ...]:
        rivals = self._rivals(resident_id)
        rows = self._rows(
            """SELECT element, value, status, rule, confidence, sources, dataset, record, observed_on, received_on, value_of_record
               FROM {values} WHERE resident_id = $1 ORDER BY element""",
            resident_id,
        )
        order = list(load_elements())
        found = [self._reason(row, rivals.get(row[0], ())) for row in rows if element in (None, row[0])]
        return tuple(sorted(found, key=lambda reason: order.index(reason.element)))

    def _reason(self, row: Sequence, rivals: Sequence[Rival]) -> Reason:
        element, value, status, rule, confidence, sources, dataset, record, observed_on, received_on, of_record = row
        return Reason(
            element=element,
            title=load_elements()[element].title,
            value=value,
            status=status,
            rule=rule,
            confidence=float(confidence),
            sources=sources,
            origin=None if dataset is None else self._origin(dataset, record, observed_on),
            received_on=received_on,
            value_of_record=of_record,
            rivals=tuple(rivals),
        )

    def _rivals(self, resident_id: str) -> Mapping[str, list[Rival]]:
        rows = self._rows(
            """SELECT element, value, dataset, record, observed_on FROM {rivals} WHERE resident_id = $1
               ORDER BY element, observed_on DESC, value, dataset""",
            resident_id,
        )
        found: dict[str, list[Rival]] = {}
        for element, value, *origin in rows:
            found.setdefault(element, []).append(Rival(value=value, origin=self._origin(*origin)))
        return found

    def records(self, resident_id: str) -> tuple[Origin, ...]:
        rows = self._rows("SELECT dataset, record, '' FROM {crosswalk} WHERE resident_id = $1 ORDER BY dataset, record", resident_id)
        return tuple(self._origin(*row) for row in rows)

    def bonds(self, resident_id: str) -> tuple[Bond, ...]:
        levels = tuple(load_matching().comparisons)
        rows = self._rows(
            f"""SELECT dataset_a, record_a, dataset_b, record_b, bits, bridge, {", ".join(f'"{level}"' for level in levels)}
                FROM {{evidence}} WHERE resident_id = $1 ORDER BY bits, dataset_a, record_a, dataset_b, record_b""",
            resident_id,
        )
        return tuple(self._bond(row, levels) for row in rows)

    def _bond(self, row: Sequence, levels: Sequence[str]) -> Bond:
        dataset_a, record_a, dataset_b, record_b, bits, bridge, *found = row
        return Bond(
            a=self._origin(dataset_a, record_a, ""),
            b=self._origin(dataset_b, record_b, ""),
            bits=round(bits),
            bridge=bridge,
            levels={level: result for level, result in zip(levels, found, strict=True) if result is not None},
        )

    def _origin(self, dataset: str, record: str, observed_on: str) -> Origin:
        title, department = self.titles.get(dataset, (dataset, ""))
        return Origin(dataset=dataset, title=title, department=department, record=record, observed_on=observed_on)

    def _rows(self, sql: str, resident_id: str) -> list:
        names = ("identities", "values", "rivals", "crosswalk", "evidence")
        tables = {name: relation(self.folder, name) for name in names}
        return self.con.execute(sql.format(**tables), [resident_id]).fetchall()


def most_disputed(lake: Lake, version: int) -> str | None:
    """The resident with most refuted values of record: an example worth explaining. None where nothing is refuted."""
    values = relation(golden_folder(lake, version), "values")
    with duckdb.connect() as con:
        rows = con.execute(f"""
            SELECT resident_id FROM {values} WHERE status = 'disputed' AND value <> value_of_record
            GROUP BY resident_id ORDER BY count(*) DESC, resident_id LIMIT 1""").fetchall()
    return rows[0][0] if rows else None


def text_of(explanation: Explanation) -> str:
    """The explanation as a person reads it, Chinese beside English."""
    lines = [
        f"居民 resident {explanation.resident_id} · 金记录第 {explanation.version} 版 version · 规则 rules {explanation.rules_version}"
    ]
    if explanation.asked != explanation.resident_id:
        lines.append(f"  {explanation.asked} 已并入 has been merged into {explanation.resident_id}")
    for reason in explanation.reasons:
        lines += _reason_lines(reason)
    lines.append(f"记录 records: {len(explanation.records)}")
    lines += [f"  {origin.title}（{origin.department}）{origin.dataset}/{origin.record}" for origin in explanation.records]
    return "\n".join(lines + _bond_lines(explanation))


def _reason_lines(reason: Reason) -> list[str]:
    zh, en = RULE_TEXTS[reason.rule]
    mark = " ".join(filter(None, STATUS_TEXTS[reason.status]))
    head = f"{reason.title} {reason.element}: {readable(reason.element, reason.value)}" + (f"  [{mark}]" if mark else "")
    lines = [head, f"  规则 rule {reason.rule} {zh} {en} · 置信度 confidence {reason.confidence:.3f} · 相同来源 sources {reason.sources}"]
    if reason.origin is not None:
        lines.append(f"  来源 source {_told(reason.origin)} · 接收 received {reason.received_on}")
    if reason.value_of_record not in (None, reason.value):
        lines.append(f"  数源值 value of record: {readable(reason.element, reason.value_of_record)}")
    return lines + [f"  另有 rival: {readable(reason.element, rival.value)} · {_told(rival.origin)}" for rival in reason.rivals]


def _bond_lines(explanation: Explanation) -> list[str]:
    """The comparisons that hold the records together, weakest first."""
    if not explanation.bonds:
        return ["同一人依据 why one person: 同号同名 one valid number and one name, or a single record"]
    lines = ["同一人依据 why one person:"]
    for bond in explanation.bonds:
        agreed = ", ".join(f"{key}={level}" for key, level in bond.levels.items())
        bridge = " ← 最弱连接 weakest bridge" if bond.bridge else ""
        lines.append(f"  {bond.a.dataset}/{bond.a.record} – {bond.b.dataset}/{bond.b.record}: {bond.bits} bits ({agreed}){bridge}")
    return lines


def _told(origin: Origin) -> str:
    return f"{origin.title}（{origin.department}）{origin.dataset}/{origin.record} · 观测 observed {origin.observed_on}"
