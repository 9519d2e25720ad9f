"""Who wants to do what; what is refused or denied leaves a record (尝试留痕): by which code it failed, never with its text."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from access.log_faults import log_faults_translated
from audit.events import Event
from audit.log import Log
from rules.errors import TongchouError


@dataclass(frozen=True, kw_only=True)
class Act:
    """Who wants to do it, when and why. `seen`: the version that the actor looked at; None: the one that stands."""

    by: str
    now: datetime
    reason: str = ""
    seen: int | None = None


@contextmanager
def recorded_attempt(log: Log, event: Event, **facts: object) -> Iterator[None]:
    """Around the whole act, outside its transaction, so that the record stands when the act is rolled back."""
    try:
        yield
    except TongchouError as fault:
        with log_faults_translated():
            log.append_sealed(event, {**facts, "why": fault.code})
        raise
