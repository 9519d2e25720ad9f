"""Proposing a contract (合同草稿): a look at a department's file or table, and a draft with the evidence for each column."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from catalog.datasets import Server
from connectors.element_evidence import Proposed, candidates, is_listed
from connectors.header_likeness import VERBATIM, context_of, role_of
from connectors.portions import FILE, ROW
from connectors.profile import Profile, profile
from connectors.sources import NO_SECRETS, Source, find_files, format_of, open_server
from connectors.text_layout import Layout, find_layout
from rules.elements import fold_header, load_elements
from rules.errors import Refused
from rules.names import pinyin_key

SAMPLE_ROWS = 20_000
API_VERSION = "v3.1.0"
DEFAULT_LEVEL = "L2"
NAME_LENGTH_MAX = 40
NEARLY_ALL = 0.98
GOOD_KEY = 1.5
OF_PERSONS = 0.5
COMPOSITE_COLUMNS = 8
UPDATED_AT = "updated_at"
UNNAMED_DEPARTMENT = "unnamed_department"
KEY_WORDS = ("主键", "流水号", "编号", "编码", "序号", "代码", "号", "ID", "KEY", "UUID")


@dataclass(frozen=True, kw_only=True)
class ColumnProposal:
    """A column of the draft. `evidence` says why, with shares and never a value."""

    name: str
    header: str
    logical_type: str
    element: str | None
    level: str
    code_system: str | None
    primary_key: bool
    confidence: float
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """`contract` is the ODCS draft as YAML text; `rows` were looked at."""

    contract: str
    key: str
    encoding: str | None
    delimiter: str | None
    header_row: int | None
    rows: int
    columns: tuple[ColumnProposal, ...]


def propose(
    place: str | Path | Server, *, key: str | None = None, domain: str = "", title: str = "", secrets: Mapping[str, str] = NO_SECRETS
) -> Proposal:
    """Look at a file, folder, glob or server and draft its contract. Raises Refused with a SRC- code when it cannot be read."""
    server = place if isinstance(place, Server) else _server_of(Path(place))
    source = open_server(server, secrets=secrets)
    profiles, rows = _profiles(source, server)
    title = title or source.parts[0].title or _title_of(server)
    columns = _columns(profiles, title)
    layout = _layout(server)
    name = key or _key_of(server)
    document = _document(name, domain, title, server, layout, columns)
    return Proposal(
        contract=yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=140),
        key=name,
        encoding=layout.encoding or "utf-8" if layout else None,
        delimiter=layout.delimiter if layout else None,
        header_row=layout.header_row if layout else None,
        rows=rows,
        columns=tuple(columns),
    )


@dataclass(frozen=True, kw_only=True)
class _Sampled:
    """A column's cells, row by row, for joint uniqueness, and its profile."""

    cells: Sequence[str | None]
    profile: Profile


def _profiles(source: Source, server: Server) -> tuple[list[_Sampled], int]:
    cells: dict[str, list[str | None]] = {name: [] for name in source.header}
    rows = 0
    for batch in source.batches():
        part = batch.slice(0, SAMPLE_ROWS - rows)
        for name in part.schema.names:
            if name not in (ROW, FILE):
                cells[name] += part.column(name).to_pylist()
        rows += part.num_rows
        if rows >= SAMPLE_ROWS:
            break
    if not rows:
        raise Refused("SRC-EMPTY", where=server.path or server.table or "")
    return [_Sampled(cells=column, profile=profile(name, column)) for name, column in cells.items()], rows


def _columns(sampled: Sequence[_Sampled], title: str) -> list[ColumnProposal]:
    profiles = [column.profile for column in sampled]
    persons = [p.header for p in profiles if p.values and max(p.kinds["name"], p.kinds["id_number"]) > OF_PERSONS]
    context = context_of([p.header for p in profiles], title, [header for header in persons if role_of(header) != "clerk"])
    chosen = _with_update_time(profiles, _assigned({p.header: candidates(p, context) for p in profiles}))
    keys = _key_headers(sampled, chosen)
    chosen = {header: p for header, p in chosen.items() if header not in keys or _says_more_than_row(p)}
    names = _names(profiles, chosen)
    return [_column(p, chosen.get(p.header), names[p.header], p.header in keys) for p in profiles]


