"""X-13: birth dates as they arrive: lunar, year only, spreadsheet serials and zero dates, two-digit years, days that do not exist."""

from collections.abc import Callable
from datetime import date, timedelta

import pyarrow as pa

from district.dirt.numbers import rewritten
from district.views import View

_SPREADSHEET_ZERO = date(1899, 12, 30)


def odd_dates(view: View, share: float) -> None:
    for column in (c.name for c in view.spec.columns if c.element == "birth_date"):
        rows = view.free_rows(column, share)
        texts = view.columns[column].take(pa.array(rows)).to_pylist()
        view.rewrite("X-13", column, rows, rewritten(view.rng, texts, _WAYS))


def _lunar_month_before(text: str) -> str:
    """A lunar day written as if it were of the common calendar: 20 to 50 days too early."""
    day = date.fromisoformat(text)
    return str(day - timedelta(days=20 + day.day))


def _named_lunar(text: str) -> str:
    return f"农历{text[:4]}年{int(text[5:7])}月{int(text[8:])}日"


_WAYS: tuple[Callable[[str], str], ...] = (
    _lunar_month_before,
    _lunar_month_before,
    _named_lunar,
    lambda text: text[:4],
    lambda text: text[:7],
    lambda text: "1900-01-01",
    lambda text: "1899-12-30",
    lambda text: str((date.fromisoformat(text) - _SPREADSHEET_ZERO).days),
    lambda text: f"{text[2:4]}.{int(text[5:7])}.{int(text[8:])}",
    lambda text: f"{text[:4]}-02-31",
    lambda text: f"{text[:4]}-{text[8:]}-{text[5:7]}" if int(text[8:]) <= 12 else text,
)
