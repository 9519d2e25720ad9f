"""Synthetic residents as three sources hold them, with errors, to measure linking at size; the truth stands in a file of its own.

`python -m bench.three_sources FOLDER [--records N] [--seed S]` writes police.parquet, insurance.parquet, grid.parquet
(unique_id BIGINT, id_number, name, birth_date, sex, phone, address; cells of standardised rows, but for numbers that their check refutes)
and truth.parquet (unique_id, person). Identity numbers carry test regions, phones were given to no operator (district/numbers.py).
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from district.names import pools
from district.numbers import PHONE_STARTS, Claim, allot, as_yyyymmdd
from district.regions import load_regions
from district.texts import Numbers, Texts, blanked, flat, join, numbered, patched, pick, words

RECORDS_PER_PERSON = 2.2
COLUMNS = ("id_number", "name", "birth_date", "sex", "phone", "address")
HOUSEHOLD = 3
"""Residents under one roof: head, spouse, child."""

YOUNGEST = 20_400
"""The last day on which one of them was born, from 1970 on."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """`held`: the share of people it knows, `doubled`: of its records that stand twice; errors as shares of its records."""

    name: str
    held: float
    doubled: float
    numberless: float
    misread_number: float
    misspelt_name: float
    wrong_birth: float
    no_birth: float
    phoneless: float
    other_phone: float
    homeless: float
    moved: float


SOURCES = (
    Source(
        name="police", held=0.95, doubled=0.0, numberless=0.01, misread_number=0.002, misspelt_name=0.01, wrong_birth=0.005, no_birth=0.0,
        phoneless=0.3, other_phone=0.2, homeless=0.01, moved=0.05,
    ),
    Source(
        name="insurance", held=0.70, doubled=0.02, numberless=0.08, misread_number=0.02, misspelt_name=0.03, wrong_birth=0.02,
        no_birth=0.05, phoneless=0.1, other_phone=0.1, homeless=0.3, moved=0.2,
    ),
    Source(
        name="grid", held=0.52, doubled=0.03, numberless=0.25, misread_number=0.03, misspelt_name=0.06, wrong_birth=0.04, no_birth=0.15,
        phoneless=0.1, other_phone=0.05, homeless=0.02, moved=0.05,
    ),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class People:
    """One row per person; `surname`, `given`: characters, the latter as codes (second −1 where the name has one)."""

    number: Texts
    surname: Numbers
    first: Numbers
    second: Numbers
    birth: Numbers
    sex: Numbers
    phone: Numbers
    home: Numbers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print(f"{write(asked.folder, records=asked.records, seed=asked.seed):,} records")


def write(folder: Path, *, records: int, seed: int) -> int:
    """Write the files; about `records` records in all, their exact number is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    people = draw_people(rng, round(records / RECORDS_PER_PERSON))
    written, truths = 0, []
    for source in SOURCES:
        persons = _held(rng, source, len(people.number))
        ids = np.arange(written, written + len(persons))
        pq.write_table(_records(rng, source, people, persons, ids), folder / f"{source.name}.parquet")
        truths.append(pa.table({"unique_id": ids, "person": persons}))
        written += len(persons)
    pq.write_table(pa.concat_tables(truths), folder / "truth.parquet")
    return written


def draw_people(rng: np.random.Generator, count: int) -> People:
    """Households of three one below the other: their children bear the first one's surname, many share a phone."""
    household = np.arange(count) // HOUSEHOLD
    place = np.arange(count) % HOUSEHOLD
    surname = _surnames(rng, count)
    head = household * HOUSEHOLD
    surname = np.where(place == 2, surname[head], surname)
    birth, sex = _births(rng, household, place), rng.integers(1, 3, size=count)
    phone = rng.permutation(count)
    shared = rng.random(count) < np.choose(place, (0.0, 0.1, 0.5))
    first, second = _given(rng, count)
    return People(
        number=_numbers(rng, birth, sex),
        surname=surname,
        first=first,
        second=second,
        birth=birth,
        sex=sex,
        phone=np.where(shared, phone[head], phone),
        home=household,
    )


def _births(rng: np.random.Generator, household: Numbers, place: Numbers) -> Numbers:
    """Days since 1970: heads of 25 to 90 years in 2026, spouses about as old, children 22 to 38 years younger."""
    head = rng.integers(-12_400, 11_400, size=household[-1] + 1)[household]
    spouse = head + rng.normal(0, 1_200, len(head)).astype(np.int64)
    child = head + rng.integers(8_000, 14_000, size=len(head))
    child = np.where(child > YOUNGEST, YOUNGEST - rng.integers(6_000, size=len(head)), child)
    return np.choose(place, (head, spouse, child))


def _numbers(rng: np.random.Generator, birth: Numbers, sex: Numbers) -> Texts:
    codes = np.array([int(region.code) for region in load_regions()])
    return allot(Claim(region=rng.choice(codes, len(birth)), birth=birth, sex=sex), codes, 0, 1)


