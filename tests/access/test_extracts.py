"""Extracts: values in dispute, the population on file, places of a quota, what stops one under way, and receipts that prove themselves."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from access.door import Door
from access.files import write
from access.grants import change_state
from access.places import taken_place
from access.populations import Population, read_population
from access.receipts import verify_receipt
from access.recording import Answer, Outcome, Recording
from access.terms import Disputed, Grant, GrantState, Quota
from audit.keys import create_keys, load_keys
from catalog.schema import AccountRow, DataGrantRow, DatasetColumnRow, ExtractPlaceRow, ReceiptRow
from rules.errors import Denied, IntegrityBroken, Refused
from rules.tiers import Tier
from tests.access.conftest import EXPLANATION, NOW, RESIDENTS, Platform, in_order, read_parquet

DISPUTES = {"R0000000001": ("name", "phone"), "R0000000002": ("sex",), "R0000000005": ("phone",)}


def put_in_dispute(platform: Platform) -> None:
    """Some golden values of three residents, of whom the last is a child."""
    pairs = [(resident, element) for resident, elements in DISPUTES.items() for element in elements]
    ok = {name: values[0] for name, values in EXPLANATION["values"].items()}
    rows = [{**ok, "resident_id": r, "element": e, "status": "disputed" if e != "sex" else "unresolved"} for r, e in pairs]
    pq.write_table(pa.Table.from_pylist(rows), platform.lake.root / "golden" / "v000001" / "values.parquet")


def taken(platform: Platform, out: Path, granted: Grant, door: Door | None = None) -> list[dict[str, Any]]:
    (door or platform.door).extract("lin", granted.id, out, "parquet")
    return read_parquet(out)


@pytest.mark.parametrize("tier", [Tier.T2, Tier.T3, Tier.T4])
def test_values_in_dispute_are_left_out_marked_or_kept_as_the_grant_says(platform: Platform, tmp_path: Path, tier: Tier) -> None:
    put_in_dispute(platform)
    columns = ["name", "phone", "sex", "birth_date"]
    grants = {how: platform.grant(columns=columns, tier=tier, disputed=how) for how in Disputed}
    rows = {how: in_order(platform, granted, taken(platform, tmp_path / how, granted)) for how, granted in grants.items()}
    for place, resident in enumerate(RESIDENTS["resident_id"]):
        kept, disputed = rows[Disputed.KEEP][place], DISPUTES.get(str(resident), ())
        assert rows[Disputed.LEAVE_OUT][place] == {name: None if name in disputed else value for name, value in kept.items()}
        named = " ".join(name for name in columns if name in disputed and kept[name] is not None)
        assert rows[Disputed.MARK][place] == {**kept, "disputed": named or None}


def test_a_filter_does_not_find_what_was_left_out(platform: Platform, tmp_path: Path) -> None:
    put_in_dispute(platform)
    scope = platform.scoped(sex=("2",)).row_scope
    assert len(taken(platform, tmp_path / "kept", platform.grant(columns=["sex"], row_scope=scope, disputed=Disputed.KEEP))) == 2
    assert len(taken(platform, tmp_path / "left", platform.grant(columns=["sex"], row_scope=scope, disputed=Disputed.LEAVE_OUT))) == 1


def test_a_data_set_says_what_its_department_says_and_has_no_marks(platform: Platform, tmp_path: Path) -> None:
    granted = platform.grant(target="hukou", columns=["record", "name"], disputed=Disputed.MARK)
    assert set(taken(platform, tmp_path / "out", granted)[0]) == {"record", "name"}


def test_the_residents_of_an_answer_lie_on_file_under_the_digest_in_its_record(platform: Platform, tmp_path: Path) -> None:
    granted = platform.scoped(sex=("2",))
    platform.door.extract("lin", granted.id, tmp_path / "out", "parquet")
    digest = platform.last().record.body["population"]
    assert set(read_population(platform.home.populations, digest)) == {2, 3}, "whose masked sex is 2"
    with platform.store.session() as session:
        assert session.scalars(sa.select(ReceiptRow.population)).one() == digest
    platform.door.export_golden("operator", "统筹局全量导出", tmp_path / "all")
    assert set(read_population(platform.home.populations, platform.last().record.body["population"])) == {1, 2, 3, 4, 5, 6}


def test_a_population_that_was_touched_is_not_believed(platform: Platform) -> None:
    people = Population()
    people.add(pa.array(["R0000000003", None, "R4294967399", "R0000000003"]))
    digest = people.keep(platform.home.populations)
    assert (people.total, set(read_population(platform.home.populations, digest))) == (3, {3, 4294967399})
    (file,) = platform.home.populations.rglob("*.roaring")
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_bytes(file.read_bytes()[:-1] + b"\0\0")
    with pytest.raises(IntegrityBroken, match="DOOR-POPULATION"):
        read_population(platform.home.populations, digest)


def test_the_same_residents_have_one_digest_however_they_came(platform: Platform) -> None:
    first, second = Population(), Population()
    ids = [f"R{number:010d}" for number in range(1, 3_000)]
    first.add(pa.array(ids))
    for some in (ids[2_000:], ids[:2_500]):
        second.add(pa.array(some[::-1]))
    assert first.keep(platform.home.populations) == second.keep(platform.home.populations)


def test_two_extracts_at_once_do_not_share_the_last_place(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is asked for while the first is being written: it was admitted by the same count, and is turned away at the place."""
    import access.delivery

    granted = platform.grant(quotas={Quota.EXTRACTS: 1})
    told: list[str] = []

    def write_while_another_asks(*arguments: Any) -> int:
        monkeypatch.setattr(access.delivery, "write", write)
        with pytest.raises(Denied) as denied, taken_place(platform.store, granted, "elsewhere/1", NOW):
            pass
        told.append(denied.value.code)
        with pytest.raises(Denied):
            platform.door.extract("lin", granted.id, tmp_path / "second", "csv")
        return write(*arguments)

    monkeypatch.setattr(access.delivery, "write", write_while_another_asks)
    platform.door.extract("lin", granted.id, tmp_path / "first", "csv")
    assert told == ["DOOR-PLACES"]
    assert (tmp_path / "first").exists()
    assert not (tmp_path / "second").exists()
    with platform.store.session() as session:
        assert session.scalars(sa.select(ExtractPlaceRow)).all() == [], "its receipt stands for it now"


