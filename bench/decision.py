"""The decision among 10,000 grants, to bench/results/decision.json.

`python -m bench.decision [--grants N]`: half of the grants are five departments' over the golden record, the others are spread over 65
departments and 1,083 data sets. A question finds its grant by department, target, purpose, mode and columns in the book and is decided
for all its columns, with its masks. Each question is timed by itself; the first are checked against a search through all grants.
"""

import argparse
import json
import os
import time
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from access.accounts import Account, Role
from access.acts import Act
from access.decision import decide
from access.grant_book import GrantBook, Wanted
from access.questions import Question
from access.targets import GOLDEN, Target, TargetColumn
from access.terms import BULK_MODES, Grant, GrantState, Mode, RowScope
from masking.plan import MaskedColumn
from rules.elements import person_elements
from rules.levels import Level
from rules.tiers import Tier, load_tier_policy

RESULTS = Path(__file__).parent / "results" / "decision.json"
TODAY = date(2026, 11, 23)
DEPARTMENTS = 65
DATASETS = 1_083
QUESTIONS = 20_000
CHECKED = 300
PURPOSES = tuple(f"事项 {number}" for number in range(40))
STATES = (*[GrantState.ACTIVE] * 6, GrantState.SUSPENDED, GrantState.ENDED)
POLICY = load_tier_policy()
ELEMENTS = [element for element in person_elements() if element.kind in POLICY.masks]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grants", type=int, default=10_000)
    chance, number = Random(1), parser.parse_args().grants
    load = round(os.getloadavg()[0], 1)
    grants = [made_up_grant(each, chance) for each in range(1, number + 1)]
    begun = time.perf_counter()
    book = GrantBook({}, {}, 0, date.min).with_changes(grants, number, TODAY)
    filled = time.perf_counter() - begun
    begun = time.perf_counter()
    book = book.with_changes([grants[-1]], number + 1, TODAY)
    changed = time.perf_counter() - begun
    asked = [question_like(chance.choice(grants), chance) for _ in range(QUESTIONS)]
    targets = {grant.target: made_up_target(grant.target) for grant in grants}
    check(book, grants, asked[:CHECKED])
    timed = [timed_question(book, one, targets) for one in asked]
    found = {
        "grants": number,
        "largest_shelf": largest(grants),
        "questions": QUESTIONS,
        "load_average_before": load,
        "all_ms": percentiles([took for took, _, _ in timed]),
        "finding_ms": percentiles([finding for _, finding, _ in timed]),
        "allowed": sum(allowed for _, _, allowed in timed),
        "filled_ms": round(filled * 1_000, 1),
        "one_change_ms": round(changed * 1_000, 2),
    }
    print(json.dumps(found, ensure_ascii=False, indent=1))
    RESULTS.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def made_up_grant(number: int, chance: Random) -> Grant:
    """Half are over the golden record, and those of a few departments: their shelves are long."""
    golden = chance.random() < 0.5
    begun = TODAY - timedelta(days=chance.randrange(0, 900))
    return Grant(
        id=number,
        grantee=department(chance.randrange(5) if golden else chance.randrange(DEPARTMENTS)),
        target=GOLDEN if golden else f"dataset_{chance.randrange(DATASETS)}",
        columns=tuple(element.key for element in chance.sample(ELEMENTS, chance.randrange(3, 20))),
        row_scope=RowScope(),
        tier=chance.choice((Tier.T2, Tier.T2, Tier.T3, Tier.T4)),
        purpose=chance.choice(PURPOSES),
        legal_basis="法",
        case_number="",
        valid_from=begun,
        valid_to=begun + timedelta(days=720),
        state=chance.choice(STATES),
        mode=chance.choice((Mode.FILE, Mode.TABLE, Mode.LOOKUP)),
    )


def department(number: int) -> str:
    return f"department_{number:02}"


def made_up_target(key: str) -> Target:
    """All elements of a person, as the golden record has them."""
    columns = {
        element.key: TargetColumn(
            facts=MaskedColumn(name=element.key, element=element.key, kind=element.kind, level=Level(element.level), of_person=True),
            shared=True,
        )
        for element in ELEMENTS
    }
    where: dict[str, Any] = {"area_column": "grid_code", "birth_column": "birth_date", "number_column": "id_number", "persons": None}
    return Target(key=key, version=1, relation="x", columns=columns, about_persons=True, order_column="_row", **where)


def question_like(grant: Grant, chance: Random) -> tuple[Account, Wanted]:
    """A question that the grant would answer if it is in force; a tenth ask for a column beside."""
    account = Account(name="lin", department=grant.grantee, roles=frozenset({Role.DEPARTMENT_REQUESTER}), active=True)
    columns = list(grant.columns[: chance.randrange(1, len(grant.columns) + 1)])
    if chance.random() < 0.1:
        columns.append(chance.choice(ELEMENTS).key)
    return account, Wanted(department=grant.grantee, target=grant.target, purpose=grant.purpose, columns=columns, modes=BULK_MODES)


def check(book: GrantBook, grants: list[Grant], asked: list[tuple[Account, Wanted]]) -> None:
    for _, wanted in asked:
        fitting = [
            grant
            for grant in grants
            if (grant.grantee, grant.target, grant.purpose) == (wanted.department, wanted.target, wanted.purpose)
            and grant.mode in wanted.modes
            and set(wanted.columns) <= set(grant.columns)
        ]
        usable = [g for g in fitting if g.state is GrantState.ACTIVE and g.valid_from <= TODAY <= g.valid_to] or fitting
        assert book.find(wanted) == min(usable, key=lambda grant: (grant.tier, -grant.id), default=None)


def timed_question(book: GrantBook, asked: tuple[Account, Wanted], targets: dict[str, Target]) -> tuple[float, float, bool]:
    """Milliseconds for all, and for finding the grant; whether it was allowed."""
    account, wanted = asked
    begun = time.perf_counter()
    grant = book.find(wanted)
    found = time.perf_counter()
    target = targets[wanted.target]
    question = Question(act=Act.EXTRACT, account=account, purpose=wanted.purpose, today=TODAY, policy=POLICY, grant=grant, target=target)
    decision = decide(question)
    done = time.perf_counter()
    return (done - begun) * 1_000, (found - begun) * 1_000, decision.allowed


def largest(grants: list[Grant]) -> int:
    places = [(grant.grantee, grant.target) for grant in grants]
    return max(places.count(place) for place in set(places))


def percentiles(milliseconds: list[float]) -> dict[str, float]:
    return {f"p{share}": round(float(np.percentile(milliseconds, share)), 4) for share in (50, 99, 99.9)} | {
        "max": round(max(milliseconds), 3)
    }


if __name__ == "__main__":
    main()
