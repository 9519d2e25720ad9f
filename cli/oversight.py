"""Commands of auditors over the log: search, seen, chain, replay, inspect, explain. They join the group `tongchou audit`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from access.log_faults import log_faults_translated
from access.readers import Reader
from access.replaying import Replayed
from audit.log import open_log
from catalog.published import calendar_in_force
from catalog.snapshots import CHINA
from cli.answers import the_door
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform
from oversight.accesses import Access
from oversight.alerts import ALERTS
from oversight.chains import chain
from oversight.explaining import EXPLANATIONS
from oversight.facts import read_roster
from oversight.inspecting import MOST_RANKED, Means, Period, explain_access, inspect
from oversight.reading_room import ReadingRoom
from oversight.search import MOST_A_PAGE, PAGE, Seen, Terms, search, seen
from rules.oversight import load_yardsticks

by_option = click.option("--as", "by", required=True, help="The auditor's account (审计员账号).")
purpose_option = click.option("--purpose", required=True, help="What the look is for (查阅用途); it is recorded.")
since_option = click.option("--since", type=click.DateTime(), help="From this time on, in China (起).")
until_option = click.option("--until", type=click.DateTime(), help="Before this time, in China (止).")
before_option = click.option("--before", type=int, help="The next page: records before this index (翻页).")
limit_option = click.option(
    "--limit", type=click.IntRange(1, MOST_A_PAGE), default=PAGE, show_default=True, help="Records a page (每页条数)."
)
proof_option = click.option("--proof", "proven", is_flag=True, help="The proof of each record, with --json (附证明).")

roster_option = click.option(
    "--roster", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="The auditors' personnel list, CSV (人员名册)."
)


@contextmanager
def the_reading_room(here: Platform) -> Iterator[ReadingRoom]:
    store = here.store
    with log_faults_translated():
        log = open_log(here.home.audit_url, here.home.keys, clock=here.now)
    with ReadingRoom(store, here.home, log, here.now) as room:
        yield room
    log.close()


@click.command("search")
@click.option("--actor", help="Who asked (访问账号).")
@click.option("--department", help="Of which department (部门).")
@click.option("--subject", help="About whom (当事人): a resident id, an identity number, or a hash out of a record; an enterprise id.")
@click.option("--grant", type=int, help="Under which grant (授权).")
@click.option("--stated", "stated", help="For which stated purpose, the whole text (访问用途).")
@click.option("--event", help="Which event, such as access:extract:result (事件).")
@click.option("--action", help="intent, result, denied, aborted, withheld, … (记录种类)")
@click.option("--outcome", help="How it came out, as the record says (结果).")
@click.option("--case", "case_number", help="For which case number (办件号).")
@click.option("--ticket", type=int, help="About which ticket (工单).")
@click.option("--request", type=int, help="About which request (申请).")
@since_option
@until_option
@before_option
@limit_option
@proof_option
@by_option
@purpose_option
@as_json_option
@platform
def search_command(
    here: Platform,
    stated: str | None,
    since: datetime | None,
    until: datetime | None,
    before: int | None,
    limit: int,
    proven: bool,
    by: str,
    purpose: str,
    as_json: bool,
    **terms: str | int | None,
) -> None:
    """Search the log (检索日志): newest first, a page at a time. For auditors; the look is recorded."""
    wanted = Terms(purpose=stated, since=in_china(since), until=in_china(until), **terms)  # type: ignore[arg-type]
    with the_reading_room(here) as room:
        found = search(room, Reader(name=by, purpose=purpose), wanted, before=before, limit=limit, proven=proven)
    if as_json:
        print_json(found)
        return
    print_accesses(f"审计记录 records ({found.searched:,} 条已检索 searched)", found.accesses)
    print_next(found.before)


@click.command("seen")
@click.argument("resident")
@since_option
@until_option
@before_option
@limit_option
@proof_option
@by_option
@purpose_option
@as_json_option
@platform
def seen_command(
    here: Platform,
    resident: str,
    since: datetime | None,
    until: datetime | None,
    before: int | None,
    limit: int,
    proven: bool,
    by: str,
    purpose: str,
    as_json: bool,
) -> None:
    """Who has seen RESIDENT (谁查看过此人): answers about the person, and every bulk answer that held the person. For auditors."""
    with the_reading_room(here) as room:
        reader = Reader(name=by, purpose=purpose)
        found = seen(room, reader, resident, since=in_china(since), until=in_china(until), before=before, limit=limit, proven=proven)
    if as_json:
        print_json(found)
        return
    print_accesses("查看过此人的访问 accesses", found.accesses, withheld=found.withheld)
    print_counts(found)
    print_next(found.before)


@click.command("chain")
@click.argument("index", type=click.IntRange(min=0))
@proof_option
@by_option
@purpose_option
@as_json_option
@platform
def chain_command(here: Platform, index: int, proven: bool, by: str, purpose: str, as_json: bool) -> None:
    """How the access at INDEX came to be allowed (审批链): request, moves, grant, access. For auditors."""
    with the_reading_room(here) as room:
        found = chain(room, Reader(name=by, purpose=purpose), index, proven=proven)
    if as_json:
        print_json(found)
        return
    print_accesses("审批链 chain of approval", found.steps)
    for gap in found.gaps:
        console.print(f"缺口 gap: {gap}", markup=False)


@click.command("replay")
@click.argument("index", type=click.IntRange(min=0))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the rows there; else they are only compared (输出文件)."
)
@by_option
@purpose_option
@as_json_option
@platform
def replay_command(here: Platform, index: int, out: Path | None, by: str, purpose: str, as_json: bool) -> None:
    """What the answer at INDEX gave (重现), made again by that day's version, grant and masks; compared by digest. For auditors."""
    with the_door(here) as door:
        found = door.replay(by, purpose, index, out).value
    assert isinstance(found, Replayed)
    if as_json:
        print_json(found)
        return
    told = "逐字节一致 the same, byte for byte" if found.same else "不一致 not the same"
    rows = f"{found.rows:,} 行 rows ({found.recorded_rows:,}) · {found.residents:,} 名居民 residents ({found.recorded_residents:,})"
    console.print(f"{told} · {rows}", markup=False)
    for doubt in found.doubts:
        console.print(f"可能的原因 why it may differ: {doubt}", markup=False)


