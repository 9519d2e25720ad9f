"""Commands of checks at the door and of values in question: `tongchou ticket items` and `tongchou ticket door-check …`."""

from datetime import datetime
from typing import Any

import click

from access.casefiles import Asked, Form, ItemView
from casework import door_checks
from casework.attempts import Act
from casework.door_checks import CONTACTS, RESULT_TEXTS, STATE_TEXTS, DoorCheck, Result, State, Visit
from casework.tickets import PAGE_ROWS
from cli.answers import the_door
from cli.grants import day, the_log
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform
from golden.decisions import day_of
from masking.methods import Basis, Mask, RecipientKey, apply
from rules.elements import load_elements
from rules.tiers import DEFAULT, load_tier_policy

ITEMS_PURPOSE = "校核：核实本部门的取值 checking values of the own department"
FORM_PURPOSE = "入户核查 a check at the door"
by_option = click.option("--as", "by", required=True, help="The account that acts (账号).")
reason_option = click.option("--reason", default="", help="Why, without numbers of persons (理由).")
items_option = click.option("--item", "items", multiple=True, type=int, help="Only this item; by default all that can be asked (条目).")


@click.command()
@click.argument("number", type=int)
@click.option("--after", type=int, default=0, help="Go on after this item (续页).")
@click.option("--limit", type=click.IntRange(1, 200), default=PAGE_ROWS, show_default=True, help="Rows at most (行数上限).")
@by_option
@click.option("--purpose", default=ITEMS_PURPOSE, show_default=True, help="What it is for (用途).")
@as_json_option
@platform
def items(here: Platform, number: int, after: int, limit: int, by: str, purpose: str, as_json: bool) -> None:
    """The records and values in question on ticket NUMBER (条目), read through the door; only for the department that it is with."""
    with the_door(here) as door:
        value: Any = door.ticket_items(by, purpose, number, after=after, limit=limit).value
    views: tuple[ItemView, ...] = value
    if as_json:
        print_json(list(views))
        return
    headers = (
        "条目 item",
        "数据元 element",
        "记录 record",
        "本部门的值 own value",
        "对方的值 other value",
        "对方 other side",
        "状态 state",
    )
    print_table(f"工单 {number} 号的条目 items of ticket {number}", headers, [_item_cells(view) for view in views], numbers=(0,))


@click.group("door-check")
def door_check() -> None:
    """Checks at the door (入户核查): what only somebody who asks there can settle."""


@door_check.command()
@click.argument("grid")
@click.option("--worker", required=True, help="The grid worker's account (网格员账号).")
@click.option("--assessor", required=True, help="The one account that assesses the work (唯一考核人).")
@by_option
@reason_option
@as_json_option
@platform
def appoint(here: Platform, grid: str, worker: str, assessor: str, by: str, reason: str, as_json: bool) -> None:
    """Say who works GRID (指定网格员) and who alone assesses the work."""
    door_checks.appoint(here.store, the_log(here), grid=grid, worker=worker, assessor=assessor, act=_act(here, by, reason))
    if as_json:
        print_json({"grid": grid, "worker": worker, "assessor": assessor})
        return
    console.print(f"已指定 appointed: {grid} ← {worker}，考核 assessed by {assessor}", markup=False)


@door_check.command()
@click.argument("ticket", type=int)
@items_option
@by_option
@reason_option
@as_json_option
@platform
def dispatch(here: Platform, ticket: int, items: tuple[int, ...], by: str, reason: str, as_json: bool) -> None:
    """Send items of TICKET to the door (派单): a check per resident, to the worker of the grid."""
    done = door_checks.dispatch(here.store, here.lake, the_log(here), ticket=ticket, act=_act(here, by, reason), items=items)
    if as_json:
        print_json(done)
        return
    console.print(f"已派单 dispatched: 工单 ticket {done.id}，{done.items_at_door} 条 items")


