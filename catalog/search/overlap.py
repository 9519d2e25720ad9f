"""Who else holds it (一数多采): holders of an element, columns collected more than once, forms before they collect, similar data sets."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import process

from catalog.entries.checks import fold_title
from catalog.entries.content import EntryColumn
from catalog.search.index import Asker, Index, Leaf, members
from rules.elements import ambiguous_headers, elements_by_header, fold_header, load_elements
from rules.errors import NotFound

FORM_COLUMNS_MOST = 500
SIMILAR_TITLE = 90
SIMILAR_SHOWN = 10
NAMES_OF_OTHERS = frozenset({"enterprise_name"})
"""Names that are of kind text: they tell whom a row is about, as people's names do."""
SHARED = frozenset({"unconditional", "conditional"})


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A column that holds an element. `of_record` where its department is the element's source of record (L-03)."""

    entry: int
    code: str | None
    title: str
    department: str
    department_title: str
    column: str
    column_title: str
    share: str
    level: str
    of_record: bool


@dataclass(frozen=True, kw_only=True)
class Duplicate:
    """Something that several departments hold (L-31): `element`, or none where only titles are alike. The source of record stands first."""

    element: str | None
    title: str
    source_of_record: str | None
    departments: tuple[str, ...]
    entries: int


@dataclass(frozen=True, kw_only=True)
class FormColumn:
    """A header of a form before it collects: `verdict` is `shared` (others hold it and share it), `own` (the department has it itself),
    `closed` (others hold it and do not share it), `key` (it tells who is meant) or `new`."""

    header: str
    element: str | None
    verdict: str
    holders: tuple[Holder, ...]


VERDICT_TITLES = {
    "shared": "可共享，不得重复采集 shared by others: not to be collected again",
    "own": "本部门已有 held already",
    "closed": "他部门持有但不予共享 held by others, not shared",
    "key": "标识对象所需 tells who is meant",
    "new": "未见持有 not held by anyone",
}


@dataclass(frozen=True, kw_only=True)
class Similar:
    """An entry like another one, 0 to 1, with the columns that both have."""

    entry: int
    code: str | None
    title: str
    department: str
    department_title: str
    likeness: float
    shared: tuple[str, ...]


def holders(index: Index, asker: Asker, element: str) -> list[Holder]:
    """Who holds an element, the source of record first. NotFound CAT-ELEMENT; a Chinese header serves as well as a key."""
    key = element if element in load_elements() else getattr(elements_by_header().get(fold_header(element)), "key", None)
    if key is None:
        raise NotFound("CAT-ELEMENT", where=element[:60])
    leaves = index.facet("element").get(key, 0) & index.visible(asker)
    return _holders([index.leaves[number] for number in members(leaves)], key)


def duplicates(index: Index, asker: Asker) -> list[Duplicate]:
    """Columns that more than one department collects, those of most departments first. What only tells whom a row is about is left out.

    So is what goes back (回流): nobody collected it.
    """
    held: defaultdict[str, list[Leaf]] = defaultdict(list)
    collecting = [number for number in members(index.visible(asker)) if index.leaves[number].returns is None]
    for number in collecting:
        for concept, columns in index.leaves[number].concepts.items():
            if not all(column.key for column in columns) and not _identifies(concept):
                held[concept].append(index.leaves[number])
    found = [_duplicate(concept, leaves) for concept, leaves in held.items() if len({leaf.department for leaf in leaves}) > 1]
    return sorted(found, key=lambda one: (-len(one.departments), -one.entries, one.title))


def check_form(index: Index, asker: Asker, headers: Sequence[str]) -> list[FormColumn]:
    """L-31: each item of a form that a department wants to collect, compared with what is in the catalogue."""
    seen = [index.leaves[number] for number in members(index.visible(asker))]
    by_concept: defaultdict[str, list[Leaf]] = defaultdict(list)
    for leaf in seen:
        for concept in leaf.concepts:
            by_concept[concept].append(leaf)
    titles = [concept[1:] for concept in by_concept if concept.startswith("~")]
    return [_form_column(header, by_concept, titles, asker) for header in headers[:FORM_COLUMNS_MOST] if header.strip()]