def test_an_extract_that_failed_gives_its_place_back_and_so_does_a_dead_door(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    granted = platform.grant(quotas={Quota.EXTRACTS: 1, Quota.ROWS_PER_EXTRACT: 6})
    monkeypatch.setattr("access.files.MAX_XLSX_ROWS", 5)
    with pytest.raises(Exception, match="DOOR-XLSX-ROWS"):
        platform.door.extract("lin", granted.id, tmp_path / "out", "xlsx")
    with platform.store.session() as session, session.begin():
        holder = platform.door._staging.holder.partition("/")[0] + "/deaddeaddeaddead"
        session.add(ExtractPlaceRow(grant_id=granted.id, holder=holder, taken_at=NOW))
    with pytest.raises(Denied):
        platform.door.extract("lin", granted.id, tmp_path / "out", "csv")
    with Door(platform.store, platform.home, platform.log, platform.clock) as next_door:
        assert len(taken(platform, tmp_path / "out", granted, next_door)) == 6


def suspend(platform: Platform, granted: Grant) -> None:
    change_state(platform.store, platform.log, by="operator", grant_id=granted.id, state=GrantState.SUSPENDED, why="违规")


def grade_higher(platform: Platform, _granted: Grant) -> None:
    with platform.store.session() as session, session.begin():
        session.execute(sa.update(DatasetColumnRow).where(DatasetColumnRow.element == "name").values(level="L4"))


def close_account(platform: Platform, _granted: Grant) -> None:
    with platform.store.session() as session, session.begin():
        session.get_one(AccountRow, "lin").active = False


def run_out(platform: Platform, granted: Grant) -> None:
    with platform.store.session() as session, session.begin():
        session.get_one(DataGrantRow, granted.id).valid_to = NOW.date().replace(day=1)


STOPS = {"suspended": suspend, "graded higher": grade_higher, "account closed": close_account, "ran out": run_out}


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
@pytest.mark.parametrize("when", ["at a chunk", "at the end", "at download"])
def test_what_was_granted_otherwise_since_stops_an_extract_under_way(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: Any, when: str
) -> None:
    import access.delivery
    import access.reading

    monkeypatch.setattr(access.reading, "ROWS_A_BATCH", 1)
    granted = platform.grant(columns=["name", "sex"], tier=Tier.T3)

    def stopped_on_the_way(path: Path, names: list[str], batches: Any, file_format: str) -> int:
        def passing() -> Any:
            for place, batch in enumerate(batches):
                if when == "at a chunk" and place == 0:
                    stop(platform, granted)
                assert when != "at a chunk" or place == 0, "the second chunk is not read any more"
                yield batch

        rows = write(path, names, passing(), file_format)
        if when == "at the end":
            stop(platform, granted)
        return rows

    answer = Recording.answer

    def answered_and_stopped(recording: Recording, outcome: Outcome, **given: Any) -> Answer:
        sealed = answer(recording, outcome, **given)
        stop(platform, granted)
        return sealed

    monkeypatch.setattr(access.delivery, "write", stopped_on_the_way)
    if when == "at download":
        monkeypatch.setattr(Recording, "answer", answered_and_stopped)
    with pytest.raises(Denied, match="DOOR-STOPPED"):
        platform.door.extract("lin", granted.id, tmp_path / "out.csv", "csv")
    last = platform.last().record
    assert (last.event.action, last.body["why"]) == ("withheld" if when == "at download" else "aborted", "DOOR-STOPPED")
    assert list(tmp_path.glob("out.csv*")) == []
    with platform.store.session() as session:
        assert session.scalars(sa.select(ReceiptRow)).all() == []


@pytest.fixture
def receipt(platform: Platform, tmp_path: Path) -> dict[str, Any]:
    platform.door.extract("lin", platform.grant().id, tmp_path / "out.csv", "csv")
    platform.door.extract("lin", platform.grant(columns=["sex"]).id, tmp_path / "other.csv", "csv")
    return json.loads((tmp_path / "out.csv.receipt.json").read_text(encoding="utf-8"))


def test_a_receipt_proves_itself_by_the_verifier_key_alone(platform: Platform, receipt: dict[str, Any]) -> None:
    proven = verify_receipt(json.dumps(receipt), platform.log.keys.verifier, receipt["sha256"])
    assert (proven.index, proven.statement["rows"], proven.statement["grant"]["grantee"]) == (receipt["audit"]["index"], 6, "civil_affairs")
    assert (proven.statement["effect_level"], proven.statement["fingerprint"]) == (2, receipt["fingerprint"])


FORGERIES: dict[str, Any] = {
    "more rows": lambda told: told | {"rows": 7},
    "fewer residents": lambda told: told | {"residents": 5},
    "another file": lambda told: told | {"sha256": "0" * 64},
    "another policy": lambda told: told | {"policy_version": 99},
    "another purpose": lambda told: told | {"grant": told["grant"] | {"purpose": "其他"}},
    "no grant": lambda told: told | {"grant": None},
    "a column less": lambda told: told | {"columns": told["columns"][1:]},
    "something added": lambda told: told | {"note": "x"},
    "something left out": lambda told: {name: value for name, value in told.items() if name != "population_sha256"},
    "another fingerprint": lambda told: told | {"fingerprint": "ffffffffffffffff"},
    "another index": lambda told: told | {"audit": told["audit"] | {"index": told["audit"]["index"] - 1}},
    "a record that says otherwise": lambda told: (
        told | {"audit": told["audit"] | {"record": told["audit"]["record"].replace('"rows":6', '"rows":7')}}
    ),
    "no proof": lambda told: told | {"audit": told["audit"] | {"inclusion_proof": []}},
    "a head that nobody signed": lambda told: told | {"audit": told["audit"] | {"checkpoint": told["audit"]["checkpoint"].split("—")[0]}},
    "no audit": lambda told: {name: value for name, value in told.items() if name != "audit"},
    "no object": lambda told: [told],
    "no JSON values": lambda told: told | {"audit": None},
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_receipt_does_not_hold(platform: Platform, receipt: dict[str, Any], forge: Any) -> None:
    with pytest.raises(IntegrityBroken, match="DOOR-RECEIPT"):
        verify_receipt(json.dumps(forge(receipt)), platform.log.keys.verifier)


def test_a_receipt_of_another_file_or_another_log_does_not_hold(platform: Platform, receipt: dict[str, Any], tmp_path: Path) -> None:
    create_keys(tmp_path / "elsewhere")
    for verifier, digest in ((platform.log.keys.verifier, "0" * 64), (load_keys(tmp_path / "elsewhere").verifier, None)):
        with pytest.raises(IntegrityBroken, match="DOOR-RECEIPT"):
            verify_receipt(json.dumps(receipt), verifier, digest)


def test_the_statement_of_one_extract_with_the_record_of_another_does_not_hold(
    platform: Platform, receipt: dict[str, Any], tmp_path: Path
) -> None:
    other = json.loads((tmp_path / "other.csv.receipt.json").read_text(encoding="utf-8"))
    with pytest.raises(IntegrityBroken, match="DOOR-RECEIPT"):
        verify_receipt(json.dumps(receipt | {"audit": other["audit"]}), platform.log.keys.verifier)


def test_a_text_too_long_for_a_cell_is_refused_and_not_cut(tmp_path: Path) -> None:
    for length, fits in ((32_767, True), (32_768, False)):
        rows = [pa.RecordBatch.from_pydict({"note": ["长" * length]})]
        if fits:
            assert write(tmp_path / "out.xlsx", ["note"], rows, "xlsx") == 1
            continue
        with pytest.raises(Refused, match="DOOR-XLSX-CELL"):
            write(tmp_path / "out.xlsx", ["note"], rows, "xlsx")
