"""A run that looks only at what changes can reach, and leaves the same version as a full run by the same model would.

The steps are those of `resolution`, over touched records and over what the state knows of the units near them (`changes`); what comes out
for the core replaces what the last version said, all else stands. The golden values are chosen only for residents whose records changed, in
number or in what they say, and for those whose identity number turned out, or ceased, to be another's as well.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from golden.alarms import raise_alarms
from golden.changes import (
    all_parts,
    also_changed,
    draw_in,
    draw_in_decided,
    list_blocks,
    list_changed,
    list_core,
    list_expected,
    list_mates,
    list_near,
    list_touched,
    propose_near,
    reduced,
    touch_renumbered,
)
from golden.claims import list_claimants
from golden.clustering import cluster_units
from golden.comparison import score_pairs
from golden.decisions import DecisionsAtHand, decide_units, give_back, list_decisions, list_moved
from golden.engine import count
from golden.exact_groups import group_exactly
from golden.identity import IdentityChanges, keep_identities, recall
from golden.records import list_records, read_records, rid_in
from golden.resolution import Resolution, conflicts_in, warnings_of
from golden.review import list_review
from golden.sources import RecordSource, claimed_elements
from golden.state import label_components, relatives_elsewhere, spell, stand_in
from golden.survivorship import choose_numbers, choose_others, make_empty
from golden.unit_values import list_raw_values, list_unit_values
from golden.versions import relation
from golden.weights import Weights
from rules.authority import SurvivorshipRules
from rules.matching import MatchingRules

MOST_CHANGED = 0.2
"""Where more of all records changed, a full run is the quicker one."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The last version: its folder, its snapshots by data set, its counts and warnings, the stewards' decisions that stood."""

    folder: Path
    snapshots: dict[str, int]
    residents: int
    records: int
    warnings: tuple[str, ...]
    conflicts_by_element: dict[str, int]
    decisions: tuple[int, ...] = ()


def resolve_changes(
    con: duckdb.DuckDBPyConnection,
    sources: Sequence[RecordSource],
    *,
    stamped: Collection[str],
    matching: MatchingRules,
    survivorship: SurvivorshipRules,
    standing: Standing,
    weights: Weights,
    decisions: DecisionsAtHand,
    spill: Path,
    told: Callable[[str], None] = lambda step: None,
) -> Resolution | None:
    """Make the relations of a version that stands on `standing`; None where so much changed that a full run is due.

    The state of that version is attached as `state`, and the relations of the model stand. Beside the relations of a full run there are
    `touched`(res) and those of `changes`, which `bring_forward` needs.
    """
    told("changes")
    moved = [place for place, source in enumerate(sources) if standing.snapshots.get(source.dataset) != source.version]
    if list_changed(con, sources, moved, stamped, matching) > MOST_CHANGED * standing.records:
        return None
    list_decisions(con, decisions.standing)
    also_changed(con, list_moved(con, decisions.moved_since(standing.decisions)))
    list_touched(con)
    with TemporaryDirectory(prefix="scope-", dir=spill) as folder:
        scope = _Scope(
            con=con,
            sources=sources,
            stamped=stamped,
            matching=matching,
            weights=weights,
            standing=standing,
            decisions=decisions,
            folder=Path(folder),
        )
        told("scope")
        at_hand = scope.group()
        scope.reach()
        while True:
            told("linking")
            scope.link()
            chosen_from = scope.read_core(at_hand)
            told("identities")
            changes = keep_identities(con)
            told("values")
            _list_touched_residents(con, standing.folder)
            make_empty(con)
            list_claimants(con)
            choose_numbers(con, chosen_from, survivorship)
            if not _numbers_unsettled(con):
                break
        choose_others(con, chosen_from, survivorship, claimed_elements(chosen_from))
        raise_alarms(con, chosen_from)
        told("review")
        list_review(con, matching, weights, _residents_near(con), standing.folder)
        _recall_keys(con)
    return _resolution(con, matching, standing, weights, changes)


