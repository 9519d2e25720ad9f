"""The JSON interface over a real home: keys, answers as they were digested, faults that repeat nothing, a description that is true."""

import json
import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

import portal.api
import portal.people
from access.acts import Act
from access.api_keys import make_key, revoke_key
from access.grants import change_state
from access.terms import Grant, GrantState, Mode, Quota, RowScope
from audit.events import Event
from audit.verify import verify
from portal.api import create_app
from rules.tiers import Tier
from tests.access.conftest import GRID, NOW, RESIDENTS, Platform, served  # noqa: F401 (a fixture)

WITHOUT_SESSION = {"/v1/session", "/v1/password"}
"""What brings its password along."""
WITHOUT_BODY = {"/v1/session/end"}
DESK_ACTS = frozenset({Act.LOOK_UP, Act.VERIFY, Act.KINSHIP})
WANG, NOBODY, OUTSIDE = "990605198001011234", "990605198001010000", "990605199003033456"


class Office:
    """A department's system before the interface: its grant, its key, and calls with it."""

    def __init__(self, bureau: Platform, client: TestClient) -> None:
        self.bureau, self.client = bureau, client

    def grant(self, **changes: Any) -> Grant:
        return self.bureau.grant(**{"mode": Mode.LOOKUP, "columns": ["name", "sex"], **changes})

    def key(self, *grants: Grant, acts: frozenset[Act] = DESK_ACTS, plaintext: bool = False) -> str:
        scope = {"acts": acts, "grants": [one.id for one in grants], "plaintext": plaintext}
        terms = {**scope, "expires_at": NOW + timedelta(days=30), "now": NOW}
        return make_key(self.bureau.store, self.bureau.log, by="operator", account="lin", title="核查系统", **terms).secret  # type: ignore[arg-type]

    def ask(self, path: str, key: str | None, content: Any) -> Any:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return self.client.post(
            f"/v1/{path}", headers=headers, content=content if isinstance(content, bytes) else json.dumps(content).encode()
        )

    def look_up(self, key: str | None, grant: Grant | int, number: str, **more: Any) -> Any:
        number_of_grant = grant if isinstance(grant, int) else grant.id
        return self.ask("look-up", key, {"grant": number_of_grant, "by": "id_number", "value": number, **more})


@pytest.fixture
def office(served: Platform) -> Iterator[Office]:  # noqa: F811
    with TestClient(create_app(served.home, served.clock), raise_server_exceptions=False) as client:
        yield Office(served, client)


def test_a_look_up_is_answered_with_the_bytes_that_its_record_is_of(office: Office) -> None:
    granted = office.grant()
    response = office.look_up(office.key(granted), granted, WANG)
    assert (response.status_code, response.json()["answer"]) == (200, {"found": True, "values": {"name": "王**", "sex": "1"}})
    assert response.headers["cache-control"] == "no-store"
    body, record = response.content, response.json()["record"]
    bytes_of_answer = body[body.index(b'"answer":') + len(b'"answer":') : -1]
    entry = office.bureau.log.entry(record).record
    assert entry.event is Event.LOOK_UP_RESULT
    assert sha256(bytes_of_answer).hexdigest() == response.json()["digest"] == entry.body["digest"]
    intent = office.bureau.log.entry(entry.body["intent"]).record.body
    assert (intent["actor"], intent["means"], intent["origin"]) == ("lin", "api_key", "http testclient")


def test_outside_the_area_and_not_there_are_answered_alike(office: Office) -> None:
    granted = office.grant(row_scope=RowScope(areas=(GRID[:9],)))
    key = office.key(granted)
    answers = [office.look_up(key, granted, number) for number in (OUTSIDE, NOBODY)]
    outside, nobody = [(one.status_code, one.json()["answer"], one.json()["digest"]) for one in answers]
    assert outside == nobody
    assert not answers[0].json()["answer"]["found"]


