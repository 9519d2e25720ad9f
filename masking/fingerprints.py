"""Fingerprints (指纹): marks in a copy that name its recipient when it leaks. law.md I-10, GB/T 39477.

Two kinds of marks, for what may be changed without harm:

- Pseudonyms mean nothing, so they carry the mark at no cost: the last digits are a keyed function of the first, under a key of recipient
  and epoch. Equal values stay equal and join over all extracts of the recipient; a few rows name the recipient, none names the copy.
- Generalised values and addresses have spellings that mean the same (`SPELLINGS`): 1980–1984 or 1980~1984; with or without the
  province. Which one a value gets is a keyed function of the copy and the value, so that equal values stay equal within the copy. These
  name the copy.

Numbers, names, money and dates are never touched. For a key that had no part in a file, each distinct value agrees by chance:
independently, with a known probability, whatever stands in the file, for the keyed function is a random one to whoever lacks the key. So
the number that agree is binomial, and `chance_of` is the exact probability that an innocent copy would look as guilty. Nothing else is
assumed: not how rows were chosen, sorted or dropped, nor who put files together. What remains: whoever rewrites all spellings into one,
and drops the pseudonyms, takes the marks away; of two recipients who mix their copies both are found, as long as enough of each is left.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import pyarrow as pa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from scipy.special import bdtrc

from masking.methods import CORE_HEX_DIGITS, PSEUDONYM_HEX_DIGITS, TAG_BITS, over_distinct, tagging
from masking.plan import Plan

KEY_BYTES = 32
FALSE_ACCUSATION = 1e-6
"""The probability that any innocent is named for a file, over all that could be."""

DASHES = ("–", "-", "~", "至")
_BAND = re.compile(r"(\d{1,4})(?:–|-|~|至)(\d{1,4})")
_PROVINCE = re.compile(r"[^0-9A-Za-z省市区县街道镇乡村路]{2,7}(?:省|自治区)(?=[^0-9A-Za-z]{2,10}?(?:市|自治州|盟))")
_CITY = re.compile(r"[^0-9A-Za-z]{2,7}(?:市|自治州|盟)[^0-9A-Za-z]{1,7}[区县旗市]")
_PSEUDONYM = re.compile(rf"[0-9a-f]{{{PSEUDONYM_HEX_DIGITS}}}")


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """How a kind of value can be spelt. `read`: what it says and in which spelling, None if it is no such value; `write` the reverse."""

    spellings: int
    read: Callable[[str], tuple[str, int] | None]
    write: Callable[[str, str, int], str]


def _read_band(text: str) -> tuple[str, int] | None:
    found = _BAND.fullmatch(text)
    return (f"{found[1]}{DASHES[0]}{found[2]}", DASHES.index(text[len(found[1]) : len(text) - len(found[2])])) if found else None


def _read_address(text: str) -> tuple[str, int] | None:
    """Without its province, and whether that stood there."""
    province = _PROVINCE.match(text)
    rest = text[province.end() :] if province else text
    return (rest, int(province is not None)) if province or _CITY.match(text) else None


def _write_address(text: str, said: str, spelling: int) -> str:
    """The province can be left out, never made up."""
    return text if spelling else said


SPELLINGS: Mapping[str, Spelling] = {
    "dash": Spelling(spellings=len(DASHES), read=_read_band, write=lambda _, said, spelling: said.replace(DASHES[0], DASHES[spelling])),
    "province": Spelling(spellings=2, read=_read_address, write=_write_address),
}
PSEUDONYM = "pseudonym"
"""The mark of pseudonyms, which `masking.methods` makes with them."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Of the distinct values of a kind in a file so many agree with a key; `chance`: the probability of one to agree by chance."""

    mark: str
    values: int
    agreeing: int
    chance: float

    def chance_of(self) -> float:
        """The probability that as many or more would agree with a key that had no part in the file."""
        return float(bdtrc(self.agreeing - 1, self.values, self.chance)) if self.agreeing else 1.0


