"""Identity numbers as they arrive: X-01 loosely typed, X-02 of 15 digits, X-03 cut, X-04 mistyped, X-05 placeholders, X-06 borrowed."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from district.texts import Numbers, Texts, matching, words
from district.views import View

_FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
_LOOSE: tuple[Callable[[str], str], ...] = (
    str.lower,
    str.lower,
    lambda text: text.translate(_FULL_WIDTH),
    lambda text: f"{text[:6]} {text[6:14]} {text[14:]}",
    lambda text: "'" + text,
    lambda text: text + "\t",
    lambda text: text.replace("X", "×") if text.endswith("X") else " " + text,
    lambda text: f"{text[:6]}-{text[6:14]}-{text[14:]}",
)
_CUT: tuple[Callable[[str], str], ...] = (
    lambda text: text[:15] + "000",
    lambda text: f"{text[0]}.{text[1:6]}E+17",
)
_HAD_OLD_FORM = "^[1-7][0-9]{5}19[0-9]{9}[0-9X]$"
_PLACEHOLDERS = ("111111111111111111", "440605190001010000", "无", "待补", "000000000000000000", "不详")
_CHILD_SUFFIXES = ("-1", "子", "-2", "女", "01")


def loosely_typed(view: View, share: float) -> None:
    for column in _columns(view):
        _rewrite_each(view, "X-01", column, view.free_rows(column, share), _LOOSE)


def fifteen_digits(view: View, share: float) -> None:
    """D-02; only numbers of the twentieth century ever had this form."""
    for column in _columns(view):
        old = matching(view.columns[column], _HAD_OLD_FORM)
        _rewrite_each(view, "X-02", column, view.free_rows(column, share, old), (lambda text: text[:6] + text[8:17],))


def cut_by_spreadsheet(view: View, share: float) -> None:
    for column in _columns(view):
        _rewrite_each(view, "X-03", column, view.free_rows(column, share, _of_18(view, column)), _CUT)


def bad_checks(view: View, share: float) -> None:
    """One digit mistyped, or two neighbours exchanged: always found by the check digit (D-07)."""
    for column in _columns(view):
        rows = view.free_rows(column, share, _of_18(view, column))
        places = view.rng.integers(6, 17, len(rows))
        texts = [_mistyped(text, place) for text, place in zip(_texts(view, column, rows), places, strict=True)]
        view.rewrite("X-04", column, rows, words(texts))


def _mistyped(text: str, place: int) -> str:
    if text[place] != text[place - 1]:
        return text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :]
    return text[:place] + str((int(text[place]) + 3) % 10) + text[place + 1 :]


def placeholders(view: View, share: float) -> None:
    """Children are often entered with a parent's number and a suffix."""
    if (column := view.spec.column_of("id_number")) is None:
        return
    rows = view.free_rows(column.name, share)
    view.rewrite("X-05", column.name, rows, words([_PLACEHOLDERS[n] for n in view.rng.integers(len(_PLACEHOLDERS), size=len(rows))]))
    minors = view.free_rows(column.name, min(1.0, share * 8), view.residents.traits["minor"][view.who])
    parents = view.seen("mother_id_number", minors).to_pylist()
    suffixes = view.rng.integers(len(_CHILD_SUFFIXES), size=len(minors))
    texts = [None if parent is None else parent + _CHILD_SUFFIXES[n] for parent, n in zip(parents, suffixes, strict=True)]
    view.rewrite("X-05", column.name, minors, words(texts))


def borrowed(view: View, share: float) -> None:
    """Somebody else's number: a member of the household's, or anybody's by a slip of the clerk."""
    if (column := view.spec.column_of("id_number")) is None:
        return
    rows = view.free_rows(column.name, share)
    families, number = view.residents.families, view.residents.timelines["id_number"]
    me = view.who[rows]
    head = np.searchsorted(families.household, families.household)[me]
    lender = np.where((view.rng.random(len(rows)) < 0.75) & (head != me), head, view.rng.integers(len(families), size=len(rows)))
    lent = number.codes(lender, view.observed[rows])
    own = number.codes(me, view.observed[rows])
    texts = number.vocabulary.take(pa.array(np.maximum(lent, 0), mask=(lent < 0) | (lent == own)))
    view.rewrite("X-06", column.name, rows, texts)


def _columns(view: View) -> list[str]:
    wanted = ("id_number", "father_id_number", "mother_id_number", "guardian_id_number", "spouse_id_number")
    return [column.name for column in view.spec.columns if column.element in wanted]


def _of_18(view: View, column: str) -> Numbers:
    return matching(view.columns[column], "^.{18}$")


def _texts(view: View, column: str, rows: Numbers) -> list[str]:
    return view.columns[column].take(pa.array(rows)).to_pylist()


def _rewrite_each(view: View, pattern: str, column: str, rows: Numbers, ways: Sequence[Callable[[str], str]]) -> None:
    view.rewrite(pattern, column, rows, rewritten(view.rng, _texts(view, column, rows), ways))


def rewritten(rng: np.random.Generator, texts: Sequence[str], ways: Sequence[Callable[[str], str]]) -> Texts:
    """Each text in one of several ways; a way that changes nothing leaves the cell alone."""
    chosen = rng.integers(len(ways), size=len(texts))
    changed = [(text, ways[way](text)) for text, way in zip(texts, chosen, strict=True)]
    return words([None if new == text else new for text, new in changed])
