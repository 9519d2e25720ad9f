"""Our side of one row of `bench.linking`: `python -m bench.linking_ours ROW CLUSTERS FILE …` links Parquet files and prints the figures.

The steps are those of every reconciliation; what is learnt from the table counts as training.
"""

import argparse
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from bench.peers.stages import Stages
from bench.reconcile import NOW, forget
from catalog.home import Home
from catalog.lake import Lake
from catalog.snapshots import newest_accepted
from catalog.store import open_store
from golden.engine import open_engine, quoted
from golden.reconcile import reconcile
from golden.records import column_of
from golden.sources import RecordSource, record_sources
from golden.tables import link_table
from golden.versions import golden_folder
from rules.matching import MatchingRules, read_matching
from rules.names import name_key, pinyin_key

HERE = Path(__file__).parent
WARMING = pa.array(["陈大文"])
"""A name, so that dictionaries of characters are loaded before the clock starts, as libraries are."""

ELEMENTS: Mapping[str, tuple[str, ...]] = {
    "id_number": ("id_number",),
    "name": ("name",),
    "birth_date": ("birth_date",),
    "sex": ("sex",),
    "phone": ("phone",),
    "address": ("residence_address", "hukou_address", "registered_residence_address", "house_address"),
}
"""Columns of the table that the peers are given of a district, and the elements that they are taken from."""

_DISTRICT_STAGES: Mapping[str, str] = {"learning": "training"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("row")
    parser.add_argument("clusters", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    asked = parser.parse_args()
    link = {"district": _district}.get(asked.row, _table)
    link(asked.row, asked.files, asked.clusters)


def _table(row: str, files: Sequence[Path], clusters: Path) -> None:
    rules, rows, of_record = _READ.get(row, _three_sources)(row, files)
    name_key(WARMING), pinyin_key(WARMING)
    stages = Stages()
    with TemporaryDirectory() as spill, open_engine(Path(spill)) as con:
        con.execute(f"CREATE VIEW rows AS {rows}")
        con.execute("CREATE VIEW people AS SELECT * EXCLUDE (record) FROM rows")
        link_table(con, "people", rules, of_record=of_record, told=lambda step: stages.begin("training" if step == "learning" else step))
        stages.end()
        stages.report(pairs=con.execute("SELECT count(*) FROM pairs").fetchall()[0][0])
        con.execute(f"""
            COPY (SELECT '' AS dataset, record, cluster::VARCHAR AS resident_id FROM linked JOIN rows USING (rid))
            TO '{quoted(str(clusters))}' (FORMAT parquet)""")


def _three_sources(row: str, files: Sequence[Path]) -> tuple[MatchingRules, str, Sequence[str]]:
    rows = " UNION ALL ".join(
        f"""SELECT unique_id AS rid, unique_id::VARCHAR AS record, '{file.stem}' AS source, id_number AS number, name, birth_date AS birth,
              sex, phone, address FROM '{quoted(str(file))}'"""
        for file in files
    )
    return read_matching("residents", HERE / "three_sources.yaml"), rows, ("police",)


def _historical(row: str, files: Sequence[Path]) -> tuple[MatchingRules, str, Sequence[str]]:
    rows = f"""
        SELECT row_number() OVER (ORDER BY unique_id) AS rid, unique_id AS record, first_name, surname, dob AS born, birth_place AS place,
          postcode_fake AS postcode, occupation, gender FROM '{quoted(str(files[0]))}'"""
    return read_matching(row, HERE / "matching.yaml"), rows, ()


def _febrl4(row: str, files: Sequence[Path]) -> tuple[MatchingRules, str, Sequence[str]]:
    rows = f"""
        SELECT row_number() OVER (ORDER BY unique_id) AS rid, unique_id AS record, given_name, surname, street_number, address_1 AS street,
          suburb, postcode, soc_sec_id, regexp_replace(date_of_birth, '^(....)(..)(..)$', '\\1-\\2-\\3') AS born
        FROM read_parquet({[str(file) for file in files]})"""
    return read_matching(row, HERE / "matching.yaml"), rows, ()


_READ = {"historical_50k": _historical, "febrl4": _febrl4}


def _district(row: str, files: Sequence[Path], clusters: Path) -> None:
    """The reconciliation of the platform itself, from accepted snapshots; it takes every element, and golden values are not counted."""
    home = Home(files[0].parent / "home")
    store, lake = open_store(home.store_url), Lake(home.lake_root)
    shutil.rmtree(lake.root / "golden", ignore_errors=True)
    forget(store)
    stages = Stages()
    outcome = reconcile(store, lake, full=True, now=NOW, told=lambda step: stages.begin(_DISTRICT_STAGES.get(step, step)))
    stages.end()
    for beside in ("values", "files"):
        stages.seconds.pop(beside, None), stages.processor_seconds.pop(beside, None)
    stages.report()
    crosswalk = quoted(str(golden_folder(lake, outcome.version) / "crosswalk.parquet"))
    with duckdb.connect() as con:
        con.execute(f"""
            COPY (SELECT '' AS dataset, dataset || ':' || record AS record, resident_id FROM '{crosswalk}')
            TO '{quoted(str(clusters))}' (FORMAT parquet)""")


def standardised_rows(home: Home) -> str:
    """SQL (unique_id, one column per element of `ELEMENTS`) over the newest accepted snapshots, for engines that read one table."""
    with open_store(home.store_url).session() as session:
        sources = record_sources(newest_accepted(session, Lake(home.lake_root)))
    return " UNION ALL ".join(
        f"SELECT '{source.dataset}:' || _record AS unique_id, {_elements(source)} FROM '{quoted(str(source.standard))}'"
        for source in sources
    )


def _elements(source: RecordSource) -> str:
    return ", ".join(f"{_first(source, names)} AS {column}" for column, names in ELEMENTS.items())


def _first(source: RecordSource, elements: Sequence[str]) -> str:
    said = [column for column in (column_of(source, element) for element in elements) if column is not None]
    return f"coalesce({', '.join(said)}, NULL)::VARCHAR" if said else "NULL::VARCHAR"


if __name__ == "__main__":
    main()
