"""Sources that cannot be right about an element (坏数据): mapped wrongly, filled with one value, unreadable. Each is named.

An element that a source cannot be right about is left out of this source for the run: it links nobody, refutes nothing, is nobody's value.
What is found depends on the source's own snapshot alone: it holds until a newer one comes in, whatever the others say.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import pyarrow.parquet as pq

from golden.engine import identifier, quoted
from golden.exact_groups import birth_in, sex_in
from golden.records import NUMBERS, column_of, valid_number
from golden.sources import RecordSource
from rules.code_tables import find_code_table
from rules.elements import load_elements
from rules.matching import MatchingRules

SAMPLE_ROWS = 50_000
"""So many rows of a source are looked at, chosen by the hash of their keys."""

FEWEST_ROWS, FEWEST_EQUAL = 50, 200
"""Fewer cells say nothing about a source; fewer than FEWEST_EQUAL may all be equal: one day's births."""

MISFIT_SHARE, EQUAL_SHARE, VOID_SHARE = 0.5, 0.9, 0.5
BIRTH_AGREES, SEX_AGREES = 0.5, 0.7
"""Where less than this share of a source's own values are what the identity numbers beside them state, it cannot be right about them; sex
agrees by chance in half of all cases."""

CHANCE = (0.3, 0.7)

WHY: Mapping[str, str] = {
    "misfit": "取值不是该数据元的值，疑似字段映射错误 the values are not of its kind; the column may be mapped wrongly",
    "equal": "取值几乎全部相同，不能作为依据 nearly all values are the same and say nothing",
    "contradicted": "与本行身份号码所载多数不符，疑似字段映射错误 contradicted by the identity numbers beside it; it may be mapped wrongly",
    "void": "归集时多数取值无法识别，疑似字段映射错误 most cells could not be read at ingest; the column may be mapped wrongly",
    "keyless": "没有号码，可比数据项不足，无法与其他来源关联 no number and too little to compare; none of its records can be linked",
}


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """What a data set cannot be right about. `share` of `cells` show it; `element` is empty where it is about the whole data set."""

    dataset: str
    element: str
    why: str
    share: float
    cells: int

    def told(self) -> str:
        """For people; names and counts, no values."""
        of = f".{self.element}" if self.element else ""
        shown = f" ({self.share:.0%} / {self.cells:,})" if self.element else ""
        return f"来源存疑 doubtful source {self.dataset}{of}: {WHY[self.why]}{shown}"


def read_doubts(kept: Iterable[Mapping[str, Any]]) -> tuple[Doubt, ...]:
    """Doubts as they were kept with a version."""
    return tuple(Doubt(**said) for said in kept)


def check_sources(
    con: duckdb.DuckDBPyConnection,
    sources: Sequence[RecordSource],
    rules: MatchingRules,
    *,
    known: Sequence[Doubt] = (),
    unchanged: Collection[str] = (),
) -> tuple[tuple[RecordSource, ...], tuple[Doubt, ...]]:
    """The sources without the elements that they cannot be right about, and the doubts; for `unchanged` data sets those `known` stand."""
    found: list[Doubt] = []
    for source in sources:
        found += [d for d in known if d.dataset == source.dataset] if source.dataset in unchanged else _doubts(con, source, rules)
    return tuple(_without(source, found) for source in sources), tuple(found)


def _without(source: RecordSource, doubts: Sequence[Doubt]) -> RecordSource:
    doubtful = {doubt.element for doubt in doubts if doubt.dataset == source.dataset}
    return replace(source, columns={element: names for element, names in source.columns.items() if element not in doubtful})


def _doubts(con: duckdb.DuckDBPyConnection, source: RecordSource, rules: MatchingRules) -> list[Doubt]:
    con.execute(f"CREATE OR REPLACE TEMP TABLE looked_at AS {_sample(source)}")
    found = [*_void(con, source), *_misfits(con, source), *_equals(con, source, rules), *_contradicted(con, source)]
    first = {doubt.element: doubt for doubt in reversed(found)}
    left = _without(source, found)
    return [*first.values(), *([_keyless(source)] if not _can_link(left, rules) else [])]