@click.command("inspect")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First day (起).")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Last day (止).")
@roster_option
@click.option("--limit", type=click.IntRange(1, MOST_RANKED), default=20, show_default=True, help="Accounts ranked at most (排出账号数).")
@by_option
@purpose_option
@as_json_option
@platform
def inspect_command(
    here: Platform, first: datetime, last: datetime, roster: Path | None, limit: int, by: str, purpose: str, as_json: bool
) -> None:
    """Explain the looks of a period, then rank the accounts by what stays unexplained or odd (研判). For auditors."""
    with the_reading_room(here) as room:
        period = Period(first=first.date(), last=last.date())
        found = inspect(room, Reader(name=by, purpose=purpose), period, means_of(here, roster), limit=limit)
    if as_json:
        print_json(found)
        return
    share = f"{found.looks - found.unexplained:,} / {found.looks:,}"
    console.print(f"访问 accesses: {found.accesses:,} · 已解释的查看 looks explained: {share}", markup=False)
    explained = [(EXPLANATIONS[name].zh, EXPLANATIONS[name].en, count) for name, count in found.explained.items()]
    print_table("解释 explanations", ("理由", "reason", "查看 looks"), explained, numbers=(2,))
    alerts = [(ALERTS[name].zh, ALERTS[name].en, count) for name, count in found.alerts.items()]
    print_table("预警 alerts", ("规则", "rule", "访问 accesses"), alerts, numbers=(2,))
    headers = ("账号 actor", "部门 department", "访问 accesses", "未解释 unexplained", "意外程度 bits", "规则 rules")
    rows = [(one.actor, one.department, one.accesses, one.unexplained, one.bits, told_rules(one.by_rule)) for one in found.ranked]
    print_table("账号排序 accounts", headers, rows, numbers=(2, 3, 4))


@click.command("explain")
@click.argument("index", type=click.IntRange(min=0))
@roster_option
@by_option
@purpose_option
@as_json_option
@platform
def explain_command(here: Platform, index: int, roster: Path | None, by: str, purpose: str, as_json: bool) -> None:
    """Why the access at INDEX was in order (解释): reasons by the business tables, and the rules that point at it. For auditors."""
    with the_reading_room(here) as room:
        found = explain_access(room, Reader(name=by, purpose=purpose), index, means_of(here, roster))
    if as_json:
        print_json(found)
        return
    console.print(f"涉及 about {found.people:,} 人 people · 未解释 unexplained: {found.unexplained:,}", markup=False)
    for name, count in found.reasons.items():
        console.print(f"{EXPLANATIONS[name].zh} {EXPLANATIONS[name].en}: {count:,}", markup=False)
    for name in found.alerts:
        console.print(f"预警 alert: {ALERTS[name].zh} {ALERTS[name].en}", markup=False)


def means_of(here: Platform, roster: Path | None) -> Means:
    with here.store.session() as session:
        calendar = calendar_in_force(session)
    return Means(yardsticks=load_yardsticks(), calendar=calendar, roster=read_roster(roster) if roster else ())


def told_rules(by_rule: tuple[tuple[str, int, float], ...]) -> str:
    return ", ".join(f"{rule} {n} ({bits:.0f})" for rule, n, bits in by_rule if bits)


def in_china(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=CHINA)


def print_accesses(title: str, accesses: tuple[Access, ...], withheld: frozenset[int] = frozenset()) -> None:
    headers = (
        "序号 index",
        "时间 at",
        "事件 event",
        "账号 actor",
        "部门 department",
        "授权 grant",
        "居民 residents",
        "结果 outcome",
        "用途 purpose",
    )
    rows = [
        (
            access.seq,
            f"{access.at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}",
            f"{access.event}{' 批量 bulk' if access.bulk else ''}",
            access.actor,
            access.department,
            access.grant,
            access.residents,
            "未交付 withheld" if access.seq in withheld else access.outcome,
            access.purpose,
        )
        for access in accesses
    ]
    print_table(title, headers, rows, numbers=(0, 5, 6))


def print_counts(found: Seen) -> None:
    console.print(f"直接查询 direct: {found.direct:,} · 批量答复 in bulk answers: {found.bulk:,}", markup=False)
    if found.unreadable:
        listed = ", ".join(map(str, found.unreadable[:10]))
        console.print(
            f"居民集不可读，不能排除 population not readable, cannot be ruled out: {len(found.unreadable):,} ({listed})", markup=False
        )


def print_next(before: int | None) -> None:
    if before is not None:
        console.print(f"下一页 next page: --before {before}", markup=False)
