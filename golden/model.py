"""What is learnt from the whole population and then stands: frequencies, match weights, reliabilities.

Between two learnings all runs decide by the same model, whether they look at every record or only at those that changed, so that both give
the same result. Learning is due when the code or the rules changed, when a data set comes in that the model has never seen, when the number
of records has changed by more than GROWTH, or when it is asked for.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from catalog.lake import Lake
from golden.engine import quoted
from golden.reliability import LEARNT
from golden.state import made_by
from golden.weights import Weights

GROWTH = 0.1
FACTS = "model.json"
RELATIONS = ("placeholders", "frequencies", *LEARNT)
"""What stands in files of its own; the weights stand in the facts."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """`records`, `datasets`: among how many and which it was learnt."""

    made_by: str
    weights: Weights
    records: int
    datasets: tuple[str, ...]

    def due(self, records: int, datasets: Sequence[str]) -> bool:
        """Whether it no longer suits what is to be decided by it."""
        grown = abs(records - self.records) > GROWTH * self.records
        return self.made_by != made_by() or grown or not set(datasets) <= set(self.datasets)


def model_folder(lake: Lake, version: int) -> Path:
    """Where the model stands that was learnt with a golden version."""
    return lake.root / "golden" / "models" / f"v{version:06d}"


def write_model(con: duckdb.DuckDBPyConnection, lake: Lake, version: int, model: Model) -> None:
    """Keep the model, the relations that stand now beside its facts; the folder appears whole or not at all."""
    with lake.aside(model_folder(lake, version)) as aside:
        aside.mkdir()
        for name in RELATIONS:
            con.execute(f"COPY (FROM {name} ORDER BY ALL) TO '{quoted(str(aside / f'{name}.parquet'))}' (FORMAT parquet, COMPRESSION zstd)")
        facts = {"made_by": model.made_by, "records": model.records, "datasets": model.datasets, "weights": model.weights.to_json()}
        (aside / FACTS).write_text(json.dumps(facts, indent=1), encoding="utf-8")


def read_model(lake: Lake, version: int | None) -> Model | None:
    """The facts and weights of a model, if it stands."""
    path = None if version is None else model_folder(lake, version) / FACTS
    if path is None or not path.exists():
        return None
    facts = json.loads(path.read_text(encoding="utf-8"))
    weights = Weights.from_json(facts["weights"])
    return Model(made_by=facts["made_by"], weights=weights, records=facts["records"], datasets=tuple(facts["datasets"]))


def recall_model(con: duckdb.DuckDBPyConnection, lake: Lake, version: int) -> None:
    """Make the relations of a model stand."""
    for name in RELATIONS:
        path = quoted(str(model_folder(lake, version) / f"{name}.parquet"))
        con.execute(f"CREATE OR REPLACE TABLE {name} AS FROM read_parquet('{path}')")
