"""Searching the catalogue (检索): ranked hits of a question, with facets, of what the asker may know."""

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache, reduce
from operator import and_, or_

from catalog.entries.checks import fold_title
from catalog.search.index import FACETS, WEIGHTS, Asker, Index, Leaves, members
from rules.departments import load_departments
from rules.elements import ambiguous_headers, elements_by_header, fold_header

PAGE_MOST = 200
QUESTION_CHARACTERS_MOST = 200
COLUMNS_SHOWN = 5
LONGEST_WORD = 12
HAN = re.compile(r"[^\x00-\x7f]+|[\x00-\x7f]+")
EMPTY_WORDS = "的和与及或等"
EXPANDED = 2.0
"""What counts a term that names an element or a department by another of its names."""
PARTIAL = 0.5
"""What counts a hit that has not all the terms, where none has."""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """An entry found. `columns` are those that the question names, the first few."""

    entry: int
    code: str | None
    title: str
    department: str
    department_title: str
    state: str
    share: str
    level: str
    update_frequency: str
    columns: tuple[str, ...]
    score: float


@dataclass(frozen=True, kw_only=True)
class Found:
    """The answer: `total` hits, a page of them, and how many there are for each value of each facet.

    A facet counts as if its own filter were not set, so that one sees what else there is to choose.
    """

    total: int
    hits: tuple[Hit, ...]
    facets: Mapping[str, Mapping[str, int]]
    partial: bool = False
    """No entry has all the terms; those with some are shown."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is looked for. `filters` hold the wanted values of facets: one of them is enough in each facet."""

    text: str = ""
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    limit: int = 20
    offset: int = 0


def find(index: Index, asker: Asker, question: Question) -> Found:
    """Ranked hits; without words every entry, by title."""
    visible = index.visible(asker)
    terms = terms_of(index, question.text)
    scores = [_scores(index, term, visible) for term in terms]
    matched, partial = _matched([term.leaves for term in scores], visible)
    within = {facet: _filtered(index, facet, question.filters.get(facet, ())) for facet in FACETS}
    hits = matched
    for leaves in within.values():
        hits &= leaves
    ranked = _ranked(index, hits, scores)
    start = max(question.offset, 0)
    page = ranked[start : start + min(max(question.limit, 0), PAGE_MOST)]
    return Found(
        total=len(ranked),
        hits=tuple(_hit(index, number, score, terms) for score, number in page),
        facets={facet: _counts(index, facet, matched, within) for facet in FACETS},
        partial=partial,
    )


def terms_of(index: Index, text: str) -> list[str]:
    """The folded words of a question. A run of Chinese that no phrase holds as it stands is cut into the longest words that are known."""
    words = unicodedata.normalize("NFKC", text)[:QUESTION_CHARACTERS_MOST].casefold().split()
    runs = [fold_title(run) for word in words for run in HAN.findall(word)]
    return list(dict.fromkeys(term for run in runs if run for term in _cut(index, run)))


def _cut(index: Index, run: str) -> list[str]:
    if run.isascii() or len(run) < 3 or any(True for _ in index.holding(run)) or _expansions(run):
        return [run]
    words: list[str] = []
    rest, at = "", 0
    while at < len(run):
        size = next((n for n in range(min(LONGEST_WORD, len(run) - at), 1, -1) if _is_word(index, run[at : at + n])), 0)
        if size:
            words += [rest, run[at : at + size]]
            rest, at = "", at + size
        else:
            rest, at = rest + run[at], at + 1
    return [word for word in (*words, rest) if word.strip(EMPTY_WORDS)]


def _is_word(index: Index, text: str) -> bool:
    return index.knows(text) or bool(_expansions(text))


@lru_cache(maxsize=10_000)
def _expansions(term: str) -> tuple[tuple[str, str], ...]:
    """Facet and value of what a term names by one of its names: an element (手机号, ZJHM), a department (公安, gaj)."""
    folded = fold_header(term)
    elements = [e.key for e in ambiguous_headers().get(folded, ())] or [e.key for e in [elements_by_header().get(folded)] if e]
    return (*(("element", key) for key in elements), *(("department", key) for key in _departments_by_name().get(term, ())))


