"""Why a golden record says what it says: values with source, date, rule and rivals, and what holds the records together (R-04)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import sqlalchemy as sa

from catalog.lake import Lake
from catalog.schema import DatasetRow, DepartmentRow, GoldenVersionRow
from catalog.store import Store
from golden.enterprises import ENTERPRISE_ID, ENTERPRISES, enterprise_folder, newest_enterprises
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
from rules.matching import MatchingRules, load_matching

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
RESIDENT_ID = "resident_id"
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
    """The answer to why. `asked` may be an id that has been merged into the one that stands."""

    asked: str
    version: int
    rules_version: str
    reasons: tuple[Reason, ...]
    records: tuple[Origin, ...]
    bonds: tuple[Bond, ...]

    @property
    def stands(self) -> str:
        raise NotImplementedError

    @property
    def weakest_bridge(self) -> Bond | None:
        return next((bond for bond in self.bonds if bond.bridge), None)


@dataclass(frozen=True, kw_only=True)
class ResidentExplanation(Explanation):
    resident_id: str

    @property
    def stands(self) -> str:
        return self.resident_id


@dataclass(frozen=True, kw_only=True)
class EnterpriseExplanation(Explanation):
    enterprise_id: str

    @property
    def stands(self) -> str:
        return self.enterprise_id


def why(store: Store, lake: Lake, resident_id: str, element: str | None = None, version: int | None = None) -> ResidentExplanation:
    """Explain one element of a resident, or all, in `version` or the newest. NotFound REC-NONE, REC-RESIDENT, REC-ELEMENT."""
    _check_element(element)
    with store.session() as session:
        wanted = sa.true() if version is None else GoldenVersionRow.version == version
        row = session.scalar(sa.select(GoldenVersionRow).where(wanted).order_by(GoldenVersionRow.version.desc()).limit(1))
    if row is None:
        raise NotFound("REC-NONE")
    with _opened(store, golden_folder(lake, row.version), RESIDENT_ID, load_matching()) as files:
        stands = files.resolve(resident_id, "REC-RESIDENT")
        said = files.said_of(stands, element)
        return ResidentExplanation(asked=resident_id, resident_id=stands, version=row.version, rules_version=row.rules_version, **said)


def why_enterprise(store: Store, lake: Lake, enterprise_id: str, element: str | None = None) -> EnterpriseExplanation:
    """The same of an enterprise, as it stands. NotFound DOOR-NO-ENTERPRISES, REC-ENTERPRISE, REC-ELEMENT."""
    _check_element(element)
    row = newest_enterprises(store)
    folder = None if row is None else enterprise_folder(lake, row.version)
    if row is None or folder is None or not (folder / "rivals.parquet").exists():  # an earlier platform wrote none
        raise NotFound("DOOR-NO-ENTERPRISES")
    with _opened(store, folder, ENTERPRISE_ID, load_matching(ENTERPRISES)) as files:
        stands = files.resolve(enterprise_id, "REC-ENTERPRISE")
        said = files.said_of(stands, element)
        return EnterpriseExplanation(
            asked=enterprise_id, enterprise_id=stands, version=row.version, rules_version=row.rules_version, **said
        )


def _check_element(element: str | None) -> None:
    if element is not None and element not in load_elements():
        raise NotFound("REC-ELEMENT", where=element)


@contextmanager
def _opened(store: Store, folder: Path, called: str, matching: MatchingRules) -> Iterator["_Files"]:
    with store.session() as session:
        titles = session.execute(sa.select(DatasetRow.key, DatasetRow.title, DepartmentRow.title).join(DepartmentRow)).all()
    with duckdb.connect() as con:
        yield _Files(
            con=con,
            folder=folder,
            called=called,
            levels=tuple(matching.comparisons),
            titles={key: (title, unit) for key, title, unit in titles},
        )


@dataclass(frozen=True, kw_only=True)
class _Files:
    """The files of a version, asked about one resident or enterprise; `called`: the column of its id."""

    con: duckdb.DuckDBPyConnection
    folder: Path
    called: str
    levels: tuple[str, ...]
    titles: Mapping[str, tuple[str, str]]

    def resolve(self, asked: str, unknown: str) -> str:
        """The id that stands for the one that is asked about; NotFound with the code `unknown` where none does."""
        rows = self._rows("SELECT id, status, superseded_by FROM {identities} WHERE id = $1", asked)
        if not rows or rows[0][1] == "gone":
            raise NotFound(unknown, where=asked)
        return str(rows[0][2] or rows[0][0])

    def said_of(self, stands: str, element: str | None) -> dict[str, Any]:
        """What an explanation says beside whom and which version it is about."""
        return {"reasons": self.reasons(stands, element), "records": self.records(stands), "bonds": self.bonds(stands)}

    def reasons(self, resident_id: str, element: str | None) -> tuple[Reason, ...]:
        rivals = self._rivals(resident_id)
        rows = self._rows(
            """SELECT element, value, status, rule, confidence, sources, dataset, record, observed_on, received_on, value_of_record
               FROM {values} WHERE id = $1 ORDER BY element""",
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
            """SELECT element, value, dataset, record, observed_on FROM {rivals} WHERE id = $1
               ORDER BY element, observed_on DESC, value, dataset""",
            resident_id,
        )
        found: dict[str, list[Rival]] = {}
        for element, value, *origin in rows:
            found.setdefault(element, []).append(Rival(value=value, origin=self._origin(*origin)))
        return found

    def records(self, resident_id: str) -> tuple[Origin, ...]:
        rows = self._rows("SELECT dataset, record, '' FROM {crosswalk} WHERE id = $1 ORDER BY dataset, record", resident_id)
        return tuple(self._origin(*row) for row in rows)

    def bonds(self, resident_id: str) -> tuple[Bond, ...]:
        rows = self._rows(
            f"""SELECT dataset_a, record_a, dataset_b, record_b, bits, bridge, {", ".join(f'"{level}"' for level in self.levels)}
                FROM {{evidence}} WHERE id = $1 ORDER BY bits, dataset_a, record_a, dataset_b, record_b""",
            resident_id,
        )
        return tuple(self._bond(row) for row in rows)

    def _bond(self, row: Sequence) -> Bond:
        dataset_a, record_a, dataset_b, record_b, bits, bridge, *found = row
        return Bond(
            a=self._origin(dataset_a, record_a, ""),
            b=self._origin(dataset_b, record_b, ""),
            bits=round(bits),
            bridge=bridge,
            levels={level: result for level, result in zip(self.levels, found, strict=True) if result is not None},
        )

    def _origin(self, dataset: str, record: str, observed_on: str) -> Origin:
        title, department = self.titles.get(dataset, (dataset, ""))
        return Origin(dataset=dataset, title=title, department=department, record=record, observed_on=observed_on)

    def _rows(self, sql: str, asked: str) -> list:
        names = ("identities", "values", "rivals", "crosswalk", "evidence")
        tables = {name: f"(SELECT *, {self.called} AS id FROM {relation(self.folder, name)})" for name in names}
        return self.con.execute(sql.format(**tables), [asked]).fetchall()


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
        f"{_kind(explanation)} {explanation.stands} · 金记录第 {explanation.version} 版 version · 规则 rules {explanation.rules_version}"
    ]
    if explanation.asked != explanation.stands:
        lines.append(f"  {explanation.asked} 已并入 has been merged into {explanation.stands}")
    for reason in explanation.reasons:
        lines += _reason_lines(reason)
    lines.append(f"记录 records: {len(explanation.records)}")
    lines += [f"  {origin.title}（{origin.department}）{origin.dataset}/{origin.record}" for origin in explanation.records]
    return "\n".join(lines + _bond_lines(explanation))


def _kind(explanation: Explanation) -> str:
    return "企业 enterprise" if isinstance(explanation, EnterpriseExplanation) else "居民 resident"


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
        return [f"{_oneness(explanation)}: 同号同名 one valid number and one name, or a single record"]
    lines = [f"{_oneness(explanation)}:"]
    for bond in explanation.bonds:
        agreed = ", ".join(f"{key}={level}" for key, level in bond.levels.items())
        bridge = " ← 最弱连接 weakest bridge" if bond.bridge else ""
        lines.append(f"  {bond.a.dataset}/{bond.a.record} – {bond.b.dataset}/{bond.b.record}: {bond.bits} bits ({agreed}){bridge}")
    return lines


def _oneness(explanation: Explanation) -> str:
    return "同一企业依据 why one enterprise" if isinstance(explanation, EnterpriseExplanation) else "同一人依据 why one person"


def _told(origin: Origin) -> str:
    return f"{origin.title}（{origin.department}）{origin.dataset}/{origin.record} · 观测 observed {origin.observed_on}"
