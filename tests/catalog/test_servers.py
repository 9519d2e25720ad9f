"""Servers: where the rows come from, as the connectors get it."""

from pathlib import Path
from typing import Any

import pytest

from catalog.contracts.draft import draft
from catalog.datasets import Server
from tests.catalog.contracts import custom, good_contract, write


def server_of(folder: Path, **server: Any) -> Server:
    found = draft(write(folder, good_contract(servers=[{"server": "main", **server}])))
    assert found.dataset is not None, found.findings.faults
    return found.dataset.server


def test_encoding_delimiter_and_header_row_can_be_fixed(tmp_path: Path) -> None:
    server = server_of(
        tmp_path,
        type="local",
        path="a.txt",
        format="TXT",
        encoding="gb18030",
        customProperties=custom(delimiter="\t", headerRow=3, sheet="户籍"),
    )
    assert (server.format, server.encoding, server.delimiter, server.header_row, server.sheet) == ("csv", "gb18030", "\t", 3, "户籍")


STANDARD = {"host": "db.local", "port": 5432, "database": "hr", "schema": "public"}
USER = custom(user="reader", password="${HR_PASSWORD}")
URLS: dict[str, tuple[dict[str, Any], str]] = {
    "postgres": (STANDARD, "postgresql+psycopg://reader:${HR_PASSWORD}@db.local:5432/hr"),
    "postgresql": (STANDARD, "postgresql+psycopg://reader:${HR_PASSWORD}@db.local:5432/hr"),
    "mysql": ({"host": "db.local", "port": 3306, "database": "hr"}, "mysql+pymysql://reader:${HR_PASSWORD}@db.local:3306/hr"),
    "sqlserver": ({"host": "db.local", "database": "hr", "schema": "dbo"}, "mssql+pyodbc://reader:${HR_PASSWORD}@db.local/hr"),
    "oracle": (
        {"host": "db.local", "port": 1521, "serviceName": "HR"},
        "oracle+oracledb://reader:${HR_PASSWORD}@db.local:1521/?service_name=HR",
    ),
}


@pytest.mark.parametrize("kind", URLS)
def test_the_standards_fields_of_a_database_become_a_url(kind: str, tmp_path: Path) -> None:
    fields, url = URLS[kind]
    server = server_of(tmp_path, type=kind, customProperties=USER, **fields)
    assert (server.url, server.table, server.query) == (url, "hukou", None)
    assert server.schema == fields.get("schema")


@pytest.mark.parametrize(
    "url",
    ["${HR_URL}", "postgresql://u:${PW}@h:${PORT}/db", "mysql+pymysql://h/db?password=${PW}", "sqlite:////data/a.db", "postgresql://h/db"],
)
def test_a_url_whose_secrets_come_from_the_environment_is_taken(url: str, tmp_path: Path) -> None:
    server = server_of(tmp_path, type="custom", customProperties=custom(url=url, query="SELECT * FROM t"))
    assert (server.url, server.query) == (url, "SELECT * FROM t")


def test_the_path_of_a_sqlite_file_is_relative_to_the_contract(tmp_path: Path) -> None:
    server = server_of(tmp_path, type="custom", customProperties=custom(url="sqlite:///data/hr.db", table="people"))
    assert server.url == f"sqlite:///{tmp_path}/data/hr.db"


def test_a_server_does_not_show_its_url() -> None:
    assert "postgresql" not in repr(Server(type="custom", base="/", url="postgresql://u@h/db"))
