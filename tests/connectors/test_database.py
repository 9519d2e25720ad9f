"""Tables of databases, on a server-side cursor."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from catalog.datasets import Server
from connectors import database
from connectors.database import resolved_url
from connectors.sources import open_server
from rules.errors import Refused


def fill(url: str | sa.URL, order: str = "abc") -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS people"))
        connection.execute(sa.text("CREATE TABLE people (编号 VARCHAR(9), 姓名 VARCHAR(9), 金额 NUMERIC(9, 2), 日 DATE)"))
        for key in order:
            connection.execute(sa.text(f"INSERT INTO people VALUES ('{key}', '张三', 1.50, '2024-01-02')"))
    engine.dispose()


def server(url: str, **more: str) -> Server:
    return Server(type="custom", base="/", url=url, **{"table": "people"} | more)  # type: ignore[arg-type]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/people.db"
    found: str = request.getfixturevalue("postgres_url")
    return found.replace("postgresql://", "postgresql+psycopg://")


def test_a_table_is_read_in_chunks(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "CHUNK_ROWS", 2)
    fill(url, "abcde")
    batches = list(open_server(server(url)).batches())
    assert [batch.num_rows for batch in batches] == [2, 2, 1]
    assert batches[0].to_pylist()[0] == {
        "_row": 1,
        "编号": "a",
        "姓名": "张三",
        "金额": "1.50" if "postgres" in url else "1.5",
        "日": "2024-01-02",
    }


def test_a_query_is_read_like_a_table(url: str) -> None:
    fill(url)
    source = open_server(Server(type="custom", base="/", url=url, query="SELECT 编号 FROM people WHERE 编号 > 'a'"))
    assert [row["编号"] for batch in source.batches() for row in batch.to_pylist()] == ["b", "c"]


def test_the_digest_depends_on_the_rows_and_not_on_their_order(url: str) -> None:
    digests = []
    for order in ("abc", "cba", "abb"):
        fill(url, order)
        digests.append(open_server(server(url)).digest())
    assert digests[0] == digests[1] != digests[2]


def test_a_table_that_is_not_there_is_refused(url: str) -> None:
    fill(url)
    with pytest.raises(Refused) as refused:
        open_server(server(url, table="nobody"))
    assert refused.value.code == "SRC-TABLE"


def test_a_database_that_does_not_answer_is_refused_without_its_url() -> None:
    with pytest.raises(Refused) as refused:
        open_server(server("postgresql+psycopg://clerk:s3cret@127.0.0.1:9/people"))
    assert refused.value.code == "SRC-DATABASE" and refused.value.retry
    assert "s3cret" not in str(refused.value)


def test_a_sqlite_file_that_is_not_there_is_missing_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        open_server(server(f"sqlite:///{tmp_path}/none.db"))
    assert refused.value.code == "SRC-MISSING" and not (tmp_path / "none.db").exists()


def test_a_driver_that_is_not_installed_is_named() -> None:
    with pytest.raises(Refused) as refused:
        open_server(server("oracle+oracledb://host/people"))
    assert refused.value.code == "SRC-SERVER"


def test_secrets_come_from_the_environment_given_and_may_hold_any_character() -> None:
    url = resolved_url(
        "postgresql+psycopg://${USER_X}:${PW}@${HOST}:${PORT}/db", {"USER_X": "u", "PW": "a@b:/c%", "HOST": "h", "PORT": "5433"}, where="t"
    )
    assert (url.username, url.password, url.host, url.port, url.database) == ("u", "a@b:/c%", "h", 5433, "db")
    assert resolved_url("${WHOLE}", {"WHOLE": "sqlite:///x.db"}, where="t").database == "x.db"


def test_a_missing_secret_is_named() -> None:
    with pytest.raises(Refused) as refused:
        resolved_url("postgresql+psycopg://u:${PW}@h/db", {}, where="t")
    assert refused.value.code == "SRC-SECRET" and "PW" in str(refused.value)
