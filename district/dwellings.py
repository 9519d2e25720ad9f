"""Where the residents of one block live and lived, and where their hukou is."""

from dataclasses import dataclass

import numpy as np

from district.addresses import CANONICAL, Addresses, draw_homes, draw_villages, grids_of, spell
from district.areas import Areas
from district.encounters import Encounters
from district.households import SPOUSE, YEAR, Families
from district.names import inherit
from district.plan import Plan
from district.regions import places_of, weights_of
from district.texts import Numbers
from district.timelines import ALWAYS, Timeline, coded

MOVED_SHARE, LEFT_SHARE, LEFT_COLLECTIVE_SHARE = 0.34, 0.035, 0.15
HUKOU_AT_PARENTS, HUKOU_LEFT_BEHIND = 0.35, 0.22


@dataclass(frozen=True, kw_only=True)
class Dwellings:
    """`addresses` are all addresses of the block; timelines hold positions in it. `left`: the day of leaving the district, or ALWAYS."""

    addresses: Addresses
    residence: Timeline
    hukou: Timeline
    grid: Timeline
    left: Numbers
    moved: Numbers
    village: Numbers
    hukou_household: Numbers


def settle(plan: Plan, block: int, areas: Areas, families: Families, encounters: Encounters) -> Dwellings:
    rng = plan.rng("dwellings", block)
    households = families.household[-1] + 1
    homes, before = _homes(rng, plan, block, areas, families, households, encounters)
    village = _home_regions(rng, families)
    addresses = homes.followed_by(before).followed_by(draw_villages(rng, village))
    left, moved = _departures(rng, plan, families, households)
    home, away = families.household, 2 * households + inherit(np.arange(len(families)), families.father, families.mother)
    gone = left[home] > ALWAYS
    changed = np.where(gone, left[home], moved[home])
    now, previous = np.where(gone, away, home), np.where(gone, home, households + home)
    hukou_household = _hukou_households(rng, families)
    hukou = _hukou_addresses(rng, families, hukou_household, moved, households, away)
    vocabulary = spell(areas, addresses, CANONICAL)
    return Dwellings(
        addresses=addresses,
        residence=coded(vocabulary, now, previous, changed),
        hukou=coded(vocabulary, hukou),
        grid=_grid_timeline(areas, addresses, now, previous, changed),
        left=left[home],
        moved=moved[home],
        village=village,
        hukou_household=np.where(families.local, hukou_household, -1),
    )


def _homes(
    rng: np.random.Generator, plan: Plan, block: int, areas: Areas, families: Families, households: int, encounters: Encounters
) -> tuple[Addresses, Addresses]:
    """Homes now and before, in the block's own stretch of grids; neighbours of one name live door to door."""
    first, last = (plan.first_of(b) * areas.grids // plan.residents for b in (block, block + 1))
    homes = draw_homes(rng, areas, rng.integers(first, last, households))
    before = draw_homes(rng, areas, rng.integers(first, last, households))
    one, other = (families.household[rows] for rows in encounters.neighbours.T)
    for column in (homes.place, homes.number, homes.building):
        column[other] = column[one]
    homes.room[other] = np.where(homes.room[one] > 0, homes.room[one] // 100 * 100 + homes.room[one] % 100 % 6 + 1, 0)
    return homes, before


def _home_regions(rng: np.random.Generator, families: Families) -> Numbers:
    """Region of the register that each migrant comes from, shared in the family; locals have none that matters."""
    migrant = places_of("migrant")
    own = rng.choice(migrant, len(families), p=weights_of(migrant))
    of_head = own[np.searchsorted(families.household, families.household)]
    together = np.where(rng.random(len(families)) < 0.6, of_head, own)
    return inherit(together, families.father, families.mother)


def _departures(rng: np.random.Generator, plan: Plan, families: Families, households: int) -> tuple[Numbers, Numbers]:
    """Day on which a household left the district or last moved inside it; ALWAYS where it did not."""
    heads = np.searchsorted(families.household, np.arange(households))
    share = np.where(families.collective[heads], LEFT_COLLECTIVE_SHARE, np.where(families.local[heads], 0.004, LEFT_SHARE))
    gone = (rng.random(households) < share) & ("X-18" in plan.patterns)
    left = np.where(gone, plan.day - (rng.random(households) * 3 * YEAR).astype(int) - 20, ALWAYS)
    moves = rng.random(households) < MOVED_SHARE
    moved = np.where(moves, plan.day - (rng.random(households) * 7 * YEAR).astype(int) - 10, ALWAYS)
    return left, moved


def _hukou_households(rng: np.random.Generator, families: Families) -> Numbers:
    """人户分离: some heads and spouses are still in their parents' household register."""
    parent = np.where(families.father >= 0, families.father, families.mother)
    stays = (parent >= 0) & (families.slot <= SPOUSE) & families.local[parent] & (rng.random(len(parent)) < HUKOU_AT_PARENTS)
    return np.where(stays, families.household[parent], families.household)


def _hukou_addresses(
    rng: np.random.Generator, families: Families, hukou_household: Numbers, moved: Numbers, households: int, away: Numbers
) -> Numbers:
    behind = (moved > ALWAYS) & (rng.random(households) < HUKOU_LEFT_BEHIND)
    of_household = np.where(behind, households + np.arange(households), np.arange(households))
    return np.where(families.local, of_household[hukou_household], away)


def _grid_timeline(areas: Areas, addresses: Addresses, now: Numbers, before: Numbers, changed: Numbers) -> Timeline:
    grids = grids_of(areas, addresses)
    return coded(areas.grid_code, grids[now], grids[before], changed)
