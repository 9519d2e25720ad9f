"""X-16: phones that are not one person's: the clerk's own, an agency's, elevens, several in one cell, landlines."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from district.dirt.numbers import rewritten
from district.numbers import phones
from district.person_sets import load_person_sets
from district.texts import Numbers, pick
from district.views import View

_CLERKS = 12
_WAYS: tuple[Callable[[str], str], ...] = (
    lambda text: "11111111111",
    lambda text: f"{text}/0757-8{text[-7:]}",
    lambda text: f"+86{text}",
    lambda text: f"{text[:3]}-{text[3:7]}-{text[7:]}",
    lambda text: f"0757-8{text[-7:]}",
    lambda text: f"{text}、{text[:10]}0",
    lambda text: text[:-1],
    lambda text: "无电话",
)


def shared_phones(view: View, share: float) -> None:
    """Half of the share is one of a dozen numbers of the department's own people, which stand with hundreds of residents."""
    for column in (c.name for c in view.spec.columns if c.element in ("phone", "guardian_phone")):
        rows = view.free_rows(column, share / 2)
        clerks = phones(view.residents.plan.residents * 2 + 1 + _place(view) * _CLERKS + _every(_CLERKS))
        view.rewrite("X-16", column, rows, pick(clerks, view.rng.integers(_CLERKS, size=len(rows))))
        rows = view.free_rows(column, share / 2)
        view.rewrite("X-16", column, rows, rewritten(view.rng, view.columns[column].take(pa.array(rows)).to_pylist(), _WAYS))


def _every(count: int) -> Numbers:
    return np.arange(count)


def _place(view: View) -> int:
    return list(load_person_sets()).index(view.spec.key)
