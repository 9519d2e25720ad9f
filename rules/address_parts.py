"""Reading one address: free text → its parts → the standard spelling; law.md D-44, X-15.

Works on templates: every run of digits is one mark, so that a road of 2,000 houses is read once. `read` finds the parts, `spell` puts them
in the standard order: province city district street (community) road number estate building unit room.
"""

import re
from typing import NamedTuple, Protocol

from rules.characters import INVISIBLE
from rules.place_names import Places

FIRST_MARK = 0xF0000
MOST_MARKS = 16
FLOOR, ROOM = "\U000f00fe", "\U000f00ff"
"""Stand behind the marks of a floor and its room: 12层03室 and 12层1203室 are both room 1203."""

_D = f"(?:[\U000f0000-{chr(FIRST_MARK + MOST_MARKS)}]|[0-9]+)"
_SEPARATORS = re.compile(rf"[\s,，、。;；:：/|_—–·.'\"“”‘’~～!！<>《》【】\[\]（）(){INVISIBLE}]+")
_BRACKETED = re.compile(r"[(（【\[]([^)）】\]]*)[)）】\]]?")
_CHINESE_NUMBER = re.compile(r"[〇零一二三四五六七八九十百两]+(?=号|號|栋|棟|幢|座|单元|梯|层|楼(?!上|下|梯)|室|房(?!地产)|小?组|队|巷|期)")
_CHINESE_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}

_ITEM = re.compile(
    rf"(?P<number>[A-Z]{{0,2}}{_D}[A-Z]?(?![A-Z])|(?<![A-Z])[A-Z](?=[座栋棟幢]))\s*"
    r"(?P<suffix>号楼(?![上下])|號楼(?![上下])|号栋|号院|号房|号室|号铺|栋|棟|幢|座|#楼|#|单元|梯|层|楼(?![上下])|室|房(?![地屋])|户|铺|"
    r"国道|省道|县道|乡道|横?巷|横路|路|街(?!道|区)|期|小组|村民小组|组|队|号|號|之|-|)"
)
_ROAD = re.compile(
    r".{1,12}?(?:大道|公路|马路|国道|省道|大街|横街|直街|胡同|路|街(?!道|区|坊)|巷)(?:[东西南北中](?![\u4e00-\u9fff])|[东西南北中]段|[一二三四五]段)?"
)
_BUILDING, _ROOM = ("号楼", "號楼", "号栋", "栋", "棟", "幢", "座", "#楼", "#"), ("室", "房", "户", "号房", "号室")
_NAME_SUFFIX = ("国道", "省道", "县道", "乡道", "巷", "横巷", "横路", "路", "街", "期", "小组", "村民小组", "组", "队", "号院")


class Parts(NamedTuple):
    """The parts of one address, empty where it does not say; numbers may be marks. `fault` is the code of a note."""

    province: str = ""
    city: str = ""
    district: str = ""
    street: str = ""
    community: str = ""
    road: str = ""
    number: str = ""
    estate: str = ""
    building: str = ""
    unit: str = ""
    floor: str = ""
    room: str = ""
    tail: str = ""
    fault: str | None = None


class Names(Protocol):
    """What the reader asks the area register."""

    def road_in(self, text: str) -> str: ...


def marks(template: str) -> str:
    """Each run of digits (one `0` in a template) as a mark of its own."""
    pieces = template.split("0")
    return pieces[0] + "".join(chr(FIRST_MARK + i) + piece for i, piece in enumerate(pieces[1:]))


def read(text: str, places: Places, names: Names) -> Parts:
    """The parts of an address text; its place names by `places`, its roads by `names` where the register knows them."""
    told = _without_remarks(text.upper(), places)
    plain = _CHINESE_NUMBER.sub(lambda m: str(chinese_number(m[0])), told)
    area, rest = places.split(_SEPARATORS.sub(" ", plain).strip())
    building = _Building(names)
    building.take(rest)
    if building.tail:
        area, building.tail = places.split_end(area, building.tail)
    faults = {
        "ADDRESS-RELATIVE": places.relative_in(told),
        "ADDRESS-VAGUE": told.endswith("宿舍") and not building.room,
        "ADDRESS-OLD-NAME": area.renamed,
        "ADDRESS-REMARK": told != text.upper(),
    }
    return Parts(
        province=area.province,
        city=area.city,
        district=area.district,
        street=area.street,
        community=area.community,
        fault=next((code for code, found in faults.items() if found), None),
        **building.parts(),
    )


def spell(parts: Parts) -> str:
    """The standard spelling, with marks. The residents' committee is left out where road and number say it already."""
    community = "" if parts.road and parts.number and not parts.community.endswith("村") else parts.community
    return "".join(
        (
            parts.province,
            parts.city,
            parts.district,
            parts.street,
            community,
            parts.road,
            _numbered(parts.number),
            parts.estate,
            parts.building and f"{parts.building}栋",
            parts.unit and f"{parts.unit}单元",
            _room(parts.floor, parts.room),
            parts.tail,
        )
    )


def chinese_number(text: str) -> int:
    """十二 → 12, 一二〇三 → 1203, 一百零八 → 108."""
    if "十" not in text and "百" not in text:
        return int("".join(str(_CHINESE_DIGITS[c]) for c in text))
    total, digit = 0, 0
    for character in text:
        if character in "十百":
            total += (digit or 1) * (10 if character == "十" else 100)
            digit = 0
        else:
            digit = _CHINESE_DIGITS[character]
    return total + digit


