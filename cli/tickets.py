"""Commands of tickets: `tongchou ticket …`: what tickets ask for and what is done about them."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from casework import corrections, objections
from casework.attempts import Act
from casework.conflicts import KIND_TEXTS as ITEM_TEXTS
from casework.corrections import ORIGIN_TEXTS, RESIDENT, USER
from casework.disputes import disputes_of
from casework.moves import ITEM_STATE_TEXTS, KIND_TEXTS, MOVES, OBJECTIONS, PLATFORM_MOVES, STATE_TEXTS, TOPICS, Kind, State
from casework.tickets import (
    MOST_PAGE_ROWS,
    PAGE_ROWS,
    Ticket,
    TicketEvent,
    Wanted,
    items_by_dataset,
    list_events,
    list_tickets,
    load_ticket,
    possible_moves,
)
from catalog.snapshots import CHINA
from cli.disputes import dispute, print_dispute
from cli.door_checks import door_check, items
from cli.grants import the_log
from cli.lights import LIGHT_COMMANDS
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform
from golden.decisions import day_of
from rules.departments import department_title, resolve_department
from rules.labels import titled
from rules.lights import LIGHT_TEXTS, Light

by_option = click.option("--as", "by", required=True, help="The account that acts (账号).")
reason_option = click.option("--reason", default="", help="Why, without numbers of persons (理由).")
seen_option = click.option("--seen", type=int, help="Version of the ticket that you looked at; a newer one is refused (所见版本).")
items_option = click.option("--item", "items", multiple=True, type=int, help="Only this item; by default all open ones (条目).")


@click.group()
def ticket() -> None:
    """Tickets (工单): errors sent back to their source (校核) and objections (异议), with their clocks and lights."""


@ticket.command("list")
@click.option("--department", help="With whom they are (承办部门).")
@click.option("--raised-by", help="The department that raised them (提出部门).")
@click.option("--element", help="Data element (数据元).")
@click.option("--kind", type=click.Choice([kind.value for kind in Kind]), help="Correction, or kind of objection (类别).")
@click.option("--state", type=click.Choice([state.value for state in State]), help="State (状态); by default all that stand.")
@click.option("--light", type=click.Choice([light.value for light in Light]), help="Light (红黄绿灯).")
@click.option("--ended", is_flag=True, help="Those that have ended (已办结).")
@click.option("--after", help="Go on where a page ended (续页).")
@click.option("--limit", type=click.IntRange(1, MOST_PAGE_ROWS), default=PAGE_ROWS, show_default=True, help="Rows at most (行数上限).")
@as_json_option
@platform
def list_(
    here: Platform, department: str | None, raised_by: str | None, element: str | None, kind: str | None, state: str | None,
    light: str | None, ended: bool, after: str | None, limit: int, as_json: bool,
) -> None:  # fmt: skip
    """A page of tickets (工单清单), those due first at the top."""
    wanted = Wanted(
        department=resolve_department(department) if department else None,
        raised_by_department=resolve_department(raised_by) if raised_by else None,
        element=element,
        kind=Kind(kind) if kind else None,
        state=State(state) if state else None,
        light=Light(light) if light else None,
        ended=ended,
    )
    today = day_of(here.now())
    with here.store.session() as session:
        page = list_tickets(session, wanted, today, after=after, limit=limit)
    if as_json:
        print_json({"tickets": [_told(one, here) for one in page.tickets], "next": page.next})
        return
    headers = ("号 no.", "类别 kind", "部门 department", "数据元 element", "条目 items", "未办 open", "状态 state", "限期 due", "灯 light")
    print_table("工单 tickets", headers, [_cells(one, here) for one in page.tickets], numbers=(0, 4, 5))
    if page.next:
        console.print(f"续页 Next page: --after {page.next}")


@ticket.command()
@click.argument("number", type=int)
@as_json_option
@platform
def show(here: Platform, number: int, as_json: bool) -> None:
    """Ticket NUMBER with its history and what can be done (工单详情); values are read with `tongchou ticket items`."""
    with here.store.session() as session:
        one = load_ticket(session, number)
        events, by_dataset = list_events(session, number), items_by_dataset(session, number)
        disputed = disputes_of(session, number)
    if as_json:
        told_items = [{"dataset": d, "kind": k, "state": s, "items": n} for d, k, s, n in by_dataset]
        more = {"moves": possible_moves(one), "items_by_dataset": told_items, "events": events, "disputes": disputed}
        print_json({**_told(one, here), **more})
        return
    print_ticket(one, here)
    if one.description:
        console.print(f"  {one.description}", markup=False)
    rows = [(dataset, ITEM_TEXTS[kind], ITEM_STATE_TEXTS[state], number) for dataset, kind, state, number in by_dataset]
    if rows:
        print_table("条目 items", ("数据集 data set", "原因 why", "状态 state", "条 items"), rows, numbers=(3,))
    print_table(
        "经过 history",
        ("时间 at", "处理 move", "状态 state", "条 items", "经办 by", "说明 reason"),
        map(_event_cells, events),
        numbers=(3,),
    )
    for each in disputed:
        print_dispute(each, as_json=False)
    moves = "; ".join(f"{name} ({text})" for name, text in possible_moves(one).items())
    console.print(f"可作处理 possible now: {moves or '–'}", markup=False)


def _answer(name: str, act: Callable[..., Ticket], text: str) -> None:
    @ticket.command(name, help=text)
    @click.argument("number", type=int)
    @items_option
    @by_option
    @reason_option
    @seen_option
    @as_json_option
    @platform
    def command(here: Platform, number: int, items: tuple[int, ...], by: str, reason: str, seen: int | None, as_json: bool) -> None:
        done = act(here.store, the_log(here), ticket=number, act=_act(here, by, reason, seen), items=items)
        print_done(done, here, as_json)


_answer("correct", corrections.correct, "The records are corrected (更正): the items wait for the corrected data.")
_answer("uphold", corrections.uphold, "The values are correct as they are (无误): the items turn round to the other side.")


@ticket.command()
@click.argument("number", type=int)
@click.option("--to", required=True, help="The department to hand it to (转办部门).")
@by_option
@reason_option
@seen_option
@as_json_option
@platform
def reroute(here: Platform, number: int, to: str, by: str, reason: str, seen: int | None, as_json: bool) -> None:
    """Hand ticket NUMBER to another department (转办); its clock starts anew."""
    act = _act(here, by, reason, seen)
    print_done(corrections.reroute(here.store, the_log(here), ticket=number, act=act, to=resolve_department(to)), here, as_json)


@ticket.command()
@click.argument("who")
@click.argument("element")
@click.option("--for-resident", is_flag=True, help="Filed at a counter for the resident (代居民受理, P-03).")
@by_option
@reason_option
@as_json_option
@platform
def report(here: Platform, who: str, element: str, for_resident: bool, by: str, reason: str, as_json: bool) -> None:
    """ELEMENT of WHO (R…, DATASET/RECORD, or a pseudonym of an extract) is wrong (校核申请): by its user, or for a resident."""
    origin = RESIDENT if for_resident else USER
    act = _act(here, by, reason, None)
    done = corrections.report(here.store, here.lake, the_log(here), who=who, element=element, origin=origin, act=act, keys=here.home.keys)
    print_done(done, here, as_json)


@ticket.command("object")
@click.argument("kind", type=click.Choice(sorted(kind.value for kind in OBJECTIONS)))
@click.argument("about")
@click.option("--topic", default="", help="; ".join(f"{kind.value}: {', '.join(TOPICS[kind])}" for kind in Kind if TOPICS[kind]))
@by_option
@reason_option
@as_json_option
@platform
def object_(here: Platform, kind: str, about: str, topic: str, by: str, reason: str, as_json: bool) -> None:
    """Raise an objection (提出异议) ABOUT a data set's key, request/N, grant/N or score/METRIC/DEPARTMENT/PERIOD; --reason describes it."""
    act = _act(here, by, reason, None)
    done = objections.object_to(here.store, the_log(here), kind=Kind(kind), topic=topic, about=about, act=act)
    print_done(done, here, as_json)


