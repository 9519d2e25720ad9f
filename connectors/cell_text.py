"""Typed cells of Excel, Parquet, JSON and databases as the text a person would see there: no scientific notation, no binary noise."""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

EXCEL_DIGITS = 15
"""Excel keeps 15 significant digits; what follows is not the source's (law.md D-09)."""


def cell_text(value: Any) -> str | None:
    """One cell as text; None stays None."""
    if value is None or isinstance(value, str):
        return value
    return _TEXTS.get(type(value), _other)(value)


def number_text(value: float) -> str:
    """A float as Excel shows it: whole numbers without a point, others with at most 15 digits, never with an exponent."""
    if value != value or value in (float("inf"), float("-inf")):
        return ""
    return format(Decimal(f"{value:.{EXCEL_DIGITS}g}"), "f")


def moment_text(value: datetime) -> str:
    """A day alone where there is no time of day."""
    if value.tzinfo is None and value.time() == time(0):
        return value.date().isoformat()
    return value.isoformat(sep=" ", timespec="seconds" if not value.microsecond else "microseconds")


def _other(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


_TEXTS: Mapping[type, Callable[[Any], str]] = {
    bool: lambda value: "TRUE" if value else "FALSE",
    int: str,
    float: number_text,
    Decimal: lambda value: format(value, "f"),
    datetime: moment_text,
    date: date.isoformat,
    time: lambda value: value.isoformat(timespec="seconds"),
    timedelta: str,
    bytes: lambda value: value.decode("utf-8", "replace"),
    memoryview: lambda value: bytes(value).decode("utf-8", "replace"),
}
