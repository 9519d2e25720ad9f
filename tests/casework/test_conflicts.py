"""Which records are asked about: the set-based rule against a naive reference that goes through every claim (law.md R-02, R-06, D-40)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.conflicts import list_conflicts
from casework.door_answers import follow_answers
from catalog.datasets import Column, Dataset, Server
from golden.engine import keep
from rules.tickets import load_ticket_rules

AUTHORITY = {"hukou": "police", "migrants": "police", "social": "hrss", "clinic": "health", "checks": "grid"}
ELEMENTS = ("name", "birth_date", "id_number", "death_date", "pension_state")
VALUES = {
    "name": ("李明", "李·明", "李铭", "王芳"),
    "birth_date": ("1990", "1990-05-06", "1990-05-07", "1991-01-01"),
    "id_number": ("A", "B"),
    "death_date": ("2025-03-01", "2025-03-02"),
    "pension_state": ("1", "2", "3"),
}
DAYS = ("2026-11-20", "2026-11-21", "2026-11-22")
NEVER = ("name",)
RULES = replace(load_ticket_rules(), lost_at_by_element={"birth_date": 0.9})


@dataclass(frozen=True, kw_only=True)
class Held:
    """The golden value of a resident's element, and what each data set that states another says."""

    resident: int
    element: str
    value: str
    at: str
    confidence: float
    status: str
    of_record: str | None
    rivals: Mapping[str, str]
    days: Mapping[str, str]
    """When each data set said it."""

    @property
    def claims(self) -> list[tuple[str, str]]:
        return [(self.at, self.value), *self.rivals.items()]


def record_of(key: str, resident: int) -> str:
    """Observations are known by the number of their check."""
    return str(resident) if key == "checks" else f"{key}{resident}"


def of_record(key: str, element: str) -> bool:
    return AUTHORITY[key] == ("hrss" if element == "pension_state" else "police")


def dataset(key: str) -> Dataset:
    facts = {"title": "", "key_position": None, "level": "L2", "share": "conditional", "code_system": None, "logical_type": "string"}
    columns = tuple(Column(name=e, physical_name=e, element=e, required=False, **facts) for e in ELEMENTS)  # type: ignore[arg-type]
    return Dataset(
        key=key, title=key, department=key, department_title=key, authority=AUTHORITY[key], server=Server(type="local", base="."),
        columns=columns, verified=key == "checks", source_of_record=frozenset(), update_frequency="每月", share="conditional",
        about_persons=True, contract_version=1,
    )  # fmt: skip


DATASETS = [dataset(key) for key in AUTHORITY]


@st.composite
def held(draw: st.DrawFn, resident: int, element: str) -> Held:
    """Mostly probable and disputed, the value of record mostly one of the rivals: that is where the rule has something to say."""
    value = draw(st.sampled_from(VALUES[element]))
    others = [other for other in VALUES[element] if other != value]
    rivals = draw(st.dictionaries(st.sampled_from(sorted(AUTHORITY)), st.sampled_from(others), min_size=1, max_size=4))
    return Held(
        resident=resident, element=element, value=value, at=draw(st.sampled_from(sorted(AUTHORITY))),
        confidence=draw(st.sampled_from([0.999, 0.98, 0.97, 0.9, 0.5])), status=draw(st.sampled_from(["disputed", "ok", "unresolved"])),
        of_record=draw(st.sampled_from([*rivals.values(), value, None])), rivals=rivals,
        days={key: draw(st.sampled_from(DAYS)) for key in sorted(AUTHORITY)},
    )  # fmt: skip


@st.composite
def golden(draw: st.DrawFn) -> list[Held]:
    wanted = draw(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(ELEMENTS)), unique=True, min_size=3, max_size=7))
    return [draw(held(resident, element)) for resident, element in wanted]


