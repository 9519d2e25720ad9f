"""Link Parquet files with a Splink model: `splink_link.py MODEL CLUSTERS FILE …`; each file has unique_id and the model's columns."""

import logging
from collections.abc import Sequence
from pathlib import Path

import duckdb
from splink import DuckDBAPI, Linker, block_on
from splink_models import MODELS, Model
from stages import Stages, asked

EVERYTHING = 0.5
"""Match probability from which pairs are kept; they are joined from the model's threshold."""


def main() -> None:
    given, stages = asked(), Stages()
    model = MODELS[given.model]()
    con = duckdb.connect()
    con.execute("SET enable_progress_bar=false")
    stages.begin("load")
    linker = _linker(con, model, given.files)
    stages.begin("training")
    _train(linker, model)
    stages.begin("pairs")
    predicted = linker.inference.predict(threshold_match_probability=EVERYTHING)
    stages.begin("clusters")
    clustered = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, model.threshold)
    stages.report(pairs=con.execute(f"SELECT count(*) FROM {predicted.physical_name}").fetchall()[0][0], threshold=model.threshold)
    con.execute(f"""
        COPY (SELECT '' AS dataset, unique_id::VARCHAR AS record, cluster_id::VARCHAR AS resident_id FROM {clustered.physical_name})
        TO '{given.clusters}' (FORMAT parquet)""")


def _linker(con: duckdb.DuckDBPyConnection, model: Model, files: Sequence[Path]) -> Linker:
    """Tables that are only linked with each other stay apart; else they are one."""
    api = DuckDBAPI(con)
    apart = [[file] for file in files] if model.settings.link_type == "link_only" else [files]
    tables = []
    for place, group in enumerate(apart):
        con.execute(f"CREATE OR REPLACE TEMP VIEW rows AS SELECT * FROM read_parquet({[str(file) for file in group]})")
        con.execute(f"CREATE TABLE input_{place} AS {model.table}")
        tables.append(api.register(f"input_{place}"))
    return Linker(tables, model.settings, log_level=logging.ERROR)


def _train(linker: Linker, model: Model) -> None:
    linker.training.estimate_probability_two_random_records_match(list(model.certain), recall=model.recall)
    linker.training.estimate_u_using_random_sampling(max_pairs=model.u_pairs, seed=1)
    for keys in model.em:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*keys))


if __name__ == "__main__":
    main()
