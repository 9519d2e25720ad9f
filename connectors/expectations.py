"""Great Expectations, and nowhere else: whether the figures of a snapshot lie within their limits.

It is given figures, never rows or cells, so nothing it keeps or prints can hold a value of a resident. Its import takes seconds: it happens
once per process, at the first judgement, and one ephemeral context serves all data sets.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """One figure that must not fall below its limit. `hard`: the snapshot is refused when it does; otherwise it is only marked."""

    name: str
    value: float
    least: float
    hard: bool


def unmet(expectations: Sequence[Expectation]) -> tuple[Expectation, ...]:
    """Those that the figures do not meet, in the order given."""
    if not expectations:
        return ()
    frame = pd.DataFrame({"value": [e.value for e in expectations], "least": [e.least for e in expectations]})
    if _validates(frame):
        return ()
    return tuple(e for i, e in enumerate(expectations) if not _validates(frame.iloc[[i]]))


def _validates(frame: pd.DataFrame) -> bool:
    batches, suite = _judge()
    batch = batches.get_batch(batch_parameters={"dataframe": frame})
    return bool(batch.validate(suite, result_format="BOOLEAN_ONLY").success)


@cache
def _judge() -> tuple[Any, Any]:
    """The batch definition over figures and the suite that each data set's figures must satisfy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig
        from great_expectations.expectations.core.expect_column_pair_values_a_to_be_greater_than_b import (
            ExpectColumnPairValuesAToBeGreaterThanB,
        )

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("figures").add_dataframe_asset("snapshot")
    batches = source.add_batch_definition_whole_dataframe("all figures")
    holds = ExpectColumnPairValuesAToBeGreaterThanB(column_A="value", column_B="least", or_equal=True)
    return batches, gx.ExpectationSuite(name="gate", expectations=[holds])