def naive(version: list[Held]) -> set[tuple[str, str, str, str]]:
    """Data set, record, element and kind of each conflict, one claim after another."""
    found = set()
    for one in version:
        for key, value in one.rivals.items():
            refuted = one.status == "disputed" and one.of_record == value
            less_exact = value.startswith(one.value) or one.value.startswith(value)
            same_name = one.element == "name" and value.replace("·", "") == one.value.replace("·", "")
            asked = key != "checks" and one.confidence >= (0.9 if one.element == "birth_date" else 0.98)
            if asked and not less_exact and not same_name and (of_record(key, one.element) or not refuted):
                found.add((key, record_of(key, one.resident), one.element, "refuted" if refuted else "deviates"))
    for one in version:
        if one.element != "id_number" or one.status != "disputed":
            continue
        sharing = [o for o in version if o.element == "id_number" and o.status == "disputed" and o.value == one.value]
        askable = [o for o in sharing if o.at != "checks"]
        all_of_record = all(AUTHORITY[o.at] == "police" for o in askable)
        if len(sharing) > 1 and one.at != "checks" and (all_of_record or AUTHORITY[one.at] != "police"):
            conflict = (one.at, record_of(one.at, one.resident), "id_number")
            found = {entry for entry in found if entry[:3] != conflict} | {(*conflict, "shared_number")}
    for death in version:
        if death.element == "death_date" and death.status == "ok" and death.confidence >= 0.98:
            for one in version:
                claims = {one.at: one.value, **one.rivals} if (one.resident, one.element) == (death.resident, "pension_state") else {}
                paid = {key for key, value in claims.items() if value == "1" and key != "checks"}
                paid |= {one.at} if claims and one.value == "1" and one.at != "checks" else set()
                for key in paid:
                    conflict = (key, record_of(key, one.resident), "pension_state")
                    if (*conflict, "refuted") not in found:
                        found = {entry for entry in found if entry[:3] != conflict} | {(*conflict, "outlives")}
    return found


def naive_answered(version: list[Held], visits: Mapping[tuple[int, str], str], waiting: set[tuple[str, str, str]]) -> set[tuple[str, ...]]:
    """What is left, and what is added, where somebody was asked at the door on a day (R-02, R-03, R-06)."""
    conflicts = {entry[:3]: entry[3] for entry in sorted(naive(version))}
    found = {}
    for one in version:
        visited, outvoted = visits.get((one.resident, one.element)), one.rivals.get("checks")
        if visited and one.element not in NEVER and (outvoted is None or one.days[one.at] <= visited):
            found[one.resident, one.element] = one.value if outvoted is None else outvoted
    for one in version:
        for key, value in one.claims:
            claim = (key, record_of(key, one.resident), one.element)
            right = found.get((one.resident, one.element))
            if right and agree(value, right) and conflicts.get(claim) == "deviates":
                del conflicts[claim]
    for one in version:
        for key, value in one.rivals.items():
            claim = (key, record_of(key, one.resident), one.element)
            refuted = one.status == "disputed" and one.of_record == value
            same_name = one.element == "name" and value.replace("·", "") == one.value.replace("·", "")
            bound = claim in waiting and one.at == "checks" and key != "checks" and not agree(value, one.value) and not same_name
            if bound and (of_record(key, one.element) or not refuted):
                conflicts.setdefault(claim, "refuted" if refuted else "deviates")
    for one in version:
        for key, value in one.claims:
            right = found.get((one.resident, one.element))
            asked = right and key != "checks" and not of_record(key, one.element) and not agree(value, right)
            if asked and one.days[key] <= visits[one.resident, one.element]:
                conflicts.setdefault((key, record_of(key, one.resident), one.element), "deviates")
    return {(*claim, kind) for claim, kind in conflicts.items()}


