"""The masks of single cells: what `masking.methods` does to whole columns, for look-ups, which have one cell.

A method over a column compiles its patterns and starts several kernels at each call, half a millisecond whatever the column's length.
Each rule here gives what its method gives, which the tests compare.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from hmac import digest

import pyarrow as pa

from masking.methods import (
    AREA_DIGITS,
    BAND_YEARS,
    BEGINNINGS,
    CORE_HEX_DIGITS,
    HIDDEN_NAME_STARS,
    LONGEST_HAN_NAME,
    OLDEST_BAND,
    STAR,
    Basis,
    Mask,
    apply,
    tagging,
)
from masking.plan import years_before
from rules.names import surname_of
from rules.tiers import TierPolicy

Cell = str | None
Rule = Callable[[str, Mask, Basis], Cell]

DATE = re.compile(r"[0-9]{4}(?=-|\Z)")
MOBILE = re.compile(r"1[0-9]{10}")


def mask_cell(mask: Mask, cell: Cell, basis: Basis) -> Cell:
    """The masked cell; masked as a column of one where its method has no rule for a cell."""
    rule = RULES.get(mask.method)
    if rule is not None:
        return None if cell is None else rule(cell, mask, basis)
    [masked] = apply(mask, pa.array([cell], pa.string()), basis).to_pylist()
    return None if masked is None else str(masked)


def is_minor(birth_date: Cell, today: date, policy: TierPolicy) -> bool:
    """`masking.plan.minors` of one person."""
    if birth_date is None:
        return policy.minors.unknown_age_is_minor
    return _last_day(birth_date) > years_before(today, policy.minors.under_years)


def _partial_name(name: str, _mask: Mask, _basis: Basis) -> Cell:
    surname = surname_of(name)
    if not surname or len(name) > LONGEST_HAN_NAME:
        return name[:1] + STAR * HIDDEN_NAME_STARS
    return surname + STAR * max(len(name) - len(surname), 1)


def _partial_number(number: str, mask: Mask, _basis: Basis) -> Cell:
    hidden = len(number) - mask.first - mask.last
    if hidden <= 0:
        return STAR * len(number)
    return number[: mask.first] + STAR * hidden + number[len(number) - mask.last :]


def _partial_phone(phone: str, _mask: Mask, _basis: Basis) -> Cell:
    if MOBILE.fullmatch(phone):
        return f"{phone[:3]}****{phone[7:]}"
    return (phone[:3] if len(phone) > 7 else "") + "****"


def _address(*steps: str) -> Rule:
    """The beginning of an address down to the first of the steps that it names."""
    patterns = [re.compile(BEGINNINGS[step]) for step in steps]

    def beginning(address: str, _mask: Mask, _basis: Basis) -> Cell:
        for pattern in patterns:
            found = pattern.match(address)
            if found is not None and found["kept"]:
                return found["kept"]
        return None

    return beginning


def _area(digits: int) -> Rule:
    return lambda code, _mask, _basis: code[:digits] if code.isascii() and code.isdigit() else None


def _month(day: str, _mask: Mask, _basis: Basis) -> Cell:
    return day[:7] if DATE.match(day) else None


def _year(day: str, _mask: Mask, _basis: Basis) -> Cell:
    return day[:4] if DATE.match(day) else None


def _year_band(day: str, _mask: Mask, _basis: Basis) -> Cell:
    return _band(int(day[:4])) if DATE.match(day) else None


def _age_band(birth_date: str, _mask: Mask, basis: Basis) -> Cell:
    born = _last_day(birth_date)
    if not DATE.match(born):
        return None
    age = basis.today.year - int(born[:4]) - (born[5:10] > basis.today.isoformat()[5:])
    return None if age < 0 else f"{OLDEST_BAND}+" if age >= OLDEST_BAND else _band(age)


def _pseudonym(value: str, _mask: Mask, basis: Basis) -> Cell:
    core = digest(basis.key.secret, value.encode(), basis.key.digest).hex()[:CORE_HEX_DIGITS]
    return core + tagging(basis.key.mark_secret)(core)


def _band(number: int) -> str:
    first = number // BAND_YEARS * BAND_YEARS
    return f"{first}–{first + BAND_YEARS - 1}"


def _last_day(birth_date: str) -> str:
    """A year or a month alone counts as its last day."""
    return birth_date + {4: "-12-31", 7: "-31"}.get(len(birth_date), "")


RULES: Mapping[str, Rule] = {
    "keep": lambda cell, _mask, _basis: cell,
    "suppress": lambda _cell, _mask, _basis: None,
    "partial_name": _partial_name,
    "partial_number": _partial_number,
    "partial_phone": _partial_phone,
    "address_to_community": _address("community", "street", "district"),
    "address_to_street": _address("street", "district"),
    "address_to_district": _address("district"),
    "area_to_community": _area(AREA_DIGITS["community"]),
    "area_to_street": _area(AREA_DIGITS["street"]),
    "area_to_district": _area(AREA_DIGITS["district"]),
    "month": _month,
    "year": _year,
    "year_band": _year_band,
    "age_band": _age_band,
    "pseudonym": _pseudonym,
}