@cache
def _departments_by_name() -> Mapping[str, tuple[str, ...]]:
    named: defaultdict[str, set[str]] = defaultdict(set)
    for department in load_departments().values():
        for name in (department.key, department.title, *department.aliases):
            named[fold_title(name)].add(department.key)
    return {name: tuple(sorted(keys)) for name, keys in named.items()}


@dataclass(frozen=True, kw_only=True)
class _Score:
    """How well a term fits: by leaf, and the leaves as a set."""

    leaves: Leaves
    by_leaf: Mapping[int, float]


def _scores(index: Index, term: str, visible: Leaves) -> _Score:
    """The best field of a leaf counts, and rare terms count more."""
    fits = [(WEIGHTS[index.phrases[phrase].field] * quality, index.postings[phrase]) for phrase, quality in index.holding(term)]
    fits += [(EXPANDED, index.facet(facet).get(value, 0)) for facet, value in _expansions(term)]
    best: dict[int, float] = {}
    left = visible
    for weight, leaves in sorted(fits, reverse=True):  # a leaf is met first in the field that counts most, so each is looked at once
        if fresh := leaves & left:
            best |= dict.fromkeys(members(fresh), weight)
            left &= ~leaves
    rarity = math.log1p(visible.bit_count() / max(len(best), 1))
    return _Score(leaves=visible & ~left, by_leaf={leaf: score * rarity for leaf, score in best.items()})


def _matched(scores: Sequence[Leaves], visible: Leaves) -> tuple[Leaves, bool]:
    """The leaves that have all terms; where there are none, those that have any."""
    every = reduce(and_, scores, visible)
    partial = not every and len(scores) > 1
    some = reduce(or_, scores, 0) if partial else every
    return some, partial and bool(some)


def _filtered(index: Index, facet: str, values: Sequence[str]) -> Leaves:
    if not values:
        return -1
    found = 0
    for value in values:
        found |= index.facet(facet).get(value, 0)
    return found


def _ranked(index: Index, hits: Leaves, scores: Sequence[_Score]) -> list[tuple[float, int]]:
    """Best first; of equals by title, then by number, so that pages do not shift."""
    ranked = [(-_total(leaf, scores), index.leaves[leaf].content.title, leaf) for leaf in members(hits)]
    return [(-score, leaf) for score, _, leaf in sorted(ranked)]


def _total(leaf: int, scores: Sequence[_Score]) -> float:
    held = [score.by_leaf[leaf] for score in scores if leaf in score.by_leaf]
    return sum(held) * PARTIAL ** (len(scores) - len(held))


def _counts(index: Index, facet: str, matched: Leaves, within: Mapping[str, Leaves]) -> Mapping[str, int]:
    hits = matched
    for other, leaves in within.items():
        hits &= leaves if other != facet else -1
    counted = {value: (leaves & hits).bit_count() for value, leaves in index.facet(facet).items()}
    return dict(sorted(((value, count) for value, count in counted.items() if count), key=lambda one: (-one[1], one[0])))


def _hit(index: Index, number: int, score: float, terms: Sequence[str]) -> Hit:
    leaf = index.leaves[number]
    named = {value for term in terms for facet, value in _expansions(term) if facet == "element"}
    columns = [c.title for c in leaf.content.columns if c.element in named or any(term in fold_title(c.title) for term in terms)]
    return Hit(
        entry=leaf.entry,
        code=leaf.code,
        title=leaf.content.title,
        department=leaf.department,
        department_title=leaf.department_title,
        state=leaf.state,
        share=leaf.content.share,
        level=leaf.content.level,
        update_frequency=leaf.content.update_frequency,
        columns=tuple(columns[:COLUMNS_SHOWN]),
        score=round(score, 3),
    )
