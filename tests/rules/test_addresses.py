"""Addresses: one standard spelling, however they were told, and the grid of the area register (law.md D-44, X-15)."""

import pickle

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.address_parts import chinese_number
from rules.addresses import AddressBook, AreaRow, RangeRow, grid_of, standardise_addresses
from tests.rules.columns import row, rows

STANDARD = "广东省佛山市南海区桂城街道南海大道12号天湖郦都3栋1203室"
GRIDS = {"even": "440605011001001", "odd": "440605011001002", "estate": "440605011001003", "village": "440605126201001"}


@pytest.fixture(scope="module")
def book() -> AddressBook:
    areas = [
        AreaRow(code="440605", name="南海区", level="district", parent=""),
        AreaRow(code="440605011", name="桂城街道", level="street", parent="440605"),
        AreaRow(code="440605126", name="里水镇", level="street", parent="440605"),
        AreaRow(code="440605011001", name="天佑社区", level="community", parent="440605011"),
        AreaRow(code="440605126201", name="甘蕉村", level="community", parent="440605126"),
    ]
    ranges = [
        RangeRow(grid_code=GRIDS["even"], street_code="440605011", road="南海大道", parity="even", from_no=2, to_no=40),
        RangeRow(grid_code=GRIDS["odd"], street_code="440605011", road="南海大道", parity="odd", from_no=1, to_no=41),
        RangeRow(grid_code=GRIDS["estate"], street_code="440605011", road="桂平路", parity="all", from_no=5, to_no=5, estate="金色花园"),
        RangeRow(grid_code=GRIDS["village"], street_code="440605126", road="东头里", parity="all", from_no=1, to_no=60),
    ]
    return AddressBook(areas, ranges)


@pytest.mark.parametrize(
    "text",
    [
        STANDARD,
        "佛山市南海区桂城街道南海大道12号天湖郦都3栋1203室",
        "佛山南海桂城街道南海大道12号天湖郦都3栋1203室",
        "南海区桂城街道南海大道12号天湖郦都3幢1203房",
        "桂城街道南海大道12号天湖郦都3座1203室",
        "桂城南海大道12号天湖郦都3座1203",
        "桂城街道办事处南海大道12号天湖郦都3号楼1203",
        "广东省佛山市南海区桂城街道天佑社区南海大道12号天湖郦都3号楼1203房",
        "广东省佛山市南海区桂城街道天佑社区居委会南海大道12号天湖郦都3#1203",
        "广东省佛山市南海区桂城街道南海大道１２号天湖郦都３栋１２０３室",
        "广东省佛山市南海区桂城街道南海大道十二号天湖郦都三栋一二〇三室",
        "广东省佛山市南海区桂城街道南海大道12號天湖郦都3棟1203室",
        "广东省 佛山市 南海区 桂城街道 南海大道12号 天湖郦都 3栋 1203室",
        "广东省佛山市　南海区桂城街道南海大道12号天湖郦都3栋1203室",
        "广东省,佛山市,南海区,桂城街道,南海大道12号,天湖郦都,3-1203",
        "南海大道12号天湖郦都3-1203",
        "天湖郦都3栋1203室南海大道12号桂城街道",
        "1203室3栋天湖郦都南海大道12号桂城街道南海区佛山市广东省",
        "广东省佛山市南海区桂城街道天湖郦都3栋1203室（南海大道12号）",
        "广东省佛山市南海区桂城街道南海大道12号（天湖郦都）3栋1203室",
        "广东省佛山市南海区桂城街道南海大道12号天湖郦都3栋12层1203室",
        "广东省佛山市南海区桂城街道南海大道12号天湖郦都3栋12层03室",
        "广东省佛山市南海区桂城街道南海大道012号天湖郦都03栋1203室",
    ],
)
def test_one_place_has_one_spelling(book: AddressBook, text: str) -> None:
    assert row("residence_address", text, areas=book) == (STANDARD, None)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("广东省南海市桂城街道南海大道12号天湖郦都3栋1203室", "ADDRESS-OLD-NAME"),
        ("广东省南海县桂城街道南海大道12号天湖郦都3栋1203室", "ADDRESS-OLD-NAME"),
        ("佛山市南海市桂城街道南海大道12号天湖郦都3栋1203室", "ADDRESS-OLD-NAME"),
        ("南海区平洲街道南海大道12号天湖郦都3栋1203室", "ADDRESS-OLD-NAME"),
        ("南海大道12号天湖郦都3栋1203室（出租屋）", "ADDRESS-REMARK"),
        ("南海大道12号天湖郦都3栋1203室(房东家)", "ADDRESS-REMARK"),
    ],
)
def test_old_names_and_remarks_are_noted(book: AddressBook, text: str, fault: str) -> None:
    assert row("residence_address", text, areas=book) == (STANDARD, fault)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("金色花园3栋502", "广东省佛山市南海区桂城街道桂平路5号金色花园3栋502室"),
        ("桂城金色花园A座1单元502", "广东省佛山市南海区桂城街道桂平路5号金色花园A栋1单元502室"),
        ("南海大道12号之3", "广东省佛山市南海区桂城街道南海大道12号之3"),
        ("南海大道12-3号", "广东省佛山市南海区桂城街道南海大道12号之3"),
        ("里水镇甘蕉村东头里12号", "广东省佛山市南海区里水镇东头里12号"),
        ("里水镇甘蕉村民委员会新屋村民小组12号", "广东省佛山市南海区里水镇甘蕉村新屋村民小组12号"),
        ("桂城街道海五路12号万科城市花园三期5栋2单元1203房", "广东省佛山市南海区桂城街道海五路12号万科城市花园3期5栋2单元1203室"),
        ("湖南省衡阳市龙潭县石桥镇大塘村12号", "湖南省衡阳市龙潭县石桥镇大塘村12号"),
        ("衡阳市衡南县石桥镇大塘村12号", "湖南省衡阳市衡南县石桥镇大塘村12号"),
        ("广西梧州市青平县白马镇上坪村8号", "广西壮族自治区梧州市青平县白马镇上坪村8号"),
        ("北京市朝阳区建国路88号5号楼2单元302室", "北京市朝阳区建国路88号5栋2单元302室"),
        ("佛山市禅城区祖庙街道汾江中路75号", "广东省佛山市禅城区祖庙街道汾江中路75号"),
        ("宜昌县小溪塔街道发展大道12号", "湖北省宜昌市夷陵区小溪塔街道发展大道12号"),
        ("桂城街道325国道12号", "广东省佛山市南海区桂城街道325国道12号"),
        ("里水镇河西村三巷5号", "广东省佛山市南海区里水镇河西村3巷5号"),
    ],
)
def test_parts_are_told_apart(book: AddressBook, text: str, value: str) -> None:
    assert row("hukou_address", text, areas=book)[0] == value


