"""`make soak`: kills by the thousand; JSON to `bench/results/soak.json`.

`python -m bench.soak [--kills 1000] [--residents 1000]`
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tests.kills import prepare, try_once

DATASETS = ("police_hukou", "hrss_social_insurance", "grid_survey")
FIRST_SEED = 1_000
RESULT = Path(__file__).parent / "results" / "soak.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--residents", type=int, default=1_000)
    arguments = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        prepared = prepare(Path(folder), residents=arguments.residents, datasets=DATASETS)
        trials = [try_once(prepared, Path(folder), FIRST_SEED + number) for number in range(arguments.kills)]
    bad = [trial for trial in trials if trial.faults]
    result = {
        "command": f"python -m bench.soak --kills {arguments.kills} --residents {arguments.residents}",
        "kills": len(trials),
        "still_at_work_when_killed": sum(trial.hit for trial in trials),
        "by_command": Counter(trial.command for trial in trials),
        "faults": [asdict(trial) for trial in bad],
        "seconds": round(time.perf_counter() - start, 1),
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, ensure_ascii=False))
    raise SystemExit(1 if bad else 0)


if __name__ == "__main__":
    main()
