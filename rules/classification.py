"""How information resources are classed and coded (信息资源分类与代码): law.md C-01, C-18 to C-20, from `classification.yaml`.

A code is 类 (1 digit) + 项 (2) + 目 (3) + 细目 (0 to 6), "/" and a serial number: 307012/000123. A district's departments stand under 307.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

CATEGORY = re.compile(r"[0-9]{6}(?:[0-9]{1,6})?")
CODE = re.compile(r"([0-9]{6,12})/([0-9]{6,9})")
DISTRICT_ITEM = "307"
OTHER_UNITS = "900"
"""The 目 of departments that the list does not know."""
SERIAL_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Classification:
    """类 and 项 by their digits, and the 目 under 307 of each department."""

    classes: Mapping[str, str]
    items: Mapping[str, str]
    departments: Mapping[str, str]

    def accepts(self, category: str) -> bool:
        """Whether the digits are 类, 项, 目 (and 细目) with a 类 and 项 that exist."""
        return bool(CATEGORY.fullmatch(category)) and category[:3] in self.items

    def title(self, category: str) -> str:
        """部门信息资源 / 省…政务部门; empty for digits that name no 项."""
        return f"{self.classes[category[:1]]} / {self.items[category[:3]]}" if category[:3] in self.items else ""

    def category_of(self, department: str) -> str:
        """Where a department's own resources stand when nothing else is said."""
        return DISTRICT_ITEM + self.departments.get(department, OTHER_UNITS)

    def read(self, text: str, department: str) -> str:
        """A category as contracts give it: its digits, or the name of a 项 (社会保障), else the department's own."""
        if self.accepts(digits := text.strip()):
            return digits
        named = next((item for item, title in self.items.items() if title in text), None) if text.strip() else None
        return self.category_of(department) if named in (None, DISTRICT_ITEM) else f"{named}000"


@cache
def load_classification() -> Classification:
    rows = yaml.safe_load((Path(__file__).parent / "classification.yaml").read_text(encoding="utf-8"))
    return Classification(**rows)


def resource_code(category: str, serial: int) -> str:
    """C-18: 分类码 / 顺序码."""
    return f"{category}/{serial:0{SERIAL_DIGITS}d}"
