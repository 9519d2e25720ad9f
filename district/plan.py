"""What is to be built: size, seed, day, which dirty patterns; and how residents divide into blocks with random streams of their own."""

import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import numpy as np

PATTERNS = tuple(f"X-{number:02d}" for number in range(1, 25))
DAY_OF_THE_DISTRICT = date(2026, 10, 31)
RESIDENTS_PER_BLOCK = 120_000
MOST_RESIDENTS = 5_000_000


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One district. Residents come in blocks that know nothing of each other: memory stays bounded, and blocks can be made side by side."""

    residents: int
    seed: int
    patterns: frozenset[str]
    today: date = DAY_OF_THE_DISTRICT

    def __post_init__(self) -> None:
        assert 200 <= self.residents <= MOST_RESIDENTS, "a district has 200 to 5,000,000 residents"
        assert self.patterns <= set(PATTERNS), "patterns are named X-01 to X-24"

    @property
    def blocks(self) -> int:
        return -(-self.residents // RESIDENTS_PER_BLOCK)

    def first_of(self, block: int) -> int:
        """Number of the first resident of a block; blocks differ in size by one at most."""
        return block * self.residents // self.blocks

    def size_of(self, block: int) -> int:
        return self.first_of(block + 1) - self.first_of(block)

    @property
    def day(self) -> int:
        return as_day(self.today)

    def rng(self, *names: object) -> np.random.Generator:
        """A random stream for one purpose: switching off one pattern or data set leaves all the others as they are."""
        return np.random.default_rng([self.seed, *(zlib.crc32(str(name).encode()) for name in names)])


def plan(residents: int, seed: int, patterns: Collection[str] = PATTERNS) -> Plan:
    return Plan(residents=residents, seed=seed, patterns=frozenset(patterns))


def as_day(day: date) -> int:
    """Days since 1970, the form in which the generator holds all dates."""
    return (day - date(1970, 1, 1)).days
