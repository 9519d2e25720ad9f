"""Link febrl4 with recordlinkage's ECM classifier: `recordlinkage_link.py ecm CLUSTERS FILE FILE`."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import recordlinkage
from stages import Stages, asked

ALIKE = {"given_name": "jarowinkler", "surname": "jarowinkler", "address_1": "jarowinkler"}
EQUAL = ("date_of_birth", "soc_sec_id", "postcode", "suburb", "state")


def main() -> None:
    given, stages = asked(), Stages()
    stages.begin("load")
    left, right = (pd.read_parquet(file).set_index("unique_id") for file in given.files)
    stages.begin("all")
    index = recordlinkage.Index()
    for key in ("given_name", "surname", "date_of_birth", "soc_sec_id", "postcode"):
        index.block(key)
    compare = recordlinkage.Compare()
    for column, method in ALIKE.items():
        compare.string(column, column, method=method, threshold=0.85, label=column)
    for column in EQUAL:
        compare.exact(column, column, label=column)
    links = recordlinkage.ECMClassifier().fit_predict(compare.compute(index.index(left, right), left, right))
    stages.report(pairs=len(links))
    joined = dict(links.tolist())
    record = [*left.index, *right.index]
    cluster = [*left.index, *pd.Series(right.index).map({b: a for a, b in joined.items()}).fillna(pd.Series(right.index))]
    pq.write_table(pa.table({"dataset": [""] * len(record), "record": record, "resident_id": cluster}), given.clusters)


if __name__ == "__main__":
    main()
