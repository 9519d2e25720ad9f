"""Where checkpoints go besides the database and the witness's folder: second folders, and witnesses asked by HTTP.

They stand in `checkpoint-targets.json` beside the keys.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

TARGETS = "checkpoint-targets.json"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A folder, or a URL with the verifier key of the witness that answers there."""

    place: str
    witness_key: str = ""

    @property
    def by_http(self) -> bool:
        return self.place.startswith(("http://", "https://"))


def read_targets(keys: Path) -> list[Target]:
    path = keys / TARGETS
    return [Target(**one) for one in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []


def write_targets(keys: Path, targets: Sequence[Target]) -> None:
    aside = keys / f"{TARGETS}.tmp"
    with aside.open("w", encoding="utf-8") as file:
        json.dump([asdict(target) for target in targets], file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(keys / TARGETS)
