"""The tables behind name keys are consistent with each other and with the converter that runs before them (law.md D-37…D-42)."""

from pathlib import Path

import opencc
import pytest
import yaml

import rules

FOLDER = Path(rules.__file__).parent
VARIANTS: dict[str, str] = yaml.safe_load((FOLDER / "name_variants.yaml").read_text(encoding="utf-8"))
PRIVATE: dict[str, str] = yaml.safe_load((FOLDER / "pua.yaml").read_text(encoding="utf-8"))
SURNAMES = yaml.safe_load((FOLDER / "surnames.yaml").read_text(encoding="utf-8"))


def test_a_variant_leads_in_one_step_to_a_character_that_stays_itself() -> None:
    simplify = opencc.OpenCC("t2s").convert
    assert all(len(variant) == len(standard) == 1 for variant, standard in VARIANTS.items())
    assert not set(VARIANTS) & set(VARIANTS.values())
    assert [simplify(c) for c in VARIANTS.values()] == [*VARIANTS.values()]
    assert not [v for v in VARIANTS if simplify(v) != v], "the converter already does these"


@pytest.mark.parametrize(("one", "other"), ["萧肖", "傅付", "阎闫", "戴代", "钟锺", "宁甯"])
def test_surnames_that_registers_exchanged_meet_in_one_key(one: str, other: str) -> None:
    assert VARIANTS.get(one, one) == VARIANTS.get(other, other)


def test_private_use_characters_lead_to_assigned_ones() -> None:
    assert all("\ue000" <= private <= "\uf8ff" for private in PRIVATE)
    assert not [assigned for assigned in PRIVATE.values() if "\ue000" <= assigned <= "\uf8ff"]
    assert len(set(PRIVATE.values())) == len(PRIVATE)


def test_the_private_use_characters_that_the_old_codec_makes_are_all_covered() -> None:
    second_bytes = [*range(0x50, 0x7F), *range(0x80, 0xA1)]
    decoded = {bytes([0xFE, second]).decode("gb18030") for second in second_bytes}
    assert {c for c in decoded if "\ue000" <= c <= "\uf8ff"} <= set(PRIVATE)


def test_no_surname_of_one_character_begins_a_reading_by_mistake() -> None:
    assert all(spelling.isascii() and spelling.isalpha() and spelling.islower() for spelling in SURNAMES["pinyin"].values())


@pytest.mark.parametrize(
    ("surname", "spelling"),
    [
        ("单", "shan"),
        ("解", "xie"),
        ("仇", "qiu"),
        ("区", "ou"),
        ("曾", "zeng"),
        ("查", "zha"),
        ("朴", "piao"),
        ("冼", "xian"),
        ("万俟", "moqi"),
    ],
)
def test_surnames_are_read_as_surnames(surname: str, spelling: str) -> None:
    assert SURNAMES["pinyin"][surname] == spelling


@pytest.mark.parametrize("surname", ["欧阳", "上官", "司徒", "司马", "令狐", "尉迟", "万俟", "澹台", "单于", "诸葛"])
def test_compound_surnames_are_listed_once(surname: str) -> None:
    assert SURNAMES["compound"].count(surname) == 1
