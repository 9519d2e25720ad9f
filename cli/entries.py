"""Commands of the catalogue's entries: listing, showing, checking, changing and moving them, and the data sets behind them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import click

from casework.clocks import Subject, open_clocks
from casework.entries import publishing
from casework.entries import resources as attached
from casework.entries.acting import Notice
from casework.entries.moves import ACT_TITLES, RESOURCE_MOVES, Act
from casework.finding import asker_of, red_resources, told_report
from catalog.entries.attaching import attachment_rates, resources_of, settle_resources
from catalog.entries.changes import BREACH_TITLES
from catalog.entries.content import ITEMS, EntryContent, as_record
from catalog.entries.reach import TouchedGrant
from catalog.entries.returning import RETURN
from catalog.entries.shelf import PAGE_MOST, Entry, acts_of, list_entries, load_entry, versions_of
from catalog.entries.states import RESOURCE_TITLES, STATE_TITLES, State
from catalog.search.index import known_content
from catalog.snapshots import CHINA
from catalog.terms import FLAG, NUMBER, TEXTS, Term
from cli.grants import tell_regradings, the_log
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform
from golden.decisions import day_of
from rules.citations import read_citation
from rules.classification import load_classification
from rules.clocks import Due, clock_title
from rules.departments import department_title, resolve_department
from rules.errors import NotFound, Refused

SHARE_TEXTS = {"unconditional": "无条件 unconditional", "conditional": "有条件 conditional", "none": "不予 none"}

asker_option = click.option("--as", "by", required=True, help="The account that looks (账号).")
by_option = click.option("--as", "by", required=True, help="The account that acts (账号).")
note_option = click.option("--note", default="", help="Why, without numbers of persons (理由).")
seen_option = click.option("--revision", type=int, help="Revision that you looked at; a newer one is refused (所见修订).")
negotiation_option = click.option("--negotiation", default="", help="How it was negotiated with the users (协商情况, L-28).")
filing_option = click.option("--filing", default="", help="Number of the filing with the bureau (备案号, L-28).")


@click.command()
@click.option("--department", help="Department (部门).")
@click.option("--state", type=click.Choice([state.value for state in State]), help="State (状态).")
@click.option("--after", type=int, default=0, help="Go on after this number (续页).")
@click.option("--limit", type=click.IntRange(1, PAGE_MOST), default=100, show_default=True, help="Rows at most (行数上限).")
@asker_option
@as_json_option
@platform
def entries(here: Platform, department: str | None, state: str | None, after: int, limit: int, by: str, as_json: bool) -> None:
    """A page of the entries (目录清单) by number: all for the bureau, a department's own; `search` finds what others share."""
    with here.store.session() as session:
        where = asker_of(session, by).department or (resolve_department(department) if department else None)
        lines = list_entries(session, department=where, state=State(state) if state else None, after=after, limit=limit)
    if as_json:
        print_json(lines)
        return
    headers = (
        "号 no.",
        "代码 code",
        "名称 title",
        "部门 department",
        "状态 state",
        "版本 version",
        "共享 share",
        "分级 level",
        "列 columns",
    )
    rows = [
        (e.id, e.code, e.title, e.department_title, STATE_TITLES[e.state], e.version, SHARE_TEXTS[e.share], e.level, e.columns)
        for e in lines
    ]
    print_table(f"{len(rows)} 个目录 entries", headers, rows, numbers=(0, 5, 8))