@door_check.command("list")
@click.option("--worker", help="Only of this worker (网格员).")
@click.option("--state", type=click.Choice([state.value for state in State]), help="State (状态).")
@click.option("--after", help="Due date and number of the last one seen, 2026-11-30/7 (续页).")
@as_json_option
@platform
def list_(here: Platform, worker: str | None, state: str | None, after: str | None, as_json: bool) -> None:
    """Door checks (核查单), those due first at the top, without what was answered."""
    with here.store.session() as session:
        found = door_checks.list_checks(session, worker=worker, state=State(state) if state else None, after=after)
    if as_json:
        print_json(found)
        return
    headers = ("号 no.", "网格 grid", "网格员 worker", "数据元 elements", "状态 state", "结果 result", "限期 due")
    print_table("入户核查 door checks", headers, [_check_cells(one) for one in found], numbers=(0,))


@door_check.command()
@click.argument("number", type=int)
@by_option
@click.option("--purpose", default=FORM_PURPOSE, show_default=True, help="What it is for (用途).")
@as_json_option
@platform
def form(here: Platform, number: int, by: str, purpose: str, as_json: bool) -> None:
    """The prefilled form of check NUMBER (核查表), for its worker; the identity number is masked."""
    shown = _form(here, number, by, purpose)
    number_shown = _masked(shown.id_number)
    if as_json:
        asked = [{"element": one.element, "prefilled": one.prefilled, "others": list(one.others)} for one in shown.asked]
        told = {"check": shown.check, "name": shown.name, "id_number": number_shown, "residence_address": shown.residence_address}
        print_json({**told, "asked": asked})
        return
    console.print(f"核查单 check {shown.check}: {shown.name or '—'} {number_shown or ''} {shown.residence_address or ''}", markup=False)
    print_table("请核实 please ask", ("数据元 element", "已知 prefilled", "另有 others"), [_asked_cells(one) for one in shown.asked])


@door_check.command()
@click.argument("number", type=int)
@click.option("--result", type=click.Choice([result.value for result in Result]), required=True, help="What was found (结果).")
@click.option("--contact", type=click.Choice(CONTACTS), default=CONTACTS[0], show_default=True, help="How (方式).")
@click.option("--value", "values", multiple=True, help="ELEMENT=VALUE of what is different (更新的取值).")
@click.option("--evidence", default="", help="Number of a photo or form kept elsewhere (佐证编号).")
@by_option
@click.option("--purpose", default=FORM_PURPOSE, show_default=True, help="What it is for (用途).")
@as_json_option
@platform
def report(
    here: Platform, number: int, result: str, contact: str, values: tuple[str, ...], evidence: str, by: str, purpose: str, as_json: bool
) -> None:
    """Report on check NUMBER (填报结果); what is not given is as prefilled."""
    given = dict(_pair(text) for text in values)
    told = Visit(result=Result(result), contact=contact, values=given, evidence=evidence)
    filled = _form(here, number, by, purpose)
    print_check(door_checks.visit(here.store, here.home, the_log(here), form=filled, visit=told, act=_act(here, by, "")), as_json)


@door_check.command()
@click.argument("number", type=int)
@click.option("--accept/--send-back", default=True, show_default=True, help="Accept or ask again (通过或退回).")
@by_option
@reason_option
@as_json_option
@platform
def review(here: Platform, number: int, accept: bool, by: str, reason: str, as_json: bool) -> None:
    """Review check NUMBER (审核), by the worker's one assessor; accepted answers come in with the next ingest."""
    done = door_checks.review(here.store, here.home, the_log(here), check=number, accept=accept, act=_act(here, by, reason))
    print_check(done, as_json)
    if not as_json and accept:
        console.print("下一步 Next: tongchou ingest door_check_answers; tongchou reconcile")


