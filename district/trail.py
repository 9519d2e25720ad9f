"""A synthetic trail (轨迹) of half a year's looks by a district's accounts, with planted misuse whose truth is known.

Most accounts do their work, with all that makes honest work look odd: night shifts, registers worked through in order of number, mistyped
numbers and case numbers, second workplaces, long leave, clients whom no data set knows yet, neighbours and namesakes met by chance. Of each
kind of misuse a few accounts do it beside their honest work, some grossly and some so that it hardly shows: how often is drawn, not set.

Nothing here was set by looking at what the alerts find, and it imports none of their thresholds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

BEGUN = np.datetime64("2026-03-02T00:00:00", "us")  # a Monday
DAYS = 180
HOUR = 3_600_000_000
DAY = 24 * HOUR
NOT_FOUND = -1
NO_CASE = -1
CLASSES = ("other", "health_and_transactions", "tracks_and_property")
KINDS = (
    "trawl",
    "harvest",
    "property_list",
    "night_owl",
    "family",
    "famous",
    "colleagues",
    "number_by_number",
    "guessing",
    "lent_account",
    "left_account",
    "woken_account",
    "invented_cases",
    "one_case_for_all",
    "stalking",
)

Ints = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Looks:
    """One element a look. `subject`, `case` are numbers, NOT_FOUND and NO_CASE among them; `at` in China's time; `kind`: -1 honest."""

    actor: Ints
    at: Ints
    subject: Ints
    case: Ints
    origin: Ints
    klass: Ints
    kind: Ints


@dataclass(frozen=True, kw_only=True)
class Trail:
    """`truth`: account → kind of misuse. The rest is what the business tables know."""

    looks: Looks
    department: Ints
    client: Mapping[int, Ints]
    case_department: Ints
    surname: Ints
    place: Ints
    rank: Ints
    famous: Ints
    holder: Ints
    """Account → the resident who holds it; -1: lives elsewhere."""
    left_on: Mapping[int, date]
    truth: Mapping[int, str]