@dataclass(frozen=True, kw_only=True)
class _Scope:
    con: duckdb.DuckDBPyConnection
    sources: Sequence[RecordSource]
    stamped: Collection[str]
    matching: MatchingRules
    weights: Weights
    standing: Standing
    decisions: DecisionsAtHand
    folder: Path

    def group(self) -> tuple[RecordSource, ...]:
        """The touched records are read and grouped anew; gives the sources with them and with those that are likely to be asked for."""
        con, tried = self.con, 0
        con.execute("CREATE OR REPLACE TEMP VIEW known_names AS FROM state.names")
        while True:
            at_hand = reduced(con, self.sources, list_expected(con), self.folder / str(tried := tried + 1))
            con.execute("""
                CREATE OR REPLACE TEMP TABLE attested_elsewhere AS FROM state.attested_cut ANTI JOIN touched_numbers USING (number)""")
            self.recall()
            read_records(con, at_hand, self.matching, self.stamped)
            con.execute("CREATE OR REPLACE TABLE records_read AS FROM records")
            con.execute("DELETE FROM records WHERE rid NOT IN (FROM touched_records)")
            group_exactly(con, self.matching.exact)
            decide_units(con)
            if not touch_renumbered(con, self.matching):
                break
        con.execute("CREATE OR REPLACE TEMP TABLE standing_touched AS SELECT unit FROM units")
        return at_hand

    def reach(self) -> None:
        """What the touched units say now, and by the blocks that they are in now and were in, `near_units`."""
        con = self.con
        list_raw_values(con, self.matching)
        relatives_elsewhere(con, self.matching)
        spell(con, self.matching, units=False)
        list_unit_values(con, self.matching, self.weights)
        list_blocks(con, self.matching)
        draw_in_decided(con, "touched_records")
        while list_mates(con, self.matching):
            stand_in(con, self.matching, "crossing")

    def link(self) -> None:
        """From the units at hand and near to clusters; gives `core_units` and `core_records`."""
        con = self.con
        while True:
            stand_in(con, self.matching, list_near(con))
            spell(con, self.matching, units=True)
            decide_units(con)
            propose_near(con, self.matching)
            score_pairs(con, self.matching, self.weights)
            cluster_units(con, self.matching, self.weights)
            label_components(con)
            list_core(con)
            if not draw_in_decided(con, "core_records"):
                break
        con.execute("DELETE FROM cluster_of WHERE unit NOT IN (FROM standing_core)")

    def recall(self) -> None:
        recall(self.con, self.standing.folder, "concerned_residents")
        give_back(self.con, self.decisions.revoked)

    def read_core(self, at_hand: tuple[RecordSource, ...]) -> tuple[RecordSource, ...]:
        """`records` of the core; what was not expected of it is read now. Gives the sources with all that was read."""
        con = self.con
        con.execute("CREATE OR REPLACE TABLE missing_records AS SELECT rid FROM core_records ANTI JOIN expected_records USING (rid)")
        if count(con, "missing_records"):
            self.recall()
            self._read_more(at_hand)
            con.execute("INSERT INTO expected_records FROM missing_records")
        con.execute("CREATE OR REPLACE TABLE records AS FROM records_read")
        return tuple(all_parts(source) for source in at_hand)

    def _read_more(self, at_hand: Sequence[RecordSource]) -> None:
        con, folder = self.con, at_hand[0].standard.parents[2]
        for name in ("names", "doubtful"):
            con.execute(f"CREATE OR REPLACE TEMP TABLE {name}_read AS FROM {name}")
        part = 1 + len(list(at_hand[0].standard.parent.iterdir()))
        list_records(con, reduced(con, self.sources, "missing_records", folder, part), self.matching, self.stamped)
        con.execute("INSERT INTO records_read FROM records")
        for name in ("names", "doubtful"):
            con.execute(f"INSERT INTO {name} FROM (FROM {name}_read EXCEPT FROM {name})")


def _residents_near(con: duckdb.DuckDBPyConnection) -> str:
    """residents_near(rid, res): the core as it is, and the others near as they were."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE residents_near AS
        FROM core_residents UNION ALL
        SELECT rid, res FROM state.unit_of JOIN state.units USING (unit)
        WHERE unit IN (FROM near_units) AND unit NOT IN (FROM standing_core)""")
    return "residents_near"


def _recall_keys(con: duckdb.DuckDBPyConnection) -> None:
    """What the units of the review queue are called, where their records are not at hand."""
    con.execute("""
        INSERT INTO records BY NAME
        SELECT unit AS rid, src, record FROM state.units
        WHERE unit IN (SELECT a FROM review_pairs UNION SELECT b FROM review_pairs) AND unit NOT IN (SELECT rid FROM records)""")


