"""Numbers encrypted as numbers (FF1, NIST SP 800-38G): they keep length, marks and check character, and can be read again with the key.

Of an identity number the 17 digits are encrypted and the check character is made anew, so that a valid number gives a check-valid one. Of
any other number the digits are, what stands between stays. Under a million possible values nothing is encrypted (NIST's draft of 2025).
"""

import re
from collections.abc import Callable
from functools import lru_cache

from ffx import FF1

from rules.identity_numbers import check_character

FEWEST_DIGITS = 6
"""A million values."""

IDENTITY_TWEAK = b"identity number"
_IDENTITY = re.compile(r"[0-9]{17}[0-9X]")
_DIGITS = re.compile(r"[0-9]")

Step = Callable[[str, bytes], str]


def encrypted(number: str, key: bytes) -> str | None:
    """The number encrypted; None for one that cannot be: too short, or an identity number whose check character is wrong."""
    return _changed(number, lambda digits, tweak: _cipher(key).encrypt(digits, tweak=tweak))


def decrypted(number: str, key: bytes) -> str | None:
    """The number that was encrypted; None for one that no encryption gives."""
    return _changed(number, lambda digits, tweak: _cipher(key).decrypt(digits, tweak=tweak))


def _changed(number: str, step: Step) -> str | None:
    if _IDENTITY.fullmatch(number):
        return _identity_number(number, step)
    digits = "".join(_DIGITS.findall(number))
    if len(digits) < FEWEST_DIGITS:
        return None
    changed = iter(step(digits, _DIGITS.sub("0", number).encode()))
    return _DIGITS.sub(lambda _: next(changed), number)


def _identity_number(number: str, step: Step) -> str | None:
    first17 = number[:17]
    if number[17] != check_character(first17):
        return None
    changed = step(first17, IDENTITY_TWEAK)
    return changed + check_character(changed)


@lru_cache(maxsize=16)
def _cipher(key: bytes) -> FF1:
    return FF1(key, radix=10)
