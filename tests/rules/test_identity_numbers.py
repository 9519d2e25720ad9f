"""Identity numbers: the vectors of law.md D-01…D-13 and X-01…X-05, and the column version against a naive one."""

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.identity_numbers import check_character, judge_identity_number, kind_of, standardise_identity_numbers
from tests.rules.columns import TEST_REGIONS, TODAY, row, rows

STANDARD_EXAMPLE = "11010519491231002X"
SECOND_EXAMPLE = "440524188001010014"


@pytest.mark.parametrize("number", [STANDARD_EXAMPLE, SECOND_EXAMPLE, "810000199001010019", "830000199001010012", "944840199001010016"])
def test_numbers_of_18_characters_stand_as_they_are(number: str) -> None:
    assert row("id_number", number) == (number, None)


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105 19491231 002X",
        "110105-19491231-002X",
        "110105\u00a019491231\u00a0002X",
        "11010519491231002Ⅹ",
        "11010519491231002Х",
        "11010519491231002×",
        "11010519491231002*",
        "'11010519491231002X",
        "11010519491231002X\t",
        "\ufeff11010519491231002X",
    ],
)
def test_loose_typing_is_forgiven(typed: str) -> None:
    assert row("id_number", typed) == (STANDARD_EXAMPLE, None)


def test_15_digits_become_18_and_are_noted() -> None:
    assert row("id_number", "110105491231002") == (STANDARD_EXAMPLE, "ID-15")


@pytest.mark.parametrize("sequence", ["996", "997", "998", "999"])
def test_the_old_numbers_of_people_over_100_are_never_converted(sequence: str) -> None:
    assert row("id_number", "110105491231" + sequence) == (None, "ID-15-CENTURY")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("110105194912310021", "ID-CHECK"),
        ("440605199001011000", "ID-LOST"),
        ("4.40605E+17", "ID-LOST"),
        ("4.40605199001011E+17", "ID-LOST"),
        ("111111111111111111", "ID-PLACEHOLDER"),
        ("000000000000000000", "ID-PLACEHOLDER"),
        ("440605190001010000", "ID-PLACEHOLDER"),
        (f"{STANDARD_EXAMPLE}-1", "ID-GUARDIAN"),
        (f"{STANDARD_EXAMPLE}子", "ID-GUARDIAN"),
        (f"{SECOND_EXAMPLE}01", "ID-GUARDIAN"),
        (f"母{SECOND_EXAMPLE}", "ID-GUARDIAN"),
        ("1101**********002X", "ID-MASKED"),
        ("12345", "ID-MALFORMED"),
        ("张三", "ID-MALFORMED"),
        ("１１０１０５１９４９１２３１００２１", "ID-CHECK"),
        ("٤٤٠٥٢٤١٨٨٠٠١٠١٠٠١٤", "ID-MALFORMED"),
    ],
)
def test_what_is_no_number_is_void_with_its_own_fault(text: str, fault: str) -> None:
    assert row("id_number", text) == (None, fault)


@pytest.mark.parametrize(
    ("first17", "fault"), [("44060519900231001", "ID-DATE"), ("44060520261124001", "ID-FUTURE"), ("44060519900101000", "ID-SEQUENCE")]
)
def test_a_right_check_digit_does_not_save_an_impossible_number(first17: str, fault: str) -> None:
    expected = {"44060519900101000": ("ID-SEQUENCE", "ID-LOST")}.get(first17, (fault,))
    assert row("id_number", first17 + check_character(first17))[1] in expected


@pytest.mark.parametrize("region", ["440605", "440682", "440622"])
@pytest.mark.parametrize("birth", ["19700101", "20050131"])
def test_the_region_is_not_compared_with_the_year_of_birth(region: str, birth: str) -> None:
    first17 = f"{region}{birth}123"
    assert row("id_number", first17 + check_character(first17)) == (first17 + check_character(first17), None)


