"""What a command prints: one JSON document with `--json`, else tables and sentences; progress on standard error, on a terminal only."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from rules.errors import TongchouError

PIPED_WIDTH = 140

as_json_option = click.option("--json", "as_json", is_flag=True, help="For machines (机器可读).")

console = Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
errors = Console(stderr=True, soft_wrap=True, highlight=False)


def print_json(value: Any) -> None:
    """One JSON document on standard output, keys in their given order."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, TongchouError):
        return {"code": value.code, "where": value.where, "message": str(value)}
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Path | Decimal):
        return str(value)
    raise TypeError(f"not JSON: {type(value).__name__}")


NAMED_BY_NUMBER = ("号", "年", "工单", "授权", "回执")


def print_table(title: str, headers: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[int] = ()) -> None:
    """A table; `numbers` are the columns to align on the right. Numbers of cases (号) and years are names, shown as one types them."""
    table = Table(title=title, title_justify="left", title_style="bold", show_edge=False, pad_edge=False)
    for position, header in enumerate(headers):
        table.add_column(header, justify="right" if position in numbers else "left", overflow="fold", no_wrap=position in numbers)
    for row in rows:
        table.add_row(*(_shown(cell, counted=not header.startswith(NAMED_BY_NUMBER)) for cell, header in zip(row, headers, strict=True)))
    console.print(table)


def _shown(cell: object, *, counted: bool) -> str:
    return "" if cell is None else f"{cell:,}" if isinstance(cell, int) and counted else str(cell)


class Steps:
    """A progress bar that counts finished items; silent where standard error is no terminal."""

    def __init__(self, bar: Progress, task: Any) -> None:
        self._bar, self._task = bar, task

    def done(self, label: str) -> None:
        self._bar.update(self._task, advance=1, description=label)


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Steps]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True, disable=not sys.stderr.isatty()) as bar:
        yield Steps(bar, bar.add_task(title, total=total))
