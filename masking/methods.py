"""The masks, one pure function per method: an Arrow array of text in, an array of the same length out; null stays null.

A value without the form that a method is for gives null: what cannot be masked does not come out. Rules: law.md I-01, I-04, I-05, I-06.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b

import pyarrow as pa
import pyarrow.compute as pc

from masking.format_preserving import encrypted
from masking.keyed_hashes import SHA256, keyed_hashes
from masking.noise import with_noise
from rules.names import surnames

MASKS_VERSION = 3
"""Raised when a method gives another result than before; receipts name it."""

STAR = "*"
HIDDEN_NAME_STARS = 3
LONGEST_HAN_NAME = 4
PSEUDONYM_HEX_DIGITS = 24
CORE_HEX_DIGITS = 16
"""Of a pseudonym these stand for the value; the others are a keyed function of them, by which the recipient is known (`fingerprints`)."""
TAG_BITS = 4 * (PSEUDONYM_HEX_DIGITS - CORE_HEX_DIGITS)
AREA_DIGITS = {"community": 12, "street": 9, "district": 6}
"""Of a grid code these tell the community, the street, the district."""
BAND_YEARS = 5
OLDEST_BAND = 90
"""The oldest are one band: of a hundred-year-old there are few (顶底编码)."""

BEGINNINGS = {
    "street": r"^(?P<kept>[^0-9A-Za-z]*?(?:街道|镇|乡|苏木))",
    "community": r"^(?P<kept>[^0-9A-Za-z]*?(?:街道|镇|乡|苏木)[^0-9A-Za-z路街道巷]{1,10}?(?:社区|村委会|居委会|村))",
    "district": (
        r"^(?P<kept>(?:[^0-9A-Za-z]{2,8}?(?:省|自治区))?(?:[^0-9A-Za-z]{1,10}?(?:市|自治州|盟))?"
        r"(?:[^0-9A-Za-z路]{1,8}?[区县旗市])?)"
    ),
}
"""The part of an address, `kept`, that leads to its street, its community, its district."""


@dataclass(frozen=True, kw_only=True)
class Mask:
    """A method with its settings: what was done to a column, as receipts and records name it."""

    method: str
    first: int = 0
    last: int = 0

    def __str__(self) -> str:
        return f"{self.method}({self.first}+{self.last})" if self.first or self.last else self.method

    @property
    def keeps(self) -> bool:
        """The values come through unchanged."""
        return self.method == "keep"


KEEP = Mask(method="keep")
SUPPRESS = Mask(method="suppress")


@dataclass(frozen=True, kw_only=True)
class RecipientKey:
    """The secrets under which values are masked for one recipient in one epoch (`masking.pseudonyms`), each for its own use."""

    secret: bytes = field(repr=False)
    digest: str = SHA256
    number_secret: bytes = field(default=b"", repr=False)
    noise_secret: bytes = field(default=b"", repr=False)
    order_secret: bytes = field(default=b"", repr=False)
    mark_secret: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, kw_only=True)
class Basis:
    """What a method may look at beside the values: the recipient's key, the day, the column's name, and whom each row is about."""

    key: RecipientKey
    today: date = date.min
    column: str = ""
    subjects: pa.Array | None = None


def apply(mask: Mask, values: pa.Array, basis: Basis) -> pa.Array:
    """The masked column."""
    return METHODS[mask.method](values, mask, basis)


def keep(values: pa.Array, _mask: Mask, _basis: Basis) -> pa.Array:
    return values


def suppress(values: pa.Array, _mask: Mask, _basis: Basis) -> pa.Array:
    return pa.nulls(len(values), pa.string())


def partial_name(values: pa.Array, _mask: Mask, _basis: Basis) -> pa.Array:
    """张三 → 张*, 欧阳明月 → 欧阳**, 阿依古丽·买买提 → 阿***: the surname stays; a name with a dot keeps its first character (I-06)."""
    known, lengths = surnames(values), pc.utf8_length(values)
    whole = pc.or_(pc.equal(known, ""), pc.greater(lengths, LONGEST_HAN_NAME))
    hidden = pc.max_element_wise(pc.subtract(lengths, pc.utf8_length(known)), 1)
    stars = pc.binary_repeat(STAR, pc.if_else(whole, HIDDEN_NAME_STARS, hidden))
    return pc.binary_join_element_wise(pc.if_else(whole, pc.utf8_slice_codeunits(values, 0, 1), known), stars, "")


def partial_number(values: pa.Array, mask: Mask, _basis: Basis) -> pa.Array:
    """The first and last characters that the policy allows, the rest stars; a number too short for that is all stars (I-05)."""
    lengths = pc.utf8_length(values)
    long_enough = pc.greater(lengths, mask.first + mask.last)
    stars = pc.binary_repeat(STAR, pc.if_else(long_enough, pc.subtract(lengths, mask.first + mask.last), lengths))
    head = pc.utf8_slice_codeunits(values, 0, mask.first) if mask.first else pc.if_else(pc.is_valid(values), "", None)
    tail = pc.utf8_slice_codeunits(values, -mask.last) if mask.last else pc.if_else(pc.is_valid(values), "", None)
    return pc.if_else(long_enough, pc.binary_join_element_wise(head, stars, tail, ""), stars)


def partial_phone(values: pa.Array, _mask: Mask, _basis: Basis) -> pa.Array:
    """138****8000: 3 + 4 of a mobile number; of any other only the first 3, if it has more than 7 characters (I-06)."""
    mobile = pc.replace_substring_regex(values, r"^(1\d{2})\d{4}(\d{4})$", r"\1****\2")
    other = pc.replace_substring_regex(values, r"(?s)^(?:(.{3}).{5,}|.*)$", r"\1****")
    return pc.if_else(pc.match_substring_regex(values, r"^1\d{10}$"), mobile, other)


def address_to_community(values: pa.Array, mask: Mask, basis: Basis) -> pa.Array:
    """An address down to its community or village, else to its street (街道/镇/乡), else to its district (I-06)."""
    return _or_else(_beginning(values, BEGINNINGS["community"]), values, lambda rest: address_to_street(rest, mask, basis))


def address_to_street(values: pa.Array, mask: Mask, basis: Basis) -> pa.Array:
    return _or_else(_beginning(values, BEGINNINGS["street"]), values, lambda rest: address_to_district(rest, mask, basis))


def address_to_district(values: pa.Array, _mask: Mask, _basis: Basis) -> pa.Array:
    return _beginning(values, BEGINNINGS["district"])


def area_to_community(values: pa.Array, _mask: Mask, _basis: Basis) -> pa.Array:
    """A grid code cut to the 12 digits of its community."""
    return _first_digits(values, AREA_DIGITS["community"])


def area_to_street(values: pa.Array, _mask: Mask, _basis: Basis) -> pa.Array:
    """A grid code cut to the 9 digits of its street."""
    return _first_digits(values, AREA_DIGITS["street"])


def area_to_district(values: pa.Array, _mask: Mask, _basis: Basis) -> pa.Array:
    return _first_digits(values, AREA_DIGITS["district"])


def month(values: pa.Array, _mask: Mask, _basis: Basis) -> pa.Array:
    """The month of a canonical date or time, or its year where no month is known."""
    return pc.if_else(_is_date(values), pc.utf8_slice_codeunits(values, 0, 7), None)


def year(values: pa.Array, _mask: Mask, _basis: Basis) -> pa.Array:
    """The year of a canonical date or time."""
    return pc.if_else(_is_date(values), pc.utf8_slice_codeunits(values, 0, 4), None)


def year_band(values: pa.Array, _mask: Mask, _basis: Basis) -> pa.Array:
    """The band of five years that a canonical date lies in: 1983-06-01 → 1980–1984."""
    return _bands(_years(values))


def age_band(values: pa.Array, _mask: Mask, basis: Basis) -> pa.Array:
    """The age on the day in bands of five years: 1983-06-01 → 40–44. A year or a month alone counts as its last day; unborn gives null."""
    last_day = pc.if_else(pc.equal(pc.utf8_length(values), 4), "-12-31", pc.if_else(pc.equal(pc.utf8_length(values), 7), "-31", ""))
    born = pc.binary_join_element_wise(values, last_day, "")
    before_birthday = pc.greater(pc.utf8_slice_codeunits(born, 5, 10), basis.today.isoformat()[5:])
    ages = pc.subtract(pc.subtract(basis.today.year, _years(born)), pc.cast(before_birthday, pa.int64()))
    bands = pc.if_else(pc.greater_equal(ages, OLDEST_BAND), f"{OLDEST_BAND}+", _bands(ages))
    return pc.if_else(pc.greater_equal(ages, 0), bands, None)


def pseudonym(values: pa.Array, _mask: Mask, basis: Basis) -> pa.Array:
    """A keyed name for a value: equal for equal values and one recipient, unrelated for two recipients (I-04)."""
    return pseudonyms_of(values, basis.key)


def pseudonyms_of(values: pa.Array, key: RecipientKey) -> pa.Array:
    """The pseudonyms of values for one recipient."""
    coded = values.dictionary_encode()
    hashes = keyed_hashes(coded.dictionary, key.secret, key.digest)
    cores = [found and found.hex()[:CORE_HEX_DIGITS] for found in hashes]
    tag = tagging(key.mark_secret)
    return pa.array([core and core + tag(core) for core in cores], pa.string()).take(coded.indices)


def tagging(secret: bytes) -> Callable[[str], str]:
    """The last digits of a pseudonym from the first: whoever holds the key knows by them whose it is; to others they are random."""
    keyed = blake2b(key=secret, digest_size=TAG_BITS // 8).copy

    def tag(core: str) -> str:
        one = keyed()
        one.update(core.encode())
        return one.hexdigest()

    return tag


def encrypted_number(values: pa.Array, _mask: Mask, basis: Basis) -> pa.Array:
    """A number of the same form that only the door can read again (`masking.format_preserving`)."""
    assert basis.key.number_secret, "no key to encrypt numbers with"
    return over_distinct(values, lambda number: encrypted(number, basis.key.number_secret))


def noise(values: pa.Array, _mask: Mask, basis: Basis) -> pa.Array:
    """A number moved a little, always by the same for one recipient and person (`masking.noise`)."""
    assert basis.key.noise_secret, "no key to draw noise with"
    subjects = basis.subjects if basis.subjects is not None else pa.nulls(len(values), pa.string())
    return with_noise(values, subjects, basis.column, basis.key.noise_secret)


METHODS: Mapping[str, Callable[[pa.Array, Mask, Basis], pa.Array]] = {
    "keep": keep,
    "suppress": suppress,
    "partial_name": partial_name,
    "partial_number": partial_number,
    "partial_phone": partial_phone,
    "address_to_community": address_to_community,
    "address_to_street": address_to_street,
    "address_to_district": address_to_district,
    "area_to_community": area_to_community,
    "area_to_street": area_to_street,
    "area_to_district": area_to_district,
    "month": month,
    "year": year,
    "year_band": year_band,
    "age_band": age_band,
    "pseudonym": pseudonym,
    "encrypted_number": encrypted_number,
    "noise": noise,
}


def over_distinct(values: pa.Array, rule: Callable[[str], str | None]) -> pa.Array:
    """Apply `rule` once to each distinct value."""
    coded = values.dictionary_encode()
    masked = pa.array([rule(text) for text in coded.dictionary.to_pylist()], pa.string())
    return masked.take(coded.indices)


def _beginning(values: pa.Array, pattern: str) -> pa.Array:
    kept = pc.struct_field(pc.extract_regex(values, pattern), "kept")
    return pc.if_else(pc.equal(kept, ""), None, kept)


def _or_else(found: pa.Array, values: pa.Array, rule: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """What was found, and by the rule what was not."""
    missing = pc.and_(pc.is_null(found), pc.is_valid(values))
    return pc.replace_with_mask(found, missing, rule(values.filter(missing)))


def _first_digits(values: pa.Array, digits: int) -> pa.Array:
    return pc.if_else(pc.match_substring_regex(values, r"^\d+$"), pc.utf8_slice_codeunits(values, 0, digits), None)


def _is_date(values: pa.Array) -> pa.Array:
    return pc.match_substring_regex(values, r"^\d{4}(?:-|$)")


def _years(dates: pa.Array) -> pa.Array:
    return pc.cast(pc.if_else(_is_date(dates), pc.utf8_slice_codeunits(dates, 0, 4), None), pa.int64())


def _bands(numbers: pa.Array) -> pa.Array:
    """Each number's band: 1983 → 1980–1984."""
    firsts = pc.multiply(pc.divide(numbers, BAND_YEARS), BAND_YEARS)
    lasts = pc.add(firsts, BAND_YEARS - 1)
    return pc.binary_join_element_wise(pc.cast(firsts, pa.string()), pc.cast(lasts, pa.string()), "–")
