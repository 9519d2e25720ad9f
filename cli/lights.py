"""Commands of lights and scorecards: `tongchou ticket lights|resources|explain|remind|scorecard|publish-scores|…|notices|seen`."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import click

from access.accounts import load_account
from casework.acting import department_of
from casework.attempts import Act
from casework.lights import PAGE_ROWS, STAGE_TEXTS, list_tasks, remind, resource_lights
from casework.lights import explain as explain_task
from casework.notices import ChangeNotice, list_notices, see
from casework.published_scores import (
    Publication,
    contests,
    is_whole,
    list_publications,
    load_publication,
    publish_scores,
    published_behind,
    published_scores,
)
from casework.scorecards import LISTED_MOST, METRICS, Case, Period, Score, behind, catalogue_sizes, scorecard
from catalog.snapshots import CHINA
from cli.grants import day, the_log
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform
from golden.decisions import day_of
from rules.clocks import clock_title
from rules.departments import department_title, resolve_department
from rules.lights import LIGHT_TEXTS, Light

department_option = click.option("--department", help="Only of this department (部门).")
light_option = click.option("--light", type=click.Choice([light.value for light in Light]), help="Only this colour (灯).")
MOST_LISTED = 500
cases_after_option = click.option("--after", help="Go on where a page of the list ended (续页), as that page says at its end.")
cases_limit_option = click.option(
    "--limit", type=click.IntRange(1, LISTED_MOST), default=200, show_default=True, help="Rows of the list at most (行数上限)."
)


@click.command()
@department_option
@light_option
@click.option("--after", help="Go on where a page ended (续页).")
@click.option("--limit", type=click.IntRange(1, MOST_LISTED), default=PAGE_ROWS, show_default=True, help="Rows at most (行数上限).")
@as_json_option
@platform
def lights(here: Platform, department: str | None, light: str | None, after: str | None, limit: int, as_json: bool) -> None:
    """All running tasks with their lights (红黄绿灯), those due first at the top: requests, tickets, entries, door checks."""
    where = resolve_department(department) if department else None
    with here.store.session() as session:
        colour = Light(light) if light else None
        page = list_tasks(session, day_of(here.now()), department=where, light=colour, after=after, limit=limit)
    if as_json:
        print_json({"tasks": page.tasks, "next": page.next})
        return
    rows = [
        (
            task.clock_id,
            f"{task.subject.value}/{task.subject_id}",
            clock_title(task.clock),
            department_title(task.owed_by) or "统筹局 bureau",
            f"{task.due_on}{' 暂定' if task.provisional else ''}",
            LIGHT_TEXTS[task.light],
            "已说明 explained" if task.explained else "待说明 explanation due" if task.light is Light.RED else "",
        )
        for task in page.tasks
    ]
    headers = ("号 clock", "事项 task", "时限 limit", "承办 owed by", "限期 due", "灯 light", "说明 explanation")
    print_table("计时事项 running tasks", headers, rows, numbers=(0,))
    if page.next:
        console.print(f"续页 Next page: --after {page.next}")


@click.command()
@department_option
@light_option
@as_json_option
@platform
def resources(here: Platform, department: str | None, light: str | None, as_json: bool) -> None:
    """The light of each data set (数据集红黄绿灯): its last update against the cycle that it declares (F-02)."""
    where = resolve_department(department) if department else None
    with here.store.session() as session:
        found = [one for one in resource_lights(session, day_of(here.now()), where) if light in (None, one.light)]
    if as_json:
        print_json(found)
        return
    headers = ("数据集 data set", "名称 title", "部门 department", "周期 cycle", "更新于 updated", "行 rows", "灯 light")
    rows = [
        (one.dataset, one.title, department_title(one.department), one.frequency, one.updated_on, one.rows, LIGHT_TEXTS[one.light])
        for one in found
    ]
    print_table("数据集 data sets", headers, rows, numbers=(5,))


@click.command()
@click.argument("clock", type=int)
@click.option("--as", "by", required=True, help="The account that explains (账号).")
@click.option("--reason", required=True, help="Why it is late (说明).")
@as_json_option
@platform
def explain(here: Platform, clock: int, by: str, reason: str, as_json: bool) -> None:
    """Explain the red task of CLOCK (超期说明), a number of `tongchou ticket lights`."""
    explain_task(here.store, the_log(here), clock=clock, act=Act(by=by, now=here.now(), reason=reason))
    if as_json:
        print_json({"clock": clock, "explained": True})
        return
    console.print(f"已说明 explained: {clock}")


@click.command("remind")
@as_json_option
@platform
def remind_(here: Platform, as_json: bool) -> None:
    """Make the reminders that are due (提醒): handler, head, bureau; each once. Reconciliation does it, too."""
    with here.store.session() as session, session.begin():
        made = remind(session, here.now())
    if as_json:
        print_json(made)
        return
    console.print("提醒 reminders: " + " · ".join(f"{STAGE_TEXTS[stage]} {number:,}" for stage, number in made.items()))


@click.command("scorecard")
@department_option
@click.option("--metric", type=click.Choice(list(METRICS)), help="Only this one; with --behind its list (指标).")
@click.option("--from", "first", type=day, help="First day; by default that of this month (起).")
@click.option("--to", "last", type=day, help="Last day; by default today (止).")
@click.option("--behind", "listed", is_flag=True, help="The list behind the number (清单), those not met first.")
@cases_after_option
@cases_limit_option
@as_json_option
@platform
def scorecard_(
    here: Platform,
    department: str | None,
    metric: str | None,
    first: datetime | None,
    last: datetime | None,
    listed: bool,
    after: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Department scorecards (考核), each rate with numerator and denominator; contest one with `tongchou ticket object other score/…`."""
    where = resolve_department(department) if department else None
    period = _period(here, first, last)
    if listed and metric is None:
        raise click.UsageError("--behind 需要 needs --metric")
    with here.store.session() as session:
        if listed and metric is not None:
            _print_behind(behind(session, metric, period, department=where, after=after, limit=limit), limit, as_json)
            return
        scores = scorecard(session, period, department=where, metrics=[metric] if metric else [])
        sizes = [size for size in catalogue_sizes(session) if where in (None, size.department)]
    if as_json:
        print_json({"period": {"first": period.first, "last": period.last}, "scores": scores, "catalogue": sizes})
        return
    headers = ("部门 department", "指标 metric", "分子 met", "分母 of", "率 rate", "延期 extended")
    print_table(f"考核 scorecard {period.first} – {period.last}", headers, [_score_cells(score) for score in scores], numbers=(2, 3))
    offered = "；".join(f"{size.title} {size.entries}/{size.datasets}" for size in sizes)
    console.print(f"目录/数据集 entries/data sets: {offered}", markup=False)


