"""Characters that departments type for the plain ones: full-width forms, other dashes, invisible marks, and the words for "missing"."""

import re
import unicodedata

FULL_WIDTH = {0xFF01 + i: 0x21 + i for i in range(94)} | {0x3000: 0x20, 0xA0: 0x20}
"""str.translate table: full-width ASCII and blanks to plain ASCII. Only these: NFKC changes Han characters and leaves Cyrillic Х and ×."""

DASHES = "\\-\u00ad\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
INVISIBLE = "\u200b-\u200f\u2028-\u202e\u2060\ufeff"
SEPARATORS = re.compile(rf"[\s\x00-\x1f\x7f-\xa0{DASHES}{INVISIBLE}'\"`‘’“”.,，。、;；:：()\[\]（）【】·_]")
"""What may stand between the characters of a number."""

SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[Ee]\+?[0-9]{1,2}")
"""What a spreadsheet leaves of a long number (D-09): the lost digits cannot be restored."""

GARBLED_FIRST = "".join(
    sorted({bytes((lead, trail)).decode("gbk") for lead in range(0xE4, 0xEA) for trail in range(0x80, 0xC0) if trail != 0x7F})
)
"""The first character of every Chinese text whose UTF-8 was read as GB18030; few names begin with one."""

_GARBLED = re.compile("锟斤拷|烫烫|屯屯|\ufffd{2,}|[ÃÂåäæçèé¤¦§¨©ª«¬®¯°±²³´µ¶¸¹º»¼½¾¿]{2,}")

TRIMMED = "".join(chr(c) for c in range(0x3001) if unicodedata.category(chr(c)) in ("Zs", "Cc", "Zl", "Zp")) + "\u200b\ufeff\u2060'`"
"""What is cut from both ends of a cell: all blanks and controls, invisible marks, the apostrophe that marks text in a spreadsheet."""


def recoded(text: str) -> str | None:
    """The text whose UTF-8 was read as GB18030, or None when it was not (X-20): 寮犱笁 is 张三.

    The bytes of a true Chinese text are practically never valid UTF-8 of Chinese characters; where a byte was lost on the way the text
    ends in a replacement character and cannot be restored, see `garbled`.
    """
    if text.isascii():
        return None
    try:
        found = text.encode("gb18030").decode("utf-8")
    except UnicodeError:
        return None
    return found if any("\u3400" <= c <= "\u9fff" for c in found) else None


def garbled(text: str) -> bool:
    """Whether a text holds what is left of a wrong encoding and cannot be restored."""
    if _GARBLED.search(text):
        return True
    head, mark, _ = text.partition("\ufffd")
    return bool(mark) and len(head) > 1 and len(head.encode("gb18030", "ignore").decode("utf-8", "ignore")) * 3 >= len(head) * 2 - 2
