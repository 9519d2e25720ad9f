"""The error tree of the platform: what went wrong, what state the data is in, what to do next.

TongchouError
├── Refused          exit 2   what a person or a department sent cannot be taken (terminal until the input changes)
├── Denied           exit 3   a policy says no
├── NotFound         exit 4   what was named does not exist
├── IntegrityBroken  exit 5   stored data or the log is not what was written
└── PlatformFault    exit 1   the platform itself failed; `retry` says whether the same call can help

Every error carries a stable code, a key of `errors.yaml`, where its Chinese and English text and the next step stand. `where` names a file,
data set, column or row number; never a value of a row: errors are printed and logged, and nothing personal may be in either.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import ClassVar

import yaml


@dataclass(frozen=True, kw_only=True)
class ErrorText:
    """What `errors.yaml` holds of one code."""

    code: str
    zh: str
    en: str
    next_zh: str
    next_en: str
    retry: bool


class TongchouError(Exception):
    """Root of the tree; raise one of the subclasses."""

    exit_code: ClassVar[int] = 1

    def __init__(self, code: str, *, where: str = "", what: str = "") -> None:
        self.text = load_error_texts()[code]
        self.code, self.where, self.what = code, where, what
        super().__init__(self.message())

    def __reduce__(self) -> tuple[object, ...]:
        """Copied and sent between processes as what it was made of."""
        return partial(type(self), self.code, where=self.where, what=self.what), ()

    @property
    def retry(self) -> bool:
        return self.text.retry

    def message(self) -> str:
        """One line: code, Chinese, English, where, detail, and what to do now."""
        place = f" [{self.where}]" if self.where else ""
        detail = f" ({self.what})" if self.what else ""
        return f"{self.code} {self.text.zh} {self.text.en}{place}{detail} → {self.text.next_zh} {self.text.next_en}"


class Refused(TongchouError):
    exit_code = 2


class Denied(TongchouError):
    exit_code = 3


class NotFound(TongchouError):
    exit_code = 4


class IntegrityBroken(TongchouError):
    exit_code = 5


class PlatformFault(TongchouError):
    exit_code = 1


@cache
def load_error_texts() -> Mapping[str, ErrorText]:
    """All error codes with their texts, from `errors.yaml`."""
    rows = yaml.safe_load((Path(__file__).parent / "errors.yaml").read_text(encoding="utf-8"))
    return {code: _text(code, row) for code, row in rows.items()}


def _text(code: str, row: Mapping[str, str]) -> ErrorText:
    zh_next, en_next = row["next"].split(" | ")
    return ErrorText(code=code, zh=row["zh"], en=row["en"], next_zh=zh_next, next_en=en_next, retry=bool(row.get("retry", False)))
