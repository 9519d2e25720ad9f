"""The dirty patterns X-01…X-24 of law.md §5.1: each a function that spoils a share of a view's cells and notes what it did."""

from collections.abc import Callable, Mapping

from district.dirt.addresses import told_loosely
from district.dirt.codes import foreign_codes, own_version, status_told
from district.dirt.dates import odd_dates
from district.dirt.names import homophones_and_variants, nicknames, replaced_characters
from district.dirt.numbers import bad_checks, borrowed, cut_by_spreadsheet, fifteen_digits, loosely_typed, placeholders
from district.dirt.phones import shared_phones
from district.dirt.tables import empty_words, garbled, listed_twice
from district.views import View

DIRT: Mapping[str, tuple[Callable[[View, float], None], ...]] = {
    "X-01": (loosely_typed,),
    "X-02": (fifteen_digits,),
    "X-03": (cut_by_spreadsheet,),
    "X-04": (bad_checks,),
    "X-05": (placeholders,),
    "X-06": (borrowed,),
    "X-09": (homophones_and_variants,),
    "X-10": (nicknames,),
    "X-11": (replaced_characters,),
    "X-12": (foreign_codes,),
    "X-13": (odd_dates,),
    "X-14": (own_version,),
    "X-15": (told_loosely,),
    "X-16": (shared_phones,),
    "X-20": (listed_twice, garbled, empty_words),
    "X-21": (status_told,),
}


def spoil(view: View) -> None:
    """Apply the habits of the department, each at its own share of the cells; patterns that are switched off stay away."""
    for pattern, share in view.spec.habits.items():
        if view.wants(pattern):
            for dirty in DIRT[pattern]:
                dirty(view, share)
