"""`python -m district --out DIR --residents N --seed S`: write a synthetic district."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from district.build import build
from district.plan import PATTERNS


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m district", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--residents", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--without", action="append", default=[], choices=PATTERNS, help="a dirty pattern to leave out; may be repeated")
    asked = parser.parse_args(arguments)
    manifest = build(asked.out, residents=asked.residents, seed=asked.seed, patterns=set(PATTERNS) - set(asked.without))
    for dataset in manifest.datasets:
        sys.stdout.write(f"{dataset.rows:>10,}  {dataset.department:<20} {dataset.title}  {dataset.file}\n")
    sys.stdout.write(f"{manifest.rows:>10,}  rows in {len(manifest.datasets)} data sets of {manifest.residents:,} residents\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
