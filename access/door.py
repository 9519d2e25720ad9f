"""The door: every read of residents for an answer goes through one of its methods, and each leaves its records before the answer leaves.

Decide → INTENT (durable) → read → mask → stage → RESULT (durable, sealed) → hand over. What is denied is recorded too. Nothing else in the
platform reads resident rows for an answer.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from copy import copy
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy.orm import Session

from access.accounts import Account, load_account
from access.as_made import MadeTerms
from access.case_look_up import MOST_GRANTS, as_bytes, document, part_of, persons_of, residents_of, told_of
from access.casefiles import door_check_residents, door_check_worker, item_residents, read_form, read_items, ticket_department
from access.clients import Listed, read_clients
from access.counts import GRANT as PER_GRANT
from access.counts import Counted, count
from access.decision import Act, Case, Decision, Question, Reason, decide
from access.desk import Desk
from access.differencing import answered, differs_by_few, earlier_answers, keep_groups
from access.epochs import MASTER_KEY, epochs_of, key_of
from access.files import check_format, digest_of, write
from access.grants import load_grant
from access.impact import Release, earlier_releases, weigh
from access.inquiries import ByName, Inquiry, Kinship, LookUp, Matter, Named, Person, Told, person, verification
from access.labels import labelled_columns, with_labels
from access.linkage import PAIR, check_usable, hands_out_pseudonyms, linked_batches, load_ticket, pair_target
from access.loading import Destination, loaded_aside
from access.log_faults import log_faults_translated
from access.look_up import FOUND, NOT_FOUND, recorded_columns
from access.places import free_places, give_back, places_taken, taken_place
from access.populations import Population
from access.presence import Presence
from access.reading import (
    MaskTerms,
    at_most,
    base_batches,
    counted,
    crosswalk_batches,
    enterprise_batches,
    golden_batches,
    marked_batches,
    masked_batches,
    reliability_batches,
    row_order,
    spilling_connection,
)
from access.receipts import RECEIPT_SUFFIX, Receipt, add_receipt, as_json
from access.record_look_up import RECORD, asked_facts, look_up_record, record_key
from access.recording import Answer, Facts, Outcome, Recorder
from access.replaying import Archive, Recorded, Replayed, doubts_of, recorded_answer, replay_of
from access.reversal import MOST_REVERSED, reverse, subjects_of
from access.staging import Staging, check_writable, is_dead, sweep
from access.statistics import Statistic, dimensions_of, statistic_of, tabulate
from access.targets import GOLDEN, GOLDEN_ENTERPRISES, RESIDENT_ID, GoldenFiles, Target, load_target, required_golden
from access.terms import Disputed, Grant, Mode, Quota, RowScope
from access.tracing import trace
from audit.keys import read_private, write_private
from audit.log import Log, Sealed, open_log
from catalog.home import Home
from catalog.lake import Lake
from catalog.locks import hold
from catalog.snapshots import CHINA
from catalog.store import Store
from golden.explain import why as explain
from golden.reliability_table import COLUMNS as RELIABILITY_COLUMNS
from golden.reliability_table import read_table
from golden.review import read_queue
from golden.simulation import simulate
from masking.effect import effect_level
from masking.fingerprints import NO_MARKING, Marking, marking, marks_of
from masking.methods import KEEP, MASKS_VERSION, RecipientKey
from masking.plan import ColumnPlan, Plan
from masking.pseudonyms import KEY_BYTES
from rules.authority import SurvivorshipRules, load_survivorship
from rules.elements import load_elements
from rules.errors import Denied, IntegrityBroken, NotFound, Refused, TongchouError
from rules.matching import load_matching
from rules.tiers import AnswerForm, Tier, load_tier_policy
from rules.version import rules_version

PARQUET = "parquet"
TABLE = "table"
CROSSWALK_COLUMNS = ("dataset", "record", RESIDENT_ID)
FINGERPRINT_HEX_DIGITS = 16
MOST_FOUND_RECORDED = 100
KEPT_OF_CASE = ("actor", "department", "purpose", "policy_version", "rules_version", "epoch", "digest_of_pseudonyms")
"""What all grants of a case look-up have in common."""
AS_IT_STANDS = ColumnPlan(mask=KEEP, minor_mask=KEEP)

MOST_NAMED = 500
"""So many residents a record names one by one; more are a population."""

Clock = Callable[[], datetime]
Batches = Iterator[pa.RecordBatch]


@dataclass(frozen=True, kw_only=True)
class _Admitted:
    """A question that was allowed: who asks, under which grant, for what, with which masks; and the facts that records hold of it."""

    question: Question
    target: Target
    plan: Plan
    facts: Facts

    @property
    def act(self) -> Act:
        return self.question.act

    @property
    def account(self) -> Account:
        return self.question.account

    @property
    def grant(self) -> Grant | None:
        return self.question.grant


@dataclass(frozen=True, kw_only=True)
class _Delivery:
    """What a bulk answer is written as, and where it goes: to the file `out`, or into a table, and then only its receipt goes to files."""

    out: Path
    file_format: str
    names: Sequence[str]
    receipt_beside: bool = False
    into: Destination | None = None


class Door:
    """One door, held open by one process. Opening it closes the intents of doors whose process died. Close it, or use it in a `with`."""

    def __init__(self, store: Store, home: Home, log: Log, clock: Clock, *, origin: str = "") -> None:
        self._store, self._home, self._log, self._clock = store, home, log, clock
        self._lake = Lake(home.lake_root)
        self._policy = load_tier_policy()
        sweep(home.exports, log)
        free_places(store, partial(is_dead, home.exports))
        self._staging = Staging(home.exports)
        self._recorder = Recorder(log, self._staging.holder, origin)
        self._made_terms = MadeTerms(log)
        self._presence: Presence | None = None

    def extract(self, actor: str, grant_id: int, out: Path, file_format: str) -> Answer:
        """Write what a grant gives to `out` (csv, xlsx or parquet), its receipt beside it.

        Raises Denied DOOR-DENIED with the reasons; Refused for a format or a path that cannot be; PlatformFault AUD-UNAVAILABLE if the log
        takes no record, in which case nothing is handed over.
        """
        check_format(file_format)
        check_writable(out, self._home)
        with self._store.session() as session:
            grant = load_grant(session, grant_id)
        admitted = self._admit(Act.EXTRACT, actor, grant.purpose if grant else "", grant, {"grant": grant_id, "format": file_format})
        names = self._mask_terms(admitted).names
        delivery = _Delivery(out=out, file_format=file_format, names=names, receipt_beside=True)
        return self._hand_over(admitted, delivery, lambda con, residents: self._masked(con, admitted, residents))

    def load(self, actor: str, grant_id: int, into: Destination, receipt: Path) -> Answer:
        """Load what a grant for table exchange gives into a department's database, its receipt to a file.

        Denied DOOR-MODE for a grant that is not for tables; Refused DOOR-TABLE if the database does not take it: it is as it was then.
        """
        check_writable(receipt, self._home)
        with self._store.session() as session:
            grant = load_grant(session, grant_id)
        facts = {"grant": grant_id, "format": TABLE, "table": into.table}
        admitted = self._admit(Act.EXTRACT, actor, grant.purpose if grant else "", grant, facts)
        with self._attempted(admitted):
            if admitted.grant is None or admitted.grant.mode is not Mode.TABLE:
                raise Denied("DOOR-MODE", where=str(grant_id))
        names = self._mask_terms(admitted).names
        delivery = _Delivery(out=receipt, file_format=PARQUET, names=names, receipt_beside=True, into=into)
        return self._hand_over(admitted, delivery, lambda con, residents: self._masked(con, admitted, residents))

    def statistics(self, actor: str, grant_id: int, by: Sequence[str], *, sums: bool = True) -> Answer:
        """Persons counted by groups of what a T0 grant reaches: `by` names columns, each with its grouping. Its `value` is a Statistic.

        Refused DOOR-GROUPING; Denied DOOR-DIFFERENCE if it would tell too much beside what the recipient was given before. One at a time
        for a recipient, so that each is compared with the one before.
        """
        with self._store.session() as session:
            grant = load_grant(session, grant_id)
        facts = {"grant": grant_id, "by": list(by), "sums": sums}
        admitted = self._admit(Act.STATISTICS, actor, grant.purpose if grant else "", grant, facts)
        assert grant is not None, "nothing is admitted without one"
        place = taken_place(self._store, grant, self._staging.holder, self._clock())
        alone = hold(self._home.populations / f"{grant.grantee}.lock")
        with self._recorder.intend(admitted.act, admitted.facts) as recording, place as taken, alone:
            value, receipt = self._counted(admitted, grant, by, sums)
            self._check_still_granted(admitted)
            answer = Answer(self._log, recording.result(_outcome(receipt)), value=value)
            with self._store.session() as session, session.begin():
                add_receipt(session, receipt, answer.seq)
                give_back(session, taken)
        return answer

    def export_golden(self, actor: str, purpose: str, out: Path, labels: bool = False, as_of: date | None = None) -> Answer:
        """All residents, unmasked, as Parquet: `resident_id` and a column per element; as they stand, or as they were served on a day.

        Needs the bureau role.
        """
        check_writable(out, self._home)
        facts: dict[str, Any] = {"format": PARQUET, "labels": labels, **({} if as_of is None else {"as_of": as_of.isoformat()})}
        admitted = self._admit(Act.EXPORT_GOLDEN, actor, purpose, None, facts, as_of=as_of)
        columns = [name for name in admitted.target.columns if name == RESIDENT_ID or name in load_elements()]
        admitted = replace(admitted, plan=dict.fromkeys(columns, AS_IT_STANDS))

        def batches(con: duckdb.DuckDBPyConnection, residents: Population) -> Batches:
            plain = counted(golden_batches(con, admitted.target, columns), residents)
            return with_labels(plain, columns) if labels else plain

        names = labelled_columns(columns) if labels else columns
        return self._hand_over(admitted, _Delivery(out=out, file_format=PARQUET, names=names), batches)

    def export_crosswalk(self, actor: str, purpose: str, out: Path) -> Answer:
        """Each accepted record and the resident it belongs to, as Parquet: dataset, record, resident_id. Needs the bureau role."""
        check_writable(out, self._home)
        admitted = self._admit(Act.EXPORT_CROSSWALK, actor, purpose, None, {"format": PARQUET})
        admitted = replace(admitted, plan=dict.fromkeys(CROSSWALK_COLUMNS, AS_IT_STANDS))
        delivery = _Delivery(out=out, file_format=PARQUET, names=CROSSWALK_COLUMNS)
        folder = admitted.target.persons
        assert folder is not None, "the golden target knows its folder"
        return self._hand_over(admitted, delivery, lambda con, residents: counted(crosswalk_batches(con, folder), residents))

    def export_enterprise_crosswalk(self, actor: str, purpose: str, out: Path) -> Answer:
        """Each accepted record and the enterprise it belongs to, as Parquet: dataset, record, enterprise_id. Needs the bureau role."""
        check_writable(out, self._home)
        admitted = self._admit(Act.EXPORT_CROSSWALK, actor, purpose, None, {"format": PARQUET}, GOLDEN_ENTERPRISES)
        names = tuple(admitted.target.columns)
        admitted = replace(admitted, plan=dict.fromkeys(names, AS_IT_STANDS))
        delivery = _Delivery(out=out, file_format=PARQUET, names=names)
        return self._hand_over(admitted, delivery, lambda con, residents: enterprise_batches(con, admitted.target))

    def why(self, actor: str, purpose: str, resident: str, element: str | None = None, as_of: date | None = None) -> Answer:
        """The explanation of a resident's golden values, now or as of a day: sources, dates, rules, rivals, evidence.

        Its `value` is golden's Explanation.
        """
        facts = {"subject": self._log.subject("resident", resident), "element": element}
        facts |= {} if as_of is None else {"as_of": as_of.isoformat()}
        admitted = self._admit(Act.WHY, actor, purpose, None, facts, as_of=as_of)
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            value = explain(self._store, self._lake, resident, element, admitted.target.version)
            outcome = Outcome(rows=1, residents=1, digest=_digest_of_value(value), facts={"columns": [element] if element else []})
            return Answer(self._log, recording.result(outcome), value=value)

    def review(self, actor: str, purpose: str, limit: int) -> Answer:
        """The first rows of the review queue: records that may or may not be of one person, and why. Its `value` is golden's Queue."""
        admitted = self._admit(Act.REVIEW, actor, purpose, None, {"limit": limit})
        folder = admitted.target.persons
        assert folder is not None, "the golden target knows its folder"
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            value = read_queue(folder, admitted.target.version, list(load_matching().comparisons), limit)
            facts, residents = self._about({resident for row in value.rows for resident in row.residents})
            outcome = Outcome(rows=len(value.rows), residents=residents, digest=_digest_of_value(value), facts={"columns": [], **facts})
            return Answer(self._log, recording.result(outcome), value=value)

    def simulate(self, actor: str, purpose: str, rules: SurvivorshipRules) -> Answer:
        """What changed rules of survivorship would do to the golden records, in counts. Its `value` is golden's Simulation."""
        admitted = self._admit(Act.SIMULATE, actor, purpose, None, {})
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            value = simulate(self._store, self._lake, rules, load_survivorship(), now=self._clock())
            facts = {"columns": list(value.elements)}
            outcome = Outcome(rows=0, residents=value.residents_changed, digest=_digest_of_value(value), facts=facts)
            return Answer(self._log, recording.result(outcome), value=value)

    def impact(self, actor: str, terms: Grant, provider: str | None) -> Answer:
        """What agreeing to the terms of a request would let out, in counts, for the provider (None: the bureau) and the bureau.

        Its `value` is an Impact.
        """
        facts = {"request": terms.request, "grantee": terms.grantee, "columns": list(terms.columns)}
        admitted = self._admit(Act.IMPACT, actor, terms.purpose, terms, facts, provider=provider)
        staged = self._staging.new_file(".parquet")
        try:
            with self._recorder.intend(admitted.act, admitted.facts) as recording:
                with spilling_connection(self._staging.spill) as con:
                    earlier, listed = self._earlier(terms.grantee), self._listed(terms.row_scope)
                    value = weigh(con, admitted.target, terms, self._mask_terms(admitted), staged, earlier, listed)
                facts = {"columns": [column.name for column in value.columns]}
                outcome = Outcome(rows=0, residents=value.residents, digest=_digest_of_value(value), facts=facts)
                return Answer(self._log, recording.result(outcome), value=value)
        finally:
            staged.unlink(missing_ok=True)

    def trace(self, actor: str, purpose: str, file: Path) -> Answer:
        """Whose copy a leaked file is, by the fingerprints in it. Its `value` is a Trace. Needs the bureau role."""
        if not file.is_file():
            raise NotFound("DOOR-LEAKED", where=file.name)
        admitted = self._admit(Act.TRACE, actor, purpose, None, {"file_digest": digest_of(file)})
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            with self._store.session() as session:
                value = trace(session, self._home.keys, self._master(), file)
            copies = [{"recipient": one.recipient, "fingerprint": one.fingerprint, "receipt": one.receipt} for one in value.found]
            facts = {"columns": [], "compared": value.compared, "found": copies[:MOST_FOUND_RECORDED]}
            return Answer(
                self._log, recording.result(Outcome(rows=0, residents=0, digest=_digest_of_value(value), facts=facts)), value=value
            )

    def ticket_items(self, actor: str, purpose: str, ticket: int, *, after: int = 0, limit: int) -> Answer:
        """The values in question on a ticket, to the department that it is with. Its `value`: a tuple of ItemView."""
        with self._store.session() as session:
            case = Case(department=ticket_department(session, ticket))
        admitted = self._admit(Act.TICKET, actor, purpose, None, {"ticket": ticket, "after": after, "limit": limit}, case=case)
        folder = admitted.target.persons
        assert folder is not None, "the golden target knows its folder"
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            with self._store.session() as session:
                value = read_items(session, folder, ticket, after, limit)
                facts, residents = self._about(item_residents(session, [view.item for view in value]))
            facts = {"columns": sorted({view.element for view in value}), **facts}
            outcome = Outcome(rows=len(value), residents=residents, digest=_digest_of_values(value), facts=facts)
            return Answer(self._log, recording.result(outcome), value=value)

    def door_form(self, actor: str, purpose: str, check: int) -> Answer:
        """The prefilled form of a check at the door, to the grid worker whose it is. Its `value`: a Form."""
        with self._store.session() as session:
            case = Case(worker=door_check_worker(session, check))
        admitted = self._admit(Act.DOOR_CHECK, actor, purpose, None, {"door_check": check}, case=case)
        folder = admitted.target.persons
        assert folder is not None, "the golden target knows its folder"
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            with self._store.session() as session:
                value = read_form(session, folder, admitted.target.version, check)
                facts, residents = self._about(door_check_residents(session, check))
            facts = {"columns": [one.element for one in value.asked], **facts}
            outcome = Outcome(rows=1, residents=residents, digest=_digest_of_value(value), facts=facts)
            return Answer(self._log, recording.result(outcome), value=value)

    def look_up(self, actor: str, grant_id: int, by: str, value: str, case_number: str = "") -> Answer:
        """The granted columns of one resident, named by number, document or resident id, or of one record of a data set, by `record`.

        Its `value`: a Told, JSON with its digest. Who is not there, who lives outside the row scope, and two who share a number are
        answered alike.
        """
        if by == RECORD:
            return self._look_up_record(actor, grant_id, record_key(value), case_number)
        return self._ask(actor, grant_id, LookUp(person=person(by, value)), case_number)

    def _look_up_record(self, actor: str, grant_id: int, key: str, case_number: str) -> Answer:
        asked: Facts = {"grant": grant_id, "case_number": case_number, **asked_facts(key, self._log.subject)}
        admitted = self._admit_to_inquiry(Act.LOOK_UP, actor, grant_id, case_number, 1, asked)
        assert admitted.grant is not None, "no inquiry is allowed without a grant"
        with self._attempted(admitted):
            if admitted.target.holds_residents or admitted.target.key == GOLDEN_ENTERPRISES:
                raise Refused("DOOR-ASKED", where=RECORD, what=admitted.target.key)
        scope = admitted.grant.row_scope
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            with spilling_connection(self._staging.spill) as con:
                told = look_up_record(con, admitted.target, key, scope, self._mask_terms(admitted), self._listed(scope))
            self._check_still_granted(admitted)
            about, _ = self._about(set(told.residents))
            outcome = _outcome_of(replace(told, facts={**told.facts, **about, "outcome": told.outcome}))
            return Answer(self._log, recording.result(outcome), value=told)

    def verify(self, actor: str, grant_id: int, by: str, value: str, attributes: Mapping[str, str], case_number: str = "") -> Answer:
        """Whether values belong to a person (核验): yes, no or not known; at least two beside the one that finds the person (I-08)."""
        return self._ask(actor, grant_id, verification(by, value, attributes), case_number)

    def kinship(self, actor: str, grant_id: int, parent: Named, child: Named, case_number: str = "") -> Answer:
        """Whether one person is the father or mother of another: yes, no or not known."""
        return self._ask(actor, grant_id, Kinship(parent=parent, child=child), case_number)

    def case_look_up(self, actor: str, grants: Sequence[int], case_number: str, numbers: Sequence[str], out: Path | None = None) -> Answer:
        """What several granted data sets say of the persons of one case (办案查询), as JSON; sealed as one.

        To the file `out`, else as its `value`, a Told. Each grant must be of a high tier and for this very case; one that is not denies the
        whole.
        """
        if out is not None:
            check_writable(out, self._home)
        persons = persons_of(numbers)
        if not 0 < len(set(grants)) <= MOST_GRANTS:
            raise Refused("DOOR-ASKED", where="grants", what=f"1–{MOST_GRANTS}")
        asked: Facts = {"grants": sorted(set(grants)), "case_number": case_number}
        calls = len(persons)
        admitted = [self._admit_to_inquiry(Act.CASE_LOOK_UP, actor, number, case_number, calls, asked) for number in asked["grants"]]
        with self._store.session() as session:
            golden = required_golden(session, self._lake)
        staged = self._staging.new_file(".json")
        try:
            with self._recorder.intend(Act.CASE_LOOK_UP, self._case_facts(admitted, persons, asked, golden)) as recording:
                told = self._told_of_case(admitted, case_number, persons, golden)
                staged.write_bytes(told.body)
                for one in admitted:
                    self._check_still_granted(one)
                answer = Answer(self._log, recording.result(_outcome_of(told)), path=out, value=told if out is None else None)
                if out is not None:
                    self._staging.hand_over(staged, out)
        finally:
            staged.unlink(missing_ok=True)
        return answer

    def _admit_to_inquiry(self, act: Act, actor: str, number: int, case_number: str, calls: int, asked: Facts) -> _Admitted:
        """Admitted under one grant; each person or record that is asked for counts as a call of that grant."""
        with self._store.session() as session:
            grant = load_grant(session, number)
        admitted = self._admit(act, actor, grant.purpose if grant else "", grant, asked, case_number=case_number)
        if grant is not None and Quota.CALLS_PER_DAY in grant.quotas:
            counted = Counted(kind=PER_GRANT, name=str(number))
            with self._store.session() as session, session.begin():
                before = count(session, Counter({counted: calls}), self._today()).take(counted)
            self._require(replace(admitted.question, calls=before + calls - 1), admitted.facts)
        return admitted

    def _case_facts(self, admitted: Sequence[_Admitted], persons: Sequence[Person], asked: Facts, golden: GoldenFiles) -> Facts:
        first = admitted[0]
        kept = {name: first.facts[name] for name in KEPT_OF_CASE}
        targets = [{"grant": one.grant.id, "target": one.target.key, "target_version": one.target.version} for one in admitted if one.grant]
        named = [one.recorded(self._log.subject) for one in persons]
        return {**self._shown(), **kept, **asked, "golden_version": golden.version, "targets": targets, "persons": named}

    def _told_of_case(self, admitted: Sequence[_Admitted], case_number: str, persons: Sequence[Person], golden: GoldenFiles) -> Told:
        with spilling_connection(self._staging.spill) as con:
            known = residents_of(con, golden.folder, persons)
            terms = [(one.grant, one.target, self._mask_terms(one)) for one in admitted if one.grant]
            parts = [part_of(con, grant, target, mask, known.values(), self._listed(grant.row_scope)) for grant, target, mask in terms]
        residents = told_of(persons, known, parts)
        about, _ = self._about(residents)
        columns = [{"grant": grant.id, **column} for grant, _, mask in terms for column in recorded_columns(mask.plan)]
        rows = sum(len(some) for part in parts for some in part.rows.values())
        return Told(
            body=as_bytes(document(case_number, persons, known, parts)),
            outcome=FOUND if residents else NOT_FOUND,
            rows=rows,
            residents=tuple(sorted(residents)),
            facts={**about, "columns": columns},
        )

    def desk(self) -> Desk:
        """A desk for one thread, for many inquiries at once. Whoever takes it closes it before the door."""
        return Desk(self._store, self._home, self._log, self._recorder, self._clock)

    def _ask(self, actor: str, grant_id: int, matter: Matter, case_number: str) -> Answer:
        assert self._presence is None or actor == self._presence.account.name, "whoever is present asks for himself"
        with closing(self.desk()) as desk:
            answer = desk.answer(
                Inquiry(asker=self._presence or ByName(account=actor), grant=grant_id, matter=matter, case_number=case_number)
            )
        with log_faults_translated():
            self._log.seal()
        return answer

    def reliability(self, actor: str, purpose: str, element: str | None = None) -> Answer:
        """How reliable each source is about an element, or each. Its `value` is golden's ReliabilityTable; about no resident."""
        admitted = self._admit(Act.RELIABILITY, actor, purpose, None, {"element": element})
        folder = admitted.target.persons
        assert folder is not None, "the golden target knows its folder"
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            value = read_table(self._store, folder, admitted.target.version, element)
            rows = sum(len(found.sources) for found in value.elements)
            outcome = Outcome(rows=rows, residents=0, digest=_digest_of_value(value), facts={"columns": [element] if element else []})
            return Answer(self._log, recording.result(outcome), value=value)

    def export_reliability(self, actor: str, purpose: str, out: Path) -> Answer:
        """The same by age, as Parquet, with the version that it was learnt with."""
        check_writable(out, self._home)
        admitted = self._admit(Act.RELIABILITY, actor, purpose, None, {"format": PARQUET})
        admitted = replace(admitted, plan=dict.fromkeys(RELIABILITY_COLUMNS, AS_IT_STANDS))
        delivery = _Delivery(out=out, file_format=PARQUET, names=RELIABILITY_COLUMNS)
        folder = admitted.target.persons
        assert folder is not None, "the golden target knows its folder"
        return self._hand_over(admitted, delivery, lambda con, _: reliability_batches(con, folder))

    def replay(self, actor: str, purpose: str, seq: int, out: Path | None = None) -> Answer:
        """What the answer at `seq` gave, made again as of then; its `value` is a Replayed. Handed over only where `out` says where.

        NotFound OVS-RECORD, Refused DOOR-NO-REPLAY; before that only an auditor learns whether there is such an answer.
        """
        if out is not None:
            check_writable(out, self._home)
        admitted = self._admit(Act.REPLAY, actor, purpose, None, {"replayed": seq, "handed_over": out is not None})
        staged = self._staging.new_file(".replay")
        try:
            with self._recorder.intend(admitted.act, admitted.facts) as recording:
                value, population = self._replayed(recorded_answer(self._log, seq), staged)
                facts = {"population": population} if out is not None else {}  # what was only compared was seen by nobody
                outcome = Outcome(rows=value.rows, residents=value.residents, digest=value.digest, facts={"same": value.same, **facts})
                answer = Answer(self._log, recording.result(outcome), path=out, value=value)
            if out is not None:
                self._staging.hand_over(staged, out)
            return answer
        finally:
            staged.unlink(missing_ok=True)

    def _replayed(self, recorded: Recorded, staged: Path) -> tuple[Replayed, str]:
        population = Population()
        with self._store.session() as session:
            again = replay_of(session, Archive(home=self._home, log=self._log, policy=self._policy), recorded)
        with spilling_connection(self._staging.spill) as con:
            rows = again(con, population, staged)
        digest, told = digest_of(staged), recorded.told
        value = Replayed(
            replayed=recorded.seq,
            same=digest == told["digest"],
            digest=digest,
            recorded_digest=told["digest"],
            rows=rows,
            recorded_rows=told["rows"],
            residents=population.total,
            recorded_residents=told["residents"],
            doubts=doubts_of(recorded, self._policy, rules_version()),
        )
        return value, population.keep(self._home.populations)

    def before(self, presence: Presence, origin: str = "") -> "Door":
        """This door as it is for one who is present: nobody else can be the actor, and what his key reaches bounds what he is given.

        `origin`: from where he calls, where that is known better than of the door itself.
        """
        door = copy(self)
        door._presence = presence
        if origin:
            door._recorder = Recorder(self._log, self._staging.holder, origin)
        return door

    def reverse(self, actor: str, reason: str, grant_id: int, column: str, asked: Sequence[str]) -> Answer:
        """What pseudonyms or encrypted numbers of a column stand for that were handed out under a grant. Its `value` is a Reversal.

        Refused DOOR-REVERSE for more than MOST_REVERSED at once, or a column that the grant does not have.
        """
        with self._store.session() as session:
            grant = load_grant(session, grant_id)
        admitted = self._admit(Act.REVERSE, actor, reason, grant, {"grant": grant_id, "column": column, "asked": len(asked)})
        assert admitted.grant is not None
        if column not in admitted.grant.columns or column not in admitted.target.columns or not 0 < len(asked) <= MOST_REVERSED:
            raise Refused("DOOR-REVERSE", where=str(grant_id), what=str(MOST_REVERSED))
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            with spilling_connection(self._staging.spill) as con:
                value = reverse(con, admitted.target, column, asked, self._keys(admitted.grant.grantee))
            kind = "resident" if column == RESIDENT_ID else admitted.target.columns[column].facts.element or column
            subjects = sorted(self._log.subject(kind, found) for found in subjects_of(value).values())
            facts = {"columns": [column], "subjects": subjects}
            outcome = Outcome(rows=len(subjects), residents=len(set(subjects)), digest=_digest_of_value(value), facts=facts)
            return Answer(self._log, recording.result(outcome), value=value)

    def link(self, actor: str, ticket_id: int, out: Path, file_format: str) -> Answer:
        """Write the pairs of pseudonyms that a linkage ticket allows to join. Denied DOOR-DENIED; NotFound DOOR-NO-LINKAGE."""
        check_format(file_format)
        check_writable(out, self._home)
        with self._store.session() as session:
            ticket = load_ticket(session, ticket_id)
        grants = (ticket.grant_a, ticket.grant_b)
        facts = {"ticket": ticket_id, "grants": [one.id for one in grants], "format": file_format, "case_number": ticket.case_number}
        admitted = self._admit(Act.LINK, actor, ticket.reason, ticket.grant_a, facts)
        with self._attempted(admitted):
            self._check_linkage(ticket_id, admitted)
        keys = [self._keys(grant.grantee)[0] for grant in grants]
        listed = [found for grant in grants if (found := self._listed(grant.row_scope))]

        def batches(con: duckdb.DuckDBPyConnection, residents: Population) -> Batches:
            for batch in linked_batches(con, admitted.target, ticket, keys, residents, listed):
                self._check_linkage(ticket_id, admitted)
                yield batch
            self._check_linkage(ticket_id, admitted)

        own = replace(admitted.question, grant=None)  # it is the bureau's answer, and uses up nothing of either grant
        linked = replace(admitted, question=own, plan=PAIR, target=pair_target(admitted.target))
        return self._hand_over(linked, _Delivery(out=out, file_format=file_format, names=tuple(PAIR)), batches)

    def _check_linkage(self, ticket_id: int, admitted: _Admitted) -> None:
        """Looked at before, at each chunk, and before it is handed over: ticket and both grants stand, residents come out by pseudonym."""
        with self._store.session() as session:
            ticket = load_ticket(session, ticket_id)
        check_usable(ticket, self._account(admitted.account.name), self._today())
        if not all(hands_out_pseudonyms(grant, admitted.target, self._policy) for grant in (ticket.grant_a, ticket.grant_b)):
            raise Refused("DOOR-LINKAGE", where=str(ticket_id), what="授权不以假名提供居民标识 residents do not come out by pseudonym")

    def close(self) -> None:
        self._staging.close()

    def __enter__(self) -> "Door":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _admit(
        self,
        act: Act,
        actor: str,
        purpose: str,
        grant: Grant | None,
        facts: Facts,
        bureaus: str = GOLDEN,
        as_of: date | None = None,
        provider: str | None = None,
        case: Case | None = None,
        case_number: str = "",
    ) -> _Admitted:
        """Decide, twice: before the target is looked at, so that nobody learns of it who may not, and with it.

        `bureaus`: the target of a question without a grant; `as_of`: the day as of which it is asked for, none: as it stands;
        `provider`: whose data a request is for that is weighed; `case`: with whom the case is that is looked at.
        """
        account, now = self._account(actor), self._clock()
        question = Question(
            act=act,
            account=account,
            purpose=purpose,
            today=self._today(),
            policy=self._policy,
            grant=grant,
            provider=provider,
            extracts=self._extracts(grant),
            case=case,
            case_number=case_number,
            key=self._presence.scope if self._presence else None,
            now=now,
            proven=self._presence is None or self._presence.proven(now),
        )
        facts = {**self._shown(), "actor": actor, "department": account.department, "purpose": purpose, **facts}
        self._require(question, facts)
        if question.grant_in_use is not None:
            self._made_terms.require(question.grant_in_use)
        with self._store.session() as session:
            target = load_target(session, self._lake, grant.target if grant else bureaus, as_of)
        decision = self._require(replace(question, target=target), facts)
        return _Admitted(question=question, target=target, plan=decision.plan, facts=facts | self._versions(target, grant))

    def _require(self, question: Question, facts: Facts) -> Decision:
        decision = decide(question)
        if not decision.allowed:
            known = {Reason.PERSON_IN_PURPOSE, Reason.NO_PURPOSE} & set(decision.reasons)
            self._recorder.deny(question.act, {**facts, "purpose": ""} if known else facts, decision)
            raise Denied("DOOR-DENIED", where=question.act.value, what=decision.told())
        return decision

    def _shown(self) -> Facts:
        """By what the actor is known, for the record."""
        return {} if self._presence is None else {"means": self._presence.means.value, "means_number": self._presence.number}

    def _account(self, name: str) -> Account:
        """An unknown account is one that may do nothing; who tries names learns no more than that."""
        assert self._presence is None or name == self._presence.account.name, "whoever is present asks for himself"
        try:
            with self._store.session() as session:
                return load_account(session, name)
        except NotFound:
            return Account(name=name, department=None, roles=frozenset(), active=False)

    def _versions(self, target: Target, grant: Grant | None) -> dict[str, Any]:
        scope: dict[str, Any] = self._of_grant(grant) if grant else {}
        versions = {"target": target.key, "target_version": target.version, "golden_version": target.golden_version}
        return {**versions, **scope, "policy_version": self._policy.version, "rules_version": rules_version()}

    def _of_grant(self, grant: Grant) -> dict[str, Any]:
        """The terms, and by which epoch and digest pseudonyms are made: so SM3 is told from what stood in for it (I-11)."""
        with self._store.session() as session:
            epoch = epochs_of(session, grant.grantee)[0]
        terms = {"tier": grant.tier.value, "case_number": grant.case_number, "areas": list(grant.row_scope.areas)}
        return {**terms, "epoch": epoch.number, "digest_of_pseudonyms": epoch.digest}

    def _masked(self, con: duckdb.DuckDBPyConnection, admitted: _Admitted, residents: Population) -> Batches:
        assert admitted.grant is not None
        scope = admitted.grant.row_scope
        terms = self._mask_terms(admitted)
        order = row_order(admitted.grant, admitted.target, admitted.plan, terms.key)
        base = base_batches(con, admitted.target, list(admitted.plan), scope, order, self._listed(scope))
        masked = masked_batches(base, scope, terms, residents)
        return at_most(masked, admitted.grant.quotas.get(Quota.ROWS_PER_EXTRACT))

    def _counted(self, admitted: _Admitted, grant: Grant, by: Sequence[str], sums: bool) -> tuple[Statistic, Receipt]:
        rule, target, folder = self._policy.statistics, admitted.target, self._home.populations
        dimensions = dimensions_of(by, grant, target, rule)
        columns = [one.column for one in dimensions]
        with spilling_connection(self._staging.spill) as con:
            read = base_batches(con, target, columns, grant.row_scope, listed=self._listed(grant.row_scope))
            base = self._watched(read, admitted)
            table = tabulate(base, dimensions, self._today(), rule)
        value = statistic_of(table, target, dimensions, rule, sums=sums)
        new = answered(table, table.hidden(rule.smallest_group))
        with self._store.session() as session:
            if any(differs_by_few(new, earlier, rule.smallest_group) for earlier in earlier_answers(session, folder, grant.grantee)):
                raise Denied("DOOR-DIFFERENCE", where=str(grant.id))
        population = Population.of(table.persons, int(table.unknown.sum()))
        counted = replace(admitted, plan={name: admitted.plan[name] for name in columns})
        receipt = self._receipt(counted, columns, len(value.groups), population, "statistics", _digest_of_value(value))
        return value, replace(receipt, groups=keep_groups(folder, new))

    def _listed(self, scope: RowScope) -> Listed | None:
        return read_clients(self._home.clients, scope.clients, self._log) if scope.clients else None

    def _mask_terms(self, admitted: _Admitted) -> MaskTerms:
        assert admitted.grant is not None
        disputed = admitted.grant.disputed if admitted.target.holds_residents else Disputed.KEEP
        key = self._keys(admitted.grant.grantee)[0]
        return MaskTerms(plan=admitted.plan, policy=self._policy, key=key, today=self._today(), disputed=disputed)

    def _keys(self, recipient: str) -> list[RecipientKey]:
        """The keys of a recipient, one an epoch, the one that stands first."""
        with self._store.session() as session:
            epochs = epochs_of(session, recipient)
        return [key_of(self._home.keys, recipient, epoch) for epoch in epochs]

    @contextmanager
    def _attempted(self, admitted: _Admitted) -> Iterator[None]:
        """Around what stands against an admitted question beside the decision: it is recorded as a denial."""
        try:
            yield
        except TongchouError as fault:
            with log_faults_translated():
                self._log.append_sealed(admitted.act.intent.sibling("denied"), {**admitted.facts, "why": [fault.code]})
            raise

    def _extracts(self, grant: Grant | None) -> int:
        """How many extracts were handed over or are under way under a grant; looked up only where they are limited."""
        if grant is None or Quota.EXTRACTS not in grant.quotas:
            return 0
        with self._store.session() as session:
            return places_taken(session, grant.id)

    def _earlier(self, requester: str) -> list[tuple[Release, Target | None]]:
        """What a department was given before, each with its target as it stands; None for one that is no longer there."""
        with self._store.session() as session:
            releases = earlier_releases(session, requester)
            targets = {key: self._target(session, key) for key in {release.target for release in releases}}
        return [(release, targets[release.target]) for release in releases]

    def _target(self, session: Session, key: str) -> Target | None:
        try:
            return load_target(session, self._lake, key)
        except NotFound:
            return None

    def _hand_over(
        self, admitted: _Admitted, delivery: _Delivery, batches: Callable[[duckdb.DuckDBPyConnection, Population], Batches]
    ) -> Answer:
        staged = self._staging.new_file(f".{delivery.file_format}")
        place = taken_place(self._store, admitted.grant, self._staging.holder, self._clock())
        try:
            with self._recorder.intend(admitted.act, admitted.facts) as recording, place as taken:
                marks = self._marking(admitted, recording.intent)
                receipt = self._staged(admitted, delivery, staged, batches, marks)
                self._check_still_granted(admitted)
                answer = Answer(self._log, recording.result(_outcome(receipt)), path=delivery.out)
                self._deliver(admitted, delivery, staged, receipt, answer.seq, taken)
        finally:
            staged.unlink(missing_ok=True)
        return answer

    def _staged(
        self,
        admitted: _Admitted,
        delivery: _Delivery,
        staged: Path,
        batches: Callable[[duckdb.DuckDBPyConnection, Population], Batches],
        marks: Marking,
    ) -> Receipt:
        """Write the answer to a file of the door's own, and its population; the receipt says what was written."""
        population = Population()
        self._check_still_granted(admitted)
        with spilling_connection(self._staging.spill) as con:
            marked = marked_batches(self._watched(batches(con, population), admitted), marks)
            rows = write(staged, list(delivery.names), marked, delivery.file_format)
        receipt = self._receipt(admitted, delivery.names, rows, population, delivery.file_format, digest_of(staged))
        return replace(receipt, fingerprint=marks.fingerprint)

    def _marking(self, admitted: _Admitted, intent: Sealed) -> Marking:
        """The mark of the copy that an extract makes, named by its intent's record. The bureau's own exports and full records have none."""
        grant = admitted.grant
        if grant is None or admitted.act is not Act.EXTRACT or grant.tier is Tier.T4:
            return NO_MARKING
        kinds = {name: column.facts.kind for name, column in admitted.target.columns.items()}
        marks = marks_of(admitted.plan, kinds, self._policy.fingerprints)
        return marking(self._master(), grant.grantee, intent.leaf_hash.hex()[:FINGERPRINT_HEX_DIGITS], marks)

    def _master(self) -> bytes:
        with log_faults_translated():
            return read_private(self._home.keys / MASTER_KEY)

    def _receipt(
        self, admitted: _Admitted, columns: Sequence[str], rows: int, population: Population, file_format: str, digest: str
    ) -> Receipt:
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

    def _deliver(self, admitted: _Admitted, delivery: _Delivery, staged: Path, receipt: Receipt, seq: int, place: int | None) -> None:
        """Hand over what is sealed, its receipt first; looked at once more, for sealing may have waited."""
        try:
            if delivery.into is None:
                self._check_still_granted(admitted)
                self._give_receipt(delivery, receipt, seq, place, RECEIPT_SUFFIX)
                self._staging.hand_over(staged, delivery.out)
                return
            with loaded_aside(delivery.into, staged, lambda: self._check_still_granted(admitted)) as swap:
                self._check_still_granted(admitted)
                self._give_receipt(delivery, receipt, seq, place, "")
                swap()
        except TongchouError as stopped:
            if admitted.act is Act.EXTRACT:
                self._recorder.withhold(admitted.act, seq, stopped.code)
            raise

    def _give_receipt(self, delivery: _Delivery, receipt: Receipt, seq: int, place: int | None, suffix: str) -> None:
        with self._store.session() as session, session.begin():
            number = add_receipt(session, receipt, seq)
            give_back(session, place)
        if delivery.receipt_beside:
            beside = self._staging.new_file(".json")
            beside.write_text(as_json(receipt, number, seq, self._log), encoding="utf-8")
            self._staging.hand_over(beside, delivery.out.with_name(delivery.out.name + suffix))

    def _watched(self, batches: Batches, admitted: _Admitted) -> Batches:
        for batch in batches:
            self._check_still_granted(admitted)
            yield batch

    def _check_still_granted(self, admitted: _Admitted) -> None:
        """Decide anew: what was suspended, ended, ran out or was graded otherwise stops an extract under way (L-27, TX-07)."""
        if admitted.grant is None:
            return
        with self._store.session() as session:
            grant, target = load_grant(session, admitted.grant.id), load_target(session, self._lake, admitted.grant.target)
        self._still_as_made(grant)
        account = self._account(admitted.account.name)
        anew = replace(admitted.question, account=account, grant=grant, target=target, today=self._today(), now=self._clock(), extracts=0)
        decision = decide(anew)
        if not decision.allowed or decision.plan != admitted.plan:
            raise Denied("DOOR-STOPPED", where=str(admitted.grant.id))

    def _still_as_made(self, grant: Grant | None) -> None:
        """Terms that were edited meanwhile stop what is under way like terms that ended; the finding is a record of its own."""
        try:
            if grant is not None:
                self._made_terms.require(grant)
        except IntegrityBroken as fault:
            raise Denied("DOOR-STOPPED", where=fault.where) from fault

    def _about(self, residents: set[str]) -> tuple[Facts, int]:
        """Whom an answer about single people is about, as records name them, and how many: so that each can be told who saw him."""
        if len(residents) <= MOST_NAMED:
            return {"subjects": sorted(self._log.subject("resident", resident) for resident in residents)}, len(residents)
        population = Population()
        population.add(pa.array(sorted(residents), pa.string()))
        return {"population": population.keep(self._home.populations)}, len(residents)

    def _today(self) -> date:
        return self._clock().astimezone(CHINA).date()


