"""The masks, one pure function per method: an Arrow array of text in, an array of the same length out; null stays null.

Distinct values are worked on once where a method cannot be said in Arrow's own functions. Rules: law.md I-01, I-04, I-05, I-06.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from rules.names import surname_of

STAR = "*"
HIDDEN_NAME_STARS = 3
LONGEST_HAN_NAME = 4
PSEUDONYM_HEX_DIGITS = 24
COMMUNITY_DIGITS = 12
STREET_DIGITS = 9
BAND_YEARS = 5

_STREET = r"^(?P<kept>[^0-9A-Za-z]*?(?:街道|镇|乡|苏木))"
_COMMUNITY = r"^(?P<kept>[^0-9A-Za-z]*?(?:街道|镇|乡|苏木)[^0-9A-Za-z路街道巷]{1,10}?(?:社区|村委会|居委会|村))"
_DISTRICT = r"^(?P<kept>(?:[^0-9A-Za-z]{2,8}?(?:省|自治区))?(?:[^0-9A-Za-z]{1,10}?(?:市|自治州|盟))?(?:[^0-9A-Za-z路]{1,8}?[区县旗市])?)"


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
    """The secret under which pseudonyms for one recipient are made (`masking.pseudonyms`)."""

    secret: bytes = field(repr=False)


def apply(mask: Mask, values: pa.Array, key: RecipientKey) -> pa.Array:
    """The masked column."""
    return METHODS[mask.method](values, mask, key)


def keep(values: pa.Array, _mask: Mask, _key: RecipientKey) -> pa.Array:
    return values


def suppress(values: pa.Array, _mask: Mask, _key: RecipientKey) -> pa.Array:
    return pa.nulls(len(values), pa.string())


def partial_name(values: pa.Array, _mask: Mask, _key: RecipientKey) -> pa.Array:
    """张三 → 张*, 欧阳明月 → 欧阳**, 阿依古丽·买买提 → 阿***: the surname stays; a name with a dot keeps its first character (I-06)."""
    return over_distinct(values, mask_name)


def partial_number(values: pa.Array, mask: Mask, _key: RecipientKey) -> pa.Array:
    """The first and last characters that the policy allows, the rest stars; a number too short for that is all stars (I-05)."""
    lengths = pc.utf8_length(values)
    long_enough = pc.greater(lengths, mask.first + mask.last)
    stars = pc.binary_repeat(STAR, pc.if_else(long_enough, pc.subtract(lengths, mask.first + mask.last), lengths))
    head = pc.utf8_slice_codeunits(values, 0, mask.first) if mask.first else pc.if_else(pc.is_valid(values), "", None)
    tail = pc.utf8_slice_codeunits(values, -mask.last) if mask.last else pc.if_else(pc.is_valid(values), "", None)
    return pc.if_else(long_enough, pc.binary_join_element_wise(head, stars, tail, ""), stars)


def partial_phone(values: pa.Array, _mask: Mask, _key: RecipientKey) -> pa.Array:
    """138****8000: 3 + 4 of a mobile number; of any other only the first 3, if it has more than 7 characters (I-06)."""
    mobile = pc.replace_substring_regex(values, r"^(1\d{2})\d{4}(\d{4})$", r"\1****\2")
    other = pc.replace_substring_regex(values, r"^(?:(.{3}).{5,}|.*)$", r"\1****")
    return pc.if_else(pc.match_substring_regex(values, r"^1\d{10}$"), mobile, other)


def address_to_community(values: pa.Array, mask: Mask, key: RecipientKey) -> pa.Array:
    """An address down to its community or village, else to its street (街道/镇/乡), else to its district (I-06)."""
    return pc.coalesce(_beginning(values, _COMMUNITY), address_to_street(values, mask, key))


def address_to_street(values: pa.Array, _mask: Mask, _key: RecipientKey) -> pa.Array:
    return pc.coalesce(_beginning(values, _STREET), _beginning(values, _DISTRICT))


def area_to_community(values: pa.Array, _mask: Mask, _key: RecipientKey) -> pa.Array:
    """A grid code cut to the 12 digits of its community."""
    return pc.utf8_slice_codeunits(values, 0, COMMUNITY_DIGITS)


def area_to_street(values: pa.Array, _mask: Mask, _key: RecipientKey) -> pa.Array:
    """A grid code cut to the 9 digits of its street."""
    return pc.utf8_slice_codeunits(values, 0, STREET_DIGITS)


def year(values: pa.Array, _mask: Mask, _key: RecipientKey) -> pa.Array:
    """The year of a canonical date or time."""
    return pc.utf8_slice_codeunits(values, 0, 4)


def year_band(values: pa.Array, _mask: Mask, _key: RecipientKey) -> pa.Array:
    """The band of five years that a canonical date lies in: 1983-06-01 → 1980–1984."""
    return over_distinct(values, lambda text: f"{(first := int(text[:4]) // BAND_YEARS * BAND_YEARS)}–{first + BAND_YEARS - 1}")


def pseudonym(values: pa.Array, _mask: Mask, key: RecipientKey) -> pa.Array:
    """A keyed name for a value: equal for equal values and one recipient, unrelated for two recipients (I-04)."""
    return pseudonyms_of(values, key)


def pseudonyms_of(values: pa.Array, key: RecipientKey) -> pa.Array:
    """The pseudonyms of values for one recipient."""
    return over_distinct(values, lambda text: hmac.digest(key.secret, text.encode(), "sha256").hex()[:PSEUDONYM_HEX_DIGITS])


METHODS: Mapping[str, Callable[[pa.Array, Mask, RecipientKey], pa.Array]] = {
    "keep": keep,
    "suppress": suppress,
    "partial_name": partial_name,
    "partial_number": partial_number,
    "partial_phone": partial_phone,
    "address_to_community": address_to_community,
    "address_to_street": address_to_street,
    "area_to_community": area_to_community,
    "area_to_street": area_to_street,
    "year": year,
    "year_band": year_band,
    "pseudonym": pseudonym,
}


def mask_name(name: str) -> str:
    surname = surname_of(name)
    if not surname or len(name) > LONGEST_HAN_NAME:
        return name[:1] + STAR * HIDDEN_NAME_STARS
    return surname + STAR * max(1, len(name) - len(surname))


def over_distinct(values: pa.Array, rule: Callable[[str], str | None]) -> pa.Array:
    """Apply `rule` once to each distinct value."""
    coded = values.dictionary_encode()
    masked = pa.array([rule(text) for text in coded.dictionary.to_pylist()], pa.string())
    return masked.take(coded.indices)


def _beginning(values: pa.Array, pattern: str) -> pa.Array:
    kept = pc.struct_field(pc.extract_regex(values, pattern), "kept")
    return pc.if_else(pc.equal(kept, ""), None, kept)