class _Town:
    """Residents, departments and accounts, before anybody looks."""

    def __init__(self, chance: np.random.Generator, actors: int, residents: int, departments: int) -> None:
        self.chance, self.actors, self.residents = chance, actors, residents
        self.surname = np.minimum(chance.zipf(1.4, residents), 400)
        self.place = chance.integers(0, residents * 10 // 28, residents)
        self.rank = chance.permutation(residents)
        self.by_rank = np.argsort(self.rank)
        self.famous = chance.random(residents) < 0.004
        sizes = chance.dirichlet(np.full(departments, 0.8))
        self.department = chance.choice(departments, actors, p=sizes)
        self.client = {d: np.flatnonzero(chance.random(residents) < chance.uniform(0.03, 0.5)) for d in range(departments)}
        self.case_department = chance.integers(0, departments, actors * 30)
        self.cases = {d: np.flatnonzero(self.case_department == d) for d in range(departments)}
        self.at_night = chance.choice([0.01, 0.03, 0.3], departments, p=[0.6, 0.25, 0.15])
        self.unknown = chance.uniform(0.005, 0.12, departments)
        self.with_case = chance.uniform(0.2, 0.95, departments)
        self.holder = np.where(chance.random(actors) < 0.7, chance.choice(residents, actors, replace=False), -1)


def make_trail(seed: int, *, actors: int, looks: int, residents: int, departments: int, each: int) -> Trail:
    """`each`: accounts of each kind of misuse."""
    chance = np.random.default_rng(seed)
    town = _Town(chance, actors, residents, departments)
    chosen = chance.choice(np.flatnonzero(town.holder >= 0), len(KINDS) * each, replace=False)
    truth = {int(actor): KINDS[number % len(KINDS)] for number, actor in enumerate(chosen)}
    left = {int(actor): _left(chance) for actor in chance.choice(actors, actors // 50, replace=False)}
    left |= {actor: _left(chance) for actor, kind in truth.items() if kind == "left_account"}
    left = {actor: day for actor, day in left.items() if truth.get(actor, "left_account") == "left_account"}
    honest = _honest(town, looks, left, truth)
    planted = [MISUSE[kind](town, actor, left) for actor, kind in truth.items()]
    return Trail(
        looks=_joined([honest, *planted]),
        department=town.department,
        client=town.client,
        case_department=town.case_department,
        surname=town.surname,
        place=town.place,
        rank=town.rank,
        famous=town.famous,
        holder=town.holder,
        left_on=left,
        truth=truth,
    )


def _left(chance: np.random.Generator) -> date:
    return (BEGUN + np.timedelta64(int(chance.integers(30, 120)), "D")).astype("datetime64[D]").item()


def _honest(town: _Town, looks: int, left: Mapping[int, date], truth: Mapping[int, str]) -> Looks:
    chance, actors = town.chance, town.actors
    busy = chance.lognormal(0, 1.0, actors)
    actor = np.sort(chance.choice(actors, looks, p=busy / busy.sum()))
    department = town.department[actor]
    days = _working_days(chance, len(actor))
    night = chance.random(len(actor)) < town.at_night[department]
    hours = np.where(night, chance.uniform(-3, 6, len(actor)), np.clip(chance.normal(13, 2.6, len(actor)), 7, 21.9))
    at = (days * DAY + hours * HOUR).astype(np.int64)
    at = at[np.lexsort((at, actor))]  # each account's looks in order of time, so that a register is worked through in order of number
    subject = np.concatenate([chance.choice(town.client[d], n) for d, n in zip(*_counts(department), strict=True)])
    subject = subject[np.argsort(np.argsort(department, kind="stable"), kind="stable")]
    stranger = chance.random(len(actor)) < town.unknown[department]
    subject = np.where(stranger, chance.integers(0, town.residents, len(actor)), subject)
    register = np.isin(actor, chance.choice(actors, actors // 60, replace=False))
    subject = np.where(register, _in_order(town, actor, subject), subject)
    subject = np.where(chance.random(len(actor)) < 0.03, NOT_FOUND, subject)
    case = np.where(chance.random(len(actor)) < town.with_case[department], _own_case(town, department), NO_CASE)
    case = np.where((case != NO_CASE) & (chance.random(len(actor)) < 0.004), len(town.case_department) + case, case)
    origin = actor * 10 + (chance.random(len(actor)) < 0.03)
    klass = chance.choice(3, len(actor), p=[0.8, 0.15, 0.05])
    made = Looks(actor=actor, at=at, subject=subject, case=case, origin=origin, klass=klass, kind=np.full(len(actor), -1))
    return _kept(made, _at_work(town, made, left, truth))


def _at_work(town: _Town, made: Looks, left: Mapping[int, date], truth: Mapping[int, str]) -> np.ndarray:
    """Not after leaving, not while on leave; an account that is to be woken has slept."""
    chance = town.chance
    ends = np.full(town.actors, np.iinfo(np.int64).max)
    for actor, day in left.items():
        ends[actor] = (np.datetime64(day, "us") - BEGUN).astype(np.int64)
    away_from, away_to = np.full(town.actors, 0), np.full(town.actors, 0)
    leave = chance.choice(town.actors, town.actors // 30, replace=False)
    away_from[leave] = chance.integers(10, 80, len(leave)) * DAY
    away_to[leave] = away_from[leave] + chance.integers(20, 90, len(leave)) * DAY
    for actor in (actor for actor, kind in truth.items() if kind == "woken_account"):
        away_from[actor], away_to[actor] = 40 * DAY, DAYS * DAY
    away = (made.at >= away_from[made.actor]) & (made.at < away_to[made.actor])
    return (made.at < ends[made.actor]) & ~away


def _working_days(chance: np.random.Generator, count: int) -> Ints:
    days = chance.integers(0, DAYS, count)
    weekend = days % 7 >= 5
    return np.where(weekend & (chance.random(count) < 0.93), days - 1 - days % 7 % 5, days)


def _counts(values: Ints) -> tuple[list[int], list[int]]:
    found, counts = np.unique(values, return_counts=True)
    return found.tolist(), counts.tolist()


def _own_case(town: _Town, department: Ints) -> Ints:
    drawn = town.chance.random(len(department))
    return np.array([cases[int(at * len(cases))] for cases, at in zip((town.cases[d] for d in department), drawn, strict=True)])


def _in_order(town: _Town, actor: Ints, subject: Ints) -> Ints:
    """Those who work through a register of their department's meet its numbers one after another, with gaps."""
    steps = town.chance.integers(1, 8, len(actor)).cumsum()
    registers = {d: some[np.argsort(town.rank[some])] for d, some in town.client.items()}
    department, worked = town.department[actor], subject.copy()
    for d, register in registers.items():
        own = department == d
        worked[own] = register[steps[own] % len(register)]
    return worked


def _made(town: _Town, actor: int, count: int, **given: Ints) -> Looks:
    """Misuse at usual hours of any day, about anybody, with nothing else odd, but for what is given."""
    chance = town.chance
    days = _working_days(chance, count)
    made = {
        "at": (days * DAY + np.clip(chance.normal(13, 2.6, count), 7, 21.9) * HOUR).astype(np.int64),
        "subject": chance.integers(0, town.residents, count),
        "case": np.full(count, NO_CASE),
        "origin": np.full(count, actor * 10),
        "klass": np.zeros(count, np.int64),
    }
    return Looks(actor=np.full(count, actor), kind=np.zeros(count, np.int64), **{**made, **given})


def _often(town: _Town, least: int, most: int) -> int:
    """Between two numbers, as often ten times the one as a tenth of the other."""
    return int(np.exp(town.chance.uniform(np.log(least), np.log(most))))


def _trawl(town: _Town, actor: int, _left: Mapping[int, date]) -> Looks:
    count, days = _often(town, 60, 600), town.chance.integers(0, DAYS, 2)
    at = town.chance.choice(days, count) * DAY + town.chance.integers(8 * HOUR, 19 * HOUR, count)
    return _made(town, actor, count, at=at)


def _harvest(town: _Town, actor: int, _left: Mapping[int, date]) -> Looks:
    return _made(town, actor, _often(town, 150, 2_000))


def _property_list(town: _Town, actor: int, _left: Mapping[int, date]) -> Looks:
    count = _often(town, 30, 150)
    return _made(town, actor, count, klass=np.full(count, 2))


def _night_owl(town: _Town, actor: int, _left: Mapping[int, date]) -> Looks:
    count = _often(town, 15, 120)
    return _made(town, actor, count, at=town.chance.integers(0, DAYS, count) * DAY + town.chance.integers(0, 5 * HOUR, count))


def _family(town: _Town, actor: int, _left: Mapping[int, date]) -> Looks:
    holder, count = town.holder[actor], _often(town, 6, 40)
    home = np.flatnonzero(town.place == town.place[holder])
    kin = np.flatnonzero(town.surname == town.surname[holder])[:20]
    return _made(town, actor, count, subject=town.chance.choice(np.concatenate([np.repeat(home, 5), kin]), count))


def _famous(town: _Town, actor: int, _left: Mapping[int, date]) -> Looks:
    count = _often(town, 5, 60)
    return _made(town, actor, count, subject=town.chance.choice(np.flatnonzero(town.famous), count))


def _colleagues(town: _Town, actor: int, _left: Mapping[int, date]) -> Looks:
    count = _often(town, 6, 60)
    return _made(town, actor, count, subject=town.chance.choice(town.holder[town.holder >= 0], count))


def _number_by_number(town: _Town, actor: int, _left: Mapping[int, date]) -> Looks:
    count, begun = _often(town, 20, 300), town.chance.integers(0, town.residents)
    subject = town.by_rank[(begun + town.chance.integers(1, 4, count).cumsum()) % town.residents]
    at = town.chance.integers(0, DAYS) * DAY + 9 * HOUR + town.chance.integers(20, 90, count).cumsum() * 1_000_000
    return _made(town, actor, count, subject=subject, at=at)


def _guessing(town: _Town, actor: int, _left: Mapping[int, date]) -> Looks:
    count = _often(town, 20, 300)
    days = town.chance.choice(town.chance.integers(0, DAYS, 4), count)
    subject = np.where(town.chance.random(count) < 0.75, NOT_FOUND, town.chance.integers(0, town.residents, count))
    return _made(town, actor, count, subject=subject, at=days * DAY + town.chance.integers(8 * HOUR, 19 * HOUR, count))


def _lent_account(town: _Town, actor: int, _left: Mapping[int, date]) -> Looks:
    """The owner goes on working while somebody else does, too."""
    count, other = _often(town, 30, 300), int(town.chance.integers(0, town.actors)) * 10
    days = town.chance.choice(town.chance.integers(0, DAYS, 6), count)
    at = days * DAY + town.chance.integers(9 * HOUR, 12 * HOUR, count)
    subject = town.chance.choice(town.client[int(town.department[actor])], count)
    return _made(town, actor, count, at=at, subject=subject, origin=np.where(town.chance.random(count) < 0.5, other, actor * 10))


def _left_account(town: _Town, actor: int, left: Mapping[int, date]) -> Looks:
    count, since = _often(town, 10, 150), int((np.datetime64(left[actor], "us") - BEGUN).astype(np.int64)) + 2 * DAY
    at = since + town.chance.integers(0, 50, count) * DAY + town.chance.integers(8 * HOUR, 19 * HOUR, count)
    return _made(town, actor, count, at=at, subject=town.chance.choice(town.client[int(town.department[actor])], count))


def _woken_account(town: _Town, actor: int, _left: Mapping[int, date]) -> Looks:
    count = _often(town, 15, 200)
    return _made(town, actor, count, at=(130 + town.chance.integers(0, 6, count)) * DAY + town.chance.integers(8 * HOUR, 19 * HOUR, count))


def _invented_cases(town: _Town, actor: int, _left: Mapping[int, date]) -> Looks:
    count = _often(town, 10, 150)
    return _made(town, actor, count, case=len(town.case_department) * 3 + town.chance.integers(0, 10**6, count))


def _one_case_for_all(town: _Town, actor: int, _left: Mapping[int, date]) -> Looks:
    count = _often(town, 20, 200)
    return _made(town, actor, count, case=np.full(count, town.chance.choice(town.cases[int(town.department[actor])])))


def _stalking(town: _Town, actor: int, _left: Mapping[int, date]) -> Looks:
    count = _often(town, 6, 60)
    return _made(town, actor, count, subject=np.full(count, town.chance.integers(0, town.residents)))


MISUSE: Mapping[str, Callable[[_Town, int, Mapping[int, date]], Looks]] = {
    "trawl": _trawl,
    "harvest": _harvest,
    "property_list": _property_list,
    "night_owl": _night_owl,
    "family": _family,
    "famous": _famous,
    "colleagues": _colleagues,
    "number_by_number": _number_by_number,
    "guessing": _guessing,
    "lent_account": _lent_account,
    "left_account": _left_account,
    "woken_account": _woken_account,
    "invented_cases": _invented_cases,
    "one_case_for_all": _one_case_for_all,
    "stalking": _stalking,
}


def _kept(looks: Looks, keep: np.ndarray) -> Looks:
    return Looks(**{name: values[keep] for name, values in vars(looks).items()})


def _joined(parts: list[Looks]) -> Looks:
    """All of them in order of time."""
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])}
    order = np.argsort(columns["at"], kind="stable")
    return Looks(**{name: values[order] for name, values in columns.items()})
