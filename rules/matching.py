"""The rules by which records are recognised as one entity, read from `matching.yaml` (law.md §5.2)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

KINDS = frozenset({"number", "name", "folded", "date", "value", "text"})
WAYS = frozenset({"pinyin", "near", "prefix"})
TESTS = frozenset({"jaro_winkler", "edits", "hamming", "prefix", "contained", "tokens", "swapped"})
SAID = frozenset({"agrees", "silent"})
"""What a condition may ask of an attribute beside a list of its levels."""

Condition = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""As in `matching.yaml`: a mapping holds where all of it holds, a list where one of it does."""


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """Something records are compared by, and the elements that it is taken from."""

    key: str
    kind: str
    elements: tuple[str, ...] = ()
    check: str | None = None
    stated: str | None = None
    repaired: bool = False
    identifying_documents: bool = False
    qualified: bool = False
    extract: str | None = None
    reversed: bool = False
    shared_cap: int | None = None


@dataclass(frozen=True, kw_only=True)
class Derived:
    """What is made of an attribute for blocking, by an SQL expression over `value` or by a way that the engine knows."""

    key: str
    source: str
    way: str | None
    expression: str | None


@dataclass(frozen=True, kw_only=True)
class Level:
    """One outcome of a comparison; `m` and `u`: its probability among pairs of one entity and among random pairs.

    `test`: the likeness that it takes and how much of it, where the level's key does not say it all.
    """

    key: str
    m: float
    u: float
    test: tuple[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The levels of one attribute, strongest first; `else` is where both say something and no other level holds.

    `within` names a comparison that says the same more precisely: where that one agrees, this one adds nothing.
    """

    attribute: str
    group: str
    agrees: str
    frequency: bool
    within: str | None
    nicknames: tuple[str, ...]
    levels: tuple[Level, ...]

    def agreeing(self) -> tuple[str, ...]:
        """The levels that count as an agreement."""
        keys = self.level_keys()
        return keys[: keys.index(self.agrees) + 1]

    def level_keys(self) -> tuple[str, ...]:
        """The levels by name."""
        return tuple(level.key for level in self.levels)

    def rank(self, level: str) -> int:
        """The place of a level, 0 the strongest."""
        return self.level_keys().index(level)


@dataclass(frozen=True, kw_only=True)
class Exact:
    """How records with one valid number come to be one unit."""

    names: bool
    states: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Case:
    """What an edge needs beside its weight, where something holds (always, if `where` is None).

    `alone`: what is enough if no other entity with a number fits as well.
    """

    where: Condition | None
    need: Condition
    alone: Condition


@dataclass(frozen=True, kw_only=True)
class MatchingRules:
    """The rule set of one kind of entity. Bits are logarithms of odds to the base 2."""

    entity: str
    number: str | None
    name: str | None
    exact: Exact
    attributes: Mapping[str, Attribute]
    derived: Mapping[str, Derived]
    comparisons: Mapping[str, Comparison]
    blocking: tuple[tuple[str, ...], ...]
    block_cap: int
    link_bits: float
    cluster_bits: float
    missing_bits: float
    weight_cap_bits: float
    uncounted: frozenset[str]
    eligible: tuple[Case, ...]
    barred: Mapping[str, Condition]


@cache
def load_matching(entity: str = "residents") -> MatchingRules:
    """The shipped rule set of `entity`."""
    return read_matching(entity, Path(__file__).parent / "matching.yaml")


def read_matching(entity: str, path: Path) -> MatchingRules:
    """The rule set of `entity` in a file like `matching.yaml`."""
    return matching_of(entity, yaml.safe_load(path.read_text(encoding="utf-8"))[entity])


def matching_of(entity: str, block: Mapping[str, Any]) -> MatchingRules:
    """A rule set from its parsed block; an inconsistency is named by an assertion."""
    exact = block.get("exact", {})
    rules = MatchingRules(
        entity=entity,
        number=block.get("number"),
        name=block.get("name"),
        exact=Exact(names=exact.get("names", False), states=tuple(exact.get("states", ()))),
        attributes={key: _attribute(key, row) for key, row in block["attributes"].items()},
        derived={key: _derived(key, row) for key, row in block.get("derived", {}).items()},
        comparisons={key: _comparison(key, row) for key, row in block["comparisons"].items()},
        blocking=tuple(tuple(keys) for keys in block["blocking"]),
        uncounted=frozenset(block.get("uncounted", ())),
        eligible=tuple(
            Case(where=row.get("where"), need=row.get("need", ()), alone=row.get("alone", ())) for row in block.get("eligible", ())
        ),
        barred=block.get("barred", {}),
        **{key: block[key] for key in ("block_cap", "link_bits", "cluster_bits", "missing_bits", "weight_cap_bits")},
    )
    _check(rules)
    return rules


def _attribute(key: str, row: Mapping[str, Any]) -> Attribute:
    assert row["kind"] in KINDS, f"matching.yaml: {key} has unknown kind {row['kind']}"
    return Attribute(key=key, **{**row, "elements": tuple(row.get("elements", ()))})


def _derived(key: str, row: Mapping[str, Any]) -> Derived:
    assert (row.get("way") in WAYS) != ("expression" in row), f"matching.yaml: {key} is made by a way or an expression"
    return Derived(key=key, source=row["from"], way=row.get("way"), expression=row.get("expression"))


def _comparison(key: str, row: Mapping[str, Any]) -> Comparison:
    assert row["agrees"] in row["levels"] and "else" in row["levels"], f"matching.yaml: {key} lacks a level"
    return Comparison(
        attribute=key,
        group=row.get("group", key),
        agrees=row["agrees"],
        frequency=row.get("frequency", False),
        within=row.get("within"),
        nicknames=tuple(row.get("nicknames", ())),
        levels=tuple(_level(level, said) for level, said in row["levels"].items()),
    )


def _level(key: str, said: Mapping[str, Any]) -> Level:
    tests = [(test, said[test]) for test in said if test not in ("m", "u")]
    assert len(tests) <= 1 and {test for test, _ in tests} <= TESTS, f"matching.yaml: level {key} has an unknown test"
    return Level(key=key, m=float(said["m"]), u=float(said["u"]), test=tests[0] if tests else None)


def _check(rules: MatchingRules) -> None:
    known = rules.entity
    assert set(rules.comparisons) <= set(rules.attributes), f"matching.yaml: {known} compares unknown attributes"
    assert {d.source for d in rules.derived.values()} <= set(rules.attributes), f"matching.yaml: {known} derives from unknown attributes"
    for key in {key for keys in rules.blocking for key in keys}:
        assert key in rules.attributes or key in rules.derived, f"matching.yaml: {known} blocks by unknown {key}"
    assert rules.missing_bits <= rules.cluster_bits, f"matching.yaml: {known} would join what it never compared"
    conditions = [c for case in rules.eligible for c in (case.where, case.need, case.alone) if c is not None]
    for key, said in _said([*conditions, *rules.barred.values()]):
        assert key in rules.comparisons, f"matching.yaml: {known} has a condition on unknown {key}"
        assert said in SAID if isinstance(said, str) else set(said) <= set(rules.comparisons[key].level_keys()), (
            f"matching.yaml: {known} asks {key} for an unknown level"
        )


def _said(conditions: Sequence[Condition]) -> Iterator[tuple[str, Any]]:
    """All that conditions ask of attributes."""
    for condition in conditions:
        if not isinstance(condition, Mapping):
            yield from _said(condition)
            continue
        for key, said in condition.items():
            if key in ("unless", "any"):
                yield from _said([said])
            elif key not in ("beside", "groups", "attested", "bits"):
                yield key, said
