"""Commands of reviews: `tongchou audit review open|draw|list|show|assign|ask|answer|close|confirm|return`."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from access.log_faults import log_faults_translated
from audit.log import Log, open_log
from casework.attempts import Act
from catalog.snapshots import CHINA
from cli.output import as_json_option, console, print_json, print_table
from cli.oversight import means_of, roster_option, the_reading_room
from cli.platform import Platform, platform
from oversight.alerts import ALERTS
from oversight.explaining import EXPLANATIONS
from oversight.inspecting import Period
from oversight.reviews import acting, drawing, opening
from oversight.reviews.evidence import Score
from oversight.reviews.moves import MOVES, ORIGIN_TEXTS, STATE_TEXTS, Origin, State
from oversight.reviews.review import PAGE_ROWS, Review, Shown, Wanted, list_reviews, show_review
from rules.errors import IntegrityBroken
from rules.reviews import load_review_rules

DAY = click.DateTime(["%Y-%m-%d"])
MOST_A_PAGE = 500
by_option = click.option("--as", "by", required=True, help="The account that acts (账号).")
purpose_option = click.option("--purpose", required=True, help="What it is for (用途); it is recorded.")
seen_option = click.option("--seen", type=int, help="Version of the review that you looked at; a newer one is refused (所见版本).")
number_argument = click.argument("number", type=int)


@click.group("review")
def review() -> None:
    """Reviews of accesses by auditors (审计核查): evidence frozen, the accessor's superior asked, closed with an outcome."""


@review.command("open")
@click.option("--index", type=click.IntRange(min=0), help="The access: the index of its RESULT record (访问序号).")
@click.option("--actor", help="Or an account, with --from and --to (账号).")
@click.option("--from", "first", type=DAY, help="First day of the account's accesses (起).")
@click.option("--to", "last", type=DAY, help="Last day (止).")
@roster_option
@by_option
@purpose_option
@as_json_option
@platform
def open_(
    here: Platform,
    index: int | None,
    actor: str | None,
    first: datetime | None,
    last: datetime | None,
    roster: Path | None,
    by: str,
    purpose: str,
    as_json: bool,
) -> None:
    """Open a review (立案) of one access, or of what an account did in some days; the evidence is frozen. For auditors."""
    act = Act(by=by, now=here.now(), reason=purpose)
    with the_reading_room(here) as room:
        if index is not None and actor is None:
            done = opening.open_on_access(room, means_of(here, roster), access=index, act=act)
        elif actor is not None and index is None and first and last:
            period = Period(first=first.date(), last=last.date())
            done = opening.open_on_account(room, means_of(here, roster), accessor=actor, period=period, act=act)
        else:
            raise click.UsageError("--index, or --actor with --from and --to (二者取一)")
    _print_done(done, as_json)


@review.command()
@click.option("--month", required=True, help="Which month that is over, as 2026-10 (月份).")
@click.option("--check", is_flag=True, help="Make the lots of a draw anew instead, and compare (复验); exit 5 if they differ.")
@roster_option
@by_option
@purpose_option
@as_json_option
@platform
def draw(here: Platform, month: str, check: bool, roster: Path | None, by: str, purpose: str, as_json: bool) -> int:
    """Draw some accesses of a MONTH that no rule points at (随机抽查), by lots out of the log's own head. For auditors."""
    with the_reading_room(here) as room:
        if check:
            made, faults = drawing.check_draw(room, means_of(here, roster), month=month, act=Act(by=by, now=here.now(), reason=purpose))
        else:
            made = drawing.draw(room, means_of(here, roster), month=month, act=Act(by=by, now=here.now(), reason=purpose))
            faults = []
    if as_json:
        print_json({"draw": made, "faults": faults})
        return IntegrityBroken.exit_code if faults else 0
    if faults:
        raise IntegrityBroken("RVW-EVIDENCE", where=month, what="; ".join(faults))
    told = "复验一致 as it was drawn" if check else "已抽取 drawn"
    console.print(f"{told}: {len(made.drawn):,} / {made.accesses - made.flagged:,} · 检查点 checkpoint {made.checkpoint:,}", markup=False)
    return 0