def _sample(source: RecordSource) -> str:
    path = quoted(str(source.standard))
    one_in = max(1, _rows(source) // SAMPLE_ROWS)
    cells = {element: column_of(source, element) for element in source.columns}
    columns = ", ".join(f"{sql} AS {identifier(element)}" for element, sql in cells.items())
    return f"SELECT {columns} FROM read_parquet('{path}') WHERE hash(_record) % {one_in} = 0"


def _rows(source: RecordSource) -> int:
    return int(pq.read_metadata(source.standard).num_rows)


def _void(con: duckdb.DuckDBPyConnection, source: RecordSource) -> Iterator[Doubt]:
    """Elements of which nothing is left, although ingest had something to find fault with in most rows."""
    if source.faults is None or not source.faults.exists():
        return
    path = quoted(str(source.faults))
    faulty = dict(con.execute(f"SELECT \"column\", count(*) FROM read_parquet('{path}') GROUP BY ALL").fetchall())
    for element, columns in sorted(source.columns.items()):
        rows, cells = _rows(source), sum(faulty.get(column, 0) for column in columns)
        if rows >= FEWEST_ROWS and cells >= VOID_SHARE * rows and not _stated(source, element):
            yield Doubt(dataset=source.dataset, element=element, why="void", share=round(cells / rows, 4), cells=rows)


def _stated(source: RecordSource, element: str) -> bool:
    """Whether some row of the file states the element; Parquet counts the empty cells."""
    file = pq.ParquetFile(source.standard)
    places = [file.schema_arrow.get_field_index(column) for column in source.columns[element]]
    groups = [file.metadata.row_group(n) for n in range(file.metadata.num_row_groups)]
    counted = [(group.num_rows, group.column(place).statistics) for group in groups for place in places]
    return any(said is None or not said.has_null_count or said.null_count < rows for rows, said in counted)


def _misfits(con: duckdb.DuckDBPyConnection, source: RecordSource) -> Iterator[Doubt]:
    known = load_elements()
    for element in sorted(e for e in source.columns if e in known and known[e].describes == "person"):
        test = _fits(element)
        if test is not None:
            cells, wrong = _counted(con, identifier(element), f"NOT ({test})")
            if cells >= FEWEST_ROWS and wrong > MISFIT_SHARE * cells:
                yield Doubt(dataset=source.dataset, element=element, why="misfit", share=round(wrong / cells, 4), cells=cells)


def _fits(element: str) -> str | None:
    """SQL: whether a cell can be a value of the element at all; null for kinds that take anything."""
    cell, kind, table = identifier(element), load_elements()[element].kind, load_elements()[element].code_table
    if kind == "code" and table is not None and (codes := find_code_table(table)) is not None:
        listed = ", ".join(f"'{quoted(code)}'" for code in sorted(codes.labels))
        return f"{cell} IN ({listed})"
    return {
        "date": f"regexp_full_match({cell}, '[0-9]{{4}}(-[0-9]{{2}}(-[0-9]{{2}})?)?')",
        "name": f"regexp_full_match({cell}, '.{{2,30}}') AND NOT regexp_matches({cell}, '[0-9]{{3}}|[路街道巷村镇].*[号栋座室]')",
    }.get(kind)


def _equals(con: duckdb.DuckDBPyConnection, source: RecordSource, rules: MatchingRules) -> Iterator[Doubt]:
    """Who is who cannot be told by a value that all share: names, numbers, dates that people are compared by."""
    telling = {e for a in rules.attributes.values() if a.kind in ("number", "name") or a.stated == "birth" for e in a.elements}
    for element in sorted(telling & set(source.columns)):
        cell = identifier(element)
        most, cells = con.execute(f"""
            SELECT coalesce(max(n), 0), coalesce(sum(n), 0)::BIGINT
            FROM (SELECT count(*) AS n FROM looked_at WHERE {cell} IS NOT NULL GROUP BY {cell})""").fetchall()[0]
        if cells >= FEWEST_EQUAL and most > EQUAL_SHARE * cells:
            yield Doubt(dataset=source.dataset, element=element, why="equal", share=round(most / cells, 4), cells=cells)


def _contradicted(con: duckdb.DuckDBPyConnection, source: RecordSource) -> Iterator[Doubt]:
    """Birth and sex against what the row's own number states (GB 11643). Where both disagree, sex by chance, the numbers are not theirs."""
    number = next((element for element in NUMBERS if element in source.columns), None)
    if number is None:
        return
    con.execute(f"CREATE OR REPLACE TEMP VIEW numbers_looked_at AS SELECT *, {valid_number(identifier(number))} AS own FROM looked_at")
    birth, sex = (_agreement(con, source, element, stated) for element, stated in _STATED.items())
    wrong_birth = birth is not None and birth[0] < BIRTH_AGREES
    if wrong_birth and sex is not None and CHANCE[0] < sex[0] < CHANCE[1]:
        assert birth is not None
        yield Doubt(dataset=source.dataset, element=number, why="contradicted", share=round(1 - birth[0], 4), cells=birth[1])
        return
    for element, found, least in (("birth_date", birth, BIRTH_AGREES), ("sex", sex, SEX_AGREES)):
        if found is not None and found[0] < least:
            yield Doubt(dataset=source.dataset, element=element, why="contradicted", share=round(1 - found[0], 4), cells=found[1])


_STATED = {
    "birth_date": f"left(birth_date, 4) = left({birth_in('own')}, 4)",
    "sex": f"sex = {sex_in('own')}",
}


def _agreement(con: duckdb.DuckDBPyConnection, source: RecordSource, element: str, stated: str) -> tuple[float, int] | None:
    """The share of cells that agree with the number, and how many there are; null for too few."""
    if element not in source.columns:
        return None
    sql = f"SELECT count_if({stated}), count(*) FROM numbers_looked_at WHERE own IS NOT NULL AND {element} IS NOT NULL"
    agree, cells = con.execute(sql).fetchall()[0]
    return (agree / cells, cells) if cells >= FEWEST_ROWS else None


def _counted(con: duckdb.DuckDBPyConnection, cell: str, test: str) -> tuple[int, int]:
    cells, shown = con.execute(f"SELECT count({cell}), count_if({cell} IS NOT NULL AND {test}) FROM looked_at").fetchall()[0]
    return cells, shown


def _can_link(source: RecordSource, rules: MatchingRules) -> bool:
    """Whether any record can be joined to another source's: by a number or a register, or by the name and two more groups."""
    stated = {e for e in source.columns if _stated(source, e)}
    known = load_elements()
    if any(e in known and known[e].identifies_person for e in stated):
        return True
    held = [a for a in rules.attributes.values() if not stated.isdisjoint(a.elements)]
    groups = {rules.comparisons[a.key].group for a in held if a.key in rules.comparisons} - rules.uncounted
    return any(a.qualified for a in held) or len(groups) >= (2 if any(a.key == rules.name for a in held) else 3)


def _keyless(source: RecordSource) -> Doubt:
    return Doubt(dataset=source.dataset, element="", why="keyless", share=1.0, cells=_rows(source))