def _plain(name: str, act: Callable[..., Ticket], text: str) -> None:
    @ticket.command(name, help=text)
    @click.argument("number", type=int)
    @by_option
    @reason_option
    @seen_option
    @as_json_option
    @platform
    def command(here: Platform, number: int, by: str, reason: str, seen: int | None, as_json: bool) -> None:
        print_done(act(here.store, the_log(here), ticket=number, act=_act(here, by, reason, seen)), here, as_json)


_plain("accept", corrections.accept, "Take a ticket on (受理).")
_plain("answer", objections.answer, "The objection is justified (答复：属实); --reason says what is done.")
_plain("dismiss", objections.dismiss, "The objection is dismissed (驳回), with --reason.")
_plain("withdraw", objections.withdraw, "Who raised it takes it back (撤销).")
_plain("reopen", objections.reopen, "The answer did not settle it (重新打开); its clock starts anew.")


@ticket.command()
@click.argument("number", type=int)
@click.option("--rating", type=click.IntRange(objections.WORST_RATING, objections.BEST_RATING), required=True, help="1–5 (评分).")
@click.option("--solved/--not-solved", default=True, show_default=True, help="Whether it is solved (是否已解决).")
@by_option
@reason_option
@as_json_option
@platform
def rate(here: Platform, number: int, rating: int, solved: bool, by: str, reason: str, as_json: bool) -> None:
    """Rate the answer to ticket NUMBER (评价); that closes it."""
    act = _act(here, by, reason, None)
    print_done(objections.rate(here.store, the_log(here), ticket=number, act=act, rating=rating, solved=solved), here, as_json)