@click.command("publish-scores")
@click.option("--from", "first", type=day, required=True, help="First day of the period (起).")
@click.option("--to", "last", type=day, required=True, help="Last day; it has to be past (止).")
@click.option("--as", "by", required=True, help="The bureau's approver (账号).")
@click.option("--reason", default="", help="Needed where the period was published before (更正理由).")
@as_json_option
@platform
def publish_scores_(here: Platform, first: datetime, last: datetime, by: str, reason: str, as_json: bool) -> None:
    """Publish the scorecards of a period that is over (公布考核): its numbers and lists stand, whatever data change later (F-03, F-04)."""
    act = Act(by=by, now=here.now(), reason=reason)
    done = publish_scores(here.store, the_log(here), first=first.date(), last=last.date(), act=act)
    if as_json:
        print_json(done)
        return
    console.print(
        f"已公布 published: {done.number} 号 · {done.first} – {done.last} · {done.cases:,} 件 cases · 摘要 digest {done.digest[:16]}"
    )


@click.command("published-scores")
@click.argument("number", type=int, required=False)
@department_option
@click.option("--metric", type=click.Choice(list(METRICS)), help="The kept list behind this number (指标清单).")
@cases_after_option
@cases_limit_option
@as_json_option
@platform
def published_scores_(
    here: Platform, number: int | None, department: str | None, metric: str | None, after: str | None, limit: int, as_json: bool
) -> None:
    """Published scorecards (公布的考核), or one; contest a number with `tongchou ticket object other score/NUMBER/METRIC/DEPARTMENT`."""
    where = resolve_department(department) if department else None
    with here.store.session() as session:
        if number is None:
            _print_publications(list_publications(session), as_json)
            return
        publication = load_publication(session, number)
        if metric is not None:
            cases = published_behind(session, number, metric, department=where, after=after, limit=limit)
            _print_behind(cases, limit, as_json)
            return
        scores, contested = published_scores(session, number, department=where), contests(session, number)
        whole = is_whole(session, publication)
    if as_json:
        print_json({"scorecard": publication, "whole": whole, "scores": scores, "contests": contested})
        return
    headers = ("部门 department", "指标 metric", "分子 met", "分母 of", "率 rate", "延期 extended", "异议 contested")
    rows = [(*_score_cells(score), " ".join(map(str, contested.get(f"{score.metric}/{score.department}", [])))) for score in scores]
    print_table(f"考核 scorecard {number}: {publication.first} – {publication.last}", headers, rows, numbers=(2, 3))
    state = "完整 whole" if whole else "与留痕不符 not what the log has recorded"
    offered = "；".join(f"{department_title(key)} {n}/{m}" for key, (n, m) in sorted(publication.catalogue.items()))
    console.print(
        f"公布 published {publication.published_at.astimezone(CHINA):%Y-%m-%d %H:%M} {publication.published_by} · {state}", markup=False
    )
    console.print(f"目录/数据集 entries/data sets: {offered}", markup=False)


