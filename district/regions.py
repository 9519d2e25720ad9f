"""The test register: region codes that never were any county's, so that no synthetic identity number can be a living person's.

Under a prefecture's prefix the last two digits have always been 01–89 (GB/T 2260, all editions since 1980); 91–99 were never assigned.
Each line of `regions.csv` says whose number it stands for: `local` codes follow each other in time as 南海县, 南海市 and 南海区 did.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from district.texts import Numbers

REGISTER = Path(__file__).parent / "regions.csv"


@dataclass(frozen=True, kw_only=True)
class Region:
    """A code that numbers may start with; `weight` is its share among the codes of its origin."""

    code: int
    name: str
    province: str
    city: str
    origin: str
    weight: float


@cache
def load_regions() -> tuple[Region, ...]:
    with REGISTER.open(encoding="utf-8", newline="") as lines:
        return tuple(
            Region(
                code=int(row["code"]),
                name=row["name"],
                province=row["province"],
                city=row["city"],
                origin=row["origin"],
                weight=float(row["weight"]),
            )
            for row in csv.DictReader(lines)
        )


def write_test_regions(folder: Path) -> None:
    """test_regions.csv (code, name): what a platform has to take as county codes beside the real ones while it works on this district."""
    with (folder / "test_regions.csv").open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(("code", "name"))
        writer.writerows((region.code, region.name) for region in load_regions())


def places_of(origin: str) -> Numbers:
    """Positions in the register of the codes of one origin: local, neighbour or migrant."""
    return np.array([place for place, region in enumerate(load_regions()) if region.origin == origin])


def weights_of(places: Numbers) -> Numbers:
    weights = np.array([load_regions()[place].weight for place in places])
    return weights / weights.sum()