@review.command("list")
@click.option("--state", type=click.Choice(list(State)), help="State (状态).")
@click.option("--origin", type=click.Choice(list(Origin)), help="Why it was opened (来源).")
@click.option("--assigned-to", help="Whose it is (承办审计员).")
@click.option("--actor", "accessor", help="Whose accesses (被查账号).")
@click.option("--outcome", help="With which outcome (结论).")
@click.option("--month", "draw", help="Of which draw (抽查月份).")
@click.option("--before", type=int, help="The next page: reviews before this number (翻页).")
@click.option("--limit", type=click.IntRange(1, MOST_A_PAGE), default=PAGE_ROWS, show_default=True, help="Rows a page (每页条数).")
@by_option
@as_json_option
@platform
def list_(
    here: Platform, state: str | None, origin: str | None, before: int | None, limit: int, by: str, as_json: bool, **given: str | None
) -> None:
    """Reviews, newest first (核查列表): an auditor sees all but those about himself, a superior those that wait for his answer."""
    wanted = Wanted(state=State(state) if state else None, origin=Origin(origin) if origin else None, **given)
    found = list_reviews(here.store, _the_log(here), by=by, now=here.now(), wanted=wanted, before=before, limit=limit)
    if as_json:
        print_json(found)
        return
    headers = (
        "号 no.",
        "来源 origin",
        "访问 access",
        "账号 actor",
        "部门 department",
        "状态 state",
        "限期 due",
        "承办 auditor",
        "结论 outcome",
    )
    print_table("审计核查 reviews", headers, [_cells(one) for one in found.reviews])
    if found.before is not None:
        console.print(f"下一页 next page: --before {found.before}", markup=False)


@review.command()
@number_argument
@by_option
@as_json_option
@platform
def show(here: Platform, number: int, by: str, as_json: bool) -> int:
    """Review NUMBER with its acts and its frozen evidence (查看核查), which is verified anew; exit 5 where it does not hold."""
    shown = show_review(here.store, _the_log(here), review=number, by=by, now=here.now())
    if as_json:
        print_json(shown)
        return IntegrityBroken.exit_code if shown.faults else 0
    _print_shown(shown)
    if shown.faults:
        raise IntegrityBroken("RVW-EVIDENCE", where=str(number), what="; ".join(shown.faults))
    return 0


@review.command()
@number_argument
@click.option("--to", required=True, help="The auditor who works on it (承办审计员).")
@click.option("--reason", required=True, help="Why (理由).")
@seen_option
@by_option
@as_json_option
@platform
def assign(here: Platform, number: int, to: str, reason: str, seen: int | None, by: str, as_json: bool) -> None:
    """Give review NUMBER to an auditor (交办), never to the accessor."""
    _print_done(acting.assign(here.store, _the_log(here), review=number, to=to, act=_act(here, by, reason, seen)), as_json)


@review.command()
@number_argument
@click.option("--outcome", required=True, type=click.Choice(list(load_review_rules().outcomes)), help="The outcome (结论).")
@click.option("--reason", required=True, help="What it rests on (依据).")
@seen_option
@by_option
@as_json_option
@platform
def close(here: Platform, number: int, outcome: str, reason: str, seen: int | None, by: str, as_json: bool) -> None:
    """Close review NUMBER with an outcome (结案); a grave one waits for a second auditor."""
    _print_done(acting.close(here.store, _the_log(here), review=number, outcome=outcome, act=_act(here, by, reason, seen)), as_json)


