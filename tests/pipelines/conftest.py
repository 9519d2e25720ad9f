"""A home with three registered data sets about persons, one of which has no source file."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from catalog.home import Home
from catalog.registration import register
from catalog.store import open_store
from pipelines import instance
from pipelines.road import Road, open_road

GOOD = ("police_hukou", "health_archive")
FAULTY = "civil_marriage"

HEADER = "记录号,姓名,公民身份号码,手机号码"
ROWS = ("{n}1,张伟,{a},13800138000", "{n}2,李娜,{b},13900139000", "{n}3,王芳,,13700137000")


@dataclass(frozen=True, kw_only=True)
class ThreeDataSets:
    """`good` have files of three rows, `faulty` has none."""

    home: Home
    folder: Path
    good: Sequence[str] = GOOD
    faulty: str = FAULTY

    @property
    def keys(self) -> list[str]:
        return sorted((*self.good, self.faulty))

    def source(self, key: str) -> Path:
        return self.folder / f"{key}.csv"

    def write_source(self, key: str, prefix: str) -> None:
        rows = (row.format(n=prefix, a="11010519491231002X", b="440524188001010014") for row in ROWS)
        self.source(key).write_text("\n".join((HEADER, *rows)) + "\n", encoding="utf-8")

    def road(self) -> Road:
        return open_road(self.home, secrets={})


@pytest.fixture(scope="session")
def empty_instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The DAGSTER_HOME of an instance without runs, to be copied: its migrations take two seconds."""
    home = Home(tmp_path_factory.mktemp("empty_instance"))
    with instance.opened(home) as opened:
        opened.get_runs(limit=1)
    return home.dagster


@pytest.fixture
def three(home: Home, empty_instance: Path, tmp_path: Path) -> ThreeDataSets:
    shutil.copytree(empty_instance, home.dagster, dirs_exist_ok=True, symlinks=True)
    data = ThreeDataSets(home=home, folder=tmp_path / "sources")
    data.folder.mkdir()
    for key, department in (("police_hukou", "police"), ("health_archive", "health"), (FAULTY, "civil_affairs")):
        (data.folder / f"{key}.yaml").write_text(yaml.safe_dump(_contract(key, department), allow_unicode=True), encoding="utf-8")
    for key in GOOD:
        data.write_source(key, key[0])
    store = open_store(home.store_url)
    report = register(store, [data.folder], now=datetime.now(UTC))
    store.close()
    assert not report.refused, report.refused
    return data


@pytest.fixture
def dagster(home: Home) -> Iterator[dg.DagsterInstance]:
    """The persistent instance of the home."""
    with instance.opened(home) as opened:
        yield opened


def _contract(key: str, department: str) -> dict[str, Any]:
    columns = (
        ("record", "记录号", None),
        ("name", "姓名", "name"),
        ("id_number", "公民身份号码", "id_number"),
        ("phone", "手机号码", "phone"),
    )
    return {
        "apiVersion": "v3.0.2",
        "kind": "DataContract",
        "id": key,
        "name": f"{key} 人员信息",
        "version": "1.0.0",
        "status": "active",
        "domain": department,
        "servers": [{"server": "source", "type": "local", "path": f"{key}.csv", "format": "csv"}],
        "schema": [{"name": key, "logicalType": "object", "properties": [_property(*column) for column in columns]}],
        "customProperties": [{"property": "share", "value": "unconditional"}, {"property": "updateFrequency", "value": "每日"}],
    }


def _property(name: str, header: str, element: str | None) -> dict[str, Any]:
    told: dict[str, Any] = {"name": name, "physicalName": header, "logicalType": "string"}
    if element is None:
        return {**told, "primaryKey": True, "primaryKeyPosition": 1, "required": True}
    return {**told, "customProperties": [{"property": "element", "value": element}]}
