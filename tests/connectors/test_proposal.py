"""The proposed contract: right for nearly all columns of the district whose headers nobody has listed, and fit to be registered."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from catalog.contracts.draft import draft
from catalog.datasets import Dataset, load_dataset
from catalog.registration import register
from connectors.element_evidence import is_listed
from connectors.proposal import Proposal, propose
from district.build import build
from tests.connectors.conftest import NOW, Bench, people

Write = Callable[[str, bytes], Path]
LEAST_RIGHT = 0.95
LEAST_KEYS_RIGHT = 0.95


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Dataset, Proposal]]:
    """Every kind of table of a small district once, with what is proposed for it."""
    out = tmp_path_factory.mktemp("district")
    build(out, residents=600, seed=11)
    datasets: dict[tuple[str, ...], Dataset] = {}
    for file in sorted((out / "contracts").glob("*.yaml")):
        dataset = draft(file).dataset
        assert dataset is not None, file.name
        datasets.setdefault(tuple(column.physical_name for column in dataset.columns), dataset)
    return [(dataset, propose(dataset.server)) for dataset in datasets.values()]


def test_columns_with_headers_that_the_element_list_does_not_hold_are_right(district: list[tuple[Dataset, Proposal]]) -> None:
    right, wrong = 0, []
    for dataset, proposal in district:
        proposed = {column.header: column.element for column in proposal.columns}
        for column in dataset.columns:
            if is_listed(column.physical_name):
                continue
            if proposed.get(column.physical_name) == column.element:
                right += 1
            else:
                wrong.append((dataset.key, column.physical_name, column.element, proposed.get(column.physical_name)))
    assert right >= 100
    assert right >= LEAST_RIGHT * (right + len(wrong)), wrong


def test_keys_are_found(district: list[tuple[Dataset, Proposal]]) -> None:
    wrong = [
        (dataset.key, keys, found)
        for dataset, proposal in district
        if (keys := [c.physical_name for c in dataset.key_columns]) != (found := [c.header for c in proposal.columns if c.primary_key])
    ]
    assert len(wrong) <= (1 - LEAST_KEYS_RIGHT) * len(district), wrong


HOLDOUT = {
    "受助学生全名": ("name", ["欧阳小丽", "梁伟强", "黄志明", "陈秀英", "何家豪", "冼玉珍", "区少雄", "麦志坚"]),
    "受助学生居民身份证件号码": ("id_number", ["11010519491231002X", "440524188001010014"] * 4),
    "出生年月日期": ("birth_date", ["1990.01.02", "1985.12.30", "2001.05.06", "1977.08.09"] * 2),
    "现在居住的地址": ("residence_address", [f"佛山市南海区桂城街道南海大道北{i}号3栋50{i}房" for i in range(1, 9)]),
    "户籍所在详细地址": ("hukou_address", [f"广东省肇庆市端州区城西街道端州五路{i}号" for i in range(1, 9)]),
    "可联系手机": ("phone", [f"1380000123{i}" for i in range(8)]),
    "父亲身份证件号": ("father_id_number", ["440524188001010014", ""] * 4),
    "婚姻状况（登记）": ("marital_status", ["未婚", "已婚", "离婚", "丧偶"] * 2),
    "最终学历": ("education", ["大学本科", "高中", "小学", "初中"] * 2),
    "民族成分名称": ("ethnicity", ["汉族", "壮族", "汉族", "瑶族"] * 2),
    "办公室内部代号": (None, ["甲", "乙", "丙", "丁"] * 2),
}


def test_headers_that_neither_list_nor_district_hold_are_understood(write: Write) -> None:
    """Written down before the rules were tried on them."""
    rows = [["资助流水", *HOLDOUT], *([f"ZZ{i:04d}", *(values[i] for _, values in HOLDOUT.values())] for i in range(8))]
    proposal = propose(write("t.csv", "\n".join(",".join(row) for row in rows).encode("gb18030")))
    found = {column.header: column.element for column in proposal.columns}
    wrong = {header: (element, found[header]) for header, (element, _) in HOLDOUT.items() if found[header] != element}
    assert len(wrong) <= 1, wrong
    assert [column.header for column in proposal.columns if column.primary_key] == ["资助流水"]


def test_what_was_found_by_looking_stands_in_the_draft(write: Write) -> None:
    text = "南海区困难学生资助名册\n编号;姓名;身份证号\n1;张三;11010519491231002X\n2;李四;\n"
    proposal = propose(write("t.txt", text.encode("gb18030")), key="pupils", domain="education")
    assert (proposal.encoding, proposal.delimiter, proposal.header_row, proposal.rows) == ("gb18030", ";", 2, 2)
    document = yaml.safe_load(proposal.contract)
    assert (document["id"], document["domain"], document["name"]) == ("pupils", "education", "南海区困难学生资助名册")
    levels = {
        p["name"]: {c["property"]: c["value"] for c in p["customProperties"]}.get("level") for p in document["schema"][0]["properties"]
    }
    assert levels["id_number"] == "L3" and levels["name"] == "L2"


def test_evidence_and_draft_hold_no_value_of_a_row(write: Write) -> None:
    proposal = propose(write("t.csv", people(30).replace("张三", "龚瑞祥").encode()))
    assert "龚" not in proposal.contract and not any("龚" in column.evidence or "1380000" in column.evidence for column in proposal.columns)


def test_a_draft_can_be_registered_and_its_file_brought_in_as_it_is(bench: Bench) -> None:
    bench.write("people", people(30))
    proposal = propose(bench.folder / "people.csv", key="people", domain="公安局")
    path = bench.folder / "people.yaml"
    path.write_text(proposal.contract, encoding="utf-8")
    assert not register(bench.store, [path], now=NOW).refused
    with bench.store.session() as session:
        outcome = bench.ingest(load_dataset(session, "people"))
    assert (outcome.state, outcome.rows) == ("accepted", 30)


def test_a_code_table_of_another_edition_is_named(write: Write) -> None:
    lines = [f"{i},姓名{i},{code}" for i, code in enumerate(["90", "50", "20", "60", "70", "80", "10", "30"] * 3)]
    proposal = propose(write("t.csv", ("编号,姓名,文化程度\n" + "\n".join(lines) + "\n").encode()))
    assert {c.header: c.code_system for c in proposal.columns}["文化程度"] == "GB/T 4658-1984"
