"""Quality (质量): limits of the gate, dimensions of GB/T 36344, reasons for which a row is kept out; from `quality.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

COMPLETENESS, VALIDITY, UNIQUENESS, TIMELINESS, CONSISTENCY = "completeness", "validity", "uniqueness", "timeliness", "consistency"
UNREADABLE, FURNITURE, KEY = "unreadable", "furniture", "key"


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why a row stands in quarantine. `kind`: its key is at fault, it could not be read, or it is furniture of the table and no record."""

    code: str
    kind: str
    zh: str
    en: str


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Shares at which a snapshot is refused, or only marked."""

    rows_of_last: float
    key_faults: float
    unreadable_rows: float


@dataclass(frozen=True, kw_only=True)
class Marks:
    """The least shares that pass without a mark."""

    rows_of_last: float
    completeness_required: float
    completeness: float
    validity: float
    uniqueness: float
    consistency: float
    timeliness: float


@dataclass(frozen=True, kw_only=True)
class QualityRules:
    """The whole of `quality.yaml`."""

    refuse: Limits
    mark: Marks
    periods_days: Mapping[str, int]
    dimensions: Mapping[str, Mapping[str, str]]
    reasons: Mapping[str, Reason]


@cache
def load_quality() -> QualityRules:
    document = yaml.safe_load((Path(__file__).parent / "quality.yaml").read_text(encoding="utf-8"))
    return QualityRules(
        refuse=Limits(**document["refuse"]),
        mark=Marks(**document["mark"]),
        periods_days=document["periods_days"],
        dimensions=document["dimensions"],
        reasons={code: Reason(code=code, **row) for code, row in document["reasons"].items()},
    )
