"""Own clients: a grant reaches the people on an uploaded list, and the list shows nobody's number."""

from pathlib import Path

import pytest

from access.clients import keep_clients
from access.impact import Impact
from access.terms import Clients, RowScope
from rules.errors import IntegrityBroken, Refused
from rules.tiers import Tier
from tests.access.conftest import RESIDENTS, Platform, read_parquet

VALID = ("110105194912310021", "440524188001010014", "11010519491231002X")


def uploaded(platform: Platform, tmp_path: Path, *lines: str) -> Clients:
    file = tmp_path / "clients.txt"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    with platform.store.session() as session:
        return keep_clients(platform.home.clients, session, platform.log, file)


@pytest.fixture
def numbered(platform: Platform) -> Platform:
    """The first two residents carry numbers that are whole."""
    import pyarrow.parquet as pq

    from tests.access.conftest import text_table

    rows = {**RESIDENTS, "id_number": ["11010519491231002X", "440524188001010014", *RESIDENTS["id_number"][2:]]}
    pq.write_table(text_table(rows), platform.lake.root / "golden" / "v000001" / "residents.parquet")
    return platform


def test_an_extract_holds_the_people_on_the_list_and_no_others(numbered: Platform, tmp_path: Path) -> None:
    """Written as people write numbers: with a small x, with blanks; one who is not in the golden record, and one twice."""
    clients = uploaded(numbered, tmp_path, "证件号", "11010519491231002x", "  440524188001010014 ", "11010519491231002X", "")
    assert clients.size == 2
    granted = numbered.grant(tier=Tier.T4, columns=["name", "id_number"], row_scope=RowScope(clients=clients))
    answer = numbered.door.extract("lin", granted.id, tmp_path / "out", "parquet")
    assert {row["name"] for row in read_parquet(tmp_path / "out")} == {"王小明", "欧阳明月"}
    assert answer.residents == 2


def test_the_list_is_looked_at_whatever_is_masked(numbered: Platform, tmp_path: Path) -> None:
    clients = uploaded(numbered, tmp_path, "440524188001010014")
    granted = numbered.grant(columns=["name", "sex"], row_scope=RowScope(clients=clients))
    numbered.door.extract("lin", granted.id, tmp_path / "out", "parquet")
    assert [row["name"] for row in read_parquet(tmp_path / "out")] == ["欧阳**"]
    value = numbered.door.impact("operator", granted, None).value
    assert isinstance(value, Impact)
    assert value.residents == 1


def test_rows_of_a_data_set_are_known_by_the_number_of_their_resident(numbered: Platform, tmp_path: Path) -> None:
    clients = uploaded(numbered, tmp_path, "11010519491231002X")
    granted = numbered.grant(target="hukou", columns=["record", "name"], tier=Tier.T4, row_scope=RowScope(clients=clients))
    numbered.door.extract("lin", granted.id, tmp_path / "out", "parquet")
    assert [row["record"] for row in read_parquet(tmp_path / "out")] == ["h1"]


def test_neither_log_nor_store_nor_the_list_itself_shows_a_number(numbered: Platform, tmp_path: Path) -> None:
    clients = uploaded(numbered, tmp_path, *VALID[1:])
    granted = numbered.grant(columns=["name"], row_scope=RowScope(clients=clients))
    numbered.door.extract("lin", granted.id, tmp_path / "out", "csv")
    (kept,) = numbered.home.clients.rglob("*.clients")
    assert kept.stat().st_mode & 0o777 == 0o600
    records = "".join(str(entry.record.body) for entry in numbered.log.entries())
    told = kept.read_text(encoding="utf-8") + records + str(granted) + (tmp_path / "out.receipt.json").read_text(encoding="utf-8")
    assert not any(number in told for number in VALID)
    assert clients.digest in records


def test_a_faulty_list_tells_the_lines_and_no_number(platform: Platform, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="DOOR-CLIENTS") as refused:
        uploaded(platform, tmp_path, "11010519491231002X", "110105194912310029", "x1", "440524188001010014")
    assert "2, 3" in refused.value.message()
    assert "110105194912310029" not in refused.value.message()
    with pytest.raises(Refused, match="DOOR-CLIENTS"):
        uploaded(platform, tmp_path, "证件号")
    assert not platform.home.clients.exists()


def test_a_list_that_was_touched_gives_nothing(numbered: Platform, tmp_path: Path) -> None:
    granted = numbered.grant(columns=["name"], row_scope=RowScope(clients=uploaded(numbered, tmp_path, VALID[1])))
    (kept,) = numbered.home.clients.rglob("*.clients")
    kept.write_text("", encoding="utf-8")
    with pytest.raises(IntegrityBroken, match="DOOR-POPULATION"):
        numbered.door.extract("lin", granted.id, tmp_path / "out", "csv")
    assert not (tmp_path / "out").exists()


def test_a_list_is_for_what_has_numbers(platform: Platform, tmp_path: Path) -> None:
    scope = RowScope(clients=uploaded(platform, tmp_path, VALID[1]))
    with pytest.raises(Refused, match="DOOR-TERMS"):
        platform.grant(row_scope=scope, target="enterprises", columns=["record"])


def test_a_scope_is_read_back_as_it_was_written() -> None:
    for scope in (RowScope(areas=("440605",)), RowScope(clients=Clients(digest="0" * 64, size=3), equals={"sex": ("1",)})):
        assert RowScope.from_json(scope.as_json()) == scope
