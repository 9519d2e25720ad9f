"""What an attacker has: a department's account, its session and key, the command line, and a file system. All stores and files are real."""

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from access.acts import Act
from access.api_keys import make_key
from access.grounds import KEY_ACTS
from access.passwords import choose_password, provisional_password
from access.sessions import sign_in
from access.terms import Grant, Mode
from cli.main import run
from portal.api import create_app
from tests.access.conftest import NOW, RESIDENTS, Platform, platform, served, text_table
from tests.beginnings import SQLITE
from tests.cli.conftest import Command, Ran

__all__ = ["platform", "served"]

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "春眠不觉晓-处处闻啼鸟-01"
WANG, OUTSIDE, NOBODY = "990605198001011234", "990605199003033456", "990605198001010000"


@pytest.fixture
def database() -> str:
    """Attacks run on SQLite; what the databases do differently is tested where it is done."""
    return SQLITE


class Attacker:
    """Somebody of the civil affairs bureau, with what he was given."""

    def __init__(self, bureau: Platform, command: Command, client: TestClient) -> None:
        self.bureau, self.command, self.client = bureau, command, client

    def grant(self, **changes: Any) -> Grant:
        """A grant that also holds on the day on which the commands run."""
        return self.bureau.grant(**{"valid_from": date(2020, 1, 1), "valid_to": date(2099, 12, 31), **changes})

    def key(self, *grants: Grant, acts: frozenset[Act] = KEY_ACTS) -> str:
        terms: dict[str, Any] = {"acts": acts, "grants": [one.id for one in grants], "expires_at": NOW + timedelta(days=30), "now": NOW}
        return make_key(self.bureau.store, self.bureau.log, by="operator", account="lin", title="系统", **terms).secret

    def session(self, account: str = "lin") -> str:
        bureau, usual = self.bureau, dict[str, Any](now=NOW, origin="test", hasher=CHEAP)
        first = provisional_password(bureau.store, bureau.log, by="operator", account=account, now=NOW, hasher=CHEAP)
        choose_password(bureau.store, bureau.log, account=account, old=first, new=PASSWORD, **usual)
        return sign_in(bureau.store, bureau.log, account=account, password=PASSWORD, **usual).token

    def post(self, path: str, token: str | None, content: Any) -> Any:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.client.post(f"/v1/{path}", headers=headers, content=body)

    def look_up(self, token: str | None, grant: int, number: str = WANG, **more: Any) -> Any:
        return self.post("look-up", token, {"grant": grant, "by": "id_number", "value": number, **more})

    def edit(self, statement: str, **values: Any) -> None:
        """What the database's administrator could do by hand."""
        with self.bureau.store.engine.begin() as connection:
            connection.execute(sa.text(statement), values)

    def rewrite(self, change: Callable[[dict[str, list[Any]]], None]) -> None:
        """Another truth in the golden records."""
        rows = {name: list(values) for name, values in RESIDENTS.items()}
        change(rows)
        pq.write_table(text_table(rows), self.bureau.lake.root / "golden" / "v000001" / "residents.parquet")


@pytest.fixture
def attacker(served: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Attacker]:
    monkeypatch.setenv("TONGCHOU_HOME", str(served.home.root))
    monkeypatch.delenv("TONGCHOU_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> Ran:
        capfd.readouterr()
        code = run(arguments)
        out, err = capfd.readouterr()
        return Ran(code=code, out=out, err=err)

    with TestClient(create_app(served.home, served.clock, CHEAP), raise_server_exceptions=False) as client:
        yield Attacker(served, command, client)


LOOKUP: dict[str, Any] = {"mode": Mode.LOOKUP, "columns": ["name", "sex"]}
