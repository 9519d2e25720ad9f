"""What can be asked of the door, and what kind of grant each act rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from access.terms import Mode
from audit.events import Event
from rules.tiers import AnswerForm, Tier


class Act(StrEnum):
    """What can be asked of the door; the value is the object in the log's vocabulary."""

    EXTRACT = "extract"
    STATISTICS = "statistics"
    TRACE = "trace"
    EXPORT_GOLDEN = "golden"
    EXPORT_CROSSWALK = "crosswalk"
    WHY = "why"
    REVIEW = "review"
    SIMULATE = "simulate"
    TICKET = "ticket"
    DOOR_CHECK = "door_check"
    IMPACT = "impact"
    RELIABILITY = "reliability"
    REPLAY = "replay"
    LOOK_UP = "look_up"
    VERIFY = "verify"
    KINSHIP = "kinship"
    CASE_LOOK_UP = "case_look_up"
    REVERSE = "reverse"
    LINK = "link"

    @property
    def intent(self) -> Event:
        return Event(f"access:{self.value}:intent")


LOOKING_ASIDE = frozenset({Act.IMPACT, Act.REVERSE, Act.LINK})
"""Acts that answer nothing under the grant they name: its terms are weighed, or what was handed out under it is looked back at."""
BULK_ANSWERS: Mapping[Act, AnswerForm] = {Act.STATISTICS: AnswerForm.STATISTICS}
"""What a tier must allow for an act; extracts for all others."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a grant must be for a kind of inquiry, and whether it has to be for a case (办件)."""

    mode: Mode
    tiers: frozenset[Tier]
    answer: AnswerForm
    needs_case: bool = False


INQUIRIES: Mapping[Act, Form] = {
    Act.LOOK_UP: Form(mode=Mode.LOOKUP, tiers=frozenset(Tier), answer=AnswerForm.EXTRACT),
    Act.VERIFY: Form(mode=Mode.VERIFY, tiers=frozenset(Tier), answer=AnswerForm.VERIFICATION),
    Act.KINSHIP: Form(mode=Mode.VERIFY, tiers=frozenset(Tier), answer=AnswerForm.VERIFICATION),
    Act.CASE_LOOK_UP: Form(mode=Mode.LOOKUP, tiers=frozenset({Tier.T3, Tier.T4}), answer=AnswerForm.EXTRACT, needs_case=True),
}
"""Questions about single residents (查询), by what kind of grant they may be asked under."""
