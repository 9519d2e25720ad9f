"""YAML files, read and written with libyaml where it is there: some 150 contracts are written for a demonstration."""

from pathlib import Path
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def read_yaml(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)


def write_yaml(path: Path, document: Any) -> None:
    text = yaml.dump(document, Dumper=_DUMPER, allow_unicode=True, sort_keys=False, width=140)
    path.write_text(text, encoding="utf-8")