def _assigned(found: Mapping[str, Sequence[Proposed]]) -> Mapping[str, Proposed]:
    """Each column gets its best element that no surer column has."""
    offers = sorted(((p, header) for header, many in found.items() for p in many), key=lambda o: (-o[0].confidence, -o[0].header_likeness))
    chosen: dict[str, Proposed] = {}
    for proposed, header in offers:
        taken = {other.element.key for other in chosen.values()}
        if header not in chosen and proposed.element.key not in taken:
            chosen[header] = proposed
    return chosen


def _with_update_time(profiles: Sequence[Profile], chosen: Mapping[str, Proposed]) -> Mapping[str, Proposed]:
    """When the source last confirmed a row usually stands in its last column, whatever the department calls it."""
    last = profiles[-1]
    if any(p.element.key == UPDATED_AT for p in chosen.values()) or not last.values or is_listed(last.header):
        return chosen
    if last.kinds["date"] < NEARLY_ALL or not re.search(r"(日|期|时间)$", last.header):
        return chosen
    reasons = ("最后一列的日期 a date in the last column", "没有其他更新时间 no other column says when a row was confirmed")
    proposed = Proposed(element=load_elements()[UPDATED_AT], confidence=0.6, header_likeness=0.0, reasons=reasons)
    return {**chosen, last.header: proposed}


def _says_more_than_row(proposed: Proposed) -> bool:
    """The number of a record is no fact about the person, unless the list holds its header or it identifies persons by its form."""
    return proposed.header_likeness == VERBATIM or proposed.element.kind in ("id_number", "credit_code")


def _key_headers(sampled: Sequence[_Sampled], chosen: Mapping[str, Proposed]) -> tuple[str, ...]:
    """The column that numbers the rows: nearly always filled and different, rather a number of the record than of the person."""
    scores = {column.profile.header: _key_score(column.profile, place, chosen) for place, column in enumerate(sampled)}
    best = max(scores, key=lambda header: scores[header])
    if scores[best] >= GOOD_KEY:
        return (best,)
    return _composite_key(sampled) or (best,)


def _key_score(found: Profile, place: int, chosen: Mapping[str, Proposed]) -> float:
    filled, different = found.filled / found.rows, found.distinct / max(1, found.filled)
    if filled < NEARLY_ALL or different < NEARLY_ALL:
        return filled * different - 1.0
    element = chosen[found.header].element if found.header in chosen else None
    named = _numbers_rows(found)
    of_person = element is not None and (element.describes == "person" or element.kind in ("name", "phone", "address", "date", "timestamp"))
    return 1.0 + 2.0 * named + 1.0 * found.unique + 1.0 / (1 + place) - 2.0 * of_person


def _numbers_rows(found: Profile) -> bool:
    return any(fold_header(found.header).endswith(fold_header(word)) for word in KEY_WORDS)


def _composite_key(sampled: Sequence[_Sampled]) -> tuple[str, ...]:
    """The first two columns of numbers that are filled and together never say the same twice."""
    filled = [column for column in sampled if column.profile.filled == column.profile.rows and _numbers_rows(column.profile)]
    filled = filled[:COMPOSITE_COLUMNS]
    for i, one in enumerate(filled):
        for other in filled[i + 1 :]:
            if len(set(zip(one.cells, other.cells, strict=True))) == one.profile.rows:
                return (one.profile.header, other.profile.header)
    return ()


def _names(profiles: Sequence[Profile], chosen: Mapping[str, Proposed]) -> Mapping[str, str]:
    """Our column names: the element's key, or the header in pinyin."""
    names: dict[str, str] = {}
    for found in profiles:
        proposed = chosen.get(found.header)
        wanted = proposed.element.key if proposed else _spelt(found.header)
        taken = set(names.values())
        names[found.header] = next(n for n in (wanted, *(f"{wanted}_{i}" for i in range(2, len(profiles) + 2))) if n not in taken)
    return names


