"""Linkage tickets (关联票): the pseudonyms that two recipients hold of the same residents may be joined, by a reasoned, recorded act.

Two recipients cannot join what they were handed (I-04). Where a law lets them, the bureau approves a ticket for two grants, and another
person of the bureau makes the table of pairs through the door while the ticket and both grants are in force. law.md L-23, L-24.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import duckdb
import pyarrow as pa
from sqlalchemy.orm import Session

from access.accounts import Account, Role, load_account
from access.clients import Listed
from access.grants import load_grant
from access.log_faults import log_faults_translated
from access.populations import Population
from access.reading import NUMBER, base_query
from access.reasons import reason_faults
from access.targets import RESIDENT_ID, Target, TargetColumn, plan_of
from access.terms import Grant, GrantState
from audit.events import Event
from audit.log import Log
from audit.records import names_a_person
from catalog.schema import LinkageTicketRow
from catalog.snapshots import CHINA
from catalog.store import Store
from masking.methods import Mask, RecipientKey, pseudonyms_of
from masking.plan import ColumnPlan, MaskedColumn, Plan
from rules.citations import QUALIFYING, read_citation
from rules.errors import Denied, NotFound, Refused
from rules.levels import Level
from rules.tiers import TierPolicy

APPROVERS = frozenset({Role.BUREAU_APPROVER, Role.BUREAU_OPERATOR})
ROWS_A_BATCH = 65_536
PSEUDONYM = ColumnPlan(mask=Mask(method="pseudonym"), minor_mask=Mask(method="pseudonym"))
PAIR: Plan = {"pseudonym_a": PSEUDONYM, "pseudonym_b": PSEUDONYM}


@dataclass(frozen=True, kw_only=True)
class LinkageTicket:
    """Which two grants may be joined, by which law, until when."""

    id: int
    grant_a: Grant
    grant_b: Grant
    legal_basis: str
    case_number: str
    reason: str
    valid_to: date
    approved_by: str


def approve_linkage(
    store: Store,
    log: Log,
    *,
    by: str,
    grants: tuple[int, int],
    legal_basis: str,
    case_number: str,
    reason: str,
    valid_to: date,
    now: datetime,
) -> LinkageTicket:
    """Approve a ticket. Refused DOOR-LINKAGE with all that is wrong with it; Denied DOOR-DENIED."""
    with store.session() as session, session.begin():
        account = load_account(session, by)
        if not account.active or not account.roles & APPROVERS:
            raise Denied("DOOR-DENIED", where=by, what="关联由统筹局审批 a linkage is approved by the bureau")
        a, b = (load_grant(session, number) for number in grants)
        faults = _faults(a, b, legal_basis, case_number, valid_to, now.astimezone(CHINA).date()) + reason_faults(reason)
        if a is None or b is None or faults:
            raise Refused("DOOR-LINKAGE", what="; ".join(faults))
        row = LinkageTicketRow(grant_a=a.id, grant_b=b.id, legal_basis=legal_basis, case_number=case_number, reason=reason,
                               valid_to=valid_to, approved_by=by, approved_at=now)  # fmt: skip
        session.add(row)
        session.flush()
        body = {"actor": by, "ticket": row.id, "grants": [a.id, b.id], "grantees": [a.grantee, b.grantee], "legal_basis": legal_basis}
        with log_faults_translated():
            log.append_sealed(Event.LINKAGE_APPROVED, {**body, "case_number": case_number, "why": reason, "valid_to": valid_to.isoformat()})
        return load_ticket(session, row.id)


def load_ticket(session: Session, number: int) -> LinkageTicket:
    """NotFound DOOR-NO-LINKAGE."""
    row = session.get(LinkageTicketRow, number)
    a, b = (load_grant(session, grant) for grant in (row.grant_a, row.grant_b)) if row else (None, None)
    if row is None or a is None or b is None:
        raise NotFound("DOOR-NO-LINKAGE", where=str(number))
    return LinkageTicket(
        id=row.id,
        grant_a=a,
        grant_b=b,
        legal_basis=row.legal_basis,
        case_number=row.case_number,
        reason=row.reason,
        valid_to=row.valid_to,
        approved_by=row.approved_by,
    )


def check_usable(ticket: LinkageTicket, account: Account, today: date) -> None:
    """Denied DOOR-DENIED where the ticket has run out, a grant is not in force, or who approved it would make it himself."""
    checks = {
        "账号已停用 the account is closed": not account.active,
        "审批人不得自行办理 who approved it does not carry it out": account.name == ticket.approved_by,
        "关联票已过期 the ticket is no longer valid": today > ticket.valid_to,
        "授权不在有效期或已暂停 a grant is not in force": not all(_in_force(grant, today) for grant in (ticket.grant_a, ticket.grant_b)),
    }
    if faults := [fault for fault, wrong in checks.items() if wrong]:
        raise Denied("DOOR-DENIED", where=str(ticket.id), what="; ".join(faults))


def hands_out_pseudonyms(grant: Grant, target: Target, policy: TierPolicy) -> bool:
    """Whether residents come out under a grant by pseudonym."""
    made = plan_of(grant, target, policy).get(RESIDENT_ID)
    return made is not None and made.mask.method == "pseudonym"


def pair_target(target: Target) -> Target:
    """What comes out of a linkage, as receipts describe it: two pseudonyms of a resident."""
    facts = (MaskedColumn(name=name, element=None, kind=RESIDENT_ID, level=Level.L2, of_person=True) for name in PAIR)
    return replace(target, columns={fact.name: TargetColumn(facts=fact, shared=True) for fact in facts})


def linked_batches(
    con: duckdb.DuckDBPyConnection,
    target: Target,
    ticket: LinkageTicket,
    keys: Sequence[RecipientKey],
    residents: Population,
    listed: Sequence[Listed],
) -> Iterator[pa.RecordBatch]:
    """The residents in both grants' areas and on their lists of clients (`listed`) by both pseudonyms; counted as they pass.

    They come in the order of the first pseudonym: any order that follows the ids would tell more than the pairs.
    """
    grants = (ticket.grant_a, ticket.grant_b)
    assert len(listed) == sum(grant.row_scope.clients is not None for grant in grants), "each scope's own list of clients comes with it"
    both = [base_query(target, [RESIDENT_ID], grant.row_scope.areas, numbered=True) for grant in grants]
    con.execute(f"CREATE TEMP TABLE linked ({', '.join(f'{name} VARCHAR' for name in (*PAIR, RESIDENT_ID))})")
    columns = f'{RESIDENT_ID}, "{NUMBER}"'
    query = f"SELECT {columns} FROM ({both[0]}) WHERE {RESIDENT_ID} IN (SELECT {RESIDENT_ID} FROM ({both[1]}))"
    with con.cursor() as reading:
        batches = iter(reading.sql(query).to_arrow_reader(ROWS_A_BATCH))
        for one in listed:
            batches = one.only(batches, NUMBER)
        for batch in batches:
            people = batch[RESIDENT_ID]
            made = pa.table([*(pseudonyms_of(people, key) for key in keys), people], names=[*PAIR, RESIDENT_ID])
            con.register("made", made)
            con.execute("INSERT INTO linked SELECT * FROM made")
            con.unregister("made")
    for batch in con.sql("SELECT * FROM linked ORDER BY pseudonym_a").to_arrow_reader(ROWS_A_BATCH):
        residents.add(batch[RESIDENT_ID])
        yield batch.select(list(PAIR))


def _in_force(grant: Grant, today: date) -> bool:
    return grant.state is GrantState.ACTIVE and grant.valid_from <= today <= grant.valid_to


def _faults(a: Grant | None, b: Grant | None, legal_basis: str, case_number: str, valid_to: date, today: date) -> list[str]:
    if a is None or b is None:
        return ["授权不存在 there is no such grant"]
    lawful = read_citation(legal_basis).kind in QUALIFYING
    checks = {
        "须为两个需求部门的授权 the grants are of two departments": a.grantee == b.grantee,
        "两个授权须为同一对象 the grants are over the same target": a.target != b.target,
        "授权须含居民标识 both grants have the resident id": not all(RESIDENT_ID in grant.columns for grant in (a, b)),
        "按数据项筛选的授权不能关联 a grant with filters cannot be linked": bool(a.row_scope.equals or b.row_scope.equals),
        "授权不在有效期或已暂停 a grant is not in force": not all(_in_force(grant, today) for grant in (a, b)),
        "止期须在两个授权的有效期内 the last day lies within both grants": not today <= valid_to <= min(a.valid_to, b.valid_to),
        "须有法律、行政法规或国务院决定为依据 a law or regulation of the state, or a State Council decision, allows it": not lawful,
        "须有办件号 a case number": not case_number.strip(),
        "依据或办件号含有证件号或手机号 basis or case names a person's number": names_a_person(legal_basis) or names_a_person(case_number),
    }
    return [fault for fault, wrong in checks.items() if wrong]