@dataclass(frozen=True, kw_only=True)
class Marking:
    """How a copy is marked: its columns that carry a mark. `fingerprint` None: not markable."""

    fingerprint: str | None = None
    marks: Mapping[str, str] = field(default_factory=dict)
    secret: bytes = field(default=b"", repr=False)


NO_MARKING = Marking()


def marking(master: bytes, recipient: str, fingerprint: str, marks: Mapping[str, str]) -> Marking:
    """The marking of a copy by the fingerprint that it is known by; none where nothing in it can carry a mark."""
    secret = copy_secret(master, recipient, fingerprint)
    return Marking(fingerprint=fingerprint, marks=marks, secret=secret) if marks else NO_MARKING


def copy_secret(master: bytes, recipient: str, copy: str) -> bytes:
    """The key of one copy for one recipient."""
    info = b"tongchou copy v1\x00" + recipient.encode() + b"\x00" + copy.encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master)


def marks_of(made: Plan, kinds: Mapping[str, str], markable: Mapping[str, str]) -> dict[str, str]:
    """Which columns of a plan carry which mark. `kinds`: column → kind; `markable`: the policy's, by mask, or by kind:mask.

    What grown-ups' rows show decides: what children's show in the same column is coarser, and of the same kind of text.
    """
    masks = {name: column.mask.method for name, column in made.items()}
    found = {name: markable.get(f"{kinds.get(name, '')}:{mask}", markable.get(mask)) for name, mask in masks.items()}
    return {name: mark for name, mark in found.items() if mark}


def mark_values(values: pa.Array, mark: str, secret: bytes) -> pa.Array:
    """A column with each value in the spelling that the copy's key gives it."""
    return values if mark == PSEUDONYM else over_distinct(values, lambda text: _marked(text, SPELLINGS[mark], secret))


def pseudonyms_in(texts: Iterable[str]) -> list[str]:
    """What could be pseudonyms among the values of a file."""
    return [text for text in texts if _PSEUDONYM.fullmatch(text)]


def read_spellings(texts: Iterable[str], mark: str) -> list[tuple[str, int]]:
    """What could carry a mark among the distinct values of a file: what each says, and in which spelling.

    What stands in two spellings tells of neither copy that it came from: such files were put together, and it is left out.
    """
    seen: dict[str, set[int]] = {}
    for said, spelling in filter(None, map(SPELLINGS[mark].read, texts)):
        seen.setdefault(said, set()).add(spelling)
    return sorted((said, found.pop()) for said, found in seen.items() if len(found) == 1)


def agreement_of_pseudonyms(pseudonyms: Sequence[str], secret: bytes) -> Agreement:
    """How many pseudonyms carry the mark of a recipient's epoch."""
    tag = tagging(secret)
    agreeing = sum(text[CORE_HEX_DIGITS:] == tag(text[:CORE_HEX_DIGITS]) for text in pseudonyms)
    return Agreement(mark=PSEUDONYM, values=len(pseudonyms), agreeing=agreeing, chance=2.0**-TAG_BITS)


def agreement_of_spellings(read: Sequence[tuple[str, int]], mark: str, secret: bytes) -> Agreement:
    """How many values are spelt as a copy's key would have them."""
    spellings = SPELLINGS[mark].spellings
    agreeing = sum(_spelling_of(said, spellings, secret) == spelling for said, spelling in read)
    return Agreement(mark=mark, values=len(read), agreeing=agreeing, chance=1 / spellings)


def _marked(text: str, spelling: Spelling, secret: bytes) -> str:
    found = spelling.read(text)
    return spelling.write(text, found[0], _spelling_of(found[0], spelling.spellings, secret)) if found else text


def _spelling_of(said: str, spellings: int, secret: bytes) -> int:
    return blake2b(said.encode(), key=secret, digest_size=8).digest()[0] % spellings
