"""Reading what an answer needs: base rows within the row scope, as Arrow batches in bounded memory, and masking them as they pass.

The area scope goes in at the base relation; filters are applied to the masked values, so that a masked value can influence no answer.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from access.clients import Listed
from access.populations import Population
from access.targets import RESIDENT_ID, Target
from access.terms import Disputed, Grant, RowScope
from golden.reliability_table import rows_of_version
from golden.versions import relation
from masking.fingerprints import Marking, mark_values
from masking.methods import RecipientKey
from masking.plan import Plan, mask_column, minors, needs_age
from rules.errors import Refused
from rules.tiers import TierPolicy

ROWS_A_BATCH = 65_536
MEMORY_LIMIT = "1GB"
THREADS = 2
BIRTH = "__birth"
SUBJECT = "__subject"
IN_DISPUTE = "__in_dispute"
NUMBER = "__number"
DISPUTED_COLUMN = "disputed"
"""存疑数据项: of a row the columns whose values are in dispute, as the serving copy names them."""
NUMBER_BIRTH = r"^\d{6}(\d{4})(\d{2})(\d{2})\d{3}[\dX]$"

Columns = Mapping[str, pa.Array]


@dataclass(frozen=True, kw_only=True)
class MaskTerms:
    """What masking a batch needs beside the batch."""

    plan: Plan
    policy: TierPolicy
    key: RecipientKey
    today: date
    disputed: Disputed = Disputed.KEEP

    @property
    def names(self) -> list[str]:
        """The columns that come out."""
        return [*self.plan, *([DISPUTED_COLUMN] if self.disputed is Disputed.MARK else [])]


@contextmanager
def spilling_connection(spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection that stays within its memory and spills to a folder of ours."""
    with duckdb.connect(":memory:") as con:
        con.execute(f"SET memory_limit='{MEMORY_LIMIT}'; SET threads={THREADS}")
        con.execute(f"SET temp_directory='{_literal(str(spill))}'")
        yield con


def base_batches(
    con: duckdb.DuckDBPyConnection,
    target: Target,
    columns: Sequence[str],
    scope: RowScope,
    order: bytes = b"",
    listed: Listed | None = None,
) -> Iterator[pa.RecordBatch]:
    """The granted columns of the rows in scope; beside them each row's resident, birth date and disputed columns.

    `order` is a grant's secret: rows come in an order of that grant's own, for two extracts in one order could be joined row by row without
    any pseudonym (I-04, L-24). Without it they come in the target's order. `listed`: the list of clients that the scope names.
    """
    assert (scope.clients is None) == (listed is None), "the scope's own list of clients comes with it"
    batches = _batches(con, base_query(target, columns, scope.areas, order, numbered=listed is not None))
    yield from listed.only(batches, NUMBER) if listed else batches


def row_order(grant: Grant, target: Target, plan: Plan, key: RecipientKey) -> bytes:
    """The secret that a grant's rows are ordered by; none where they are about no persons, or their usual order shows itself anyway."""
    shown = plan.get(target.order_column)
    plain = not target.about_persons or (shown is not None and shown.keeps_all)
    return b"" if plain else key.order_secret + str(grant.id).encode()


def masked_batches(
    batches: Iterator[pa.RecordBatch], scope: RowScope, terms: MaskTerms, residents: Population, *, with_subjects: bool = False
) -> Iterator[pa.RecordBatch]:
    """Mask, then filter: what comes out holds nothing but masked values of rows whose *masked* values match the filters.

    `with_subjects`: and whom each row is about, for counting inside the door; never for what is handed over.
    """
    for batch in batches:
        is_minor = minors(batch[BIRTH], terms.today, terms.policy) if needs_age(terms.plan) else None
        beside = {"today": terms.today, "subjects": batch[SUBJECT]}
        plain = {name: mask_column(batch[name], column, is_minor, terms.key, name=name, **beside) for name, column in terms.plan.items()}
        arrays = DISPUTES[terms.disputed](plain, batch)
        masked = pa.RecordBatch.from_arrays([arrays[name] for name in terms.names], names=terms.names)
        masked = masked.append_column(SUBJECT, batch[SUBJECT]) if with_subjects else masked
        matching = _matching(masked, scope.equals)
        residents.add(batch[SUBJECT] if matching is None else batch[SUBJECT].filter(matching))
        yield masked if matching is None else masked.filter(matching)


