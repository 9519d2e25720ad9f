"""The departments and units (部门) of a district and the many names they go by, read from `departments.yaml`."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

SHORTEST_INNER_ALIAS = 3
"""An alias inside a longer name counts from three characters on, at its end from two: 区残联, but not 公安 in 公安路小学."""
BUREAU_DEPARTMENT = "data_bureau"
"""What the bureau's own people, whose accounts belong to no department, act for where something is the bureau's own."""


@dataclass(frozen=True, kw_only=True)
class Department:
    """A unit that provides or asks for data. `aliases` are the names, abbreviations and pinyin under which it appears in contracts."""

    key: str
    title: str
    title_en: str
    aliases: tuple[str, ...]


@cache
def load_departments() -> Mapping[str, Department]:
    rows = yaml.load((Path(__file__).parent / "departments.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {
        key: Department(key=key, title=row["title"], title_en=row["en"], aliases=tuple(row.get("aliases", ()))) for key, row in rows.items()
    }


def resolve_department(domain: str, title: str = "") -> str:
    """The key of the department that a contract's `domain` or title means; the domain itself when it is none we know.

    Tried in turn on domain and title: the whole name; then the parts of a key (`nanhai_gongan_huji`); then the longest alias within a
    Chinese name, of equals the last (佛山市南海区公安局出入境管理大队 is the border unit, not the bureau above it).
    """
    for look in (_whole, _by_key_parts, _within):
        for text in (domain, title):
            if key := look(text):
                return key
    return domain


def department_title(key: str | None) -> str:
    """Its Chinese title, as people read it; of a department that the rules do not name, its key."""
    known = load_departments().get(key or "")
    return known.title if known else key or ""


def _whole(text: str) -> str | None:
    return _by_alias().get(_fold(text))


def _by_key_parts(text: str) -> str | None:
    parts = re.split(r"[\s_\-./]+", text.strip())
    return next((key for run in _runs(parts) if (key := _whole("".join(run)))), None)


def _within(text: str) -> str | None:
    folded = _fold(text)
    if folded.isascii():
        return None
    found = [(len(alias), folded.rfind(alias), key) for alias, key in _by_alias().items() if _stands_in(alias, folded)]
    return max(found)[2] if found else None


def _stands_in(alias: str, name: str) -> bool:
    return alias in name if len(alias) >= SHORTEST_INNER_ALIAS else len(alias) > 1 and name.endswith(alias)


def _runs(parts: list[str]) -> Iterator[list[str]]:
    for length in range(len(parts), 0, -1):
        for start in range(len(parts) - length + 1):
            yield parts[start : start + length]


@cache
def _by_alias() -> Mapping[str, str]:
    names: dict[str, str] = {}
    for department in load_departments().values():
        for name in (department.key, department.title, *department.aliases):
            owner = names.setdefault(_fold(name), department.key)
            assert owner == department.key, f"departments.yaml: {name} belongs to {owner} and {department.key}"
    return names


def _fold(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).lower()
