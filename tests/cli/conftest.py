"""The command line in process, on a home in a temporary folder, over a few small files as departments send them."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from audit.log import open_log
from catalog.home import Home
from cli.main import run

HEADER = "编号,姓名,身份证号,性别,联系电话,更新日期"
ROWS = (
    "1,王小明,11010519491231002X,女,13800138001,2026-10-01",
    "2,欧阳明月,440524188001010014,男,13900139002,2026-10-02",
    "3,阿依古丽·买买提,,女,13700137003,2026-10-03",
)
COLUMNS = {"编号": ("no", None), "姓名": ("name", "name"), "身份证号": ("id_number", "id_number"), "性别": ("sex", "sex")}
COLUMNS |= {"联系电话": ("phone", "phone"), "更新日期": ("updated_at", "updated_at")}


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.out, self.err
        return json.loads(self.out)


Command = Callable[..., Ran]
Prepare = Callable[[Path, Command], None]


def logged() -> list[dict[str, Any]]:
    """What stands in the log of the home, looked at from beside the platform: no command, and no record of the look."""
    home = Home(root=Path(os.environ["TONGCHOU_HOME"]), database_url=os.environ.get("TONGCHOU_DATABASE_URL"))
    log = open_log(home.audit_url, home.keys)
    try:
        return [{**entry.record.body, "event": entry.record.event.value} for entry in log.entries(0, log.size())]
    finally:
        log.close()


@pytest.fixture(scope="session")
def working_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every working folder stands here in its turn: what is prepared once may name its own place."""
    return tmp_path_factory.mktemp("work") / "folder"


@pytest.fixture
def folder(working_place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with a home of its own."""
    working_place.mkdir()
    monkeypatch.setenv("TONGCHOU_HOME", str(working_place / "home"))
    monkeypatch.delenv("TONGCHOU_DATABASE_URL", raising=False)
    monkeypatch.chdir(working_place)
    yield working_place
    shutil.rmtree(working_place)


@pytest.fixture
def tongchou(folder: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs one command."""

    def command(*arguments: str) -> Ran:
        capfd.readouterr()
        code = run(arguments)
        out, err = capfd.readouterr()
        return Ran(code=code, out=out, err=err)

    return command


@pytest.fixture(scope="session")
def prepared() -> dict[Prepare, Path]:
    """Where copies of the folders stand that were prepared in this worker."""
    return {}


@pytest.fixture
def prepare(
    folder: Path, tongchou: Command, prepared: dict[Prepare, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Prepare], Path]:
    """The working folder as some commands leave it, which run once in each worker: seconds of a process become a copy of files."""

    def done(commands: Prepare) -> Path:
        if commands in prepared:
            shutil.copytree(prepared[commands], folder, dirs_exist_ok=True, symlinks=True)
        else:
            commands(folder, tongchou)
            prepared[commands] = tmp_path_factory.mktemp("prepared") / "folder"
            shutil.copytree(folder, prepared[commands], symlinks=True)
        return folder

    return done


def contract(folder: Path, key: str, *, path: str = "", domain: str = "police", **changes: object) -> Path:
    """Writes the contract of a data set whose file is `<key>.csv`."""
    properties = [
        {
            "name": name,
            "physicalName": header,
            "logicalType": "string",
            "primaryKey": name == "no",
            "customProperties": [{"property": "element", "value": element}] if element else [],
        }
        for header, (name, element) in COLUMNS.items()
    ]
    document: dict[str, object] = {
        "apiVersion": "v3.0.2",
        "kind": "DataContract",
        "id": key,
        "name": f"{key} 登记表",
        "version": "1.0.0",
        "status": "active",
        "domain": domain,
        "servers": [{"server": "source", "type": "local", "path": path or f"{key}.csv", "format": "csv"}],
        "schema": [{"name": key, "logicalType": "object", "properties": properties}],
        "customProperties": [{"property": "share", "value": "conditional"}, {"property": "updateFrequency", "value": "每月"}],
    } | changes
    file = folder / f"{key}.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return file


def source(folder: Path, key: str, *, header: str = HEADER, rows: tuple[str, ...] = ROWS) -> Path:
    file = folder / f"{key}.csv"
    file.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return file
