"""A changed rule is tried on all residents before it is published: what flips, whose, by which sources, and which grants it reaches."""

from datetime import date
from pathlib import Path

import pytest

from catalog.home import Home
from catalog.schema import AccountRow, DataGrantRow
from catalog.store import open_store
from golden.reconcile import newest_version
from golden.simulation import GrantReached, simulate
from rules.authority import SurvivorshipRules, load_survivorship, read_proposal
from rules.errors import Refused
from tests.golden.bureau import LI_ROW, NOW, WANG_ROW, Bureau


@pytest.fixture
def bureau(home: Home) -> Bureau:
    """Police and grid spell one of two names differently; the police are of record."""
    bureau = Bureau(open_store(home.store_url), home)
    bureau.accept("hukou", "police", [("a", LI_ROW), ("b", WANG_ROW)])
    bureau.accept("visits", "grid", [("1", (LI_ROW[0], "李敏", *LI_ROW[2:])), ("2", WANG_ROW)])
    bureau.reconcile()
    return bureau


def proposal(folder: Path, text: str) -> SurvivorshipRules:
    path = folder / "proposal.yaml"
    path.write_text(text, encoding="utf-8")
    return read_proposal(path)


GRID_KNOWS_NAMES = "elements: {name: {of_record: [grid]}}"


def test_an_unchanged_rule_flips_nothing(bureau: Bureau) -> None:
    found = simulate(bureau.store, bureau.lake, load_survivorship(), load_survivorship(), now=NOW)
    assert (found.elements, found.residents_changed, found.by_element) == ((), 0, ())


def test_flips_are_counted_by_element_source_and_grant_and_nothing_is_written(bureau: Bureau, tmp_path: Path) -> None:
    with bureau.store.session() as session, session.begin():
        session.add(AccountRow(name="chief", title="chief", department_key=None, active=True, secret_digest=None, created_at=NOW))
        session.flush()
        terms = {"row_scope": {}, "tier": "T2", "purpose": "p", "legal_basis": "l", "case_number": "", "mode": "file", "state": "active"}
        for columns, until in ((["name", "phone"], 2027), (["phone"], 2027), (["name"], 2020)):
            grant = DataGrantRow(grantee_key="grid", target="golden", columns=columns, granted_by="chief", granted_at=NOW, **terms)
            grant.valid_from, grant.valid_to = date(2020, 1, 1), date(until, 12, 31)
            session.add(grant)
    before = newest_version(bureau.store)
    found = simulate(bureau.store, bureau.lake, proposal(tmp_path, GRID_KNOWS_NAMES), load_survivorship(), now=NOW)
    (change,) = found.by_element
    assert (change.element, change.flipped, change.found, change.lost) == ("name", 1, 0, 0)
    assert (found.residents, found.residents_changed) == (2, 1)
    assert found.by_source == (("name", "hukou", "visits", 1),)
    assert sum(found.by_age.values()) == sum(found.by_grid.values()) == 1
    assert found.grants == (GrantReached(grant=1, grantee="grid", elements=("name",), residents=1),)
    after = newest_version(bureau.store)
    assert before is not None and after is not None and before.version == after.version


def test_snapshots_that_came_since_are_reconciled_first(bureau: Bureau, tmp_path: Path) -> None:
    bureau.accept("visits", "grid", [("1", LI_ROW)])
    with pytest.raises(Refused) as refused:
        simulate(bureau.store, bureau.lake, proposal(tmp_path, GRID_KNOWS_NAMES), load_survivorship(), now=NOW)
    assert refused.value.code == "REC-MOVED" and refused.value.where == "visits"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("elements: {phone: {half_life: 3}}", "phone: unknown field half_life"),
        ("elements: {phoney: {}}", "unknown phoney"),
        ("elements: {phone: {of_record: [nobody]}}", "phone: unknown department nobody"),
        ("elements: {phone: {accept_at: 0.99}}", "phone: 0.5 ≤ accept_at < refute_at < 1"),
        ("elements: {phone: {half_life_days: -1}}", "half_life_days"),
        ("elements: {phone: 7}", "phone: is no mapping"),
        ("[1, 2]", "a mapping"),
        ("a: [", "no YAML"),
        ("defaults: {reliability: {of_record: 2}}", "reliability"),
    ],
)
def test_a_faulty_proposal_is_refused_with_every_fault(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(Refused) as refused:
        proposal(tmp_path, text)
    assert refused.value.code == "RULES-SURVIVORSHIP" and named in refused.value.what


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        proposal(tmp_path, "elements: {phone: {half_life: 3, accept_at: 2}, phoney: {}}")
    assert all(named in refused.value.what for named in ("half_life", "accept_at", "phoney"))
