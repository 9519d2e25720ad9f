"""`tongchou receipt verify` on a real extract, without the home that made it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Prepare, contract, source


def extract(folder: Path, tongchou: Command) -> None:
    tongchou("init")
    source(folder, "hukou")
    contract(folder, "hukou", domain="police")
    for command in (("register", str(folder)), ("ingest",), ("reconcile",)):
        assert tongchou(*command).code == 0
    granted = (
        "--to",
        "民政局",
        "--columns",
        "name,sex",
        "--purpose",
        "低保核查",
        "--basis",
        "《社会救助暂行办法》第十一条",
        "--to-day",
        "2099-12-31",
    )
    assert tongchou("grant", "add", *granted).code == 0
    assert tongchou("extract", "1", "--as", "operator", "--out", "out.csv").code == 0


@pytest.fixture
def extracted(prepare: Callable[[Prepare], Path]) -> Path:
    return prepare(extract)


def test_a_receipt_is_checked_anywhere_by_the_verifier_key(extracted: Path, tongchou: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    held = tongchou("receipt", "verify", "out.csv.receipt.json", "--of", "out.csv")
    assert (held.code, "回执成立" in held.out, "文件一致" in held.out) == (0, True, True)
    assert "disputed" in held.out, "grants that the bureau makes mark what is in dispute"
    shutil.copy(extracted / "home" / "keys" / "audit-verifier.txt", "verifier.txt")
    monkeypatch.setenv("TONGCHOU_HOME", str(extracted / "elsewhere"))
    assert tongchou("receipt", "verify", "out.csv.receipt.json", "--key", "verifier.txt", "--json").json()["statement"]["rows"] == 3
    assert tongchou("receipt", "verify", "out.csv.receipt.json").code == 5, "no key, no proof"


def test_a_changed_file_and_a_changed_receipt_are_found_out(extracted: Path, tongchou: Command) -> None:
    told = json.loads(Path("out.csv.receipt.json").read_text(encoding="utf-8"))
    Path("forged.json").write_text(json.dumps(told | {"rows": 2}), encoding="utf-8")
    assert tongchou("receipt", "verify", "forged.json").code == 5
    Path("out.csv").write_text("changed", encoding="utf-8")
    done = tongchou("receipt", "verify", "out.csv.receipt.json", "--of", "out.csv")
    assert (done.code, "DOOR-RECEIPT" in done.err) == (5, True)
