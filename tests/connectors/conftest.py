"""A small registered data set whose source each test writes as it likes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from catalog.datasets import Dataset, load_dataset
from catalog.home import Home
from catalog.lake import Lake
from catalog.registration import register
from catalog.store import Store, open_store
from connectors.intake import IngestOutcome, ingest

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
COLUMNS = (("record_no", "编号", None), ("name", "姓名", "name"), ("id_number", "身份证号", "id_number"), ("phone", "手机", "phone"))


def contract(key: str, server: Mapping[str, Any], columns: Sequence[tuple[str, str, str | None]] = COLUMNS, version: str = "1.0.0") -> str:
    """An ODCS document; the first column is the key."""
    properties = [
        {
            "name": name,
            "physicalName": header,
            "logicalType": "string",
            "customProperties": [{"property": "element", "value": element}] if element else [],
            **({"primaryKey": True, "primaryKeyPosition": 1} if position == 0 else {}),
        }
        for position, (name, header, element) in enumerate(columns)
    ]
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": key,
        "name": f"测试{key}",
        "version": version,
        "status": "active",
        "domain": "police",
        "servers": [{"server": "source", **server}],
        "schema": [{"name": key, "physicalName": key, "logicalType": "object", "properties": properties}],
        "customProperties": [{"property": "share", "value": "unconditional"}, {"property": "updateFrequency", "value": "每月"}],
    }
    return yaml.safe_dump(document, allow_unicode=True)


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A store, a lake, and one call to bring a data set in."""

    store: Store
    lake: Lake
    folder: Path

    def register(self, key: str, server: Mapping[str, Any], **more: Any) -> Dataset:
        path = self.folder / f"{key}.yaml"
        path.write_text(contract(key, server, **more), encoding="utf-8")
        report = register(self.store, [path], now=NOW)
        assert not report.refused, report.refused
        with self.store.session() as session:
            return load_dataset(session, key)

    def csv(self, key: str, text: str | bytes, **more: Any) -> Dataset:
        self.write(key, text)
        return self.register(key, {"type": "local", "path": f"{key}.csv", "format": "csv"}, **more)

    def write(self, key: str, text: str | bytes) -> None:
        (self.folder / f"{key}.csv").write_bytes(text.encode() if isinstance(text, str) else text)

    def ingest(self, dataset: Dataset, **more: Any) -> IngestOutcome:
        return ingest(self.store, self.lake, dataset, areas=None, now=NOW, **more)

    def rows(self, stage: str, outcome: IngestOutcome) -> list[dict[str, Any]]:
        assert outcome.snapshot is not None
        rows: list[dict[str, Any]] = pq.read_table(self.lake.path(stage, outcome.dataset, outcome.snapshot.version)).to_pylist()
        return rows


@pytest.fixture
def bench(home: Home, tmp_path: Path) -> Iterator[Bench]:
    folder = tmp_path / "sources"
    folder.mkdir()
    store = open_store(home.store_url)
    yield Bench(store=store, lake=Lake(home.lake_root), folder=folder)
    store.close()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Write a file and return its path."""

    def writer(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return writer


def people(count: int, start: int = 0) -> str:
    """Rows of the small data set."""
    lines = [f"R{i:05d},张三{i % 10},,1380000{i:04d}" for i in range(start, start + count)]
    return "编号,姓名,身份证号,手机\n" + "\n".join(lines) + "\n"
