"""The vocabulary of the log: every record's event is a member, so none can be misspelled.

Values are `area:object:action`. Around each access stand two records: its `intent` before data is touched, and its `result` before
the answer leaves; a `denied` one stands alone; `aborted` closes an intent that never got its result.
"""

from enum import StrEnum
from typing import Self

OPENING = "intent"
CLOSING = frozenset({"result", "aborted"})


class Event(StrEnum):
    EXTRACT_INTENT = "access:extract:intent"
    EXTRACT_RESULT = "access:extract:result"
    EXTRACT_DENIED = "access:extract:denied"
    EXTRACT_ABORTED = "access:extract:aborted"
    STATISTICS_INTENT = "access:statistics:intent"
    STATISTICS_RESULT = "access:statistics:result"
    STATISTICS_DENIED = "access:statistics:denied"
    STATISTICS_ABORTED = "access:statistics:aborted"
    TRACE_INTENT = "access:trace:intent"
    TRACE_RESULT = "access:trace:result"
    TRACE_DENIED = "access:trace:denied"
    TRACE_ABORTED = "access:trace:aborted"
    EXTRACT_WITHHELD = "access:extract:withheld"
    """Sealed, but not handed over: stopped between its record and its delivery; `result` names the record."""
    GOLDEN_INTENT = "access:golden:intent"
    GOLDEN_RESULT = "access:golden:result"
    GOLDEN_DENIED = "access:golden:denied"
    GOLDEN_ABORTED = "access:golden:aborted"
    CROSSWALK_INTENT = "access:crosswalk:intent"
    CROSSWALK_RESULT = "access:crosswalk:result"
    CROSSWALK_DENIED = "access:crosswalk:denied"
    CROSSWALK_ABORTED = "access:crosswalk:aborted"
    WHY_INTENT = "access:why:intent"
    WHY_RESULT = "access:why:result"
    WHY_DENIED = "access:why:denied"
    WHY_ABORTED = "access:why:aborted"
    REVIEW_INTENT = "access:review:intent"
    REVIEW_RESULT = "access:review:result"
    REVIEW_DENIED = "access:review:denied"
    REVIEW_ABORTED = "access:review:aborted"
    SIMULATE_INTENT = "access:simulate:intent"
    SIMULATE_RESULT = "access:simulate:result"
    SIMULATE_DENIED = "access:simulate:denied"
    SIMULATE_ABORTED = "access:simulate:aborted"
    IMPACT_INTENT = "access:impact:intent"
    IMPACT_RESULT = "access:impact:result"
    IMPACT_DENIED = "access:impact:denied"
    IMPACT_ABORTED = "access:impact:aborted"
    TICKET_INTENT = "access:ticket:intent"
    TICKET_RESULT = "access:ticket:result"
    TICKET_DENIED = "access:ticket:denied"
    TICKET_ABORTED = "access:ticket:aborted"
    DOOR_CHECK_INTENT = "access:door_check:intent"
    DOOR_CHECK_RESULT = "access:door_check:result"
    DOOR_CHECK_DENIED = "access:door_check:denied"
    DOOR_CHECK_ABORTED = "access:door_check:aborted"
    RELIABILITY_INTENT = "access:reliability:intent"
    RELIABILITY_RESULT = "access:reliability:result"
    RELIABILITY_DENIED = "access:reliability:denied"
    RELIABILITY_ABORTED = "access:reliability:aborted"
    LOOK_UP_INTENT = "access:look_up:intent"
    LOOK_UP_RESULT = "access:look_up:result"
    LOOK_UP_DENIED = "access:look_up:denied"
    LOOK_UP_ABORTED = "access:look_up:aborted"
    VERIFY_INTENT = "access:verify:intent"
    VERIFY_RESULT = "access:verify:result"
    VERIFY_DENIED = "access:verify:denied"
    VERIFY_ABORTED = "access:verify:aborted"
    KINSHIP_INTENT = "access:kinship:intent"
    KINSHIP_RESULT = "access:kinship:result"
    KINSHIP_DENIED = "access:kinship:denied"
    KINSHIP_ABORTED = "access:kinship:aborted"
    CASE_LOOK_UP_INTENT = "access:case_look_up:intent"
    CASE_LOOK_UP_RESULT = "access:case_look_up:result"
    CASE_LOOK_UP_DENIED = "access:case_look_up:denied"
    CASE_LOOK_UP_ABORTED = "access:case_look_up:aborted"
    REVERSE_INTENT = "access:reverse:intent"
    REVERSE_RESULT = "access:reverse:result"
    REVERSE_DENIED = "access:reverse:denied"
    REVERSE_ABORTED = "access:reverse:aborted"
    LINK_INTENT = "access:link:intent"
    LINK_RESULT = "access:link:result"
    LINK_DENIED = "access:link:denied"
    LINK_ABORTED = "access:link:aborted"
    ACCOUNT_CREATED = "accounts:account:created"
    ACCOUNT_CLOSED = "accounts:account:closed"
    ROLE_GRANTED = "accounts:role:granted"
    ROLE_REVOKED = "accounts:role:revoked"
    KEY_MADE = "accounts:key:made"
    KEY_REVOKED = "accounts:key:revoked"
    KEY_REFUSED = "accounts:key:refused"
    PASSWORD_SET = "accounts:password:set"
    SESSION_OPENED = "accounts:session:opened"
    SESSION_REFUSED = "accounts:session:refused"
    SESSION_PROVEN = "accounts:session:proven"
    SESSION_ENDED = "accounts:session:ended"
    EMERGENCY_OPENED = "grants:emergency:opened"
    EMERGENCY_REFUSED = "grants:emergency:refused"
    EMERGENCY_REVIEWED = "grants:emergency:reviewed"
    GRANT_FOUND_EDITED = "grants:grant:found_edited"
    GRANT_MADE = "grants:grant:made"
    GRANT_SUSPENDED = "grants:grant:suspended"
    GRANT_RESUMED = "grants:grant:resumed"
    GRANT_ENDED = "grants:grant:ended"
    GRANT_REGRADED = "grants:grant:regraded"
    EPOCH_BEGUN = "keys:epoch:begun"
    LINKAGE_APPROVED = "grants:linkage:approved"
    DECISION_MADE = "stewardship:decision:made"
    DECISION_REVOKED = "stewardship:decision:revoked"
    TICKET_RAISED = "casework:ticket:raised"
    TICKET_MOVED = "casework:ticket:moved"
    TICKET_REFUSED = "casework:ticket:refused"
    DOOR_CHECK_MOVED = "casework:door_check:moved"
    DOOR_CHECK_REFUSED = "casework:door_check:refused"
    GRID_WORKER_APPOINTED = "casework:grid_worker:appointed"
    DISPUTE_MOVED = "casework:dispute:moved"
    DISPUTE_REFUSED = "casework:dispute:refused"
    SCORECARD_PUBLISHED = "casework:scorecard:published"
    SCORECARD_REFUSED = "casework:scorecard:refused"
    TASK_EXPLAINED = "casework:task:explained"
    DATASET_REGISTERED = "catalog:dataset:registered"
    ENTRY_MADE = "catalog:entry:made"
    ENTRY_CHANGED = "catalog:entry:changed"
    ENTRY_MOVED = "catalog:entry:moved"
    ENTRY_ATTACHED = "catalog:entry:attached"
    ENTRIES_IMPORTED = "catalog:entry:imported"
    FORM_CHECKED = "catalog:form:checked"
    ENTRY_REFUSED = "catalog:entry:refused"
    SNAPSHOT_ACCEPTED = "catalog:snapshot:accepted"
    GOLDEN_VERSION_MADE = "golden:version:made"
    RULES_REFUSED = "rules:version:refused"
    RULES_PUBLISHED = "rules:version:published"
    REQUEST_DRAFTED = "casework:request:drafted"
    REQUEST_MOVED = "casework:request:moved"
    REQUEST_REFUSED = "casework:request:refused"
    CLOCKS_RECOMPUTED = "casework:clocks:recomputed"
    LOG_READ = "audit:log:read"
    LOG_REFUSED = "audit:log:refused"
    """Somebody wanted to read the log who may not, or said not what for."""
    LOG_VERIFIED = "audit:log:verified"
    LOG_EXPORTED = "audit:log:exported"
    LOG_BACKED_UP = "audit:log:backed_up"
    LOG_RESTORED = "audit:log:restored"
    LOG_DESTROYED = "audit:log:destroyed"
    DESTRUCTION_REFUSED = "audit:log:refused"
    TARGETS_CHANGED = "audit:targets:changed"

    @property
    def area(self) -> str:
        return self.value.split(":")[0]

    @property
    def object(self) -> str:
        return self.value.split(":")[1]

    @property
    def action(self) -> str:
        return self.value.split(":")[2]

    @property
    def opens(self) -> bool:
        """It starts an access that a later record has to close."""
        return self.action == OPENING

    @property
    def closes(self) -> bool:
        """It closes the intent whose index its body names under `intent`."""
        return self.action in CLOSING

    def sibling(self, action: str) -> Self:
        """The event of the same area and object with another action: intent → result, denied, aborted."""
        return type(self)(f"{self.area}:{self.object}:{action}")