def test_anothers_grant_none_and_one_that_the_key_does_not_name_are_denied_alike(office: Office) -> None:
    mine, other, unnamed = office.grant(), office.grant(grantee="health"), office.grant()
    key = office.key(mine)
    denied = [office.look_up(key, grant, WANG) for grant in (other, unnamed, 99_999)]
    assert {one.status_code for one in denied} == {403}
    assert len({one.content for one in denied}) == 1


def test_a_verification_and_a_question_of_kinship_are_answered_in_one_word(office: Office) -> None:
    granted = office.grant(mode=Mode.VERIFY, tier=Tier.T1, columns=["name", "sex", "phone"])
    key = office.key(granted)
    described = office.client.get("/openapi.json").json()["paths"]["/v1/verify"]["post"]["responses"]["200"]
    for values, verdict in (({"name": "王小明", "sex": "1"}, "yes"), ({"name": "王小明", "phone": "13900139002"}, "no")):
        response = office.ask("verify", key, {"grant": granted.id, "by": "id_number", "value": WANG, "attributes": values})
        assert response.json()["answer"] == {"verdict": verdict}
        _check(office.client.get("/openapi.json").json(), described, response.json())
    one = {"value": WANG, "name": "王小明"}
    denied = office.ask("kinship", key, {"grant": granted.id, "parent": one, "child": one})
    assert (denied.status_code, denied.json()["code"]) == (403, "DOOR-DENIED"), "the columns that it rests on are not granted"
    short = office.ask("verify", key, {"grant": granted.id, "by": "id_number", "value": WANG, "attributes": {"name": "王小明"}})
    assert (short.status_code, short.json()["code"]) == (422, "DOOR-ASKED")


@pytest.mark.parametrize("key", [None, "", "tck_none", "密钥"])
def test_without_a_key_nothing_is_read(office: Office, key: str | None) -> None:
    granted = office.grant()
    headers = {} if key is None else {"Authorization": f"Bearer {key}".encode()}
    content = json.dumps({"grant": granted.id, "by": "id_number", "value": WANG})
    response = office.client.post("/v1/look-up", headers=headers, content=content)
    assert (response.status_code, response.json()["code"]) == (401, "DOOR-KEY")
    assert Event.LOOK_UP_INTENT.value not in office.bureau.events()


def test_a_revoked_key_and_a_suspended_grant_open_nothing_from_the_next_call_on(office: Office) -> None:
    granted = office.grant()
    key = office.key(granted)
    assert office.look_up(key, granted, WANG).status_code == 200
    change_state(office.bureau.store, office.bureau.log, by="operator", grant_id=granted.id, state=GrantState.SUSPENDED, why="核实")
    assert office.look_up(key, granted, WANG).status_code == 403
    revoke_key(office.bureau.store, office.bureau.log, by="operator", key=1, why="停用", now=NOW)
    assert office.look_up(key, granted, WANG).status_code == 401


def test_another_cases_number_is_denied(office: Office) -> None:
    granted = office.grant(case_number="检 1 号")
    key = office.key(granted)
    assert office.look_up(key, granted, WANG, case_number="检 2 号").status_code == 403
    assert office.look_up(key, granted, WANG, case_number="检 1 号").status_code == 200


CASE = "检边〔2026〕1 号"


def case_terms(office: Office, **changes: Any) -> tuple[Grant, Grant]:
    terms = {"tier": Tier.T4, "case_number": CASE, **changes}
    return office.grant(**terms), office.grant(**{**terms, "target": "hukou", "columns": ["record", "phone"]})


def ask_case(office: Office, key: str | None, grants: Sequence[Grant], case_number: str = CASE) -> Any:
    asked = {"grants": [one.id for one in grants], "case_number": case_number, "persons": [WANG, NOBODY]}
    return office.ask("case-look-up", key, asked)


