"""Search: what is found, in which order, what an asker may know, who else holds something. A naive reference looks at every text."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin import lazy_pinyin

from catalog.entries.content import EntryColumn
from catalog.entries.shelf import Entry
from catalog.entries.states import State
from catalog.search.finding import Question, find, terms_of
from catalog.search.index import Asker, Index, may_know
from catalog.search.overlap import check_form, duplicates, holders, similar
from rules.departments import load_departments
from rules.elements import load_elements
from rules.errors import NotFound
from tests.catalog.entries import good_entry

NOW = datetime(2026, 11, 23, tzinfo=UTC)
BUREAU, POLICE, CIVIL = Asker(department=None), Asker(department="police"), Asker(department="civil_affairs")


def columns(*elements: str, share: str = "conditional") -> tuple[EntryColumn, ...]:
    return tuple(
        EntryColumn(name=key, title=load_elements()[key].title if key in load_elements() else key, data_type="C", share=share,
                    element=key if key in load_elements() else None)
        for key in elements
    )  # fmt: skip


def entry(
    number: int, title: str, department: str, *elements: str, state: State = State.PUBLISHED, share: str = "conditional", **items: Any
) -> Entry:
    content = good_entry(
        title=title,
        department=department,
        columns=columns(*elements, share=share),
        items={"abstract": f"{title}的说明"} | items,
        category="307005",
    )
    return Entry(
        id=number,
        code=f"307005/{number:06}",
        department=department,
        department_title=load_departments()[department].title,
        state=state,
        revision=1,
        version=1,
        content=content,
        published=None if state is State.DRAFT else content,
        succeeds=None,
        returns=None,
        received_at=None,
        published_at=NOW,
        changed_at=NOW,
    )


CATALOGUE = [
    entry(1, "婚姻登记信息", "civil_affairs", "id_number", "name", "marital_status", "phone"),
    entry(2, "户籍人口信息", "police", "id_number", "name", "sex", "hukou_address", share="unconditional"),
    entry(3, "居民健康档案", "health", "id_number", "name", "phone", "blood_type", share="none"),
    entry(4, "婚姻登记草稿", "civil_affairs", "name", state=State.DRAFT),
    entry(5, "重点人员信息", "police", "name", "phone", knownTo=["justice"]),
    entry(6, "已注销信息", "police", "name", state=State.CANCELLED),
    entry(7, "学生学籍信息", "education", "id_number", "name", "phone", "班主任姓名", updateFrequency="每年"),
]
INDEX = Index(CATALOGUE, 1, {1: "green", 2: "red"})


def titles(text: str, asker: Asker = BUREAU, index: Index = INDEX, **filters: list[str]) -> list[str]:
    return [hit.title for hit in find(index, asker, Question(text=text, filters=filters, limit=50)).hits]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("婚姻登记信息", "婚姻登记信息"),
        ("户籍", "户籍人口信息"),
        ("hunyin", "婚姻登记信息"),
        ("hydj", "婚姻登记信息"),
        ("HJRK", "户籍人口信息"),
        ("xueji", "学生学籍信息"),
        ("血型", "居民健康档案"),
        ("xuexing", "居民健康档案"),
        ("307005/000007", "学生学籍信息"),
        ("班主任", "学生学籍信息"),
        ("ＡＢＯ血型", "居民健康档案"),
        ("婚姻 电话", "婚姻登记信息"),
        ("婚姻的联系电话", "婚姻登记信息"),
        ("卫健局", "居民健康档案"),
        ("公安户籍人口", "户籍人口信息"),
        ("档案 身份证号", "居民健康档案"),
    ],
)
def test_words_pinyin_and_names_are_found(text: str, first: str) -> None:
    assert titles(text)[0] == first


def test_a_title_counts_more_than_a_column() -> None:
    assert titles("婚姻")[:2] == ["婚姻登记信息", "婚姻登记草稿"]


def test_where_no_entry_has_all_terms_those_with_some_are_shown_and_it_is_said() -> None:
    found = find(INDEX, BUREAU, Question(text="婚姻 血型"))
    assert found.partial and {hit.title for hit in found.hits} == {"婚姻登记信息", "婚姻登记草稿", "居民健康档案"}


@pytest.mark.parametrize("text", ["没有这个词", "qqqq", "婚姻x血型y", "';--", "\x00", "（）", "𠮷" * 300])
def test_a_question_without_an_answer_is_no_fault(text: str) -> None:
    find(INDEX, BUREAU, Question(text=text))


def test_facets_count_what_else_there_is_to_choose() -> None:
    found = find(INDEX, BUREAU, Question(text="信息", filters={"department": ["police"]}))
    assert {hit.title for hit in found.hits} == {"户籍人口信息", "重点人员信息"} and found.total == 2
    assert found.facets["department"] == {"police": 2, "civil_affairs": 1, "education": 1}
    assert found.facets["share"] == {"conditional": 1, "unconditional": 1} and found.facets["light"] == {"red": 1}
    assert found.facets["element"]["name"] == 2 and found.facets["theme"] == {"307": 2} and found.facets["update"] == {"每日": 2}


def test_filters_narrow_by_each_facet() -> None:
    assert titles("", element=["blood_type"]) == ["居民健康档案"]
    assert titles("", share=["none", "unconditional"]) == ["居民健康档案", "户籍人口信息"]
    assert titles("", update=["每年"], level=["L3"]) == ["学生学籍信息"]
    assert titles("", light=["green"]) == ["婚姻登记信息"] and titles("", department=["nobody"]) == []


def test_pages_follow_each_other() -> None:
    pages = [find(INDEX, BUREAU, Question(limit=2, offset=at)) for at in (0, 2, 4, 6)]
    assert [hit.entry for page in pages for hit in page.hits] == [hit.entry for hit in find(INDEX, BUREAU, Question()).hits]
    assert {page.total for page in pages} == {6}


def test_drafts_are_known_to_their_department_and_the_bureau_only() -> None:
    assert "婚姻登记草稿" in titles("婚姻", CIVIL) and "婚姻登记草稿" in titles("婚姻", BUREAU)
    assert titles("婚姻", POLICE) == ["婚姻登记信息"]


def test_an_entry_that_names_who_may_know_it_is_known_to_these_only() -> None:
    """Also not through facets, holders, duplicates or forms."""
    justice = Asker(department="justice")
    assert "重点人员信息" in titles("", justice) and "重点人员信息" in titles("", POLICE)
    assert "重点人员信息" not in titles("", CIVIL)
    assert "police" not in find(INDEX, CIVIL, Question(text="手机号")).facets["department"]
    assert "police" not in {holder.department for holder in holders(INDEX, CIVIL, "phone")}
    assert {d.title: d.departments for d in duplicates(INDEX, CIVIL)}["手机号码"] == ("civil_affairs", "education", "health")


def test_what_is_cancelled_is_found_by_nobody() -> None:
    assert "已注销信息" not in titles("", POLICE) + titles("", BUREAU)


def test_others_see_the_published_content_while_a_change_is_made() -> None:
    changing = replace(CATALOGUE[0], state=State.CHANGING, content=replace(CATALOGUE[0].content, title="婚姻与收养信息"))
    index = Index([changing], 1)
    assert titles("", POLICE, index) == ["婚姻登记信息"] and titles("", CIVIL, index) == ["婚姻与收养信息"]


def test_the_source_of_record_stands_first_among_the_holders() -> None:
    """Who else holds this element? L-03."""
    found = holders(INDEX, BUREAU, "身份证号")
    assert [(h.department, h.of_record) for h in found] == [
        ("police", True),
        ("civil_affairs", False),
        ("education", False),
        ("health", False),
    ]
    with pytest.raises(NotFound, match="CAT-ELEMENT"):
        holders(INDEX, BUREAU, "鞋码")


def test_columns_collected_more_than_once_are_listed_with_their_source() -> None:
    """L-31; names and numbers that only tell who is meant are no re-collection."""
    found = duplicates(INDEX, BUREAU)
    assert [(d.element, d.source_of_record, d.departments, d.entries) for d in found] == [
        ("phone", "grid", ("civil_affairs", "education", "health", "police"), 4)
    ]


def test_names_and_numbers_that_tell_who_is_meant_are_no_recollection() -> None:
    index = Index([entry(n, f"表{n}", d, "enterprise_name", "name", "id_number") for n, d in enumerate(("police", "health"), start=1)], 1)
    assert duplicates(index, BUREAU) == []


def test_a_form_is_compared_before_it_collects() -> None:
    """L-31."""
    checked = check_form(INDEX, CIVIL, ["公民身份号码", "户籍地址", "血型", "婚姻状况", "班主任 姓名", "宠物名称", " "])
    assert [(c.header, c.verdict) for c in checked] == [
        ("公民身份号码", "key"), ("户籍地址", "shared"), ("血型", "closed"),
        ("婚姻状况", "own"), ("班主任 姓名", "shared"), ("宠物名称", "new"),
    ]  # fmt: skip
    assert [h.title for h in checked[1].holders] == ["户籍人口信息"]


def test_similar_data_sets_share_rare_columns() -> None:
    index = Index([*CATALOGUE, entry(8, "婚姻信息备份", "justice", "id_number", "name", "marital_status")], 1)
    found = similar(index, BUREAU, 8)
    assert found[0].entry == 1 and "婚姻状况" in found[0].shared and found[0].likeness > found[1].likeness
    with pytest.raises(NotFound, match="CAT-ENTRY"):
        similar(index, POLICE, 4)


words = st.lists(st.sampled_from(["婚姻", "登记", "人口", "健康", "学籍", "信息", "档案"]), min_size=1, max_size=3).map("".join)
keys = st.lists(st.sampled_from(["id_number", "name", "phone", "sex", "blood_type", "自有项"]), min_size=1, max_size=4, unique=True)
states = st.sampled_from([State.DRAFT, State.PUBLISHED, State.CANCELLED])
entries = st.lists(
    st.tuples(words, st.sampled_from(["police", "health", "education"]), keys, states,
              st.sampled_from([[], ["police"], ["health"]])),
    max_size=6,
).map(lambda rows: [entry(n, t, d, *k, state=s, knownTo=known) for n, (t, d, k, s, known) in enumerate(rows, start=1)])  # fmt: skip
terms = st.one_of(words, st.sampled_from(["手机", "姓名", "血型", "公安", "hy", "renkou", "dengji", "x", "自有", "公"]))
askers = st.sampled_from([BUREAU, POLICE, Asker(department="health"), CIVIL])


def naively_found(one: Entry, asker: Asker, term: str) -> bool:
    """Look at every text of the entry."""
    own = asker.department in (None, one.department)
    known = one.content.items["knownTo"]
    if one.state is State.CANCELLED or (not own and (one.state is State.DRAFT or (known and asker.department not in known))):
        return False
    named = [e.key for e in load_elements().values() if term in e.headers]
    department = load_departments()[one.department]
    spelt = [one.title, one.department_title, *(c.title for c in one.content.columns)]
    spelt += [load_elements()[c.element].title for c in one.content.columns if c.element]
    plain = [one.content.items["abstract"], *department.aliases]
    if term.isascii():
        syllables = [lazy_pinyin(text) for text in spelt]
        last = 1 if len(term) == 1 else 99
        starts = ["".join(s[at:]) for s in syllables for at in range(len(s))[:last]]
        starts += ["".join(x[0] for x in s[at:]) for s in syllables for at in range(len(s))[:last]]
        latin = [text.lower().replace("_", "") for text in (*department.aliases, *(c.name for c in one.content.columns)) if text.isascii()]
        return any(text.startswith(term) for text in starts + latin)
    return any(term in text for text in spelt + plain) or any(c.element in named for c in one.content.columns) or term in department.aliases


@given(entries, terms, askers)
def test_one_term_finds_what_a_reader_of_every_text_finds(catalogue: list[Entry], term: str, asker: Asker) -> None:
    index = Index(catalogue, 1)
    if terms_of(index, term) == [term]:
        expected = {one.id for one in catalogue if naively_found(one, asker, term)}
        assert {hit.entry for hit in find(index, asker, Question(text=term)).hits} == expected


@given(entries, askers, st.sampled_from(["", "信息", "姓名", "婚姻 人口"]))
def test_nothing_that_an_asker_may_not_know_reaches_him(catalogue: list[Entry], asker: Asker, text: str) -> None:
    index = Index(catalogue, 1)
    unknown = {leaf.entry for leaf in index.leaves} - {leaf.entry for leaf in index.leaves if may_know(asker, leaf)}
    found = find(index, asker, Question(text=text))
    assert not unknown & {hit.entry for hit in found.hits}
    known = Index([one for one in catalogue if one.id not in unknown], 1)
    assert found.facets == find(known, asker, Question(text=text)).facets
    assert duplicates(index, asker) == duplicates(known, asker)
