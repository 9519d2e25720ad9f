"""Difficulties that nobody mistyped: they come of what residents are and of when a department last looked."""

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow.compute as pc

from district.person_sets import KEY
from district.texts import NEVER, Numbers
from district.timelines import ALWAYS
from district.views import View


def note_lives(view: View) -> None:
    """Mark them in every column that shows them; cells copied from elsewhere carry the marks of where they came from."""
    for pattern, notes in _NOTES.items():
        if view.wants(pattern):
            for column, mask in notes(view).items():
                view.mark(pattern, column, np.flatnonzero(mask & ~view.copied[column]))


def _column(view: View, *elements: str) -> str | None:
    return next((column.name for column in view.spec.columns if column.element in elements), None)


def _at(view: View, elements: tuple[str, ...], mask: Numbers) -> Mapping[str, Numbers]:
    column = _column(view, *elements)
    return {} if column is None else {column: mask}


def _outdated(view: View, element: str) -> Numbers:
    """Rows looked at before the last change."""
    changed = view.residents.timelines[element].changed[view.who]
    return (changed > ALWAYS) & (view.observed < changed)


def _in(view: View, residents: Numbers) -> Numbers:
    return np.isin(view.who, residents)


def _one_number(view: View) -> Mapping[str, Numbers]:
    return _at(view, ("id_number",), _in(view, view.residents.encounters.same_number))


def _two_numbers(view: View) -> Mapping[str, Numbers]:
    return _at(view, ("id_number",), _outdated(view, "id_number") & view.residents.identities.superseded[view.who])


def _renewed_documents(view: View) -> Mapping[str, Numbers]:
    renewed = view.residents.identities.renewed[view.who] & _outdated(view, "passport_number")
    return _at(view, ("passport_number", "permanent_residence_number", "id_number"), renewed)


def _former_names(view: View) -> Mapping[str, Numbers]:
    renamed = view.residents.names.renamed_on[view.who]
    return _at(view, ("name",), (renamed > ALWAYS) & (view.observed < renamed))


def _dead_on_the_list(view: View) -> Mapping[str, Numbers]:
    dead = view.residents.families.death[view.who] > NEVER
    told = _column(view, "death_date")
    silent = pc.is_null(view.columns[told]).to_numpy(zero_copy_only=False) if told else np.ones(len(view), bool)
    return {_key(view): dead & silent}


def _left_the_district(view: View) -> Mapping[str, Numbers]:
    return _at(view, ("residence_address",), (view.residents.dwellings.left[view.who] > ALWAYS) & _outdated(view, "residence_address"))


def _stamped_by_upload(view: View) -> Mapping[str, Numbers]:
    return _at(view, ("updated_at",), np.full(len(view), view.spec.stamp == "upload"))


def _register_unaware(view: View) -> Mapping[str, Numbers]:
    column = view.spec.column_of("marital_status")
    if column is None or not column.of:
        return {}
    lives, days = view.residents.timelines, view.observed
    return {column.name: lives[column.of].codes(view.who, days) != lives["marital_status"].codes(view.who, days)}


def _household_changed(view: View) -> Mapping[str, Numbers]:
    return {
        **_at(view, ("household_number",), _outdated(view, "household_number")),
        **_at(view, ("relation_to_head",), _outdated(view, "relation_to_head")),
    }


def _twins(view: View) -> Mapping[str, Numbers]:
    return {_key(view): view.residents.families.twin[view.who] >= 0}


def _one_name_next_door(view: View) -> Mapping[str, Numbers]:
    return _at(view, ("name",), _in(view, view.residents.encounters.neighbours))


def _key(view: View) -> str:
    return next(column.name for column in view.spec.columns if column.element == KEY)


_NOTES: Mapping[str, Callable[[View], Mapping[str, Numbers]]] = {
    "X-06": _one_number,
    "X-07": _two_numbers,
    "X-08": _renewed_documents,
    "X-10": _former_names,
    "X-17": _dead_on_the_list,
    "X-18": _left_the_district,
    "X-19": _stamped_by_upload,
    "X-21": _register_unaware,
    "X-22": _household_changed,
    "X-23": _twins,
    "X-24": _one_name_next_door,
}
