"""Entries as content: the checks that reviewers make (C-15), what a change breaks (L-28), and how the store keeps them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from catalog.datasets import load_dataset
from catalog.entries.attaching import report_of, resource_of, settle_resources
from catalog.entries.changes import breaches, differences
from catalog.entries.checks import Surroundings, faults_of
from catalog.entries.content import EntryColumn, EntryContent, as_record, from_record
from catalog.entries.drafting import draft_of
from catalog.entries.shelf import add_entries, catalogue_version, list_entries, load_entry, surroundings, versions_of
from catalog.entries.states import ResourceState, State
from catalog.registration import register
from catalog.schema import EntryRow, SnapshotRow
from catalog.store import Store
from catalog.terms import SHARES
from rules.citations import QUALIFYING, Citation, Kind, kind_of, read_citation
from rules.classification import load_classification
from rules.departments import load_departments
from rules.errors import NotFound, load_error_texts
from tests.catalog.contracts import changed, column, columns_of, custom, good_contract, write
from tests.catalog.entries import COLUMNS, good_entry, with_column, without_column

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
AROUND = Surroundings(
    titles={"户籍人口": "307001/000001"}, codes=frozenset({"307001/000001"}), departments=frozenset({"civil_affairs", "police"})
)
PIPL = Citation(kind=Kind.LAW, title="中华人民共和国个人信息保护法", article="第二十八条")


def codes(content: EntryContent) -> set[str]:
    return {fault.code for fault in faults_of(content, AROUND)}


def test_a_good_entry_has_no_fault() -> None:
    assert faults_of(good_entry(), AROUND) == []


FAULTY: list[tuple[str, EntryContent]] = [
    ("ENT-TEXT", good_entry(items={"abstract": "长" * 2_001})),
    ("ENT-TEXT", good_entry(title="婚姻\x00登记")),
    ("ENT-TEXT", with_column(good_entry(), "man_id", title="\ud800")),
    ("ENT-TEXT", good_entry(columns=tuple(EntryColumn(name=f"c{n}", title=f"列{n}", data_type="C") for n in range(2_001)))),
    ("ENT-TITLE", good_entry(title="　")),
    ("ENT-TITLE-SYSTEM", good_entry(title="婚姻登记系统")),
    ("ENT-TITLE-SYSTEM", good_entry(items={"systemName": "婚姻登记信息"})),
    ("ENT-TITLE-TWICE", good_entry(title="户籍 人口。")),
    ("ENT-CATEGORY", good_entry(category="407005")),
    ("ENT-CATEGORY", good_entry(category="30701")),
    ("ENT-NEEDED", good_entry(items={"abstract": None})),
    ("ENT-NEEDED", good_entry(items={"useConditions": None})),
    ("ENT-NEEDED", good_entry(items={"grade": ""})),
    ("ENT-ITEM", good_entry(items={"colour": "red"})),
    ("ENT-VALUE", good_entry(items={"recordCount": "约3万条"})),
    ("ENT-VALUE", good_entry(items={"updateFrequency": "每五年"})),
    ("ENT-PROVIDER", good_entry(department="nobody")),
    ("ENT-CREDIT-CODE", good_entry(items={"creditCode": "11440605MB2C9A001"})),
    ("ENT-DEPARTMENT", good_entry(items={"knownTo": ["nobody"]})),
    ("ENT-FORMAT-TYPE", good_entry(items={"formatType": "xlsx"})),
    ("ENT-SHARE-MODE", good_entry(items={"formatClass": "电子表格", "formatType": "xlsx"})),
    ("ENT-SHARE-MODE", good_entry(items={"shareMode": "文件下载交换"})),
    ("ENT-CONDITIONS", good_entry(items={"usePurpose": None})),
    ("ENT-CONDITIONS", good_entry(items={"shareConditions": None})),
    ("ENT-NO-SHARE-REASON", with_column(good_entry(), "man_id", share="none", citation=PIPL)),
    ("ENT-LEGAL-BASIS", with_column(good_entry(), "man_id", share="none", no_share_reason="敏感")),
    ("ENT-LEGAL-ARTICLE", with_column(good_entry(), "man_id", share="none", no_share_reason="敏感", citation=replace(PIPL, article=""))),
    ("ENT-OPEN", good_entry(items={"open": True})),
    ("ENT-OPEN", with_column(good_entry(), "registered_on", open=True)),
    ("ENT-DECLARATION", good_entry(items={"notSecret": None})),
    ("ENT-DECLARATION", good_entry(items={"notSecret": False})),
    ("ENT-SECRET", with_column(good_entry(), "man_id", secret=True)),
    ("ENT-ASSESSMENT", good_entry(items={"secrecyAssessment": None})),
    ("ENT-ASSESSMENT", good_entry(items={"privacyAssessment": None})),
    ("ENT-RETURNED", good_entry(items={"returned": True})),
    ("ENT-RELATED", good_entry(items={"relatedResources": ["307009/000009"]})),
    ("ENT-COLUMNS", good_entry(columns=())),
    ("ENT-COLUMN-NAME", with_column(good_entry(), "man_id", title="")),
    ("ENT-COLUMN-TWICE", with_column(good_entry(), "man_id", name="Certificate_No")),
    ("ENT-COLUMN-TYPE", with_column(good_entry(), "man_id", data_type="varchar")),
    ("ENT-COLUMN-VALUE", with_column(good_entry(), "man_id", share="maybe")),
    ("ENT-COLUMN-VALUE", with_column(good_entry(), "man_id", level="L9")),
    ("ENT-COLUMN-VALUE", with_column(good_entry(), "man_id", update_frequency="偶尔")),
    ("ENT-COLUMN-LENGTH", with_column(good_entry(), "man_id", length=15)),
    ("ENT-ELEMENT", with_column(good_entry(), "man_id", element="shoe_size")),
]


@pytest.mark.parametrize(("code", "content"), FAULTY)
def test_each_fault_is_found_alone(code: str, content: EntryContent) -> None:
    """C-15, L-01, L-07, L-08, L-10, L-22."""
    assert codes(content) == {code}


def test_every_fault_of_the_catalogue_is_provoked_by_a_test() -> None:
    known = {code for code in load_error_texts() if code.startswith("ENT-")}
    assert known - {code for code, _ in FAULTY} == {"ENT-LEGAL-KIND"}


def test_all_faults_are_told_at_once_in_chinese() -> None:
    content = with_column(good_entry(title="婚姻系统", items={"abstract": None, "notSecret": None}), "man_id", length=15)
    found = faults_of(content, AROUND)
    assert [(fault.code, fault.place) for fault in found] == [
        ("ENT-TITLE-SYSTEM", "title"),
        ("ENT-NEEDED", "items.abstract"),
        ("ENT-DECLARATION", "items.notSecret"),
        ("ENT-COLUMN-LENGTH", "columns.man_id.length"),
    ]
    assert "信息资源摘要" in str(found[1]) and "缺少必填项" in str(found[1])


@pytest.mark.parametrize("kind", Kind)
def test_only_three_kinds_of_text_can_forbid_sharing(kind: Kind) -> None:
    """L-10, TX-04: of a kind that counts and with a title that does not belie it."""
    citation = Citation(kind=kind, title="关于数据的若干事项", article="第三条")
    content = with_column(good_entry(), "man_id", share="none", no_share_reason="敏感", citation=citation)
    assert codes(content) == (set() if kind in {"law", "regulation", "decision"} else {"ENT-LEGAL-KIND"})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("《中华人民共和国个人信息保护法》第二十八条", Kind.LAW),
        ("《居住证暂行条例》（国务院令第663号）第三条", Kind.REGULATION),
        ("《风景名胜区条例》第一条", Kind.REGULATION),
        ("《国务院关于加快推进政务服务的决定》", Kind.DECISION),
        ("《广东省公共数据管理办法》第五条", Kind.LOCAL_RULE),
        ("《上海市数据条例》第一条", Kind.LOCAL_REGULATION),
        ("《信息安全等级保护管理办法》", Kind.DEPARTMENT_RULE),
        ("《关于加强共享的通知》（穗府规〔2016〕3号）", Kind.NOTICE),
        ("内部要求", Kind.UNKNOWN),
    ],
)
def test_the_kind_of_a_text_is_known_by_its_title(text: str, kind: Kind) -> None:
    assert read_citation(text).kind is kind


def test_a_notice_that_is_called_a_law_does_not_count() -> None:
    cited = Citation(kind=Kind.LAW, title="关于暂缓数据共享的通知", article="第一条")
    assert cited.kind in QUALIFYING and not cited.qualifies and kind_of(cited.title) is Kind.NOTICE


def test_a_citation_has_its_number_and_article() -> None:
    cited = read_citation("《居住证暂行条例》（国务院令第663号）第三条第二款")
    assert (cited.title, cited.number, cited.article) == ("居住证暂行条例", "国务院令第663号", "第三条第二款")


def test_each_department_has_a_place_of_its_own_among_the_classes() -> None:
    """C-19: city and district entries start with 307."""
    places = load_classification().departments
    assert set(places) == set(load_departments()) and len(set(places.values())) == len(places)
    assert load_classification().category_of("civil_affairs") == "307005"
    assert load_classification().title("203005") == "主题信息资源 / 社会保障"


def test_content_is_kept_word_for_word() -> None:
    content = with_column(good_entry(), "man_id", share="none", no_share_reason="敏感", citation=PIPL, open=False)
    assert from_record(as_record(content)) == content


def test_the_entry_has_the_strictest_share_and_the_highest_level_of_its_columns() -> None:
    """C-14, G-03."""
    assert (good_entry().share, good_entry().level) == ("conditional", "L3")
    stricter = with_column(good_entry(), "registered_on", share="none", level="L4")
    assert (stricter.share, stricter.level) == ("none", "L4")


def test_a_difference_names_each_item_before_and_after() -> None:
    old = good_entry()
    new = without_column(with_column(good_entry(items={"abstract": "新的摘要"}), "man_id", level="L4"), "registered_on")
    assert [(d.place, d.before, d.after) for d in differences(old, new)] == [
        ("items.abstract", "婚姻登记的基本信息", "新的摘要"),
        ("columns.man_id.level", "L3", "L4"),
        ("columns.registered_on.title", "登记日期", None),
        ("columns.registered_on.data_type", "D", None),
        ("columns.registered_on.level", "L2", None),
        ("columns.registered_on.share", "unconditional", None),
    ]


BREAKING: list[tuple[str, EntryContent, str]] = [
    ("gone", without_column(good_entry(), "man_id"), "man_id"),
    ("narrower", with_column(good_entry(), "registered_on", share="conditional"), "registered_on"),
    ("conditions", with_column(good_entry(), "man_id", share_conditions="另须书面同意"), "man_id"),
    ("conditions", good_entry(items={"shareConditions": "另须书面同意"}), "man_id"),
    ("conditions", good_entry(items={"usePurpose": "仅限统计"}), ""),
    ("type", with_column(good_entry(), "registered_on", data_type="C"), "registered_on"),
    ("slower", with_column(good_entry(), "registered_on", update_frequency="每年"), "registered_on"),
    ("slower", good_entry(items={"updateFrequency": "每月"}), ""),
]


@pytest.mark.parametrize(("kind", "after", "column_name"), BREAKING)
def test_what_users_lose_is_a_breach(kind: str, after: EntryContent, column_name: str) -> None:
    """L-28, L-11."""
    assert [(b.kind, b.column) for b in breaches(good_entry(), after)] == [(kind, column_name)]


def test_what_users_gain_is_none() -> None:
    more = EntryColumn(name="woman_id", title="女方身份证", data_type="C")
    wider = with_column(good_entry(columns=(*COLUMNS, more), items={"updateFrequency": "实时"}), "man_id", share="unconditional")
    assert breaches(good_entry(), wider) == []


attributes = st.tuples(st.sampled_from(SHARES), st.sampled_from("CDN"))
tables = st.dictionaries(st.sampled_from("abcd"), attributes)


def entry_of(table: dict[str, tuple[str, str]]) -> EntryContent:
    return good_entry(columns=tuple(EntryColumn(name=n, title=n, data_type=kind, share=share) for n, (share, kind) in table.items()))


@given(tables, tables)
def test_breaches_are_those_that_a_reader_finds_column_by_column(
    before: dict[str, tuple[str, str]], after: dict[str, tuple[str, str]]
) -> None:
    """The naive reference: go through the old columns and look each up in the new ones."""
    expected = []
    for name, (share, kind) in before.items():
        if name not in after:
            expected.append(("gone", name))
            continue
        if {"unconditional": 0, "conditional": 1, "none": 2}[after[name][0]] > {"unconditional": 0, "conditional": 1, "none": 2}[share]:
            expected.append(("narrower", name))
        if after[name][1] != kind:
            expected.append(("type", name))
    assert [(b.kind, b.column) for b in breaches(entry_of(before), entry_of(after))] == expected


def registered(store: Store, folder: Path, *, now: datetime = NOW, **changes: Any) -> int:
    register(store, [write(folder, good_contract(**changes))], now=now)
    with store.session() as session:
        resource = resource_of(session, changes.get("id", "police_hukou"))
    assert resource is not None
    return resource.entry


def test_each_registered_data_set_makes_a_draft_with_itself_attached(store: Store, tmp_path: Path) -> None:
    number = registered(store, tmp_path, description={"purpose": "户籍人口基本信息"})
    with store.session() as session:
        entry, resource = load_entry(session, number), resource_of(session, "police_hukou")
    assert (entry.state, entry.code, entry.version, entry.is_open) == (State.DRAFT, None, 0, False)
    assert (entry.title, entry.department, entry.content.items["abstract"]) == ("户籍人口", "police", "户籍人口基本信息")
    assert [(c.name, c.title, c.data_type, c.key) for c in entry.content.columns] == [
        ("pid", "公民身份号码", "C", True), ("xm", "姓名", "C", False), ("xb", "性别", "C", False),
    ]  # fmt: skip
    assert resource is not None and resource.state is ResourceState.ATTACHED and resource.report.problems == ()


def test_an_untouched_draft_follows_its_contract(store: Store, tmp_path: Path) -> None:
    number = registered(store, tmp_path)
    document = changed(lambda d: columns_of(d).append(column("mz", "民族", element="ethnicity")))
    register(store, [write(tmp_path, document)], now=LATER)
    with store.session() as session:
        entry, versions = load_entry(session, number), versions_of(session, number)
        assert list_entries(session)[0].id == number and len(list_entries(session)) == 1
    assert [c.name for c in entry.content.columns] == ["pid", "xm", "xb", "mz"] and entry.revision == 2
    assert {d["place"] for d in versions[1].differences} >= {"columns.mz.title"}


def test_registering_the_same_again_makes_nothing(store: Store, tmp_path: Path) -> None:
    registered(store, tmp_path)
    with store.session() as session:
        before = catalogue_version(session)
    registered(store, tmp_path, now=LATER)
    with store.session() as session:
        assert catalogue_version(session) == before and session.scalar(sa.select(sa.func.count()).select_from(EntryRow)) == 1


def test_a_contract_that_names_an_entrys_code_waits_there(store: Store, tmp_path: Path) -> None:
    first = registered(store, tmp_path)
    with store.session() as session, session.begin():
        session.execute(sa.update(EntryRow).where(EntryRow.id == first).values(code="307001/000001"))
    terms = custom(share="unconditional", updateFrequency="每日", resourceCode="307001/000001")
    other = registered(store, tmp_path, id="police_copy", name="副本", customProperties=terms)
    with store.session() as session:
        resource = resource_of(session, "police_copy")
        assert len(list_entries(session)) == 1
    assert other == first and resource is not None and resource.state is ResourceState.CHECKED and resource.attached_at is None


def test_a_data_set_runs_from_its_first_accepted_snapshot_and_is_abnormal_while_red(store: Store, tmp_path: Path) -> None:
    registered(store, tmp_path)
    with store.session() as session, session.begin():
        session.add(
            SnapshotRow(
                dataset_key="police_hukou", version=1, state="accepted", source_digest="", contract_version=1, rules_version="",
                rows_raw=1, received_at=NOW,
            )
        )  # fmt: skip
        session.flush()
        assert (settle_resources(session, LATER), settle_resources(session, LATER)) == (1, 0)
        states = [resource_of(session, "police_hukou")]
        for red in (["police_hukou"], []):
            assert settle_resources(session, LATER, red=red) == 1
            states.append(resource_of(session, "police_hukou"))
    assert [s.state for s in states if s] == [ResourceState.RUNNING, ResourceState.ABNORMAL, ResourceState.RUNNING]


ATTACHING: list[tuple[str, dict[str, Any]]] = [
    ("RES-TYPE", {"data_type": "D"}),
    ("RES-ELEMENT", {"element": "phone"}),
    ("RES-LEVEL", {"level": "L1"}),
    ("RES-KEY", {"key": True}),
]


@pytest.mark.parametrize(("code", "declared"), ATTACHING)
def test_a_data_set_is_compared_with_what_its_entry_declares(store: Store, tmp_path: Path, code: str, declared: dict[str, Any]) -> None:
    """C-17: types, key, and that no level is lowered."""
    registered(store, tmp_path, schema=[{"name": "t", "properties": [
        {**column("pid", "身份证号", element="id_number"), "primaryKey": True}, {**column("born", "出生"), "logicalType": "number"},
    ]}])  # fmt: skip
    with store.session() as session:
        dataset = load_dataset(session, "police_hukou")
    content = draft_of(dataset)
    assert report_of(dataset, content, None).problems == ()
    report = report_of(dataset, with_column(content, "born", **declared), None)
    assert ([p.code for p in report.problems], report.may_attach) == ([code], False)


def test_columns_that_are_missing_or_not_declared_are_named(store: Store, tmp_path: Path) -> None:
    registered(store, tmp_path)
    with store.session() as session:
        dataset = load_dataset(session, "police_hukou")
    content = draft_of(dataset)
    more = replace(content, columns=(*content.columns[:2], EntryColumn(name="mz", title="民族", data_type="C")))
    report = report_of(dataset, more, 0.9)
    assert [(p.code, p.column, p.blocks) for p in report.problems] == [("RES-COLUMN", "mz", True), ("RES-UNDECLARED", "xb", False)]
    assert (report.declared, report.covered, report.has_key, report.score) == (3, 2, True, 0.9)


def test_a_list_is_paged_by_number(store: Store, tmp_path: Path) -> None:
    registered(store, tmp_path)
    with store.session() as session, session.begin():
        ids = add_entries(session, [good_entry(department="police", title=f"表{n}") for n in range(5)], by=None, now=NOW, reason="")
        first = list_entries(session, limit=3)
        rest = list_entries(session, after=first[-1].id, limit=10)
        assert [line.id for line in (*first, *rest)] == [ids[0] - 1, *ids]
        assert list_entries(session, department="health") == [] and len(list_entries(session, state=State.DRAFT)) == 6
        assert surroundings(session, "police", ids[0]).titles.keys() == {"户籍人口", "表1", "表2", "表3", "表4"}


@pytest.mark.parametrize("name", ["", "0", "99", "9" * 30, "307001/000001", "x'; drop table", "９"])
def test_an_entry_that_is_not_there_is_not_found(store: Store, name: str) -> None:
    with store.session() as session, pytest.raises(NotFound, match="CAT-ENTRY"):
        load_entry(session, name)
