"""Numbers that residents bear: identity numbers from the test register (GB 11643), permits of people from elsewhere, phones.

None can be a living person's: regions 91–99 were never assigned; Hong Kong, Macau and Taiwan residence permits take sequences from 900 on,
foreigners' cards an unassigned province or nationality letters that ISO 3166 leaves to users; phones start with 154, 163, 164 or 169,
which no operator was given; travel permits and passports begin with 99.
"""

from dataclasses import dataclass

import numpy as np

from district.texts import Numbers, Texts, join, numbered, pick, words

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = words(list("10X98765432"))
SEQUENCES = 495
PHONE_STARTS = (154, 163, 164, 169)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What a number is asked for: the region's code, the day of birth and the sex that it must carry."""

    region: Numbers
    birth: Numbers
    sex: Numbers


def allot(claim: Claim, spare_regions: Numbers, block: int, blocks: int) -> Texts:
    """A number for each claim, all different, also from those of other blocks.

    Each block owns a stretch of the sequences of every (region, day, sex). Claims of the same three follow each other, so that twins get
    neighbouring numbers; what does not fit into the stretch goes to spare regions.
    """
    width = SEQUENCES // blocks
    region, place = claim.region.copy(), np.zeros(len(claim.region), np.int64)
    waiting = np.arange(len(region))
    for spare in (None, *spare_regions):
        if spare is not None:
            region[waiting] = spare
        place[waiting] = _order_within(region[waiting], claim.birth[waiting], claim.sex[waiting])
        waiting = waiting[place[waiting] >= width]
    assert not len(waiting), "more people share a birthday than the register has sequences"
    start = (claim.birth * 7919 + region * 104729) % width
    sequence = (block * width + (start + place) % width) * 2 + np.where(claim.sex == 1, 1, 2)
    return with_check(region, claim.birth, sequence)


def _order_within(region: Numbers, birth: Numbers, sex: Numbers) -> Numbers:
    """How many claims of the same region, day and sex stand before each."""
    key = (region * 200_000 + birth + 50_000) * 4 + sex
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    place = np.empty(len(key), np.int64)
    place[order] = np.arange(len(key)) - np.searchsorted(ordered, ordered)
    return place


def with_check(region: Numbers, birth: Numbers, sequence: Numbers) -> Texts:
    return _checked((region * 10**8 + as_yyyymmdd(birth)) * 1000 + sequence)


def _checked(seventeen: Numbers) -> Texts:
    total = sum((seventeen // 10 ** (16 - place) % 10) * weight for place, weight in enumerate(_WEIGHTS))
    return join(numbered(seventeen), pick(_CHECK, np.asarray(total) % 11))


def as_yyyymmdd(days: Numbers) -> Numbers:
    day = days.astype("datetime64[D]")
    year = day.astype("datetime64[Y]")
    month = day.astype("datetime64[M]")
    months = (month - year.astype("datetime64[M]")).astype(np.int64) + 1
    return (year.astype(np.int64) + 1970) * 10_000 + months * 100 + (day - month.astype("datetime64[D]")).astype(np.int64) + 1


def residence_permits(where: Numbers, birth: Numbers, sex: Numbers, order: Numbers) -> Texts:
    """D-11. `where` 0 Hong Kong, 1 Macau, 2 Taiwan; `order` numbers the holders of the district."""
    sequence = 900 + order % 49 * 2 + np.where(sex == 1, 1, 0)
    return with_check(810_000 + 10_000 * where, birth, sequence)


def travel_permits(where: Numbers, order: Numbers) -> Texts:
    """D-14, D-15: H or M and 8 digits, Taiwan 8 digits."""
    return join(pick(words(["H", "M", ""]), where), numbered(99_000_000 + order))


def residence_cards(nationality: Numbers, birth: Numbers, sex: Numbers, order: Numbers) -> Texts:
    """D-12, edition of 2023: 9, province, nationality, birth, sequence, check. Province 99 was never one."""
    sequence = 900 + order % 49 * 2 + np.where(sex == 1, 1, 0)
    return with_check(999_000 + nationality, birth, sequence)


def old_residence_cards(birth: Numbers, order: Numbers) -> Texts:
    """D-13, edition of 2017: three letters and twelve digits; XTC is nobody's nationality."""
    return join("XTC", numbered(as_yyyymmdd(birth) % 10**6, 6), numbered(order % 10**6, 6))


def passports(order: Numbers) -> Texts:
    return join("X", numbered(99_000_000 + order))


def phones(order: Numbers) -> Texts:
    """A mobile number each; neighbours in `order` are not neighbours in number."""
    place = (order + 1) * 123_456_791 % (len(PHONE_STARTS) * 10**8)
    start = words([str(start) for start in PHONE_STARTS])
    return join(pick(start, place % len(PHONE_STARTS)), numbered(place // len(PHONE_STARTS), 8))
