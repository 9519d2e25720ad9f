"""The header of a source: which row it is, how its names are spelt, and which of them are the contract's columns."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from rules.elements import elements_by_header, fold_header
from rules.errors import Refused

HEADER_SEARCH_ROWS = 40
NEAREST_MIN_SCORE = 45.0
MOJIBAKE_CODECS = (("gb18030", "utf-8"), ("latin-1", "utf-8"), ("cp1252", "gb18030"), ("latin-1", "gb18030"))

_DATA_CELL = re.compile(r"[\s\d.,:/\-+年月日%*]+|[A-Za-z]?\d[\dXx*]{4,}")


@dataclass(frozen=True, kw_only=True)
class Matching:
    """`found`: the contract's header → the source's own spelling of it; `missing`: headers of the contract that the source lacks."""

    found: Mapping[str, str]
    missing: tuple[str, ...]


def clean_header(cell: str | None) -> str:
    """A header as it stands, without byte order mark, line breaks and outer spaces."""
    return re.sub(r"\s*[\r\n]+\s*", "", (cell or "").replace("\ufeff", "")).strip().strip("'\"").strip()


def unique_headers(cells: Sequence[str | None], width: int) -> tuple[str, ...]:
    """Exactly `width` distinct names: an empty header becomes `列3`, a repeated one `备注_2`."""
    names: list[str] = []
    for position in range(width):
        name = clean_header(cells[position] if position < len(cells) else "") or f"列{position + 1}"
        repeats = sum(1 for other in names if other == name or re.fullmatch(re.escape(name) + r"_\d+", other))
        names.append(f"{name}_{repeats + 1}" if repeats else name)
    return tuple(names)


def match_headers(expected: Sequence[str], header: Sequence[str]) -> Matching:
    """Find the contract's headers in the source's: exactly as spelt, or else with width, case, spaces and marks folded."""
    by_spelling = {_spelling(name): name for name in reversed(header)}
    by_fold = {_fold(name): name for name in reversed(header)}
    found: dict[str, str] = {}
    for name in expected:
        match = by_spelling.get(_spelling(name)) or by_fold.get(_fold(name))
        if match is not None:
            found[name] = match
    return Matching(found=found, missing=tuple(name for name in expected if name not in found))


def title_above(rows: Sequence[Sequence[str | None]]) -> str:
    """The first line above the header that holds words: the table's own title."""
    return next((cell for row in rows for cell in map(clean_header, row) if cell), "")


def find_header(rows: Sequence[Sequence[str | None]], expected: Sequence[str]) -> int | None:
    """Index of the header among the first rows: the row with most of the contract's headers, or the most header-like one."""
    if expected:
        wanted = {_fold(name) for name in expected}
        hits = [len(wanted & {_fold(cell) for cell in row if cell}) for row in rows]
        best = max(range(len(rows)), key=lambda i: (hits[i], -i), default=None)
        if best is not None and hits[best] * 2 >= len(wanted):
            return best
    scores = [header_likeness(row) for row in rows]
    width = _usual_width(rows)
    candidates = [i for i, row in enumerate(rows) if _filled(row) * 2 > width]
    return max(candidates, key=lambda i: (scores[i], -i), default=None)


def header_likeness(row: Sequence[str | None]) -> float:
    """How much a row looks like a header: distinct words, names that the element list knows, no numbers or dates."""
    cells = [clean_header(cell) for cell in row]
    filled = [cell for cell in cells if cell]
    known = sum(1 for cell in filled if fold_header(cell) in elements_by_header())
    data = sum(1 for cell in filled if _DATA_CELL.fullmatch(unicodedata.normalize("NFKC", cell)))
    return len(set(filled)) + 2.0 * known - 3.0 * data - 0.5 * (len(filled) - len(set(filled)))


def refuse_missing(expected: Sequence[str], header: Sequence[str], *, where: str) -> Matching:
    """The matching, or the refusal that names every missing header and the nearest one that the source has instead."""
    matching = match_headers(expected, header)
    if matching.missing:
        raise Refused("SRC-COLUMNS", where=where, what=_missing_text(matching, header))
    return matching


def _missing_text(matching: Matching, header: Sequence[str]) -> str:
    free = [name for name in header if name not in set(matching.found.values())]
    if _mojibake_hits(matching.missing, free):
        missing = "、".join(matching.missing)
        return f"缺少 missing: {missing}；表头是乱码，文件曾以错误编码另存 the header is mojibake: it was saved in a wrong encoding"
    return "缺少 missing: " + "、".join(name + _suggestion(name, free) for name in matching.missing)


def _suggestion(name: str, free: Sequence[str]) -> str:
    """The header that most probably took the missing one's place."""
    best = process.extractOne(name, free, scorer=fuzz.WRatio, processor=fold_header, score_cutoff=NEAREST_MIN_SCORE)
    if best is not None:
        return f"（是否改名为 renamed to “{best[0]}”?）"
    return f"（是否改名为 renamed to “{free[0]}”?）" if len(free) == 1 else ""


def _mojibake_hits(missing: Sequence[str], free: Sequence[str]) -> bool:
    repaired = {_recoded(name, *codecs) for name in free for codecs in MOJIBAKE_CODECS}
    return bool(repaired & set(missing))


def _recoded(name: str, wrong: str, right: str) -> str:
    return name.encode(wrong, "ignore").decode(right, "ignore")


def _usual_width(rows: Sequence[Sequence[str | None]]) -> int:
    counts = Counter(_filled(row) for row in rows if _filled(row))
    return max(counts, key=lambda width: (counts[width], width), default=0)


def _filled(row: Sequence[str | None]) -> int:
    return sum(1 for cell in row if cell and cell.strip())


def _spelling(name: str) -> str:
    return unicodedata.normalize("NFKC", clean_header(name))


def _fold(name: str | None) -> str:
    cleaned = clean_header(name)
    return fold_header(cleaned) or cleaned
