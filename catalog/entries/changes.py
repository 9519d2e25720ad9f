"""What a change of an entry is: the difference item by item, and whether it breaks users (law.md L-11, L-28)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.entries.content import EntryColumn, EntryContent, as_record
from catalog.terms import SHARES, UPDATE_FREQUENCIES

TERMS_OF_USE = ("shareScope", "usePurpose", "useConditions")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One item before and after; None where it was not there or is there no more. `place` as in `EntryFault`."""

    place: str
    before: Any
    after: Any


@dataclass(frozen=True, kw_only=True)
class Breach:
    """A change that takes something from users: `kind` is `gone`, `narrower`, `conditions`, `type` or `slower`; `column` empty for all."""

    kind: str
    column: str
    detail: str


BREACH_TITLES: Mapping[str, str] = {
    "gone": "数据项取消 column gone",
    "narrower": "共享收窄 narrower share",
    "conditions": "条件变更 conditions changed",
    "type": "类型变更 type changed",
    "slower": "更新变慢 slower update",
    "withdrawn": "目录下线 entry withdrawn",
}


def differences(before: EntryContent | None, after: EntryContent) -> list[Difference]:
    """Every item that differs, in a fixed order."""
    old, new = {} if before is None else _flat(before), _flat(after)
    return [
        Difference(place=place, before=old.get(place), after=new.get(place))
        for place in dict.fromkeys((*old, *new))
        if old.get(place) != new.get(place)
    ]


def breaches(before: EntryContent, after: EntryContent) -> list[Breach]:
    """What the published entry promised and the changed one does not."""
    found = [breach for column in before.columns for breach in _column_breaches(column, after.column(column.name), before, after)]
    if _slower(before.update_frequency, after.update_frequency):
        found.append(Breach(kind="slower", column="", detail=f"{before.update_frequency} → {after.update_frequency}"))
    changed = [key for key in TERMS_OF_USE if before.items.get(key) != after.items.get(key)]
    return found + [Breach(kind="conditions", column="", detail=key) for key in changed]


def withdrawal(content: EntryContent) -> list[Breach]:
    """Taking the whole entry out of service."""
    return [Breach(kind="withdrawn", column=column.name, detail=column.title) for column in content.columns]


def _column_breaches(old: EntryColumn, new: EntryColumn | None, before: EntryContent, after: EntryContent) -> list[Breach]:
    if new is None:
        return [Breach(kind="gone", column=old.name, detail=old.title)]
    conditions = [c.share_conditions or str(of.items.get("shareConditions") or "") for c, of in ((old, before), (new, after))]
    updates = [c.update_frequency or of.update_frequency for c, of in ((old, before), (new, after))]
    narrower = SHARES.index(new.share) > SHARES.index(old.share)
    tested = (
        (narrower, Breach(kind="narrower", column=old.name, detail=f"{old.share} → {new.share}")),
        (
            new.share == old.share == "conditional" and conditions[0] != conditions[1],
            Breach(kind="conditions", column=old.name, detail="shareConditions"),
        ),
        (new.data_type != old.data_type, Breach(kind="type", column=old.name, detail=f"{old.data_type} → {new.data_type}")),
        (
            bool(old.update_frequency or new.update_frequency) and _slower(*updates),
            Breach(kind="slower", column=old.name, detail=" → ".join(updates)),
        ),
    )
    return [breach for broken, breach in tested if broken]


def _slower(before: str, after: str) -> bool:
    known: Sequence[str] = UPDATE_FREQUENCIES
    return before in known and after in known and known.index(after) > known.index(before)


def _flat(content: EntryContent) -> dict[str, Any]:
    record = as_record(content)
    flat = {key: record[key] for key in ("title", "department", "category", "citation")}
    flat |= {f"items.{key}": value for key, value in record["items"].items()}
    return flat | {
        f"columns.{column['name']}.{key}": value for column in record["columns"] for key, value in column.items() if key != "name"
    }
