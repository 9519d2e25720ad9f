"""The door: every read of residents for an answer goes through one of its methods, and each leaves its records before the answer leaves.

Decide → INTENT (durable) → read → mask → stage → RESULT (durable, sealed) → hand over. What is denied is recorded too. Nothing else in the
platform reads resident rows for an answer. Who is let in is decided in `admission`, bulk answers leave through `delivery`, and what an
answer holds is made in a room of its own.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from copy import copy
from dataclasses import replace
from datetime import date
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb

from access.acts import Act
from access.admission import Admission, Admitted, Batches, Clock
from access.case_look_up import CaseTerms, check_grants, look_up_case, persons_of
from access.casefiles import door_check_residents, door_check_worker, item_residents, read_form, read_items, ticket_department
from access.clients import Listed, read_clients
from access.delivery import Deliveries, Delivery, master_key, outcome_of
from access.desk import Desk
from access.differencing import answered, differs_by_few, earlier_answers, keep_groups
from access.epochs import MASTER_KEY, keys_of
from access.files import check_format, digest_of
from access.impact import Release, earlier_releases, weigh
from access.inquiries import ByName, Inquiry, Kinship, LookUp, Matter, Named, Person, Told, person, verification
from access.labels import labelled_columns, with_labels
from access.linkage import PAIR, LinkageTicket, check_usable, hands_out_pseudonyms, linked_batches, load_ticket, pair_target
from access.loading import Destination
from access.log_faults import log_faults_translated
from access.places import free_places, give_back, taken_place
from access.populations import Population, about
from access.presence import Presence
from access.questions import Case
from access.reading import (
    MaskTerms,
    at_most,
    base_batches,
    counted,
    crosswalk_batches,
    enterprise_batches,
    golden_batches,
    masked_batches,
    reliability_batches,
    row_order,
    spilling_connection,
)
from access.receipts import Receipt, add_receipt
from access.record_look_up import RECORD, asked_facts, look_up_record, record_key
from access.recording import Answer, Facts, Outcome, Recorder, digest_of_value
from access.replaying import Archive, Recorded, Replayed, doubts_of, recorded_answer, replay_of
from access.reversal import check_reversible, reverse, subjects_of
from access.staging import Staging, check_writable, is_dead, sweep
from access.statistics import Statistic, dimensions_of, statistic_of, tabulate
from access.targets import GOLDEN_ENTERPRISES, RESIDENT_ID, GoldenFiles, Target, load_target, required_golden
from access.terms import Disputed, Grant, Mode, Quota, RowScope
from access.tracing import trace
from audit.keys import write_private
from audit.log import Log, open_log
from catalog.home import Home
from catalog.lake import Lake
from catalog.locks import hold
from catalog.store import Store
from golden.enterprises import ENTERPRISE_LETTER
from golden.explain import why as explain
from golden.explain import why_enterprise
from golden.reliability_table import COLUMNS as RELIABILITY_COLUMNS
from golden.reliability_table import read_table
from golden.review import read_queue
from golden.simulation import simulate
from masking.methods import KEEP, RecipientKey
from masking.plan import ColumnPlan
from masking.pseudonyms import KEY_BYTES
from rules.authority import SurvivorshipRules, load_survivorship
from rules.elements import load_elements
from rules.errors import Denied, NotFound, Refused
from rules.matching import load_matching
from rules.tiers import load_tier_policy
from rules.version import rules_version

PARQUET = "parquet"
TABLE = "table"
CROSSWALK_COLUMNS = ("dataset", "record", RESIDENT_ID)
MOST_FOUND_RECORDED = 100
KEPT_OF_CASE = ("actor", "department", "purpose", "policy_version", "rules_version", "epoch", "digest_of_pseudonyms")
"""What all grants of a case look-up have in common."""
AS_IT_STANDS = ColumnPlan(mask=KEEP, minor_mask=KEEP)


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
        self._admission = Admission(store, self._lake, log, self._recorder, clock)
        self._deliveries = Deliveries(store, home, log, self._staging, self._admission, self._recorder, clock)

    def before(self, presence: Presence, origin: str = "") -> "Door":
        """This door as it is for one who is present: nobody else can be the actor, and what his key reaches bounds what he is given.

        `origin`: from where he calls, where that is known better than of the door itself.
        """
        door = copy(self)
        if origin:
            door._recorder = Recorder(self._log, self._staging.holder, origin)
        door._admission = self._admission.before(presence, door._recorder)
        door._deliveries = self._deliveries.before(door._admission, door._recorder)
        return door

    def close(self) -> None:
        self._staging.close()

    def __enter__(self) -> "Door":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What a grant gives in bulk

    def extract(self, actor: str, grant_id: int, out: Path, file_format: str) -> Answer:
        """Write what a grant gives to `out` (csv, xlsx or parquet), its receipt beside it.

        Raises Denied DOOR-DENIED with the reasons; Refused for a format or a path that cannot be; PlatformFault AUD-UNAVAILABLE if the log
        takes no record, in which case nothing is handed over.
        """
        check_format(file_format)
        check_writable(out, self._home)
        admitted = self._admission.admit_under(Act.EXTRACT, actor, grant_id, {"format": file_format})
        delivery = Delivery(out=out, file_format=file_format, names=self._mask_terms(admitted).names, receipt_beside=True)
        return self._deliveries.deliver(admitted, delivery, lambda con, residents: self._masked(con, admitted, residents))

    def load(self, actor: str, grant_id: int, into: Destination, receipt: Path) -> Answer:
        """Load what a grant for table exchange gives into a department's database, its receipt to a file.

        Denied DOOR-MODE for a grant that is not for tables; Refused DOOR-TABLE if the database does not take it: it is as it was then.
        """
        check_writable(receipt, self._home)
        admitted = self._admission.admit_under(Act.EXTRACT, actor, grant_id, {"format": TABLE, "table": into.table})
        with self._admission.attempted(admitted):
            if admitted.granted.mode is not Mode.TABLE:
                raise Denied("DOOR-MODE", where=str(grant_id))
        names = self._mask_terms(admitted).names
        delivery = Delivery(out=receipt, file_format=PARQUET, names=names, receipt_beside=True, into=into)
        return self._deliveries.deliver(admitted, delivery, lambda con, residents: self._masked(con, admitted, residents))

    def statistics(self, actor: str, grant_id: int, by: Sequence[str], *, sums: bool = True) -> Answer:
        """Persons counted by groups of what a T0 grant reaches: `by` names columns, each with its grouping. Its `value` is a Statistic.

        Refused DOOR-GROUPING; Denied DOOR-DIFFERENCE if it would tell too much beside what the recipient was given before. One at a time
        for a recipient, so that each is compared with the one before.
        """
        admitted = self._admission.admit_under(Act.STATISTICS, actor, grant_id, {"by": list(by), "sums": sums})
        grant = admitted.granted
        place = taken_place(self._store, grant, self._staging.holder, self._clock())
        alone = hold(self._home.populations / f"{grant.grantee}.lock")
        with self._recorder.intend(admitted.act, admitted.facts) as recording, place as taken, alone:
            value, receipt = self._counted(admitted, grant, by, sums)
            self._admission.check_stands(admitted)
            answer = recording.answer(outcome_of(receipt), value=value)
            with self._store.session() as session, session.begin():
                add_receipt(session, receipt, answer.seq)
                give_back(session, taken)
        return answer

    def impact(self, actor: str, terms: Grant, provider: str | None) -> Answer:
        """What agreeing to the terms of a request would let out, in counts, for the provider (None: the bureau) and the bureau.

        Its `value` is an Impact.
        """
        facts = {"request": terms.request, "grantee": terms.grantee, "columns": list(terms.columns)}
        admitted = self._admission.admit(Act.IMPACT, actor, terms.purpose, facts, grant=terms, provider=provider)
        staged = self._staging.new_file(".parquet")
        try:
            with self._recorder.intend(admitted.act, admitted.facts) as recording:
                with spilling_connection(self._staging.spill) as con:
                    earlier, listed = self._earlier(terms.grantee), self._listed(terms.row_scope)
                    value = weigh(con, admitted.target, terms, self._mask_terms(admitted), staged, earlier, listed)
                facts = {"columns": [column.name for column in value.columns]}
                return recording.answer(Outcome.of(value, residents=value.residents, facts=facts), value=value)
        finally:
            staged.unlink(missing_ok=True)

    # The bureau's own exports

    def export_golden(self, actor: str, purpose: str, out: Path, labels: bool = False, as_of: date | None = None) -> Answer:
        """All residents, unmasked, as Parquet: `resident_id` and a column per element; as they stand, or as they were served on a day.

        Needs the bureau role.
        """
        check_writable(out, self._home)
        facts: dict[str, Any] = {"format": PARQUET, "labels": labels, **({} if as_of is None else {"as_of": as_of.isoformat()})}
        admitted = self._admission.admit(Act.EXPORT_GOLDEN, actor, purpose, facts, as_of=as_of)
        columns = [name for name in admitted.target.columns if name == RESIDENT_ID or name in load_elements()]

        def batches(con: duckdb.DuckDBPyConnection, residents: Population) -> Batches:
            plain = counted(golden_batches(con, admitted.target, columns), residents)
            return with_labels(plain, columns) if labels else plain

        delivery = Delivery(out=out, file_format=PARQUET, names=labelled_columns(columns) if labels else columns)
        return self._deliveries.deliver(_as_it_stands(admitted, columns), delivery, batches)

    def export_crosswalk(self, actor: str, purpose: str, out: Path) -> Answer:
        """Each accepted record and the resident it belongs to, as Parquet: dataset, record, resident_id. Needs the bureau role."""
        check_writable(out, self._home)
        admitted = self._admission.admit(Act.EXPORT_CROSSWALK, actor, purpose, {"format": PARQUET})
        delivery = Delivery(out=out, file_format=PARQUET, names=CROSSWALK_COLUMNS)
        return self._deliveries.deliver(
            _as_it_stands(admitted, CROSSWALK_COLUMNS),
            delivery,
            lambda con, residents: counted(crosswalk_batches(con, admitted.persons), residents),
        )

    def export_enterprise_crosswalk(self, actor: str, purpose: str, out: Path) -> Answer:
        """Each accepted record and the enterprise it belongs to, as Parquet: dataset, record, enterprise_id. Needs the bureau role."""
        check_writable(out, self._home)
        admitted = self._admission.admit(Act.EXPORT_CROSSWALK, actor, purpose, {"format": PARQUET}, bureaus=GOLDEN_ENTERPRISES)
        names = tuple(admitted.target.columns)
        delivery = Delivery(out=out, file_format=PARQUET, names=names)
        return self._deliveries.deliver(
            _as_it_stands(admitted, names), delivery, lambda con, residents: enterprise_batches(con, admitted.target)
        )

    def export_reliability(self, actor: str, purpose: str, out: Path) -> Answer:
        """How reliable each source is about each element, by age, as Parquet, with the version that it was learnt with."""
        check_writable(out, self._home)
        admitted = self._admission.admit(Act.RELIABILITY, actor, purpose, {"format": PARQUET})
        delivery = Delivery(out=out, file_format=PARQUET, names=RELIABILITY_COLUMNS)
        return self._deliveries.deliver(
            _as_it_stands(admitted, RELIABILITY_COLUMNS), delivery, lambda con, _: reliability_batches(con, admitted.persons)
        )

    # What reconciliation found, for the bureau

    def why(self, actor: str, purpose: str, resident: str, element: str | None = None, as_of: date | None = None) -> Answer:
        """The explanation of a resident's golden values, now or as of a day: sources, dates, rules, rivals, evidence.

        Its `value` is golden's Explanation. The same of an enterprise, by its id, as it stands.
        """
        if resident.startswith(ENTERPRISE_LETTER):
            return self._why_enterprise(actor, purpose, resident, element, as_of)
        facts = {"subject": self._log.subject("resident", resident), "element": element}
        facts |= {} if as_of is None else {"as_of": as_of.isoformat()}
        admitted = self._admission.admit(Act.WHY, actor, purpose, facts, as_of=as_of)
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            value = explain(self._store, self._lake, resident, element, admitted.target.version)
            return recording.answer(Outcome.of(value, rows=1, residents=1, facts={"columns": [element] if element else []}), value=value)

    def review(self, actor: str, purpose: str, limit: int) -> Answer:
        """The first rows of the review queue: records that may or may not be of one person, and why. Its `value` is golden's Queue."""
        admitted = self._admission.admit(Act.REVIEW, actor, purpose, {"limit": limit})
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            value = read_queue(admitted.persons, admitted.target.version, list(load_matching().comparisons), limit)
            residents = {resident for row in value.rows for resident in row.residents}
            facts = {"columns": [], **self._about(residents)}
            return recording.answer(Outcome.of(value, rows=len(value.rows), residents=len(residents), facts=facts), value=value)

    def simulate(self, actor: str, purpose: str, rules: SurvivorshipRules) -> Answer:
        """What changed rules of survivorship would do to the golden records, in counts. Its `value` is golden's Simulation."""
        admitted = self._admission.admit(Act.SIMULATE, actor, purpose, {})
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            value = simulate(self._store, self._lake, rules, load_survivorship(), now=self._clock())
            outcome = Outcome.of(value, residents=value.residents_changed, facts={"columns": list(value.elements)})
            return recording.answer(outcome, value=value)

    def reliability(self, actor: str, purpose: str, element: str | None = None) -> Answer:
        """How reliable each source is about an element, or each. Its `value` is golden's ReliabilityTable; about no resident."""
        admitted = self._admission.admit(Act.RELIABILITY, actor, purpose, {"element": element})
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            value = read_table(self._store, admitted.persons, admitted.target.version, element)
            rows = sum(len(found.sources) for found in value.elements)
            return recording.answer(Outcome.of(value, rows=rows, facts={"columns": [element] if element else []}), value=value)

    def trace(self, actor: str, purpose: str, file: Path) -> Answer:
        """Whose copy a leaked file is, by the fingerprints in it. Its `value` is a Trace. Needs the bureau role."""
        if not file.is_file():
            raise NotFound("DOOR-LEAKED", where=file.name)
        admitted = self._admission.admit(Act.TRACE, actor, purpose, {"file_digest": digest_of(file)})
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            with self._store.session() as session:
                value = trace(session, self._home.keys, master_key(self._home), file)
            copies = [{"recipient": one.recipient, "fingerprint": one.fingerprint, "receipt": one.receipt} for one in value.found]
            facts = {"columns": [], "compared": value.compared, "found": copies[:MOST_FOUND_RECORDED]}
            return recording.answer(Outcome.of(value, facts=facts), value=value)

    # Cases, for those whose they are

    def ticket_items(self, actor: str, purpose: str, ticket: int, *, after: int = 0, limit: int) -> Answer:
        """The values in question on a ticket, to the department that it is with. Its `value`: a tuple of ItemView."""
        with self._store.session() as session:
            case = Case(department=ticket_department(session, ticket))
        admitted = self._admission.admit(Act.TICKET, actor, purpose, {"ticket": ticket, "after": after, "limit": limit}, case=case)
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            with self._store.session() as session:
                value = read_items(session, admitted.persons, ticket, after, limit)
                residents = item_residents(session, [view.item for view in value])
            facts = {"columns": sorted({view.element for view in value}), **self._about(residents)}
            return recording.answer(Outcome.of(value, rows=len(value), residents=len(residents), facts=facts), value=value)

    def door_form(self, actor: str, purpose: str, check: int) -> Answer:
        """The prefilled form of a check at the door, to the grid worker whose it is. Its `value`: a Form."""
        with self._store.session() as session:
            case = Case(worker=door_check_worker(session, check))
        admitted = self._admission.admit(Act.DOOR_CHECK, actor, purpose, {"door_check": check}, case=case)
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            with self._store.session() as session:
                value = read_form(session, admitted.persons, admitted.target.version, check)
                residents = door_check_residents(session, check)
            facts = {"columns": [one.element for one in value.asked], **self._about(residents)}
            return recording.answer(Outcome.of(value, rows=1, residents=len(residents), facts=facts), value=value)

    # Inquiries about single persons and records

    def desk(self) -> Desk:
        """A desk for one thread, for many inquiries at once. Whoever takes it closes it before the door."""
        return Desk(self._store, self._home, self._log, self._recorder, self._clock)

    def look_up(self, actor: str, grant_id: int, by: str, value: str, case_number: str = "") -> Answer:
        """The granted columns of one resident, named by number, document or resident id, or of one record of a data set, by `record`.

        Its `value`: a Told, JSON with its digest. Who is not there, who lives outside the row scope, and two who share a number are
        answered alike.
        """
        if by == RECORD:
            return self._look_up_record(actor, grant_id, record_key(value), case_number)
        return self._ask(actor, grant_id, LookUp(person=person(by, value)), case_number)

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
        asked: Facts = {"grants": check_grants(grants), "case_number": case_number}
        inquiry = partial(
            self._admission.admit_to_inquiry, Act.CASE_LOOK_UP, actor, case_number=case_number, calls=len(persons), facts=asked
        )
        admitted = [inquiry(number) for number in asked["grants"]]
        with self._store.session() as session:
            golden = required_golden(session, self._lake)
        staged = self._staging.new_file(".json")
        try:
            with self._recorder.intend(Act.CASE_LOOK_UP, self._case_facts(admitted, persons, asked, golden)) as recording:
                terms = [self._case_terms(one) for one in admitted]
                with spilling_connection(self._staging.spill) as con:
                    told = look_up_case(con, golden.folder, case_number, persons, terms)
                staged.write_bytes(told.body)
                for one in admitted:
                    self._admission.check_stands(one)
                answer = recording.answer(self._outcome_of(told), path=out, value=told if out is None else None)
                if out is not None:
                    self._staging.hand_over(staged, out)
        finally:
            staged.unlink(missing_ok=True)
        return answer

    # Pseudonyms

    def reverse(self, actor: str, reason: str, grant_id: int, column: str, asked: Sequence[str]) -> Answer:
        """What pseudonyms or encrypted numbers of a column stand for that were handed out under a grant. Its `value` is a Reversal.

        Refused DOOR-REVERSE for too many at once, or a column that the grant does not have.
        """
        facts = {"column": column, "asked": len(asked)}
        admitted = self._admission.admit_under(Act.REVERSE, actor, grant_id, facts, purpose=reason)
        check_reversible(admitted.granted, admitted.target, column, asked)
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            with spilling_connection(self._staging.spill) as con:
                value = reverse(con, admitted.target, column, asked, self._keys(admitted.granted))
            kind = "resident" if column == RESIDENT_ID else admitted.target.columns[column].facts.element or column
            subjects = sorted(self._log.subject(kind, found) for found in subjects_of(value).values())
            facts = {"columns": [column], "subjects": subjects}
            return recording.answer(Outcome.of(value, rows=len(subjects), residents=len(set(subjects)), facts=facts), value=value)

    def link(self, actor: str, ticket_id: int, out: Path, file_format: str) -> Answer:
        """Write the pairs of pseudonyms that a linkage ticket allows to join. Denied DOOR-DENIED; NotFound DOOR-NO-LINKAGE."""
        check_format(file_format)
        check_writable(out, self._home)
        ticket = self._linkage_ticket(ticket_id)
        grants = (ticket.grant_a, ticket.grant_b)
        facts = {"ticket": ticket_id, "grants": [one.id for one in grants], "format": file_format, "case_number": ticket.case_number}
        admitted = self._admission.admit(Act.LINK, actor, ticket.reason, facts, grant=ticket.grant_a)
        with self._admission.attempted(admitted):
            self._check_linkage(ticket_id, admitted)
        keys = [self._keys(grant)[0] for grant in grants]
        listed = [found for grant in grants if (found := self._listed(grant.row_scope))]

        def batches(con: duckdb.DuckDBPyConnection, residents: Population) -> Batches:
            for batch in linked_batches(con, admitted.target, ticket, keys, residents, listed):
                self._check_linkage(ticket_id, admitted)
                yield batch
            self._check_linkage(ticket_id, admitted)

        own = replace(admitted.question, grant=None)  # it is the bureau's answer, and uses up nothing of either grant
        linked = replace(admitted, question=own, plan=PAIR, target=pair_target(admitted.target))
        return self._deliveries.deliver(linked, Delivery(out=out, file_format=file_format, names=tuple(PAIR)), batches)

    # What was answered, for auditors

    def replay(self, actor: str, purpose: str, seq: int, out: Path | None = None) -> Answer:
        """What the answer at `seq` gave, made again as of then; its `value` is a Replayed. Handed over only where `out` says where.

        NotFound OVS-RECORD, Refused DOOR-NO-REPLAY; before that only an auditor learns whether there is such an answer.
        """
        if out is not None:
            check_writable(out, self._home)
        admitted = self._admission.admit(Act.REPLAY, actor, purpose, {"replayed": seq, "handed_over": out is not None})
        staged = self._staging.new_file(".replay")
        try:
            with self._recorder.intend(admitted.act, admitted.facts) as recording:
                value, population = self._replayed(recorded_answer(self._log, seq), staged)
                facts = {"population": population} if out is not None else {}  # what was only compared was seen by nobody
                outcome = Outcome(rows=value.rows, residents=value.residents, digest=value.digest, facts={"same": value.same, **facts})
                answer = recording.answer(outcome, path=out, value=value)
            if out is not None:
                self._staging.hand_over(staged, out)
            return answer
        finally:
            staged.unlink(missing_ok=True)

    def _why_enterprise(self, actor: str, purpose: str, enterprise: str, element: str | None, as_of: date | None) -> Answer:
        facts = {"enterprise": self._log.subject("enterprise", enterprise), "element": element}
        admitted = self._admission.admit(Act.WHY, actor, purpose, facts, bureaus=GOLDEN_ENTERPRISES)
        with self._admission.attempted(admitted):
            if as_of is not None:
                raise Refused("DOOR-ASKED", where="as-of", what="企业只按现行版本解释 enterprises are explained as they stand")
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            value = why_enterprise(self._store, self._lake, enterprise, element)
            return recording.answer(Outcome.of(value, rows=1, facts={"columns": [element] if element else []}), value=value)

    def _masked(self, con: duckdb.DuckDBPyConnection, admitted: Admitted, residents: Population) -> Batches:
        grant, terms = admitted.granted, self._mask_terms(admitted)
        order = row_order(grant, admitted.target, admitted.plan, terms.key)
        base = base_batches(con, admitted.target, list(admitted.plan), grant.row_scope, order, self._listed(grant.row_scope))
        masked = masked_batches(base, grant.row_scope, terms, residents)
        return at_most(masked, grant.quotas.get(Quota.ROWS_PER_EXTRACT))

    def _counted(self, admitted: Admitted, grant: Grant, by: Sequence[str], sums: bool) -> tuple[Statistic, Receipt]:
        rule, target, folder = self._policy.statistics, admitted.target, self._home.populations
        dimensions = dimensions_of(by, grant, target, rule)
        columns = [one.column for one in dimensions]
        with spilling_connection(self._staging.spill) as con:
            read = base_batches(con, target, columns, grant.row_scope, listed=self._listed(grant.row_scope))
            table = tabulate(self._admission.watched(read, admitted), dimensions, self._admission.today(), rule)
        value = statistic_of(table, target, dimensions, rule, sums=sums)
        new = answered(table, table.hidden(rule.smallest_group))
        with self._store.session() as session:
            if any(differs_by_few(new, earlier, rule.smallest_group) for earlier in earlier_answers(session, folder, grant.grantee)):
                raise Denied("DOOR-DIFFERENCE", where=str(grant.id))
        population = Population.of(table.persons, int(table.unknown.sum()))
        of_these = replace(admitted, plan={name: admitted.plan[name] for name in columns})
        receipt = self._deliveries.receipt(of_these, columns, len(value.groups), population, "statistics", digest_of_value(value))
        return value, replace(receipt, groups=keep_groups(folder, new))

    def _earlier(self, requester: str) -> list[tuple[Release, Target | None]]:
        """What a department was given before, each with its target as it stands; None for one that is no longer there."""
        targets: dict[str, Target | None] = {}
        with self._store.session() as session:
            releases = earlier_releases(session, requester)
            for key in {release.target for release in releases}:
                try:
                    targets[key] = load_target(session, self._lake, key)
                except NotFound:
                    targets[key] = None
        return [(release, targets[release.target]) for release in releases]

    def _look_up_record(self, actor: str, grant_id: int, key: str, case_number: str) -> Answer:
        asked: Facts = {"case_number": case_number, **asked_facts(key, self._log.subject)}
        admitted = self._admission.admit_to_inquiry(Act.LOOK_UP, actor, grant_id, case_number, 1, asked)
        with self._admission.attempted(admitted):
            if admitted.target.holds_residents or admitted.target.key == GOLDEN_ENTERPRISES:
                raise Refused("DOOR-ASKED", where=RECORD, what=admitted.target.key)
        scope = admitted.granted.row_scope
        with self._recorder.intend(admitted.act, admitted.facts) as recording:
            with spilling_connection(self._staging.spill) as con:
                told = look_up_record(con, admitted.target, key, scope, self._mask_terms(admitted), self._listed(scope))
            self._admission.check_stands(admitted)
            told = replace(told, facts={**told.facts, "outcome": told.outcome})
            return recording.answer(self._outcome_of(told), value=told)

    def _ask(self, actor: str, grant_id: int, matter: Matter, case_number: str) -> Answer:
        presence = self._admission.presence
        assert presence is None or actor == presence.account.name, "whoever is present asks for himself"
        with closing(self.desk()) as desk:
            answer = desk.answer(Inquiry(asker=presence or ByName(account=actor), grant=grant_id, matter=matter, case_number=case_number))
        with log_faults_translated():
            self._log.seal()
        return answer

    def _case_facts(self, admitted: Sequence[Admitted], persons: Sequence[Person], asked: Facts, golden: GoldenFiles) -> Facts:
        kept = {name: admitted[0].facts[name] for name in KEPT_OF_CASE}
        targets = [{"grant": one.granted.id, "target": one.target.key, "target_version": one.target.version} for one in admitted]
        named = [one.recorded(self._log.subject) for one in persons]
        return {**self._admission.shown(), **kept, **asked, "golden_version": golden.version, "targets": targets, "persons": named}

    def _case_terms(self, admitted: Admitted) -> CaseTerms:
        grant = admitted.granted
        return CaseTerms(grant=grant, target=admitted.target, masks=self._mask_terms(admitted), listed=self._listed(grant.row_scope))

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

    def _check_linkage(self, ticket_id: int, admitted: Admitted) -> None:
        """Looked at before, at each chunk, and before it is handed over: ticket and both grants stand, residents come out by pseudonym."""
        ticket = self._linkage_ticket(ticket_id)
        check_usable(ticket, self._admission.account(admitted.account.name), self._admission.today())
        if not all(hands_out_pseudonyms(grant, admitted.target, self._policy) for grant in (ticket.grant_a, ticket.grant_b)):
            raise Refused("DOOR-LINKAGE", where=str(ticket_id), what="授权不以假名提供居民标识 residents do not come out by pseudonym")

    def _linkage_ticket(self, number: int) -> LinkageTicket:
        with self._store.session() as session:
            return load_ticket(session, number)

    def _mask_terms(self, admitted: Admitted) -> MaskTerms:
        grant = admitted.granted
        disputed = grant.disputed if admitted.target.holds_residents else Disputed.KEEP
        key = self._keys(grant)[0]
        return MaskTerms(plan=admitted.plan, policy=self._policy, key=key, today=self._admission.today(), disputed=disputed)

    def _keys(self, grant: Grant) -> list[RecipientKey]:
        return keys_of(self._store, self._home.keys, grant.grantee)

    def _listed(self, scope: RowScope) -> Listed | None:
        return read_clients(self._home.clients, scope.clients, self._log) if scope.clients else None

    def _about(self, residents: set[str]) -> Facts:
        return about(residents, self._log, self._home.populations)

    def _outcome_of(self, told: Told) -> Outcome:
        facts = {**told.facts, **self._about(set(told.residents))}
        return Outcome(rows=told.rows, residents=len(told.residents), digest=sha256(told.body).hexdigest(), facts=facts)


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


def _as_it_stands(admitted: Admitted, columns: Sequence[str]) -> Admitted:
    return replace(admitted, plan=dict.fromkeys(columns, AS_IT_STANDS))
