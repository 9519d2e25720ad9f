"""The desk (查询台): answers inquiries in groups, so that one durable commit serves many and each still has its two records.

One commit carries the results of one group and the intents of the next; then the former are handed out and residents are read for the
latter. A single question is a group of one. What fails, fails alone.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from access.accounts import Account, load_account
from access.acts import Act
from access.api_keys import KeyHolder, admit_holder, digest_of_key, key_holder
from access.as_made import MadeTerms
from access.clients import read_clients
from access.counts import ACTOR, GRANT, SUBJECT, Counted, Tally, count
from access.decision import decide
from access.epochs import Epoch, epochs_of, key_of
from access.grant_book import OpenBook
from access.inquiries import Asker, ByName, Inquiry, Kinship, Told, Verification
from access.log_faults import log_faults_translated
from access.look_up import Reach, Wanted, columns_read, look_up
from access.presence import Means, Presence
from access.questions import Decision, Question, Reason
from access.recording import Answer, Facts, Outcome, Recorder, Written, aborted_record, result_record
from access.residents import Found, ServedResidents
from access.targets import Target, served_target
from access.terms import Grant, Quota, RowScope
from access.verification import kinship, verify
from audit.errors import RecordRefused
from audit.log import Log, Sealed
from catalog.home import Home
from catalog.lake import Lake
from catalog.snapshots import CHINA
from catalog.store import Store, Watch
from golden.serving import Serving
from masking.methods import RecipientKey
from rules.errors import Denied, NotFound, PlatformFault, Refused, TongchouError
from rules.tiers import TierPolicy, load_tier_policy
from rules.version import rules_version

TARGET_STANDS = timedelta(seconds=1)
"""How long levels of columns and recipients' epochs may be out of date: they are read again after that."""
QUESTIONS_A_DAY_BY_ACTOR = 5_000
QUESTIONS_A_DAY_ABOUT_SUBJECT = 20
"""I-08, of one department about one person."""
LIMITED = frozenset({Act.VERIFY, Act.KINSHIP})
"""What those two limits are for: answers of yes and no, out of which values could be guessed."""
LIMIT_REASONS = frozenset({Reason.QUOTA_USED, Reason.ASKED_TOO_OFTEN})

Clock = Callable[[], datetime]
Result = Answer | TongchouError


@dataclass(frozen=True, kw_only=True)
class Settled:
    """An inquiry that is done with. `ticket` is the caller's own mark of it."""

    ticket: Any
    result: Result


@dataclass(frozen=True, kw_only=True)
class Posed:
    """An inquiry and the caller's mark of it."""

    inquiry: Inquiry
    ticket: Any = None


@dataclass(frozen=True, kw_only=True)
class _Heard:
    """An inquiry whose asker and grant are known."""

    posed: Posed
    presence: Presence
    grant: Grant | None
    question: Question
    decision: Decision

    @property
    def act(self) -> Act:
        return self.posed.inquiry.matter.act

    @property
    def columns(self) -> Collection[str]:
        """What is read of the residents: of a verification only what it asks about, though more may be granted."""
        return self.decision.plan if self.act is Act.LOOK_UP else self.posed.inquiry.matter.reads


@dataclass(frozen=True, kw_only=True)
class Due:
    """An inquiry that was read for; its RESULT goes into the next commit, or its ABORTED where `fault` says why."""

    posed: Posed
    act: Act
    intent: int
    told: Told | None
    fault: TongchouError | None


@dataclass(frozen=True, kw_only=True)
class _Standing:
    """The target that is served, as it was read, and the moment of the store then (`catalog.store.Watch`)."""

    serving: Serving
    read_at: datetime
    moment: int | None
    target: Target


