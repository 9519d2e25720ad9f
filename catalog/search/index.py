"""The index (索引): which entries hold which phrases, found by Chinese substring, by pinyin in full or by initials, or by name.

A *leaf* is one content of an entry: the published one that everybody may find, or the newest one for its own department and the bureau.
Sets of leaves are integers, bit by bit, so that filters, visibility and facets are single operations.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

from sqlalchemy.orm import Session

from catalog.entries.checks import fold_title
from catalog.entries.content import EntryColumn, EntryContent
from catalog.entries.shelf import Entry, catalogue_version, load_entries
from catalog.entries.states import State
from rules.classification import load_classification
from rules.departments import load_departments
from rules.elements import load_elements

Leaves = int
"""A set of leaves: bit n is leaf n."""

WEIGHTS: Mapping[str, float] = {
    "title": 8.0,
    "code": 8.0,
    "column": 3.0,
    "department": 3.0,
    "element": 2.5,
    "theme": 1.5,
    "synonym": 1.5,
    "abstract": 1.0,
}
"""How much a field counts."""
SPELT = frozenset({"title", "column", "department", "element", "theme"})
"""Fields that are also found by pinyin; longer texts would be found by chance."""
OF_DEPARTMENTS = "3"
"""Class 3 is by department, which is a field of its own: its 项 is the same for a whole district."""
FACETS = ("department", "theme", "element", "share", "level", "update", "light")


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """What is found: an entry with one of its contents. `public` where every department may know it that `known_to` names (none: all)."""

    entry: int
    code: str | None
    state: str
    version: int
    department: str
    department_title: str
    content: EntryContent
    public: bool
    own: bool
    known_to: frozenset[str]
    returns: str | None
    """The data set for whose residents golden values go back (回流); none of any other entry."""

    @cached_property
    def concepts(self) -> Mapping[str, tuple[EntryColumn, ...]]:
        """Its columns by what they are: the element, or the folded title where a column has none."""
        found: defaultdict[str, list[EntryColumn]] = defaultdict(list)
        for column in self.content.columns:
            found[concept_of(column)].append(column)
        return {concept: tuple(columns) for concept, columns in found.items()}


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """A text that some leaves hold in a field."""

    text: str
    field: str


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Who looks: a department, or the bureau's own people (None)."""

    department: str | None


class Index:
    """Everything that can be found, of one version of the catalogue."""

    def __init__(self, entries: Sequence[Entry], version: int, lights: Mapping[int, str] | None = None) -> None:
        self.version = version
        self.leaves: list[Leaf] = [leaf for entry in entries for leaf in _leaves(entry)]
        self.phrases: list[Phrase] = []
        self.postings: list[Leaves] = []
        self._bigrams: dict[str, list[int]] = {}
        self._spellings: list[tuple[str, int]] = []
        self._beginnings: list[tuple[str, int]] = []
        self._by_facet: dict[str, dict[str, Leaves]] = {facet: {} for facet in FACETS}
        self._vocabulary: dict[str, list[int]] = {}
        self._visible: dict[str | None, Leaves] = {}
        self._gather(lights or {})

    def visible(self, asker: Asker) -> Leaves:
        """L-06, and what is drafted is its department's and the bureau's business: the leaves that the asker may know of."""
        if asker.department not in self._visible:
            self._visible[asker.department] = bits(n for n, leaf in enumerate(self.leaves) if may_know(asker, leaf))
        return self._visible[asker.department]

    def facet(self, name: str) -> Mapping[str, Leaves]:
        """The leaves by each value of a facet."""
        return self._by_facet[name]

    def holding(self, term: str) -> Iterator[tuple[int, float]]:
        """Phrases that a folded term is found in, with how well: the whole phrase, its beginning, or a part of it."""
        if term.isascii():
            yield from self._spelt(term)
        else:
            yield from self._containing(term)

    def knows(self, word: str) -> bool:
        """Whether a folded word is a whole phrase."""
        return word in self._vocabulary

    def _containing(self, term: str) -> Iterator[tuple[int, float]]:
        grams = [a + b for a, b in pairwise(term)] or [term]
        lists = sorted((self._bigrams.get(gram, []) for gram in grams), key=len)
        candidates = set(lists[0]).intersection(*lists[1:])
        for number in sorted(candidates):
            text = self.phrases[number].text
            if term in text:
                yield number, _quality(term, text)

    def _spelt(self, term: str) -> Iterator[tuple[int, float]]:
        """One letter stands for the beginning of a phrase only: within phrases it would be found almost everywhere."""
        spellings = self._spellings if len(term) > 1 else self._beginnings
        at, best = bisect_left(spellings, (term, -1)), dict[int, float]()
        while at < len(spellings) and spellings[at][0].startswith(term):
            spelling, number = spellings[at]
            best[number] = max(best.get(number, 0.0), _quality(term, spelling))
            at += 1
        yield from sorted(best.items())

    def _gather(self, lights: Mapping[int, str]) -> None:
        found: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for number, leaf in enumerate(self.leaves):
            for field, text in set(_texts(leaf)):
                if folded := fold_title(text):
                    found[folded, field].append(number)
            for facet, value in set(_facet_values(leaf, lights)):
                self._by_facet[facet][value] = self._by_facet[facet].get(value, 0) | 1 << number
        spellings: list[tuple[str, int]] = []
        for number, ((text, field), leaves) in enumerate(sorted(found.items())):
            self.phrases.append(Phrase(text=text, field=field))
            self.postings.append(bits(leaves))
            self._vocabulary.setdefault(text, []).append(number)
            for gram in {*text, *(a + b for a, b in pairwise(text))}:
                self._bigrams.setdefault(gram, []).append(number)
            words = list(_spellings(text, field))
            spellings += [(word, number) for word in words]
            self._beginnings += [(word, number) for word in words[:2]]
        self._spellings, self._beginnings = sorted(spellings), sorted(self._beginnings)


