"""Link Parquet files with GoldenMatch's automatic configuration: `goldenmatch_link.py auto CLUSTERS FILE …`; each file has unique_id."""

import contextlib
import sys

import goldenmatch
import pyarrow as pa
import pyarrow.parquet as pq
from stages import Stages, asked


def main() -> None:
    given, stages = asked(), Stages()
    stages.begin("load")
    rows = pa.concat_tables([pq.read_table(file) for file in given.files], promote_options="default")
    stages.begin("all")
    with contextlib.redirect_stdout(sys.stderr):
        found = goldenmatch.dedupe_df(rows.drop_columns("unique_id"), confidence_required=False, allow_red_config=True)
    stages.report()
    pairs = [(member, cluster) for cluster, said in found.clusters.items() for member in said["members"]]
    ids = rows.column("unique_id").cast(pa.string()).take(pa.array([member for member, _ in pairs]))
    clusters = {"dataset": [""] * len(pairs), "record": ids, "resident_id": pa.array([str(cluster) for _, cluster in pairs])}
    pq.write_table(pa.table(clusters), given.clusters)


if __name__ == "__main__":
    main()