class Desk:
    """For one thread at a time."""

    def __init__(self, store: Store, home: Home, log: Log, recorder: Recorder, clock: Clock) -> None:
        self._store, self._home, self._log, self._recorder, self._clock = store, home, log, recorder, clock
        self._policy = load_tier_policy()
        self._made_terms = MadeTerms(log)
        self._residents, self._book = ServedResidents(store, home), OpenBook()
        self._watch = Watch(store)
        self._looking: int | None = None
        self._looked: int | None = None
        self._accounts, self._holders = dict[str, Account](), dict[str, KeyHolder]()
        self._lake = Lake(home.lake_root)
        self._standing: _Standing | None = None
        self._secrets: dict[str, tuple[Epoch, RecipientKey]] = {}
        self._clients: dict[str, frozenset[str]] = {}
        self._owed: list[Written] = []

    def answer(self, inquiry: Inquiry) -> Answer:
        """Answer one inquiry; raises what it failed with."""
        settled, due = self.turn([], [Posed(inquiry=inquiry)])
        [done] = settled + self.turn(due, [])[0]
        if isinstance(done.result, TongchouError):
            raise done.result
        return done.result

    def turn(self, due: Sequence[Due], posed: Sequence[Posed]) -> tuple[list[Settled], list[Due]]:
        """Write the results that are due and the intents of new inquiries in one commit; what is settled by that, and what is then due."""
        heard, refused = self._hear(posed)
        admitted = [one for one in heard if one.decision.allowed]
        denied = [one for one in heard if not one.decision.allowed]
        try:
            results, intents = self._write(due, admitted, denied)
        except Exception as fault:
            return [Settled(ticket=one.ticket, result=_translated(fault)) for one in [*(d.posed for d in due), *posed]], []
        opened = {place: seal.seq for place, seal in enumerate(intents) if isinstance(seal, Sealed)}
        unwritten = [_refused(admitted[place].posed, seal) for place, seal in enumerate(intents) if isinstance(seal, RecordRefused)]
        now_due = self._read([(admitted[place], seq) for place, seq in opened.items()])
        return [*refused, *map(_denied, denied), *unwritten, *results], now_due

    def close(self) -> None:
        """Close what was left open by failures, and the serving copy."""
        if self._owed:
            self._write([], [], [])
        self._residents.close()
        self._watch.close()

    def _hear(self, posed: Sequence[Posed]) -> tuple[list[_Heard], list[Settled]]:
        """Find out who asks under which grant, count, and decide. A fault of the store stops the group, a faulty asker only itself."""
        if not posed:
            return [], []
        try:
            with self._store.session() as session:
                heard, refused = self._decided(session, posed)
            return self._counted(heard), refused
        except Exception as fault:
            return [], [Settled(ticket=one.ticket, result=_translated(fault)) for one in posed]

    def _decided(self, session: Session, posed: Sequence[Posed]) -> tuple[list[_Heard], list[Settled]]:
        unchanged = self._look()
        askers = {
            asker: self._asker(session, asker, origin) for asker, origin in {one.inquiry.asker: one.inquiry.origin for one in posed}.items()
        }
        book = self._book.at(session, self._today(), unchanged=unchanged)
        grants = {number: book.get(number) for number in {one.inquiry.grant for one in posed}}
        target = self._served(session, unchanged=unchanged)
        self._looked = self._looking
        edited = {number: self._edited(grant) for number, grant in grants.items()}
        now, made = self._clock(), dict[Any, Decision]()
        heard, refused = [], []
        for one in posed:
            presence, grant = askers[one.inquiry.asker], grants[one.inquiry.grant]
            if isinstance(presence, TongchouError):
                refused.append(Settled(ticket=one.ticket, result=presence))
                continue
            question = _question(one.inquiry, presence, grant, self._policy, now)
            key = (one.inquiry.asker, one.inquiry.grant, one.inquiry.case_number, one.inquiry.matter.act, one.inquiry.matter.asked)
            if key not in made:
                made[key] = _decision(question, target)
            fault = edited[one.inquiry.grant]
            if fault is not None and made[key].allowed:
                refused.append(Settled(ticket=one.ticket, result=fault))
                continue
            heard.append(_Heard(posed=one, presence=presence, grant=grant, question=question, decision=made[key]))
        return heard, refused

    def _look(self) -> bool:
        """Whether the store is what it was at the last group; what was kept of it goes, if not."""
        self._looking = self._watch.moment()
        unchanged = self._looking is not None and self._looking == self._looked
        if not unchanged:
            self._looked = None
            self._accounts.clear()
            self._holders.clear()
        return unchanged

    def _edited(self, grant: Grant | None) -> TongchouError | None:
        try:
            if grant is not None:
                self._made_terms.require(grant)
        except TongchouError as fault:
            return fault
        return None

    def _asker(self, session: Session, asker: Asker, origin: str) -> Presence | TongchouError:
        if isinstance(asker, ByName):
            return Presence(account=self._account(session, asker.account), means=Means.COMMAND_LINE)
        if isinstance(asker, Presence):
            return asker
        try:
            return admit_holder(self._log, self._holder(session, digest_of_key(asker.presented)), now=self._clock(), origin=origin)
        except TongchouError as fault:
            return fault

    def _account(self, session: Session, name: str) -> Account:
        """An unknown account is one that may do nothing; who tries names learns no more than that, and takes no memory."""
        if name not in self._accounts:
            try:
                self._accounts[name] = load_account(session, name)
            except NotFound:
                return Account(name=name, department=None, roles=frozenset(), active=False)
        return self._accounts[name]

    def _holder(self, session: Session, digest: str) -> KeyHolder | None:
        found = self._holders.get(digest) or key_holder(session, digest)
        if found is not None:
            self._holders[digest] = found
        return found

    def _served(self, session: Session, *, unchanged: bool) -> Target | None:
        """The target that the serving copy is of; None where nothing is served yet."""
        if unchanged and self._standing is not None and self._standing.moment == self._looking:
            return self._standing.target
        try:
            serving = self._residents.go_over(session)
        except NotFound:
            return None
        now = self._clock()
        if self._standing is None or self._standing.serving != serving or now - self._standing.read_at >= TARGET_STANDS:
            target = served_target(session, self._lake, serving.golden_version)
            self._standing = _Standing(serving=serving, read_at=now, moment=self._looking, target=target)
            self._secrets = {}  # an epoch may have begun
        return self._standing.target

    def _counted(self, heard: Sequence[_Heard]) -> list[_Heard]:
        """Those whose grant or subject is limited are counted, then decided once more with what came before them."""
        wanted = {place: self._counts(one) for place, one in enumerate(heard) if one.decision.allowed}
        questions = Counter(counted for some in wanted.values() for counted in some)
        if not questions:
            return list(heard)
        with self._store.session() as session, session.begin():
            tally = count(session, questions, self._today())
        return [_recounted(one, tally, wanted.get(place, ())) for place, one in enumerate(heard)]

    def _counts(self, one: _Heard) -> list[Counted]:
        assert one.grant is not None
        limited = [Counted(kind=GRANT, name=str(one.grant.id))] if Quota.CALLS_PER_DAY in one.grant.quotas else []
        if one.act not in LIMITED:
            return limited
        subjects = {person.recorded(self._log.subject)["subject"] for person in one.posed.inquiry.matter.persons}
        about = [Counted(kind=SUBJECT, name=f"{one.grant.grantee}:{subject}") for subject in sorted(subjects)]
        return [*limited, Counted(kind=ACTOR, name=one.presence.account.name), *about]

    def _write(
        self, due: Sequence[Due], admitted: Sequence[_Heard], denied: Sequence[_Heard]
    ) -> tuple[list[Settled], list[Sealed | RecordRefused]]:
        ready = [(one, _outcome(one.told, self._log)) for one in due if one.told is not None]
        failed = [aborted_record(one.act, one.intent, one.fault.code) for one in due if one.fault is not None]
        results = [result_record(one.act, one.intent, outcome) for one, outcome in ready]
        intents = [self._recorder.intent_record(one.act, self._facts(one)) for one in admitted]
        denials = [self._recorder.denied_record(one.act, self._facts(one), one.decision) for one in denied]
        owed = [*self._owed, *failed]
        try:
            with log_faults_translated():
                written = self._log.append_all([*results, *intents, *denials, *owed])
        except BaseException:
            self._owed = [*owed, *(aborted_record(one.act, one.intent, "AUD-UNAVAILABLE") for one, _ in ready)]
            raise
        self._owed = []
        settled = [Settled(ticket=one.posed.ticket, result=one.fault) for one in due if one.fault is not None]
        return settled + self._answers(ready, written[: len(ready)]), written[len(ready) : len(ready) + len(intents)]

    def _answers(self, ready: Sequence[tuple[Due, Outcome]], written: Sequence[Sealed | RecordRefused]) -> list[Settled]:
        """An answer for each RESULT that the log holds; where it would not take one, the intent is closed with the next commit."""
        held = [(one, seal, outcome) for (one, outcome), seal in zip(ready, written, strict=True) if isinstance(seal, Sealed)]
        refused = [(one, seal) for (one, _), seal in zip(ready, written, strict=True) if isinstance(seal, RecordRefused)]
        self._owed += [aborted_record(one.act, one.intent, "AUD-RECORD") for one, _ in refused]
        with log_faults_translated():
            answers = Answer.of_group(self._log, [(seal, outcome, one.told) for one, seal, outcome in held])
        told = [Settled(ticket=one.posed.ticket, result=answer) for (one, _, _), answer in zip(held, answers, strict=True)]
        return told + [_refused(one.posed, seal) for one, seal in refused]

    def _facts(self, one: _Heard) -> Facts:
        inquiry = one.posed.inquiry
        origin = {"origin": inquiry.origin} if inquiry.origin else {}
        means = {"means": one.presence.means.value, "means_number": one.presence.number}
        account = one.presence.account
        who = {**means, "actor": account.name, "department": account.department, "grant": inquiry.grant, **origin}
        asked = {"case_number": inquiry.case_number, **inquiry.matter.recorded(self._log.subject)}
        if not one.decision.allowed or one.grant is None or self._standing is None:
            return {**who, **asked}
        versions = {
            "target_version": self._standing.target.version,
            "policy_version": self._policy.version,
            "rules_version": rules_version(),
        }
        terms = {"purpose": one.grant.purpose, "tier": one.grant.tier.value, "areas": list(one.grant.row_scope.areas)}
        epoch, _ = self._secret(one.grant.grantee)
        keyed = {"epoch": epoch.number, "digest_of_pseudonyms": epoch.digest}
        return {**who, **asked, **terms, **keyed, "target": one.grant.target, **versions}

    def _read(self, opened: Sequence[tuple[_Heard, int]]) -> list[Due]:
        """Read and mask for all at once; where that fails, for each alone, so that what fails, fails alone."""
        if not opened:
            return []
        try:
            told: Sequence[Told | TongchouError] = self._told([heard for heard, _ in opened])
        except Exception:
            told = [self._told_alone(heard) for heard, _ in opened]
        return [_due(heard, seq, one) for (heard, seq), one in zip(opened, told, strict=True)]

    def _told_alone(self, heard: _Heard) -> Told | TongchouError:
        try:
            return self._told([heard])[0]
        except Exception as fault:
            return _translated(fault)

    def _told(self, heard: Sequence[_Heard]) -> list[Told]:
        assert self._standing is not None, "nothing is allowed where nothing is served"
        target = self._standing.target
        found = self._found(heard, target)
        looked_up = [one for one in heard if one.act is Act.LOOK_UP]
        answers = iter(look_up([self._wanted(one, target, found) for one in looked_up], self._policy, self._today()))
        told = [next(answers) if one.act is Act.LOOK_UP else self._verdict(one, target, found) for one in heard]
        return [self._saying_former(answer, one, found) for answer, one in zip(told, heard, strict=True)]

    def _saying_former(self, told: Told, one: _Heard, found: Mapping[str, Found]) -> Told:
        """Where somebody was named as he was named before, the record says so, beside the resident who stands."""
        persons = one.posed.inquiry.matter.persons
        former = [person for person in persons if any(row[person.by] != person.value for row in found[person.by].get(person.value, ()))]
        if not former:
            return told
        return replace(told, facts={**told.facts, "former": [person.recorded(self._log.subject) for person in former]})

    def _found(self, heard: Sequence[_Heard], target: Target) -> Mapping[str, Found]:
        """By each identifying element, the residents whom these inquiries are about."""
        columns = set[str]().union(*(columns_read(target, one.columns) for one in heard))
        values: dict[str, set[str]] = {}
        for one in heard:
            for person in one.posed.inquiry.matter.persons:
                values.setdefault(person.by, set()).add(person.value)
        return {by: self._residents.find(by, some, columns) for by, some in values.items()}

    def _wanted(self, one: _Heard, target: Target, found: Mapping[str, Found]) -> Wanted:
        assert one.grant is not None, "no inquiry is allowed without a grant"
        [person] = one.posed.inquiry.matter.persons
        rows = found[person.by].get(person.value, ())
        return Wanted(
            rows=rows,
            target=target,
            plan=one.decision.plan,
            scope=one.grant.row_scope,
            reach=self._reach(one.grant.row_scope),
            key=self._secret(one.grant.grantee)[1],
            disputed=one.grant.disputed,
        )

    def _verdict(self, one: _Heard, target: Target, found: Mapping[str, Found]) -> Told:
        """Yes, no or not known; whom the grant does not reach is nobody."""
        assert one.grant is not None, "no inquiry is allowed without a grant"
        matter, reach = one.posed.inquiry.matter, self._reach(one.grant.row_scope)
        first, *second = [[row for row in found[person.by].get(person.value, ()) if reach.holds(row, target)] for person in matter.persons]
        if isinstance(matter, Kinship):
            return kinship(matter, first, second[0], one.grant.columns)
        assert isinstance(matter, Verification)
        return verify(matter, first)

    def _reach(self, scope: RowScope) -> Reach:
        """A list of clients never changes, its name is its digest; so it is read once."""
        if scope.clients is None:
            return Reach(areas=scope.areas, clients=None, hashed=self._log.subject)
        digest = scope.clients.digest
        if digest not in self._clients:
            self._clients[digest] = frozenset(read_clients(self._home.clients, scope.clients, self._log).hashes.to_pylist())
        return Reach(areas=scope.areas, clients=self._clients[digest], hashed=self._log.subject)

    def _secret(self, recipient: str) -> tuple[Epoch, RecipientKey]:
        """What pseudonyms are made with for a recipient; the record of an answer names the epoch, so that it can be made again."""
        if recipient not in self._secrets:
            with self._store.session() as session:
                epoch = epochs_of(session, recipient)[0]
            self._secrets[recipient] = epoch, key_of(self._home.keys, recipient, epoch)
        return self._secrets[recipient]

    def _today(self) -> date:
        return self._clock().astimezone(CHINA).date()


