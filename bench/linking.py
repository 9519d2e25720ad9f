"""Linking side by side with the peers, in one run: accuracy, seconds by stage, peak memory; to bench/results/linking.json.

`python -m bench.linking [--only ROW …] [--engine NAME …] [--work DIR] [--historical DIR] [--residents N]`. Every engine runs in a process
of its own; rows that were not asked for keep their figures, so that a run can be taken up where it stopped. The peers live in .venv-peers/
(bench/peers/setup). Truth is used for measuring only.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import duckdb

from bench import three_sources
from golden.engine import quoted
from golden.measure import pairwise

HERE = Path(__file__).parent
RESULT = HERE / "results" / "linking.json"
PEERS = HERE.parent / ".venv-peers" / "bin" / "python"
HISTORICAL = HERE.parents[1] / "shared" / "data" / "historical_50k"
OURS = "ours"


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a row's engines are given, and the truth (dataset, record, resident) that judges them."""

    files: tuple[Path, ...]
    truth: Path


@dataclass(frozen=True, kw_only=True)
class Row:
    """One block of the table. `peers`: by name the runner and its model."""

    prepare: Callable[[Path, argparse.Namespace], Inputs]
    peers: Mapping[str, tuple[str, str]]


def main() -> None:
    asked = _arguments()
    with TemporaryDirectory() as scratch:
        work = asked.work or Path(scratch)
        for name in asked.only or ROWS:
            folder = work / name
            folder.mkdir(parents=True, exist_ok=True)
            inputs = ROWS[name].prepare(folder, asked)
            for engine in asked.engine or (OURS, *ROWS[name].peers):
                if engine == OURS or engine in ROWS[name].peers:
                    _keep(name, engine, measure(name, engine, folder, inputs))
    print(table(_kept()))


def measure(row: str, engine: str, folder: Path, inputs: Inputs) -> dict:
    """Figures of one engine on one row; `seconds` is wall time by stage, `linking_s` all of it but training."""
    clusters = folder / f"{engine}.parquet"
    files = [str(file) for file in inputs.files]
    if engine == OURS:
        command = [sys.executable, "-m", "bench.linking_ours", row, str(clusters), *files]
    else:
        runner, model = ROWS[row].peers[engine]
        command = [str(PEERS), str(HERE / "peers" / runner), model, str(clusters), *files]
    load = round(os.getloadavg()[0], 1)
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        return {"failed": ended.stderr.strip().splitlines()[-1:], "load_average_before": load}
    said = json.loads(ended.stdout.strip().splitlines()[-1])
    accuracy = {key: round(value, 5) for key, value in asdict(pairwise(clusters, inputs.truth)).items()}
    return {**said, **_totals(said), "accuracy": accuracy, "load_average_before": load}


def _totals(said: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {
        name: round(sum(s for stage, s in said[key].items() if stage != "training"), 2)
        for name, key in (("linking_s", "seconds"), ("linking_processor_s", "processor_seconds"))
    }


def table(results: Mapping[str, Mapping[str, Mapping]]) -> str:
    """The results as lines of text; `×`: how many times as long as ours an engine took, by wall and by processor time."""
    lines = [f"{'row':16} {'engine':20} {'F1':>7} {'B³ F1':>7} {'link s':>8} {'×':>6} {'proc. s':>8} {'×':>6} {'train s':>8} {'GiB':>6}"]
    for row, engines in results.items():
        ours = engines.get(OURS, {})
        lines += [_line(row, engine, figures, ours) for engine, figures in engines.items()]
    return "\n".join(lines)


def _line(row: str, engine: str, figures: Mapping, ours: Mapping) -> str:
    if "failed" in figures:
        return f"{row:16} {engine:20} failed: {' '.join(figures['failed'])}"
    times = [
        f"{figures[key]:8.2f} {figures[key] / ours[key] if ours.get(key) else float('nan'):6.1f}"
        for key in ("linking_s", "linking_processor_s")
    ]
    accuracy, training = figures["accuracy"], figures["seconds"].get("training", 0.0)
    right = f"{accuracy['f1']:7.4f} {accuracy['bcubed_f1']:7.4f}"
    return f"{row:16} {engine:20} {right} {' '.join(times)} {training:8.1f} {figures['peak_gib']:6.2f}"


def _kept() -> dict:
    return json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}


