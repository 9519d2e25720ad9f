"""Delivery (交付): a bulk answer is staged in a file of the door's own, sealed in the log, then given away whole, its receipt first."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from access.acts import Act
from access.admission import Admission, Admitted, Batches, Clock
from access.epochs import MASTER_KEY
from access.files import digest_of, write
from access.loading import Destination, loaded_aside
from access.log_faults import log_faults_translated
from access.places import give_back, taken_place
from access.populations import Population
from access.reading import marked_batches, spilling_connection
from access.receipts import RECEIPT_SUFFIX, Receipt, add_receipt, as_json
from access.recording import Answer, Outcome, Recorder
from access.staging import Staging
from audit.keys import read_private
from audit.log import Log, Sealed
from catalog.home import Home
from catalog.store import Store
from masking.effect import effect_level
from masking.fingerprints import NO_MARKING, Marking, marking, marks_of
from masking.methods import MASKS_VERSION
from rules.errors import TongchouError
from rules.tiers import AnswerForm, Tier, load_tier_policy
from rules.version import rules_version

FINGERPRINT_HEX_DIGITS = 16

Made = Callable[[duckdb.DuckDBPyConnection, Population], Batches]
"""Makes an answer's rows, and adds the residents in them to the population."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What a bulk answer is written as, and where it goes: to the file `out`, or into a table, and then only its receipt goes to files."""

    out: Path
    file_format: str
    names: Sequence[str]
    receipt_beside: bool = False
    into: Destination | None = None


class Deliveries:
    """The bulk answers of one door on their way out."""

    def __init__(
        self, store: Store, home: Home, log: Log, staging: Staging, admission: Admission, recorder: Recorder, clock: Clock
    ) -> None:
        self._store, self._home, self._log, self._staging = store, home, log, staging
        self._admission, self._recorder, self._clock = admission, recorder, clock
        self._policy = load_tier_policy()

    def before(self, admission: Admission, recorder: Recorder) -> "Deliveries":
        own = copy(self)
        own._admission, own._recorder = admission, recorder
        return own

    def deliver(self, admitted: Admitted, delivery: Delivery, made: Made) -> Answer:
        """Make the answer, record it, hand it over. What ended meanwhile is not handed over: Denied DOOR-STOPPED."""
        staged = self._staging.new_file(f".{delivery.file_format}")
        place = taken_place(self._store, admitted.grant, self._staging.holder, self._clock())
        try:
            with self._recorder.intend(admitted.act, admitted.facts) as recording, place as taken:
                receipt = self._staged(admitted, delivery, staged, made, self._marking(admitted, recording.intent))
                self._admission.check_stands(admitted)
                answer = recording.answer(outcome_of(receipt), path=delivery.out)
                self._give(admitted, delivery, staged, receipt, answer.seq, taken)
        finally:
            staged.unlink(missing_ok=True)
        return answer

    def receipt(
        self, admitted: Admitted, columns: Sequence[str], rows: int, population: Population, file_format: str, digest: str
    ) -> Receipt:
        """The receipt of an answer that is ready to be recorded; its population is kept."""
        known = [column.facts for name, column in admitted.target.columns.items() if name in admitted.plan]
        form = self._policy.tiers[admitted.grant.tier].answer if admitted.grant else AnswerForm.EXTRACT
        return Receipt(
            actor=admitted.account.name,
            grant=admitted.grant,
            target=admitted.target.key,
            target_version=admitted.target.version,
            columns=tuple(columns),
            plan=admitted.plan,
            policy_version=self._policy.version,
            rules_version=rules_version(),
            masks_version=MASKS_VERSION,
            effect_level=effect_level(known, admitted.plan, self._policy, form=form),
            rows=rows,
            residents=population.total,
            file_format=file_format,
            digest=digest,
            population=population.keep(self._home.populations),
            groups=None,
            fingerprint=None,
            at=self._clock(),
        )

    def _staged(self, admitted: Admitted, delivery: Delivery, staged: Path, made: Made, marks: Marking) -> Receipt:
        """Write the answer to a file of the door's own, and its population; the receipt says what was written."""
        population = Population()
        self._admission.check_stands(admitted)
        with spilling_connection(self._staging.spill) as con:
            marked = marked_batches(self._admission.watched(made(con, population), admitted), marks)
            rows = write(staged, list(delivery.names), marked, delivery.file_format)
        receipt = self.receipt(admitted, delivery.names, rows, population, delivery.file_format, digest_of(staged))
        return replace(receipt, fingerprint=marks.fingerprint)

    def _marking(self, admitted: Admitted, intent: Sealed) -> Marking:
        """The mark of the copy that an extract makes, named by its intent's record. The bureau's own exports and full records have none."""
        grant = admitted.grant
        if grant is None or admitted.act is not Act.EXTRACT or grant.tier is Tier.T4:
            return NO_MARKING
        kinds = {name: column.facts.kind for name, column in admitted.target.columns.items()}
        marks = marks_of(admitted.plan, kinds, self._policy.fingerprints)
        return marking(master_key(self._home), grant.grantee, intent.leaf_hash.hex()[:FINGERPRINT_HEX_DIGITS], marks)

    def _give(self, admitted: Admitted, delivery: Delivery, staged: Path, receipt: Receipt, seq: int, place: int | None) -> None:
        """Hand over what is sealed, its receipt first; looked at once more, for sealing may have waited."""
        try:
            if delivery.into is None:
                self._admission.check_stands(admitted)
                self._give_receipt(delivery, receipt, seq, place, RECEIPT_SUFFIX)
                self._staging.hand_over(staged, delivery.out)
                return
            with loaded_aside(delivery.into, staged, lambda: self._admission.check_stands(admitted)) as swap:
                self._admission.check_stands(admitted)
                self._give_receipt(delivery, receipt, seq, place, "")
                swap()
        except TongchouError as stopped:
            if admitted.act is Act.EXTRACT:
                self._recorder.withhold(admitted.act, seq, stopped.code)
            raise

    def _give_receipt(self, delivery: Delivery, receipt: Receipt, seq: int, place: int | None, suffix: str) -> None:
        with self._store.session() as session, session.begin():
            number = add_receipt(session, receipt, seq)
            give_back(session, place)
        if delivery.receipt_beside:
            beside = self._staging.new_file(".json")
            beside.write_text(as_json(receipt, number, seq, self._log), encoding="utf-8")
            self._staging.hand_over(beside, delivery.out.with_name(delivery.out.name + suffix))


def master_key(home: Home) -> bytes:
    """The key that masks and marks are derived from; PlatformFault if it cannot be read."""
    with log_faults_translated():
        return read_private(home.keys / MASTER_KEY)


def outcome_of(receipt: Receipt) -> Outcome:
    """What the RESULT record holds of an answer with a receipt."""
    facts = {
        "columns": [{"column": name, **masks} for name, masks in receipt.masks().items()],
        "format": receipt.file_format,
        "target": receipt.target,
        "target_version": receipt.target_version,
        "population": receipt.population,
        "groups": receipt.groups,
        "fingerprint": receipt.fingerprint,
        "effect_level": int(receipt.effect_level),
        "receipt": receipt.statement_digest(),
    }
    return Outcome(rows=receipt.rows, residents=receipt.residents, digest=receipt.digest, facts=facts)
