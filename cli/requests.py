"""Commands of requests: `tongchou request draft|submit|approve|check|answer|…`; who asks for what, who answers, and by when."""

from collections.abc import Callable, Mapping
from dataclasses import astuple, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from access.accounts import load_account
from access.terms import DISPUTED_TEXTS, MODE_TEXTS, Disputed, Mode, Quota, RowScope
from audit.log import Log
from casework.attempts import Act
from casework.clocks import RunningClock
from casework.requests import answering, using, writing
from casework.requests.answering import Answer, RefusalReason
from casework.requests.moves import MOVE_TEXTS, STATE_TEXTS, AnswerKind, State
from casework.requests.pages import LONGEST_PAGE, PAGE, Listed, Side, due_soonest, may_see, newest
from casework.requests.request import Dossier, Request, load_dossier, load_request
from casework.requests.terms import RequestTerms
from casework.requests.using import Certificate, UseReport, use_reports
from casework.requests.weighing import look_at_impact
from catalog.snapshots import CHINA
from cli.answers import the_door
from cli.grants import CLIENTS_HELP, day, parsed_filters, parsed_masks, the_log, uploaded_clients
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform
from golden.decisions import day_of
from rules.clocks import clock_title
from rules.departments import department_title, resolve_department
from rules.errors import Denied
from rules.tiers import Audience, Tier, load_tier_policy

if TYPE_CHECKING:
    from access.impact import Impact

Command = Callable[..., Any]

by_option = click.option("--as", "by", required=True, help="The account that acts (账号).")
reason_option = click.option("--reason", default="", help="Why, without numbers of persons (理由).")
seen_option = click.option("--seen", type=int, help="Version of the request that you looked at; a newer one is refused (所见版本).")
number_argument = click.argument("number", type=int)

TERM_OPTIONS: tuple[Callable[[Command], Command], ...] = (
    click.option("--over", "target", help="`golden` or a data set's key (对象)."),
    click.option("--columns", help="Columns, with commas between (数据项)."),
    click.option("--tier", type=click.Choice([tier.value for tier in Tier]), help="Release tier (开放层级)."),
    click.option("--tier-reason", help="Why a tier above the lowest sufficient one is necessary (必要性)."),
    click.option("--mask", "masks", multiple=True, help="COLUMN=MASK: another mask than the usual one (脱敏方法)."),
    click.option("--audience", type=click.Choice([one.value for one in Audience]), help="For whom it is to be opened (开放范围)."),
    click.option("--named", multiple=True, help="With `--audience leaders`: an account that is to use it (指定账号)."),
    click.option("--mode", type=click.Choice([mode.value for mode in Mode]), help="How it is shared (共享方式)."),
    click.option("--purpose", help="What it is for (用途)."),
    click.option("--scene", help="Where it is used: a matter, a system (使用场景)."),
    click.option("--use-scope", help="Which units and posts use it (使用范围)."),
    click.option("--basis", "legal_basis", help="Law and article, or decision (使用依据)."),
    click.option("--case", "case_number", help="Case number (办件号)."),
    click.option("--area", "areas", multiple=True, help="Only rows of this area: a code of 6, 9, 12 or 15 digits (行范围)."),
    click.option("--where", "filters", multiple=True, help="Only rows where COLUMN=VALUE (行范围)."),
    click.option("--clients", type=click.Path(path_type=Path, dir_okay=False), help=CLIENTS_HELP),
    click.option("--from", "valid_from", type=day, help="First day; by default today (起)."),
    click.option("--to-day", "valid_to", type=day, help="Last day (止)."),
    click.option("--quota", "quotas", multiple=True, help="NAME=NUMBER: calls_per_day, extracts, rows_per_extract (限额)."),
    click.option(
        "--disputed", type=click.Choice([one.value for one in Disputed]), help="Values in dispute: left out, marked or kept (存疑值)."
    ),
    click.option("--responsible", help="Account that answers for the copy; by default the applicant (使用责任人)."),
    click.option("--widens", type=int, help="The grant that this would widen (所扩展的授权)."),
    click.option("--warrant", "warranted", is_flag=True, help="It is true, lawful and necessary (承诺真实、合法、必要)."),
)