def _keep(row: str, engine: str, figures: dict) -> None:
    kept = _kept()
    kept.setdefault(row, {})[engine] = figures
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _three_sources(records: int) -> Callable[[Path, argparse.Namespace], Inputs]:
    def prepare(folder: Path, asked: argparse.Namespace) -> Inputs:
        files = tuple(folder / f"{source.name}.parquet" for source in three_sources.SOURCES)
        if not all(file.exists() for file in files):
            three_sources.write(folder, records=records, seed=1)
        rows = f"SELECT unique_id AS record, person AS resident FROM '{quoted(str(folder / 'truth.parquet'))}'"
        return Inputs(files=files, truth=_truth(folder, rows))

    return prepare


def _historical(folder: Path, asked: argparse.Namespace) -> Inputs:
    rows = f"read_parquet('{quoted(str(asked.historical))}/*.parquet')"
    _copy(f"SELECT * EXCLUDE (cluster) FROM {rows}", folder / "rows.parquet")
    truth = _truth(folder, f"SELECT unique_id AS record, cluster AS resident FROM {rows}")
    return Inputs(files=(folder / "rows.parquet",), truth=truth)


def _febrl4(folder: Path, asked: argparse.Namespace) -> Inputs:
    subprocess.run([str(PEERS), str(HERE / "peers" / "febrl4_data.py"), str(folder)], check=True)
    files = (folder / "a.parquet", folder / "b.parquet")
    rows = f"SELECT unique_id AS record, split_part(unique_id, '-', 2) AS resident FROM read_parquet({[str(file) for file in files]})"
    return Inputs(files=files, truth=_truth(folder, rows))


def _district(folder: Path, asked: argparse.Namespace) -> Inputs:
    """The standardised rows of a district's accepted snapshots: one value per element, the first that a row states."""
    from bench.linking_ours import standardised_rows
    from bench.reconcile import prepare
    from catalog.home import Home

    home = Home(folder / "home")
    if not (home.root / "ready").exists():
        prepare(folder / "district", home, asked.residents, 1)
    _copy(standardised_rows(home), folder / "rows.parquet")
    records = quoted(str(folder / "district" / "truth" / "records.parquet"))
    return Inputs(
        files=(folder / "rows.parquet",), truth=_truth(folder, f"SELECT dataset || ':' || record AS record, resident FROM '{records}'")
    )


def _truth(folder: Path, rows: str) -> Path:
    path = folder / "judge.parquet"
    _copy(f"SELECT '' AS dataset, record::VARCHAR AS record, resident::VARCHAR AS resident FROM ({rows})", path)
    return path


def _copy(rows: str, path: Path) -> None:
    with duckdb.connect() as con:
        con.execute(f"COPY ({rows}) TO '{quoted(str(path))}' (FORMAT parquet)")


_SPLINK = "splink_link.py"
_LEVELS = {"splink hamming": (_SPLINK, "hamming"), "splink documented": (_SPLINK, "documented")}

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "historical_50k": Row(
            prepare=_historical, peers={"splink": (_SPLINK, "historical_50k"), "goldenmatch": ("goldenmatch_link.py", "auto")}
        ),
        "febrl4": Row(
            prepare=_febrl4,
            peers={
                "splink": (_SPLINK, "febrl4"),
                "goldenmatch": ("goldenmatch_link.py", "auto"),
                "recordlinkage": ("recordlinkage_link.py", "ecm"),
            },
        ),
        "district": Row(prepare=_district, peers={"splink": (_SPLINK, "district")}),
        "1 M": Row(prepare=_three_sources(1_000_000), peers=_LEVELS),
        "5 M": Row(prepare=_three_sources(5_000_000), peers=_LEVELS),
    }
)


def _arguments(given: Iterable[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(ROWS))
    parser.add_argument("--engine", nargs="+", help="e.g. ours 'splink hamming'")
    parser.add_argument("--work", type=Path, help="where the data are kept and taken again")
    parser.add_argument("--historical", type=Path, default=HISTORICAL)
    parser.add_argument("--residents", type=int, default=20_000, help="of the district")
    return parser.parse_args(None if given is None else list(given))


def engines_of(row: str) -> Sequence[str]:
    return (OURS, *ROWS[row].peers)


if __name__ == "__main__":
    main()
