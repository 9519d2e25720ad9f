"""Who is let in: a question is decided before and after its target is looked at; who is not let in is on record.

What was admitted is decided anew until it has been handed over, so that terms that end stop what is under way.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from access.accounts import Account, load_account
from access.acts import Act
from access.as_made import MadeTerms
from access.counts import GRANT, Counted, count
from access.decision import decide
from access.epochs import epochs_of
from access.grants import load_grant
from access.log_faults import log_faults_translated
from access.places import places_taken
from access.presence import Presence
from access.questions import Case, Decision, Question, Reason
from access.recording import Facts, Recorder
from access.targets import GOLDEN, Target, load_target
from access.terms import Grant, Quota
from audit.log import Log
from catalog.lake import Lake
from catalog.snapshots import CHINA
from catalog.store import Store
from masking.plan import Plan
from rules.errors import Denied, IntegrityBroken, NotFound, TongchouError
from rules.tiers import load_tier_policy
from rules.version import rules_version

Clock = Callable[[], datetime]
Batches = Iterator[pa.RecordBatch]


@dataclass(frozen=True, kw_only=True)
class Admitted:
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

    @property
    def granted(self) -> Grant:
        """The grant of a question that is decided by one."""
        assert self.grant is not None, "the decision lets nobody in without a grant where one is needed"
        return self.grant

    @property
    def persons(self) -> Path:
        """The folder of the golden version that the question is about."""
        assert self.target.persons is not None, "the golden target knows its folder"
        return self.target.persons


class Admission:
    """Decides who is let in to one door, and records whom it does not let in."""

    def __init__(self, store: Store, lake: Lake, log: Log, recorder: Recorder, clock: Clock) -> None:
        self._store, self._lake, self._log, self._recorder, self._clock = store, lake, log, recorder, clock
        self._policy = load_tier_policy()
        self._made_terms = MadeTerms(log)
        self.presence: Presence | None = None

    def before(self, presence: Presence, recorder: Recorder) -> "Admission":
        """The same for one who is present: nobody else can be the actor, and what his key reaches bounds what he is given."""
        own = copy(self)
        own.presence, own._recorder = presence, recorder
        return own

    def admit(
        self,
        act: Act,
        actor: str,
        purpose: str,
        facts: Facts,
        *,
        grant: Grant | None = None,
        bureaus: str = GOLDEN,
        as_of: date | None = None,
        provider: str | None = None,
        case: Case | None = None,
        case_number: str = "",
    ) -> Admitted:
        """Decide, twice: before the target is looked at, so that nobody learns of it who may not, and with it.

        `bureaus`: the target of a question without a grant; `as_of`: the day as of which it is asked for, none: as it stands;
        `provider`: whose data a request is for that is weighed; `case`: with whom the case is that is looked at. Raises Denied DOOR-DENIED
        with the reasons.
        """
        account, now = self.account(actor), self._clock()
        question = Question(
            act=act,
            account=account,
            purpose=purpose,
            today=self.today(),
            policy=self._policy,
            grant=grant,
            provider=provider,
            extracts=self._extracts(grant),
            case=case,
            case_number=case_number,
            key=self.presence.scope if self.presence else None,
            now=now,
            proven=self.presence is None or self.presence.proven(now),
        )
        facts = {**self.shown(), "actor": actor, "department": account.department, "purpose": purpose, **facts}
        self._require(question, facts)
        if question.grant_in_use is not None:
            self._made_terms.require(question.grant_in_use)
        with self._store.session() as session:
            target = load_target(session, self._lake, grant.target if grant else bureaus, as_of)
        decision = self._require(replace(question, target=target), facts)
        return Admitted(question=question, target=target, plan=decision.plan, facts=facts | self._versions(target, grant))

    def admit_under(
        self, act: Act, actor: str, number: int, facts: Facts, *, purpose: str | None = None, case_number: str = ""
    ) -> Admitted:
        """Decide under the grant of that number, for its purpose where none is stated."""
        with self._store.session() as session:
            grant = load_grant(session, number)
        if purpose is None:
            purpose = grant.purpose if grant else ""
        return self.admit(act, actor, purpose, {"grant": number, **facts}, grant=grant, case_number=case_number)

    def admit_to_inquiry(self, act: Act, actor: str, number: int, case_number: str, calls: int, facts: Facts) -> Admitted:
        """Decide under one grant; each person or record that is asked for counts as a call of that grant."""
        admitted = self.admit_under(act, actor, number, facts, case_number=case_number)
        if Quota.CALLS_PER_DAY in admitted.granted.quotas:
            counted = Counted(kind=GRANT, name=str(number))
            with self._store.session() as session, session.begin():
                before = count(session, Counter({counted: calls}), self.today()).take(counted)
            self._require(replace(admitted.question, calls=before + calls - 1), admitted.facts)
        return admitted

    @contextmanager
    def attempted(self, admitted: Admitted) -> Iterator[None]:
        """Around what stands against an admitted question beside the decision: it is recorded as a denial."""
        try:
            yield
        except TongchouError as fault:
            with log_faults_translated():
                self._log.append_sealed(admitted.act.intent.sibling("denied"), {**admitted.facts, "why": [fault.code]})
            raise

    def check_stands(self, admitted: Admitted) -> None:
        """Decide anew: what was suspended, ended, ran out or was graded otherwise stops an extract under way (L-27, TX-07)."""
        if admitted.grant is None:
            return
        with self._store.session() as session:
            grant, target = load_grant(session, admitted.grant.id), load_target(session, self._lake, admitted.grant.target)
        self._check_as_made(grant)
        account = self.account(admitted.account.name)
        anew = replace(admitted.question, account=account, grant=grant, target=target, today=self.today(), now=self._clock(), extracts=0)
        decision = decide(anew)
        if not decision.allowed or decision.plan != admitted.plan:
            raise Denied("DOOR-STOPPED", where=str(admitted.grant.id))

    def watched(self, batches: Batches, admitted: Admitted) -> Batches:
        for batch in batches:
            self.check_stands(admitted)
            yield batch

    def account(self, name: str) -> Account:
        """An unknown account is one that may do nothing; who tries names learns no more than that."""
        assert self.presence is None or name == self.presence.account.name, "whoever is present asks for himself"
        try:
            with self._store.session() as session:
                return load_account(session, name)
        except NotFound:
            return Account(name=name, department=None, roles=frozenset(), active=False)

    def shown(self) -> Facts:
        """By what the actor is known, for the record."""
        return {} if self.presence is None else {"means": self.presence.means.value, "means_number": self.presence.number}

    def today(self) -> date:
        return self._clock().astimezone(CHINA).date()

    def _require(self, question: Question, facts: Facts) -> Decision:
        decision = decide(question)
        if not decision.allowed:
            known = {Reason.PERSON_IN_PURPOSE, Reason.NO_PURPOSE} & set(decision.reasons)
            self._recorder.deny(question.act, {**facts, "purpose": ""} if known else facts, decision)
            raise Denied("DOOR-DENIED", where=question.act.value, what=decision.told())
        return decision

    def _check_as_made(self, grant: Grant | None) -> None:
        """Terms that were edited meanwhile stop what is under way like terms that ended; the finding is a record of its own."""
        try:
            if grant is not None:
                self._made_terms.require(grant)
        except IntegrityBroken as fault:
            raise Denied("DOOR-STOPPED", where=fault.where) from fault

    def _extracts(self, grant: Grant | None) -> int:
        """How many extracts were handed over or are under way under a grant; looked up only where they are limited."""
        if grant is None or Quota.EXTRACTS not in grant.quotas:
            return 0
        with self._store.session() as session:
            return places_taken(session, grant.id)

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
