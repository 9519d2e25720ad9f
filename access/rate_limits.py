"""Rate limits (限速): so many calls a second for an account or a key, by a bucket of tokens that fills steadily."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

from rules.errors import Denied

MAX_BUCKETS = 50_000
"""Of so many callers at once the buckets are kept; the one not seen for longest goes first, by then it is full again."""


@dataclass(frozen=True, kw_only=True)
class Rate:
    """So many calls a second for long, and `burst` at once after a rest."""

    per_second: float
    burst: int


ACCOUNT_RATE = Rate(per_second=5, burst=50)
"""A person: more than anybody clicks, far less than a programme reads."""
KEY_RATE = Rate(per_second=5_000, burst=10_000)
"""A system: more than one server of this size answers, so that no single one holds a queue of its own."""
SIGN_IN_RATE = Rate(per_second=0.2, burst=20)
"""By address: each attempt costs the server 64 MiB for a moment."""


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """How many tokens there were at a moment."""

    tokens: float
    at: datetime


def full(rate: Rate, now: datetime) -> Bucket:
    return Bucket(tokens=rate.burst, at=now)


def take(bucket: Bucket, rate: Rate, now: datetime) -> tuple[Bucket, float]:
    """The bucket after one call, and 0.0; or as it is, and how many seconds the call has to wait. A clock that goes back adds nothing."""
    elapsed = max(0.0, (now - bucket.at).total_seconds())
    tokens = min(float(rate.burst), bucket.tokens + elapsed * rate.per_second)
    at = max(bucket.at, now)
    if tokens < 1:
        return Bucket(tokens=tokens, at=at), (1 - tokens) / rate.per_second
    return Bucket(tokens=tokens - 1, at=at), 0.0


@dataclass
class RateLimits:
    """The buckets of one process, by kind and name of the caller. Any number of threads may use it."""

    _buckets: OrderedDict[tuple[str, str], Bucket] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, kind: str, name: str, rate: Rate, now: datetime) -> None:
        """Denied DOOR-TOO-FAST, with the seconds to wait, where the caller has no token left."""
        with self._lock:
            after, wait_seconds = take(self._buckets.pop((kind, name), full(rate, now)), rate, now)
            self._buckets[kind, name] = after
            if len(self._buckets) > MAX_BUCKETS:
                self._buckets.popitem(last=False)
        if wait_seconds:
            raise Denied("DOOR-TOO-FAST", what=f"{wait_seconds:.1f} s")
