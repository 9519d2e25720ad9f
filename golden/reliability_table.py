"""Which department is how right about what, as people read it: the learnt reliability of a golden version, by element (law.md R-02).

A version's `reliability.parquet` says what its values were decided by: element, dataset, age_from_days and age_to_days (both null: over all
ages; from null, to null with `undated`: no date that tells), claims, p, low, high, checked, agreed, copies_from, copied, learnt_version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa

from catalog.schema import DatasetRow, DepartmentRow
from catalog.store import Store
from golden.believing import AGE_STARTS_DAYS, UNDATED
from golden.engine import quoted
from rules.elements import load_elements
from rules.errors import NotFound

FILE = "reliability"
COLUMNS = (
    "element",
    "dataset",
    "undated",
    "age_from_days",
    "age_to_days",
    "claims",
    "p",
    "low",
    "high",
    "checked",
    "agreed",
    "copies_from",
    "copied",
    "learnt_version",
)


@dataclass(frozen=True, kw_only=True)
class AtAge:
    """How right a source's values of one class of age are; `from_days` None: their dates tell nothing; `to_days` None: and older."""

    from_days: int | None
    to_days: int | None
    claims: int
    p: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class SourceReliability:
    """How probable it is that what a data set says is right today: p, and low to high, which holds the truth 95 times of 100.

    claims: of the residents it was judged by; checked: of how many of them a verified observation tells; agreed: how many it confirms;
    copies_from: the data set whose values it takes over, and in which share of the residents whom both hold.
    """

    dataset: str
    title: str
    department: str
    claims: int
    p: float
    low: float
    high: float
    checked: int
    agreed: int
    copies_from: str | None
    copied: float | None
    by_age: tuple[AtAge, ...]


@dataclass(frozen=True, kw_only=True)
class ElementReliability:
    """The sources of an element, the most reliable first."""

    element: str
    title: str
    sources: tuple[SourceReliability, ...]


@dataclass(frozen=True, kw_only=True)
class ReliabilityTable:
    """By what golden version `version` was decided; `learnt_version`: with which version it was learnt."""

    version: int
    learnt_version: int
    elements: tuple[ElementReliability, ...]


def reliability_sql(learnt_version: int) -> str:
    """SQL of the file's rows, from the relations that are learnt."""
    starts = ", ".join(map(str, AGE_STARTS_DAYS))
    return f"""
        SELECT element, dataset, coalesce(age = {UNDATED}, false) AS undated,
          CASE WHEN age < {UNDATED} THEN [{starts}][age + 1] END AS age_from_days,
          CASE WHEN age < {UNDATED} - 1 THEN [{starts}][age + 2] END AS age_to_days,
          claims, p, low, high, checked, agreed, parent AS copies_from, share AS copied, {learnt_version}::BIGINT AS learnt_version
        FROM learnt_reliability LEFT JOIN learnt_copies USING (element, dataset)
        ORDER BY element, dataset, age_from_days NULLS FIRST, undated"""


def rows_of_version(folder: Path) -> str:
    """SQL: the file of a version, which each version writes whole. NotFound REC-RELIABILITY for one that was made before there was any."""
    path = folder / f"{FILE}.parquet"
    if not path.exists():
        raise NotFound("REC-RELIABILITY", where=folder.name)
    return f"SELECT {', '.join(COLUMNS)} FROM read_parquet('{quoted(str(path))}')"


def read_table(store: Store, folder: Path, version: int, element: str | None = None) -> ReliabilityTable:
    """The table of one element, or of all that any source states. NotFound REC-ELEMENT for one that there is not."""
    if element is not None and element not in load_elements():
        raise NotFound("REC-ELEMENT", where=element if element.isidentifier() else "")
    with duckdb.connect() as con:
        found = con.execute(f"SELECT * FROM ({rows_of_version(folder)}) WHERE $1 IS NULL OR element = $1", [element])
        names = [column[0] for column in found.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        learnt = con.execute(f"SELECT coalesce(max(learnt_version), 0) FROM ({rows_of_version(folder)})").fetchall()[0][0]
    with store.session() as session:
        titles = session.execute(sa.select(DatasetRow.key, DatasetRow.title, DepartmentRow.title).join(DepartmentRow)).all()
    known = {key: (title, department) for key, title, department in titles}
    stated = {row["element"] for row in rows}
    elements = [_element(key, rows, known) for key in load_elements() if key in stated]
    return ReliabilityTable(version=version, learnt_version=learnt, elements=tuple(elements))


def _element(key: str, rows: list[dict[str, Any]], titles: Mapping[str, tuple[str, str]]) -> ElementReliability:
    mine = [row for row in rows if row["element"] == key]
    sources = [_source(row, mine, titles) for row in mine if row["age_from_days"] is None and not row["undated"]]
    ordered = sorted(sources, key=lambda source: (-source.p, source.dataset))
    return ElementReliability(element=key, title=load_elements()[key].title, sources=tuple(ordered))


def _source(row: dict[str, Any], rows: list[dict[str, Any]], titles: Mapping[str, tuple[str, str]]) -> SourceReliability:
    title, department = titles.get(row["dataset"], (row["dataset"], ""))
    aged = [r for r in rows if r["dataset"] == row["dataset"] and (r["undated"] or r["age_from_days"] is not None)]
    by_age = [_at_age(r) for r in sorted(aged, key=lambda r: (r["undated"], r["age_from_days"] or 0))]
    figures = ("claims", "p", "low", "high", "checked", "agreed", "copies_from", "copied", "dataset")
    return SourceReliability(title=title, department=department, by_age=tuple(by_age), **{name: row[name] for name in figures})


def _at_age(row: dict[str, Any]) -> AtAge:
    figures = {name: row[name] for name in ("claims", "p", "low", "high")}
    return AtAge(from_days=row["age_from_days"], to_days=row["age_to_days"], **figures)
