"""Personal names (姓名): stored as given, compared by keys; law.md D-33…D-42, X-09…X-11.

A name is only trimmed, never folded (D-38). `name_key` and `pinyin_key` are for matching: they forget separators, variants, remarks.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from rules.cells import Cell, Standardised, as_text, judge_rest, nothing, null_mask, only_where
from rules.characters import FULL_WIDTH, GARBLED_FIRST, INVISIBLE, garbled, recoded

DOTS = "·•・･‧․．.。∙⋅●、*＊\\-‐-―'’`"
"""What stands between the parts of a minority's or foreigner's name in place of U+00B7 (D-33, D-34)."""

_SEPARATORS = re.compile(rf"[\s{DOTS}{INVISIBLE},，_]+")
_BRACKETS = re.compile(r"[(（\[【〔][^)）\]】〕]*[)）\]】〕]?")
_REMARK_TAIL = re.compile(r"[0-9０-９①-⑳]+$|(?<=.)[-_/ ]?(?:已故|已死亡|去世|迁出|已迁出|死亡|注销)$")
_WILDCARDS = re.compile("[?？□〓\ufffd\ue000-\uf8ff\U000f0000-\U0010fffd◇■_＿○]")
_LATIN_AMONG_HAN = re.compile(r"(?<=[^\x00-\x7f])[A-Za-z]+|[A-Za-z]+(?=[^\x00-\x7f])")
_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff〇\ue000-\uf8ff"
_PLAIN_HAN = r"^[\x{3400}-\x{9FFF}\x{20000}-\x{3FFFF}]{2,4}$"
LONGEST_PLAIN = 4
_NOT_PLAIN = f"^[{GARBLED_FIRST}]|合计|总计|小计|共计|姓名|测试|无名|制表|填表|备注|已故|去世|迁出|死亡|注销|某|锟|烫"
_MASKED = re.compile(rf"[{_HAN}]{{1,2}}[*＊×]{{2,3}}|[*＊×]{{2,3}}[{_HAN}]{{1,2}}|某+|[{_HAN}]某某?")
_STAR = re.compile(rf"(?<![{_HAN}]{{2}})[*＊×]|[*＊×](?![{_HAN}]{{2}})")
_NOBODY = re.compile(
    r"[\d\W_]*|合计.*|总计.*|小计.*|共计.*|姓名|户主姓名|测试.*|无名氏?|制表人?.*|填表人?.*|备注.*|第\d+页.*|NAME|TEST", re.I
)
_COMPONENTS = frozenset("王木金火土水石日月目口女马鱼鸟虫竹艹草氵亻忄扌讠钅纟饣犭礻衤宀辶阝立火灬心山石田禾米言车贝")


def standardise_names(values: pa.StringArray) -> Standardised:
    """Names as given; remarks and replaced characters are noted, what is no name is void."""
    plain, odd = (pc.fill_null(pc.match_substring_regex(values, shape), False) for shape in (_PLAIN_HAN, _NOT_PLAIN))
    done = null_mask(values) | pc.and_not(plain, odd).to_numpy(zero_copy_only=False)
    return judge_rest(values, Standardised(value=only_where(values, done), fault=nothing(len(values))), done, judge_name)


def judge_name(text: str) -> Cell:
    if restored := recoded(text):
        return Cell(restored, "NAME-RECODED")
    if garbled(text):
        return Cell(None, "NAME-GARBLED")
    if _MASKED.fullmatch(text):
        return Cell(None, "NAME-MASKED")
    if _NOBODY.fullmatch(text):
        return Cell(None, "NAME-MALFORMED")
    if "?" in _with_wildcards(text):
        return Cell(text, "NAME-WILDCARD")
    return Cell(text, "NAME-NOTE" if _without_remarks(text) != text else None)


def name_key(names: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The folded name: no separators, blanks or remarks, variants and traditional characters as the standard one, capitals.

    A character that a system could not write stays visible as `?` and stands for any one character (D-37).
    """
    return _distinct(names, fold_name, _folded)


