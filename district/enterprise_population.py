"""Who the enterprises of the district are: companies, their branch offices (分公司) and individual traders (个体工商户).

The companies are those of `enterprises.py`, for whom residents work. One owner may have several enterprises, also at one address; traders
have names that differ by a character; some enterprises were renamed, moved or got another legal representative.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from district.addresses import CANONICAL, Addresses, draw_homes, spell
from district.areas import STREETS, Areas
from district.enterprises import (
    company_orders,
    credit_codes,
    enterprise_count,
    enterprise_credit_codes,
    enterprise_names,
    organisation_codes,
    registration_numbers,
)
from district.names import pools
from district.plan import Plan
from district.texts import Numbers, Texts, chain, dates, join, numbered, patched, pick, words

KINDS = ("company", "branch", "trader")
COMPANY, BRANCH, TRADER = range(len(KINDS))
BRANCHES_PER_COMPANY, TRADERS_PER_COMPANY = 0.15, 1.2
OWNERS_PER_ENTERPRISE, AT_THE_OWNERS_OFFICE = 0.75, 0.35
MOVED, RENAMED, SUCCEEDED, NEAR_NAMESAKES = 0.15, 0.06, 0.12, 0.08
YEARS = 20
REGION = "佛山市南海区"
_BRANCH_WORDS = words(["分公司", "第一分公司", "第二分公司", "营业部", "门市部"])
_LUCK = words([f"{a}{b}" for a in "顺兴旺发好鸿恒聚" for b in "达记隆盛源丰利和"])
_GOODS = words(["五金", "水果", "建材", "服装", "茶叶", "汽配", "百货", "小吃", "家电", "文具", "花卉", "粮油"])
_SHOPS = words(["店", "行", "商行", "经营部", "档", "商店"])


@dataclass(frozen=True, kw_only=True, eq=False)
class Enterprises:
    """One enterprise a row. `former_*` is what held before a change, else the same; `head`: the company of a branch, −1 for others."""

    kind: Numbers
    head: Numbers
    credit_code: Texts
    organisation_code: Texts
    registration_number: Texts
    name: Texts
    former_name: Texts
    representative: Texts
    former_representative: Texts
    address: Addresses
    former_address: Addresses
    established: Numbers

    def __len__(self) -> int:
        return len(self.kind)

    def ids(self) -> Texts:
        return join("N", numbered(np.arange(len(self)), 8))


def draw_enterprises(plan: Plan, areas: Areas) -> Enterprises:
    rng = plan.rng("enterprises")
    companies = enterprise_count(plan)
    branches, traders = int(companies * BRANCHES_PER_COMPANY), int(companies * TRADERS_PER_COMPANY)
    count = companies + branches + traders
    kind = np.repeat([COMPANY, BRANCH, TRADER], [companies, branches, traders])
    head = np.concatenate([np.full(companies, -1), rng.integers(companies, size=branches), np.full(traders, -1)])
    owners = max(1, int(count * OWNERS_PER_ENTERPRISE))
    owner = rng.integers(owners, size=count)
    people = _people(rng, owners)
    orders = 60_000_000 + np.arange(branches + traders) * 13 + plan.seed % 13
    name = chain([enterprise_names(plan), _branch_names(rng, plan, head[companies : companies + branches]), _trader_names(rng, traders)])
    address = _addresses(rng, areas, owner, owners)
    successor = np.where(rng.random(count) < SUCCEEDED, rng.integers(owners, size=count), owner)
    return Enterprises(
        kind=kind,
        head=head,
        credit_code=chain([enterprise_credit_codes(plan), credit_codes(orders[:branches]), credit_codes(orders[branches:], kind=2)]),
        organisation_code=organisation_codes(np.concatenate([company_orders(plan), orders])),
        registration_number=registration_numbers(np.arange(count)),
        name=name,
        former_name=_former_names(rng, name, kind),
        representative=people.take(pa.array(successor)),
        former_representative=people.take(pa.array(owner)),
        address=address,
        former_address=_former_addresses(rng, areas, address),
        established=plan.day - 400 - (rng.random(count) * YEARS * 365).astype(int),
    )


def truth_of(population: Enterprises, areas: Areas) -> pa.Table:
    """truth/enterprises.parquet: what is true of each, in the platform's spelling."""
    ids = population.ids()
    return pa.table(
        {
            "enterprise": ids,
            "kind": pick(words(KINDS), population.kind),
            "head": pick(ids, population.head),
            "credit_code": population.credit_code,
            "organisation_code": printed(population.organisation_code),
            "registration_number": population.registration_number,
            "enterprise_name": population.name,
            "enterprise_former_name": pc.if_else(
                pc.equal(population.name, population.former_name), pa.scalar(None, pa.string()), population.former_name
            ),
            "legal_representative": population.representative,
            "enterprise_address": spell(areas, population.address, CANONICAL),
            "established_on": dates(population.established),
        }
    )


