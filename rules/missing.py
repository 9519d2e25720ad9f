"""Missing markers (缺失标记): the texts by which departments say that there is no value, from `missing.yaml`."""

from functools import cache
from pathlib import Path

import yaml


@cache
def missing_words(*, zero_is_value: bool) -> frozenset[str]:
    """The trimmed texts that stand for no value; zero among them unless it can be one."""
    rows = yaml.safe_load((Path(__file__).parent / "missing.yaml").read_text(encoding="utf-8"))
    words = frozenset(rows["words"])
    return words if zero_is_value else words | frozenset(rows["zeros"])