def test_a_road_named_like_the_district_is_a_road(book: AddressBook) -> None:
    assert row("hukou_address", "南海大道12号", areas=book) == ("广东省佛山市南海区桂城街道南海大道12号", None)


@pytest.mark.parametrize("word", ["隔壁", "对面", "楼下"])
def test_a_place_beside_another_is_not_that_place_but_keeps_its_grid(book: AddressBook, word: str) -> None:
    done = standardise_addresses(pa.array([f"南海大道12号{word}"]), areas=book)
    assert done.value.to_pylist() == [None]
    assert done.fault.to_pylist() == ["ADDRESS-RELATIVE"]
    assert done.derived["grid_code"].to_pylist() == [GRIDS["even"]]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("12", "ADDRESS-MALFORMED"),
        ("???---", "ADDRESS-MALFORMED"),
        ("广东省佛山市".encode().decode("gb18030", "replace")[:-1] + "\ufffd", "ADDRESS-GARBLED"),
    ],
)
def test_what_is_no_address_is_void(book: AddressBook, text: str, fault: str) -> None:
    assert row("hukou_address", text, areas=book) == (None, fault)


def test_vague_addresses_are_noted(book: AddressBook) -> None:
    assert row("residence_address", "桂城街道", areas=book) == ("广东省佛山市南海区桂城街道", "ADDRESS-COARSE")
    assert row("residence_address", "南海大道12号公司宿舍", areas=book)[1] == "ADDRESS-VAGUE"