def agree(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


@st.composite
def answered(draw: st.DrawFn) -> tuple[list[Held], dict[tuple[int, str], str], set[tuple[str, str, str]]]:
    """A version, the days on which somebody was asked about some of it, and the records whose items wait for an answer."""
    version = draw(golden())
    pairs = [(one.resident, one.element) for one in version]
    visits = {pair: draw(st.sampled_from(DAYS)) for pair in draw(st.lists(st.sampled_from(pairs), unique=True))}
    claims = [(key, record_of(key, one.resident), one.element) for one in version for key in one.rivals]
    return version, visits, set(draw(st.lists(st.sampled_from(claims))))


@st.composite
def lives(draw: st.DrawFn) -> list[Held]:
    """People who may have died, and whether somebody still pays them (X-17)."""
    return [draw(held(resident, element)) for resident in (1, 2) for element in ("death_date", "pension_state")]


@st.composite
def numbers(draw: st.DrawFn) -> list[Held]:
    """Up to four people with two numbers between them."""
    return [draw(held(resident, "id_number")) for resident in range(1, draw(st.integers(2, 4)) + 1)]


@settings(max_examples=150)
@given(golden() | numbers() | lives())
def test_the_conflicts_agree_with_the_naive_reference(version: list[Held]) -> None:
    with TemporaryDirectory() as folder, duckdb.connect() as con:
        write(Path(folder), version)
        list_conflicts(con, Path(folder), DATASETS, RULES)
        rows = con.execute("SELECT dataset, record, element, kind FROM conflicts").fetchall()
    assert len(rows) == len(set(rows))
    assert set(rows) == naive(version)


@settings(max_examples=80)
@given(answered())
def test_what_was_found_at_the_door_agrees_with_the_naive_reference(
    drawn: tuple[list[Held], dict[tuple[int, str], str], set[tuple[str, str, str]]],
) -> None:
    version, visits, waiting = drawn
    with TemporaryDirectory() as folder, duckdb.connect() as con:
        write(Path(folder), version)
        list_conflicts(con, Path(folder), DATASETS, RULES)
        keep_rows(con, "answers", ("record", "element", "visited_on"), [(str(who), e, day) for (who, e), day in visits.items()])
        keep_rows(con, "asked", ("dataset", "record", "element"), sorted(waiting))
        follow_answers(con, Path(folder), "checks", NEVER)
        rows = con.execute("SELECT dataset, record, element, kind FROM conflicts").fetchall()
    assert len(rows) == len(set(rows))
    assert set(rows) == naive_answered(version, visits, waiting)


def keep_rows(con: duckdb.DuckDBPyConnection, table: str, names: Sequence[str], rows: Sequence[tuple[str, ...]]) -> None:
    schema = pa.schema([(name, pa.string()) for name in names])
    keep(con, table, pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema))


def write(folder: Path, version: list[Held]) -> None:
    values = [
        {"resident_id": f"R{o.resident}", "element": o.element, "value": o.value, "dataset": o.at, "record": record_of(o.at, o.resident),
         "observed_on": o.days[o.at],
         "confidence": o.confidence, "status": o.status, "value_of_record": o.of_record}
        for o in version
    ]  # fmt: skip
    rivals = [
        {
            "resident_id": f"R{o.resident}",
            "element": o.element,
            "value": value,
            "dataset": key,
            "record": record_of(key, o.resident),
            "observed_on": o.days[key],
        }
        for o in version
        for key, value in o.rivals.items()
    ]
    crosswalk = [{"dataset": key, "record": record_of(key, n), "resident_id": f"R{n}"} for key in AUTHORITY for n in range(1, 5)]
    texts = ["resident_id", "element", "value", "dataset", "record", "observed_on"]
    shared = pa.schema([(name, pa.string()) for name in texts])
    more = pa.schema([*shared, ("confidence", pa.float64()), ("status", pa.string()), ("value_of_record", pa.string())])
    pq.write_table(pa.Table.from_pylist(values, schema=more), folder / "values.parquet")
    pq.write_table(pa.Table.from_pylist(rivals, schema=shared), folder / "rivals.parquet")
    pq.write_table(pa.Table.from_pylist(crosswalk), folder / "crosswalk.parquet")