def open_door(home: Home, store: Store, clock: Clock, *, origin: str = "") -> Door:
    """The door of a home, with its log and keys; IntegrityBroken AUD-KEY if keys and log do not belong together."""
    with log_faults_translated():
        return Door(store, home, open_log(home.audit_url, home.keys, clock=clock), clock, origin=origin)


def create_keys(home: Home) -> None:
    """The keys of log and masks, and the log itself; safe to repeat, makes only what is not there."""
    with log_faults_translated():
        open_log(home.audit_url, home.keys).close()
    with hold(home.keys / ".lock"):
        if not (home.keys / MASTER_KEY).exists():
            write_private(home.keys / MASTER_KEY, os.urandom(KEY_BYTES))


def _outcome(receipt: Receipt) -> Outcome:
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


def _outcome_of(told: Told) -> Outcome:
    return Outcome(rows=told.rows, residents=len(told.residents), digest=sha256(told.body).hexdigest(), facts=told.facts)


def _digest_of_value(value: Any) -> str:
    return sha256(json.dumps(asdict(value), ensure_ascii=False, sort_keys=True, default=str).encode()).hexdigest()


def _digest_of_values(values: Sequence[Any]) -> str:
    return sha256("".join(_digest_of_value(value) for value in values).encode()).hexdigest()