@click.command()
@click.argument("entry")
@asker_option
@as_json_option
@platform
def show(here: Platform, entry: str, by: str, as_json: bool) -> None:
    """An entry (目录详情): items, columns, resources with their reports, and its history where it is one's own."""
    with here.store.session() as session:
        asker, known = asker_of(session, by), load_entry(session, entry)
        content = known_content(asker, known)
        if content is None:
            raise NotFound("CAT-ENTRY", where=entry)
        own = asker.department in (None, known.department)
        known = known if own else replace(known, state=State.PUBLISHED)  # that a change is under way is the department's business
        resources = [replace(one, report=told_report(session, asker, one, known.department)) for one in resources_of(session, known.id)]
        acts, versions = (acts_of(session, known.id), versions_of(session, known.id)) if own else ([], [])
        clocks = open_clocks(session, Subject.ENTRY, [known.id]) if own else []
    if as_json:
        shown = {"entry": known.id, "code": known.code, "state": known.state, "revision": known.revision, "version": known.version}
        print_json(
            shown | {"returns": known.returns, "content": as_record(content), "resources": resources, "acts": acts, "versions": versions}
        )
        return
    _print_content(known, content)
    reports = [
        (r.dataset, RESOURCE_TITLES[r.state], f"{r.report.covered}/{r.report.declared}", r.report.score, len(r.report.problems))
        for r in resources
    ]
    print_table("资源 resources", ("数据集 data set", "状态 state", "覆盖 covered", "质量 score", "问题 problems"), reports, numbers=(4,))
    for problem in (problem for r in resources for problem in r.report.problems):
        console.print(f"  {problem}", markup=False)
    if known.returns is not None:
        console.print(f"申请对象 to be requested with: tongchou request draft --over {RETURN}{known.returns}", markup=False)
    history = [(a.revision, ACT_TITLES[a.act], a.by or "–", f"{a.at.astimezone(CHINA):%Y-%m-%d %H:%M}", a.note) for a in acts]
    if history:
        print_table("历史 history", ("修订 revision", "操作 act", "由 by", "时间 at", "说明 note"), history, numbers=(0,))
    for clock in clocks:
        owed_by = department_title(clock.owed_by) or "统筹局 bureau"
        console.print(f"时限 clock: {clock_title(clock.clock)} · {owed_by} · {told_due(clock.due)}", markup=False)


@click.command()
@click.argument("entry")
@asker_option
@as_json_option
@platform
def check(here: Platform, entry: str, by: str, as_json: bool) -> int:
    """All faults of an entry at once (一致性检查): what keeps it from being submitted."""
    with here.store.session() as session:
        known = _own_entry(here, entry, by)
        found = publishing.entry_faults(session, known)
    if as_json:
        print_json([{**asdict(fault), "message": str(fault), "next": fault.text.next_zh} for fault in found])
    for fault in [] if as_json else found:
        console.print(f"{fault} → {fault.text.next_zh} {fault.text.next_en}", markup=False)
    if not as_json:
        console.print(f"目录 {known.id}: {len(found)} 项问题 faults")
    return 2 if found else 0


@click.command()
@click.argument("entry")
@asker_option
@as_json_option
@platform
def impact(here: Platform, entry: str, by: str, as_json: bool) -> None:
    """What the change of an entry takes from its users, and whose grants it touches (影响, L-28)."""
    known = _own_entry(here, entry, by)
    with here.store.session() as session:
        found = publishing.impact_of(session, known)
    if as_json:
        print_json(found)
        return
    rows = [(BREACH_TITLES[b.kind], b.column or "（全部 all）", b.detail) for b in found.breaches]
    print_table(f"目录 {known.id}: 影响 breaches", ("类别 kind", "数据项 column", "内容 detail"), rows)
    print_grants(found.grants)


@click.command("set")
@click.argument("entry")
@click.argument("values", nargs=-1, required=True)
@click.option("--column", help="A column's name; without it the values are items of the entry (数据项).")
@note_option
@seen_option
@by_option
@as_json_option
@platform
def set_(
    here: Platform, entry: str, values: tuple[str, ...], column: str | None, note: str, revision: int | None, by: str, as_json: bool
) -> None:
    """Change items of an entry (编辑): `title=…`, `abstract=…`, `knownTo=police,health`; with --column `level=L4`,
    `share=none`, `no_share_reason=…`, `citation=《…法》第…条` (L-10)."""
    known = entry_named(here, entry)
    given = dict(pair(value) for value in values)
    content = _with_column(known.content, column, given) if column else _with_items(known.content, given)
    changed = publishing.edit(
        here.store,
        the_log(here),
        by=by,
        entry=known.id,
        revision=known.revision if revision is None else revision,
        content=content,
        reason=note,
        now=here.now(),
    )
    print_moved(changed, as_json)


def _mover(act: Act, name: str, text: str, *, notice: bool = False) -> click.Command:
    """One command per act of the table."""

    def command(
        here: Platform, entry: str, note: str, revision: int | None, by: str, as_json: bool, negotiation: str = "", filing: str = ""
    ) -> None:
        known = entry_named(here, entry)
        moved = publishing.move(
            here.store,
            the_log(here),
            by=by,
            entry=known.id,
            act=act,
            revision=known.revision if revision is None else revision,
            now=here.now(),
            note=note,
            notice=Notice(negotiation=negotiation, filing=filing) if notice else None,
        )
        if act is Act.PUBLISH:
            tell_regradings(here)
        print_moved(moved, as_json)

    options: Sequence[Callable[..., Any]] = [click.argument("entry"), note_option, seen_option, by_option]
    options = [*options, *([negotiation_option, filing_option] if notice else []), as_json_option, platform]
    for option in reversed(options):
        command = option(command)
    return click.command(name, help=text)(command)