def _surnames(rng: np.random.Generator, count: int) -> Numbers:
    shares = np.array(list(pools()["surnames"].values()))
    return rng.choice(len(shares), count, p=shares / shares.sum())


def _given(rng: np.random.Generator, count: int) -> tuple[Numbers, Numbers]:
    """Two characters, or one in a seventh of the names; of the alphabet, the earlier ones are more popular."""
    shares = 1 / (np.arange(len(_alphabet())) + 20.0)
    first, second = (rng.choice(len(shares), count, p=shares / shares.sum()) for _ in range(2))
    return first, np.where(rng.random(count) < 0.14, -1, second)


def _alphabet() -> list[str]:
    return sorted({c for era in pools()["given"] for sex in ("male", "female") for c in era[sex].replace(" ", "")})


def _held(rng: np.random.Generator, source: Source, people: int) -> Numbers:
    """The persons of a source's records, some twice, in no order."""
    once = np.flatnonzero(rng.random(people) < source.held)
    return rng.permutation(np.concatenate([once, once[rng.random(len(once)) < source.doubled]]))


def _records(rng: np.random.Generator, source: Source, people: People, persons: Numbers, ids: Numbers) -> pa.Table:
    def some(share: float) -> Numbers:
        return np.flatnonzero(rng.random(len(persons)) < share)

    cells = (
        blanked(_misread(rng, people.number.take(pa.array(persons)), some(source.misread_number)), some(source.numberless)),
        _names(rng, people, persons, some(source.misspelt_name)),
        blanked(_dates(rng, people.birth[persons], some(source.wrong_birth)), some(source.no_birth)),
        numbered(people.sex[persons]),
        blanked(_phones(rng, people.phone[persons], some(source.other_phone)), some(source.phoneless)),
        blanked(_addresses(rng, people.home[persons], some(source.moved)), some(source.homeless)),
    )
    return pa.table({"unique_id": pa.array(ids, pa.int64()), **dict(zip(COLUMNS, cells, strict=True))})


def _misread(rng: np.random.Generator, numbers: Texts, rows: Numbers) -> Texts:
    """One digit of the sequence or the birth date is another one, so that the check does not hold."""
    characters = np.array([list(number) for number in numbers.take(pa.array(rows)).to_pylist()]).reshape(len(rows), 18)
    at, each = rng.integers(6, 17, size=len(rows)), np.arange(len(rows))
    characters[each, at] = (characters[each, at].astype(np.int64) + rng.integers(1, 10, size=len(rows))) % 10
    return patched(numbers, rows, words(["".join(row) for row in characters]))


def _names(rng: np.random.Generator, people: People, persons: Numbers, misspelt: Numbers) -> Texts:
    """A misspelt name has another second character, or none."""
    second = people.second[persons]
    other = np.where(rng.random(len(misspelt)) < 0.7, rng.integers(len(_alphabet()), size=len(misspelt)), -1)
    second[misspelt] = other
    alphabet = words([*_alphabet(), ""])
    surnames = pick(words(list(pools()["surnames"])), people.surname[persons])
    return join(surnames, pick(alphabet, people.first[persons]), pick(alphabet, np.where(second < 0, len(alphabet) - 1, second)))


def _dates(rng: np.random.Generator, birth: Numbers, wrong: Numbers) -> Texts:
    """ISO 8601; a wrong one lies some days, a month or years off."""
    days = birth.copy()
    days[wrong] += rng.choice([1, -1, 9, -9, 31, -31, 365, -365, 3653], size=len(wrong))
    flat_days = numbered(as_yyyymmdd(days))
    parts = [pc.utf8_slice_codeunits(flat_days, start, stop) for start, stop in ((0, 4), (4, 6), (6, 8))]
    return flat(pc.binary_join_element_wise(*parts, "-"))


def _phones(rng: np.random.Generator, phone: Numbers, other: Numbers) -> Texts:
    """Another phone is an older one of the same person, that no one else has now."""
    number = phone.copy()
    number[other] += 50_000_000
    return join(pick(words([str(start) for start in PHONE_STARTS]), number % len(PHONE_STARTS)), numbered(number, 8))


def _addresses(rng: np.random.Generator, home: Numbers, moved: Numbers) -> Texts:
    """Who has moved is held at another household's address."""
    home = home.copy()
    home[moved] = rng.integers(max(int(home.max(initial=0)), 1), size=len(moved))
    street, house, room = home // 2_000, home // 40 % 50 + 1, home % 40
    return join(
        "广东省佛山市南海区（测试）第", numbered(street), "路", numbered(house), "号", numbered((room // 4 + 1) * 100 + room % 4 + 1), "房"
    )


if __name__ == "__main__":
    main()
