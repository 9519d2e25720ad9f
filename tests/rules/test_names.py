"""Names: stored as given, keys that match across writings (law.md D-33…D-42, X-09, X-11)."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.names import fold_name, judge_name, name_key, pinyin_key, spell_name, standardise_names, surname_of
from tests.rules.columns import row


@pytest.mark.parametrize(
    "name",
    [
        "张三",
        "欧阳娜娜",
        "张　三",
        "阿卜杜拉·买买提",
        "阿卜杜拉•买买提",
        "於文",
        "範曾",
        "陈𬱖",
        "CHAN TAI MAN",
        "阿" * 15 + "·" + "提" * 14,
    ],
)
def test_names_are_stored_as_given(name: str) -> None:
    assert row("name", name) == (name, None)


def test_names_are_only_trimmed() -> None:
    assert row("name", "　张三\t") == ("张三", None)
    assert row("name", "'张三") == ("张三", None)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("张三（已故）", "NAME-NOTE"),
        ("张三1", "NAME-NOTE"),
        ("张三（租客）", "NAME-NOTE"),
        ("张?三", "NAME-WILDCARD"),
        ("张□", "NAME-WILDCARD"),
        ("张〓三", "NAME-WILDCARD"),
        ("张\ue863", "NAME-WILDCARD"),
        ("张liang", "NAME-WILDCARD"),
        ("张(王莹)", "NAME-WILDCARD"),
        ("张*", "NAME-WILDCARD"),
    ],
)
def test_remarks_and_replaced_characters_are_noted(text: str, fault: str) -> None:
    assert row("name", text) == (text, fault)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("张**", "NAME-MASKED"),
        ("某某", "NAME-MASKED"),
        ("合计", "NAME-MALFORMED"),
        ("姓名", "NAME-MALFORMED"),
        ("12", "NAME-MALFORMED"),
        ("锟斤拷", "NAME-GARBLED"),
    ],
)
def test_what_is_no_name_is_void(text: str, fault: str) -> None:
    assert row("name", text) == (None, fault)


@pytest.mark.parametrize("name", ["张三", "张伟", "欧阳", "李秀英子"])
def test_a_name_in_the_wrong_encoding_is_restored(name: str) -> None:
    wrong = name.encode().decode("gb18030", errors="replace")
    restored = "\ufffd" not in wrong
    assert row("name", wrong) == ((name, "NAME-RECODED") if restored else (None, "NAME-GARBLED"))


@pytest.mark.parametrize("name", ["张三丰", "阿卜杜拉", "欧阳娜娜"])
def test_a_name_that_lost_a_byte_on_the_way_is_void(name: str) -> None:
    wrong = name.encode().decode("gb18030", errors="replace")
    assert "\ufffd" not in wrong or row("name", wrong) == (None, "NAME-GARBLED")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("阿卜杜拉·买买提", "阿卜杜拉•买买提"),
        ("阿卜杜拉·买买提", "阿卜杜拉．买买提"),
        ("阿卜杜拉·买买提", "阿卜杜拉*买买提"),
        ("阿卜杜拉·买买提", "阿卜杜拉 买买提"),
        ("阿卜杜拉·买买提", "阿卜杜拉买买提"),
        ("张三", "张　三"),
        ("张三", "张三（已故）"),
        ("张三", "张三1"),
        ("陈頔", "陈𬱖"),
        ("張偉", "张伟"),
        ("chan tai man", "CHAN TAI MAN"),
        ("ＣＨＡＮ ＴＡＩ ＭＡＮ", "CHAN TAI MAN"),
    ],
)
def test_writings_of_one_name_share_a_key(one: str, other: str) -> None:
    keys = name_key(pa.array([one, other])).to_pylist()
    assert keys[0] == keys[1] != ""


@pytest.mark.parametrize(("text", "key"), [("张?三", "张?三"), ("张□三", "张?三"), ("张liang", "张?"), ("张(王莹)", "张?"), ("张*", "张?")])
def test_what_could_not_be_written_stands_for_one_character(text: str, key: str) -> None:
    assert name_key(pa.array([text])).to_pylist() == [key]


@pytest.mark.parametrize(
    ("name", "spelt"),
    [
        ("张三", "ZHANGSAN"),
        ("单雄信", "SHANXIONGXIN"),
        ("解晓东", "XIEXIAODONG"),
        ("仇英", "QIUYING"),
        ("区志强", "OUZHIQIANG"),
        ("曾国", "ZENGGUO"),
        ("尉迟恭", "YUCHIGONG"),
        ("ZHANG SAN", "ZHANGSAN"),
        ("San Zhang", "ZHANGSAN"),
    ],
)
def test_pinyin_reads_surnames_as_surnames(name: str, spelt: str) -> None:
    assert pinyin_key(pa.array([name])).to_pylist() == [spelt]


@pytest.mark.parametrize(
    ("name", "surname"),
    [("张三", "张"), ("欧阳娜娜", "欧阳"), ("欧阳", "欧"), ("司徒华", "司徒"), ("阿卜杜拉·买买提", ""), ("CHAN TAI MAN", ""), ("", "")],
)
def test_compound_surnames_stay_whole(name: str, surname: str) -> None:
    assert surname_of(name) == surname


def test_keys_of_missing_names_are_missing() -> None:
    column = pa.array([None, "张三", None])
    assert name_key(column).to_pylist() == [None, "张三", None]
    assert pinyin_key(column).to_pylist() == [None, "ZHANGSAN", None]


_TEXTS = st.one_of(st.text(min_size=1, max_size=8), st.text("张三王欧阳·*？?1（）已故a 合计某寮犱笁", min_size=1, max_size=6))


@given(texts=st.lists(_TEXTS, max_size=10))
def test_whole_columns_are_judged_like_single_texts(texts: list[str]) -> None:
    done = standardise_names(pa.array(texts, pa.string()))
    assert list(zip(done.value.to_pylist(), done.fault.to_pylist(), strict=True)) == [tuple(judge_name(text)) for text in texts]


@given(texts=st.lists(_TEXTS, max_size=10))
def test_a_key_is_its_own_key(texts: list[str]) -> None:
    keys = name_key(pa.array(texts, pa.string()))
    assert len(keys) == len(pinyin_key(keys)) == len(texts)


PLAIN = ["张伟", "陳大文", "歐陽鋒", "欧阳娜娜", "司徒", "单雄信", "仇英", "尉迟恭", "解晓东", "國華", "肖㛃", "曾乐乐", "覃丽"]


@pytest.mark.parametrize(("column", "rule"), [(name_key, fold_name), (pinyin_key, spell_name)])
def test_a_column_of_names_is_keyed_as_each_of_them_by_itself(column: Any, rule: Any) -> None:
    names = [*PLAIN, "王*", "买买提·艾力", "CHAN TAI MAN", "李(已故)", "", None, *PLAIN]
    assert column(pa.array(names)).to_pylist() == [None if name is None else rule(name) or None for name in names]
