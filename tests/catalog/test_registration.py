"""Registration: what is taken, what is refused, and what happens the second time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from catalog.datasets import load_contracts, load_dataset, load_datasets
from catalog.registration import RegistrationReport, register
from catalog.schema import ContractRow, DatasetColumnRow, DatasetRow, DepartmentRow
from catalog.store import Store
from rules.elements import load_elements
from rules.errors import NotFound
from tests.catalog.contracts import Document, changed, column, columns_of, custom, good_contract, write

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def warnings_of(report: RegistrationReport) -> list[str]:
    return [warning.code for warning in report.warnings]


def test_a_good_contract_becomes_a_data_set(store: Store, tmp_path: Path) -> None:
    document = good_contract(
        domain="公安局",
        customProperties=custom(
            share="unconditional", updateFrequency="每日", verified=True, sourceOfRecord=["name"], abstract="户籍人口基本信息"
        ),
    )
    report = register(store, [write(tmp_path, document)], now=NOW)
    with store.session() as session:
        dataset = load_dataset(session, "police_hukou")
    assert report.registered == ("police_hukou",) and not report.refused
    assert (dataset.title, dataset.department, dataset.authority, dataset.contract_version) == ("户籍人口", "police", "police", 1)
    assert (dataset.share, dataset.update_frequency, dataset.verified, dataset.about_persons) == ("unconditional", "每日", True, True)
    assert dataset.source_of_record == {"name"} and dataset.items["abstract"] == "户籍人口基本信息"
    assert (dataset.server.type, dataset.server.path, dataset.server.format) == ("local", "hukou.csv", "csv")
    assert dataset.server.base == str(tmp_path)
    assert [(c.name, c.physical_name, c.element, c.primary_key) for c in dataset.columns] == [
        ("pid", "身份证号", "id_number", True),
        ("xm", "姓名", "name", False),
        ("xb", "性别", "sex", False),
    ]


def test_the_good_contracts_are_registered_and_nothing_of_the_faulty_one(store: Store, tmp_path: Path) -> None:
    write(tmp_path, good_contract(id="good_one"))
    write(tmp_path, good_contract(id="good_two", domain="health"))
    write(tmp_path, good_contract(id="bad_one", domain="nowhere", version=1))
    report = register(store, [tmp_path], now=NOW)
    assert report.registered == ("good_one", "good_two")
    assert [(fault.code, Path(fault.file).name) for fault in report.refused] == [("CON-STANDARD-TYPE", "bad_one.yaml")]
    with store.session() as session:
        assert [dataset.key for dataset in load_datasets(session)] == ["good_one", "good_two"]
        assert sorted(session.scalars(sa.select(DepartmentRow.key))) == ["health", "police"]


def test_the_same_contract_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, good_contract())
    register(store, [path], now=NOW)
    path.write_text("# a comment, and no other change\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    report = register(store, [path], now=LATER)
    assert (report.registered, report.unchanged) == ((), ("police_hukou",))
    with store.session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ContractRow)) == 1
        assert session.get_one(DatasetRow, "police_hukou").changed_at == NOW


def test_a_changed_contract_is_the_next_version(store: Store, tmp_path: Path) -> None:
    register(store, [write(tmp_path, good_contract())], now=NOW)
    document = changed(lambda d: columns_of(d).append(column("mz", "民族", element="ethnicity")))
    report = register(store, [write(tmp_path, document)], now=LATER)
    with store.session() as session:
        dataset, contracts = load_dataset(session, "police_hukou"), load_contracts(session, "police_hukou")
        registered_at = session.get_one(DatasetRow, "police_hukou").registered_at
    assert report.registered == ("police_hukou",)
    assert (dataset.contract_version, [c.name for c in dataset.columns]) == (2, ["pid", "xm", "xb", "mz"])
    assert [(c.version, c.registered_at, "民族" in c.text) for c in contracts] == [(1, NOW, False), (2, LATER, True)]
    assert registered_at == NOW


def test_columns_that_a_new_version_drops_are_gone(store: Store, tmp_path: Path) -> None:
    register(store, [write(tmp_path, good_contract())], now=NOW)
    register(store, [write(tmp_path, changed(lambda d: columns_of(d).pop()))], now=LATER)
    with store.session() as session:
        assert session.scalars(sa.select(DatasetColumnRow.name).order_by(DatasetColumnRow.position)).all() == ["pid", "xm"]


def test_a_refused_change_leaves_the_registered_version(store: Store, tmp_path: Path) -> None:
    register(store, [write(tmp_path, good_contract())], now=NOW)
    report = register(store, [write(tmp_path, good_contract(name="新名称", version=2))], now=LATER)
    with store.session() as session:
        dataset = load_dataset(session, "police_hukou")
    assert report.refused and (dataset.title, dataset.contract_version) == ("户籍人口", 1)


def test_a_contract_that_moved_to_another_folder_is_read_there_from_now_on(store: Store, tmp_path: Path) -> None:
    register(store, [write(tmp_path / "old", good_contract())], now=NOW)
    report = register(store, [write(tmp_path / "new", good_contract())], now=LATER)
    with store.session() as session:
        dataset = load_dataset(session, "police_hukou")
    assert (report.unchanged, warnings_of(report)) == (("police_hukou",), ["CON-REFRESHED"])
    assert (dataset.server.base, dataset.contract_version) == (str(tmp_path / "new"), 1)


def test_one_id_in_two_files_refuses_both(store: Store, tmp_path: Path) -> None:
    first, second = write(tmp_path, good_contract(), "a.yaml"), write(tmp_path, good_contract(name="另一个"), "b.yaml")
    third = write(tmp_path, good_contract(id="other"))
    report = register(store, [first, second, third], now=NOW)
    assert [(fault.code, Path(fault.file).name, fault.pointer) for fault in report.refused] == [
        ("CON-ID-TWICE", "a.yaml", "/id"),
        ("CON-ID-TWICE", "b.yaml", "/id"),
    ]
    assert report.registered == ("other",)


def test_a_file_named_twice_is_read_once(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, good_contract())
    assert register(store, [path, tmp_path, path], now=NOW).registered == ("police_hukou",)


def test_an_unknown_domain_becomes_a_department(store: Store, tmp_path: Path) -> None:
    documents = [
        good_contract(id="a", domain="镇志办"),
        good_contract(
            id="b", domain="zz_office", customProperties=custom(share="unconditional", updateFrequency="每年", departmentTitle="某某办公室")
        ),
    ]
    register(store, [write(tmp_path, document) for document in documents], now=NOW)
    with store.session() as session:
        rows = session.execute(sa.select(DepartmentRow.key, DepartmentRow.title).order_by(DepartmentRow.key)).all()
    assert sorted(tuple(row) for row in rows) == [("zz_office", "某某办公室"), ("镇志办", "镇志办")]


def test_a_station_is_a_department_of_its_own_under_its_bureaus_authority(store: Store, tmp_path: Path) -> None:
    register(store, [write(tmp_path, good_contract(domain="nanhai_gongan_guicheng"))], now=NOW)
    with store.session() as session:
        dataset = load_dataset(session, "police_hukou")
    assert (dataset.department, dataset.authority) == ("nanhai_gongan_guicheng", "police")


def test_what_is_optional_and_missing_is_filled_in_with_a_warning(store: Store, tmp_path: Path) -> None:
    def bare(document: Document) -> None:
        for key in ("customProperties", "name"):
            document.pop(key)
        columns_of(document)[1]["customProperties"] = custom(element="name")
        columns_of(document)[2] = {"name": "remark"}

    report = register(store, [write(tmp_path, changed(bare))], now=NOW)
    with store.session() as session:
        dataset = load_dataset(session, "police_hukou")
    assert sorted(warnings_of(report)) == ["CON-DEFAULT"] * 4 + ["CON-DEFAULT-LEVEL"]
    assert (dataset.title, dataset.share, dataset.update_frequency) == ("police_hukou", "conditional", "每年")
    assert dataset.items["shareConditions"]
    assert [(c.level, c.share, c.physical_name, c.logical_type) for c in dataset.columns[1:]] == [
        (load_elements()["name"].level, "conditional", "姓名", "string"),
        ("L3", "conditional", "remark", "string"),
    ]


def terms(**more: Any) -> Callable[[Document], object]:
    return lambda document: document["customProperties"].extend(custom(**more))


def third_column(**more: Any) -> Callable[[Document], object]:
    return lambda document: columns_of(document)[2].update(customProperties=custom(**more))


WARNINGS: dict[str, tuple[Callable[[Document], object], str]] = {
    "a property that is misspelt": (terms(shareCondition="x"), "CON-TERM-UNKNOWN"),
    "a second server": (lambda d: d["servers"].append(d["servers"][0] | {"server": "b"}), "CON-SERVER-MORE"),
    "one header for two columns": (lambda d: columns_of(d).append(column("xm2", "姓名")), "CON-HEADER-TWICE"),
    "one element for two columns": (lambda d: columns_of(d).append(column("xm2", "曾用名", element="name")), "CON-ELEMENT-TWICE"),
    "a level below the element's": (third_column(element="phone", level="L1"), "CON-LEVEL-LOWER"),
    "a nested column": (lambda d: columns_of(d)[2].update(logicalType="object"), "CON-COLUMN-NESTED"),
    "a code table where nothing is coded": (
        third_column(element="phone", level="L3", codeSystem="GB/T 4658-2006"),
        "CON-CODE-SYSTEM-UNUSED",
    ),
    "source of record of what it does not hold": (terms(sourceOfRecord=["phone"]), "CON-SOURCE-OF-RECORD"),
    "open without conditions": (terms(open=True), "CON-OPEN-CONDITIONS"),
    "a type of another format class": (terms(formatClass="电子表格", formatType="pdf"), "CON-FORMAT-TYPE"),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_what_is_only_odd_is_registered_with_a_warning(name: str, store: Store, tmp_path: Path) -> None:
    change, code = WARNINGS[name]
    report = register(store, [write(tmp_path, changed(change))], now=NOW)
    assert (report.registered, warnings_of(report)) == (("police_hukou",), [code])


def test_another_department_taking_over_is_told(store: Store, tmp_path: Path) -> None:
    register(store, [write(tmp_path, good_contract())], now=NOW)
    report = register(store, [write(tmp_path, good_contract(domain="health"))], now=LATER)
    assert warnings_of(report) == ["CON-DEPARTMENT-MOVED"]


def test_a_folder_without_contracts_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert [fault.code for fault in register(store, [tmp_path / "empty"], now=NOW).refused] == ["CON-FOLDER"]


def test_contracts_in_folders_within_folders_are_found(store: Store, tmp_path: Path) -> None:
    write(tmp_path / "police" / "household", good_contract(), "contract.yml")
    write(tmp_path / "health", good_contract(id="births", domain="health"))
    write(tmp_path, good_contract(id="hidden"), ".hidden.yaml")
    assert register(store, [tmp_path], now=NOW).registered == ("births", "police_hukou")


@pytest.mark.parametrize("version", ["v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0"])
def test_every_version_of_the_standard_from_3_0_to_3_2_is_taken(version: str, store: Store, tmp_path: Path) -> None:
    assert register(store, [write(tmp_path, good_contract(apiVersion=version))], now=NOW).registered == ("police_hukou",)


def test_the_record_key_keeps_its_declared_order(store: Store, tmp_path: Path) -> None:
    def keyed(document: Document) -> None:
        columns_of(document)[0].update(primaryKey=True, primaryKeyPosition=2)
        columns_of(document)[2].update(primaryKey=True, primaryKeyPosition=1)

    register(store, [write(tmp_path, changed(keyed))], now=NOW)
    with store.session() as session:
        assert [c.name for c in load_dataset(session, "police_hukou").key_columns] == ["xb", "pid"]


def test_a_data_set_about_no_person_says_so(store: Store, tmp_path: Path) -> None:
    def houses(document: Document) -> None:
        document["schema"][0]["properties"] = [
            {**column("no", "编号"), "primaryKey": True},
            column("dz", "地址", element="residence_address"),
        ]

    register(store, [write(tmp_path, changed(houses))], now=NOW)
    with store.session() as session:
        assert not load_dataset(session, "police_hukou").about_persons


def test_unknown_data_sets_are_named(store: Store) -> None:
    with store.session() as session, pytest.raises(NotFound, match=r"CAT-DATASET.*\[no_such, nor_this\]"):
        load_datasets(session, ["nor_this", "no_such"])
