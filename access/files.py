"""The formats an extract can have: CSV for Excel (UTF-8 with BOM, formulas made harmless), XLSX up to 100,000 rows, Parquet."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from rules.errors import Refused

MAX_XLSX_ROWS = 100_000
MAX_XLSX_CHARACTERS = 32_767
"""A cell of the format holds no more; the library would cut the text, and tells so by what it returns."""
BOM = b"\xef\xbb\xbf"
FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
PLAIN_NUMBER = r"^[+-]?\d+(\.\d+)?$"
COMPRESSION = "zstd"

Batches = Iterable[pa.RecordBatch]


def write(path: Path, names: list[str], batches: Batches, file_format: str) -> int:
    """Write the batches (text columns `names`) to `path`; returns the number of rows. Refused DOOR-FORMAT for an unknown format."""
    check_format(file_format)
    return WRITERS[file_format](path, pa.schema([(name, pa.string()) for name in names]), batches)


def check_format(file_format: str) -> None:
    if file_format not in WRITERS:
        raise Refused("DOOR-FORMAT", where=file_format, what=", ".join(WRITERS))


def digest_of(path: Path) -> str:
    """SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def escape_formulas(values: pa.Array) -> pa.Array:
    """A text that a spreadsheet would run as a formula gets an apostrophe before it; plain signed numbers stay."""
    risky = pc.and_not(pc.match_substring_regex(values, FORMULA), pc.match_substring_regex(values, PLAIN_NUMBER))
    return pc.if_else(risky, pc.binary_join_element_wise("'", values, ""), values)


def _write_csv(path: Path, schema: pa.Schema, batches: Batches) -> int:
    rows = 0
    with path.open("wb") as file:
        file.write(BOM)
        header = escape_formulas(pa.array(schema.names))
        safe = pa.schema([(name, pa.string()) for name in header.to_pylist()])
        with pa_csv.CSVWriter(file, safe) as writer:
            for batch in batches:
                writer.write_batch(pa.RecordBatch.from_arrays([escape_formulas(column) for column in batch.columns], schema=safe))
                rows += batch.num_rows
    return rows


def _write_parquet(path: Path, schema: pa.Schema, batches: Batches) -> int:
    rows = 0
    with pq.ParquetWriter(path, schema, compression=COMPRESSION) as writer:
        for batch in batches:
            writer.write_batch(batch.cast(schema))
            rows += batch.num_rows
    return rows


def _write_xlsx(path: Path, schema: pa.Schema, batches: Batches) -> int:
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    workbook = xlsxwriter.Workbook(str(path), options | {"tmpdir": str(path.parent)})
    try:
        sheet = workbook.add_worksheet()
        for column, name in enumerate(schema.names):
            sheet.write_string(0, column, name)
        return _write_rows(sheet.write_string, batches)
    finally:
        with suppress(FileNotFoundError):
            workbook.close()


def _write_rows(write_text: Callable[[int, int, str], object], batches: Batches) -> int:
    rows = 0
    for batch in batches:
        if rows + batch.num_rows > MAX_XLSX_ROWS:
            raise Refused("DOOR-XLSX-ROWS", what=f"> {MAX_XLSX_ROWS}")
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            rows += 1
            for column, value in enumerate(values):
                if value is not None and write_text(rows, column, value):
                    raise Refused("DOOR-XLSX-CELL", what=f"> {MAX_XLSX_CHARACTERS}")
    return rows


WRITERS: Mapping[str, Callable[[Path, pa.Schema, Batches], int]] = {"csv": _write_csv, "xlsx": _write_xlsx, "parquet": _write_parquet}
