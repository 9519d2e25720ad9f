"""`python -m district --out DIR --residents N --seed S`: write a synthetic district."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from district.build import DATASETS, DEPARTMENTS, Manifest, build
from district.plan import PATTERNS


def main(arguments: Sequence[str]) -> int:
    asked = _parser().parse_args(arguments)
    manifest = build(
        asked.out,
        residents=asked.residents,
        seed=asked.seed,
        departments=asked.departments,
        datasets=asked.datasets,
        persons_only=asked.persons_only,
        patterns=set(PATTERNS) - set(asked.without),
        report=_show if sys.stderr.isatty() else lambda what, done, of: None,
    )
    _tell(manifest)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m district", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--residents", type=int, default=20_000, help="200 to 5,000,000")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--departments", type=int, default=DEPARTMENTS, help="how many departments take part, those with persons first")
    parser.add_argument("--datasets", type=int, default=DATASETS, help="how many data sets in all, up to 1,083")
    parser.add_argument("--persons-only", action="store_true", help="only the data sets about persons")
    parser.add_argument("--without", action="append", default=[], choices=PATTERNS, help="a dirty pattern to leave out; may be repeated")
    return parser


def _show(what: str, done: int, of: int) -> None:
    sys.stderr.write(f"\r{what} {done:,}/{of:,}" + ("\n" if done == of else ""))
    sys.stderr.flush()


def _tell(manifest: Manifest) -> None:
    for dataset in manifest.datasets:
        sys.stdout.write(f"{dataset.rows:>10,}  {dataset.department:<20} {dataset.title}  {dataset.file}\n")
    columns = sum(dataset.columns for dataset in manifest.datasets)
    sys.stdout.write(
        f"{manifest.rows:>10,}  rows, {columns:,} columns, {len(manifest.datasets)} data sets, {manifest.departments} departments, "
        f"{manifest.residents:,} residents\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