def similar(index: Index, asker: Asker, entry: int) -> list[Similar]:
    """Entries that hold the same things: by their common columns, rare ones counting more, and by their titles. NotFound CAT-ENTRY."""
    visible = [index.leaves[number] for number in members(index.visible(asker))]
    asked = next((leaf for leaf in visible if leaf.entry == entry), None)
    if asked is None:
        raise NotFound("CAT-ENTRY", where=str(entry))
    frequency = Counter(concept for leaf in visible for concept in leaf.concepts)
    rarity = {concept: math.log1p(len(visible) / count) for concept, count in frequency.items()}
    others = [_similar(asked, leaf, rarity) for leaf in visible if leaf.entry != entry]
    return sorted((one for one in others if one.shared), key=lambda one: (-one.likeness, one.title, one.entry))[:SIMILAR_SHOWN]


def _identifies(concept: str) -> bool:
    element = load_elements().get(concept)
    return element is not None and (
        element.identifies_person or element.kind in ("name", "credit_code") or element.describes == "row" or element.key in NAMES_OF_OTHERS
    )


def _holders(leaves: Sequence[Leaf], concept: str) -> list[Holder]:
    element = load_elements().get(concept)
    source = element.source_of_record if element else None
    found = [_holder(leaf, column, leaf.department == source) for leaf in leaves for column in leaf.concepts.get(concept, ())]
    return sorted(found, key=lambda one: (not one.of_record, one.department, one.entry, one.column))


def _holder(leaf: Leaf, column: EntryColumn, of_record: bool) -> Holder:
    return Holder(
        entry=leaf.entry,
        code=leaf.code,
        title=leaf.content.title,
        department=leaf.department,
        department_title=leaf.department_title,
        column=column.name,
        column_title=column.title,
        share=column.share,
        level=column.level,
        of_record=of_record,
    )


def _duplicate(concept: str, leaves: Sequence[Leaf]) -> Duplicate:
    element = load_elements().get(concept)
    source = element.source_of_record if element else None
    departments = sorted({leaf.department for leaf in leaves}, key=lambda key: (key != source, key))
    return Duplicate(
        element=element.key if element else None,
        title=element.title if element else concept[1:],
        source_of_record=source,
        departments=tuple(departments),
        entries=len({leaf.entry for leaf in leaves}),
    )


def _form_column(header: str, by_concept: dict[str, list[Leaf]], titles: Sequence[str], asker: Asker) -> FormColumn:
    concepts = _concepts(header, titles)
    found = [holder for concept in concepts for holder in _holders(by_concept.get(concept, []), concept)]
    element = next((concept for concept in concepts if concept in load_elements()), None)
    return FormColumn(header=header, element=element, verdict=_verdict(element, found, asker), holders=tuple(found))


def _concepts(header: str, titles: Sequence[str]) -> list[str]:
    """What a header may mean: an element by one of its names, else the column title that is most like it."""
    folded = fold_header(header)
    if elements := [e.key for e in ambiguous_headers().get(folded, ())] or [e.key for e in [elements_by_header().get(folded)] if e]:
        return elements
    best = process.extractOne(fold_title(header), titles, score_cutoff=SIMILAR_TITLE)
    return [f"~{best[0]}"] if best else []


def _verdict(element: str | None, found: Sequence[Holder], asker: Asker) -> str:
    if element is not None and _identifies(element):
        return "key"
    if any(holder.department == asker.department for holder in found):
        return "own"
    if any(holder.share in SHARED for holder in found):
        return "shared"
    return "closed" if found else "new"


def _similar(asked: Leaf, other: Leaf, rarity: dict[str, float]) -> Similar:
    common = asked.concepts.keys() & other.concepts.keys()
    either = asked.concepts.keys() | other.concepts.keys()
    likeness = 0.7 * sum(rarity[c] for c in common) / sum(rarity[c] for c in either) if either else 0.0
    likeness += 0.3 * _title_likeness(asked.content.title, other.content.title)
    return Similar(
        entry=other.entry,
        code=other.code,
        title=other.content.title,
        department=other.department,
        department_title=other.department_title,
        likeness=round(likeness, 3),
        shared=tuple(sorted(column.title for concept in common for column in other.concepts[concept][:1])),
    )


def _title_likeness(one: str, other: str) -> float:
    """Dice's coefficient of the pairs of characters."""
    pairs = [{title[at : at + 2] for at in range(len(title) - 1)} for title in (one, other)]
    return 2 * len(pairs[0] & pairs[1]) / (len(pairs[0]) + len(pairs[1])) if pairs[0] and pairs[1] else 0.0
