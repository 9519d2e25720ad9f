"""`make soak`: kills by the thousand; JSON to `bench/results/soak.json`.

`python -m bench.soak [--kills 1000] [--first 0] [--commands 45] [--residents 1000]`: so many kills of a door at work, and of the
commands that bring data in and give it out. From a later `--first` on, the kills join those of the run before.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from catalog.home import Home
from tests.killed_door import Kill, kill_once, make_home
from tests.kills import prepare, try_once

DATASETS = ("police_hukou", "hrss_social_insurance", "grid_survey")
FIRST_SEED = 1_000
KILLS_A_HOME = 20
HOMES_AT_A_TIME = 4
RESULT = Path(__file__).parent / "results" / "soak.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--commands", type=int, default=45)
    parser.add_argument("--residents", type=int, default=1_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        doors = kill_doors(Path(folder), arguments.first, arguments.kills)
        commands = kill_commands(Path(folder), arguments.commands, arguments.residents) if arguments.commands else kept("commands")
    result = {"command": "python -m bench.soak " + " ".join(f"--{k} {v}" for k, v in vars(arguments).items()), "doors": doors}
    result["commands"] = commands
    if arguments.first:
        result["doors"] = doors = joined(kept("doors"), doors)
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, ensure_ascii=False))
    raise SystemExit(1 if doors["faults"] or commands["faults"] else 0)


def kill_doors(folder: Path, first: int, count: int) -> dict[str, Any]:
    """Kills of a door at work, so many on one home, whose log grows from kill to kill; some homes at a time."""
    start = time.perf_counter()
    template = make_home(folder / "template")

    def kill_on_a_home(begin: int) -> list[Kill]:
        home = Home(folder / f"home-{begin}")
        shutil.copytree(template.root, home.root)
        try:
            return [kill_once(home, FIRST_SEED + number) for number in range(begin, min(begin + KILLS_A_HOME, first + count))]
        finally:
            shutil.rmtree(home.root, ignore_errors=True)

    with ThreadPoolExecutor(HOMES_AT_A_TIME) as pool:
        kills = [kill for of_home in pool.map(kill_on_a_home, range(first, first + count, KILLS_A_HOME)) for kill in of_home]
    return {
        "kills": len(kills),
        "answers_received": sum(kill.answers for kill in kills),
        "fewest_answers_before_a_kill": min(kill.answers for kill in kills),
        "intents_open_when_killed": sum(kill.open_intents for kill in kills),
        "kills_with_records_unsealed": sum(kill.unsealed > 0 for kill in kills),
        "faults": [asdict(kill) for kill in kills if kill.faults],
        "seconds": round(time.perf_counter() - start, 1),
    }


def joined(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Two runs as one: sums, and the smaller of what is fewest."""
    smallest = "fewest_answers_before_a_kill"
    return {key: min(before[key], value) if key == smallest else before[key] + value for key, value in now.items()}


def kill_commands(folder: Path, count: int, residents: int) -> dict[str, Any]:
    start = time.perf_counter()
    prepared = prepare(folder, residents=residents, datasets=DATASETS)
    trials = [try_once(prepared, folder, FIRST_SEED + number) for number in range(count)]
    return {
        "kills": len(trials),
        "still_at_work_when_killed": sum(trial.hit for trial in trials),
        "by_command": Counter(trial.command for trial in trials),
        "faults": [asdict(trial) for trial in trials if trial.faults],
        "seconds": round(time.perf_counter() - start, 1),
    }


def kept(part: str) -> dict[str, Any]:
    """What an earlier run found, where this one leaves that part out."""
    found: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8"))
    return found.get(part, found)


if __name__ == "__main__":
    main()
