"""The tables of the store: everything the platform keeps but the rows of residents themselves. One module a room; all are imported here.

Times are aware and in UTC. Keys that people see (`dataset.key`, `department.key`, account names) are their own primary keys.
Changes here need a migration in `catalog/migrations`; a test compares the two.
"""

from catalog.schema.access import NEXT_GRANT_CHANGE, AccountRow, DataGrantRow, ReceiptRow, RoleGrantRow
from catalog.schema.catalogue import (
    AddressRangeRow,
    AreaRow,
    ContractRow,
    DatasetColumnRow,
    DatasetRow,
    DepartmentRow,
    EntryActRow,
    EntryCodeRow,
    EntryContentRow,
    EntryResourceRow,
    EntryRow,
    PublishedRulesRow,
    TestRegionRow,
)
from catalog.schema.clocks import RUNNING, ClockChangeRow, ClockRow, ExplanationRow, ReminderRow
from catalog.schema.door_checks import DoorCheckRow, GridWorkerRow
from catalog.schema.extracts import ExtractPlaceRow
from catalog.schema.golden import (
    DecisionAnchorRow,
    EnterpriseVersionRow,
    GoldenInputRow,
    GoldenVersionRow,
    ReconcileRunRow,
    ServingVersionRow,
    StewardDecisionRow,
)
from catalog.schema.grants import GrantGradingRow, LinkageTicketRow, PseudonymEpochRow, RegradingNoticeRow
from catalog.schema.inquiries import DoorCountRow
from catalog.schema.intake import FaultCountRow, IngestRunRow, QualityScoreRow, QuarantineCountRow, SnapshotRow
from catalog.schema.presence import ApiKeyRow, EmergencyRow, SessionRow, SignInFailureRow
from catalog.schema.record import KEY_LENGTH, Key, Record, Utc
from catalog.schema.requests import RequestMoveRow, RequestRow
from catalog.schema.reviews import AuditDrawRow, AuditReviewActRow, AuditReviewRow
from catalog.schema.scorecards import ScorecardCaseRow, ScorecardRow
from catalog.schema.tickets import ChangeNoticeRow, DisputeRow, DisputeStepRow, HandoverRow, TicketEventRow, TicketItemRow, TicketRow

__all__ = [
    "KEY_LENGTH",
    "NEXT_GRANT_CHANGE",
    "RUNNING",
    "AccountRow",
    "AddressRangeRow",
    "ApiKeyRow",
    "AreaRow",
    "AuditDrawRow",
    "AuditReviewActRow",
    "AuditReviewRow",
    "ChangeNoticeRow",
    "ClockChangeRow",
    "ClockRow",
    "ContractRow",
    "DataGrantRow",
    "DatasetColumnRow",
    "DatasetRow",
    "DecisionAnchorRow",
    "DepartmentRow",
    "DisputeRow",
    "DisputeStepRow",
    "DoorCheckRow",
    "DoorCountRow",
    "EmergencyRow",
    "EnterpriseVersionRow",
    "EntryActRow",
    "EntryCodeRow",
    "EntryContentRow",
    "EntryResourceRow",
    "EntryRow",
    "ExplanationRow",
    "ExtractPlaceRow",
    "FaultCountRow",
    "GoldenInputRow",
    "GoldenVersionRow",
    "GrantGradingRow",
    "GridWorkerRow",
    "HandoverRow",
    "IngestRunRow",
    "Key",
    "LinkageTicketRow",
    "PseudonymEpochRow",
    "PublishedRulesRow",
    "QualityScoreRow",
    "QuarantineCountRow",
    "ReceiptRow",
    "ReconcileRunRow",
    "Record",
    "RegradingNoticeRow",
    "ReminderRow",
    "RequestMoveRow",
    "RequestRow",
    "RoleGrantRow",
    "ScorecardCaseRow",
    "ScorecardRow",
    "ServingVersionRow",
    "SessionRow",
    "SignInFailureRow",
    "SnapshotRow",
    "StewardDecisionRow",
    "TestRegionRow",
    "TicketEventRow",
    "TicketItemRow",
    "TicketRow",
    "Utc",
]
