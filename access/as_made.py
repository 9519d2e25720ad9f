"""Whether a grant still is as it was made (law.md L-14): its terms in the store against those that the log recorded.

Terms never change, so what differs was changed around the platform, in the database itself. The log is signed and witnessed, and its
administrator is another (A-02); a change of the log itself is found by `tongchou audit verify`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from access.grants import list_grants, recorded_terms
from access.log_faults import log_faults_translated
from access.terms import Grant, GrantState
from audit.errors import LogBroken, RecordDestroyed
from audit.events import Event
from audit.log import Log
from rules.errors import IntegrityBroken

MAX_REMEMBERED = 100_000
TERMS_ADDED_LATER: Mapping[str, Any] = {
    "audience": "department",
    "named": [],
    "masks": [],
    "disputed": "keep",
    "ends_at": None,
    "clients": None,
}
"""Terms that records of an earlier platform do not name, with what they are then."""
NOT_TERMS = ("actor", "grant")
STATES: Mapping[Event, GrantState] = {
    Event.GRANT_MADE: GrantState.ACTIVE,
    Event.GRANT_SUSPENDED: GrantState.SUSPENDED,
    Event.GRANT_RESUMED: GrantState.ACTIVE,
    Event.GRANT_ENDED: GrantState.ENDED,
}
"""What a grant's state is after a record."""

Terms = Mapping[str, Any]


@dataclass
class MadeTerms:
    """Looks terms up in the log, each once: a record never changes."""

    log: Log
    _known: dict[tuple[int, int], Terms] = field(default_factory=dict)

    def require(self, grant: Grant) -> None:
        """IntegrityBroken DOOR-EDITED where the terms are not those that were recorded; the finding is recorded, too."""
        recorded = self._recorded(grant)
        told = recorded_terms(grant)
        differing = sorted(name for name in told if recorded is None or recorded.get(name) != told[name])
        if not differing:
            return
        with log_faults_translated():
            self.log.append_sealed(Event.GRANT_FOUND_EDITED, {"grant": grant.id, "terms": differing})
        raise IntegrityBroken("DOOR-EDITED", where=str(grant.id), what=", ".join(differing))

    def _recorded(self, grant: Grant) -> Terms | None:
        """The terms in the record that the grant names as its own; None where there is none, or it is of another grant.

        A record that was destroyed after its years proves nothing any more: a grant that old has to be made anew.
        """
        if grant.made_seq is None:
            return self._found(grant.id)
        key = grant.id, grant.made_seq
        if key not in self._known:
            found = self._read(*key)
            if found is None or len(self._known) >= MAX_REMEMBERED:
                return found
            self._known[key] = found
        return self._known[key]

    def _read(self, number: int, seq: int) -> Terms | None:
        try:
            record = self.log.entry(seq).record
        except (LogBroken, RecordDestroyed):
            return None
        made = record.event is Event.GRANT_MADE and record.body["grant"] == number
        return _terms(record.body) if made else None

    def _found(self, number: int) -> Terms | None:
        """Of a grant made before its record was named in the store: the whole log is gone through."""
        bodies = (entry.record.body for entry in self.log.entries() if entry.record.event is Event.GRANT_MADE)
        made = [body for body in bodies if body["grant"] == number]
        return _terms(made[-1]) if made else None


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A grant that is not what the log says: the terms that differ, `state` among them; `none` where the log knows of no such grant."""

    grant: int
    terms: tuple[str, ...]


def compare_all(session: Session, log: Log) -> list[Difference]:
    """All grants beside the whole log. A use finds edited terms; a state that was set by hand is found here only."""
    told: dict[int, Terms] = {}
    states: dict[int, GrantState] = {}
    for entry in log.entries():
        state = STATES.get(entry.record.event)
        if state is None:
            continue
        body = entry.record.body
        states[body["grant"]] = state
        if entry.record.event is Event.GRANT_MADE:
            told[body["grant"]] = _terms(body)
    found = ((grant.id, _differing(grant, told.get(grant.id), states.get(grant.id))) for grant in list_grants(session))
    return [Difference(grant=number, terms=terms) for number, terms in found if terms]


def _differing(grant: Grant, recorded: Terms | None, state: GrantState | None) -> tuple[str, ...]:
    if recorded is None:
        return ("none",)
    terms = [name for name, value in recorded_terms(grant).items() if recorded.get(name) != value]
    return tuple(sorted([*terms, *(["state"] if grant.state is not state else [])]))


def _terms(body: Terms) -> Terms:
    return {**TERMS_ADDED_LATER, **{name: value for name, value in body.items() if name not in NOT_TERMS}}
