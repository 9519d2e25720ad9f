"""The decision (判定): one pure function from a question to allowed or not, per column with its mask, each with reasons.

Deny by default, deny beats allow. A question is decided once, for all columns. Whoever asks about a grant that is not theirs learns no more
than whoever asks about one that does not exist.
"""

from access.grounds import REFUSALS, grounds_of
from access.objections import column_objections, objections_to
from access.questions import Decision, Question
from access.targets import plan_of
from masking.plan import Plan


def decide(question: Question) -> Decision:
    """Allowed if a ground is found and nothing objects. The terms are looked at only once the asker may know of them."""
    grounds = grounds_of(question)
    if not grounds:
        return Decision(allowed=False, reasons=(REFUSALS[question.act],))
    objections = objections_to(question)
    columns = column_objections(question)
    if objections or columns:
        return Decision(allowed=False, reasons=objections, column_reasons=columns)
    return Decision(allowed=True, reasons=grounds, plan=_plan(question))


def _plan(question: Question) -> Plan:
    if question.grant is None or question.target is None:
        return {}
    return plan_of(question.grant, question.target, question.policy)
