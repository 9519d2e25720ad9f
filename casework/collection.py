"""Forms before they collect (采集表单, law.md L-31): what sharing can give may not be collected again without a reason."""

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from access.accounts import Role, load_account
from access.log_faults import log_faults_translated
from audit.events import Event
from audit.log import Log
from audit.records import names_a_person
from catalog.search.index import Asker, Index
from catalog.search.overlap import FORM_COLUMNS_MOST, FormColumn, check_form
from catalog.store import Store
from rules.errors import Denied, Refused

JUSTIFICATION_CHARACTERS_MOST = 500


def declare_form(
    store: Store, log: Log, index: Index, *, by: str, title: str, headers: Sequence[str], justification: str
) -> list[FormColumn]:
    """A department is about to collect a form. Refused CAT-RECOLLECTION where others hold and share some of it and no reason is given; both
    ways it is a record of the log."""
    with store.session() as session:
        asker = _department_asker(session, by)
    if len(headers) > FORM_COLUMNS_MOST:
        raise Refused("CAT-NOTE", what=f"≤ {FORM_COLUMNS_MOST}")
    if len(justification) > JUSTIFICATION_CHARACTERS_MOST or names_a_person(justification + title):
        raise Refused("CAT-NOTE", what=f"≤ {JUSTIFICATION_CHARACTERS_MOST}")
    checked = check_form(index, asker, headers)
    again = [column for column in checked if column.verdict == "shared"]
    allowed = not again or bool(justification.strip())
    with log_faults_translated():
        log.append_sealed(Event.FORM_CHECKED, {**_facts(by, asker, title, again, justification, allowed), "columns": len(checked)})
    if not allowed:
        raise Refused("CAT-RECOLLECTION", where=title, what="; ".join(_told(column) for column in again))
    return checked


def _department_asker(session: Session, by: str) -> Asker:
    account = load_account(session, by)
    if not account.active or account.department is None or not account.roles & {Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD}:
        raise Denied("CAT-RIGHT", where=by, what=f"{Role.DEPARTMENT_REQUESTER.value} | {Role.DEPARTMENT_HEAD.value}")
    return Asker(department=account.department)


def _told(column: FormColumn) -> str:
    first = column.holders[0]
    return f"{column.header}: {first.department_title}《{first.title}》"


def _facts(by: str, asker: Asker, title: str, again: Sequence[FormColumn], justification: str, allowed: bool) -> Mapping[str, object]:
    """Headers of a form are words of its department: only the elements among them go into the log."""
    return {
        "actor": by,
        "department": asker.department,
        "form": title,
        "again": sorted({column.element for column in again if column.element}),
        "why": justification,
        "allowed": allowed,
    }
