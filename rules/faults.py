"""What can be wrong with one cell: stable codes, how severe each is, and its text for the department (D-40: the department verifies)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

Severity = Literal["void", "note"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`void` drops the value, `note` keeps it; the raw value is kept beside it in both cases."""

    code: str
    severity: Severity
    zh: str
    en: str


@cache
def load_faults() -> Mapping[str, Fault]:
    """All fault codes of `faults.yaml`."""
    rows = yaml.safe_load((Path(__file__).parent / "faults.yaml").read_text(encoding="utf-8"))
    return {code: Fault(code=code, severity=row["severity"], zh=row["zh"], en=row["en"]) for code, row in rows.items()}