def test_an_unknown_region_is_only_noted() -> None:
    number = "44069819900101123" + check_character("44069819900101123")
    assert row("id_number", number) == (number, "ID-REGION")


def test_a_valid_number_that_ends_in_000_is_noted_as_doubtful() -> None:
    first17 = next(f for f in (f"440605199001{day:02}{a}00" for day in range(1, 29) for a in range(1, 10)) if check_character(f) == "0")
    assert row("id_number", first17 + "0") == (first17 + "0", "ID-DOUBTFUL")


@pytest.mark.parametrize(
    ("text", "value", "fault"),
    [
        ("usa123456789012", "USA123456789012", None),
        ("H1234567801", "H12345678", "ID-DOCUMENT"),
        ("E12345678", "E12345678", "ID-DOCUMENT"),
        ("EA1234567", "EA1234567", "ID-DOCUMENT"),
    ],
)
def test_other_documents_in_the_column_stand_in_their_own_spelling(text: str, value: str, fault: str | None) -> None:
    assert row("id_number", text) == (value, fault)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (STANDARD_EXAMPLE, "citizen"),
        ("810000199001010019", "hong_kong_residence"),
        ("830000199001010012", "taiwan_residence"),
        ("944840199001010016", "permanent_residence_2023"),
        ("USA123456789012", "permanent_residence_2017"),
        ("H12345678", "home_return_permit"),
        ("E12345678", "passport"),
    ],
)
def test_each_number_says_what_document_it_is_of(number: str, kind: str) -> None:
    assert kind_of(number) == kind


def _close_to_a_number(first17: str, last: str, change: tuple[int, str]) -> str:
    text = first17 + last
    place, character = change
    return text[:place] + character + text[place + 1 :]


_FIRST17 = st.builds(
    lambda region, born, sequence: f"{region}{born:%Y%m%d}{sequence:03}",
    st.sampled_from(("110105", "440605", "440698", "810000", "944840", "000000")),
    st.dates(date(1840, 1, 1), date(2030, 1, 1)),
    st.sampled_from((0, 1, 100, 500, 996, 999)),
)
_NEAR = st.builds(
    _close_to_a_number, _FIRST17, st.sampled_from("0123456789Xx*"), st.tuples(st.integers(0, 17), st.sampled_from("0123456789X 张"))
)
_RIGHT = _FIRST17.map(lambda first17: first17 + check_character(first17))


@given(st.lists(st.one_of(st.none(), _RIGHT, _RIGHT.map(str.lower), _NEAR, st.text("0123456789X", min_size=15, max_size=19)), max_size=12))
def test_whole_columns_are_judged_like_single_texts(texts: list[str | None]) -> None:
    done = standardise_identity_numbers(pa.array(texts, pa.string()), regions=TEST_REGIONS, today=TODAY)
    one_by_one = [(None, None) if t is None else tuple(judge_identity_number(t, regions=TEST_REGIONS, today=TODAY)) for t in texts]
    assert list(zip(done.value.to_pylist(), done.fault.to_pylist(), strict=True)) == one_by_one


@given(_FIRST17.filter(lambda f: f[0] != "9"), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_never_passes(first17: str, place: int, more: int) -> None:
    number = first17 + check_character(first17)
    wrong = number[:place] + str((int(number[place]) + more) % 10) + number[place + 1 :]
    assert row("id_number", wrong)[0] is None


def test_slices_of_a_column_are_read_from_their_own_place() -> None:
    column = pa.array([None, "x", STANDARD_EXAMPLE, "110105491231002", SECOND_EXAMPLE])
    done = standardise_identity_numbers(column.slice(2, 3), regions=TEST_REGIONS, today=TODAY)
    assert done.value.to_pylist() == [STANDARD_EXAMPLE, STANDARD_EXAMPLE, SECOND_EXAMPLE]


def test_an_empty_column_stays_empty() -> None:
    assert rows("id_number", []) == []