def marked_batches(batches: Iterator[pa.RecordBatch], made: Marking) -> Iterator[pa.RecordBatch]:
    """The same batches with a copy's fingerprint in the columns that carry one."""
    for batch in batches:
        columns = {name: batch[name] for name in batch.schema.names}
        columns |= {name: mark_values(columns[name], mark, made.secret) for name, mark in made.marks.items()}
        yield pa.RecordBatch.from_pydict(columns)


def at_most(batches: Iterator[pa.RecordBatch], rows: int | None) -> Iterator[pa.RecordBatch]:
    """The same batches. Refused DOOR-QUOTA as soon as more rows come than the grant allows of an extract; None: no limit."""
    passed = 0
    for batch in batches:
        passed += batch.num_rows
        if rows is not None and passed > rows:
            raise Refused("DOOR-QUOTA", what=str(rows))
        yield batch


def golden_batches(con: duckdb.DuckDBPyConnection, target: Target, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """All residents as they stand, one row each: the columns as text, empty as null, in the order of their ids."""
    selected = ", ".join(f"nullif({_name(column)}::VARCHAR, '') AS {_name(column)}" for column in columns)
    yield from _batches(con, f"SELECT {selected} FROM {target.relation} ORDER BY {RESIDENT_ID}")


def crosswalk_batches(con: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[pa.RecordBatch]:
    """Each accepted record with the resident it belongs to."""
    crosswalk = relation(folder, "crosswalk")
    yield from _batches(con, f"SELECT dataset, record, {RESIDENT_ID} FROM {crosswalk} ORDER BY dataset, record")


def reliability_batches(con: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[pa.RecordBatch]:
    """How reliable each source is about each element, by age: no row is about a person."""
    yield from _batches(con, rows_of_version(folder))


def enterprise_batches(con: duckdb.DuckDBPyConnection, target: Target) -> Iterator[pa.RecordBatch]:
    """Each accepted record with the enterprise it belongs to."""
    yield from _batches(con, f"SELECT {', '.join(target.columns)} FROM {target.relation} ORDER BY dataset, record")


def _batches(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[pa.RecordBatch]:
    reader: pa.RecordBatchReader = con.sql(query).to_arrow_reader(ROWS_A_BATCH)
    yield from reader


def counted(batches: Iterator[pa.RecordBatch], residents: Population) -> Iterator[pa.RecordBatch]:
    """The same batches, their residents counted as they pass."""
    for batch in batches:
        residents.add(batch[RESIDENT_ID])
        yield batch


def base_query(target: Target, columns: Sequence[str], areas: Sequence[str], order: bytes = b"", *, numbered: bool = False) -> str:
    """The SQL over the target's files; every name and text in it is quoted here."""
    wanted = [f"base.{_name(column)}::VARCHAR AS {_name(column)}" for column in columns]
    beside = {BIRTH: _birth(target), SUBJECT: _subject(target), IN_DISPUTE: _in_dispute(target)}
    beside |= {NUMBER: _number(target)} if numbered else {}
    selected = ", ".join([*wanted, *(f"{sql} AS {_name(name)}" for name, sql in beside.items())])
    rows = f"{target.relation} AS base {_persons_join(target)} {_disputes_join(target, columns)}"
    return f"SELECT {selected} FROM {rows} WHERE {_in_areas(target, areas)} ORDER BY {_order(target, order)}"


def _order(target: Target, secret: bytes) -> str:
    place = f"base.{_name(target.order_column)}"
    return f"md5('{secret.hex()}' || {place}::VARCHAR), {place}" if secret else place


def _subject(target: Target) -> str:
    if target.holds_residents:
        return f"base.{_name(RESIDENT_ID)}"
    return f"crosswalk.{RESIDENT_ID}" if target.persons else "NULL::VARCHAR"


def _birth(target: Target) -> str:
    """The birth date by the row itself, else by its identity number, else by the golden record of its resident."""
    known = [f"base.{_name(target.birth_column)}"] if target.birth_column else []
    if target.number_column:
        number = f"base.{_name(target.number_column)}"
        known.append(
            f"CASE WHEN regexp_matches({number}, '{NUMBER_BIRTH}') THEN regexp_replace({number}, '{NUMBER_BIRTH}', '\\1-\\2-\\3') END"
        )
    if target.persons and not target.holds_residents:
        known.append("person.birth_date")
    return f"coalesce({', '.join(known)}, NULL)::VARCHAR" if known else "NULL::VARCHAR"


def _number(target: Target) -> str:
    """The identity number by the row itself, else by the golden record of its resident."""
    known = [f"base.{_name(target.number_column)}"] if target.number_column else []
    known += ["person.id_number"] if target.persons and not target.holds_residents else []
    return f"coalesce({', '.join(known)}, NULL)::VARCHAR" if known else "NULL::VARCHAR"


def _persons_join(target: Target) -> str:
    if target.holds_residents or target.persons is None:
        return ""
    crosswalk, residents = (relation(target.persons, name) for name in ("crosswalk", "residents"))
    mine = f"SELECT record, resident_id FROM {crosswalk} WHERE dataset = '{_literal(target.key)}'"
    people = f"SELECT resident_id, birth_date, id_number FROM {residents}"
    return f"LEFT JOIN ({mine}) AS crosswalk ON crosswalk.record = base._record LEFT JOIN ({people}) AS person USING (resident_id)"


def _in_dispute(target: Target) -> str:
    return "doubted.columns" if target.holds_residents else "NULL::VARCHAR"


def _disputes_join(target: Target, columns: Sequence[str]) -> str:
    """Only golden values can be in dispute; each name stands between blanks, so that none is found inside another."""
    if not target.holds_residents:
        return ""
    assert target.persons is not None, "the golden target knows its folder"
    named = ", ".join(f"'{_literal(column)}'" for column in columns) or "NULL"
    found = f"""SELECT {RESIDENT_ID}, ' ' || string_agg(element, ' ' ORDER BY element) || ' ' AS columns
        FROM {relation(target.persons, "values")} WHERE status <> 'ok' AND element IN ({named}) GROUP BY {RESIDENT_ID}"""
    return f"LEFT JOIN ({found}) AS doubted ON doubted.{RESIDENT_ID} = base.{RESIDENT_ID}"


def _in_areas(target: Target, areas: Sequence[str]) -> str:
    if not areas:
        return "true"
    assert target.area_column is not None, "the decision lets no area scope through without an area column"
    return "(" + " OR ".join(f"starts_with(base.{_name(target.area_column)}, '{_literal(area)}')" for area in areas) + ")"


def _as_they_are(columns: Columns, _base: pa.RecordBatch) -> Columns:
    return columns


def _left_out(columns: Columns, base: pa.RecordBatch) -> Columns:
    return {name: pc.if_else(_is_disputed(base, name), None, values) for name, values in columns.items()}


def _marked(columns: Columns, base: pa.RecordBatch) -> Columns:
    """One column more, which names a row's disputed columns: only those of which the row shows a value."""
    named = [pc.if_else(pc.and_(_is_disputed(base, name), pc.is_valid(values)), f" {name}", "") for name, values in columns.items()]
    joined = pc.utf8_ltrim_whitespace(pc.binary_join_element_wise(*named, ""))
    return {**columns, DISPUTED_COLUMN: pc.if_else(pc.equal(joined, ""), None, joined)}


def _is_disputed(base: pa.RecordBatch, name: str) -> pa.Array:
    return pc.fill_null(pc.match_substring(base[IN_DISPUTE], f" {name} "), False)


DISPUTES: Mapping[Disputed, Callable[[Columns, pa.RecordBatch], Columns]] = {
    Disputed.KEEP: _as_they_are,
    Disputed.LEAVE_OUT: _left_out,
    Disputed.MARK: _marked,
}


def _matching(masked: pa.RecordBatch, equals: Mapping[str, Sequence[str]]) -> pa.Array | None:
    result = None
    for column, values in sorted(equals.items()):
        fits = pc.is_in(masked[column], value_set=pa.array(values, pa.string()))
        result = fits if result is None else pc.and_(result, fits)
    return result


def _name(column: str | None) -> str:
    return '"' + (column or "").replace('"', '""') + '"'


def _literal(text: str) -> str:
    return text.replace("'", "''")