def _question(inquiry: Inquiry, presence: Presence, grant: Grant | None, policy: TierPolicy, now: datetime) -> Question:
    return Question(
        act=inquiry.matter.act,
        account=presence.account,
        key=presence.scope,
        purpose=grant.purpose if grant else "",
        today=now.astimezone(CHINA).date(),
        now=now,
        proven=presence.proven(now),
        policy=policy,
        grant=grant,
        case_number=inquiry.case_number,
        asked=inquiry.matter.asked,
    )


def _decision(question: Question, target: Target | None) -> Decision:
    """Twice, so that nobody learns of the target who may not; what is not served is not there."""
    first = decide(question)
    if not first.allowed or target is None or question.grant is None:
        return first if not first.allowed else Decision(allowed=False, reasons=(Reason.NOT_SERVED,))
    if question.grant.target != target.key:
        return Decision(allowed=False, reasons=(Reason.NOT_SERVED,))
    return decide(replace(question, target=target))


def _recounted(one: _Heard, tally: Tally, counts: Collection[Counted]) -> _Heard:
    """Deny it if a limit was reached before it."""
    before = {counted.kind: 0 for counted in counts}
    for counted in counts:
        before[counted.kind] = max(before[counted.kind], tally.take(counted))
    often = before.get(ACTOR, 0) >= QUESTIONS_A_DAY_BY_ACTOR or before.get(SUBJECT, 0) >= QUESTIONS_A_DAY_ABOUT_SUBJECT
    decision = decide(replace(one.question, calls=before.get(GRANT, 0), too_often=often))
    return one if decision.allowed else replace(one, decision=decision)


