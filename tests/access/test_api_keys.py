"""API keys: shown once, kept as digests, bounded by their scope, over as soon as they are revoked, expired or their account is closed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from access.accounts import Role, create_account
from access.acts import Act
from access.api_keys import NewKey, authenticate_key, list_keys, make_key, revoke_key
from access.grounds import KEY_ACTS
from access.presence import Means, Presence
from access.terms import Grant
from audit.events import Event
from catalog.schema import AccountRow
from rules.errors import Denied, NotFound, Refused
from tests.access.conftest import NOW, Platform

TOMORROW = NOW + timedelta(days=1)


def made(platform: Platform, grant: Grant, **changes: Any) -> NewKey:
    terms = {"by": "operator", "account": "lin", "title": "救助系统", "acts": [Act.EXTRACT], "grants": [grant.id], "expires_at": TOMORROW}
    return make_key(platform.store, platform.log, **{**terms, "now": NOW, **changes})


def shown(platform: Platform, secret: str, **changes: Any) -> Presence:
    with platform.store.session() as session:
        return authenticate_key(session, platform.log, secret, **{"now": NOW, "origin": "10.0.0.1", **changes})


def test_a_key_names_its_account_and_what_it_reaches(platform: Platform) -> None:
    grant = platform.grant()
    key = made(platform, grant)
    presence = shown(platform, key.secret)
    assert (presence.account.name, presence.account.department, presence.means) == ("lin", "civil_affairs", Means.API_KEY)
    assert presence.account.roles == {Role.DEPARTMENT_REQUESTER}
    assert (presence.scope, presence.number) == (key.key.scope, key.key.id)
    with platform.store.session() as session:
        assert list_keys(session) == list_keys(session, "lin") == [key.key]
        assert list_keys(session, "he") == []


def test_two_keys_are_never_the_same_and_neither_is_kept_or_logged_or_shown_again(platform: Platform) -> None:
    grant = platform.grant()
    one, other = made(platform, grant), made(platform, grant)
    assert one.secret != other.secret and one.secret not in repr(one)
    with platform.store.engine.connect() as connection:
        kept = repr(connection.execute(sa.text("SELECT * FROM api_key")).all())
    logged = repr(list(platform.log.entries()))
    assert one.secret not in kept and one.secret not in logged
    assert platform.last().record.event is Event.KEY_MADE


def revoked(platform: Platform, key: NewKey) -> None:
    revoke_key(platform.store, platform.log, by="operator", key=key.key.id, why="系统下线", now=NOW)


def close(platform: Platform, key: NewKey) -> None:
    with platform.store.session() as session, session.begin():
        session.execute(sa.update(AccountRow).where(AccountRow.name == "lin").values(active=False))


def nothing(platform: Platform, key: NewKey) -> None: ...


@pytest.mark.parametrize(
    ("meanwhile", "later", "why"),
    [(revoked, timedelta(0), "revoked"), (close, timedelta(0), "account_closed"), (nothing, timedelta(days=1), "expired")],
)
def test_a_key_that_is_over_is_refused_like_one_that_never_was(platform: Platform, meanwhile: Any, later: timedelta, why: str) -> None:
    key = made(platform, platform.grant())
    meanwhile(platform, key)
    with pytest.raises(Denied) as over:
        shown(platform, key.secret, now=NOW + later)
    refused = platform.last().record
    assert (refused.event, refused.body["why"], refused.body["key"]) == (Event.KEY_REFUSED, [why], key.key.id)
    with pytest.raises(Denied) as never:
        shown(platform, "tck_" + "A" * 43)
    assert platform.last().record.body["why"] == ["unknown"]
    assert (over.value.code, str(over.value)) == ("DOOR-KEY", str(never.value))


@pytest.mark.parametrize("presented", ["", "tck_", "\udcff", "0" * 64, "x" * 10_000])
def test_what_is_no_key_is_refused(platform: Platform, presented: str) -> None:
    with pytest.raises(Denied, match="DOOR-KEY"):
        shown(platform, presented)


@pytest.mark.parametrize(
    "wrong",
    [
        {"account": "auditor"},
        {"acts": []},
        {"acts": [Act.EXTRACT, Act.WHY]},
        {"grants": []},
        {"grants": [99]},
        {"title": " "},
        {"title": "13800138000"},
        {"expires_at": NOW},
        {"expires_at": NOW + timedelta(days=400)},
    ],
)
def test_a_faulty_key_is_not_made(platform: Platform, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="KEY-TERMS"):
        made(platform, platform.grant(), **wrong)
    with platform.store.session() as session:
        assert list_keys(session) == []


def test_a_key_reaches_no_grant_of_another_department(platform: Platform) -> None:
    with pytest.raises(Refused, match="KEY-TERMS"):
        made(platform, platform.grant(grantee="health"))


def test_all_faults_of_a_key_are_told_at_once(platform: Platform) -> None:
    with pytest.raises(Refused) as refused:
        made(platform, platform.grant(), acts=[], grants=[], title="")
    assert refused.value.what.count(";") == 2


def test_only_the_bureau_makes_keys_and_nobody_for_himself(platform: Platform) -> None:
    grant = platform.grant()
    with pytest.raises(Denied, match="DOOR-DENIED"):
        made(platform, grant, by="he")
    roles = [Role.SECURITY_ADMINISTRATOR]
    create_account(platform.store, platform.log, by="operator", name="an", title="x", department=None, roles=roles, now=NOW)
    with pytest.raises(Refused, match="for his own account"):
        made(platform, grant, by="an", account="an")


def test_a_key_is_revoked_once_by_the_bureau_or_its_own_account_and_with_a_reason(platform: Platform) -> None:
    key = made(platform, platform.grant())

    def revoke(by: str, number: int = key.key.id, why: str = "泄露") -> None:
        revoke_key(platform.store, platform.log, by=by, key=number, why=why, now=NOW)

    for number in (key.key.id, 99):
        with pytest.raises(Denied, match="DOOR-DENIED"):
            revoke("he", number)
    with pytest.raises(Refused, match="KEY-TERMS"):
        revoke("lin", why="")
    with pytest.raises(NotFound, match="KEY-NONE"):
        revoke("operator", 99)
    revoke("lin")
    with pytest.raises(Refused, match="KEY-STATE"):
        revoke("lin")
    assert platform.last().record.body == {"actor": "lin", "key": key.key.id, "account": "lin", "why": "泄露"}


def test_with_a_key_only_its_own_grants_are_seen(platform: Platform, tmp_path: Path) -> None:
    """Another grant of the same department is answered as one that does not exist."""
    inside, outside = platform.grant(), platform.grant()
    door = platform.door.before(shown(platform, made(platform, inside).secret))
    door.extract("lin", inside.id, tmp_path / "in.csv", "csv")
    assert [entry for entry in platform.log.entries() if entry.record.event is Event.EXTRACT_INTENT][-1].record.body["means"] == "api_key"
    told = set()
    for number in (outside.id, 99):
        with pytest.raises(Denied) as denied:
            door.extract("lin", number, tmp_path / "out.csv", "csv")
        told.add(str(denied.value))
    assert len(told) == 1 and not (tmp_path / "out.csv").exists()


def test_whoever_is_present_cannot_ask_as_somebody_else(platform: Platform, tmp_path: Path) -> None:
    grant = platform.grant()
    door = platform.door.before(shown(platform, made(platform, grant).secret))
    with pytest.raises(AssertionError, match="for himself"):
        door.extract("operator", grant.id, tmp_path / "out.csv", "csv")


def test_keys_serve_what_rests_on_a_grant_and_nothing_of_the_bureau(platform: Platform) -> None:
    assert Act.EXTRACT in KEY_ACTS
    assert not KEY_ACTS & {Act.EXPORT_GOLDEN, Act.EXPORT_CROSSWALK, Act.WHY, Act.REVIEW, Act.SIMULATE, Act.RELIABILITY}