def test_a_case_is_looked_up_with_the_bytes_that_its_record_is_of(office: Office) -> None:
    grants = case_terms(office)
    response = ask_case(office, office.key(*grants, acts=frozenset({Act.CASE_LOOK_UP}), plaintext=True), grants)
    wang, nobody = response.json()["answer"]["persons"]
    assert (response.status_code, nobody) == (200, {"id_number": NOBODY, "found": False, "data": []})
    assert [part["rows"] for part in wang["data"]] == [[{"name": "王小明", "sex": "1"}], [{"record": "h1", "phone": "13800138001"}]]
    described = office.client.get("/openapi.json").json()
    _check(described, described["paths"]["/v1/case-look-up"]["post"]["responses"]["200"], response.json())
    body = response.content
    bytes_of_answer = body[body.index(b'"answer":') + len(b'"answer":') : -1]
    result = office.bureau.log.entry(response.json()["record"]).record
    assert (result.event, result.body["digest"]) == (Event.CASE_LOOK_UP_RESULT, sha256(bytes_of_answer).hexdigest())
    intent = office.bureau.log.entry(result.body["intent"]).record.body
    assert (intent["means"], intent["origin"], intent["golden_version"]) == ("api_key", "http testclient", 1)


def test_a_data_sets_record_is_looked_up_by_its_key(office: Office) -> None:
    granted = office.grant(target="hukou", columns=["record", "name"])
    key = office.key(granted)
    response = office.ask("record-look-up", key, {"grant": granted.id, "key": "h1"})
    assert (response.status_code, response.json()["answer"]["values"]["name"]) == (200, "王**")
    described = office.client.get("/openapi.json").json()
    _check(described, described["paths"]["/v1/record-look-up"]["post"]["responses"]["200"], response.json())
    nobody = office.ask("record-look-up", key, {"grant": granted.id, "key": "h0"})
    assert nobody.json()["answer"] == {"found": False, "values": None}
    others = office.ask("record-look-up", key, {"grant": office.grant(target="hukou", columns=["name"]).id, "key": "h1"})
    assert (others.status_code, others.json()["code"]) == (403, "DOOR-DENIED")


def test_a_case_look_up_with_another_cases_number_is_denied_and_recorded(office: Office) -> None:
    """The attack of issue 5 over HTTP: another case, no grant of one's own, a key that is not for it, plaintext without leave for it."""
    grants = case_terms(office)
    acts = frozenset({Act.CASE_LOOK_UP})
    good = office.key(*grants, acts=acts, plaintext=True)
    attempts = [
        ask_case(office, good, grants, "检边〔2026〕2 号"),
        ask_case(office, good, [*grants, office.grant(tier=Tier.T4, case_number=CASE)]),
        ask_case(office, office.key(*grants), grants),
        ask_case(office, office.key(*grants, acts=acts), grants),
        ask_case(office, office.key(*grants, acts=acts, plaintext=True), case_terms(office, grantee="health")),
    ]
    assert [(one.status_code, one.json()["code"]) for one in attempts] == [(403, "DOOR-DENIED")] * len(attempts)
    events = office.bureau.events()
    assert (events.count(Event.CASE_LOOK_UP_DENIED), events.count(Event.CASE_LOOK_UP_INTENT)) == (len(attempts), 0)
    assert (ask_case(office, None, grants).status_code, ask_case(office, "tck_none", grants).status_code) == (401, 401)
    assert not any(WANG in one.text for one in attempts)


def test_a_quota_ends_in_429_for_found_and_not_found_alike(office: Office) -> None:
    granted = office.grant(quotas={Quota.CALLS_PER_DAY: 1})
    key = office.key(granted)
    assert office.look_up(key, granted, WANG).status_code == 200
    refused = [office.look_up(key, granted, number) for number in (WANG, NOBODY)]
    assert {one.status_code for one in refused} == {429}
    assert refused[0].content == refused[1].content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b'{"grant": 1}',
        {"grant": "1", "by": "id_number", "value": WANG},
        {"grant": 1, "by": "phone", "value": "13800138001"},
        {"grant": 1, "by": "id_number", "value": "9906051980010112"},
        {"grant": 1, "by": "id_number", "value": WANG, WANG: 1},
        {"grant": 1, "by": "id_number", "value": WANG * 10},
        {"grant": 2**40, "by": "id_number", "value": WANG},
    ],
)
def test_a_malformed_question_is_refused_without_being_repeated(office: Office, content: Any) -> None:
    response = office.ask("look-up", office.key(office.grant()), content)
    assert (response.status_code, response.json()["code"]) == (422, "DOOR-ASKED")
    assert not [value for value in (WANG, "13800138001", "9906051980010112") if value in response.text]