def _outcome(told: Told, log: Log) -> Outcome:
    subjects = [log.subject("resident", resident) for resident in told.residents]
    facts = {**told.facts, "outcome": told.outcome, "subjects": subjects}
    return Outcome(rows=told.rows, residents=len(told.residents), digest=sha256(told.body).hexdigest(), facts=facts)


def _due(heard: _Heard, intent: int, told: Told | TongchouError) -> Due:
    fault = told if isinstance(told, TongchouError) else None
    return Due(posed=heard.posed, act=heard.act, intent=intent, told=None if isinstance(told, TongchouError) else told, fault=fault)


def _denied(one: _Heard) -> Settled:
    code = "DOOR-LIMIT" if set(one.decision.reasons) <= LIMIT_REASONS and one.decision.reasons else "DOOR-DENIED"
    return Settled(ticket=one.posed.ticket, result=Denied(code, where=one.act.value, what=one.decision.told()))


def _refused(posed: Posed, refused: RecordRefused) -> Settled:
    return Settled(ticket=posed.ticket, result=Refused("AUD-RECORD", what=str(refused)))


def _translated(fault: Exception) -> TongchouError:
    """The kind of a fault, never its text, which may hold what was asked."""
    return fault if isinstance(fault, TongchouError) else PlatformFault("DOOR-FAULT", where=type(fault).__name__)
