"""Sources that cannot be right about an element (坏数据): mapped wrongly, filled with one value, unreadable. Each is named.

An element that a source cannot be right about is left out of this source for the run: it links nobody, refutes nothing, is nobody's value.
What is found depends on the source's own snapshot alone: it holds until a newer one comes in, whatever the others say.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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

SAMPLE_ROWS = 10_000
"""So many rows of a source are looked at, chosen by the hash of their keys: shares are right within a point."""

WORKERS = 2

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
    changed = [source for source in sources if source.dataset not in unchanged]
    with ThreadPoolExecutor(WORKERS) as pool:
        looked_at = pool.map(lambda source: _doubts(con, source, rules), changed)
        by_source = dict(zip([source.dataset for source in changed], looked_at, strict=True))
    found = [d for s in sources for d in by_source.get(s.dataset, [k for k in known if k.dataset == s.dataset])]
    return tuple(_without(source, found) for source in sources), tuple(found)


def _without(source: RecordSource, doubts: Sequence[Doubt]) -> RecordSource:
    doubtful = {doubt.element for doubt in doubts if doubt.dataset == source.dataset}
    return replace(source, columns={element: names for element, names in source.columns.items() if element not in doubtful})


def _doubts(con: duckdb.DuckDBPyConnection, source: RecordSource, rules: MatchingRules) -> list[Doubt]:
    rows, stated = _stated(source)
    with con.cursor() as own:
        sample = _Sample.of(own, source, rows, rules)
        void = list(_void(own, source, rows, stated))
    found = [*void, *_misfits(source, sample), *_equals(source, sample), *_contradicted(source, sample)]
    first = {doubt.element: doubt for doubt in reversed(found)}
    left = _without(source, found)
    return [*first.values(), *([_keyless(source, rows)] if not _can_link(left, stated, rules) else [])]


def _stated(source: RecordSource) -> tuple[int, frozenset[str]]:
    """How many rows the file has, and the elements that some row states; Parquet counts the empty cells."""
    file = pq.ParquetFile(source.standard)
    groups = [file.metadata.row_group(n) for n in range(file.metadata.num_row_groups)]
    names = file.schema_arrow.names

    def anywhere(column: str) -> bool:
        counted = [(group.num_rows, group.column(names.index(column)).statistics) for group in groups]
        return any(said is None or not said.has_null_count or said.null_count < rows for rows, said in counted)

    return file.metadata.num_rows, frozenset(e for e, columns in source.columns.items() if any(map(anywhere, columns)))


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """What was counted in the sample, by element. cells: how many state it; misfits: how many of them cannot be its values; most: how often
    the most frequent value stands, where that tells; agreeing: how many agree with the row's own number, of how many, where both stand.
    """

    cells: Mapping[str, int]
    misfits: Mapping[str, int]
    most: Mapping[str, int]
    agreeing: Mapping[str, tuple[int, int]]

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, source: RecordSource, rows: int, rules: MatchingRules) -> "_Sample":
        """The file is read once, and all is counted in one pass over the sample."""
        con.execute(f"CREATE OR REPLACE TEMP TABLE looked_at AS {_sample(source, rows)}")
        elements, known = sorted(source.columns), load_elements()
        tests = {e: _fits(e) for e in elements if e in known and known[e].describes == "person"}
        fitting = {e: f"count_if(NOT ({test}))" for e, test in tests.items() if test is not None}
        stated = {e: sql for e, sql in _STATED.items() if e in elements and _number_of(source) is not None}
        both = [f"count_if({identifier(e)} IS NOT NULL AND own IS NOT NULL)" for e in stated]
        agree = [f"count_if(own IS NOT NULL AND {sql})" for sql in stated.values()]
        telling = [e for e in elements if e in _telling(rules)]
        different = [f"approx_count_distinct({identifier(e)})" for e in telling]
        counts = [*(f"count({identifier(e)})" for e in elements), *fitting.values(), *agree, *both, *different]
        counted = iter(con.execute(f"SELECT {', '.join(counts)} FROM looked_at").fetchall()[0])
        cells, misfits, agreeing, of, values = ({e: next(counted) for e in names} for names in (elements, fitting, stated, stated, telling))
        return cls(
            cells=cells,
            misfits=misfits,
            most={e: _most(con, e) for e in telling if values[e] < cells[e] / 2},
            agreeing={e: (agreeing[e], of[e]) for e in stated},
        )


def _most(con: duckdb.DuckDBPyConnection, element: str) -> int:
    cell = identifier(element)
    counts = f"SELECT count(*) AS n FROM looked_at WHERE {cell} IS NOT NULL GROUP BY {cell}"
    return int(con.execute(f"SELECT coalesce(max(n), 0) FROM ({counts})").fetchall()[0][0])


def _telling(rules: MatchingRules) -> set[str]:
    """Who is who cannot be told by a value that all share: names, numbers, dates that people are compared by."""
    return {e for a in rules.attributes.values() if a.kind in ("number", "name") or a.stated == "birth" for e in a.elements}


def _number_of(source: RecordSource) -> str | None:
    return next((element for element in NUMBERS if element in source.columns), None)


def _sample(source: RecordSource, rows: int) -> str:
    path = quoted(str(source.standard))
    one_in = max(1, rows // SAMPLE_ROWS)
    cells = {element: column_of(source, element) for element in source.columns}
    columns = ", ".join(f"{sql} AS {identifier(element)}" for element, sql in cells.items())
    number = _number_of(source)
    own = valid_number(identifier(number)) if number is not None else "NULL::VARCHAR"
    return f"SELECT *, {own} AS own FROM (SELECT {columns} FROM read_parquet('{path}') WHERE hash(_record) % {one_in} = 0)"


def _void(con: duckdb.DuckDBPyConnection, source: RecordSource, rows: int, stated: Collection[str]) -> Iterator[Doubt]:
    """Elements of which nothing is left, although ingest had something to find fault with in most rows."""
    silent = sorted(element for element in source.columns if element not in stated)
    if not silent or rows < FEWEST_ROWS or source.faults is None or not source.faults.exists():
        return
    path = quoted(str(source.faults))
    faulty = dict(con.execute(f"SELECT \"column\", count(*) FROM read_parquet('{path}') GROUP BY ALL").fetchall())
    for element in silent:
        cells = sum(faulty.get(column, 0) for column in source.columns[element])
        if cells >= VOID_SHARE * rows:
            yield Doubt(dataset=source.dataset, element=element, why="void", share=round(cells / rows, 4), cells=rows)


def _misfits(source: RecordSource, sample: _Sample) -> Iterator[Doubt]:
    for element, wrong in sorted(sample.misfits.items()):
        cells = sample.cells[element]
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


def _equals(source: RecordSource, sample: _Sample) -> Iterator[Doubt]:
    for element, most in sorted(sample.most.items()):
        cells = sample.cells[element]
        if cells >= FEWEST_EQUAL and most > EQUAL_SHARE * cells:
            yield Doubt(dataset=source.dataset, element=element, why="equal", share=round(most / cells, 4), cells=cells)


def _contradicted(source: RecordSource, sample: _Sample) -> Iterator[Doubt]:
    """Birth and sex against what the row's own number states (GB 11643). Where both disagree, sex by chance, the numbers are not theirs."""
    number = _number_of(source)
    if number is None:
        return
    birth, sex = (_agreement(sample, element) for element in _STATED)
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


def _agreement(sample: _Sample, element: str) -> tuple[float, int] | None:
    """The share of cells that agree with the number, and how many there are; null for too few."""
    agree, cells = sample.agreeing.get(element, (0, 0))
    return (agree / cells, cells) if cells >= FEWEST_ROWS else None


def _can_link(source: RecordSource, held: Collection[str], rules: MatchingRules) -> bool:
    """Whether any record can be joined to another source's: by a number or a register, or by the name and two more groups."""
    stated = {e for e in source.columns if e in held}
    known = load_elements()
    if any(e in known and known[e].identifies_person for e in stated):
        return True
    compared = [a for a in rules.attributes.values() if not stated.isdisjoint(a.elements)]
    groups = {rules.comparisons[a.key].group for a in compared if a.key in rules.comparisons} - rules.uncounted
    return any(a.qualified for a in compared) or len(groups) >= (2 if any(a.key == rules.name for a in compared) else 3)


def _keyless(source: RecordSource, rows: int) -> Doubt:
    return Doubt(dataset=source.dataset, element="", why="keyless", share=1.0, cells=rows)
