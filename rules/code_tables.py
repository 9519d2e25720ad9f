"""Code tables (代码表) with their versions: national, sectoral and departments' own, read from `codes/*.yaml`.

A code means nothing without its table (law.md D-19…D-31): 90 is 其他 in GB/T 4658-2006 and 文盲或半文盲 in the edition of 1984.
So a source's table names its `target`, the table of the element, and maps code to code; a national table is its own target.

The fields of a table in the files:
  title, en   what it lists
  labels      code → [label, further spellings …]; the first is what exports show
  target      the table whose codes are canonical, when it is another one
  mapping     own code → code of the target (a code without an entry is unknown there)
  inherits    true: the target's codes, unless listed here, belong to this table too and mean the same
  unknown     codes that say "not stated": no value, and no fault either
  synonyms    spelling → code, where the spelling belongs to no single label (codes of other systems that cannot be mistaken)
  broader     wider code → [narrower codes]: 21 初婚 and 20 已婚 do not contradict each other
  also        further names by which contracts call the table
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, kw_only=True)
class CodeTable:
    """One table in one version. `synonyms` are folded spellings (see `fold_label`) of labels and codes → code of this table."""

    key: str
    also: tuple[str, ...]
    title: str
    title_en: str
    labels: Mapping[str, str]
    synonyms: Mapping[str, str]
    target: str | None
    mapping: Mapping[str, str]
    unknown: frozenset[str]
    broader: Mapping[str, str]

    def code_of(self, raw: str) -> str | None:
        """This table's own code for a code or label as a source spells it; None when the table does not know it."""
        return self.synonyms.get(fold_label(raw))

    def canonical(self, code: str) -> str | None:
        """The element's code for one of this table's codes; None where it says "not stated" or has no counterpart."""
        if code in self.unknown:
            return None
        return self.mapping.get(code) if self.target else code

    def agrees(self, one: str, other: str) -> bool:
        """Whether two codes can both be true: equal, or one the wider statement of the other (20 已婚, 21 初婚)."""
        return one == other or self.broader.get(one) == other or self.broader.get(other) == one


@cache
def load_code_tables() -> Mapping[str, CodeTable]:
    """Every table by key; a table that contradicts itself or its target is named by an assertion."""
    rows = _rows()
    tables = {key: _table(key, _with_inherited(row, rows)) for key, row in rows.items()}
    for table in tables.values():
        _check_target(table, tables)
    return tables


def find_code_table(name: str) -> CodeTable | None:
    """The table that a contract's `codeSystem` names, whichever dashes, spaces and case it is written with.

    `GB 4658-1984` is `GB/T 4658-1984`; a standard without its year is the newest edition that we hold.
    """
    return _tables_by_folded_key().get(_fold_key(name))


def fold_label(text: str) -> str:
    """A code or label as it is compared: width and case folded, no white space, no surrounding brackets or full stop."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).strip("()[]【】'\"`.。,;").upper()


@cache
def _tables_by_folded_key() -> Mapping[str, CodeTable]:
    tables = load_code_tables().values()
    undated = {_fold_key(re.sub(r"-[0-9]{4}$", "", table.key)): table for table in sorted(tables, key=lambda table: table.key)}
    return undated | {_fold_key(name): table for table in tables for name in (table.key, *table.also)}


def _fold_key(name: str) -> str:
    folded = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name)).upper()
    return re.sub(r"^(GB|GA)T", r"\1", folded)


def _rows() -> Mapping[str, Mapping[str, Any]]:
    rows: dict[str, Mapping[str, Any]] = {}
    for path in sorted((Path(__file__).parent / "codes").glob("*.yaml")):
        for key, row in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader).items():
            assert key not in rows, f"codes/{path.name}: {key} stands twice"
            rows[key] = row
    return rows


def _with_inherited(row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    if not row.get("inherits"):
        return row
    theirs = {code: texts for code, texts in rows[row["target"]]["labels"].items() if code not in row["labels"]}
    taken = {text for texts in row["labels"].values() for text in texts}
    labels = {code: [text for text in texts if text not in taken] for code, texts in theirs.items()}
    assert all(labels.values()), f"{row['title']}: an inherited code has lost its label"
    return {**row, "labels": {**labels, **row["labels"]}, "mapping": {**{code: code for code in labels}, **row["mapping"]}}


def _table(key: str, row: Mapping[str, Any]) -> CodeTable:
    spellings: Mapping[str, list[str]] = row["labels"]
    assert all(isinstance(s, str) for code, texts in spellings.items() for s in (code, *texts)), f"{key}: quote codes and labels"
    table = CodeTable(
        key=key,
        also=tuple(row.get("also", ())),
        title=row["title"],
        title_en=row["en"],
        labels={code: texts[0] for code, texts in spellings.items()},
        synonyms=_synonyms(key, spellings, row.get("synonyms", {})),
        target=row.get("target"),
        mapping=row.get("mapping", {}),
        unknown=frozenset(row.get("unknown", ())),
        broader={narrow: wide for wide, narrower in row.get("broader", {}).items() for narrow in narrower},
    )
    known = set(table.labels)
    for field, codes in (("unknown", table.unknown), ("broader", {*table.broader, *table.broader.values()}), ("mapping", table.mapping)):
        assert set(codes) <= known, f"{key}: {field} names codes the table does not hold: {sorted(set(codes) - known)}"
    return table


def _synonyms(key: str, spellings: Mapping[str, list[str]], further: Mapping[str, str]) -> Mapping[str, str]:
    """Codes win over labels, labels over further spellings; `01` is also found as `1`, as Excel leaves it, unless `1` is a code."""
    found = {fold_label(code): code for code in spellings}
    texts = [(text, code) for code, row in spellings.items() for text in row] + [*further.items()]
    for text, code in texts:
        assert code in spellings, f"{key}: synonym {text} leads to {code}, which the table does not hold"
        assert found.setdefault(fold_label(text), code) == code, f"{key}: {text} means {code} and {found[fold_label(text)]}"
    for code in spellings:
        if code.isdecimal() and code.lstrip("0"):
            found.setdefault(code.lstrip("0"), code)
    return found


def _check_target(table: CodeTable, tables: Mapping[str, CodeTable]) -> None:
    assert (table.target is None) == (not table.mapping), f"{table.key}: target and mapping go together"
    if table.target is None:
        return
    assert table.target in tables, f"{table.key}: unknown target {table.target}"
    lost = set(table.mapping.values()) - set(tables[table.target].labels)
    assert not lost, f"{table.key}: maps to codes that {table.target} does not hold: {sorted(lost)}"
