"""Numbers of documents other than the citizen's identity number: passports, permits, birth certificates (law.md D-12…D-18)."""

import re
from collections.abc import Mapping

from rules.cells import Cell
from rules.characters import FULL_WIDTH, INVISIBLE, SCIENTIFIC, SEPARATORS

# Shapes that cannot be mistaken for another document's; the first that fits is taken.
SHAPES: Mapping[str, re.Pattern[str]] = {
    "permanent_residence_2017": re.compile(r"[A-Z]{3}[0-9]{12}"),
    "home_return_permit": re.compile(r"([HM][0-9]{8})(?:[0-9]{2})?"),
    "exit_entry_permit": re.compile(r"C(?:[0-9]{8}|[A-HJ-NP-Z][0-9]{7})"),
    "taiwan_permit_booklet": re.compile(r"([0-9]{10})[A-Z]"),
    "passport": re.compile(r"E(?:[0-9]{8}|[A-HJ-NP-Z][0-9]{7})|G[0-9]{8}|(?:SE|PE|DE)[0-9]{7}|[SPD][0-9]{7,8}"),
    "birth_certificate": re.compile(r"[A-Z][0-9]{9}"),
}
DIGITS_ALONE: Mapping[str, re.Pattern[str]] = {
    "taiwan_card": re.compile(r"[0-9]{8}"),
    "taiwan_permit_booklet": re.compile(r"[0-9]{10}"),
    "card_of_18": re.compile(r"[0-9]{17}[0-9X]"),
}
"""Shapes that say something only where the element is known."""
ANY_IDENTITY_DOCUMENT = re.compile(r"[A-Z0-9]{5,20}")
FREE_NUMBER = re.compile(r"(?=.*[0-9A-Z])[^?\ufffd]{2,50}")
# The documents each element holds; `document_number` holds any, a passport number may have any form (D-17: foreign passports). Elements
# not named here are certificates and accounts of many forms.
ACCEPTED: Mapping[str, frozenset[str | None]] = {
    "document_number": frozenset((*SHAPES, *DIGITS_ALONE)),
    "passport_number": frozenset((*SHAPES, *DIGITS_ALONE, None)),
    "hmt_permit_number": frozenset(("home_return_permit", "taiwan_permit_booklet", "taiwan_card", "card_of_18")),
    "hk_macau_pass_number": frozenset(("exit_entry_permit",)),
    "permanent_residence_number": frozenset(("permanent_residence_2017", "card_of_18")),
    "birth_certificate_number": frozenset(("birth_certificate",)),
}


def recognise(number: str) -> tuple[str | None, str]:
    """The document that a cleaned number must belong to, and its canonical spelling; no document when the shape is of none.

    Home-return permits count by their 9 lifelong characters (D-14): the last two of the 1999 edition only number the renewals. The letter
    behind the 10 digits of a Taiwan booklet says which issue it is.
    """
    for kind, shape in SHAPES.items():
        if found := shape.fullmatch(number):
            return kind, found.group(1) or number if found.groups() else number
    return None, number


def judge_document_number(text: str, *, element_key: str) -> Cell:
    """A document's number in capitals; that of an identity document without separators, noted when its form is another document's."""
    plain = text.translate(FULL_WIDTH).upper()
    if SCIENTIFIC.fullmatch(plain):
        return Cell(None, "DOCUMENT-MALFORMED")
    accepted = ACCEPTED.get(element_key)
    return _judge_free(plain) if accepted is None else _judge_identity_document(SEPARATORS.sub("", plain), accepted)


def _judge_free(plain: str) -> Cell:
    number = re.sub(rf"[\s{INVISIBLE}]+", "", plain)
    nothing = (len(set(number)) == 1 and (len(number) > 5 or number[0] == "0")) or SCIENTIFIC.fullmatch(number)
    return Cell(None, "DOCUMENT-MALFORMED") if nothing or not FREE_NUMBER.fullmatch(number) else Cell(number)


def _judge_identity_document(number: str, accepted: frozenset[str | None]) -> Cell:
    if not ANY_IDENTITY_DOCUMENT.fullmatch(number) or len(set(number)) == 1:
        return Cell(None, "DOCUMENT-MALFORMED")
    kind, canonical = recognise(number)
    kind = kind or next((k for k, shape in DIGITS_ALONE.items() if shape.fullmatch(number)), None)
    return Cell(canonical, None if kind in accepted else "DOCUMENT-SHAPE")
