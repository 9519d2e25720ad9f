"""Marks survive sampling, sorting and dropped columns; whoever had no part in a file is not named; what may not be changed is not."""

import random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.fingerprints import (
    FALSE_ACCUSATION,
    PSEUDONYM,
    SPELLINGS,
    Agreement,
    agreement_of_pseudonyms,
    agreement_of_spellings,
    copy_secret,
    mark_values,
    marks_of,
    pseudonyms_in,
    read_spellings,
)
from masking.methods import KEEP, SUPPRESS, Mask, pseudonyms_of
from masking.plan import ColumnPlan
from masking.pseudonyms import recipient_key
from rules.tiers import load_tier_policy

MASTER = bytes(range(32))
RECIPIENTS = [f"department_{number}" for number in range(60)]
SECRETS = [copy_secret(MASTER, one, "copy") for one in RECIPIENTS]
ADDRESSES = [f"广东省佛山市南海区桂城街道第{number}社区" for number in range(300)]
BANDS = [f"{year}–{year + 4}" for year in range(1930, 2010, 5)]


def test_a_spelling_says_the_same_and_equal_values_stay_equal() -> None:
    marked = mark_values(pa.array([*ADDRESSES, *ADDRESSES]), "province", SECRETS[0]).to_pylist()
    assert marked[:300] == marked[300:]
    assert {text.removeprefix("广东省") for text in marked} == {text.removeprefix("广东省") for text in ADDRESSES}
    assert 0 < sum(text.startswith("广东省") for text in marked) < 600
    assert [
        text.replace("-", "–").replace("~", "–").replace("至", "–") for text in mark_values(pa.array(BANDS), "dash", SECRETS[0]).to_pylist()
    ] == BANDS


@pytest.mark.parametrize("text", ["90+", "1980", "440605011001", "王小明", "南海区桂城街道", "佛山市", "", "1980–", "2026-10-01"])
@pytest.mark.parametrize("mark", SPELLINGS)
def test_what_has_no_spellings_is_left_as_it_is(text: str, mark: str) -> None:
    assert {mark_values(pa.array([text, None]), mark, secret).to_pylist()[0] for secret in SECRETS} == {text}


@given(st.text(max_size=30))
def test_a_mark_never_changes_what_a_text_says(text: str) -> None:
    for mark, spelling in SPELLINGS.items():
        (marked,) = mark_values(pa.array([text]), mark, SECRETS[0]).to_pylist()
        before, after = spelling.read(text), spelling.read(marked)
        assert (before is None) == (after is None)
        assert before is None or after is None or before[0] == after[0]


@pytest.mark.parametrize(("mark", "values", "sample"), [("province", ADDRESSES, 250), ("dash", BANDS, 16)])
def test_a_copy_is_found_among_sixty_from_a_sample_in_any_order_and_nobody_else(mark: str, values: list[str], sample: int) -> None:
    chosen = random.Random(5)
    for guilty, secret in enumerate(SECRETS):
        leaked = chosen.sample(mark_values(pa.array(values), mark, secret).to_pylist(), sample)
        read = read_spellings(leaked, mark)
        named = [n for n, one in enumerate(SECRETS) if agreement_of_spellings(read, mark, one).chance_of() * 60 <= FALSE_ACCUSATION]
        assert named in ([guilty], []) if mark == "dash" else named == [guilty]
        assert agreement_of_spellings(read, mark, secret).agreeing == len(read)


def test_a_few_pseudonyms_name_the_recipient_and_join_over_his_extracts() -> None:
    keys = [recipient_key(MASTER, one, "1") for one in RECIPIENTS]
    ids = pa.array([f"R{number:010d}" for number in range(200)])
    for guilty, key in enumerate(keys[:5]):
        leaked = pseudonyms_of(ids, key).to_pylist()
        assert pseudonyms_of(ids, key).to_pylist() == leaked
        found = pseudonyms_in([*leaked[:3], "王**", "440605"])
        agreed = [agreement_of_pseudonyms(found, one.mark_secret).agreeing for one in keys]
        assert agreed == [3 if place == guilty else 0 for place in range(60)]


def test_two_who_mix_their_copies_are_both_found_and_nobody_else() -> None:
    """Each row from the one or the other: an address stands in both spellings where they differ, and then tells of neither."""
    chosen = random.Random(7)
    copies = [mark_values(pa.array(ADDRESSES), "province", SECRETS[one]).to_pylist() for one in (3, 8)]
    read = read_spellings([chosen.choice(pair) for pair in zip(*copies, strict=True)], "province")
    named = [n for n, one in enumerate(SECRETS) if agreement_of_spellings(read, "province", one).chance_of() * 60 <= FALSE_ACCUSATION]
    assert named == [3, 8]


def test_whoever_rewrites_all_spellings_takes_the_mark_away_and_accuses_nobody() -> None:
    read = read_spellings(ADDRESSES, "province")
    assert not any(agreement_of_spellings(read, "province", one).chance_of() * 60 <= FALSE_ACCUSATION for one in SECRETS)


def test_the_chance_is_the_exact_tail_of_a_binomial() -> None:
    """Against the sum written out."""
    from math import comb

    for values, agreeing, chance in ((10, 10, 0.5), (40, 30, 0.25), (5, 0, 0.5), (0, 0, 0.5)):
        exact = sum(comb(values, k) * chance**k * (1 - chance) ** (values - k) for k in range(agreeing, values + 1))
        told = Agreement(mark="dash", values=values, agreeing=agreeing, chance=chance).chance_of()
        assert told == pytest.approx(exact, rel=1e-9)


def test_innocents_agree_as_often_as_chance_says() -> None:
    """Over 12,000 values of 40 innocents the share that agrees lies within five standard deviations of a half."""
    read = read_spellings(mark_values(pa.array(ADDRESSES), "province", SECRETS[0]).to_pylist(), "province")
    agreeing = sum(agreement_of_spellings(read, "province", one).agreeing for one in SECRETS[1:41])
    assert abs(agreeing - 6_000) < 5 * (12_000 * 0.25) ** 0.5


def test_only_declared_columns_carry_a_mark() -> None:
    markable = load_tier_policy().fingerprints
    masks = {
        "id": ("resident_id", "pseudonym", "pseudonym", PSEUDONYM),
        "home": ("address", "address_to_community", "suppress", "province"),
        "plain_home": ("address", "keep", "keep", "province"),
        "mixed": ("address", "keep", "address_to_street", "province"),
        "street": ("address", "address_to_street", "suppress", None),
        "age": ("date", "age_band", "suppress", "dash"),
        "born": ("date", "year", "suppress", None),
        "name": ("name", "keep", "keep", None),
        "number": ("id_number", "partial_number", "suppress", None),
        "pay": ("money", "keep", "keep", None),
        "hidden": ("address", "suppress", "suppress", None),
    }
    made = {name: ColumnPlan(mask=Mask(method=one), minor_mask=Mask(method=other)) for name, (_, one, other, _) in masks.items()}
    kinds = {name: kind for name, (kind, *_) in masks.items()}
    assert marks_of(made, kinds, markable) == {name: mark for name, (*_, mark) in masks.items() if mark}
    assert marks_of({"x": ColumnPlan(mask=KEEP, minor_mask=SUPPRESS)}, {}, markable) == {}