def term_options(command: Command) -> Command:
    for option in reversed(TERM_OPTIONS):
        command = option(command)
    return command


@click.group()
def request() -> None:
    """Requests (申请): a department asks for data, its head, the bureau and the provider decide in time, the grant is used and ended."""


@request.command()
@term_options
@by_option
@as_json_option
@platform
def draft(here: Platform, by: str, as_json: bool, **given: Any) -> None:
    """Begin a request for the own department (起草); submit it when it is complete. By default with the lowest sufficient tier (I-07)."""
    missing = [name for name in ("target", "columns", "valid_to") if not given[name]]
    if missing:
        raise click.UsageError("需要 needs --over, --columns, --to-day")
    mode, columns = Mode(given["mode"] or Mode.FILE), [column.strip() for column in given["columns"].split(",")]
    blank = RequestTerms(
        target=given["target"],
        columns=(),
        tier=writing.proposed_tier(here.store, here.lake, given["target"], columns, mode),
        mode=mode,
        purpose="",
        scene="",
        use_scope="",
        legal_basis="",
        valid_from=day_of(here.now()),
        valid_to=given["valid_to"].date(),
    )
    act = Act(by=by, now=here.now())
    made = writing.draft(here.store, here.lake, the_log(here), act=act, terms=_changed(here, blank, given))
    print_request(made, as_json, f"下一步 Next: tongchou request submit {made.id} --as {by}")


@request.command()
@number_argument
@term_options
@by_option
@seen_option
@as_json_option
@platform
def edit(here: Platform, number: int, by: str, seen: int | None, as_json: bool, **given: Any) -> None:
    """Change the terms of draft NUMBER, or of one to be supplemented (修改); what is not named stays."""
    with here.store.session() as session:
        known = load_request(session, number)
    act = Act(by=by, now=here.now(), seen=known.version if seen is None else seen)
    terms = _changed(here, known.terms, given)
    print_request(writing.edit(here.store, here.lake, the_log(here), number=number, act=act, terms=terms), as_json)


def _move(name: str, move: Callable[[Platform, Log, int, Act], Request], text: str) -> None:
    """A command for a move that needs nothing but its reason."""

    @request.command(name, help=text)
    @number_argument
    @by_option
    @reason_option
    @seen_option
    @as_json_option
    @platform
    def command(here: Platform, number: int, by: str, reason: str, seen: int | None, as_json: bool) -> None:
        print_request(move(here, the_log(here), number, Act(by=by, now=here.now(), reason=reason, seen=seen)), as_json)


def _of_terms(move: Callable[..., Request]) -> Callable[[Platform, Log, int, Act], Request]:
    return lambda here, log, number, act: move(here.store, here.lake, log, number=number, act=act)


def _of_state(move: Callable[..., Request]) -> Callable[[Platform, Log, int, Act], Request]:
    return lambda here, log, number, act: move(here.store, log, number=number, act=act)


_move("submit", _of_terms(writing.submit), "Lay request NUMBER before the own head (提交).")
_move("approve", _of_terms(writing.approve), "The own head lets request NUMBER go out (本部门审批).")
_move("check", _of_terms(writing.check), "The bureau finds request NUMBER conforming; the provider's clock starts (合规性审查).")
_move("send-back", _of_state(writing.send_back), "Send request NUMBER, or its answer, back with a reason (退回).")
_move("withdraw", _of_state(writing.withdraw), "Take request NUMBER back before it is decided (撤回).")
_move("consent", _of_state(answering.consent), "The bureau consents to an extension (同意延期).")
_move("decline", _of_state(answering.decline), "The bureau does not consent to an extension (不同意延期).")
_move(
    "confirm", _of_terms(answering.confirm), "The provider's head gives the answer that was prepared (签发答复); agreeing makes the grant."
)
_move("supply", _of_state(using.supply), "The data of request NUMBER is with the requester (供数完成).")
_move("resume", _of_state(using.resume), "Resume what was suspended (恢复).")
_move("end", _of_state(using.end), "End the use under request NUMBER (结束); the requester's copy is then to be disposed of.")
_move("archive", _of_state(using.archive), "Close the file of request NUMBER (归档).")


