"""What agreeing to terms would let out (影响): counts for whoever decides, before he decides; law.md L-24, I-05, G-04.

Everything here is counted over the rows in scope as they would be masked. No value, no row, no resident leaves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.clients import Listed
from access.files import write
from access.populations import Population
from access.reading import SUBJECT, MaskTerms, base_batches, base_query, masked_batches
from access.targets import Target
from access.terms import Grant, RowScope
from catalog.schema import DataGrantRow, ReceiptRow
from masking.plan import Plan, plan_warnings
from masking.proposal import lowest_tier
from rules.levels import Level, highest
from rules.tiers import Tier

MOST_RELEASES = 50
"""So many earlier grants of the same requester are compared, newest first."""

IDENTIFYING_KINDS = frozenset({"name", "id_number", "document_number", "phone", "resident_id", "household_number"})
"""Kinds that tell one person from the next whatever the others say; groups are formed by the other columns."""


@dataclass(frozen=True, kw_only=True)
class ReleasedColumn:
    """A column as it would come out."""

    name: str
    element: str | None
    level: Level
    mask: str
    minor_mask: str


@dataclass(frozen=True, kw_only=True)
class Groups:
    """People who are alike in `columns`, as released, counted in persons. `smallest` None: no rows, or no column to form groups by.

    `rows_in_small`: of people alike with fewer than the policy's acceptable group; who knows one of them can tell his row.
    """

    columns: tuple[str, ...]
    smallest: int | None
    rows_in_small: int


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """An earlier grant of the same requester under which something was handed over.

    `both`: columns of both; `added`: what the requester would come to know beside what it has; `level`: that of the two joined (L-24);
    `residents`: so many of those in scope lie in the earlier scope's areas too, at most; None where rows belong to no known resident.
    """

    grant: int
    target: str
    receipts: int
    last_handed_over: str
    both: tuple[str, ...]
    added: tuple[str, ...]
    level: Level
    residents: int | None


@dataclass(frozen=True, kw_only=True)
class Impact:
    """What is seen before deciding. `by_level`: columns by level; `identifying`: released columns that name the person by themselves;
    `lowest_tier`: the lowest that is sufficient, beside the one asked for (I-07).
    """

    target: str
    target_version: int
    rows: int
    residents: int
    columns: tuple[ReleasedColumn, ...]
    by_level: Mapping[Level, tuple[str, ...]]
    identifying: tuple[str, ...]
    groups: Groups
    overlaps: tuple[Overlap, ...]
    warnings: tuple[str, ...]
    tier: Tier
    lowest_tier: Tier


@dataclass(frozen=True, kw_only=True)
class Release:
    """An earlier grant with receipts."""

    grant: int
    target: str
    columns: tuple[str, ...]
    scope: RowScope
    receipts: int
    last_handed_over: str


def weigh(
    con: duckdb.DuckDBPyConnection,
    target: Target,
    terms: Grant,
    mask: MaskTerms,
    staged: Path,
    earlier: Sequence[tuple[Release, Target | None]],
    listed: Listed | None = None,
) -> Impact:
    """Count it all. `staged` is a file of the door's own for the masked rows; `earlier` the releases with their targets as they stand.

    `listed`: the list of clients that the terms name.
    """
    grouping = group_columns(target, mask.plan)
    residents, rows = Population(), _RowCount()
    base = base_batches(con, target, list(mask.plan), terms.row_scope, listed=listed)
    _stage(staged, grouping, rows.counted(masked_batches(base, terms.row_scope, mask, residents, with_subjects=True)))
    columns, facts = released_columns(target, mask.plan), [target.columns[name].facts for name in terms.columns]
    return Impact(
        target=target.key,
        target_version=target.version,
        rows=rows.total,
        residents=residents.total,
        columns=columns,
        by_level=by_level(columns),
        identifying=identifying(target, mask.plan),
        groups=groups_of(con, staged, grouping, mask.policy.acceptable_group),
        overlaps=tuple(
            overlap_of(release, terms, target, known, _in_both(con, target, terms, known, release)) for release, known in earlier
        ),
        warnings=tuple(plan_warnings(facts, mask.plan)),
        tier=terms.tier,
        lowest_tier=lowest_tier(facts, {mask.policy.tiers[terms.tier].answer}, mask.policy, chosen=terms.masks),
    )


def released_columns(target: Target, made: Plan) -> tuple[ReleasedColumn, ...]:
    return tuple(
        ReleasedColumn(
            name=name,
            element=target.columns[name].facts.element,
            level=target.columns[name].facts.level,
            mask=column.mask.method,
            minor_mask=column.minor_mask.method,
        )
        for name, column in made.items()
    )


def by_level(columns: Sequence[ReleasedColumn]) -> dict[Level, tuple[str, ...]]:
    """Column names by level, the highest level first."""
    levels = sorted({column.level for column in columns}, reverse=True)
    return {level: tuple(column.name for column in columns if column.level is level) for level in levels}


def identifying(target: Target, made: Plan) -> tuple[str, ...]:
    """Columns that come out and tell one person from the next."""
    return tuple(name for name in _shown(made) if target.columns[name].facts.kind in IDENTIFYING_KINDS)


def group_columns(target: Target, made: Plan) -> tuple[str, ...]:
    """Columns that come out and can make people alike or unlike."""
    return tuple(name for name in _shown(made) if target.columns[name].facts.kind not in IDENTIFYING_KINDS)


def groups_of(con: duckdb.DuckDBPyConnection, staged: Path, columns: Sequence[str], smallest: int) -> Groups:
    """Group the masked rows that were staged; a row of no known resident counts as a person."""
    if not columns:
        return Groups(columns=(), smallest=None, rows_in_small=0)
    named = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in columns)
    path = str(staged).replace("'", "''")
    found = con.execute(
        f"""SELECT min(persons), coalesce(sum(n) FILTER (persons < {smallest}), 0)
            FROM (SELECT count(*) AS n, count(DISTINCT {SUBJECT}) + count(*) FILTER ({SUBJECT} IS NULL) AS persons
                  FROM read_parquet('{path}') GROUP BY {named})"""
    ).fetchall()
    least, small = found[0]
    return Groups(columns=tuple(columns), smallest=least, rows_in_small=int(small))


def earlier_releases(session: Session, requester: str) -> list[Release]:
    """Grants of a department under which something was handed over, newest first."""
    grant, receipt = DataGrantRow, ReceiptRow
    last = sa.func.max(receipt.handed_over_at)
    query = (
        sa.select(grant, sa.func.count(receipt.id), last)
        .join(receipt, receipt.grant_id == grant.id)
        .where(grant.grantee_key == requester)
        .group_by(grant.id)
        .order_by(grant.id.desc())
        .limit(MOST_RELEASES)
    )
    return [
        Release(
            grant=row.id,
            target=row.target,
            columns=tuple(row.columns),
            scope=RowScope.from_json(row.row_scope),
            receipts=count,
            last_handed_over=handed_over.date().isoformat(),
        )
        for row, count, handed_over in session.execute(query).tuples()
    ]


def overlap_of(release: Release, terms: Grant, target: Target, earlier: Target | None, residents: int | None) -> Overlap:
    """Columns are the same where they carry the same element, or have the same name in the same target."""
    known = {_meaning(earlier or target, name): name for name in release.columns}
    wanted = {name: _meaning(target, name) for name in terms.columns}
    levels = [target.columns[name].facts.level for name in terms.columns]
    levels += [earlier.columns[name].facts.level for name in release.columns if earlier and name in earlier.columns]
    return Overlap(
        grant=release.grant,
        target=release.target,
        receipts=release.receipts,
        last_handed_over=release.last_handed_over,
        both=tuple(name for name, meaning in wanted.items() if meaning in known),
        added=tuple(name for name, meaning in wanted.items() if meaning not in known),
        level=highest(levels),
        residents=residents,
    )


class _RowCount:
    """Counts rows as they pass."""

    def __init__(self) -> None:
        self.total = 0

    def counted(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            self.total += batch.num_rows
            yield batch


def _stage(staged: Path, columns: Sequence[str], batches: Iterator[pa.RecordBatch]) -> None:
    """Only the columns that form groups, as they would come out, and whom each row is about."""
    wanted = [*columns, SUBJECT]
    write(staged, wanted, (batch.select(wanted) for batch in batches), "parquet")


def _in_both(con: duckdb.DuckDBPyConnection, target: Target, terms: Grant, earlier: Target | None, release: Release) -> int | None:
    """Residents in both scopes by area. Filters are not looked at: they hold of masked values, so that this is the most there can be."""
    if earlier is None or not (target.persons and earlier.persons):
        return None
    mine, theirs = base_query(target, [], terms.row_scope.areas), base_query(earlier, [], release.scope.areas)
    found = con.execute(
        f"SELECT count(DISTINCT {SUBJECT}) FROM ({mine}) WHERE {SUBJECT} IN (SELECT {SUBJECT} FROM ({theirs}) WHERE {SUBJECT} IS NOT NULL)"
    ).fetchall()
    return int(found[0][0])


def _shown(made: Plan) -> Iterator[str]:
    """Columns that are not suppressed for everybody."""
    return (name for name, column in made.items() if {column.mask.method, column.minor_mask.method} != {"suppress"})


def _meaning(target: Target, name: str) -> str:
    column = target.columns.get(name)
    return (column.facts.element if column else None) or f"{target.key}.{name}"