def _list_touched_residents(con: duckdb.DuckDBPyConnection, previous: Path) -> None:
    """touched(res): who has other records than before, or records that say something else, or is held together by other evidence, or whose
    number may have come to be or ceased to be their own by what others with it say; from here on `resident_of` holds only theirs.

    Whoever merged into one of them earlier, or whose id now resolves to another, is touched as well.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE core_residents AS FROM resident_of")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE was_of AS
        SELECT rid, res FROM state.unit_of SEMI JOIN core_records USING (rid) JOIN state.units USING (unit)""")
    con.execute("CREATE TEMP TABLE IF NOT EXISTS unsettled (res BIGINT)")
    _list_held_otherwise(con, previous)
    con.execute("""
        CREATE OR REPLACE TEMP TABLE touched AS
        WITH moved AS (
          SELECT o.res AS was, n.res AS is_now FROM was_of o FULL JOIN core_residents n USING (rid)
          WHERE o.res IS DISTINCT FROM n.res OR rid IN (FROM touched_records)),
        known AS (
          SELECT res FROM identities FULL JOIN old_identities o USING (res)
          WHERE identities.status IS DISTINCT FROM o.status OR identities.superseded_by IS DISTINCT FROM o.superseded_by)
        SELECT was AS res FROM moved WHERE was IS NOT NULL UNION SELECT is_now FROM moved WHERE is_now IS NOT NULL
        UNION FROM known UNION FROM returned UNION FROM unsettled UNION FROM held_otherwise""")
    con.execute("CREATE OR REPLACE TABLE resident_of AS SELECT * FROM core_residents SEMI JOIN touched USING (res)")
    con.execute("CREATE OR REPLACE TEMP TABLE numbers_elsewhere AS SELECT number FROM state.own_numbers ANTI JOIN touched USING (res)")


def _list_held_otherwise(con: duckdb.DuckDBPyConnection, previous: Path) -> None:
    """held_otherwise(res): of whom other pairs were compared than before. All pairs of a component are, unless it is large: a unit that
    came to it, or left it, can so change the evidence of residents whom it is no part of.
    """
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE held_otherwise AS
        WITH now AS (SELECT res, a, b, e.bits::BIGINT AS bits, bridge FROM evidence e JOIN core_residents r ON r.rid = e.a),
        before AS (
          SELECT resident_id[2:]::BIGINT AS res, {rid_in("dataset_a", "record_a")} AS a, {rid_in("dataset_b", "record_b")} AS b,
            round(bits * 100)::BIGINT AS bits, bridge FROM {relation(previous, "evidence")}),
        known AS (FROM before SEMI JOIN concerned_residents USING (res))
        SELECT res FROM (FROM now EXCEPT ALL FROM known) UNION SELECT res FROM (FROM known EXCEPT ALL FROM now)""")


def _numbers_unsettled(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether others hold a golden number that one of the touched took up or gave up: `unsettled`, to be looked at again with them."""
    before = count(con, "unsettled")
    con.execute("""
        INSERT INTO unsettled SELECT DISTINCT res FROM state.own_numbers ANTI JOIN touched USING (res)
        WHERE number IN ((SELECT number FROM numbers_of_record EXCEPT SELECT number FROM state.own_numbers SEMI JOIN touched USING (res))
          UNION (SELECT number FROM state.own_numbers SEMI JOIN touched USING (res) EXCEPT SELECT number FROM numbers_of_record))""")
    con.execute("CREATE OR REPLACE TEMP TABLE unsettled_units AS SELECT unit FROM state.units SEMI JOIN unsettled USING (res)")
    draw_in(con, "unsettled_units")
    return count(con, "unsettled") > before


def _resolution(
    con: duckdb.DuckDBPyConnection, matching: MatchingRules, standing: Standing, weights: Weights, changes: IdentityChanges
) -> Resolution:
    """The counts of the whole version: those of the last one, less what the core was, with what it is."""
    before = {
        "records": count(con, "was_of"),
        "residents": count(con, "old_identities", "status = 'active'"),
    }
    residents = standing.residents - before["residents"] + count(con, "identities", "status = 'active'")
    records = standing.records - before["records"] + count(con, "core_residents")
    conflicts = _conflicts(con, standing)
    _restrict(con)
    return Resolution(
        weights=weights,
        identities=IdentityChanges(residents=residents, new=changes.new, merged=changes.merged, split=changes.split),
        records=records,
        warnings=tuple(dict.fromkeys((*standing.warnings, *warnings_of(con, matching)))),
        conflicts_by_element=conflicts,
    )


def _conflicts(con: duckdb.DuckDBPyConnection, standing: Standing) -> dict[str, int]:
    """Residents with more than one value, by element: those of the last version, the touched counted anew."""
    rivals = f"(SELECT resident_id[2:]::BIGINT AS res, element FROM {relation(standing.folder, 'rivals')}) SEMI JOIN touched USING (res)"
    before, now, all_then = conflicts_in(con, rivals), conflicts_in(con), standing.conflicts_by_element
    counts = {key: all_then.get(key, 0) - before.get(key, 0) + now.get(key, 0) for key in sorted({*all_then, *now})}
    return {element: n for element, n in counts.items() if n}


def _restrict(con: duckdb.DuckDBPyConnection) -> None:
    """What is written of a version that stands on another is what concerns the touched."""
    for name in ("identities", "history"):
        con.execute(f"DELETE FROM {name} WHERE res NOT IN (FROM touched)")
