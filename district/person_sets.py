"""What each department's person data set looks like, read from `person_sets/*.yaml`: coverage, columns, forms and error habits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from district.yaml_files import read_yaml

KEY = "key"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: our name, the source's header, the element it holds (`key` for the record's key, None for what maps to none)."""

    name: str
    header: str
    element: str | None
    codes: str | None = None
    say: str | None = None
    dates: str | None = None
    spelling: str | None = None
    missing: float = 0.0
    fill: tuple[str, ...] = ()
    level: str | None = None
    of: str | None = None
    primary: bool = False

    @property
    def timeline(self) -> str:
        """Where the true values come from; mostly the element itself."""
        return self.of or self.element or ""


@dataclass(frozen=True, kw_only=True)
class Form:
    """How the file is written. `database` is a table of a SQLite file that the contract names by URL."""

    format: str
    encoding: str = "utf-8"
    delimiter: str = ","
    title_lines: int = 0
    totals: bool = False
    header_again: bool = False


@dataclass(frozen=True, kw_only=True)
class Copying:
    """For a share of its rows a department took these elements over from another data set, errors and all."""

    source: str
    elements: tuple[str, ...]
    share: float


@dataclass(frozen=True, kw_only=True)
class PersonSet:
    """`lag_days` is the mean age of what it knows; `stamp` row: each row carries its own day, upload: all carry the upload's.

    `most_share` is the largest share of the residents that it can cover, where that is far below one.
    """

    key: str
    department: str
    title: str
    covers: str
    rate: float
    columns: tuple[Column, ...]
    form: Form
    lag_days: float = 400.0
    stamp: str = "row"
    keeps_dead: float = 0.5
    knows_death: bool = False
    copies: tuple[Copying, ...] = ()
    habits: Mapping[str, float] = field(default_factory=dict)
    marker: str = ""
    key_prefix: str = "R"
    key_parts: int = 1
    update: str = "每月"
    share: str = "conditional"
    verified: bool = False
    source_of_record: tuple[str, ...] = ()
    legal_basis: str = ""
    most_share: float = 1.0

    @property
    def file_name(self) -> str:
        return f"sources/{self.department}/{self.key}"

    def column_of(self, element: str) -> Column | None:
        return next((column for column in self.columns if column.element == element), None)


@cache
def load_person_sets() -> Mapping[str, PersonSet]:
    """All of them in the order in which they are made: who copies comes after whom it copies from."""
    sets: dict[str, PersonSet] = {}
    for path in sorted((Path(__file__).parent / "person_sets").glob("*.yaml")):
        for key, row in read_yaml(path).items():
            assert key not in sets, f"{path.name}: {key} stands twice"
            sets[key] = _person_set(key, row)
            assert all(copy.source in sets for copy in sets[key].copies), f"{key} copies from a data set that is made later"
    return sets


def _person_set(key: str, row: Mapping[str, Any]) -> PersonSet:
    plain = {name: value for name, value in row.items() if name not in ("columns", "form", "copies", "source_of_record")}
    return PersonSet(
        key=key,
        columns=tuple(_column(entry) for entry in row["columns"]),
        form=Form(**row["form"]),
        copies=tuple(Copying(source=copy["from"], elements=tuple(copy["elements"]), share=copy["share"]) for copy in row.get("copies", ())),
        source_of_record=tuple(row.get("source_of_record", ())),
        **plain,
    )


def _column(entry: list[Any]) -> Column:
    name, header, element, *options = entry
    chosen = dict(options[0]) if options else {}
    chosen["fill"] = tuple(chosen.get("fill", ()))
    return Column(name=name, header=header, element=element, **chosen)