def _simple(name: str, option: str, what: str, text: str, do: Callable[..., Review]) -> click.Command:
    """A command that is a move with words."""

    @click.command(name, help=text)
    @number_argument
    @click.option(option, "words", required=True, help=what)
    @seen_option
    @by_option
    @as_json_option
    @platform
    def command(here: Platform, number: int, words: str, seen: int | None, by: str, as_json: bool) -> None:
        _print_done(do(here.store, _the_log(here), review=number, act=_act(here, by, words, seen)), as_json)

    return command


for made in (
    _simple("ask", "--question", "The question, without numbers of persons (问题).", "Ask the accessor's superior (提问).", acting.ask),
    _simple("answer", "--answer", "The answer, without numbers of persons (答复).", "Answer as the superior (答复).", acting.answer),
    _simple("confirm", "--reason", "Why (理由).", "Confirm a grave outcome as the second auditor (复核).", acting.confirm),
    _simple("return", "--reason", "Why (理由).", "Give a grave outcome back as the second auditor (退回).", acting.give_back),
):
    review.add_command(made)


def _the_log(here: Platform) -> Log:
    _ = here.store
    with log_faults_translated():
        return open_log(here.home.audit_url, here.home.keys, clock=here.now)


def _act(here: Platform, by: str, reason: str, seen: int | None) -> Act:
    return Act(by=by, now=here.now(), reason=reason, seen=seen)


def _print_done(done: Review, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    due = f" · 限期 due {done.due_on}" if done.due_on else ""
    found = f" · 结论 outcome {_outcome(done.outcome)}" if done.outcome else ""
    console.print(f"核查 review {done.id}: {STATE_TEXTS[done.state]}{due}{found} · 版本 version {done.version}", markup=False)


def _outcome(key: str | None) -> str:
    known = load_review_rules().outcomes.get(key or "")
    return f"{known.zh} {known.en}" if known else ""


def _cells(one: Review) -> tuple[Any, ...]:
    about = one.access if one.access is not None else f"{one.first}…{one.last}"
    due = f"{one.due_on}{' 逾期 overdue' if one.overdue else ''}" if one.due_on else None
    state = STATE_TEXTS[one.state]
    return one.id, ORIGIN_TEXTS[one.origin], about, one.accessor, one.department, state, due, one.assigned_to, _outcome(one.outcome)


def _print_shown(shown: Shown) -> None:
    _print_done(shown.review, as_json=False)
    if shown.score is not None:
        _print_score(shown.score)
    rows = [
        (one.seq, one.at[:19], *(one.facts[name] for name in ("event", "actor", "department", "case_number", "purpose", "outcome")))
        for one in shown.accesses
    ]
    headers = ("序号 index", "时间 at (UTC)", "事件 event", "账号 actor", "部门 department", "办件号 case", "用途 purpose", "结果 outcome")
    print_table("证据 evidence", headers, rows, numbers=(0,))
    acts = [(f"{act.at.astimezone(CHINA):%Y-%m-%d %H:%M}", _move(act.move), act.by, STATE_TEXTS[act.state], act.text) for act in shown.acts]
    print_table("经过 acts", ("时间 at", "办理 act", "账号 by", "状态 state", "内容 words"), acts)
    if not shown.faults:
        console.print("证据核验无误 The evidence holds: every proof leads to a signed head that today's log extends")


def _print_score(score: Score) -> None:
    reasons = ", ".join(f"{EXPLANATIONS[name].zh} {count:,}" for name, count in score.reasons.items()) or "—"
    rules = ", ".join(f"{ALERTS[name].zh} {ALERTS[name].en}" for name in score.alerts) or "—"
    console.print(
        f"规则版本 rules version {score.rules_version} · 涉及 people {score.people:,} · 未解释 unexplained {score.unexplained:,}",
        markup=False,
    )
    console.print(f"解释 reasons: {reasons}", markup=False)
    console.print(f"预警 alerts: {rules}{f' · 意外程度 bits {score.bits}' if score.bits else ''}", markup=False)


def _move(name: str) -> str:
    return f"{MOVES[name].zh} {MOVES[name].en}" if name in MOVES else "立案 open"
