"""Characters that departments type for the plain ones: full-width forms, other dashes, invisible marks, and the words for "missing"."""

import re
import unicodedata

FULL_WIDTH = {0xFF01 + i: 0x21 + i for i in range(94)} | {0x3000: 0x20, 0xA0: 0x20}
"""str.translate table: full-width ASCII and blanks to plain ASCII. Only these: NFKC changes Han characters and leaves Cyrillic Х and ×."""

DASHES = "\\-\u00ad\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
INVISIBLE = "\u200b-\u200f\u2028-\u202e\u2060\ufeff"
SEPARATORS = re.compile(rf"[\s{DASHES}{INVISIBLE}'\"`‘’“”.,，。、;；:：()\[\]（）【】·_]")
"""What may stand between the characters of a number."""

SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[Ee]\+?[0-9]{1,2}")
"""What a spreadsheet leaves of a long number (D-09): the lost digits cannot be restored."""

TRIMMED = "".join(chr(c) for c in range(0x3001) if unicodedata.category(chr(c)) in ("Zs", "Cc", "Zl", "Zp")) + "\u200b\ufeff\u2060'`"
"""What is cut from both ends of a cell: all blanks and controls, invisible marks, the apostrophe that marks text in a spreadsheet."""

MISSING = frozenset(
    ["无", "没有", "暂无", "未知", "不详", "不明", "不清楚", "未填", "未填写", "未登记", "未采集", "未提供", "未录入", "待补", "待补录", "待核", "待核实", "待定", "空", "（空）", "(空)", "缺", "缺失", "不适用", "保密", "/", "//", "\\", "\\N", "\\n", "-", "--", "---", "—", "——", "———", "－", "─", "~", "*", "**", ".", "。", "、", "?", "？", "NULL", "null", "Null", "None", "none", "NONE", "NA", "N/A", "n/a", "#N/A", "#N/A!", "#NULL!", "#REF!", "#VALUE!", "NaN", "nan", "NAN", "<NA>", "unknown", "UNKNOWN", "Unknown", "nil", "0", "00", "000", "0.0", "(null)", "（无）", "(无)", "无。", "／", "〇", "０"]
)
"""Texts that say only that there is no value; `MISSING_ZERO` among them where zero cannot be a value."""

MISSING_ZERO = frozenset(["0", "00", "000", "0.0", "〇", "０"])
