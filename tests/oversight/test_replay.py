"""What an answer gave comes out again, byte for byte, whatever came later; where it does not, that is told; and only to auditors."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from access.epochs import begin_epoch
from access.grants import change_state
from access.inquiries import Told
from access.replaying import Replayed
from access.terms import Disputed, GrantState, Mode, RowScope
from catalog.schema import GoldenVersionRow
from rules.errors import Denied, NotFound, Refused
from rules.tiers import Tier
from tests.access.conftest import GRID, NOW, RESIDENTS, Platform, clients_of, serve_another, serve_golden, text_table

PURPOSE = "复核投诉"


def later(platform: Platform, version: int = 2) -> None:
    """Another golden version stands, the pseudonyms are new, the child has grown up, and a year has gone by."""
    old, new = (platform.lake.root / "golden" / f"v00000{number}" for number in (1, version))
    shutil.copytree(old, new)
    changed = {**RESIDENTS, "name": ["改名"] * 6, "birth_date": ["1950-01-01"] * 6}
    pq.write_table(text_table(changed), new / "residents.parquet")
    with platform.store.session() as session, session.begin():
        first = session.get_one(GoldenVersionRow, 1)
        facts = {"run_id": first.run_id, "residents": 6, "records": 3, "inputs_digest": "0" * 64, "rules_version": "0" * 12, "counts": {}}
        session.add(GoldenVersionRow(version=version, created_at=NOW + timedelta(days=1), **facts))
    platform.clock.now = NOW + timedelta(days=3_000)
    begin_epoch(platform.store, platform.log, by="operator", recipient="civil_affairs", reason="到期更换", now=platform.clock.now)


def replayed(platform: Platform, seq: int, out: Path | None = None) -> Replayed:
    value: Any = platform.door.replay("auditor", PURPOSE, seq, out).value
    return value


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
@pytest.mark.parametrize("terms", [{}, {"row_scope": RowScope(areas=(GRID,))}, {"target": "hukou", "columns": ["name", "phone"]}])
def test_an_extract_comes_out_again_whatever_came_later(
    platform: Platform, tmp_path: Path, file_format: str, terms: dict[str, Any]
) -> None:
    granted = platform.grant(tier=Tier.T2, **terms)
    given = platform.door.extract("lin", granted.id, tmp_path / "given", file_format)
    before = (tmp_path / "given").read_bytes()
    change_state(platform.store, platform.log, by="operator", grant_id=granted.id, state=GrantState.ENDED, why="到期")
    later(platform)
    found = replayed(platform, given.seq, tmp_path / "again")
    assert found.same and found.digest == given.digest and found.rows == given.rows and found.doubts == ()
    assert (tmp_path / "again").read_bytes() == before


def test_an_extract_for_a_list_of_clients_comes_out_again(platform: Platform, tmp_path: Path) -> None:
    granted = platform.grant(row_scope=RowScope(clients=clients_of(platform, RESIDENTS["id_number"][0])))
    given = platform.door.extract("lin", granted.id, tmp_path / "given", "csv")
    later(platform)
    found = replayed(platform, given.seq)
    assert (found.same, found.rows, found.residents) == (True, 1, 1)


LOOKED_UP: dict[str, dict[str, Any]] = {
    "as usual": {},
    "plain": {"tier": Tier.T3},
    "with what is in dispute": {"disputed": Disputed.MARK, "columns": ["name", "phone"]},
    "in an area": {"row_scope": RowScope(areas=(GRID,))},
}


@pytest.mark.parametrize("terms", LOOKED_UP.values(), ids=list(LOOKED_UP))
def test_what_was_looked_up_comes_out_again_whatever_came_later(platform: Platform, tmp_path: Path, terms: dict[str, Any]) -> None:
    """The record names nobody; who was seen is found by the same keyed hash."""
    serve_another(platform, {}, disputed="phone")
    granted = platform.grant(mode=Mode.LOOKUP, **terms)
    answers = [platform.door.look_up("lin", granted.id, "id_number", number) for number in RESIDENTS["id_number"] if number]
    answers.append(platform.door.look_up("lin", granted.id, "id_number", "990605198001010000"))
    later(platform, 3)
    for answer in answers:
        found = replayed(platform, answer.seq, tmp_path / "again.json")
        assert (found.same, found.rows, found.residents) == (True, answer.rows, answer.residents)
        assert isinstance(answer.value, Told) and (tmp_path / "again.json").read_bytes() == answer.value.body


def test_a_look_up_of_a_client_comes_out_again_and_a_changed_version_is_found_out(platform: Platform) -> None:
    serve_golden(platform)
    number = RESIDENTS["id_number"][0] or ""
    granted = platform.grant(mode=Mode.LOOKUP, tier=Tier.T4, row_scope=RowScope(clients=clients_of(platform, number)))
    answer = platform.door.look_up("lin", granted.id, "id_number", number)
    assert replayed(platform, answer.seq).same
    pq.write_table(text_table({**RESIDENTS, "name": ["改名"] * 6}), platform.lake.root / "golden" / "v000001" / "residents.parquet")
    assert not replayed(platform, answer.seq).same


def test_the_bureaus_exports_come_out_again(platform: Platform, tmp_path: Path) -> None:
    exports = [
        platform.door.export_golden("operator", "导出", tmp_path / "golden"),
        platform.door.export_golden("operator", "导出", tmp_path / "labels", labels=True),
        platform.door.export_crosswalk("operator", "导出", tmp_path / "crosswalk"),
    ]
    later(platform)
    assert [replayed(platform, export.seq).same for export in exports] == [True, True, True]


def test_a_version_that_was_changed_since_is_found_out(platform: Platform, tmp_path: Path) -> None:
    given = platform.door.extract("lin", platform.grant().id, tmp_path / "given.csv", "csv")
    table = pa.table({**{name: pa.array(values, pa.string()) for name, values in RESIDENTS.items()}, "sex": pa.array(["2"] * 6)})
    pq.write_table(table, platform.lake.root / "golden" / "v000001" / "residents.parquet")
    found = replayed(platform, given.seq)
    assert not found.same and found.doubts == () and found.recorded_digest == given.digest


def test_what_was_only_compared_is_not_handed_over_and_the_replay_is_on_record(platform: Platform, tmp_path: Path) -> None:
    given = platform.door.extract("lin", platform.grant().id, tmp_path / "given.csv", "csv")
    replayed(platform, given.seq)
    intent, result = list(platform.log.entries())[-2:]
    assert (intent.record.event, result.record.event) == ("access:replay:intent", "access:replay:result")
    assert intent.record.body["replayed"] == given.seq and result.record.body["same"] and "population" not in result.record.body
    assert list(tmp_path.glob("*replay*")) == []
    replayed(platform, given.seq, tmp_path / "again.csv")
    assert "population" in platform.last().record.body


@pytest.mark.parametrize("who", ["operator", "lin", "nobody"])
def test_only_auditors_replay(platform: Platform, tmp_path: Path, who: str) -> None:
    given = platform.door.extract("lin", platform.grant().id, tmp_path / "given.csv", "csv")
    with pytest.raises(Denied):
        platform.door.replay(who, PURPOSE, given.seq, tmp_path / "again.csv")
    assert platform.last().record.event == "access:replay:denied" and not (tmp_path / "again.csv").exists()


def test_what_cannot_be_replayed_is_said(platform: Platform, tmp_path: Path) -> None:
    given = platform.door.extract("lin", platform.grant().id, tmp_path / "given.csv", "csv")
    review = platform.door.review("operator", "复核", 3)
    for seq, fault in ((review.seq, Refused), (given.seq - 1, NotFound), (10_000, NotFound)):
        with pytest.raises(fault):
            platform.door.replay("auditor", PURPOSE, seq)
    later(platform)
    shutil.rmtree(platform.lake.root / "golden" / "v000001")
    with pytest.raises(Refused):
        platform.door.replay("auditor", PURPOSE, given.seq)
    assert platform.log.open_intents() == []
