"""The two records around each access, and the answer that can exist only after the second.

`Recorder.intend` writes INTENT and gives a `Recording`; `Recording.answer` writes RESULT and gives the `Answer`. An `Answer` looks its own
RESULT up in the log when it is made, so none can be made around the log.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from access.acts import Act
from access.log_faults import log_faults_translated
from access.questions import Decision
from audit.errors import LogBroken
from audit.events import Event
from audit.log import Log, OpenIntent, Sealed

Facts = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What is about to be handed over. `digest` is the SHA-256 of the file's or the value's bytes; `facts` go into the record as such."""

    rows: int
    residents: int
    digest: str
    facts: Facts

    @classmethod
    def of(cls, value: Any, *, rows: int = 0, residents: int = 0, facts: Facts) -> "Outcome":
        """Of a value: a dataclass, or a sequence of them."""
        values = value if isinstance(value, tuple) else (value,)
        return cls(rows=rows, residents=residents, digest=digest_of_value(*values), facts=facts)


class Answer:
    """What the door gives: a file (`path`) or a value, with the index of the record that tells of it."""

    __slots__ = ("digest", "path", "residents", "rows", "seq", "value")

    def __init__(self, log: Log, sealed: Sealed, *, path: Path | None = None, value: object = None) -> None:
        entry = log.entry(sealed.seq)
        if entry.record.event.action != "result":
            raise LogBroken(sealed.seq, "an answer needs its RESULT record")
        self.seq = sealed.seq
        self.rows: int = entry.record.body["rows"]
        self.residents: int = entry.record.body["residents"]
        self.digest: str = entry.record.body["digest"]
        self.path, self.value = path, value

    @classmethod
    def of_group(cls, log: Log, results: Sequence[tuple[Sealed, Outcome, object]]) -> list["Answer"]:
        """The answers of a group, whose RESULT records were written in one commit. LogBroken if one is not there as it was written."""
        log.check_held([sealed for sealed, _, _ in results])
        answers = []
        for sealed, outcome, value in results:
            answer = cls.__new__(cls)
            answer.seq, answer.rows, answer.residents, answer.digest = sealed.seq, outcome.rows, outcome.residents, outcome.digest
            answer.path, answer.value = None, value
            answers.append(answer)
        return answers

    def __repr__(self) -> str:
        return f"Answer(seq={self.seq}, rows={self.rows}, residents={self.residents})"


class Recording:
    """An access under way: its INTENT is durable; it ends with exactly one RESULT or ABORTED."""

    def __init__(self, log: Log, act: Act, intent: Sealed) -> None:
        self._log, self._act, self.intent = log, act, intent
        self._closed = False

    def answer(self, outcome: Outcome, *, path: Path | None = None, value: object = None) -> Answer:
        """Write RESULT; what it tells of may leave."""
        return Answer(self._log, self._result(outcome), path=path, value=value)

    def _result(self, outcome: Outcome) -> Sealed:
        """Write RESULT and seal it; durable and in a signed head when this returns."""
        assert not self._closed, "this access has ended"
        with log_faults_translated():
            sealed = self._log.append(*result_record(self._act, self.intent.seq, outcome))
            self._closed = True  # also if sealing fails: the record stands, though the answer will not leave
            self._log.seal()
        return sealed

    def abort(self, kind: str) -> None:
        """Write ABORTED with the kind of what stopped it (an error code or class, never its text)."""
        if not self._closed:
            self._closed = True
            self._log.append_sealed(*aborted_record(self._act, self.intent.seq, kind))


class Recorder:
    """Writes the records of one door. `holder` says who holds its intents open, so that a dead door's can be told from a living one's."""

    def __init__(self, log: Log, holder: str, origin: str) -> None:
        self._log, self._holder, self._origin = log, holder, origin

    def deny(self, act: Act, facts: Facts, decision: Decision) -> None:
        with log_faults_translated():
            self._log.append_sealed(*self.denied_record(act, facts, decision))

    def denied_record(self, act: Act, facts: Facts, decision: Decision) -> "Written":
        columns = [{"column": column, "why": [reason.value for reason in why]} for column, why in decision.column_reasons.items()]
        why = {"why": [reason.value for reason in decision.reasons], "columns_why": columns}
        return act.intent.sibling("denied"), {"origin": self._origin, **facts, **why}

    def intent_record(self, act: Act, facts: Facts) -> "Written":
        return act.intent, {"holder": self._holder, "origin": self._origin, **facts}

    def withhold(self, act: Act, seq: int, kind: str) -> None:
        """What the RESULT record at `seq` tells of was not handed over after all."""
        with log_faults_translated():
            self._log.append_sealed(act.intent.sibling("withheld"), {"result": seq, "why": kind})

    @contextmanager
    def intend(self, act: Act, facts: Facts) -> Iterator[Recording]:
        """INTENT now; ABORTED if the block fails before its RESULT."""
        with log_faults_translated():
            intent = self._log.append(*self.intent_record(act, facts))
        recording = Recording(self._log, act, intent)
        try:
            yield recording
        except BaseException as fault:
            with log_faults_translated():
                recording.abort(getattr(fault, "code", type(fault).__name__))
            raise


Written = tuple[Event, Facts]
"""A record to be written."""


def result_record(act: Act, intent: int, outcome: Outcome) -> Written:
    numbers = {"intent": intent, "rows": outcome.rows, "residents": outcome.residents, "digest": outcome.digest}
    return act.intent.sibling("result"), {**outcome.facts, **numbers}


def aborted_record(act: Act, intent: int, kind: str) -> Written:
    return act.intent.sibling("aborted"), {"intent": intent, "why": kind}


def close_intents(log: Log, intents: Sequence[OpenIntent], kind: str) -> None:
    """ABORTED for intents whose process has died, in one commit and under one head: a busy door leaves hundreds."""
    if intents:
        log.append_all([(intent.event.sibling("aborted"), {"intent": intent.seq, "why": kind}) for intent in intents])
        log.seal()


def digest_of_value(*values: Any) -> str:
    """SHA-256 of what dataclasses hold, one after the other; hexadecimal."""
    texts = [json.dumps(asdict(value), ensure_ascii=False, sort_keys=True, default=str) for value in values]
    return sha256("".join(texts).encode()).hexdigest()
