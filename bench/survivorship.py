"""Which value becomes golden, against the truth of a district: beside majority, newest and static priority on the same clusters,
and how far reliabilities and confidences can be relied upon, with verified observations and without: bench/results/survivorship.json.

`python -m bench.survivorship [--residents N …] [--seed S] [--work DIR]`; with --work the districts are kept and used again.
Nothing in the platform was made to suit the seed that is reported.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from bench.accepted import write_accepted
from catalog.home import Home
from catalog.lake import Lake
from catalog.snapshots import newest_accepted
from catalog.store import open_store
from golden.claims import batches, list_claimants, list_claims, list_rules
from golden.engine import identifier, open_engine, quoted
from golden.reliability import LEARNT, learn_reliability
from golden.resolution import resolve
from golden.sources import RecordSource, claimed_elements, record_sources
from golden.survivorship import choose_values
from rules.authority import load_survivorship
from rules.matching import load_matching

RESULT = Path(__file__).parent / "results" / "survivorship.json"
NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
SEED = 5
POINTS, CEILING = 0.02, 0.005
"""An element reaches what is asked if it is so far above the better of majority and newest, or so near to what any source holds."""

MANY_CLAIMS = 500
BASELINES = {
    "majority": "count(*) DESC, max(day) DESC, min(src)",
    "newest": "max(day) DESC, min(src)",
    "priority": "min(rank), max(day) DESC, min(src)",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, nargs="+", default=(20_000, 200_000))
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--work", type=Path)
    asked = parser.parse_args()
    results = []
    with TemporaryDirectory() as folder:
        for residents in asked.residents:
            results.append(measure((asked.work or Path(folder)) / f"{residents}-{asked.seed}", residents, asked.seed))
            report(results[-1])
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def measure(work: Path, residents: int, seed: int) -> dict:
    district, home, load = work / "district", Home(work / "home"), round(os.getloadavg()[0], 1)
    if not (work / "ready").exists():
        write_accepted(district, home, residents=residents, seed=seed, now=NOW)
        (work / "ready").touch()
    home.create()  # a kept home may be of an older schema
    with open_store(home.store_url).session() as session:
        sources = record_sources(newest_accepted(session, Lake(home.lake_root)))
    with open_engine(work / "spill") as con:
        resolve(con, sources, matching=load_matching(), survivorship=load_survivorship(), previous=None)
        _list_people(con, district / "truth")
        with_checks = _judged(con, sources)
        unchecked = [replace(source, columns={}) if source.verified else source for source in sources]
        for relation in LEARNT:
            con.execute(f"DROP TABLE {relation}")
        began = time.monotonic()
        learn_reliability(con, unchecked, load_survivorship())
        learnt = time.monotonic()
        choose_values(con, unchecked, load_survivorship())
        seconds = {"learning": round(learnt - began, 1), "choosing": round(time.monotonic() - learnt, 1)}
        without = _judged(con, unchecked)
    told = {"residents": residents, "seed": seed, "load_average_before": load, "seconds": seconds}
    return {**told, "with_checks": with_checks, "without_checks": without}


def _list_people(con: duckdb.DuckDBPyConnection, truth: Path) -> None:
    """people(res, resident): a true resident is judged by the golden one that most of the records went to."""
    con.execute(f"""
        CREATE TABLE people AS SELECT res, resident FROM (
          SELECT res, resident, count(*) AS n FROM resident_of JOIN records USING (rid) JOIN sources USING (src)
          JOIN '{quoted(str(truth / "records.parquet"))}' USING (dataset, record) GROUP BY ALL)
        QUALIFY row_number() OVER (PARTITION BY resident ORDER BY n DESC, res) = 1""")
    con.execute(f"CREATE VIEW truth AS FROM '{quoted(str(truth / 'residents.parquet'))}'")


def _judged(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource]) -> dict:
    known = {row[0] for row in con.execute("DESCRIBE truth").fetchall()}
    con.execute("CREATE OR REPLACE TABLE right_claims (element VARCHAR, dataset VARCHAR, claims BIGINT, share DOUBLE)")
    con.execute("CREATE OR REPLACE TABLE right_golden (element VARCHAR, confidence DOUBLE, hit BOOLEAN)")
    list_claimants(con)
    elements: dict[str, dict] = {}
    for batch in batches(claimed_elements(sources), sources, [0] * len(sources)):
        list_rules(con, batch, sources, load_survivorship())
        list_claims(con, batch, sources)
        elements |= {e.key: _element(con, eix, e.key) for eix, e in enumerate(batch) if e.key in known}
    return {"elements": elements, "reliability": _reliability(con), "confidence": _confidence(con)}


def _element(con: duckdb.DuckDBPyConnection, eix: int, key: str) -> dict:
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE true_values AS
        SELECT res, nullif({identifier(key)}::VARCHAR, '') AS value FROM people JOIN truth USING (resident)""")
    con.execute("DELETE FROM true_values WHERE value IS NULL")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE said AS
        SELECT c.*, rank, dataset, verified FROM claims c JOIN standing USING (eix, src) JOIN sources USING (src) WHERE eix = {eix}""")
    con.execute(f"""
        INSERT INTO right_claims SELECT '{key}', dataset, count(*), avg((said.value = t.value)::INT)
        FROM said JOIN true_values t USING (res) WHERE latest AND NOT verified GROUP BY dataset""")
    con.execute(f"""
        INSERT INTO right_golden SELECT '{key}', confidence, g.value = t.value FROM golden_values g JOIN true_values t USING (res)
        WHERE element = '{key}' AND g.value IS NOT NULL""")
    shares = {name: _share(con, f"({_chosen(order)})") for name, order in BASELINES.items()}
    golden = _share(con, f"(SELECT res, value FROM golden_values WHERE element = '{key}')")
    ceiling = _share(con, "(SELECT DISTINCT res, value FROM said)")
    wanted = min(max(shares["majority"], shares["newest"]) + POINTS, ceiling - CEILING)
    figures = {"golden": golden, "ceiling": ceiling, **shares}
    return {**{name: round(share, 4) for name, share in figures.items()}, "reached": golden >= wanted}


def _chosen(order: str) -> str:
    return f"""
        SELECT res, arg_max(value, day * 100 - src) AS value FROM said WHERE latest GROUP BY res, vid
        QUALIFY row_number() OVER (PARTITION BY res ORDER BY {order}) = 1"""


def _share(con: duckdb.DuckDBPyConnection, chosen: str) -> float:
    sql = f"SELECT count(c.res) / count(*) FROM true_values t LEFT JOIN {chosen} c ON c.res = t.res AND c.value = t.value"
    return float(con.execute(sql).fetchall()[0][0] or 0)


def _reliability(con: duckdb.DuckDBPyConnection) -> dict:
    """Of (source, element) with many claims; widely: those about elements that several sources state, where anything can be learnt."""
    judged = f"""
        SELECT r.element, dataset, abs(p - share) AS off, share BETWEEN low AND high AS held, high - low AS width,
          count(*) OVER (PARTITION BY r.element) > 1 AS widely
        FROM right_claims r JOIN learnt_reliability l USING (element, dataset) WHERE l.age IS NULL AND r.claims >= {MANY_CLAIMS}"""
    found = {}
    for name, where in (("all", "true"), ("stated_by_several", "widely")):
        row = con.execute(f"SELECT count(*), avg(off), max(off), avg(held::INT), avg(width) FROM ({judged}) WHERE {where}").fetchall()[0]
        found[name] = dict(zip(("pairs", "off_on_average", "off_at_most", "held_by_interval", "width"), _rounded(row), strict=True))
    worst = con.execute(f"SELECT element, dataset, off FROM ({judged}) ORDER BY off DESC, element, dataset LIMIT 12").fetchall()
    return {**found, "worst": [[element, dataset, round(off, 4)] for element, dataset, off in worst]}


def _confidence(con: duckdb.DuckDBPyConnection) -> dict:
    """Golden values by how sure they are said to be, over all elements, and 90–99 % by element."""
    edges = (0.0, 0.5, 0.7, 0.9, 0.92, 0.94, 0.96, 0.98, 0.99, 1.01)
    bands = [*pairwise(edges), (0.9, 0.99)]
    found = {f"{low}-{min(high, 1.0)}": _band(con, low, high) for low, high in bands}
    keys = [row[0] for row in con.execute("SELECT DISTINCT element FROM right_golden ORDER BY element").fetchall()]
    return {"bands": found, "0.9-0.99 by element": {key: band for key in keys if (band := _band(con, 0.9, 0.99, key))["values"]}}


def _band(con: duckdb.DuckDBPyConnection, low: float, high: float, element: str | None = None) -> dict:
    sql = "SELECT count(*), avg(confidence), avg(hit::INT) FROM right_golden WHERE confidence >= $1 AND confidence < $2"
    row = con.execute(f"{sql} AND ($3 IS NULL OR element = $3)", [low, high, element]).fetchall()[0]
    return dict(zip(("values", "said", "right"), _rounded(row), strict=True))


def _rounded(row: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else round(float(value), 4) for value in row]


def report(result: dict) -> None:
    for mode in ("with_checks", "without_checks"):
        print(mode)
        for key, row in result[mode]["elements"].items():
            shares = "  ".join(f"{name} {row[name]:.4f}" for name in ("golden", "ceiling", *BASELINES))
            print(f"  {key:30} {shares}  {'' if row['reached'] else 'SHORT'}")
        print("  reliability", json.dumps(result[mode]["reliability"], ensure_ascii=False))
        print("  confidence", json.dumps(result[mode]["confidence"]["bands"]))


if __name__ == "__main__":
    main()