def test_a_body_that_is_too_long_is_not_read_to_its_end(office: Office) -> None:
    response = office.ask("look-up", office.key(office.grant()), b'{"grant": 1, "value": "' + b"1" * 20_000)
    assert (response.status_code, response.json()["code"]) == (413, "API-LARGE")


def test_a_fault_of_the_platform_tells_its_kind_and_logs_no_value(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> Any:
        raise ValueError(f"row of {WANG}")

    granted = office.grant()
    key = office.key(granted)
    monkeypatch.setattr("access.desk.look_up", broken)
    with caplog.at_level(logging.DEBUG):
        response = office.look_up(key, granted, WANG)
    assert (response.status_code, response.json()["code"]) == (500, "DOOR-FAULT")
    assert WANG not in response.text + caplog.text
    assert not office.bureau.log.open_intents()


def test_the_description_is_true_of_what_is_asked_and_told(office: Office) -> None:
    granted = office.grant()
    key = office.key(granted)
    described = office.client.get("/openapi.json").json()
    for path, route in described["paths"].items():
        assert set(route) == {"post"}, "no number of a person may stand in a URL"
        assert route["post"]["security"] == ([] if path in WITHOUT_SESSION else [{"key": []}])
        if path in WITHOUT_BODY:
            continue
        asked = route["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert asked["$ref"].rsplit("/", 1)[1] in described["components"]["schemas"], path
    good = office.look_up(key, granted, WANG)
    _check(described, described["paths"]["/v1/look-up"]["post"]["responses"]["200"], good.json())
    for response in (office.look_up(None, granted, WANG), office.look_up(key, 9, WANG), office.look_up(key, granted, "1")):
        _check(described, described["paths"]["/v1/look-up"]["post"]["responses"][str(response.status_code)], response.json())


def _check(described: dict[str, Any], response: dict[str, Any], told: Any) -> None:
    schema = {**response["content"]["application/json"]["schema"], "components": described["components"]}
    Draft202012Validator(schema).validate(told)


def test_what_was_asked_over_http_leaves_a_whole_log_that_names_nobody(office: Office) -> None:
    granted = office.grant()
    key = office.key(granted)
    for number in [number for number in RESIDENTS["id_number"] if number] + [NOBODY]:
        assert office.look_up(key, granted, number).status_code == 200
    office.client.__exit__(None, None, None)
    assert verify(office.bureau.log).ok
    assert office.bureau.log.seal().size == office.bureau.log.size()
    assert WANG not in " ".join(repr(entry.record.body) for entry in office.bureau.log.entries())
    office.client.__enter__()


@pytest.mark.parametrize("path", ["look-up", "verify", "kinship", "session"])
def test_what_nobody_foresaw_is_told_by_its_kind_alone(office: Office, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Also where inquiries are called without the layers that catch such faults on other routes."""

    async def broken(*_: Any) -> None:
        raise LookupError(WANG)

    for module in (portal.api, portal.people):
        monkeypatch.setattr(module, "body_of", broken)
    response = office.ask(path, None, {})
    assert (response.status_code, response.json()["code"], response.json()["where"]) == (500, "API-FAULT", "LookupError")
    assert WANG not in response.text


def test_inquiries_are_asked_with_post_and_nothing_else(office: Office) -> None:
    for path in ("look-up", "verify", "kinship"):
        assert office.client.get(f"/v1/{path}").status_code == 405
