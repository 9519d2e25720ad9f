"""Splink's models of the benchmark: those of its documented examples for the public data, and two for Chinese residents."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import SettingsCreator, block_on


@dataclass(frozen=True, kw_only=True)
class Model:
    """Settings and training. `certain`: rules whose pairs are matches, with the share of all matches that they find; `em`: blocking rules
    of the sessions of expectation maximisation; `table`: SQL that makes the input from the relation `rows`; `threshold`: match
    probability from which records are joined."""

    settings: SettingsCreator
    certain: Sequence[str]
    recall: float
    em: Sequence[Sequence[str]]
    u_pairs: float
    table: str = "SELECT * FROM rows"
    threshold: float = 0.95


def _settings(comparisons: list, blocking: Sequence[Sequence[str]], link_type: str = "dedupe_only") -> SettingsCreator:
    return SettingsCreator(
        link_type=link_type,
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=[block_on(*keys) for keys in blocking],
        retain_matching_columns=False,
        retain_intermediate_calculation_columns=False,
    )


def _historical() -> Model:
    """The documented example "deduplicate 50k rows historical persons"."""
    comparisons = [
        cl.ForenameSurnameComparison("first_name", "surname", forename_surname_concat_col_name="first_name_surname_concat"),
        cl.DateOfBirthComparison("dob", input_is_string=True, datetime_metrics=["year", "month", "year"], datetime_thresholds=[1, 1, 10]),
        cl.PostcodeComparison("postcode_fake"),
        cl.ExactMatch("birth_place").configure(term_frequency_adjustments=True),
        cl.ExactMatch("occupation").configure(term_frequency_adjustments=True),
    ]
    blocking = [
        ("first_name", "surname"),
        ("surname", "dob"),
        ("first_name", "dob"),
        ("postcode_fake", "first_name"),
        ("postcode_fake", "surname"),
        ("dob", "birth_place"),
        ("substr(postcode_fake,1,3)", "dob"),
        ("substr(postcode_fake,1,3)", "first_name"),
        ("substr(postcode_fake,1,3)", "surname"),
        ("substr(first_name,1,2)", "substr(surname,1,2)", "substr(dob,1,4)"),
    ]
    return Model(
        settings=_settings(comparisons, blocking),
        certain=[
            "l.first_name = r.first_name and l.surname = r.surname and l.dob = r.dob",
            "substr(l.first_name,1,2) = substr(r.first_name,1,2) and l.surname = r.surname"
            " and substr(l.postcode_fake,1,2) = substr(r.postcode_fake,1,2)",
            "l.dob = r.dob and l.postcode_fake = r.postcode_fake",
        ],
        recall=0.6,
        em=[("first_name", "surname"), ("dob",)],
        u_pairs=5e6,
        table="SELECT *, first_name || ' ' || surname AS first_name_surname_concat FROM rows",
    )


def _febrl4() -> Model:
    """The documented example "linking the febrl4 dataset": dates as ISO 8601, the two tables linked only."""
    comparisons = [
        cl.NameComparison("given_name"),
        cl.NameComparison("surname"),
        cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d"),
        cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2]),
        cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
        cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
    ]
    blocking = [
        ("given_name", "surname"),
        ("surname", "date_of_birth"),
        ("given_name", "date_of_birth"),
        ("soc_sec_id",),
        ("state", "address_1"),
        ("street_number", "address_1"),
        ("postcode", "address_2"),
        ("suburb", "street_number"),
    ]
    return Model(
        settings=_settings(comparisons, blocking, "link_only"),
        certain=[
            "l.soc_sec_id = r.soc_sec_id",
            "l.given_name = r.given_name and l.surname = r.surname and l.date_of_birth = r.date_of_birth",
        ],
        recall=0.8,
        em=[("date_of_birth",), ("postcode",)],
        u_pairs=1e6,
    )


NARROW = (("id_number",), ("name", "birth_date"), ("phone",))
WIDE = (("id_number",), ("phone",), ("name", "substr(birth_date,1,4)"), ("birth_date", "substr(name,1,1)"), ("address",))
"""Blocking of the residents of three sources."""


def _documented_levels() -> list:
    """As the documentation advises for numbers, names and dates; Jaro–Winkler holds all addresses of one street for alike."""
    return [
        cl.DamerauLevenshteinAtThresholds("id_number", [1, 2]),
        cl.NameComparison("name"),
        cl.DateOfBirthComparison("birth_date", input_is_string=True),
        cl.ExactMatch("sex"),
        cl.DamerauLevenshteinAtThresholds("phone", [1, 2]).configure(term_frequency_adjustments=True),
        cl.ExactMatch("address").configure(term_frequency_adjustments=True),
    ]


def _hamming(column: str, most: Sequence[int], frequency: bool = False) -> cl.CustomComparison:
    """Levels by differing characters of equally long values; a CASE, because `hamming` refuses values of different length."""
    alike = [
        cll.CustomLevel(
            f"CASE WHEN length({column}_l) = length({column}_r) THEN hamming({column}_l, {column}_r) <= {n} ELSE false END",
            label_for_charts=f"{n} differ",
        )
        for n in most
    ]
    exact = cll.ExactMatchLevel(column, term_frequency_adjustments=frequency)
    return cl.CustomComparison([cll.NullLevel(column), exact, *alike, cll.ElseLevel()], output_column_name=column)


def _hamming_levels() -> list:
    return [
        _hamming("id_number", [1, 2]),
        _hamming("name", [1], frequency=True),
        _hamming("birth_date", [1, 2]),
        cl.ExactMatch("sex"),
        _hamming("phone", [1, 2], frequency=True),
        cl.ExactMatch("address").configure(term_frequency_adjustments=True),
    ]


def _residents(levels: Callable[[], list], blocking: Sequence[Sequence[str]]) -> Model:
    return Model(
        settings=_settings(levels(), blocking),
        certain=["l.id_number = r.id_number", "l.name = r.name and l.birth_date = r.birth_date and l.phone = r.phone"],
        recall=0.75,
        em=[("id_number",), ("name", "birth_date")],
        u_pairs=5e6,
    )


MODELS: MappingProxyType[str, Callable[[], Model]] = MappingProxyType(
    {
        "historical_50k": _historical,
        "febrl4": _febrl4,
        "documented": lambda: _residents(_documented_levels, WIDE),
        "hamming": lambda: _residents(_hamming_levels, WIDE),
        "district": lambda: _residents(_documented_levels, (*WIDE, ("name", "address"))),
        "documented_narrow": lambda: _residents(_documented_levels, NARROW),
        "hamming_narrow": lambda: _residents(_hamming_levels, NARROW),
    }
)
