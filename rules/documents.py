"""Numbers of documents other than the citizen's identity number: passports, travel and residence permits, birth certificates (D-12…D-18)."""

import re
from collections.abc import Mapping

from rules.cells import Cell
from rules.characters import FULL_WIDTH, SCIENTIFIC, SEPARATORS

# Shapes that cannot be mistaken for another document's; the first that fits is taken.
SHAPES: Mapping[str, re.Pattern[str]] = {
    "permanent_residence_2017": re.compile(r"[A-Z]{3}[0-9]{12}"),
    "home_return_permit": re.compile(r"([HM][0-9]{8})(?:[0-9]{2})?"),
    "exit_entry_permit": re.compile(r"C(?:[0-9]{8}|[A-HJ-NP-Z][0-9]{7})"),
    "taiwan_permit_booklet": re.compile(r"([0-9]{10})[A-Z]"),
    "passport": re.compile(r"E(?:[0-9]{8}|[A-HJ-NP-Z][0-9]{7})|G[0-9]{8}|(?:SE|PE|DE)[0-9]{7}|[SPD][0-9]{7,8}"),
    "birth_certificate": re.compile(r"[A-Z][0-9]{9}"),
}
TAIWAN_CARD = re.compile(r"[0-9]{8}")
FOREIGN = re.compile(r"[A-Z0-9]{5,20}")
# Which shapes each element accepts; an element that is not named here takes any of them.
ACCEPTED: Mapping[str, tuple[str, ...]] = {
    "passport_number": ("passport",),
    "hmt_permit_number": ("home_return_permit", "taiwan_permit_booklet", "taiwan_card"),
    "permanent_residence_number": ("permanent_residence_2017", "permanent_residence_2023"),
    "birth_certificate_number": ("birth_certificate",),
}


def recognise(number: str) -> tuple[str | None, str]:
    """The document that a cleaned number must belong to, and its canonical spelling; no document when the shape is of none.

    Home-return permits count by their 9 lifelong characters (D-14): the last two of the 1999 edition only number the renewals.
    """
    for kind, shape in SHAPES.items():
        if found := shape.fullmatch(number):
            return kind, found.group(1) or number if found.groups() else number
    return None, number


def judge_document_number(text: str, *, element_key: str) -> Cell:
    """A document's number in capitals without separators; noted when it has not the form of the element's document."""
    plain = text.translate(FULL_WIDTH).upper()
    number = SEPARATORS.sub("", plain)
    if SCIENTIFIC.fullmatch(plain) or not FOREIGN.fullmatch(number) or len(set(number)) == 1:
        return Cell(None, "DOCUMENT-MALFORMED")
    kind, canonical = recognise(number)
    if kind is None and TAIWAN_CARD.fullmatch(number):
        kind = "taiwan_card"
    accepted = ACCEPTED.get(element_key)
    return Cell(canonical, None if accepted is None or kind in accepted else "DOCUMENT-SHAPE")
