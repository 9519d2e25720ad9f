"""What the bureau has decided about tickets, lights and reminders (工单、红黄绿灯), read from `tickets.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml


@dataclass(frozen=True, kw_only=True)
class LightRules:
    """When a task or a resource turns yellow or red (law.md F-01, F-02)."""

    yellow_days: int
    yellow_share: float
    bureau_after_days: int
    yellow_cycles: float
    rows_lost: float
    cycle_days: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class TicketRules:
    """`lost_at`: how probable a golden value must be before those that hold another are asked to correct theirs.
    `ended_by_death`: by element the values that nobody dead has (X-17). `door_never_decides`: elements of R-03.
    """

    version: int
    lost_at: float
    lost_at_by_element: Mapping[str, float]
    ended_by_death: Mapping[str, frozenset[str]]
    door_never_decides: tuple[str, ...]
    most_reroutes: int
    use_report_due_after_days: int
    use_report_holds_days: int
    lights: LightRules

    def threshold(self, element: str) -> float:
        return self.lost_at_by_element.get(element, self.lost_at)


@cache
def load_ticket_rules() -> TicketRules:
    """The rules that ship."""
    row = yaml.safe_load((Path(__file__).parent / "tickets.yaml").read_text(encoding="utf-8"))
    return TicketRules(
        version=row["version"],
        lost_at=row["lost_at"],
        lost_at_by_element=row["elements"],
        ended_by_death={element: frozenset(values) for element, values in row["ended_by_death"].items()},
        door_never_decides=tuple(row["door_never_decides"]),
        most_reroutes=row["most_reroutes"],
        use_report_due_after_days=row["use_reports"]["due_after_days"],
        use_report_holds_days=row["use_reports"]["holds_days"],
        lights=LightRules(cycle_days=row["cycles"], **row["lights"]),
    )