def _without_remarks(text: str, places: Places) -> str:
    """Brackets stay where they hold a part of the address; they count as separators."""
    return _BRACKETED.sub(lambda m: "" if m[1].strip() in places.remarks else m[0], text)


def _numbered(number: str) -> str:
    """12号, and 12号之3 for a number below another."""
    if not number:
        return ""
    first, _, below = number.partition("-")
    return f"{first}号之{below}" if below else f"{first}号"


def _room(floor: str, room: str) -> str:
    if not room or not floor:
        return f"{room}室" if room else floor and f"{floor}层"
    if _is_mark(floor) and _is_mark(room):
        return f"{floor}{FLOOR}{room}{ROOM}室"
    if _is_mark(room) or not room.isdigit():
        return f"{floor}层{room}室"
    return f"{room}室" if len(room) > 2 else f"{floor}{room:0>2}室"


def _is_mark(number: str) -> bool:
    return len(number) == 1 and ord(number) >= FIRST_MARK


class _Building:
    """What follows the place names, collected from left to right: each number with the word behind it and the text before it."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._pending = ""
        self._chain: list[str] = []
        self.road = self.number = self.estate = self.building = self.unit = self.floor = self.room = self.tail = ""

    def parts(self) -> dict[str, str]:
        keys = ("road", "number", "estate", "building", "unit", "floor", "room", "tail")
        return {key: getattr(self, key) for key in keys}

    def take(self, rest: str) -> None:
        at = 0
        for item in _ITEM.finditer(rest):
            between = rest[at : item.start()].replace(" ", "")
            at = item.end()
            if between.strip("-"):
                self._end_chain("")
            self._pending += between.strip("-") if self._chain or not between.strip("-") else between
            self._take_item(item["number"], item["suffix"], rest[at : at + 1])
        self._end_chain("")
        self._finish((self._pending + rest[at:]).replace(" ", "").strip("-"))

    def _take_item(self, number: str, suffix: str, following: str) -> None:
        if suffix in _NAME_SUFFIX and not self._chain:
            self._pending += number + suffix.replace("村民小组", "组").replace("小组", "组")
        elif suffix == "-":
            self._chain.append(number)
        elif suffix in ("", "之") and not self._chain and following not in ("", " ", "-"):
            self._take_bare(number, suffix)
        else:
            self._chain.append(number)
            self._end_chain(suffix)

    def _take_bare(self, number: str, suffix: str) -> None:
        """A number without a word: a room after a building, else a part of a name such as 325国道 or 7天酒店."""
        if suffix == "" and self.building and not self.room and not self._pending:
            self.room = number
        else:
            self._pending += number + suffix

    def _end_chain(self, suffix: str) -> None:
        if not self._chain:
            return
        chain, self._chain = self._chain, []
        if suffix in ("号", "號"):
            self._take_house_number("-".join(chain))
        elif suffix in _BUILDING:
            self._place_pending()
            self.building = "-".join(chain)
        elif suffix in ("单元", "梯"):
            self._set_last(("building", "unit"), chain)
        elif suffix in ("层", "楼"):
            self._set_last(("building", "unit", "floor"), chain)
        elif suffix == "铺":
            self._place_pending()
            self.tail += "-".join(chain) + "铺"
        else:
            self._take_room(chain, named=suffix in _ROOM)

    def _take_house_number(self, number: str) -> None:
        """The first 号 is the house on its road; after that a building of the estate, after a building a room."""
        if self.number and self._pending.startswith("之") and self._pending == "之":
            self.number, self._pending = f"{self.number}-{number}", ""
        elif not self.number and (self._pending or not (self.estate or self.building)):
            self._place_pending(road_last=True)
            self.number = number
        elif self.building:
            self.room = self.room or number
        else:
            self._place_pending()
            self.building = number

    def _take_room(self, chain: list[str], *, named: bool) -> None:
        roads = bool(_ROAD.fullmatch(self._pending) or self._names.road_in(self._pending)) and not self.number
        if not named and roads and len(chain) <= 2:
            self._place_pending(road_last=True)
            self.number = "-".join(chain)
            return
        if not named and len(chain) == 1 and not self.building and self.number and self._pending == "之":
            self.number, self._pending = f"{self.number}-{chain[0]}", ""
            return
        if not named and len(chain) == 1 and not (self.building or self.unit or self.floor):
            self._pending += chain[0]
            return
        self._place_pending()
        free = ("building", "unit", "room") if not self.building else ("unit", "room")
        self._set_last(free if len(chain) > 1 and len(chain) != 2 else (free[0], "room"), chain)

    def _set_last(self, keys: tuple[str, ...], chain: list[str]) -> None:
        """The last number belongs to the last key, those before it to the keys before."""
        self._place_pending()
        for key, number in zip(reversed(keys), reversed(chain), strict=False):
            setattr(self, key, number)

    def _place_pending(self, *, road_last: bool = False) -> None:
        """The text before a number: a road, an estate, or both."""
        text, self._pending = self._pending, ""
        if not text:
            return
        road, estate = self._split_road(text, road_last)
        self.road = self.road or road
        self.estate += estate

    def _split_road(self, text: str, road_last: bool) -> tuple[str, str]:
        if self.road:
            return "", text
        if road := self._names.road_in(text):
            return road, text.replace(road, "", 1)
        if road_last:
            return text, ""
        found = _ROAD.match(text)
        return (found[0], text[found.end() :]) if found else ("", text)

    def _finish(self, rest: str) -> None:
        self._pending = ""
        if not rest:
            return
        if not (self.estate or self.building or self.room):
            road, estate = self._split_road(rest, False)
            self.road, self.estate = self.road or road, estate
        else:
            self.tail += rest
