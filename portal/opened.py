"""What a server holds open: the store, the log and the door of a home."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from access.counts import forget
from access.door import Door
from access.log_faults import log_faults_translated
from audit.log import Log, open_log
from catalog.home import Home
from catalog.snapshots import CHINA
from catalog.store import Store, open_store

Clock = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class Opened:
    """An opened platform."""

    store: Store
    log: Log
    door: Door
    clock: Clock


@contextmanager
def opened(home: Home, clock: Clock) -> Iterator[Opened]:
    """Open a home for as long as the block runs. IntegrityBroken AUD-KEY if its keys and its log do not belong together."""
    store = open_store(home.store_url)
    with log_faults_translated():
        log = open_log(home.audit_url, home.keys, clock=clock)
    try:
        with store.session() as session, session.begin():
            forget(session, clock().astimezone(CHINA).date())
        with Door(store, home, log, clock, origin="http") as door:
            yield Opened(store=store, log=log, door=door, clock=clock)
    finally:
        log.close()
        store.close()


@contextmanager
def left_out_of_collections() -> Iterator[None]:
    """What exists now is not looked through for cyclic garbage while the block runs.

    A server's modules, rules and schemas are some hundred thousand objects that stay till it stops; a full collection over them holds every
    answer up for 180 ms, several times in ten seconds under load.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
