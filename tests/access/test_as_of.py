"""The golden records of a day are those that were served at its end, whatever came later; asking for them is recorded like any answer."""

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from access.accounts import OPERATOR_NAME, ensure_operator
from access.door import create_keys, open_door
from catalog.home import Home
from catalog.store import open_store
from golden.explain import Explanation
from golden.serving import publish
from rules.errors import NotFound
from tests.golden.bureau import LI, LI_ROW, WANG_ROW, Bureau

PURPOSE = "核对历史数据"


def served(bureau: Bureau, at: datetime) -> None:
    publish(bureau.store, bureau.home, bureau.reconcile(now=at).version, now=at)


def test_each_day_gives_what_was_served_at_its_end(home: Home, tmp_path: Path) -> None:
    create_keys(home)
    bureau = Bureau(open_store(home.store_url), home)
    first, second = datetime(2026, 11, 1, 8, tzinfo=UTC), datetime(2026, 11, 3, 15, 59, tzinfo=UTC)  # one minute to midnight in China
    ensure_operator(bureau.store, first)
    bureau.accept("hukou", "police", [("a", LI_ROW), ("b", WANG_ROW)])
    served(bureau, first)
    bureau.accept("hukou", "police", [("a", (LI, "李敏", *LI_ROW[2:])), ("b", WANG_ROW)])
    served(bureau, second)

    with open_door(home, bureau.store, lambda: second) as door:

        def names(day: date) -> set[str]:
            out = tmp_path / f"{day}.parquet"
            door.export_golden(OPERATOR_NAME, PURPOSE, out, as_of=day)
            return set(pq.read_table(out).column("name").to_pylist())

        assert names(date(2026, 11, 1)) == names(date(2026, 11, 2)) == {"李明", "王秀英"}
        assert names(date(2026, 11, 3)) == {"李敏", "王秀英"}
        resident = bureau.residents(1)["hukou/a"]
        then, now = (door.why(OPERATOR_NAME, PURPOSE, resident, "name", day).value for day in (date(2026, 11, 2), None))
        assert isinstance(then, Explanation) and isinstance(now, Explanation)
        assert [reason.value for explained in (then, now) for reason in explained.reasons] == ["李明", "李敏"]
        with pytest.raises(NotFound) as refused:
            door.export_golden(OPERATOR_NAME, PURPOSE, tmp_path / "early.parquet", as_of=date(2026, 10, 31))
        assert refused.value.code == "DOOR-NOT-SERVED"