def pinyin_key(names: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Toneless capital pinyin without separators, the surname by its own table first (D-41); Latin names surname first."""
    return _distinct(names, spell_name, _spelt)


def fold_name(name: str) -> str:
    text = unicodedata.normalize("NFKC", _with_wildcards(name.translate(_private_use())))
    folded = _SEPARATORS.sub("", text).translate(_simplified()).upper()
    return folded.translate(_variants())


def spell_name(name: str) -> str:
    text = _with_wildcards(name.translate(_private_use()))
    if text.isascii():
        return _spell_latin(text)
    plain = _SEPARATORS.sub("", text).translate(_simplified())
    surname = surname_of(plain) if not _dotted(name) else ""
    spelt = _surnames().get(surname) or surname.translate(_pinyin())
    return (spelt + plain[len(surname) :].translate(_pinyin())).upper()


def surname_of(name: str) -> str:
    """The surname, compound ones whole (D-42); empty for names with a dot and names in Latin letters, which begin otherwise."""
    if _dotted(name) or not name or name[0].isascii():
        return ""
    return name[:2] if name[:2] in _compound_surnames() and len(name) > 2 else name[:1]


def surnames(names: pa.Array) -> pa.Array:
    """surname_of, over a column."""
    first, two = pc.utf8_slice_codeunits(names, 0, 1), pc.utf8_slice_codeunits(names, 0, 2)
    compound = pc.and_(pc.is_in(two, value_set=pa.array(sorted(_compound_surnames()), pa.string())), pc.greater(pc.utf8_length(names), 2))
    otherwise = pc.match_substring_regex(names, rf"^[\x00-\x7f]|[^\s\p{{Z}}][{DOTS}][^\s\p{{Z}}]")
    return pc.if_else(otherwise, "", pc.if_else(compound, two, first))


def _distinct(
    names: pa.Array | pa.ChunkedArray, rule: Callable[[str], str], whole_column: Callable[[pa.StringArray], pa.StringArray]
) -> pa.Array:
    """Names of two to four plain Han characters, nearly all of them, go character by character through the column; others by the rule."""
    coded = as_text(names).dictionary_encode()
    distinct = coded.dictionary
    plain = pc.and_not(pc.match_substring_regex(distinct, _PLAIN_HAN), pc.match_substring_regex(distinct, _NOT_PLAIN))
    keys = whole_column(distinct.filter(plain))
    if len(keys) < len(distinct):
        rest = pa.array([rule(name) or None for name in distinct.filter(pc.invert(plain)).to_pylist()], pa.string())
        places = np.cumsum(plain.to_numpy(zero_copy_only=False)) - 1
        others = len(keys) + np.arange(len(distinct)) - places - 1
        keys = pa.concat_arrays([keys, rest]).take(pa.array(np.where(plain.to_numpy(zero_copy_only=False), places, others)))
    return keys.take(coded.indices)


def _folded(names: pa.StringArray) -> pa.StringArray:
    """fold_name of plain names; each character by itself."""
    characters = _characters(names)
    folded = _by_character(characters, lambda c: ord(fold_name(c)))
    if np.array_equal(folded, characters):
        return names
    return pa.array(folded.astype(np.uint32).view("U4").ravel(), pa.string())


def _spelt(names: pa.StringArray) -> pa.StringArray:
    """spell_name of plain names; those with a compound surname by the rule itself."""
    characters = _by_character(_characters(names), lambda c: ord(c.translate(_simplified())))
    used = np.flatnonzero(np.bincount(characters.ravel()))
    sounds = pa.array([chr(c).translate(_pinyin()).upper() if c else "" for c in used], pa.string())
    surnames = pa.array([(_surnames().get(chr(c)) or chr(c).translate(_pinyin())).upper() if c else "" for c in used], pa.string())
    place = {chr(c): n for n, c in enumerate(used)}
    places = _by_character(characters, lambda c: place[c])
    parts = [surnames.take(pa.array(places[:, 0])), *(sounds.take(pa.array(places[:, at])) for at in range(1, LONGEST_PLAIN))]
    spelt = pc.binary_join_element_wise(*parts, "")
    compound = np.isin(characters[:, :2].astype(np.uint32).copy().view("U2").ravel(), list(_compound_surnames())) & (characters[:, 2] > 0)
    if not compound.any():
        return spelt
    by_rule = [spell_name(name) for name in names.filter(pa.array(compound)).to_pylist()]
    return pc.replace_with_mask(spelt, pa.array(compound), pa.array(by_rule, pa.string()))


def _characters(names: pa.StringArray) -> np.ndarray:
    """(names, LONGEST_PLAIN): the characters of each by code, 0 after the last."""
    return np.array(names.to_pylist(), dtype=f"U{LONGEST_PLAIN}").view(np.uint32).reshape(-1, LONGEST_PLAIN)


def _by_character(characters: np.ndarray, rule: Callable[[str], int]) -> np.ndarray:
    """The rule asked once for each character that occurs."""
    used = np.flatnonzero(np.bincount(characters.ravel()))
    table = np.zeros(int(used.max(initial=0)) + 1, dtype=np.int64)
    table[used] = [rule(chr(c)) if c else 0 for c in used]
    return table[characters]


def _dotted(name: str) -> bool:
    return bool(re.search(rf"[^\s][{DOTS}][^\s]", name))


def _with_wildcards(name: str) -> str:
    """Remarks dropped, every replaced character as `?`: sign, private-use character, pinyin among Han, components in brackets.

    A star is a dot between the parts of a long name (买买提*艾力) and a character in a short one (王*).
    """
    return _STAR.sub("?", _WILDCARDS.sub("?", _LATIN_AMONG_HAN.sub("?", _without_remarks(name))))


def _without_remarks(name: str) -> str:
    shorter = _BRACKETS.sub(_bracket, name).strip()
    shorter = _REMARK_TAIL.sub("", shorter).strip()
    return shorter or name


def _bracket(found: re.Match[str]) -> str:
    """(王莹) spells one rare character by its components; (已故) is a remark."""
    inside = found[0][1:].rstrip(")）]】〕").strip()
    components = 2 <= len(inside) <= 3 and inside[0] in _COMPONENTS
    return "?" if components else ""


def _spell_latin(name: str) -> str:
    """CHAN TAI MAN; a known surname that stands last, as English order has it, comes first."""
    words = re.findall(r"[A-Z?]+", name.upper())
    if len(words) in (2, 3) and words[-1] in _surname_spellings() and words[0] not in _surname_spellings():
        words = [words[-1], *words[:-1]]
    return "".join(words)


class _PerCharacter(dict[int, str]):
    """A str.translate table that asks a converter once per character."""

    def __init__(self, convert: Callable[[str], str]) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, code: int) -> str:
        self[code] = found = self._convert(chr(code))
        return found


@cache
def _simplified() -> Mapping[int, str]:
    import opencc

    return _PerCharacter(opencc.OpenCC("t2s").convert)


@cache
def _pinyin() -> Mapping[int, str]:
    from pypinyin import lazy_pinyin

    return _PerCharacter(lambda character: lazy_pinyin(character)[0])


def _table(name: str) -> Mapping[str, Any]:
    path = Path(__file__).parent / name
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}


@cache
def _surnames() -> Mapping[str, str]:
    return _table("surnames.yaml").get("pinyin", {})


@cache
def _compound_surnames() -> frozenset[str]:
    return frozenset(_table("surnames.yaml").get("compound", ()))


@cache
def _surname_spellings() -> frozenset[str]:
    """Capital pinyin of common and listed surnames, and their Cantonese romanisations."""
    common = "".join(_table("names.yaml")["common_surnames"]).translate(_pinyin_words()).split()
    cantonese = [spelling for spellings in _table("surnames.yaml").get("cantonese", {}).values() for spelling in spellings]
    return frozenset(spelling.upper().replace(" ", "") for spelling in (*common, *_surnames().values(), *cantonese))


@cache
def _pinyin_words() -> Mapping[int, str]:
    return _PerCharacter(lambda character: f" {_pinyin()[ord(character)]} ")


@cache
def _variants() -> Mapping[int, str]:
    return {ord(variant): standard for variant, standard in _table("name_variants.yaml").items() if len(variant) == 1}


@cache
def _private_use() -> Mapping[int, str]:
    return {ord(character): assigned for character, assigned in _table("pua.yaml").items()} | {
        wide: chr(c) for wide, c in FULL_WIDTH.items()
    }