def build_index(session: Session, lights: Mapping[int, str] | None = None) -> Index:
    """The index of the catalogue as it stands. `lights` are the entries' lights, where they are known (F-02)."""
    version = catalogue_version(session)
    return Index(load_entries(session), version, lights)


def may_know(asker: Asker, leaf: Leaf) -> bool:
    """Whether an asker may know that a leaf exists.

    The newest content is for the entry's own department and the bureau, and they see no other; the published one is for all other
    departments, or for those that the entry names (可知悉部门).
    """
    if asker.department is None or asker.department == leaf.department:
        return leaf.own
    return leaf.public and (not leaf.known_to or asker.department in leaf.known_to)


def known_content(asker: Asker, entry: Entry) -> EntryContent | None:
    """What an asker may see of one entry, None where he may not know of it."""
    if entry.state is State.CANCELLED:
        return entry.content if asker.department in (None, entry.department) else None
    return next((leaf.content for leaf in _leaves(entry) if may_know(asker, leaf)), None)


def concept_of(column: EntryColumn) -> str:
    """What a column is, whoever holds it."""
    return column.element or f"~{fold_title(column.title)}"


def bits(numbers: Iterable[int]) -> Leaves:
    found = 0
    for number in numbers:
        found |= 1 << number
    return found


def members(leaves: Leaves) -> Iterator[int]:
    """The leaves of a set, in order."""
    while leaves:
        lowest = leaves & -leaves
        yield lowest.bit_length() - 1
        leaves ^= lowest


def _leaves(entry: Entry) -> Iterator[Leaf]:
    """One leaf where everybody may see the same, else one for all and one for the department and the bureau."""
    if entry.state is State.CANCELLED:
        return
    if entry.is_open and entry.published == entry.content:
        yield _leaf(entry, entry.content, public=True, own=True)
        return
    if entry.is_open and entry.published is not None:
        yield _leaf(entry, entry.published, public=True, own=False)
    yield _leaf(entry, entry.content, public=False, own=True)


def _leaf(entry: Entry, content: EntryContent, *, public: bool, own: bool) -> Leaf:
    return Leaf(
        entry=entry.id,
        code=entry.code,
        state=entry.state.value if own else State.PUBLISHED.value,
        version=entry.version,
        department=entry.department,
        department_title=entry.department_title,
        content=content,
        public=public,
        own=own,
        known_to=frozenset(content.items.get("knownTo") or ()),
        returns=entry.returns,
    )


def _texts(leaf: Leaf) -> Iterator[tuple[str, str]]:
    """Every text by which a leaf can be found, with its field."""
    content, department = leaf.content, load_departments().get(leaf.department)
    yield "title", content.title
    yield "department", leaf.department_title
    if not content.category.startswith(OF_DEPARTMENTS):
        yield "theme", load_classification().items.get(content.category[:3], "")
    yield "abstract", str(content.items.get("abstract") or "")
    if leaf.code:
        yield "code", leaf.code
    for alias in department.aliases if department else ():
        yield "synonym", alias
    for column in content.columns:
        yield "column", column.title
        yield "synonym", column.name
        if (element := load_elements().get(column.element or "")) is not None:
            yield "element", element.title


def _facet_values(leaf: Leaf, lights: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    content = leaf.content
    yield "department", leaf.department
    yield "theme", content.category[:3]
    yield "level", content.level
    yield "update", content.update_frequency
    if leaf.entry in lights:
        yield "light", lights[leaf.entry]
    for column in content.columns:
        yield "share", column.share
        if column.element:
            yield "element", column.element


def _quality(term: str, text: str) -> float:
    """A whole phrase counts more than its beginning, that more than a part; and the more of the phrase the term is, the better."""
    if term == text:
        return 3.0
    return (1.5 if text.startswith(term) else 1.0) * (0.5 + 0.5 * len(term) / len(text))


def _spellings(text: str, field: str) -> Iterator[str]:
    """Under which words of letters a phrase is found: itself, and from each syllable on in full and by initials, the whole phrase first."""
    if text.isascii():
        yield text
    elif field in SPELT:
        syllables = _syllables(text)
        for start in range(len(syllables)):
            yield "".join(syllables[start:])
            yield "".join(syllable[0] for syllable in syllables[start:])


@lru_cache(maxsize=100_000)
def _syllables(text: str) -> tuple[str, ...]:
    from pypinyin import lazy_pinyin

    return tuple(syllable.lower() for syllable in lazy_pinyin(text) if syllable)