def _spelt(header: str) -> str:
    spelt = pinyin_key(pa.array([header]))[0].as_py() or ""
    plain = re.sub(r"[^a-z0-9]+", "_", spelt.lower()).strip("_")[:NAME_LENGTH_MAX].strip("_")
    return plain if re.match(r"[a-z]", plain) else f"column_{plain}".strip("_")


def _column(found: Profile, proposed: Proposed | None, name: str, primary_key: bool) -> ColumnProposal:
    reasons = proposed.reasons if proposed else ("没有数据元足够接近 no element comes near enough",)
    return ColumnProposal(
        name=name,
        header=found.header,
        logical_type=_logical_type(found, proposed),
        element=proposed.element.key if proposed else None,
        level=proposed.element.level if proposed else DEFAULT_LEVEL,
        code_system=proposed.code_system if proposed else None,
        primary_key=primary_key,
        confidence=proposed.confidence if proposed else 0.0,
        evidence="；".join((*reasons, f"填充率 filled {found.filled / found.rows:.0%}", *(("唯一 unique",) if found.unique else ()))),
    )


def _logical_type(found: Profile, proposed: Proposed | None) -> str:
    if proposed:
        return {"date": "date", "timestamp": "date", "number": "number", "money": "number"}.get(proposed.element.kind, "string")
    if found.values and found.kinds["date"] > NEARLY_ALL and found.kinds["digits"] < NEARLY_ALL:
        return "date"
    return "string"


def _document(
    key: str, domain: str, title: str, server: Server, layout: Layout | None, columns: Sequence[ColumnProposal]
) -> Mapping[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": key,
        "name": title,
        "version": "1.0.0",
        "status": "draft",
        "domain": domain or UNNAMED_DEPARTMENT,
        "servers": [_server_block(server, layout)],
        "schema": [{"name": key, "physicalName": title, "logicalType": "object", "properties": [_property(c, columns) for c in columns]}],
        "customProperties": [{"property": "share", "value": "conditional"}, {"property": "updateFrequency", "value": "每月"}],
    }


def _server_block(server: Server, layout: Layout | None) -> Mapping[str, Any]:
    if server.url is not None:
        fields = {"url": server.url, "table": server.table, "query": server.query}
        custom = [{"property": name, "value": value} for name, value in fields.items() if value is not None]
        return {"server": "source", "type": "custom", "customProperties": custom}
    block: dict[str, Any] = {
        "server": "source",
        "type": "local",
        "path": str(Path(server.base) / (server.path or "")),
        "format": server.format,
    }
    if layout is not None:
        fixed = {"encoding": layout.encoding or "utf-8", "delimiter": layout.delimiter, "headerRow": layout.header_row}
        block["customProperties"] = [{"property": name, "value": value} for name, value in fixed.items()]
    return block


def _property(column: ColumnProposal, columns: Sequence[ColumnProposal]) -> Mapping[str, Any]:
    block: dict[str, Any] = {"name": column.name, "physicalName": column.header, "logicalType": column.logical_type}
    if column.primary_key:
        block |= {"primaryKey": True, "primaryKeyPosition": 1 + [c.name for c in columns if c.primary_key].index(column.name)}
    custom = {"element": column.element, "level": column.level, "codeSystem": column.code_system}
    block["customProperties"] = [{"property": name, "value": value} for name, value in custom.items() if value is not None]
    return block


def _layout(server: Server) -> Layout | None:
    if server.url is not None or server.format != "csv":
        return None
    first = find_files(server.path or "", Path(server.base), server.format)[0]
    return find_layout(first, encoding=server.encoding, delimiter=server.delimiter, header_row=server.header_row)


def _server_of(path: Path) -> Server:
    if re.search(r"[*?\[]", str(path)):
        return Server(type="local", base=str(Path.cwd()), path=str(path), format=format_of(path))
    whole = path.absolute()
    first = find_files(whole.name, whole.parent, None)[0]
    return Server(type="local", base=str(whole.parent), path=whole.name, format=format_of(first))


def _key_of(server: Server) -> str:
    return _spelt(_title_of(server))


def _title_of(server: Server) -> str:
    return Path(server.path).stem.strip("*") if server.path else server.table or "table"
