"""What an import found: entries with where each of their parts stood, and faults with theirs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catalog.entries.content import EntryContent
from rules.errors import ErrorText, load_error_texts

FAULTS_MOST = 5_000
"""So many faults are told of one document; then only that there are more."""


@dataclass(frozen=True, kw_only=True)
class ImportFault:
    """A fault at a place: `目录!D7` of a workbook, a JSON pointer of a document; `row` and `column` (letters) only of workbooks."""

    place: str
    code: str
    detail: str = ""
    row: int | None = None
    column: str | None = None

    @property
    def text(self) -> ErrorText:
        return load_error_texts()[self.code]

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.place} {self.code}: {self.text.zh} {self.text.en}{detail}"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something stands: as people find it, and its row and column where it stands in a workbook."""

    name: str
    row: int | None = None
    column: str | None = None

    def fault(self, code: str, detail: str = "") -> ImportFault:
        return ImportFault(place=self.name, code=code, detail=detail, row=self.row, column=self.column)


@dataclass(frozen=True, kw_only=True)
class ImportedEntry:
    """An entry of a document. `code` names the one that it changes, as it was at `revision`; without a code it is new.

    `places`: where the parts named as in `EntryFault.place` stand; `at` serves for all others.
    """

    content: EntryContent
    at: Place
    code: str | None = None
    revision: int | None = None
    places: Mapping[str, Place] = field(default_factory=dict, repr=False)

    def place(self, part: str) -> Place:
        return self.places.get(part, self.at)


@dataclass(frozen=True, kw_only=True)
class Imported:
    """All of a document."""

    entries: Sequence[ImportedEntry]
    faults: Sequence[ImportFault]
