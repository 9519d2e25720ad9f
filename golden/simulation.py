"""What a changed rule of survivorship would do before it is published: how many golden values would flip, whose, and who would be told.

The values of the elements concerned are chosen anew over the whole population, from the snapshots and by the model of the newest version,
and compared with what stands. Nothing is written; what leaves is counts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import sqlalchemy as sa

from catalog.lake import Lake
from catalog.schema import DataGrantRow, GoldenInputRow, GoldenVersionRow
from catalog.snapshots import CHINA, newest_accepted
from catalog.store import Store
from golden.decisions import decisions_at, list_decisions
from golden.engine import open_engine
from golden.exact_groups import group_exactly
from golden.model import recall_model
from golden.records import read_records, rid_in
from golden.sources import RecordSource, record_sources
from golden.survivorship import choose_values
from golden.versions import golden_folder, relation
from rules.authority import SurvivorshipRules
from rules.errors import NotFound, Refused
from rules.matching import load_matching

AGE_BANDS = ((0, 14), (14, 35), (35, 60), (60, 200))
GOLDEN = "golden"


@dataclass(frozen=True, kw_only=True)
class ElementChange:
    """Residents by what becomes of one element: another value, one where there was none, none where there was one, in or out of 存疑."""

    element: str
    flipped: int
    found: int
    lost: int
    newly_disputed: int
    settled: int


@dataclass(frozen=True, kw_only=True)
class GrantReached:
    """An open grant over the golden record that covers a changed element: how many residents within its areas have another value."""

    grant: int
    grantee: str
    elements: tuple[str, ...]
    residents: int


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What would change. `by_grid`, `by_age`: residents with any change; `by_source`: (element, from, to, residents)."""

    version: int
    elements: tuple[str, ...]
    residents: int
    residents_changed: int
    by_element: tuple[ElementChange, ...]
    by_grid: Mapping[str, int]
    by_age: Mapping[str, int]
    by_source: tuple[tuple[str, str, str, int], ...]
    grants: tuple[GrantReached, ...]


def simulate(store: Store, lake: Lake, rules: SurvivorshipRules, current: SurvivorshipRules, *, now: datetime) -> Simulation:
    """Compare what `rules` would choose with the newest version.

    Raises NotFound REC-NONE without a version, Refused REC-MOVED where newer snapshots were accepted since: reconcile first.
    """
    elements = tuple(sorted(key for key, rule in rules.rules.items() if rule != current.rules[key] or _priors_differ(rules, current)))
    version, sources = _standing(store, lake)
    folder = golden_folder(lake, version.version)
    with open_engine(lake.root / "golden" / "spill-simulation") as con:
        with store.session() as session:
            list_decisions(con, decisions_at(session, now).standing)
        if version.counts.get("model") is not None:
            recall_model(con, lake, version.counts["model"])
        _choose(con, sources, folder, rules, elements)
        _compare(con, folder, elements)
        return Simulation(
            version=version.version,
            elements=elements,
            residents=version.residents,
            residents_changed=con.execute("SELECT count(DISTINCT res) FROM changed_values").fetchall()[0][0],
            by_element=_by_element(con, elements),
            by_grid=_counts(con, "coalesce(grid_code, '')"),
            by_age=_counts(con, _age_band(now.astimezone(CHINA).date())),
            by_source=_by_source(con),
            grants=_grants(con, store, elements, now),
        )


def _priors_differ(rules: SurvivorshipRules, current: SurvivorshipRules) -> bool:
    return dict(rules.prior_reliability) != dict(current.prior_reliability)


def _standing(store: Store, lake: Lake) -> tuple[GoldenVersionRow, tuple[RecordSource, ...]]:
    with store.session() as session:
        version = session.scalar(sa.select(GoldenVersionRow).order_by(GoldenVersionRow.version.desc()).limit(1))
        if version is None:
            raise NotFound("REC-NONE")
        inputs = sa.select(GoldenInputRow).where(GoldenInputRow.golden_version == version.version)
        taken = {row.dataset_key: row.snapshot_version for row in session.scalars(inputs)}
        sources = record_sources(newest_accepted(session, lake))
    moved = sorted(source.dataset for source in sources if taken.get(source.dataset) != source.version)
    if moved:
        raise Refused("REC-MOVED", where=", ".join(moved))
    return version, sources


def _choose(
    con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], folder: Path, rules: SurvivorshipRules, elements: Collection[str]
) -> None:
    """The relations that values are chosen from, residents as they stand; then the values of the elements."""
    matching = load_matching()
    read_records(con, sources, matching)
    group_exactly(con, matching.exact)
    con.execute(f"""
        CREATE OR REPLACE TABLE resident_of AS
        SELECT {rid_in("dataset", "record")} AS rid, resident_id[2:]::BIGINT AS res FROM {relation(folder, "crosswalk")}""")
    choose_values(con, sources, rules, elements)