@request.command()
@number_argument
@click.option("--agree", is_flag=True, help="Agree, with the published conditions (同意).")
@click.option("--condition", "conditions", multiple=True, help="A published condition, repeated; none can be added (条件).")
@click.option("--refuse", "reasons", multiple=True, type=click.Choice([reason.value for reason in RefusalReason]), help="Refuse (不同意).")
@click.option("--citation", default="", help="《Law》 and article, where the law forbids it (法律依据).")
@click.option("--holder", default="", help="The department that has the data, where it is not this one (实际持有部门).")
@click.option("--supplement", "missing", multiple=True, help="A missing item; name all of them, it can be asked for once (补正事项).")
@by_option
@reason_option
@seen_option
@as_json_option
@platform
def answer(
    here: Platform, number: int, agree: bool, conditions: tuple[str, ...], reasons: tuple[str, ...], citation: str, holder: str,
    missing: tuple[str, ...], by: str, reason: str, seen: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Prepare the provider's answer to request NUMBER (拟答复) for the provider's head: agree, refuse, or ask for a supplement."""
    if agree + bool(reasons) + bool(missing) != 1:
        raise click.UsageError("三者择一 one of --agree, --refuse, --supplement")
    prepared = Answer(
        kind=AnswerKind.AGREE if agree else AnswerKind.REFUSE if reasons else AnswerKind.SUPPLEMENT,
        conditions=conditions,
        reasons=tuple(RefusalReason(code) for code in reasons),
        citation=citation,
        holder=resolve_department(holder) if holder else "",
        missing=missing,
    )
    act = Act(by=by, now=here.now(), reason=reason, seen=seen)
    done = answering.prepare_answer(here.store, here.lake, the_log(here), number=number, act=act, answer=prepared)
    print_request(done, as_json, f"下一步 Next: tongchou request impact {number}, tongchou request confirm {number} (负责人 the head)")


@request.command()
@number_argument
@click.option("--days", type=int, required=True, help="Working days, at most ten (工作日).")
@by_option
@reason_option
@seen_option
@as_json_option
@platform
def extend(here: Platform, number: int, days: int, by: str, reason: str, seen: int | None, as_json: bool) -> None:
    """Ask the bureau for more time to answer request NUMBER (申请延期): once, before it is due."""
    act = Act(by=by, now=here.now(), reason=reason, seen=seen)
    print_request(answering.ask_extension(here.store, the_log(here), number=number, act=act, days=days), as_json)


@request.command()
@number_argument
@click.option("--rectify-by", type=day, required=True, help="Day by which it has to be set right (整改期限).")
@by_option
@reason_option
@seen_option
@as_json_option
@platform
def suspend(here: Platform, number: int, rectify_by: datetime, by: str, reason: str, seen: int | None, as_json: bool) -> None:
    """Suspend the use under request NUMBER (暂停); an extract under way stops."""
    act = Act(by=by, now=here.now(), reason=reason, seen=seen)
    print_request(using.suspend(here.store, the_log(here), number=number, act=act, rectify_by=rectify_by.date()), as_json)


@request.command()
@number_argument
@click.option("--what", required=True, help="What was disposed of (处置内容).")
@click.option("--where", required=True, help="Where it lay (存储位置).")
@click.option("--how", required=True, help="How it was done (处置方式).")
@click.option("--who", required=True, help="Unit and post that did it (处置人).")
@click.option("--on", "when", type=day, required=True, help="The day (处置日期).")
@by_option
@reason_option
@seen_option
@as_json_option
@platform
def dispose(
    here: Platform, number: int, what: str, where: str, how: str, who: str, when: datetime, by: str, reason: str, seen: int | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Certify that the copy under request NUMBER is gone (处置凭证)."""
    certificate = Certificate(what=what, where=where, how=how, who=who, on=when.date())
    act = Act(by=by, now=here.now(), reason=reason, seen=seen)
    print_request(using.dispose(here.store, the_log(here), number=number, act=act, certificate=certificate), as_json)


@request.command("report-use")
@number_argument
@click.option("--scene", required=True, help="Where it was used: a matter, a system (使用场景).")
@click.option("--process", required=True, help="How it was used (使用过程).")
@click.option("--effect", required=True, help="What came of it (应用成效).")
@click.option("--storage", required=True, help="Where and how the copy is kept (存储情况).")
@by_option
@seen_option
@as_json_option
@platform
def report_use(here: Platform, number: int, by: str, seen: int | None, as_json: bool, **texts: str) -> None:
    """Record how the data of request NUMBER is used, and to what effect (使用台账、成效填报, L-30)."""
    act = Act(by=by, now=here.now(), seen=seen)
    done = using.report_use(here.store, the_log(here), number=number, act=act, report=UseReport(**texts))
    print_request(done, as_json)


@request.command()
@number_argument
@by_option
@as_json_option
@platform
def uses(here: Platform, number: int, by: str, as_json: bool) -> None:
    """The use reports of request NUMBER (使用台账): the requester's own, and for bureau, provider and auditors to inspect (L-30)."""
    with here.store.session() as session:
        if not may_see(load_account(session, by), load_request(session, number)):
            raise Denied("REQ-PARTY", where=str(number))
        found = use_reports(session, number)
    if as_json:
        print_json(found)
        return
    headers = ("时间 at", "填报 by", "使用场景 scene", "使用过程 process", "应用成效 effect", "存储情况 storage")
    rows = [(f"{one.at.astimezone(CHINA):%Y-%m-%d %H:%M}", one.by, *astuple(one.report)) for one in found]
    print_table("使用台账 use reports", headers, rows)


@request.command()
@by_option
@as_json_option
@platform
def expire(here: Platform, by: str, as_json: bool) -> None:
    """End what was agreed to until a day that is past (到期)."""
    numbers = using.expire(here.store, the_log(here), act=Act(by=by, now=here.now()))
    if as_json:
        print_json(numbers)
        return
    console.print(f"到期结束 {len(numbers)} 件 ended: {' '.join(map(str, numbers)) or '–'}")


@request.command()
@number_argument
@by_option
@as_json_option
@platform
def impact(here: Platform, number: int, by: str, as_json: bool) -> None:
    """What agreeing to request NUMBER would let out (影响), in counts; recorded, and needed before the provider's head agrees."""
    with the_door(here) as door:
        found = look_at_impact(here.store, the_log(here), door, number=number, act=Act(by=by, now=here.now()))
    if as_json:
        print_json(found)
        return
    print_impact(found)


@request.command("list")
@click.option("--department", help="Only what this department makes or answers (部门).")
@click.option("--side", type=click.Choice([side.value for side in Side]), help="As what: requester or provider (需求方或提供方).")
@click.option("--state", type=click.Choice([state.value for state in State]), help="State (状态).")
@click.option("--due", is_flag=True, help="Those for which a clock runs, first due first (按限期).")
@click.option("--bureau", is_flag=True, help="With --due: what the bureau owes (统筹局待办).")
@click.option("--after", help="Go on where a page ended (续页).")
@click.option("--limit", type=click.IntRange(1, LONGEST_PAGE), default=PAGE, show_default=True, help="Rows at most (行数上限).")
@by_option
@as_json_option
@platform
def list_(
    here: Platform, department: str | None, side: str | None, state: str | None, due: bool, bureau: bool, after: str | None, limit: int,
    by: str, as_json: bool,
) -> None:  # fmt: skip
    """A page of requests (申请清单), newest first: a department sees its own, the bureau and auditors all."""
    key = resolve_department(department) if department else None
    with here.store.session() as session:
        viewer = load_account(session, by)
        if due:
            page = due_soonest(session, viewer, owed_by=key, bureau=bureau, after=after, limit=limit)
        else:
            as_what, where = Side(side) if side else None, State(state) if state else None
            page = newest(session, viewer, department=key, side=as_what, state=where, after=after, limit=limit)
    if as_json:
        print_json({"requests": [_listed(one) for one in page.rows], "next": page.after})
        return
    headers = ("号 no.", "需求部门 requester", "提供部门 provider", "对象 target", "状态 state", "限期 due", "用途 purpose")
    print_table("申请 requests", headers, [_cells(one) for one in page.rows], numbers=(0,))
    if page.after:
        console.print(f"续页 Next page: --after {page.after}")


@request.command()
@number_argument
@by_option
@as_json_option
@platform
def show(here: Platform, number: int, by: str, as_json: bool) -> None:
    """Request NUMBER with its terms, its clocks and all that was done (申请详情)."""
    with here.store.session() as session:
        viewer, dossier = load_account(session, by), load_dossier(session, number)
    if not may_see(viewer, dossier.request):
        raise Denied("REQ-PARTY", where=str(number))
    if as_json:
        print_json(dossier)
        return
    print_dossier(dossier)


def print_request(done: Request, as_json: bool, then: str = "") -> None:
    if as_json:
        print_json(done)
        return
    state = STATE_TEXTS[done.state]
    console.print(
        f"申请 {done.id} 号 request {done.id} (v{done.version}): {department_title(done.requester)} ← {done.terms.target} · {state}",
        markup=False,
    )
    if then:
        console.print(then, markup=False)


def print_dossier(dossier: Dossier) -> None:
    one, terms = dossier.request, dossier.request.terms
    print_request(one, as_json=False)
    facts = (
        ("提供部门 provider", department_title(one.provider) or "统筹局 bureau"),
        ("数据项 columns", " ".join(terms.columns)),
        ("层级、方式 tier, mode", f"{terms.tier} · {MODE_TEXTS[terms.mode]} · {one.share}"),
        ("开放范围 audience", " ".join((_audience_text(terms.audience), *terms.named))),
        ("必要性 why this tier", terms.tier_reason or "–"),
        ("脱敏 masks", " ".join(f"{column}={mask}" for column, mask in sorted(terms.masks.items())) or "–"),
        ("存疑值 disputed values", DISPUTED_TEXTS[terms.disputed]),
        ("用途 purpose", terms.purpose),
        ("使用场景 scene", terms.scene),
        ("使用范围 scope of use", terms.use_scope),
        ("使用依据 legal basis", terms.legal_basis),
        ("使用时限 period", f"{terms.valid_from} – {terms.valid_to}"),
        ("授权 grant", dossier.grant or "–"),
    )
    print_table("申请内容 terms", ("项 item", "内容"), facts)
    print_table("时限 clocks", ("时限 clock", "应办 owed by", "起 from", "限期 due", "办结 done"), map(_clock_cells, dossier.clocks))
    steps = [
        (f"{s.at.astimezone(CHINA):%Y-%m-%d %H:%M}", MOVE_TEXTS[s.move], STATE_TEXTS[s.state], s.actor, s.facts.get("reason", ""))
        for s in dossier.steps
    ]
    print_table("经过 history", ("时间 at", "办理 move", "状态 state", "经办 by", "说明 reason"), steps)


def _audience_text(audience: Audience) -> str:
    rule = load_tier_policy().audiences[audience]
    return f"{rule.zh} {rule.en}"


def print_impact(found: "Impact") -> None:
    console.print(
        f"影响 impact: {found.residents:,} 名居民 residents, {found.rows:,} 行 rows · {found.target} v{found.target_version}", markup=False
    )
    columns = [(level.value, len(names), " ".join(names)) for level, names in found.by_level.items()]
    print_table("按分级 columns by level", ("级 level", "项", "数据项 columns"), columns, numbers=(1,))
    groups = found.groups
    smallest = "–" if groups.smallest is None else str(groups.smallest)
    console.print(
        f"最小的组 smallest group: {smallest} ({' '.join(groups.columns)}); 少于 5 行的组中 in groups under 5: {groups.rows_in_small:,}"
    )
    console.print(f"层级 tier: {found.tier}; 够用的最低层级 lowest sufficient: {found.lowest_tier}")
    if found.identifying:
        console.print(f"直接识别个人 names the person by itself: {' '.join(found.identifying)}", markup=False)
    headers = ("授权 grant", "对象 target", "次 receipts", "最近 last", "共有 both", "新增 added", "合并后级 level", "居民至多 residents ≤")
    rows = [
        (o.grant, o.target, o.receipts, o.last_handed_over, " ".join(o.both), " ".join(o.added), o.level.value, o.residents)
        for o in found.overlaps
    ]
    print_table("此前已提供 earlier releases", headers, rows, numbers=(0, 2, 7))
    for warning in found.warnings:
        console.print(f"提示 Note: {warning}", markup=False)


def _changed(here: Platform, terms: RequestTerms, given: Mapping[str, Any]) -> RequestTerms:
    """The terms with what was given on the command line in the place of what stood there."""
    plain = ("target", "purpose", "scene", "use_scope", "legal_basis", "case_number", "responsible", "widens", "tier_reason")
    changes: dict[str, Any] = {name: given[name] for name in plain if given[name] is not None}
    readers: Mapping[str, Callable[[Any], Any]] = {
        "columns": lambda text: tuple(column.strip() for column in text.split(",") if column.strip()),
        "tier": Tier,
        "mode": Mode,
        "disputed": Disputed,
        "audience": Audience,
        "named": tuple,
        "valid_from": lambda when: when.date(),
        "valid_to": lambda when: when.date(),
        "quotas": _quotas,
        "masks": parsed_masks,
        "warranted": bool,
    }
    changes |= {name: read(given[name]) for name, read in readers.items() if given[name]}
    if given["areas"] or given["filters"] or given["clients"]:
        clients = uploaded_clients(here, given["clients"])
        changes["row_scope"] = RowScope(areas=given["areas"], equals=parsed_filters(given["filters"]), clients=clients)
    return replace(terms, **changes)


def _quotas(texts: tuple[str, ...]) -> dict[Quota, int]:
    pairs = [text.partition("=") for text in texts]
    if not all(name in set(Quota) and number.isdecimal() and number.isascii() for name, _, number in pairs):
        raise click.BadParameter(f"NAME=NUMBER: {', '.join(Quota)}", param_hint="--quota")
    return {Quota(name): int(number) for name, _, number in pairs}


def _listed(one: Listed) -> dict[str, Any]:
    found = one.request
    return {
        "request": found.id,
        "version": found.version,
        "requester": found.requester,
        "provider": found.provider,
        "target": found.terms.target,
        "purpose": found.terms.purpose,
        "share": found.share,
        "state": found.state,
        "clocks": [{"clock": c.clock, "owed_by": c.owed_by, "due": c.due.day, "provisional": c.due.provisional} for c in one.clocks],
    }


def _cells(one: Listed) -> tuple[object, ...]:
    found = one.request
    due = "; ".join(_due(clock) for clock in one.clocks)
    provider = department_title(found.provider) or "统筹局 bureau"
    return found.id, department_title(found.requester), provider, found.terms.target, STATE_TEXTS[found.state], due, found.terms.purpose


def _due(clock: RunningClock) -> str:
    return f"{clock.due.day}{' 暂定 provisional' if clock.due.provisional else ''}"


OUTCOME_TEXTS: Mapping[str, str] = {"done": "办结 done", "void": "作废 void"}


def _clock_cells(clock: RunningClock) -> tuple[object, ...]:
    ended = f"{clock.stopped_on} {OUTCOME_TEXTS.get(clock.outcome or '', '')}" if clock.stopped_on else ""
    return clock_title(clock.clock), department_title(clock.owed_by) or "统筹局 bureau", clock.started_on, _due(clock), ended
