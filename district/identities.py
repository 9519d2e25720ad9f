"""Which documents each resident of a block bears: citizens' numbers, permits of people from elsewhere, numbers that were superseded."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from district import numbers
from district.encounters import Encounters
from district.households import HEAD, OTHER, YEAR, Families
from district.plan import Plan
from district.regions import load_regions, places_of
from district.texts import Numbers, Texts, patched, words
from district.timelines import ALWAYS, Timeline, coded, renewed, steady

CITIZEN, HMT, FOREIGN = 0, 1, 2
HMT_SHARE, FOREIGN_SHARE = 0.016, 0.006
SUPERSEDED_SHARE, PERMIT_SHARE, CARD_SHARE = 0.008, 0.6, 0.5
COUNTY_UNTIL, CITY_UNTIL = 8_035, 12_030  # days since 1970: end of 1991, end of 2002
NATIONALITIES = (840, 392, 704, 410, 276, 724, 566, 356, 380, 250)
NATIONALITY_LETTERS = ["USA", "JPN", "VNM", "KOR", "DEU", "ESP", "NGA", "IND", "ITA", "FRA"]


@dataclass(frozen=True, kw_only=True)
class Identities:
    """`id_number` holds what identity number columns hold: a citizen's number, a residence permit's or a permanent-residence card's."""

    kind: Numbers
    id_number: Timeline
    hmt_permit_number: Timeline
    passport_number: Timeline
    permanent_residence_number: Timeline
    nationality: Timeline
    superseded: Numbers
    renewed: Numbers


def kinds_of(plan: Plan, block: int, families: Families) -> Numbers:
    """Foreigners and people from Hong Kong, Macau and Taiwan are grown up and nobody's child here."""
    draw = plan.rng("kinds", block).random(len(families))
    eligible = ((families.slot == HEAD) | (families.slot >= OTHER) | (families.slot == 1)) & (families.father < 0) & (families.mother < 0)
    elsewhere = eligible & (~families.local | (families.slot == 1))
    return np.where(elsewhere & (draw < FOREIGN_SHARE / 0.6), FOREIGN, np.where(elsewhere & (draw > 1 - HMT_SHARE / 0.6), HMT, CITIZEN))


def issue(plan: Plan, block: int, families: Families, kind: Numbers, village: Numbers, encounters: Encounters) -> Identities:
    rng, count = plan.rng("identities", block), len(families)
    order = plan.first_of(block) + np.arange(count)
    citizen = (kind == CITIZEN) & ~((plan.day - families.birth < 120) & (rng.random(count) < 0.6))
    now, before, superseded, changed = _citizens(plan, rng, block, families, village, citizen)
    now = patched_pairs(now, encounters.same_number)
    where = rng.choice(3, count, p=(0.7, 0.12, 0.18))
    permit = (kind == HMT) & (rng.random(count) < PERMIT_SHARE)
    now = _at(now, permit, numbers.residence_permits(where, families.birth, families.sex, order))
    card = (kind == FOREIGN) & (rng.random(count) < CARD_SHARE)
    nation = rng.integers(len(NATIONALITIES), size=count)
    new_card = numbers.residence_cards(np.array(NATIONALITIES)[nation], families.birth, families.sex, order)
    now = _at(now, card, new_card)
    renewal = ("X-08" in plan.patterns) & (kind == FOREIGN) & (rng.random(count) < 0.5)
    renewed_on = np.where(renewal, plan.day - (rng.random(count) * 2.8 * YEAR).astype(int), ALWAYS)
    before = _at(before, card & renewal, numbers.old_residence_cards(families.birth, order))
    changed = np.where(card, renewed_on, changed)
    return Identities(
        kind=kind,
        id_number=renewed(now, before, changed),
        hmt_permit_number=steady(_only(numbers.travel_permits(where, order), kind == HMT)),
        passport_number=_passports(kind, order, renewed_on, plan.residents),
        permanent_residence_number=renewed(_only(new_card, card), _only(before, card), np.where(card, renewed_on, ALWAYS)),
        nationality=coded(words(["CHN", *NATIONALITY_LETTERS]), np.where(kind == FOREIGN, nation + 1, 0)),
        superseded=superseded,
        renewed=renewal,
    )


def _citizens(
    plan: Plan, rng: np.random.Generator, block: int, families: Families, village: Numbers, citizen: Numbers
) -> tuple[Texts, Texts, Numbers, Numbers]:
    """Numbers now and before. A superseded number had another region (moved register) or another day of birth (corrected)."""
    count = len(families)
    superseded = citizen & (rng.random(count) < SUPERSEDED_SHARE) & (plan.day - families.birth > 8 * YEAR) & ("X-07" in plan.patterns)
    region = _first_regions(rng, families, village)
    rows, old = np.flatnonzero(citizen), np.flatnonzero(superseded)
    corrected = rng.random(len(old)) < 0.5
    old_birth = families.birth[old] + np.where(corrected, rng.choice([-366, -30, -10, -1, 1, 9, 31, 365], len(old)), 0)
    neighbours = _codes(places_of("neighbour"))
    old_region = np.where(corrected, region[old], rng.choice(neighbours, len(old)))
    claim = numbers.Claim(
        region=np.concatenate([region[rows], old_region]),
        birth=np.concatenate([families.birth[rows], old_birth]),
        sex=np.concatenate([families.sex[rows], families.sex[old]]),
    )
    spare = np.concatenate([neighbours, _codes(places_of("local")), _codes(places_of("migrant"))])
    issued = numbers.allot(claim, spare, block, plan.blocks)
    empty = pa.nulls(count, pa.string())
    now = patched(empty, rows, issued[: len(rows)])
    before = patched(empty, old, issued[len(rows) :])
    changed = np.where(superseded, plan.day - 30 - (rng.random(count) * 6 * YEAR).astype(int), ALWAYS)
    return now, before, superseded, changed


def _codes(places: Numbers) -> Numbers:
    return np.array([load_regions()[place].code for place in places])


def _first_regions(rng: np.random.Generator, families: Families, village: Numbers) -> Numbers:
    """D-05, D-06: the code of the place and time of the number's issue; some locals came from elsewhere and kept theirs."""
    county, city, district = _codes(places_of("local"))
    local = np.where(families.birth < COUNTY_UNTIL, county, np.where(families.birth < CITY_UNTIL, city, district))
    every = np.array([region.code for region in load_regions()])
    came = rng.random(len(families)) < np.where(families.father >= 0, 0.02, 0.2)
    return np.where(families.local & ~came, local, every[village])


def patched_pairs(texts: Texts, pairs: Numbers) -> Texts:
    """The second of each pair gets the first one's text."""
    pairs = pairs[np.argsort(pairs[:, 1])]
    return patched(texts, pairs[:, 1], texts.take(pa.array(pairs[:, 0])))


def _at(texts: Texts, mask: Numbers, replacement: Texts) -> Texts:
    rows = np.flatnonzero(mask)
    return patched(texts, rows, replacement.take(pa.array(rows)))


def _only(texts: Texts, mask: Numbers) -> Texts:
    return pc.if_else(pa.array(mask), texts, None)


def _passports(kind: Numbers, order: Numbers, renewed_on: Numbers, residents: int) -> Timeline:
    now, before = numbers.passports(order), numbers.passports(residents + order)
    return renewed(_only(now, kind == FOREIGN), _only(before, kind == FOREIGN), renewed_on)
