"""Extracts of all residents under one grant, 20 columns, in bounded memory, to bench/results/extracts.json.

`python -m bench.extracts [--residents N] [--home FOLDER]`: a golden version of N invented residents is laid out, two in a hundred of them
with a value in dispute; then each extract is taken through the door by a process of its own, whose peak of memory is told. Masked (T2:
masks, pseudonyms, fingerprints, marks of dispute) and plain (T4). Receipt, population and the two records are within the time.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from access.accounts import ensure_operator
from access.door import create_keys, open_door
from access.grants import grant
from access.terms import Disputed
from audit.log import open_log
from catalog.home import Home
from catalog.lake import Lake
from catalog.schema import GoldenVersionRow, ReconcileRunRow
from catalog.store import open_store
from golden.versions import golden_folder
from rules.tiers import Tier

RESULTS = Path(__file__).parent / "results" / "extracts.json"
MEMORY_LIMIT_GIB, TIME_LIMIT_S = 2, 90
COLUMNS = {
    "resident_id": "'R' || lpad(n::VARCHAR, 10, '0')",
    "name": "['王','李','张','陈','欧阳'][1 + n % 5] || chr(20000 + (n * 7 % 5000)::INTEGER) || chr(20000 + (n * 13 % 5000)::INTEGER)",
    "id_number": "'990605' || strftime(born, '%Y%m%d') || lpad((n % 1000)::VARCHAR, 3, '0') || (n % 10)::VARCHAR",
    "sex": "(1 + n % 2)::VARCHAR",
    "birth_date": "strftime(born, '%Y-%m-%d')",
    "ethnicity": "lpad((1 + n % 56)::VARCHAR, 2, '0')",
    "phone": "'13' || lpad((n % 1000000000)::VARCHAR, 9, '0')",
    "guardian_phone": "CASE WHEN n % 7 = 0 THEN '15' || lpad((n % 1000000000)::VARCHAR, 9, '0') END",
    "residence_address": "place || '南海大道' || (n % 400) || '号天湖郦都' || (n % 30) || '栋' || (n % 3000) || '室'",
    "hukou_address": "place || '桂澜路' || (n % 700)::VARCHAR || '号' || (n % 2000)::VARCHAR || '室'",
    "grid_code": "'440605' || lpad((1 + n % 7)::VARCHAR, 3, '0') || lpad((1 + n % 40)::VARCHAR, 3, '0') || '001'",
    "marital_status": "['10','20','30','40'][1 + n % 4]",
    "education": "['20','40','60','70'][1 + n % 4]",
    "employer": "'南海第' || (n % 9000)::VARCHAR || '公司'",
    "household_number": "'H' || (n // 3)::VARCHAR",
    "relation_to_head": "['01','02','20','30'][1 + n % 4]",
    "father_id_number": "CASE WHEN n % 3 = 0 THEN '990605195001011234' END",
    "mother_id_number": "CASE WHEN n % 3 = 0 THEN '990605195501015678' END",
    "former_name": "CASE WHEN n % 50 = 0 THEN '王小' END",
    "updated_at": "'2026-10-01T08:00:00'",
}
STREETS = "['桂城街道','狮山镇','大沥镇','里水镇','西樵镇','丹灶镇','九江镇'][1 + n % 7]"
PLACE = f"'广东省佛山市南海区' || {STREETS} || chr(20000 + (n % 280)::INTEGER) || '东社区'"
TAKEN = (("csv", Tier.T2), ("parquet", Tier.T2), ("csv", Tier.T4), ("parquet", Tier.T4))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=5_000_000)
    parser.add_argument("--home", type=Path, help="Where to lay it out; by default a folder that is removed afterwards.")
    parser.add_argument("--take", nargs=2, metavar=("FORMAT", "GRANT"), help="Take one extract and print its figures; for the processes.")
    asked = parser.parse_args()
    if asked.take:
        print(json.dumps(take(asked.home, asked.take[0], int(asked.take[1]))))
        return
    with tempfile.TemporaryDirectory(dir=asked.home) as folder:
        measure(Path(folder), asked.residents)


def measure(home: Path, residents: int) -> None:
    load = round(os.getloadavg()[0], 1)
    grants = lay_out(home, residents)
    taken = {}
    for file_format, tier in TAKEN:
        command = [sys.executable, "-m", "bench.extracts", "--home", str(home), "--take", file_format, str(grants[tier])]
        taken[f"{file_format} {tier}"] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = {
        "residents": residents,
        "columns": len(COLUMNS),
        "load_average_before": load,
        "limits": {"gib": MEMORY_LIMIT_GIB, "seconds": TIME_LIMIT_S},
        "extracts": taken,
    }
    print(json.dumps(found, ensure_ascii=False, indent=1))
    RESULTS.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def lay_out(root: Path, residents: int) -> dict[Tier, int]:
    """A home with one golden version and a grant of each tier."""
    home, now = Home(root=root), datetime.now(UTC)
    home.create()
    create_keys(home)
    lake, store = Lake(home.lake_root), open_store(home.store_url)
    ensure_operator(store, now)
    write_golden(golden_folder(lake, 1), residents)
    version = {"inputs_digest": "0" * 64, "rules_version": "0" * 12, "counts": {}, "created_at": now}
    with store.session() as session, session.begin():
        run = ReconcileRunRow(full=True, state="done", message="", started_at=now)
        session.add(run)
        session.flush()
        session.add(GoldenVersionRow(version=1, run_id=run.id, residents=residents, records=residents, **version))
    log = open_log(home.audit_url, home.keys)
    terms: dict[str, Any] = {
        "by": "operator",
        "grantee": "civil_affairs",
        "target": "golden",
        "columns": list(COLUMNS),
        "purpose": "测量 measurement",
    }
    terms |= {"legal_basis": "bench", "valid_from": date(2020, 1, 1), "valid_to": date(2099, 12, 31), "now": now, "disputed": Disputed.MARK}
    made = {tier: grant(store, lake, log, tier=tier, **terms).id for tier in (Tier.T2, Tier.T4)}
    log.close()
    store.close()
    return made


def write_golden(folder: Path, residents: int) -> None:
    folder.mkdir(parents=True)
    columns = ", ".join(f"{sql} AS {name}" for name, sql in COLUMNS.items())
    everybody = f"FROM range(1, {residents} + 1) t(n)"
    people = f"SELECT n, DATE '1935-01-01' + (n * 7919 % 32000)::INTEGER AS born, {PLACE} AS place {everybody}"
    doubted = f"SELECT {COLUMNS['resident_id']} AS resident_id, 'phone' AS element, 'disputed' AS status {everybody}"
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT {columns} FROM ({people})) TO '{folder}/residents.parquet' (FORMAT parquet, COMPRESSION zstd)")
        con.execute(f"COPY ({doubted} WHERE n % 50 = 0) TO '{folder}/values.parquet' (FORMAT parquet)")


def take(root: Path, file_format: str, number: int) -> dict[str, object]:
    """One extract through the door, as an operator takes it: seconds, memory, size."""
    home = Home(root=root)
    out = root / f"taken.{file_format}"
    began = time.perf_counter()
    with open_door(home, open_store(home.store_url), lambda: datetime.now(UTC), origin="bench") as door:
        answer = door.extract("operator", number, out, file_format)
    took, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    figures: dict[str, object] = {"seconds": round(took, 1), "processor_seconds": round(used.ru_utime + used.ru_stime, 1)}
    figures |= {"peak_gib": round(used.ru_maxrss / 2**20, 2), "rows": answer.rows, "residents": answer.residents}
    figures |= {"file_mib": round(out.stat().st_size / 2**20)}
    out.unlink()
    return figures


if __name__ == "__main__":
    main()