@pytest.mark.parametrize(
    ("address", "grid"),
    [
        (STANDARD, GRIDS["even"]),
        ("广东省佛山市南海区桂城街道南海大道41号", GRIDS["odd"]),
        ("广东省佛山市南海区桂城街道南海大道42号", None),
        ("广东省佛山市南海区桂城街道南海大道四十一号", GRIDS["odd"]),
        ("广东省佛山市南海区桂城街道桂平路5号金色花园3栋502室", GRIDS["estate"]),
        ("广东省佛山市南海区桂城街道桂平路5号", GRIDS["estate"]),
        ("广东省佛山市南海区桂城街道桂平路6号", None),
        ("广东省佛山市南海区里水镇南海大道12号", None),
        ("广东省佛山市南海区里水镇东头里60号", GRIDS["village"]),
        ("湖南省衡阳市衡南县石桥镇大塘村12号", None),
        ("广东省佛山市南海区桂城街道南海大道99999999999999999999号", None),
        (None, None),
    ],
)
def test_a_house_number_belongs_to_the_grid_of_its_side_of_the_road(book: AddressBook, address: str | None, grid: str | None) -> None:
    assert grid_of(pa.array([address], pa.string()), book).to_pylist() == [grid]


def test_without_a_register_only_the_names_of_the_country_are_known() -> None:
    assert row("hukou_address", "佛山市南海市桂城街道南海大道12号天湖郦都3幢1203") == (STANDARD, "ADDRESS-OLD-NAME")
    assert row("hukou_address", "南海大道12号") == ("南海大道12号", None)


def test_a_copied_register_reads_the_same(book: AddressBook) -> None:
    copy = pickle.loads(pickle.dumps(book))
    assert rows("hukou_address", ["桂城南海大道12号"], areas=copy) == rows("hukou_address", ["桂城南海大道12号"], areas=book)


@pytest.mark.parametrize(
    ("text", "number"), [("十二", 12), ("二十", 20), ("一二〇三", 1203), ("一百零八", 108), ("二百一十", 210), ("三", 3)]
)
def test_chinese_numbers_are_read(text: str, number: int) -> None:
    assert chinese_number(text) == number


_PLACES = "广东省,佛山市,南海区,南海市,桂城,桂城街道,天佑社区,甘蕉村,南海大道,东头里,桂平路,金色花园,湖南省,衡阳市,衡南县,石桥镇"
_NUMBERS = "12,号,3,栋,座,-,1203,室,三,十二,层,单元,之,（,）,，,隔壁,A,B,期,组,0,０,宿舍,号楼,房,村,巷,\u3000"
_PIECES = st.sampled_from(f"{_PLACES},{_NUMBERS}".split(","))
_ADDRESSES = st.one_of(st.lists(_PIECES, max_size=14).map("".join), st.text(max_size=30))


_HEADS = st.sampled_from(("", "南海区", "佛山市南海区", "广东省佛山市南海区", "广东省南海市", "湖南省衡阳市衡南县"))
_TOWNS = st.sampled_from(("", "桂城街道", "里水镇", "石桥镇", "桂城街道天佑社区", "里水镇甘蕉村"))
_ROADS = st.sampled_from(("南海大道12号", "东头里三号", "桂平路5号", "海五路12号之3", "文华北路007号", "大塘村8号", "325国道9号"))
_FLATS = st.sampled_from(
    ("", "金色花园3栋502室", "天湖郦都A座1203", "5幢2单元12层1203房", "3-1203", "302", "万科城市花园三期5栋", "2号铺", "公司宿舍")
)


@given(parts=st.tuples(_HEADS, _TOWNS, _ROADS, _FLATS))
def test_a_standard_spelling_is_its_own_standard_spelling(book: AddressBook, parts: tuple[str, ...]) -> None:
    value, _ = row("hukou_address", "".join(parts), areas=book)
    assert value is not None
    assert row("hukou_address", value, areas=book)[0] == value
    assert row("hukou_address", " ".join(parts), areas=book)[0] == value


@given(texts=st.lists(_ADDRESSES, max_size=8))
def test_an_address_is_read_alike_whatever_stands_beside_it(book: AddressBook, texts: list[str]) -> None:
    together = standardise_addresses(pa.array(texts, pa.string()), areas=book)
    alone = [standardise_addresses(pa.array([text]), areas=book) for text in texts]
    for column in ("value", "fault"):
        assert getattr(together, column).to_pylist() == [getattr(one, column)[0].as_py() for one in alone]
    assert together.derived["grid_code"].to_pylist() == [one.derived["grid_code"][0].as_py() for one in alone]