@click.command()
@department_option
@click.option("--all", "everything", is_flag=True, help="Also those that were seen (含已阅).")
@as_json_option
@platform
def notices(here: Platform, department: str | None, everything: bool, as_json: bool) -> None:
    """Golden values that were handed over and have changed since (变更通知, R-08); take a new extract to have them."""
    where = resolve_department(department) if department else None
    with here.store.session() as session:
        found = list_notices(session, where, unseen=not everything)
    if as_json:
        print_json(found)
        return
    headers = ("号 no.", "部门 department", "回执 receipt", "版本 version", "居民 residents", "数据项 columns")
    print_table("变更通知 change notices", headers, [_notice_cells(one) for one in found], numbers=(0, 2, 3, 4))


@click.command()
@click.argument("number", type=int)
@click.option("--as", "by", required=True, help="The account that takes note (账号).")
@as_json_option
@platform
def seen(here: Platform, number: int, by: str, as_json: bool) -> None:
    """The department has taken note of change notice NUMBER (已阅)."""
    with here.store.session() as session, session.begin():
        notice = see(session, number, by=by, department=department_of(load_account(session, by)), now=here.now())
    if as_json:
        print_json(notice)
        return
    console.print(f"已阅 seen: {number}")


LIGHT_COMMANDS: Mapping[str, click.Command] = {
    command.name or "": command
    for command in (lights, resources, explain, remind_, scorecard_, publish_scores_, published_scores_, notices, seen)
}


def _period(here: Platform, first: datetime | None, last: datetime | None) -> Period:
    today = day_of(here.now())
    return Period(first=first.date() if first else today.replace(day=1), last=last.date() if last else today, today=today)


def _print_publications(found: list[Publication], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    rows = [(one.number, one.first, one.last, one.cases, one.anew or "", one.published_by, one.reason) for one in found]
    headers = ("号 no.", "起 from", "止 to", "件 cases", "更正 corrects", "公布 by", "理由 reason")
    print_table("公布的考核 published scorecards", headers, rows, numbers=(0, 3))


def _print_behind(cases: Sequence[Case], limit: int, as_json: bool) -> None:
    if as_json:
        print_json(cases)
        return
    marks: Mapping[bool, str] = {True: "是 yes", False: "否 no"}
    rows = [(department_title(case.department), case.case, marks[case.met], marks[case.extended]) for case in cases]
    print_table("清单 the list", ("部门 department", "事项 case", "达标 met", "延期 extended"), rows)
    if len(cases) == limit:
        console.print(f"续页 Next page: --after {cases[-1].place}", markup=False)


def _score_cells(score: Score) -> tuple[object, ...]:
    metric = METRICS[score.metric]
    extended = f"{score.extended_numerator}/{score.extended_denominator}" if score.extended_denominator else ""
    rate = "–" if score.rate is None else f"{score.rate:.1%}"
    return department_title(score.department), f"{metric.zh} {metric.en}", score.numerator, score.denominator, rate, extended


def _notice_cells(one: ChangeNotice) -> tuple[object, ...]:
    columns = ", ".join(f"{column} {number:,}" for column, number in sorted(one.columns.items()))
    return one.id, department_title(one.department_key), one.receipt_id, one.golden_version, one.residents, columns
