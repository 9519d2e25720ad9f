"""Own clients (本部门服务对象): the list of numbers that a department uploads, so that its grant reaches those people and no others.

The list is kept under the home in a file named by its digest, and holds keyed hashes: neither store nor log nor the file shows a number.
What a grant and its records say of it is the digest and how many it lists.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.orm import Session

from access.populations import keep_bytes, read_bytes
from access.terms import Clients
from audit.log import Log
from catalog.areas import county_codes
from masking.methods import over_distinct
from rules.cells import Standardised
from rules.errors import Refused
from rules.identity_numbers import standardise_identity_numbers

SUFFIX = ".clients"
MOST_CLIENTS = 2_000_000
FAULTS_TOLD = 50
KIND = "id_number"


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A list as the door reads by it. The log's key hides numbers in records; by the same key they are hidden here."""

    hashes: pa.Array
    log: Log

    def only(self, batches: Iterator[pa.RecordBatch], column: str) -> Iterator[pa.RecordBatch]:
        """The rows whose number is on the list."""
        for batch in batches:
            hidden = over_distinct(batch[column], lambda number: self.log.subject(KIND, number))
            yield batch.filter(pc.is_in(hidden, value_set=self.hashes))


def keep_clients(folder: Path, session: Session, log: Log, file: Path) -> Clients:
    """Keep the numbers of a text file, one a line; a heading may stand above them.

    Refused DOOR-CLIENTS tells which lines are faulty, and no number.
    """
    lines = [line.strip() for line in _text(file).splitlines()]
    if lines and not any(character.isdigit() for character in lines[0]):
        lines[0] = ""
    found = standardise_identity_numbers(pa.array(lines, pa.string()), regions=county_codes(session), today=None)
    _refuse_faults(file, lines, found)
    numbers = sorted({log.subject(KIND, number) for number in found.value.to_pylist() if number})
    if not 0 < len(numbers) <= MOST_CLIENTS:
        raise Refused("DOOR-CLIENTS", where=file.name, what=f"1–{MOST_CLIENTS} 个证件号 numbers")
    return Clients(digest=keep_bytes(folder, "\n".join(numbers).encode(), SUFFIX), size=len(numbers))


def read_clients(folder: Path, clients: Clients, log: Log) -> Listed:
    """IntegrityBroken DOOR-POPULATION if the list is gone or is not what its name says."""
    hashes = read_bytes(folder, clients.digest, SUFFIX).decode().splitlines()
    return Listed(hashes=pa.array(hashes, pa.string()), log=log)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise Refused("DOOR-CLIENTS", where=file.name, what="UTF-8 文本 text") from fault


def _refuse_faults(file: Path, lines: list[str], found: Standardised) -> None:
    given = found.value.to_pylist()
    faulty = [place for place, (line, number) in enumerate(zip(lines, given, strict=True), start=1) if line and not number]
    if faulty:
        told = ", ".join(map(str, faulty[:FAULTS_TOLD])) + (" …" if len(faulty) > FAULTS_TOLD else "")
        raise Refused("DOOR-CLIENTS", where=file.name, what=f"{len(faulty)} 行有误 faulty lines: {told}")
