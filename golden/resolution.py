"""The order of the steps: from the files of accepted snapshots to the relations of a golden version, in one connection."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from golden.alarms import raise_alarms
from golden.blocking import propose_pairs
from golden.clustering import cluster_units
from golden.comparison import score_pairs
from golden.decisions import DecisionsAtHand, decide_units, give_back, list_decisions
from golden.engine import count
from golden.estimation import learn_weights
from golden.exact_groups import group_exactly
from golden.identity import IdentityChanges, keep_identities, recall
from golden.portions import choose_all_values
from golden.records import read_records
from golden.review import list_review
from golden.sources import RecordSource
from golden.unit_values import list_raw_values, list_unit_values
from golden.weights import Weights
from rules.authority import SurvivorshipRules
from rules.elements import person_elements
from rules.matching import MatchingRules

Told = Callable[[str], None]
NONE_DECIDED = DecisionsAtHand()
FORMER_NAME = "former_name"


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What came out of the steps, in counts."""

    weights: Weights
    identities: IdentityChanges
    records: int
    warnings: tuple[str, ...]
    conflicts_by_element: dict[str, int]


def resolve(
    con: duckdb.DuckDBPyConnection,
    sources: Sequence[RecordSource],
    *,
    matching: MatchingRules,
    survivorship: SurvivorshipRules,
    previous: Path | None,
    weights: Weights | None = None,
    decisions: DecisionsAtHand = NONE_DECIDED,
    told: Told = lambda step: None,
) -> Resolution:
    """Make all relations of a golden version from all records.

    previous: the folder of the version whose ids are kept. weights: of the model that stands, whose relations stand beside it; none: all is
    learnt from these records. told: hears each step's name.
    """
    told("records")
    recall(con, previous)
    give_back(con, decisions.revoked)
    list_decisions(con, decisions.standing)
    read_records(con, sources, matching)
    told("exact groups")
    group_exactly(con, matching.exact)
    decide_units(con)
    told("unit values")
    list_raw_values(con, matching)
    if weights is None:
        told("learning")
        weights = learn_weights(con, matching)
    told("pairs")
    link_units(con, matching, weights)
    told("clusters")
    cluster_units(con, matching, weights)
    _drop_linking(con, matching)
    told("identities")
    changes = keep_identities(con)
    told("values")
    choose_all_values(con, sources, survivorship, golden_columns())
    raise_alarms(con, sources)
    list_review(con, matching, weights)
    return Resolution(
        weights=weights,
        identities=changes,
        records=count(con, "records"),
        warnings=warnings_of(con, matching),
        conflicts_by_element=conflicts_in(con),
    )


def _drop_linking(con: duckdb.DuckDBPyConnection, matching: MatchingRules) -> None:
    """What records say by attribute, once all is linked: the values need the memory. Former names and relatives are asked for later."""
    for attribute in matching.attributes.values():
        con.execute(f"DROP TABLE IF EXISTS raw_{attribute.key}")
        if not attribute.reversed and attribute.key != FORMER_NAME:
            con.execute(f"DROP TABLE IF EXISTS record_{attribute.key}")
    con.execute("DROP TABLE IF EXISTS facts")


def link_units(con: duckdb.DuckDBPyConnection, matching: MatchingRules, weights: Weights) -> None:
    """Candidate pairs of units and their weights."""
    list_unit_values(con, matching, weights)
    propose_pairs(con, matching)
    score_pairs(con, matching, weights)


def golden_columns() -> tuple[str, ...]:
    """The columns of a golden record beside the resident's id."""
    return tuple(element.key for element in person_elements())


def warnings_of(con: duckdb.DuckDBPyConnection, matching: MatchingRules) -> tuple[str, ...]:
    """What was cut short or stands out; names of keys and data sets and counts, no values."""
    capped = con.execute("SELECT key, blocks, units FROM blocks_capped ORDER BY key").fetchall()
    shared = con.execute("SELECT attribute, shared FROM shared_values WHERE shared > 0 ORDER BY attribute").fetchall()
    large = con.execute("SELECT count(*), max(units) FROM components_large").fetchall()[0]
    stamped = con.execute("SELECT dataset FROM sources WHERE stamped ORDER BY dataset").fetchall()
    several = count(con, "number_conflicts")
    return (
        *(f"阻塞键过大 blocks over {matching.block_cap} left out under [{key}]: {n} ({units} units)" for key, n, units in capped),
        *(f"多人共用的值不作依据 values of {attribute} shared too widely to be evidence: {n}" for attribute, n in shared),
        *(
            (f"过大的连通分量只按候选对聚类 large components, by proposed pairs only: {large[0]}, largest {large[1]} units",)
            if large[0]
            else ()
        ),
        *(f"更新日期为统一盖戳，不作新旧依据 dates stamped at upload say nothing: {dataset}" for (dataset,) in stamped),
        *((f"疑似重号或借用 numbers that several names carry: {several}",) if several else ()),
    )


def conflicts_in(con: duckdb.DuckDBPyConnection, rivals: str = "rivals") -> dict[str, int]:
    """Residents with more than one value, by element. rivals: SQL of (res, element, …)."""
    rows = con.execute(f"SELECT element, count(DISTINCT res) FROM {rivals} GROUP BY element ORDER BY element").fetchall()
    return {element: int(n) for element, n in rows}
