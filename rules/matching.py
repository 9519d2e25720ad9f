"""The rules by which records are recognised as one entity, read from `matching.yaml` (law.md §5.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

KINDS = frozenset({"number", "name", "folded", "date", "value"})
DERIVED = {"number_near": "number", "number_prefix": "number", "pinyin": "name", "birth_month": "birth"}
"""Blocking keys that are made from an attribute → that attribute."""


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """Something records are compared by, and the elements that it is taken from."""

    key: str
    kind: str
    elements: tuple[str, ...]
    identifying_documents: bool
    qualified: bool
    extract: str | None
    reversed: bool
    shared_cap: int | None


@dataclass(frozen=True, kw_only=True)
class Level:
    """One outcome of a comparison; `m` and `u`: its probability among pairs of one entity and among random pairs."""

    key: str
    m: float
    u: float


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
        keys = [level.key for level in self.levels]
        return tuple(keys[: keys.index(self.agrees) + 1])


@dataclass(frozen=True, kw_only=True)
class Constraints:
    """What may never stand in one cluster; each guard can be switched off for entities that it does not suit."""

    numbers: bool
    number_names: bool
    twins: bool
    sex_and_birth: bool
    siblings: bool
    generations: bool


@dataclass(frozen=True, kw_only=True)
class MatchingRules:
    """The rule set of one kind of entity. Bits are logarithms of odds to the base 2."""

    entity: str
    attributes: Mapping[str, Attribute]
    comparisons: Mapping[str, Comparison]
    blocking: tuple[tuple[str, ...], ...]
    block_cap: int
    agreements: int
    nameless_agreements: int
    link_bits: float
    cluster_bits: float
    missing_bits: float
    weight_cap_bits: float
    constraints: Constraints


@cache
def load_matching(entity: str = "residents") -> MatchingRules:
    """The shipped rule set of `entity`."""
    document = yaml.safe_load((Path(__file__).parent / "matching.yaml").read_text(encoding="utf-8"))
    return read_matching(entity, document[entity])


def read_matching(entity: str, block: Mapping[str, Any]) -> MatchingRules:
    """A rule set from its parsed block; an inconsistency is named by an assertion."""
    attributes = {key: _attribute(key, row) for key, row in block["attributes"].items()}
    comparisons = {key: _comparison(key, row) for key, row in block["comparisons"].items()}
    assert set(comparisons) <= set(attributes), f"matching.yaml: {entity} compares unknown attributes"
    for key in {key for keys in block["blocking"] for key in keys}:
        assert DERIVED.get(key, key) in attributes, f"matching.yaml: {entity} blocks by unknown {key}"
    return MatchingRules(
        entity=entity,
        attributes=attributes,
        comparisons=comparisons,
        blocking=tuple(tuple(keys) for keys in block["blocking"]),
        constraints=Constraints(**block["constraints"]),
        **{
            key: block[key]
            for key in ("block_cap", "agreements", "nameless_agreements", "link_bits", "cluster_bits", "missing_bits", "weight_cap_bits")
        },
    )


def _attribute(key: str, row: Mapping[str, Any]) -> Attribute:
    assert row["kind"] in KINDS, f"matching.yaml: {key} has unknown kind {row['kind']}"
    return Attribute(
        key=key,
        kind=row["kind"],
        elements=tuple(row["elements"]),
        identifying_documents=row.get("identifying_documents", False),
        qualified=row.get("qualified", False),
        extract=row.get("extract"),
        reversed=row.get("reversed", False),
        shared_cap=row.get("shared_cap"),
    )


def _comparison(key: str, row: Mapping[str, Any]) -> Comparison:
    levels = tuple(Level(key=level, m=float(p["m"]), u=float(p["u"])) for level, p in row["levels"].items())
    assert row["agrees"] in row["levels"] and "else" in row["levels"], f"matching.yaml: {key} lacks a level"
    return Comparison(
        attribute=key,
        group=row["group"],
        agrees=row["agrees"],
        frequency=row.get("frequency", False),
        within=row.get("within"),
        nicknames=tuple(row.get("nicknames", ())),
        levels=levels,
    )
