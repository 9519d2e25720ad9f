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