@door_check.command()
@click.argument("number", type=int)
@click.option("--worker", required=True, help="The other worker's account (改派网格员).")
@by_option
@reason_option
@as_json_option
@platform
def reassign(here: Platform, number: int, worker: str, by: str, reason: str, as_json: bool) -> None:
    """Give check NUMBER to another worker (改派)."""
    print_check(door_checks.reassign(here.store, the_log(here), check=number, worker=worker, act=_act(here, by, reason)), as_json)


@door_check.command()
@click.argument("number", type=int)
@click.option("--rating", type=click.IntRange(1, 5), required=True, help="By the resident, 1–5 (居民评分).")
@by_option
@as_json_option
@platform
def rate(here: Platform, number: int, rating: int, by: str, as_json: bool) -> None:
    """Enter the resident's rating of check NUMBER (居民评价)."""
    print_check(door_checks.rate(here.store, the_log(here), check=number, rating=rating, act=_act(here, by, "")), as_json)


@door_check.command()
@click.option("--from", "first", type=day, help="First day; by default that of this month (起).")
@click.option("--to", "last", type=day, help="Last day; by default today (止).")
@as_json_option
@platform
def workers(here: Platform, first: datetime | None, last: datetime | None, as_json: bool) -> None:
    """Grid workers' work by result and by the residents' rating (网格员考核)."""
    today = day_of(here.now())
    with here.store.session() as session:
        period = (first.date() if first else today.replace(day=1), last.date() if last else today)
        scores = door_checks.worker_scores(session, *period)
    if as_json:
        print_json([{"score": score, "rating": score.rating} for score in scores])
        return
    headers = ("网格员 worker", "考核人 assessor", "办结 done", "按时 in time", "有观测 observed", "结果 results", "评分 rating")
    rows = [
        (
            s.worker,
            s.assessor,
            s.done,
            s.in_time,
            s.observed,
            ", ".join(f"{RESULT_TEXTS[Result(r)]} {n}" for r, n in s.results.items()),
            "–" if s.rating is None else f"{s.rating:.1f} ({s.ratings})",
        )
        for s in scores
    ]
    print_table("网格员考核 grid workers", headers, rows, numbers=(2, 3, 4))


def print_check(done: DoorCheck, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    result = RESULT_TEXTS[done.result] if done.result else ""
    console.print(f"核查单 {done.id} 号 door check {done.id}: {STATE_TEXTS[done.state]} {result}", markup=False)


def _act(here: Platform, by: str, reason: str) -> Act:
    return Act(by=by, now=here.now(), reason=reason)


def _form(here: Platform, number: int, by: str, purpose: str) -> Form:
    with the_door(here) as door:
        value: Any = door.door_form(by, purpose, number).value
    shown: Form = value
    return shown


def _masked(number: str | None) -> str | None:
    import pyarrow as pa

    kept = load_tier_policy().partial_numbers[DEFAULT]
    mask = Mask(method="partial_number", first=kept.first, last=kept.last)
    masked: str | None = apply(mask, pa.array([number], pa.string()), Basis(key=RecipientKey(secret=b"")))[0].as_py()
    return masked


def _pair(text: str) -> tuple[str, str]:
    element, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{element}: 应为 ELEMENT=VALUE", param_hint="--value")
    return element, value


def _item_cells(view: ItemView) -> tuple[object, ...]:
    other = "不予共享 not shared" if view.withheld else view.other_value
    record = f"{view.dataset}/{view.record}" if view.record else ""
    return view.item, load_elements()[view.element].title, record, view.value, other, view.other_department, view.state


def _check_cells(one: DoorCheck) -> tuple[object, ...]:
    elements = "、".join(load_elements()[element].title for element in one.elements)
    return one.id, one.grid_code, one.worker, elements, STATE_TEXTS[one.state], RESULT_TEXTS[one.result] if one.result else "", one.due_on


def _asked_cells(one: Asked) -> tuple[object, ...]:
    return load_elements()[one.element].title, one.prefilled, "；".join(one.others)
