"""Enterprises of the district: names by combination, credit codes valid by GB 32100, one pool for employers and for tables about them."""

from functools import lru_cache

import numpy as np

from district.plan import Plan
from district.texts import Numbers, Texts, join, numbered, pick, words

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
RESIDENTS_PER_ENTERPRISE = 30
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_FIRST = words(
    [
        "恒",
        "鑫",
        "宏",
        "盛",
        "佳",
        "永",
        "华",
        "金",
        "联",
        "泰",
        "德",
        "兴",
        "顺",
        "广",
        "利",
        "新",
        "东",
        "南",
        "嘉",
        "瑞",
        "百",
        "万",
        "诚",
        "信",
        "富",
        "创",
        "卓",
        "亿",
        "安",
        "科",
    ]
)
_SECOND = words(
    [
        "达",
        "源",
        "丰",
        "晟",
        "辉",
        "邦",
        "隆",
        "通",
        "美",
        "润",
        "和",
        "业",
        "腾",
        "力",
        "图",
        "丽",
        "冠",
        "祥",
        "邦",
        "讯",
        "诺",
        "洋",
        "峰",
        "骏",
        "洁",
        "铭",
        "恩",
        "煌",
        "雅",
        "康",
    ]
)
_TRADES = words(
    [
        "金属制品",
        "家具",
        "陶瓷",
        "纺织",
        "五金",
        "塑料制品",
        "电子科技",
        "机械设备",
        "物流",
        "餐饮管理",
        "建筑工程",
        "汽车零部件",
        "服装",
        "食品",
        "包装材料",
        "照明电器",
        "不锈钢",
        "铝业",
        "物业服务",
        "信息科技",
        "贸易",
        "环保科技",
        "医药",
        "教育咨询",
    ]
)
_FORMS = words(["有限公司", "有限公司", "有限公司", "实业有限公司", "股份有限公司"])


def enterprise_count(plan: Plan) -> int:
    return max(60, plan.residents // RESIDENTS_PER_ENTERPRISE)


@lru_cache(maxsize=4)
def enterprise_names(plan: Plan) -> Texts:
    """One full name each; all different, by a second pair of characters where the first combinations are used up."""
    count = enterprise_count(plan)
    first, second, trade, form = len(_FIRST), len(_SECOND), len(_TRADES), len(_FORMS)
    place = (np.arange(count) * 7919 + plan.seed) % (first * second * trade)
    again = np.arange(count) // (first * second * trade)
    extra = words(["", *_SECOND.to_pylist()])
    return join(
        "佛山市南海区",
        pick(_FIRST, place % first),
        pick(_SECOND, place // first % second),
        pick(extra, again),
        pick(_TRADES, place // first // second),
        pick(_FORMS, place % form),
    )


def credit_codes(order: Numbers, kind: int = 1) -> Texts:
    """D-32: 9 (market regulation), the kind (1 enterprise, 2 individual trader), test region 440698, an organisation code, the check."""
    digits = _organisation_digits(order)
    values = np.concatenate([np.tile([9, kind, 4, 4, 0, 6, 9, 8], (len(order), 1)), digits], axis=1)
    weights = np.array([pow(3, place, 31) for place in range(17)])
    check = (31 - values @ weights % 31) % 31
    return join(f"9{kind}440698", organisation_codes(order), pick(words(list(ALPHABET)), check))


def organisation_codes(order: Numbers) -> Texts:
    """GB 11714: eight characters and the check, without the dash that certificates print before it."""
    return join(numbered(order, 8), pick(words(list(ALPHABET)), _organisation_digits(order)[:, 8]))


def _organisation_digits(order: Numbers) -> Numbers:
    """The values of the nine characters, one row per code."""
    digits = np.stack([order // 10 ** (7 - place) % 10 for place in range(8)], axis=1)
    rest = 11 - digits @ np.array(_ORGANISATION_WEIGHTS) % 11
    check = np.select([rest == 10, rest == 11], [ALPHABET.index("X"), 0], rest)
    return np.concatenate([digits, check[:, None]], axis=1)


def enterprise_credit_codes(plan: Plan) -> Texts:
    return credit_codes(company_orders(plan))


def company_orders(plan: Plan) -> Numbers:
    """What the organisation codes of the companies are made of."""
    return 10_000_000 + np.arange(enterprise_count(plan)) * 13 + plan.seed % 13


def registration_numbers(order: Numbers) -> Texts:
    """The former 15-digit registration numbers of 市场监管, no longer valid but still written."""
    return join("440698", numbered(order % 10**9, 9))
