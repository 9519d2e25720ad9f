"""Numbers, amounts of money, yes and no, grid codes, household numbers and plain text."""

import re
from collections.abc import Set
from decimal import Decimal, InvalidOperation

from rules.cells import Cell
from rules.characters import FULL_WIDTH, INVISIBLE, SCIENTIFIC, SEPARATORS, garbled, recoded
from rules.missing import missing_words

CURRENCY_WORDS = re.compile(r"人民币|RMB|CNY|[¥￥]|元整|元$|圆$")
LARGE_UNITS = {"亿": 100_000_000, "万": 10_000, "千": 1_000}
LARGEST_EXPONENT = 30
YES = frozenset(("1", "1.0", "是", "有", "Y", "YES", "T", "TRUE", "对", "√", "✓", "☑", "真", "已", "属于", "在"))
NO = frozenset(
    ("0", "0.0", "2", "否", "无", "没有", "N", "NO", "F", "FALSE", "不", "不是", "×", "✗", "☐", "假", "未", "非", "不属于", "不在")
)

_NUMBER = re.compile(r"([+-]?[0-9]*\.?[0-9]+(?:E[+-]?[0-9]{1,2})?)([^0-9]{0,8})")
_CONTROLS = re.compile(rf"[\x00-\x1f\x7f{INVISIBLE}]+")


def judge_number(text: str) -> Cell:
    """A plain decimal: no separators, no exponent, no trailing zeros; a unit is cut off and noted."""
    return _decimal(text.strip().translate(FULL_WIDTH).upper(), "")


def judge_money(text: str) -> Cell:
    """An amount in yuan with two decimals; 万元 is converted and noted."""
    plain = CURRENCY_WORDS.sub("", text.strip().translate(FULL_WIDTH).upper().replace("￥", ""))
    cell = _decimal(plain, "0.01")
    return Cell(cell.value, cell.fault)


def judge_boolean(text: str) -> Cell:
    """1 for yes, 0 for no."""
    word = SEPARATORS.sub("", text.translate(FULL_WIDTH)).upper()
    plain = text.translate(FULL_WIDTH).strip().upper()
    if YES & {word, plain}:
        return Cell("1")
    return Cell("0") if NO & {word, plain} else Cell(None, "BOOLEAN-MALFORMED")


def judge_grid_code(text: str, *, known: Set[str] | None) -> Cell:
    """12 digits of the community and 2 or 3 of the grid (D-27)."""
    plain = text.translate(FULL_WIDTH)
    code = re.sub(r"\.0+$", "", SEPARATORS.sub("", plain) if "." not in plain else plain.strip())
    if SCIENTIFIC.fullmatch(plain):
        return Cell(None, "TEXT-LOST")
    if not re.fullmatch(r"[0-9]{12}[0-9]{2,3}", code):
        return Cell(None, "GRID-MALFORMED")
    return Cell(code, None if known is None or code in known else "GRID-UNKNOWN")


def judge_household_number(text: str) -> Cell:
    """The number as the register writes it, without separators; capitals."""
    plain = text.strip().translate(FULL_WIDTH).upper()
    number = SEPARATORS.sub("", re.sub(r"(?<=^[0-9]{6})\.0+$", "", plain))
    if SCIENTIFIC.fullmatch(plain) or SCIENTIFIC.fullmatch(number):
        return Cell(None, "TEXT-LOST")
    return Cell(None if number in missing_words(zero_is_value=False) else number)


def judge_text(text: str) -> Cell:
    """The text as given, without control and invisible characters."""
    if restored := recoded(text):
        return Cell(restored, "TEXT-RECODED")
    clean = _CONTROLS.sub(" ", text).strip()
    if clean in missing_words(zero_is_value=False):
        return Cell(None)
    return Cell(clean, "TEXT-GARBLED" if garbled(text) or "\ufffd" in text else None)


def _decimal(plain: str, quantum: str) -> Cell:
    found = _NUMBER.fullmatch(re.sub(r"(?<=[0-9]),(?=[0-9])|\s", "", plain))
    if not found:
        return Cell(None, "NUMBER-MALFORMED")
    unit = found[2]
    try:
        amount = Decimal(found[1]) * LARGE_UNITS.get(unit[:1], 1)
    except InvalidOperation:
        return Cell(None, "NUMBER-MALFORMED")
    if amount.adjusted() > LARGEST_EXPONENT:
        return Cell(None, "NUMBER-MALFORMED")
    spelt = amount.quantize(Decimal(quantum)) if quantum else amount.normalize()
    return Cell(f"{spelt + 0:f}", "NUMBER-UNIT" if unit else None)