def printed(organisation_codes: Texts) -> Texts:
    """As certificates show it: 12345678-9."""
    return join(pc.utf8_slice_codeunits(organisation_codes, 0, 8), "-", pc.utf8_slice_codeunits(organisation_codes, 8))


def _people(rng: np.random.Generator, count: int) -> Texts:
    surnames, given = list(pools()["surnames"]), pools()["given"][2]["male"].replace(" ", "")
    first, second = (pick(words(list(given)), rng.integers(len(given), size=count)) for _ in range(2))
    return join(pick(words(surnames), rng.integers(len(surnames), size=count)), first, second)


def _branch_names(rng: np.random.Generator, plan: Plan, head: Numbers) -> Texts:
    town = pick(words([name[:2] for _, name, _ in STREETS]), rng.integers(len(STREETS), size=len(head)))
    return join(enterprise_names(plan).take(pa.array(head)), town, pick(_BRANCH_WORDS, rng.integers(len(_BRANCH_WORDS), size=len(head))))


def _trader_names(rng: np.random.Generator, count: int) -> Texts:
    """Some are one character away from another trader's."""
    town = pick(words([name[:2] for _, name, _ in STREETS]), rng.integers(len(STREETS), size=count))
    luck, goods, shop = (rng.integers(len(pool), size=count) for pool in (_LUCK, _GOODS, _SHOPS))
    near = np.flatnonzero(rng.random(count) < NEAR_NAMESAKES)
    near = near[near > 0]
    luck[near], goods[near] = luck[near - 1], goods[near - 1]
    shop[near] = (shop[near - 1] + 1) % 2
    town = patched(town, near, town.take(pa.array(near - 1)))
    return join(REGION, town, pick(_LUCK, luck), pick(_GOODS, goods), pick(_SHOPS, shop))


def _former_names(rng: np.random.Generator, name: Texts, kind: Numbers) -> Texts:
    renamed = np.flatnonzero((rng.random(len(name)) < RENAMED) & (kind != BRANCH))
    luck = pick(_LUCK, rng.integers(len(_LUCK), size=len(renamed)))
    old = join(REGION, luck, pc.utf8_slice_codeunits(name.take(pa.array(renamed)), len(REGION) + 2))
    return patched(name, renamed, old)


def _addresses(rng: np.random.Generator, areas: Areas, owner: Numbers, owners: int) -> Addresses:
    office = draw_homes(rng, areas, rng.integers(areas.grids, size=owners)).taken(owner)
    own = draw_homes(rng, areas, rng.integers(areas.grids, size=len(owner)))
    return _either(rng.random(len(owner)) < AT_THE_OWNERS_OFFICE, office, own)


def _former_addresses(rng: np.random.Generator, areas: Areas, address: Addresses) -> Addresses:
    before = draw_homes(rng, areas, rng.integers(areas.grids, size=len(address)))
    return _either(rng.random(len(address)) < MOVED, before, address)


def _either(first: Numbers, a: Addresses, b: Addresses) -> Addresses:
    """Row by row the one or the other."""
    place, number, building, room = (
        np.where(first, getattr(a, part), getattr(b, part)) for part in ("place", "number", "building", "room")
    )
    return Addresses(place=place, number=number, building=building, room=room)
