"""The levels (分级) of classes of fields, by source, read from `levels.yaml`. law.md G-01, G-07, G-08."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml


class Level(StrEnum):
    """How sensitive a column is; comparable, L4 the highest."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"


@dataclass(frozen=True, kw_only=True)
class FieldClass:
    """A class of fields. `by_source`: the level that each source gives it; where they differ the stricter holds."""

    key: str
    zh: str
    en: str
    by_source: Mapping[str, Level]
    elements: tuple[str, ...]

    @property
    def level(self) -> Level:
        return max(self.by_source.values())


@dataclass(frozen=True, kw_only=True)
class LevelTable:
    """One version of the table. `sources` are the titles of the texts that are cited."""

    version: int
    sources: Mapping[str, str]
    classes: Mapping[str, FieldClass]
    by_element: Mapping[str, FieldClass]

    def floor(self, element: str | None) -> Level:
        """The level that a column of an element has at least; L1 where no class names it."""
        found = self.by_element.get(element or "")
        return found.level if found else Level.L1


def highest(levels: list[Level]) -> Level:
    """就高从严 (G-01): the highest of some levels; L4 where none is known."""
    return max(levels, default=Level.L4)


@cache
def load_levels() -> LevelTable:
    rows = yaml.safe_load((Path(__file__).parent / "levels.yaml").read_text(encoding="utf-8"))
    classes = {key: _class(key, row) for key, row in rows["classes"].items()}
    by_element = {element: found for found in classes.values() for element in found.elements}
    assert len(by_element) == sum(len(found.elements) for found in classes.values()), "levels.yaml: an element stands in two classes"
    return LevelTable(version=rows["version"], sources=rows["sources"], classes=classes, by_element=by_element)


def _class(key: str, row: Mapping[str, Any]) -> FieldClass:
    by_source = {source: Level(level) for source, level in row["levels"].items()}
    return FieldClass(key=key, zh=row["zh"], en=row["en"], by_source=by_source, elements=tuple(row["elements"]))
