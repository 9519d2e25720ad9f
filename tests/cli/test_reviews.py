"""Reviews on the command line: opened, given to an auditor, asked, answered, closed by two, listed and shown."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from access.accounts import Role, create_account
from catalog.schema import AuditReviewRow
from catalog.store import Store
from tests.access.conftest import NOW, Platform, platform
from tests.cli.conftest import Command
from tests.oversight.test_search import WANG, identities

__all__ = ["identities", "platform"]


@pytest.fixture
def bureau(platform: Platform, tongchou: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The small platform behind the door as the home of commands, with a second auditor and an approver."""
    if not platform.store.is_sqlite:
        monkeypatch.setenv("TONGCHOU_DATABASE_URL", platform.home.store_url)
    monkeypatch.setenv("TONGCHOU_HOME", str(platform.home.root))
    for name, role in (("second", Role.AUDITOR), ("chief", Role.BUREAU_APPROVER)):
        create_account(platform.store, platform.log, by="operator", name=name, title=name, department=None, roles=[role], now=NOW)
    return tongchou


def state_of(store: Store) -> tuple[str, int]:
    with store.session() as session:
        row = session.get_one(AuditReviewRow, 1)
        return row.state, row.version


def test_a_review_goes_from_the_access_to_its_grave_outcome(bureau: Command, platform: Platform) -> None:
    seq = platform.door.why("operator", "好奇", WANG, "name").seq
    opened = bureau("audit", "review", "open", "--index", str(seq), "--as", "auditor", "--purpose", "预警核查", "--json").json()
    assert (opened["id"], opened["origin"], opened["state"]) == (1, "flagged", "opened")
    for arguments in (
        ("assign", "1", "--to", "second", "--reason", "交办", "--seen", "1", "--as", "auditor"),
        ("ask", "1", "--question", "请说明用途", "--as", "second"),
        ("answer", "1", "--answer", "无业务事由", "--as", "chief"),
        ("close", "1", "--outcome", "misuse", "--reason", "无事由", "--as", "second"),
    ):
        done = bureau("audit", "review", *arguments)
        assert done.code == 0 and "核查 review 1" in done.out, done.err
    alone = bureau("audit", "review", "confirm", "1", "--reason", "同意", "--as", "second")
    assert alone.code == 3 and "RVW-SECOND" in alone.err and state_of(platform.store) == ("proposed", 5)
    assert bureau("audit", "review", "confirm", "1", "--reason", "同意", "--as", "auditor").code == 0
    listed = bureau("audit", "review", "list", "--outcome", "misuse", "--as", "auditor", "--json").json()["reviews"]
    assert [(one["id"], one["closed_by"], one["confirmed_by"]) for one in listed] == [(1, "second", "auditor")]
    shown = bureau("audit", "review", "show", "1", "--as", "auditor")
    assert shown.code == 0 and "证据核验无误" in shown.out and "无业务事由" in shown.out
    assert "王小明" not in shown.out and WANG not in shown.out


def test_evidence_that_was_changed_exits_5(bureau: Command, platform: Platform) -> None:
    seq = platform.door.why("operator", "好奇", WANG, "name").seq
    assert bureau("audit", "review", "open", "--index", str(seq), "--as", "auditor", "--purpose", "预警核查").code == 0
    with platform.store.session() as session, session.begin():
        session.execute(sa.update(AuditReviewRow).values(evidence=sa.func.replace(AuditReviewRow.evidence, "好奇", "办案")))
    shown = bureau("audit", "review", "show", "1", "--as", "auditor")
    assert shown.code == 5 and "RVW-EVIDENCE" in shown.err


def test_what_cannot_be_done_is_said_in_both_languages(bureau: Command, platform: Platform) -> None:
    wrong = bureau("audit", "review", "open", "--as", "auditor", "--purpose", "看看")
    assert wrong.code == 2 and "二者取一" in wrong.err
    none = bureau("audit", "review", "show", "7", "--as", "auditor")
    assert none.code == 4 and "RVW-NONE" in none.err
    early = bureau("audit", "review", "draw", "--month", "2999-01", "--as", "auditor", "--purpose", "抽查")
    assert early.code == 2 and "RVW-MONTH" in early.err


def test_the_monthly_report_is_written_into_a_new_folder(bureau: Command, platform: Platform, tmp_path: Path) -> None:
    platform.door.why("operator", "好奇", WANG, "name")
    arguments = ("audit", "report", "--month", "2026-11", "--out", str(tmp_path / "report"), "--as", "auditor", "--purpose", "月报")
    done = bureau(*arguments)
    assert done.code == 0 and "已编制 made" in done.out and (tmp_path / "report" / "index.html").is_file()
    again = bureau(*arguments)
    assert again.code == 2 and "AUD-FOLDER" in again.err
