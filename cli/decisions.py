"""Commands of stewards: `tongchou decide merge|apart|pin|revoke|list` and `tongchou review`."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import click

from access.stewardship import merge as make_merge
from access.stewardship import pin as make_pin
from access.stewardship import revoke as take_back
from access.stewardship import set_apart
from cli.answers import the_door
from cli.grants import day, the_log
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform
from golden.alarms import ALARM_TEXTS, Alarm, standing_alarms
from golden.decisions import Kind, State, StewardDecision, load_decisions
from golden.reconcile import newest_version
from golden.review import KIND_TEXTS as DOUBT_TEXTS
from golden.review import MOST_SHOWN, Doubt, Queue
from golden.versions import golden_folder

KIND_TEXTS: Mapping[Kind, str] = {Kind.MERGE: "合并 merge", Kind.APART: "拆分 apart", Kind.PIN: "确认值 pin"}
STATE_TEXTS: Mapping[State, str] = {State.STANDING: "有效 standing", State.EXPIRED: "已到期 expired", State.REVOKED: "已撤销 revoked"}
REVIEW_DUE = "应复看 due for review"

by_option = click.option("--as", "by", required=True, help="The steward's account (数据管理员账号).")
reason_option = click.option("--reason", required=True, help="Why, without numbers of persons (理由).")
review_option = click.option("--until", type=day, help="Day on which to look at it again (复看日).")


@click.group()
def decide() -> None:
    """A steward's decisions (裁定): they win over the machine from the next `tongchou reconcile` on, until they expire or are revoked.

    A side is a resident (R and 10 digits) or one record (DATASET/RECORD).
    """


def _two_sided(name: str, act: Callable[..., StewardDecision], text: str) -> None:
    @decide.command(name, help=text)
    @click.argument("a")
    @click.argument("b")
    @reason_option
    @review_option
    @by_option
    @as_json_option
    @platform
    def command(here: Platform, a: str, b: str, reason: str, until: datetime | None, by: str, as_json: bool) -> None:
        when = until.date() if until else None
        print_decision(act(here.store, here.lake, the_log(here), by=by, a=a, b=b, reason=reason, until=when, now=here.now()), here, as_json)


_two_sided("merge", make_merge, "A and B are one person (合并).")
_two_sided("apart", set_apart, "A and B are two people (拆分); a record B leaves the resident A.")


@decide.command()
@click.argument("who")
@click.argument("element")
@click.argument("value")
@reason_option
@click.option("--until", type=day, help="Last day on which it stands; needed (到期日).")
@by_option
@as_json_option
@platform
def pin(here: Platform, who: str, element: str, value: str, reason: str, until: datetime | None, by: str, as_json: bool) -> None:
    """ELEMENT of WHO has this VALUE (人工确认值) until a day, whatever the sources say."""
    made = make_pin(
        here.store,
        here.lake,
        the_log(here),
        by=by,
        who=who,
        element=element,
        value=value,
        reason=reason,
        until=until.date() if until else None,
        now=here.now(),
    )
    print_decision(made, here, as_json)


@decide.command()
@click.argument("number", type=int)
@reason_option
@by_option
@as_json_option
@platform
def revoke(here: Platform, number: int, reason: str, by: str, as_json: bool) -> None:
    """Take decision NUMBER back (撤销); nothing is deleted."""
    print_decision(take_back(here.store, the_log(here), by=by, decision=number, reason=reason, now=here.now()), here, as_json)


@decide.command("list")
@click.option("--stale", is_flag=True, help="Only what needs a look: contradicted, expired, due for review (失效警报).")
@as_json_option
@platform
def list_(here: Platform, stale: bool, as_json: bool) -> None:
    """All decisions (裁定清单), without the values of pins: `tongchou why` shows those."""
    with here.store.session() as session:
        known = load_decisions(session)
    alarms = _alarms(here)
    now = here.now()
    shown = [told(decision, now, alarms[decision.id]) for decision in known]
    if stale:
        shown = [row for row in shown if row["alarms"] or row["review_due"] or row["state"] == State.EXPIRED]
    if as_json:
        print_json(shown)
        return
    headers = (
        "号 no.",
        "裁定 decision",
        "居民 residents",
        "数据元 element",
        "状态 state",
        "至 until",
        "由 by",
        "理由 reason",
        "警报 alarms",
    )
    print_table("裁定 decisions", headers, [_cells(row) for row in shown], numbers=(0,))


def told(decision: StewardDecision, now: datetime, alarms: Sequence[Alarm]) -> dict[str, Any]:
    """A decision as it is shown: no value, no record, for their keys may be numbers of persons."""
    state = decision.state(now)
    return {
        "decision": decision.id,
        "kind": decision.kind,
        "residents": list(decision.residents),
        "element": decision.element,
        "state": state,
        "until": decision.until,
        "review_due": decision.review_due(now),
        "decided_by": decision.decided_by,
        "decided_at": decision.decided_at,
        "reason": decision.reason,
        "revoked_by": decision.revoked_by,
        "revoked_at": decision.revoked_at,
        "revoke_reason": decision.revoke_reason,
        "alarms": [_alarm(alarm) for alarm in alarms] if state is State.STANDING else [],
    }


def _alarm(alarm: Alarm) -> dict[str, Any]:
    return {"kind": alarm.kind, "resident_id": alarm.resident_id, "element": alarm.element, "dataset": alarm.dataset}


def _cells(row: Mapping[str, Any]) -> tuple[object, ...]:
    told_alarms = "; ".join(f"{' '.join(ALARM_TEXTS[alarm['kind']])} ({alarm['dataset']})" for alarm in row["alarms"])
    state = STATE_TEXTS[row["state"]] + (f" · {REVIEW_DUE}" if row["review_due"] else "")
    residents, until = " ".join(row["residents"]), _day(row["until"])
    return row["decision"], KIND_TEXTS[row["kind"]], residents, row["element"], state, until, row["decided_by"], row["reason"], told_alarms


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _alarms(here: Platform) -> Mapping[int, list[Alarm]]:
    found: defaultdict[int, list[Alarm]] = defaultdict(list)
    newest = newest_version(here.store)
    for alarm in [] if newest is None else standing_alarms(golden_folder(here.lake, newest.version)):
        found[alarm.decision].append(alarm)
    return found


def print_decision(decision: StewardDecision, here: Platform, as_json: bool) -> None:
    if as_json:
        print_json(told(decision, here.now(), []))
        return
    state = STATE_TEXTS[decision.state(here.now())]
    residents = " ".join(decision.residents)
    console.print(f"裁定 {decision.id} 号 decision {decision.id}: {KIND_TEXTS[decision.kind]} {residents} · {state}", markup=False)
    console.print("下一步 Next: tongchou reconcile")


SHOWN = 20
REVIEW_PURPOSE = "数据管理员复核 a steward reviews doubtful residents"


@click.command()
@click.option("--limit", type=click.IntRange(1, MOST_SHOWN), default=SHOWN, show_default=True, help="Rows at most (行数上限).")
@click.option("--as", "actor", required=True, help="The account that asks (账号).")
@click.option("--purpose", default=REVIEW_PURPOSE, show_default=True, help="What it is for (用途).")
@as_json_option
@platform
def review(here: Platform, limit: int, actor: str, purpose: str, as_json: bool) -> None:
    """What the machine is in doubt about (复核队列), first what a decision would change most; values are read with `tongchou why`."""
    with the_door(here) as door:
        queue = door.review(actor, purpose, limit).value
    assert isinstance(queue, Queue)
    if as_json:
        print_json(queue)
        return
    headers = ("位 rank", "疑点 doubt", "居民 residents", "记录 records", "概率 probability", "影响 change", "依据 evidence (bits)")
    title = f"复核队列 review queue: {len(queue.rows):,} / {queue.total:,} · 金记录第 {queue.version} 版 version"
    print_table(title, headers, [_doubt_cells(row) for row in queue.rows], numbers=(0,))
    console.print("下一步 Next: tongchou why RESIDENT; tongchou decide merge|apart A B", markup=False)


def _doubt_cells(row: Doubt) -> tuple[object, ...]:
    pair = f"{row.dataset_a}/{row.record_a} – {row.dataset_b}/{row.record_b}"
    change = f"{row.records} 条记录 records, {row.elements} 项 elements"
    levels = ", ".join(f"{name}={level} {bits:+.1f}" for name, (level, bits) in row.levels.items())
    told_doubt = " ".join(DOUBT_TEXTS[row.kind])
    return row.rank, told_doubt, " ".join(row.residents), pair, f"{row.probability:.3f} ({row.bits:+.1f} bits)", change, levels
