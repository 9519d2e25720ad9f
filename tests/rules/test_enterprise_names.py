"""Names of enterprises as they are compared, and what makes a name a branch's."""

import pytest

from rules.credit_codes import FormerNumbers, read_former_numbers
from rules.enterprise_names import HEAD_OFFICE, branch_of, fold_enterprise_name


@pytest.mark.parametrize(
    "name",
    [
        "佛山市南海区恒达五金有限公司",
        "佛山（南海）恒达五金有限责任公司",
        "佛山(南海) 恒达五金有限公司",
        "广东省佛山市恒达五金有限公司",
        "恒达五金有限公司",
    ],
)
def test_place_brackets_and_legal_form_are_no_part_of_the_key(name: str) -> None:
    assert fold_enterprise_name(name) == "恒达五金"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("宜昌市夷陵区小溪塔粮油商行（个体工商户）", "小溪塔粮油商行"),
        ("佛山市南海区恒达五金股份有限公司", "恒达五金股份"),
        ("佛山市南海区恒达五金有限公司桂城分公司", "恒达五金桂城分公司"),
        ("新兴纺织有限公司", "新兴纺织"),  # 新兴 is a county as well: not without its prefecture
        ("佛山市", "佛山市"),
    ],
)
def test_what_tells_enterprises_apart_stays_in_the_key(name: str, key: str) -> None:
    assert fold_enterprise_name(name) == key


@pytest.mark.parametrize(
    ("name", "branch"),
    [
        ("佛山市南海区恒达五金有限公司桂城分公司", "桂城分公司"),
        ("恒达五金有限公司（狮山）营业部", "狮山营业部"),
        ("恒达百货第二分店", "第二分店"),
        ("佛山市南海区恒达五金有限公司", HEAD_OFFICE),
        ("桂城顺达水果经营部", HEAD_OFFICE),
    ],
)
def test_a_branch_is_known_by_what_stands_behind_its_companys_name(name: str, branch: str) -> None:
    assert branch_of(name) == branch


@pytest.mark.parametrize(
    ("text", "former"),
    [
        ("10000794-7", FormerNumbers(organisation="100007947")),
        ("10000794-8", FormerNumbers()),
        ("440698000000064", FormerNumbers(former_number="440698000000064")),
        ("440698100002611", FormerNumbers(former_number="440698100002611")),
        ("914406981000010000", FormerNumbers(code_start="914406981000010")),
        ("9144", FormerNumbers()),
    ],
)
def test_a_former_number_is_read_for_what_it_is(text: str, former: FormerNumbers) -> None:
    assert read_former_numbers(text) == former
