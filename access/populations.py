"""The population (居民集) of a bulk answer: its residents as a compressed bitmap, kept under the home, addressed by its digest.

The RESULT record names the digest, so that whose data was handed over can be told of an extract as of a look-up, and two answers compared.
"""

import secrets
from collections.abc import Collection, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap64

from audit.log import Log
from catalog.lake import sync
from rules.errors import IntegrityBroken

SUFFIX = ".roaring"
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
MOST_NAMED = 500
"""So many residents a record names one by one; more are a population."""


class Population:
    """Distinct residents over batches, by the number in their id; rows that belong to no known resident count one each."""

    def __init__(self) -> None:
        self._numbers = BitMap64()
        self._unknown = 0

    @classmethod
    def of(cls, numbers: np.ndarray, unknown: int) -> "Population":
        """Of resident numbers and so many persons of no known resident."""
        made = cls()
        made._numbers, made._unknown = BitMap64(numbers.astype(np.uint64)), unknown
        return made

    def add(self, subjects: pa.Array) -> None:
        """The residents of some rows; null where a row belongs to no known one."""
        self._numbers |= BitMap64(resident_numbers(subjects.drop_null()))
        self._unknown += subjects.null_count

    @property
    def total(self) -> int:
        return len(self._numbers) + self._unknown

    @property
    def numbers(self) -> BitMap64:
        return self._numbers

    def keep(self, folder: Path) -> str:
        """Keep the known residents in the folder of populations, durably; returns the digest that the file is named by."""
        return keep_bytes(folder, as_bytes(self._numbers), SUFFIX)


def about(residents: Collection[str], log: Log, folder: Path) -> Mapping[str, Any]:
    """Whom an answer about single people is about, as its record names them: so that each can be told who saw him."""
    if len(residents) <= MOST_NAMED:
        return {"subjects": sorted(log.subject("resident", resident) for resident in residents)}
    population = Population()
    population.add(pa.array(sorted(residents), pa.string()))
    return {"population": population.keep(folder)}


def resident_numbers(ids: pa.Array) -> np.ndarray:
    """The numbers of resident ids: R0000000042 → 42."""
    return pc.cast(pc.utf8_slice_codeunits(ids, 1), pa.uint64()).to_numpy(zero_copy_only=False)


def as_bytes(numbers: BitMap64) -> bytes:
    """The same bytes for the same residents, however they were gathered."""
    compact = BitMap64(numbers)
    compact.run_optimize()
    return compact.serialize()


def read_population(folder: Path, digest: str) -> BitMap64:
    """The residents of an answer. IntegrityBroken DOOR-POPULATION if the file is gone or is not what its name says."""
    return BitMap64.deserialize(read_bytes(folder, digest, SUFFIX))


def keep_bytes(folder: Path, data: bytes, suffix: str) -> str:
    """A file named by the digest of its content, whole and durable or not there; returns the digest."""
    digest = sha256(data).hexdigest()
    place = _place(folder, digest, suffix)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        aside = place.with_name(f"{place.name}.{secrets.token_hex(8)}.tmp")
        aside.touch(mode=PRIVATE_FILE)
        aside.write_bytes(data)
        sync(aside)
        aside.replace(place)
        sync(place.parent)
        sync(place.parent.parent)
    return digest


def read_bytes(folder: Path, digest: str, suffix: str) -> bytes:
    place = _place(folder, digest, suffix)
    data = place.read_bytes() if place.exists() else b""
    if sha256(data).hexdigest() != digest:
        raise IntegrityBroken("DOOR-POPULATION", where=place.name)
    return data


def _place(folder: Path, digest: str, suffix: str) -> Path:
    """256 folders, so that none grows without end."""
    return folder / digest[:2] / f"{digest}{suffix}"
