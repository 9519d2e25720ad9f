"""Contracts are valid, files are what the contracts say, and the patterns stand where they are recorded."""

import importlib.resources
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet as pq
import pytest

from district.build import MOST_DATASETS, Manifest, participants
from district.person_sets import load_person_sets
from district.plan import plan
from district.things import things
from rules.code_tables import find_code_table
from rules.credit_codes import judge_credit_code
from rules.departments import load_departments
from rules.elements import load_elements
from rules.identity_numbers import kind_of
from rules.regions import load_regions
from tests.district.sources import columns, contracts, key_columns, rows, said


def _standard() -> Any:
    schema = json.loads((importlib.resources.files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)


def test_65_departments_hold_150_data_sets_of_which_12_feed_persons(manifest: Manifest) -> None:
    assert manifest.departments == 65 and len(manifest.datasets) == 150
    assert len({dataset.department for dataset in manifest.datasets if dataset.about_persons}) >= 12


def test_contracts_of_persons_and_of_every_shape_are_valid_by_the_standard(district: Path) -> None:
    standard = _standard()
    by_shape = {re.sub("_[0-9]{4}$", "", c["id"]).split("_")[-1]: c for c in contracts(district)}
    chosen = {c["id"]: c for c in [*by_shape.values(), *(c for c in contracts(district) if c["id"] in load_person_sets())]}
    faults = [(key, error.message) for key, c in chosen.items() for error in standard.iter_errors(c)]
    assert faults == []


def test_every_contract_names_known_departments_elements_and_code_tables(district: Path) -> None:
    for contract in contracts(district):
        assert contract["domain"] in load_departments()
        for column in columns(contract):
            told = said(column.get("customProperties", []))
            assert told.get("element") is None or told["element"] in load_elements()
            assert told.get("codeSystem") is None or find_code_table(told["codeSystem"])


def test_exactly_the_data_sets_about_persons_identify_persons(district: Path, manifest: Manifest) -> None:
    about = {dataset.key: dataset.about_persons for dataset in manifest.datasets}
    for contract in contracts(district):
        elements = [said(column.get("customProperties", [])).get("element") for column in columns(contract)]
        identifies = any(e == "name" or (e and load_elements()[e].identifies_person) for e in elements)
        assert identifies == about[contract["id"]], contract["id"]


def test_every_file_can_be_read_and_its_keys_are_unique(district: Path, manifest: Manifest) -> None:
    made = {dataset.key: dataset for dataset in manifest.datasets}
    for contract in contracts(district):
        found = ["|".join(str(row[column]) for column in key_columns(contract)) for row in rows(district, contract)]
        strays = {key_columns(contract)[0], "合计"}
        keys = [key for key in found if key not in strays]
        assert len(keys) == len(set(keys)) == made[contract["id"]].rows, contract["id"]


def test_the_records_of_the_truth_are_the_keys_of_the_files(district: Path) -> None:
    truth = pq.read_table(district / "truth/records.parquet").to_pylist()
    recorded = {(row["dataset"], row["record"]) for row in truth}
    for contract in contracts(district):
        if contract["id"] in load_person_sets():
            keys = {"|".join(str(row[column]) for column in key_columns(contract)) for row in rows(district, contract)}
            strays = {key_columns(contract)[0], "合计"}
            assert keys - strays == {record for dataset, record in recorded if dataset == contract["id"]}


def test_all_formats_of_the_contract_occur(district: Path) -> None:
    formats = {c["servers"][0].get("format", c["servers"][0]["type"]) for c in contracts(district)}
    assert formats == {"csv", "xlsx", "parquet", "json", "custom"}
    starts = [path.read_bytes()[:3] for path in (district / "sources").rglob("*.csv")]
    assert b"\xef\xbb\xbf" in starts


def _nobodys_number(text: str) -> bool:
    """A placeholder, a word, or a parent's number with something behind it."""
    return len(text) != 18 or len(set(text)) == 1 or text[6:17] == "19000101000"


@pytest.mark.parametrize(
    ("pattern", "element", "shows"),
    [
        ("X-02", "id_number", lambda text: len(text) == 15),
        ("X-03", "id_number", lambda text: text.endswith("000") or "E+" in text),
        ("X-05", "id_number", _nobodys_number),
        ("X-12", "sex", lambda text: text in ("男性", "女性", "M", "F", "男 ", "女 ")),
    ],
)
def test_a_recorded_pattern_stands_in_its_cell(district: Path, pattern: str, element: str, shows: Any) -> None:
    marks = [m for m in pq.read_table(district / "truth/patterns.parquet").to_pylist() if m["pattern"] == pattern and m["record"] != "*"]
    checked = 0
    for contract in contracts(district):
        column = next((c for c in columns(contract) if said(c.get("customProperties", [])).get("element") == element), None)
        here = {m["record"] for m in marks if column and m["dataset"] == contract["id"] and m["column"] == column["name"]}
        for row in rows(district, contract) if column and here else []:
            if column and "|".join(str(row[key]) for key in key_columns(contract)) in here:
                assert shows(row[column["physicalName"]]), contract["id"]
                checked += 1
    assert checked


def test_enterprises_have_valid_credit_codes_and_the_same_ones_in_different_departments(district: Path) -> None:
    held = {c["id"]: rows(district, c) for c in contracts(district) if "_enterprises_" in c["id"]}
    codes = {}
    for key, found in held.items():
        header = next(iter(found[0]))
        codes[key] = {row[header] for row in found}
        assert all(judge_credit_code(code or "").fault is None for code in codes[key])
    market, tax = (next(v for k, v in codes.items() if k.startswith(d)) for d in ("market", "tax"))
    assert len(market & tax) > 10


def test_a_district_can_have_as_many_tables_as_nanhai() -> None:
    tables = things(plan(20_000, 1), participants(65), MOST_DATASETS - len(load_person_sets()))
    assert len({table.key for table in tables}) == len({(table.department, table.title) for table in tables}) == len(tables)
    assert sum(len(table.columns) for table in tables) > 11_000


def test_the_test_register_holds_every_citizens_region_and_no_assigned_code(district: Path) -> None:
    lines = (district / "areas/test_regions.csv").read_text(encoding="utf-8").splitlines()[1:]
    tests = dict(line.split(",") for line in lines)
    register = load_regions().with_codes(tests)
    numbers = [row["id_number"] for row in pq.read_table(district / "truth/residents.parquet", columns=["id_number"]).to_pylist()]
    assert all(n[:6] in register.county_codes() for n in numbers if n and kind_of(n) == "citizen")
