"""Reading the headers of a form that a department is about to collect (采集表单)."""

from pathlib import Path

from catalog.datasets import Server
from connectors.sources import format_of, open_server
from rules.errors import Refused

LISTS = frozenset({".txt", ".md"})


def form_headers(file: Path) -> list[str]:
    """The headers of a table (xlsx, csv …), also one without rows; or a text file's lines, one item each."""
    if file.suffix.lower() in LISTS:
        return [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    source = open_server(Server(type="local", base=str(file.absolute().parent), path=file.name, format=format_of(file)))
    headers = [header for part in source.parts for header in part.header if header]
    if not headers:
        raise Refused("SRC-EMPTY", where=file.name)
    return headers