def _compare(con: duckdb.DuckDBPyConnection, folder: Path, elements: Sequence[str]) -> None:
    """changed_values(res, element, was, is_now, status_was, status_now, dataset_was, dataset_now, grid_code, birth_date)"""
    listed = ", ".join(f"'{element}'" for element in elements) or "NULL"
    named = f"element IN ({listed})"
    said = "res, element, value, status, dataset"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE changed_values AS
        WITH stood AS (
          SELECT {said} FROM (SELECT *, resident_id[2:]::BIGINT AS res FROM {relation(folder, "values")}) WHERE {named}),
        chosen AS (SELECT {said} FROM golden_values WHERE {named}),
        people AS (SELECT resident_id[2:]::BIGINT AS res, grid_code, birth_date FROM {relation(folder, "residents")})
        SELECT res, element, s.value AS was, c.value AS is_now, s.status AS status_was, c.status AS status_now,
          s.dataset AS dataset_was, c.dataset AS dataset_now, grid_code, birth_date
        FROM stood s FULL JOIN chosen c USING (res, element) LEFT JOIN people USING (res)
        WHERE s.value IS DISTINCT FROM c.value OR s.status IS DISTINCT FROM c.status""")


def _by_element(con: duckdb.DuckDBPyConnection, elements: Sequence[str]) -> tuple[ElementChange, ...]:
    rows = con.execute("""
        SELECT element, count_if(was <> is_now), count_if(was IS NULL AND is_now IS NOT NULL), count_if(was IS NOT NULL AND is_now IS NULL),
          count_if(status_now = 'disputed' AND status_was IS DISTINCT FROM 'disputed'),
          count_if(status_was = 'disputed' AND status_now IS DISTINCT FROM 'disputed')
        FROM changed_values GROUP BY element""").fetchall()
    found = {element: counts for element, *counts in rows}
    names = ("flipped", "found", "lost", "newly_disputed", "settled")
    return tuple(ElementChange(element=key, **dict(zip(names, found.get(key, (0,) * 5), strict=True))) for key in elements)


def _counts(con: duckdb.DuckDBPyConnection, group: str) -> dict[str, int]:
    rows = con.execute(f"SELECT {group} AS part, count(DISTINCT res) FROM changed_values GROUP BY part ORDER BY part").fetchall()
    return {str(part): n for part, n in rows}


def _age_band(today: date) -> str:
    age = f"date_diff('year', try_cast(left(birth_date || '-01-01', 10) AS DATE), DATE '{today}')"
    cases = " ".join(f"WHEN {age} < {end} THEN '{start}–{end - 1}'" for start, end in AGE_BANDS[:-1])
    return f"CASE WHEN {age} IS NULL THEN '' {cases} ELSE '{AGE_BANDS[-1][0]}+' END"


def _by_source(con: duckdb.DuckDBPyConnection) -> tuple[tuple[str, str, str, int], ...]:
    rows = con.execute("""
        SELECT element, coalesce(dataset_was, ''), coalesce(dataset_now, ''), count(*) FROM changed_values WHERE was IS DISTINCT FROM is_now
        GROUP BY ALL ORDER BY count(*) DESC, 1, 2, 3""").fetchall()
    return tuple((element, was, now, n) for element, was, now, n in rows)


def _grants(con: duckdb.DuckDBPyConnection, store: Store, elements: Sequence[str], now: datetime) -> tuple[GrantReached, ...]:
    """Grants that are active today; within their areas, as far as they name any."""
    today = now.astimezone(CHINA).date()
    open_grants = (
        sa.select(DataGrantRow)
        .where(DataGrantRow.target == GOLDEN, DataGrantRow.state == "active", DataGrantRow.valid_to >= today)
        .order_by(DataGrantRow.id)
    )
    with store.session() as session:
        grants = list(session.scalars(open_grants))
    reached = []
    for grant in grants:
        covered = [element for element in elements if element in grant.columns]
        areas = " OR ".join(f"starts_with(grid_code, '{int(area)}')" for area in grant.row_scope.get("areas", ())) or "true"
        if covered:
            residents = con.execute(
                f"""SELECT count(DISTINCT res) FROM changed_values WHERE was IS DISTINCT FROM is_now AND list_contains($1, element)
                    AND ({areas})""",
                [covered],
            ).fetchall()[0][0]
            reached.append(GrantReached(grant=grant.id, grantee=grant.grantee_key, elements=tuple(covered), residents=residents))
    return tuple(reached)
