"""Which sources have changed, told from names, sizes and times of their files: cheap enough to look every half minute."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from catalog.datasets import Dataset, Server
from rules.errors import Refused

DIGITS = 16


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a data set's files look like from outside: `fingerprint` changes whenever they do, `touched` is their newest time (POSIX)."""

    fingerprint: str
    touched: float


def look_at(datasets: Sequence[Dataset], *, settled_before: float) -> Mapping[str, Look]:
    """By data set. Left out: databases, missing files, and files touched after `settled_before`, which may still be being copied."""
    looks = {dataset.key: _look(_source_files(dataset.server)) for dataset in datasets}
    return {key: look for key, look in looks.items() if look is not None and look.touched <= settled_before}


def changed(looks: Mapping[str, Look], seen: Mapping[str, str], received: Mapping[str, datetime]) -> list[str]:
    """The data sets to bring in: other than when last `seen`, or, at first sight, younger than the snapshot that was `received` of it."""
    return sorted(key for key, look in looks.items() if _is_news(look, seen.get(key), received.get(key)))


def _is_news(look: Look, seen: str | None, received: datetime | None) -> bool:
    if seen is not None:
        return look.fingerprint != seen
    return received is None or look.touched > received.timestamp()


def _source_files(server: Server) -> Sequence[Path]:
    from connectors.sources import find_files

    try:
        return find_files(server.path, Path(server.base), server.format) if server.path is not None else []
    except Refused:  # missing: the schedule's run says so
        return []


def _look(files: Sequence[Path]) -> Look | None:
    if not files:
        return None
    stats = [(path.name, path.stat()) for path in files]
    told = "\n".join(f"{name}\t{stat.st_size}\t{stat.st_mtime_ns}" for name, stat in stats)
    return Look(fingerprint=hashlib.sha256(told.encode()).hexdigest()[:DIGITS], touched=max(stat.st_mtime for _, stat in stats))
