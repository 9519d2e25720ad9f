"""Rate limits against a naive count of what was let through."""

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.rate_limits import MAX_BUCKETS, Rate, RateLimits, full, take
from rules.errors import Denied
from tests.access.conftest import NOW

RATES = st.builds(Rate, per_second=st.sampled_from([0.5, 1, 3, 100]), burst=st.integers(1, 20))
GAPS = st.lists(st.integers(-2_000, 10_000), max_size=60)
"""Milliseconds between calls; the clock may go back."""


@given(RATES, GAPS)
def test_in_no_span_of_time_is_more_let_through_than_the_rate_says(rate: Rate, gaps: list[int]) -> None:
    bucket, now, admitted = full(rate, NOW), NOW, []
    for gap in gaps:
        now += timedelta(milliseconds=gap)
        bucket, wait = take(bucket, rate, now)
        if not wait:
            admitted.append(bucket.at)
    for start in range(len(admitted)):
        for end in range(start, len(admitted)):
            span = (admitted[end] - admitted[start]).total_seconds()
            assert end - start + 1 <= rate.burst + math.floor(span * rate.per_second + 1e-6)


@given(RATES, st.integers(1, 40))
def test_who_waits_as_long_as_he_was_told_is_let_through(rate: Rate, calls: int) -> None:
    bucket, now = full(rate, NOW), NOW
    for _ in range(calls):
        bucket, wait = take(bucket, rate, now)
        if wait:
            now += timedelta(seconds=wait, microseconds=1)
            bucket, wait = take(bucket, rate, now)
            assert not wait


def test_one_caller_s_calls_cost_no_other_one() -> None:
    limits, rate = RateLimits(), Rate(per_second=1, burst=2)
    for _ in range(2):
        limits.admit("account", "lin", rate, NOW)
    with pytest.raises(Denied, match=r"DOOR-TOO-FAST.*1\.0 s"):
        limits.admit("account", "lin", rate, NOW)
    limits.admit("account", "he", rate, NOW)
    limits.admit("key", "lin", rate, NOW)
    limits.admit("account", "lin", rate, NOW + timedelta(seconds=1))


def test_the_memory_of_callers_is_bounded() -> None:
    limits, rate = RateLimits(), Rate(per_second=1, burst=1)
    for number in range(MAX_BUCKETS + 5):
        limits.admit("key", str(number), rate, NOW)
    assert len(limits._buckets) == MAX_BUCKETS
    with pytest.raises(Denied):
        limits.admit("key", str(MAX_BUCKETS), rate, NOW)
