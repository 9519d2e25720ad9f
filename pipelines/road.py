"""The road as the assets see it: the opened store and lake of one home, a clock, and the domain functions called on them.

A resource of Dagster under the name `road`. A fault of the platform leaves here without its text, because Dagster stores the text of errors
and shows it in its pages, and the text of a driver's or an engine's error can hold values of rows.
"""

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

import sqlalchemy as sa

from catalog.datasets import Dataset, load_datasets
from catalog.home import Home
from catalog.lake import Lake
from catalog.schema import SnapshotRow
from catalog.snapshots import sweep
from catalog.store import Store, open_store
from pipelines.standing import Standing, read_standing
from rules.errors import PlatformFault, TongchouError

if TYPE_CHECKING:  # the parts that do the work are imported by the run that needs them: Dagster's pages load without them
    from casework.handover import Handover
    from connectors.intake import IngestOutcome
    from golden.reconcile import ReconcileOutcome
    from golden.serving import Serving

Outcome: TypeAlias = "IngestOutcome | ReconcileOutcome"
Listener = Callable[[Outcome], None]

FRAMES_TOLD = 4


def _nobody(_outcome: object) -> None:
    """Told of outcomes where no one listens."""


@dataclass(frozen=True, kw_only=True)
class Road:
    """What an asset reads through.

    `told` hears of each outcome as it comes: the command line's progress and its result. `secrets` fills the `${NAME}` of database URLs.
    """

    home: Home
    store: Store
    lake: Lake
    clock: Callable[[], datetime]
    told: Listener = _nobody
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def datasets(self, keys: Sequence[str] | None = None) -> list[Dataset]:
        """The registered data sets, or those named."""
        with self.store.session() as session:
            return load_datasets(session, keys)

    def received(self) -> Mapping[str, datetime]:
        """When the newest snapshot of each data set that has one came in."""
        newest = sa.select(SnapshotRow.dataset_key, sa.func.max(SnapshotRow.received_at).label("at")).group_by(SnapshotRow.dataset_key)
        with self.store.session() as session:
            return {row.dataset_key: row.at for row in session.execute(newest)}

    def standing(self) -> Standing:
        """Where all data sets stand now."""
        with self.store.session() as session:
            return read_standing(session)

    def ingest(self, datasets: Sequence[Dataset], *, run: str) -> "Iterator[IngestOutcome]":
        """Bring data sets in one after another, as one run; a data set's own fault is an outcome, not an exception.

        What killed runs left in the lake is swept away first.
        """
        from casework.observations import release
        from catalog.areas import address_book
        from connectors import intake

        with without_values():
            sweep(self.store, self.lake)
            release(self.store, self.home, now=self.clock())
            with self.store.session() as session:
                areas = address_book(session)
            for dataset in datasets:
                outcome = intake.ingest(self.store, self.lake, dataset, areas=areas, now=self.clock(), secrets=self.secrets, run=run)
                self.told(outcome)
                yield outcome
            self._settle()

    def reconcile(self, *, full: bool, learn: bool = False) -> "ReconcileOutcome":
        """Resolve the accepted snapshots into residents and golden records."""
        from golden.reconcile import reconcile

        with without_values():
            outcome = reconcile(self.store, self.lake, full=full, learn=learn, now=self.clock())
        self.told(outcome)
        return outcome

    def publish(self) -> "Serving | None":
        """Make the newest golden version the one that is served; None where nothing has been reconciled yet."""
        from golden.reconcile import newest_version
        from golden.serving import publish

        with without_values():
            newest = newest_version(self.store)
            return None if newest is None else publish(self.store, self.home, newest.version, now=self.clock())

    def hand_over(self) -> "Handover | None":
        """Bring the tickets in line with the newest golden version (R-06), tell users what changed (R-08) or was re-graded (G-01), remind
        who is late (F-01), end what was agreed to until a day that is past (L-26).

        None where nothing has been reconciled yet.
        """
        from casework.handover import hand_over
        from casework.lights import remind
        from casework.notices import tell_users

        with without_values():
            done = hand_over(self.store, self.lake, now=self.clock())
            tell_users(self.store, self.lake, now=self.clock())
            self._mind_grants()
            with self.store.session() as session, session.begin():
                remind(session, self.clock())
            return done

    def _mind_grants(self) -> None:
        """Where nothing is granted yet there is nobody to tell and nothing to end, and no log is needed."""
        from access.accounts import ensure_platform
        from access.grants import open_grants
        from access.log_faults import log_faults_translated
        from audit.log import open_log
        from casework.attempts import Act
        from casework.regradings import tell_regraded
        from casework.requests.using import expire

        with self.store.session() as session:
            if not open_grants(session):
                return
        with log_faults_translated(), closing(open_log(self.home.audit_url, self.home.keys, clock=self.clock)) as log:
            tell_regraded(self.store, self.lake, log, now=self.clock())
            expire(self.store, log, act=Act(by=ensure_platform(self.store, self.clock()).name, now=self.clock()))

    def _settle(self) -> None:
        """Data sets that were brought in are running, those that are late are abnormal, their reports have the newest score (C-17)."""
        from casework.finding import red_resources
        from catalog.entries.attaching import settle_resources
        from golden.decisions import day_of

        with self.store.session() as session, session.begin():
            settle_resources(session, self.clock(), red=red_resources(session, day_of(self.clock())))

    def newest_golden(self) -> int:
        """The version of the golden records that stands; 0 before the first."""
        from golden.reconcile import newest_version

        newest = newest_version(self.store)
        return 0 if newest is None else newest.version


def open_road(home: Home, *, secrets: Mapping[str, str], told: Listener = _nobody) -> Road:
    """The road of a home that `tongchou init` has made, on the clock of the machine."""
    store, lake = open_store(home.store_url), Lake(home.lake_root)
    return Road(home=home, store=store, lake=lake, clock=lambda: datetime.now(UTC), told=told, secrets=secrets)


@contextmanager
def without_values() -> Iterator[None]:
    """Errors of ours pass; any other becomes RUN-FAULT with its kind and place, but without its text."""
    try:
        yield
    except TongchouError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)[-FRAMES_TOLD:]
        place = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
        raise PlatformFault("RUN-FAULT", where=type(error).__name__, what=place) from None