def print_done(done: Ticket, here: Platform, as_json: bool) -> None:
    if as_json:
        print_json(_told(done, here))
        return
    print_ticket(done, here)


def print_ticket(one: Ticket, here: Platform) -> None:
    about = _element(one) or one.about
    head = f"工单 {one.id} 号 ticket {one.id} (v{one.version}): {KIND_TEXTS[one.kind]} · {department_title(one.department_key)} · {about}"
    console.print(f"{head} · {ORIGIN_TEXTS[one.origin]}", markup=False)
    mark = " 暂定 provisional" if one.provisional else ""
    counts = (
        f"条目 items {one.items}，未办 open {one.items_open}，待到数 awaiting {one.items_awaiting}，有争议 contested {one.items_contested}"
    )
    light = LIGHT_TEXTS[one.light(day_of(here.now()))]
    console.print(f"  {STATE_TEXTS[one.state]} · 限期 due {one.due_on}{mark} · {light} · {counts}", markup=False)


def _act(here: Platform, by: str, reason: str, seen: int | None) -> Act:
    return Act(by=by, now=here.now(), reason=reason, seen=seen)


def _told(one: Ticket, here: Platform) -> Mapping[str, Any]:
    return {**{name: getattr(one, name) for name in Ticket.__dataclass_fields__}, "light": one.light(day_of(here.now()))}


def _cells(one: Ticket, here: Platform) -> tuple[object, ...]:
    light = LIGHT_TEXTS[one.light(day_of(here.now()))]
    due = f"{one.due_on}{' 暂定' if one.provisional else ''}"
    about = _element(one) or one.about
    return (
        one.id,
        KIND_TEXTS[one.kind],
        department_title(one.department_key),
        about,
        one.items,
        one.items_open,
        STATE_TEXTS[one.state],
        due,
        light,
    )


def _element(one: Ticket) -> str:
    return titled(one.element) if one.element else ""


def _event_cells(event: TicketEvent) -> tuple[object, ...]:
    move = f"{MOVES[event.move].zh} {MOVES[event.move].en}" if event.move in MOVES else PLATFORM_MOVES[event.move]
    return (
        f"{event.at.astimezone(CHINA):%Y-%m-%d %H:%M}",
        move,
        STATE_TEXTS[event.state],
        event.items,
        event.by or "平台 platform",
        event.reason,
    )


for _command in (*LIGHT_COMMANDS.values(), items, door_check, dispute):
    ticket.add_command(_command)
