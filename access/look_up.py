"""The look-up (查询) of residents: who is in the row scope of the grant, and the granted columns masked by its plan."""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from access.inquiries import ID_NUMBER, Hash, Told
from access.reading import DISPUTED_COLUMN
from access.residents import Row
from access.targets import RESIDENT_ID, Target
from access.terms import Disputed, RowScope
from masking.cells import is_minor, mask_cell
from masking.methods import Basis, RecipientKey
from masking.plan import Plan
from rules.tiers import TierPolicy

NUMBER_BIRTH = re.compile(r"\d{6}(\d{4})(\d{2})(\d{2})\d{3}[\dX]")
IN_DISPUTE = "disputed"
"""The column of the serving copy that names them."""
FOUND, NOT_FOUND, SEVERAL, OUT_OF_SCOPE = "found", "not_found", "several", "out_of_scope"

Values = Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Whom a grant reaches: residents of its areas, of those on its list of clients; everybody where it names neither.

    `clients`: the keyed hashes of their identity numbers; `hashed` makes such a hash.
    """

    areas: tuple[str, ...]
    clients: frozenset[str] | None
    hashed: Hash

    def holds(self, row: Row, target: Target) -> bool:
        return self._lives_in_areas(row, target) and self._is_client(row, target)

    def _lives_in_areas(self, row: Row, target: Target) -> bool:
        if not self.areas:
            return True
        assert target.area_column is not None, "the decision lets no area scope through without an area column"
        return (row[target.area_column] or "").startswith(self.areas)

    def _is_client(self, row: Row, target: Target) -> bool:
        if self.clients is None:
            return True
        number = row[target.number_column] if target.number_column else None
        return bool(number) and self.hashed(ID_NUMBER, number or "") in self.clients


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One look-up that was allowed: the residents of that number, and what of them may be told to whom."""

    rows: Sequence[Row] = field(repr=False)
    target: Target
    plan: Plan
    scope: RowScope
    reach: Reach
    key: RecipientKey
    disputed: Disputed = Disputed.KEEP


def columns_read(target: Target, columns: Collection[str]) -> set[str]:
    """What has to be read of a resident: the granted columns, and what scope, age and dispute are judged by."""
    judged = (target.area_column, target.birth_column, target.number_column)
    return {*columns, RESIDENT_ID, IN_DISPUTE, *(column for column in judged if column)}


def look_up(wanted: Sequence[Wanted], policy: TierPolicy, today: date) -> list[Told]:
    """What each look-up is told. A resident outside the row scope, and two who share a number, are told of as of nobody's."""
    reached = [[row for row in one.rows if one.reach.holds(row, one.target)] for one in wanted]
    values = [_masked(one, rows[0], policy, today) if len(rows) == 1 else None for one, rows in zip(wanted, reached, strict=True)]
    plans = {id(one.plan): one.plan for one in wanted}
    columns = {number: recorded_columns(plan) for number, plan in plans.items()}
    return [_told(one, rows, told, columns[id(one.plan)]) for one, rows, told in zip(wanted, reached, values, strict=True)]


def birth_of(row: Row, target: Target) -> str | None:
    """The birth date by the row itself, else by its identity number."""
    stated = row[target.birth_column] if target.birth_column else None
    number = row[target.number_column] if target.number_column else None
    if stated or not number:
        return stated
    found = NUMBER_BIRTH.fullmatch(number)
    return "-".join(found.groups()) if found else None


def _masked(one: Wanted, row: Row, policy: TierPolicy, today: date) -> Values:
    child, subjects = is_minor(birth_of(row, one.target), today, policy), pa.array([row[RESIDENT_ID]], pa.string())
    values: dict[str, str | None] = {}
    for name, column in one.plan.items():
        mask = column.minor_mask if child else column.mask
        values[name] = mask_cell(mask, row[name] or None, Basis(key=one.key, today=today, column=name, subjects=subjects))
    return DISPUTES[one.disputed](values, disputed_of(row))


def disputed_of(row: Row) -> frozenset[str]:
    """The elements of a resident that are in dispute (存疑) or unresolved (未决)."""
    return frozenset((row[IN_DISPUTE] or "").split())


def _left_out(values: Values, disputed: Collection[str]) -> Values:
    return {name: None if name in disputed else value for name, value in values.items()}


def _marked(values: Values, disputed: Collection[str]) -> Values:
    """One value more: the disputed columns of which a value is shown, with blanks between, as in an extract."""
    shown = " ".join(name for name, value in values.items() if name in disputed and value is not None)
    return {**values, DISPUTED_COLUMN: shown or None}


DISPUTES: Mapping[Disputed, Callable[[Values, Collection[str]], Values]] = {
    Disputed.KEEP: lambda values, _: values,
    Disputed.LEAVE_OUT: _left_out,
    Disputed.MARK: _marked,
}


def _told(one: Wanted, reached: Sequence[Row], values: Values | None, columns: Sequence[Mapping[str, str]]) -> Told:
    """The filters of the scope see masked values only, as in an extract."""
    if values is not None and any(values[column] not in allowed for column, allowed in one.scope.equals.items()):
        values = None
    outcome = FOUND if values is not None else SEVERAL if len(reached) > 1 else OUT_OF_SCOPE if one.rows else NOT_FOUND
    answer = {"found": values is not None, "values": values}
    return Told(
        body=json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode(),
        outcome=outcome,
        rows=1 if values is not None else 0,
        residents=tuple(row[RESIDENT_ID] or "" for row in reached) if values is not None else (),
        facts={"columns": columns},
    )


def recorded_columns(plan: Plan) -> list[dict[str, str]]:
    return [{"column": name, "mask": str(column.mask), "minor_mask": str(column.minor_mask)} for name, column in plan.items()]
