"""Names as they arrive: X-09 homophones, variants, spaces and remarks, X-10 former names and nicknames, X-11 rare characters replaced."""

from collections.abc import Callable, Mapping
from functools import cache

import pyarrow as pa

from district.dirt.numbers import rewritten
from district.households import MALE
from district.names import pools
from district.texts import Numbers, matching, words
from district.views import View

_DOTS = ("•", "・", ".", "．", "‧", "", " ", "-")


def homophones_and_variants(view: View, share: float) -> None:
    """A third are other characters of the same sound, the others spacing, traditional forms, remarks, dots or a slip in one character."""
    for column in _columns(view):
        rows = view.free_rows(column, share)
        view.rewrite("X-09", column, rows, rewritten(view.rng, _texts(view, column, rows), _WAYS))
        some = view.free_rows(column, 0.25, matching(view.columns[column], "·"))
        dots = [
            text.replace("·", _DOTS[n])
            for text, n in zip(_texts(view, column, some), view.rng.integers(len(_DOTS), size=len(some)), strict=True)
        ]
        view.rewrite("X-09", column, some, words(dots))


def nicknames(view: View, share: float) -> None:
    """What a grid worker hears at the door in place of the name."""
    column = view.spec.column_of("name")
    assert column is not None
    rows = view.free_rows(column.name, share)
    male = view.residents.families.sex[view.who[rows]] == MALE
    draw = view.rng.integers(10, size=len(rows))
    view.rewrite(
        "X-10", column.name, rows, words([pools()["nicknames"]["male" if m else "female"][n] for m, n in zip(male, draw, strict=True)])
    )


def replaced_characters(view: View, share: float) -> None:
    """What code pages and input methods put in place of a rare character, in this share of the names that have one."""
    for column in _columns(view):
        rare = "".join(pools()["rare"])
        rows = view.free_rows(column, min(1.0, share), matching(view.columns[column], f"[{rare}]"))
        draw = view.rng.integers(6, size=len(rows))
        view.rewrite(
            "X-11", column, rows, words([_replaced(text, way) for text, way in zip(_texts(view, column, rows), draw, strict=True)])
        )


def _replaced(text: str, way: int) -> str:
    character = next(c for c in text if c in pools()["rare"])
    row = pools()["rare"][character]
    by = ("?", "□", row.get("private", "？"), row["pinyin"], "〓", row.get("simple", "*"))[way]
    return text.replace(character, by)


@cache
def _replacements(pool: str) -> Mapping[str, str]:
    """Each character with the next of its group."""
    return {a: b for group in pools()[pool].split() for a, b in zip(group, group[1:] + group[0], strict=True)}


def _by_pool(pool: str) -> Callable[[str], str]:
    def write(text: str) -> str:
        """The last character that has another form is replaced; the surname only where nothing else can be."""
        for place in (*range(len(text) - 1, 0, -1), 0):
            if text[place] in (other := _replacements(pool)):
                return text[:place] + other[text[place]] + text[place + 1 :]
        return text

    return write


def _slip(text: str) -> str:
    """One character of three left out or the last written twice."""
    return text[:-1] if len(text) >= 3 else text + text[-1]


def _in_order_of_the_west(text: str) -> str:
    return " ".join(reversed(text.split(" "))) if " " in text else text + " "


_WAYS: tuple[Callable[[str], str], ...] = (
    _by_pool("homophones"),
    _by_pool("homophones"),
    _by_pool("homophones"),
    _by_pool("variants"),
    lambda text: text[0] + "　" + text[1:],
    lambda text: " ".join(text) if len(text) == 2 else text[0] + " " + text[1:],
    lambda text: text + "1",
    lambda text: f"{text}（租客）",
    _slip,
    _in_order_of_the_west,
)


def _columns(view: View) -> list[str]:
    return [column.name for column in view.spec.columns if column.element == "name"]


def _texts(view: View, column: str, rows: Numbers) -> list[str]:
    return view.columns[column].take(pa.array(rows)).to_pylist()
