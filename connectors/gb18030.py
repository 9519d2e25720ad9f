"""What Python's GB18030 codec, which follows the mapping of 2005, leaves in the private use area, put where the standard of 2022 has it.

GB 18030-2022 (law.md D-35, D-37): vertical forms at A6D9…A6F3 and eight radicals at FE59…FEA0 have code points of their own since
Unicode 4.1 and 5.2; Ḿ at A8BC likewise. Six ideographs at FE51…FE91 are found in Unicode's extension B.
"""

from collections.abc import Mapping

CODE_POINTS_2022: Mapping[int, int] = {
    0xE78D: 0xFE10,
    0xE78E: 0xFE12,
    0xE78F: 0xFE11,
    0xE790: 0xFE13,
    0xE791: 0xFE14,
    0xE792: 0xFE15,
    0xE793: 0xFE16,
    0xE794: 0xFE17,
    0xE795: 0xFE18,
    0xE796: 0xFE19,
    0xE7C7: 0x1E3F,
    0xE81E: 0x9FB4,
    0xE826: 0x9FB5,
    0xE82B: 0x9FB6,
    0xE82C: 0x9FB7,
    0xE832: 0x9FB8,
    0xE843: 0x9FB9,
    0xE854: 0x9FBA,
    0xE864: 0x9FBB,
    0xE816: 0x20087,
    0xE817: 0x20089,
    0xE818: 0x200CC,
    0xE831: 0x215D7,
    0xE83B: 0x2298F,
    0xE855: 0x241FE,
}

_LEAD_BYTE = b"\xee"  # of every UTF-8 sequence from U+E000 to U+EFFF
_REPLACEMENTS = tuple((chr(old).encode(), chr(new).encode()) for old, new in CODE_POINTS_2022.items())


def to_2022(text: bytes) -> bytes:
    """UTF-8 that came from GB18030 bytes, with the characters that the codec left private replaced."""
    if _LEAD_BYTE not in text:
        return text
    for old, new in _REPLACEMENTS:
        text = text.replace(old, new)
    return text
