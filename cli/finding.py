"""Commands that find: `tongchou catalog search|holders|duplicates|similar|form`; each shows only what the asker may know."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from casework.collection import declare_form
from casework.finding import asker_of, entry_lights
from catalog.search.finding import PAGE_MOST, Found, Question, find
from catalog.search.index import FACETS, Asker, Index, build_index
from catalog.search.overlap import VERDICT_TITLES, duplicates, holders, similar
from cli.entries import SHARE_TEXTS, asker_option, by_option, pair
from cli.forms import form_headers
from cli.grants import the_log
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform
from golden.decisions import day_of
from rules.departments import department_title, resolve_department
from rules.elements import load_elements

FACET_TEXTS = {
    "department": "部门 department",
    "theme": "主题 theme",
    "element": "数据元 element",
    "share": "共享属性 share",
    "level": "分级 level",
    "update": "更新周期 update",
    "light": "红黄绿灯 light",
}
FACET_VALUES_SHOWN = 6


@click.command()
@click.argument("words", nargs=-1)
@click.option("--facet", "facets", multiple=True, help="facet=value, of department, theme, element, share, level, update, light (筛选).")
@click.option("--limit", type=click.IntRange(1, PAGE_MOST), default=20, show_default=True, help="Rows at most (行数上限).")
@click.option("--offset", type=click.IntRange(0), default=0, help="Go on after so many (续页).")
@asker_option
@as_json_option
@platform
def search(here: Platform, words: tuple[str, ...], facets: tuple[str, ...], limit: int, offset: int, by: str, as_json: bool) -> None:
    """Find entries (检索) by Chinese words, pinyin in full or initials, names of columns, elements or departments."""
    index, asker = _index(here, by)
    found = find(index, asker, Question(text=" ".join(words), filters=_filters(facets), limit=limit, offset=offset))
    if as_json:
        print_json(found)
        return
    headers = ("号 no.", "代码 code", "名称 title", "部门 department", "共享 share", "分级 level", "更新 update", "数据项 columns")
    rows = [
        (h.entry, h.code, h.title, h.department_title, SHARE_TEXTS[h.share], h.level, h.update_frequency, "、".join(h.columns))
        for h in found.hits
    ]
    title = f"{found.total} 个目录 entries" + (
        "（没有全部包含的，以下为部分包含 none has all words, these have some）" if found.partial else ""
    )
    print_table(title, headers, rows, numbers=(0,))
    _print_facets(found)


@click.command("holders")
@click.argument("element")
@asker_option
@as_json_option
@platform
def holders_(here: Platform, element: str, by: str, as_json: bool) -> None:
    """Who else holds this element (谁还持有): its key or a header; the source of record stands first."""
    index, asker = _index(here, by)
    found = holders(index, asker, element)
    if as_json:
        print_json(found)
        return
    headers = ("部门 department", "目录 entry", "数据项 column", "共享 share", "分级 level", "数源 of record")
    rows = [(h.department_title, h.title, h.column_title, SHARE_TEXTS[h.share], h.level, "是 yes" if h.of_record else "") for h in found]
    print_table(f"{len(rows)} 个数据项 columns", headers, rows)


@click.command("duplicates")
@asker_option
@as_json_option
@platform
def duplicates_(here: Platform, by: str, as_json: bool) -> None:
    """Columns that more than one department collects (一数多采, L-31), with the source of record."""
    index, asker = _index(here, by)
    found = duplicates(index, asker)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            d.title,
            d.element,
            department_title(d.source_of_record),
            len(d.departments),
            d.entries,
            "、".join(map(department_title, d.departments)),
        )
        for d in found
    ]
    headers = ("数据项 column", "数据元 element", "数源 source of record", "部门 departments", "目录 entries", "持有 held by")
    print_table(f"{len(rows)} 个重复采集的数据项 columns collected more than once", headers, rows, numbers=(3, 4))


@click.command("similar")
@click.argument("entry", type=int)
@asker_option
@as_json_option
@platform
def similar_(here: Platform, entry: int, by: str, as_json: bool) -> None:
    """Entries that hold the same things (相似目录)."""
    index, asker = _index(here, by)
    found = similar(index, asker, entry)
    if as_json:
        print_json(found)
        return
    rows = [(s.entry, s.title, s.department_title, f"{s.likeness:.2f}", "、".join(s.shared[:8])) for s in found]
    headers = ("号 no.", "名称 title", "部门 department", "相似 likeness", "共有 shared")
    print_table("相似目录 similar entries", headers, rows, numbers=(0,))


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--title", help="Name of the form; by default the file's (表名).")
@click.option("--justification", default="", help="Why items have to be collected again (重新采集的理由).")
@by_option
@as_json_option
@platform
def form(here: Platform, file: Path, title: str | None, justification: str, by: str, as_json: bool) -> None:
    """Before collecting a form (采集前比对, L-31): compare its headers with the catalogue; refused where others share what it asks for."""
    index, _ = _index(here, by)
    headers = form_headers(file)
    found = declare_form(here.store, the_log(here), index, by=by, title=title or file.stem, headers=headers, justification=justification)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            c.header,
            c.element,
            VERDICT_TITLES[c.verdict],
            "、".join(dict.fromkeys(f"{h.department_title}《{h.title}》" for h in c.holders[:3])),
        )
        for c in found
    ]
    print_table(f"{len(rows)} 项 items", ("表项 item", "数据元 element", "结论 verdict", "持有 held by"), rows)


def _index(here: Platform, by: str) -> tuple[Index, Asker]:
    with here.store.session() as session:
        return build_index(session, entry_lights(session, day_of(here.now()))), asker_of(session, by)


def _filters(facets: Sequence[str]) -> Mapping[str, Sequence[str]]:
    wanted: dict[str, list[str]] = {}
    for facet, value in map(pair, facets):
        if facet not in FACETS:
            raise click.BadParameter(" | ".join(FACETS), param_hint="--facet")
        wanted.setdefault(facet, []).append(resolve_department(value) if facet == "department" else value)
    return wanted


def _print_facets(found: Found) -> None:
    elements = load_elements()
    for facet, counts in found.facets.items():
        shown = list(counts.items())[:FACET_VALUES_SHOWN]
        told = " · ".join(f"{elements[value].title if facet == 'element' else value} {count}" for value, count in shown)
        if told:
            console.print(f"{FACET_TEXTS[facet]}: {told}", markup=False)


FINDING = (search, holders_, duplicates_, similar_, form)
