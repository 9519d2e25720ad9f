"""Unified social credit codes (统一社会信用代码, GB 32100-2015): law.md D-32."""

import re
from dataclasses import dataclass

from rules.cells import Cell
from rules.characters import FULL_WIDTH, SCIENTIFIC, SEPARATORS

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

_CODE = re.compile(rf"[{ALPHABET}]{{18}}")
_ORGANISATION = re.compile(r"[0-9A-Z]{8}[0-9X]")


def check_character(first17: str) -> str:
    """check = alphabet[(31 - Σ v·w mod 31) mod 31], w = 3^(i-1) mod 31."""
    total = sum(ALPHABET.index(c) * w for c, w in zip(first17, WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def organisation_check_character(first8: str) -> str:
    """The ninth character of an organisation code (GB 11714): 11 - Σ mod 11, where 10 is X and 11 is 0."""
    total = sum(int(c, 36) * w for c, w in zip(first8, ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def judge_credit_code(text: str) -> Cell:
    """18 characters with the right check character; the first need not be a digit (A, N, Y: military, farming, other)."""
    plain = text.translate(FULL_WIDTH).upper()
    code = SEPARATORS.sub("", plain)
    if SCIENTIFIC.fullmatch(plain):
        return Cell(None, "CREDIT-LOST")
    if _CODE.fullmatch(code):
        return _judge_18(code)
    if is_organisation_code(code):
        return Cell(None, "CREDIT-ORGANISATION")
    return Cell(None, "CREDIT-REGISTRATION" if re.fullmatch(r"[0-9]{15}", code) else "CREDIT-MALFORMED")


@dataclass(frozen=True, kw_only=True)
class FormerNumbers:
    """What a text that is no valid credit code still says: the organisation code; the 15 digits of the old licence or taxpayer's number;
    the 15 characters that a spreadsheet left of a credit code.
    """

    organisation: str | None = None
    former_number: str | None = None
    code_start: str | None = None


def read_former_numbers(text: str) -> FormerNumbers:
    """Until 2015 an enterprise had three numbers: licence (15 digits), organisation code, and a taxpayer's number made of region and
    organisation code (国家税务总局公告2015年第67号); 三证合一 put the organisation code inside the credit code.
    """
    code = SEPARATORS.sub("", text.translate(FULL_WIDTH).upper())
    if re.fullmatch(r"[0-9]{15}000", code):
        return FormerNumbers(code_start=code[:15])
    if re.fullmatch(r"[0-9]{14}[0-9X]", code):
        return FormerNumbers(former_number=code)
    return FormerNumbers(organisation=code if is_organisation_code(code) else None)


def is_organisation_code(code: str) -> bool:
    """Nine characters with the right check character (GB 11714)."""
    return bool(_ORGANISATION.fullmatch(code)) and code[8] == organisation_check_character(code[:8])


def held_numbers(credit_code: str) -> FormerNumbers:
    """What a valid credit code holds of the former numbers; the taxpayer's of the three is known, the licence's is not."""
    return FormerNumbers(organisation=credit_code[8:17], former_number=credit_code[2:17], code_start=credit_code[:15])


def _judge_18(code: str) -> Cell:
    if code[17] == check_character(code[:17]):
        return Cell(code)
    return Cell(None, "CREDIT-LOST" if re.fullmatch(r"[0-9]{15}000", code) else "CREDIT-CHECK")
