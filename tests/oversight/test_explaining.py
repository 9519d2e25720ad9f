"""Looks are explained by the business tables; what they do not explain is what rules about persons see; each rule sees its own kind."""

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

import duckdb
import pytest

from oversight.alerts import ALERTS, raise_alerts
from oversight.explaining import EXPLANATIONS, explain, make_facts
from oversight.ranking import PRIOR_LOOKS, rank
from rules.oversight import load_yardsticks

MONDAY = datetime(2026, 3, 2, 10)  # noqa: DTZ001 (the relation of looks is in China's time)
HOUR = timedelta(hours=1)


class Desk:
    """Looks, one after another, and facts."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con, self.seq = con, 0
        con.execute(
            """CREATE TABLE access (seq BIGINT, moment TIMESTAMP, day DATE, actor VARCHAR, department VARCHAR, act VARCHAR, grant_id BIGINT,
            case_number VARCHAR, origin VARCHAR, outcome VARCHAR, class VARCHAR)"""
        )
        con.execute("CREATE TABLE look (seq BIGINT, subject VARCHAR)")
        make_facts(con)

    def look(self, subject: str, at: datetime = MONDAY, **given: Any) -> int:
        self.seq += 1
        told = {"actor": "lin", "department": "tax", "case": None, "origin": "10.0.0.1", "outcome": "found", "klass": "other", **given}
        row = [self.seq, at, at.date(), told["actor"], told["department"], "look_up", 1, told["case"], told["origin"], told["outcome"]]
        self.con.execute(f"INSERT INTO access VALUES ({', '.join('?' * 11)})", [*row, told["klass"]])
        self.con.execute("INSERT INTO look VALUES (?, ?)", [self.seq, subject])
        return self.seq

    def fact(self, name: str, *row: Any) -> None:
        self.con.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", list(row))

    def reasons(self) -> dict[int, list[str]]:
        explain(self.con)
        rows = self.con.execute("SELECT seq, list(reason ORDER BY reason) FROM explained GROUP BY seq").fetchall()
        return dict(rows)

    def alerts(self, rule: str) -> list[int]:
        explain(self.con)
        raise_alerts(self.con, load_yardsticks())
        return [seq for (seq,) in self.con.execute("SELECT seq FROM alert WHERE rule = ? ORDER BY seq", [rule]).fetchall()]


@pytest.fixture
def desk() -> Iterator[Desk]:
    with duckdb.connect() as con:
        yield Desk(con)


def test_each_explanation_explains_its_own_looks_and_no_others(desk: Desk) -> None:
    desk.fact("client", "tax", "kunde")
    desk.fact("matter", "tax", "betroffen", MONDAY - HOUR, MONDAY + HOUR)
    desk.fact("visit", "lin", "besucht", MONDAY - HOUR, None)
    desk.fact("ward", "lin", "nachbar")
    desk.fact("case_file", "办2026-1", "tax")
    expected = {
        desk.look("kunde"): ["client"],
        desk.look("betroffen"): ["matter"],
        desk.look("besucht"): ["visit"],
        desk.look("nachbar"): ["ward"],
        desk.look("irgendwer", case="办2026-1"): ["case"],
    }
    for subject, given in (
        ("kunde", {"department": "police"}),
        ("betroffen", {"at": MONDAY + 2 * HOUR}),
        ("betroffen", {"at": MONDAY - 2 * HOUR}),
        ("besucht", {"actor": "wu"}),
        ("nachbar", {"actor": "wu"}),
        ("irgendwer", {"case": "办2026-1", "department": "police"}),
        ("irgendwer", {"case": "办2026-2"}),
    ):
        desk.look(subject, **given)
    assert desk.reasons() == expected
    assert {reason for reasons in expected.values() for reason in reasons} == set(EXPLANATIONS)


def test_a_look_at_several_people_is_explained_person_by_person(desk: Desk) -> None:
    desk.fact("client", "tax", "kunde")
    seq = desk.look("kunde")
    desk.con.execute("INSERT INTO look VALUES (?, 'fremd')", [seq])
    explain(desk.con)
    assert desk.con.execute("SELECT * FROM unexplained").fetchall() == [(seq, "fremd")]


def several(desk: Desk, count: int, *, apart: timedelta = timedelta(minutes=1), at: datetime = MONDAY, **given: Any) -> list[int]:
    """Looks at different people."""
    return [desk.look(f"p{desk.seq}", at + apart * number, **given) for number in range(count)]


def test_volume_is_held_against_the_own_median(desk: Desk) -> None:
    for day in range(10):
        several(desk, 8, at=MONDAY + timedelta(days=day))
        several(desk, 30, at=MONDAY + timedelta(days=day), actor="busy")
    burst = several(desk, 25, at=MONDAY + timedelta(days=10))
    several(desk, 60, at=MONDAY + timedelta(days=10), actor="busy")
    assert desk.alerts("volume")[-25:] == burst[-25:] and not set(desk.alerts("volume")) - set(burst) - set(busy_first_day(desk))


def busy_first_day(desk: Desk) -> Sequence[int]:
    """An account without a past has no median to be held against: its first busy day is pointed at."""
    rows = desk.con.execute("SELECT seq FROM access WHERE actor = 'busy' AND day = ?", [MONDAY.date()]).fetchall()
    return [seq for (seq,) in rows]


@pytest.mark.parametrize(("klass", "limit"), [("tracks_and_property", 25), ("health_and_transactions", 250)])
def test_the_subjects_of_a_class_add_up_to_the_limit_of_p_10(desk: Desk, klass: str, limit: int) -> None:
    desk.fact("client", "tax", "kunde")
    for _ in range(40):
        desk.look("kunde", klass=klass)  # explained, and one person only
    looks = several(desk, limit + 2, klass=klass)
    assert desk.alerts("cumulative") == looks[limit - 1 :]


def test_nights_and_days_off_count_where_nothing_explains_the_look(desk: Desk) -> None:
    desk.fact("client", "tax", "kunde")
    desk.fact("rest_day", date(2026, 3, 7))
    day, night, early, rest = (
        desk.look(f"n{number}", at)
        for number, at in enumerate([MONDAY, MONDAY.replace(hour=22), MONDAY.replace(hour=5), MONDAY + timedelta(days=5)])
    )
    desk.look("kunde", MONDAY.replace(hour=23))
    assert desk.alerts("night") == [night, early, rest] and day not in desk.alerts("night")


def test_family_namesakes_the_famous_and_colleagues(desk: Desk) -> None:
    desk.fact("holder", "lin", "林", "天湖郦都3栋", "self", None)
    for subject, surname, place, famous in (
        ("wife", "王", "天湖郦都3栋", False),
        ("cousin", "林", "别处", False),
        ("star", "赵", "别处", True),
        ("self", "林", "天湖郦都3栋", False),
        ("nobody", "陈", "别处", False),
    ):
        desk.fact("person", subject, surname, place, None, famous)
    wife, cousin, star, self_, _ = (desk.look(subject) for subject in ("wife", "cousin", "star", "self", "nobody"))
    assert desk.alerts("family") == [wife, self_]
    assert desk.alerts("namesake") == [cousin, self_]
    assert desk.alerts("famous") == [star]
    assert desk.alerts("colleague") == [self_]


def test_numbers_in_a_row_are_seen_unless_they_are_a_register_of_clients(desk: Desk) -> None:
    for number, rank_of in enumerate([500, 100, 101, 103, 104, 900, 901, 40]):
        desk.fact("person", f"q{number}", None, None, rank_of, False)
        desk.fact("client", "police", f"q{number}")
        for actor, department in (("lin", "tax"), ("wu", "police")):
            desk.look(f"q{number}", MONDAY + timedelta(minutes=number), actor=actor, department=department)
    assert desk.alerts("sequential") == [3, 5, 7, 9]


def test_many_not_founds_in_a_day(desk: Desk) -> None:
    several(desk, 4, outcome="not_found")
    missing = several(desk, 6, outcome="not_found", at=MONDAY + timedelta(days=1))
    several(desk, 6, at=MONDAY + timedelta(days=1))
    assert desk.alerts("not_found") == missing


def test_one_account_in_two_places_at_a_time(desk: Desk) -> None:
    first = several(desk, 1, origin="a")
    elsewhere = several(desk, 1, origin="b", at=MONDAY + timedelta(minutes=5))
    several(desk, 1, origin="a", at=MONDAY + timedelta(minutes=9))
    several(desk, 1, origin="b", at=MONDAY + timedelta(days=1))  # another day, another desk
    assert desk.alerts("two_places") == elsewhere and first[0] not in desk.alerts("two_places")


def test_accounts_of_those_who_left_and_accounts_that_wake(desk: Desk) -> None:
    desk.fact("holder", "lin", None, None, None, MONDAY.date())
    desk.look("x")
    after = desk.look("x", MONDAY + timedelta(days=1))
    woken = desk.look("x", MONDAY + timedelta(days=70))
    assert desk.alerts("left") == [after, woken]
    assert desk.alerts("dormant") == [woken]


def test_case_numbers_that_do_not_exist_or_cover_too_many(desk: Desk) -> None:
    desk.fact("case_file", "办1", "tax")
    right, invented, others = (
        desk.look("x", case="办1"),
        desk.look("y", case="办9"),
        desk.look("z", case="办1", actor="wu", department="police"),
    )
    assert desk.alerts("no_such_case") == [invented, others] and right not in desk.alerts("no_such_case")
    many = several(desk, 10, case="办1")
    assert desk.alerts("one_case") == [right, *many]


def test_the_same_person_again_and_again(desk: Desk) -> None:
    looks = [desk.look("ex", MONDAY + timedelta(days=day)) for day in range(5)]
    desk.look("other")
    assert desk.alerts("repeated") == looks


def test_each_rule_is_told_in_both_languages_and_is_tested_here() -> None:
    from pathlib import Path

    tests = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in ALERTS if f'"{name}"' not in tests and name != "unexplained"] == []
    assert all(alert.zh and alert.en for alert in ALERTS.values()) and all(one.zh and one.en for one in EXPLANATIONS.values())


def test_what_is_usual_in_a_department_surprises_less_than_what_is_not(desk: Desk) -> None:
    for number in range(20):
        several(desk, 30, actor=f"guard{number}", department="police", at=MONDAY.replace(hour=23))
        several(desk, 30, actor=f"clerk{number}")
    owl = several(desk, 10, actor="clerk7", at=MONDAY.replace(hour=23))
    explain(desk.con)
    raise_alerts(desk.con, load_yardsticks())
    first, second = rank(desk.con, load_yardsticks(), 2)
    assert first.actor == "clerk7" and second.department == "police"
    assert {rule: n for rule, n, _ in first.by_rule}["night"] == len(owl)


def test_one_busy_day_is_one_event_however_many_hits_it_has(desk: Desk) -> None:
    """Two clerks had a busy day of twenty hits each; a third looked at relatives on two days, which nobody else did."""
    con = desk.con
    con.execute("CREATE TABLE alert (rule VARCHAR, seq BIGINT)")
    con.execute("CREATE TABLE unexplained (seq BIGINT)")
    for clerk in range(20):
        for number in range(100):
            seq = desk.look("x", MONDAY + timedelta(days=number // 25), actor=f"clerk{clerk}")
            hit = "volume" if clerk in (3, 4) and number < 20 else "family" if clerk == 5 and number in (10, 60) else None
            if hit:
                con.execute("INSERT INTO alert VALUES (?, ?)", [hit, seq])
    first, *others = rank(con, load_yardsticks(), 3)
    assert (first.actor, first.by_rule[0][:2]) == ("clerk5", ("family", 2))
    assert {(one.actor, one.by_rule[0][:2]) for one in others} == {("clerk3", ("volume", 20)), ("clerk4", ("volume", 20))}
    assert all(0 < one.bits < first.bits / 2 for one in others)


@pytest.mark.parametrize("seed", range(3))
def test_the_bits_are_those_of_a_naive_count_of_clumps(desk: Desk, seed: int) -> None:
    chance, looks, hits = random.Random(seed), list[tuple[str, str, int]](), list[tuple[str, str, str, int]]()
    desk.con.execute("CREATE TABLE alert (rule VARCHAR, seq BIGINT)")
    desk.con.execute("CREATE TABLE unexplained (seq BIGINT)")
    for number in range(300):
        clerk, day = chance.randrange(8), chance.randrange(5)
        actor, department = f"clerk{clerk}", "tax" if clerk < 5 else "police"
        seq = desk.look("x", MONDAY + timedelta(days=day, seconds=number), actor=actor, department=department)
        looks.append((actor, department, day))
        for rule, odd in (("volume", clerk in (2, 6) and day == 1), ("family", chance.random() < 0.05)):
            if odd:
                desk.con.execute("INSERT INTO alert VALUES (?, ?)", [rule, seq])
                hits.append((actor, department, rule, day))
    ranked = {(one.actor, rule): bits for one in rank(desk.con, load_yardsticks(), 8) for rule, _, bits in one.by_rule}
    assert ranked == pytest.approx(naive_bits(looks, hits), abs=0.051)


def naive_bits(looks: list[tuple[str, str, int]], hits: list[tuple[str, str, str, int]]) -> dict[tuple[str, str], float]:
    """One look, one hit after another; the tail of the Poisson distribution as one less its first terms."""
    bits = {}
    for actor, department, rule in {hit[:3] for hit in hits}:
        of_rule = [hit for hit in hits if hit[2] == rule]
        together = Counter((hit[0], hit[3]) for hit in of_rule)
        clump = median(together[hit[0], hit[3]] for hit in of_rule)
        own, own_looks = sum(hit[0] == actor for hit in of_rule), sum(look[0] == actor for look in looks)
        others = sum(hit[1] == department and hit[0] != actor for hit in of_rule) + PRIOR_LOOKS * len(of_rule) / len(looks)
        among = sum(look[1] == department and look[0] != actor for look in looks) + PRIOR_LOOKS
        expected = own_looks * others / among / clump
        fewer = sum(math.exp(-expected) * expected**k / math.factorial(k) for k in range(math.ceil(own / clump)))
        bits[actor, rule] = -math.log2(1 - fewer) if own >= 2 else 0.0
    return bits