@click.command()
@click.argument("dataset")
@click.argument("entry")
@by_option
@as_json_option
@platform
def attach(here: Platform, dataset: str, entry: str, by: str, as_json: bool) -> None:
    """Attach DATASET to ENTRY (挂接) after comparing columns, types and key; the report is signed in the log."""
    report = attached.attach(here.store, the_log(here), by=by, dataset=dataset, entry=entry, now=here.now())
    tell_regradings(here)
    if as_json:
        print_json({**asdict(report), "digest": report.digest})
        return
    score = "–" if report.score is None else f"{report.score:.3f}"
    console.print(
        f"已挂接 attached: {dataset} → {entry} · 覆盖 covered {report.covered}/{report.declared} · 质量 score {score}", markup=False
    )
    for problem in report.problems:
        console.print(f"  {problem}", markup=False)


@click.command()
@click.argument("entry")
@note_option
@by_option
@as_json_option
@platform
def extend(here: Platform, entry: str, note: str, by: str, as_json: bool) -> None:
    """The bureau consents to a later update of ENTRY, once (同意延期更新, L-13)."""
    due = publishing.extend_update(here.store, the_log(here), by=by, entry=entry, now=here.now(), note=note)
    if as_json:
        print_json(due)
        return
    console.print(f"目录 {entry}: {told_due(due)}", markup=False)


@click.command()
@click.argument("entry")
@note_option
@by_option
@as_json_option
@platform
def succeed(here: Platform, entry: str, note: str, by: str, as_json: bool) -> None:
    """Take ENTRY of a former owner over (承接, C-20): a draft of one's own department that names the one it follows."""
    print_moved(publishing.succeed(here.store, the_log(here), by=by, entry=entry, now=here.now(), reason=note), as_json)


@click.command()
@click.argument("act", type=click.Choice(list(RESOURCE_MOVES)))
@click.argument("dataset")
@note_option
@negotiation_option
@filing_option
@by_option
@as_json_option
@platform
def resource(here: Platform, act: str, dataset: str, note: str, negotiation: str, filing: str, by: str, as_json: bool) -> None:
    """File a change of a data set's service, resume it, or take it down (资源变更备案、恢复、下线, L-28)."""
    notice = Notice(negotiation=negotiation, filing=filing)
    state = attached.move_resource(here.store, the_log(here), by=by, dataset=dataset, act=act, now=here.now(), note=note, notice=notice)
    if as_json:
        print_json({"dataset": dataset, "state": state})
        return
    console.print(f"{dataset}: {RESOURCE_TITLES[state]}", markup=False)


@click.command()
@as_json_option
@platform
def rates(here: Platform, as_json: bool) -> None:
    """How many published entries have a data set attached (挂接率), by department; data sets brought in since are marked as running."""
    with here.store.session() as session, session.begin():
        settle_resources(session, here.now(), red=red_resources(session, day_of(here.now())))
        found = attachment_rates(session)
    if as_json:
        print_json({department: {"attached": attached, "published": published} for department, (attached, published) in found.items()})
        return
    rows = [(department, attached, published, f"{attached / published:.1%}") for department, (attached, published) in found.items()]
    print_table("挂接率 attached", ("部门 department", "已挂接 attached", "已发布 published", "率 rate"), rows, numbers=(1, 2, 3))


def print_grants(grants: Sequence[TouchedGrant]) -> None:
    headers = ("授权 grant", "需求部门 requester", "状态 state", "数据项 columns", "经由 via")
    rows = [(g.grant, g.grantee_title, g.state, "、".join(g.columns), g.via or g.target) for g in grants]
    print_table(f"{len(rows)} 份受影响的授权 grants touched", headers, rows, numbers=(0,))


def told_due(due: Due) -> str:
    return f"{due.day.isoformat()} 前 due" + ("（暂定 provisional）" if due.provisional else "")


def entry_named(here: Platform, name: str) -> Entry:
    with here.store.session() as session:
        return load_entry(session, name)


def _own_entry(here: Platform, name: str, by: str) -> Entry:
    """An entry of the asker's own department, or any for the bureau; others do not learn that it is there."""
    with here.store.session() as session:
        asker, known = asker_of(session, by), load_entry(session, name)
    if asker.department not in (None, known.department):
        raise NotFound("CAT-ENTRY", where=name)
    return known


CITATION = "citation"


def pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text}: key=value")
    return key.strip(), value.strip()


def _with_items(content: EntryContent, given: Mapping[str, str]) -> EntryContent:
    if unknown := sorted(set(given) - {"title", "category", CITATION} - set(ITEMS)):
        raise Refused("ENT-ITEM", where=", ".join(unknown))
    items = {**content.items, **{key: _value(ITEMS[key], text) for key, text in given.items() if key in ITEMS}}
    return replace(
        content,
        title=given.get("title", content.title),
        category=given.get("category", content.category),
        items={key: value for key, value in items.items() if value is not None},
        **_cited(given),
    )


def _with_column(content: EntryContent, name: str, given: Mapping[str, str]) -> EntryContent:
    column = content.column(name)
    settable = {
        CITATION,
        "title",
        "data_type",
        "level",
        "share",
        "share_conditions",
        "no_share_reason",
        "share_mode",
        "open_conditions",
        "update_frequency",
    }
    if column is None or (unknown := sorted(set(given) - settable)):
        raise Refused("ENT-ITEM", where=name if column is None else ", ".join(unknown))
    changed: Any = {**given, **_cited(given)}
    return replace(content, columns=tuple(replace(c, **changed) if c.name == name else c for c in content.columns))


def _cited(given: Mapping[str, str]) -> dict[str, Any]:
    """`citation=《中华人民共和国精神卫生法》第二十三条`: the basis of what is not shared (L-10); empty takes it away."""
    return {CITATION: read_citation(given[CITATION]) if given[CITATION] else None} if CITATION in given else {}


def _value(term: Term, text: str) -> Any:
    """A value as its term holds it; what cannot be read is left as text, and the check names it."""
    if not text:
        return None
    if term.kind == FLAG:
        return {"true": True, "是": True, "false": False, "否": False}.get(text, text)
    if term.kind == TEXTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    if term.kind == NUMBER:
        return int(text) if text.isascii() and text.isdecimal() else text
    return text


def print_moved(entry: Entry, as_json: bool) -> None:
    if as_json:
        print_json({"entry": entry.id, "code": entry.code, "state": entry.state, "revision": entry.revision, "version": entry.version})
        return
    told = f"{entry.code or '–'} · {STATE_TITLES[entry.state]} · 第 {entry.version} 版 version · 修订 revision {entry.revision}"
    console.print(f"目录 {entry.id}《{entry.title}》 {told}", markup=False)


def _print_content(entry: Entry, content: EntryContent) -> None:
    print_moved(replace(entry, content=content), as_json=False)
    rows = [
        ("提供方 provider", entry.department_title),
        ("分类 category", f"{content.category} {load_classification().title(content.category)}"),
    ]
    rows += [(ITEMS[key].title, _told(value)) for key, value in content.items.items()]
    print_table("", ("项目 item", "内容 value"), rows)
    columns = [
        (
            c.name,
            c.title,
            f"{c.data_type}{c.length or ''}{' 主键 key' if c.key else ''}",
            c.element,
            c.level,
            SHARE_TEXTS.get(c.share, c.share),
            c.citation,
        )
        for c in content.columns
    ]
    headers = ("列 column", "名称 title", "类型 type", "数据元 element", "分级 level", "共享 share", "依据 basis")
    print_table(f"{len(columns)} 个数据项 columns", headers, columns)


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)


ACTS = (
    _mover(Act.SUBMIT, "submit", "Submit an entry to the department's head (提交); it is checked first.", notice=True),
    _mover(Act.APPROVE, "approve", "The department's head approves it and passes it to the bureau (部门审核通过)."),
    _mover(Act.RETURN, "return", "The department's head returns it (部门退回)."),
    _mover(Act.PUBLISH, "publish", "The bureau publishes it (发布): from now on it may be asked for."),
    _mover(Act.SEND_BACK, "send-back", "The bureau sends it back to the department (主管部门退回)."),
    _mover(Act.ABANDON, "abandon", "Give a change up; what is published stands (放弃变更)."),
    _mover(Act.WITHDRAW, "withdraw", "File that an entry goes out of service (申请下线), after negotiation with its users.", notice=True),
    _mover(Act.KEEP, "keep", "Keep it after all (撤回下线)."),
    _mover(Act.CANCEL, "cancel", "The bureau cancels it (注销); refused while someone depends on it."),
    _mover(Act.DISCARD, "discard", "Discard a draft that was never published (作废草稿)."),
)
ENTRIES = (entries, show, check, impact, set_, *ACTS, extend, succeed, attach, resource, rates)
