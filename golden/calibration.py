"""How right each source is about each element, in figures that can be relied upon: what the model expects, held against verified
observations, with intervals that hold the truth as often as they say.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from scipy.special import betaincinv, betaln

TRUST = np.array([10.0, 20.0, 40.0, 60.0, 80.0, 100.0, 120.0])
"""So many checks is worth what the model expects; how many is found from how the checks scatter round it, source by source. A few
hundred checks cannot tell a model that is nearly right from one that is right, hence the limit.
"""

UNCHECKED_TRUST = 80.0
"""Where nothing was ever checked."""

UNTAUGHT_TRUST = 10.0
"""Where an element's claims taught nothing, as one source alone states it."""

CHECKS_PER_CASE, CASES = 10, 8
WITHIN = (0.025, 0.975)


def reliabilities(judged: Sequence[tuple[str, pa.Table, bool]], datasets: Sequence[str]) -> pa.Table:
    """learnt_reliability from what was counted per element, (src, age, claims, right, checked, agreed), and whether it taught anything."""
    by_age = pa.concat_tables(
        [
            _EMPTY,
            *(
                table.append_column("element", pa.array([element] * len(table), pa.string()))
                .select(_EMPTY.column_names)
                .cast(_EMPTY.schema)
                for element, table, _ in judged
            ),
        ]
    )
    whole = by_age.group_by(["element", "src"]).aggregate([(name, "sum") for name in _COUNTS])
    whole = (
        whole.rename_columns(["element", "src", *_COUNTS])
        .append_column("age", pa.nulls(len(whole), pa.int64()))
        .select(_EMPTY.column_names)
    )
    table = pa.concat_tables([whole, by_age]).sort_by([("element", "ascending"), ("src", "ascending"), ("age", "ascending")])
    claims, right, checked, agreed = (table.column(name).to_numpy().astype(np.float64) for name in _COUNTS)
    taught = {element for element, _, learnt in judged if learnt}
    trust = np.where(np.isin(table.column("element").to_numpy(), sorted(taught)), _trust(whole), UNTAUGHT_TRUST)
    expected = np.clip(right / claims, 0.001, 0.999)
    sure, unsure = trust * expected + agreed, trust * (1 - expected) + checked - agreed
    return pa.table(
        {
            "element": table.column("element"),
            "dataset": pa.array([datasets[src] for src in table.column("src").to_pylist()], pa.string()),
            "age": table.column("age").cast(pa.int16()),
            "claims": pa.array(claims, pa.float64()).cast(pa.int64()),
            "p": np.round(sure / (sure + unsure), 6),
            "low": np.round(betaincinv(sure, unsure, WITHIN[0]), 6),
            "high": np.round(betaincinv(sure, unsure, WITHIN[1]), 6),
            "checked": pa.array(checked, pa.float64()).cast(pa.int64()),
            "agreed": pa.array(agreed, pa.float64()).cast(pa.int64()),
        }
    )


_COUNTS = ["claims", "right", "checked", "agreed"]
_EMPTY = pa.table(
    {
        "element": pa.array([], pa.string()),
        "src": pa.array([], pa.int64()),
        "age": pa.array([], pa.int64()),
        **{name: pa.array([], pa.float64()) for name in _COUNTS},
    }
)


def _trust(whole: pa.Table) -> float:
    """The strength at which the checks are likeliest (beta-binomial)."""
    claims, right, checked, agreed = (whole.column(name).to_numpy().astype(np.float64) for name in _COUNTS)
    enough = checked >= CHECKS_PER_CASE
    if np.count_nonzero(enough) < CASES:
        return UNCHECKED_TRUST
    expected = np.clip(right[enough] / claims[enough], 0.001, 0.999)
    a, b = TRUST[:, None] * expected, TRUST[:, None] * (1 - expected)
    likelihood = (betaln(a + agreed[enough], b + (checked - agreed)[enough]) - betaln(a, b)).sum(axis=1)
    return float(TRUST[likelihood.argmax()])
