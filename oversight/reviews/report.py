"""The monthly report (审计月报) as pages: one with the figures, and a list for each, which the figure links to.

Made aside, recorded with its digest, then handed over: a folder that is there already is never written into.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from itertools import groupby
from pathlib import Path

from access.log_faults import log_faults_translated
from access.readers import Reader
from audit.events import Event
from casework.attempts import Act
from catalog.snapshots import CHINA
from oversight.inspecting import Means
from oversight.reading_room import ReadingRoom
from oversight.reviews.drawing import month_of
from oversight.reviews.figures import SECTIONS, Figure, Row, gather_figures
from rules.errors import Refused

ROWS_A_PAGE = 5_000
INDEX = "index.html"
STYLE = (
    "body{font:15px/1.5 sans-serif;margin:2em auto;max-width:70em;padding:0 1em}table{border-collapse:collapse;width:100%}"
    "td,th{border-bottom:1px solid #ccc;padding:.3em .6em;text-align:left;overflow-wrap:anywhere}"
    "table.figures{table-layout:fixed}.figures td:first-child{width:60%}td.n{text-align:right;width:5em}h2{margin-top:1.5em}"
)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was made. `digest`: of the names and digests of all files, as the log has it."""

    month: str
    folder: Path
    figures: int
    files: int
    digest: str


def make_report(room: ReadingRoom, means: Means, *, month: str, out: Path, act: Act) -> Report:
    """Write the report of a month into a new folder. Refused AUD-FOLDER where it is there; RVW-REPORT before the month has begun."""
    reader = Reader(name=act.by, purpose=act.reason)
    room.admit(reader, "report")
    period = month_of(month)
    if act.now < period.since:
        raise Refused("RVW-REPORT", where=month)
    if out.exists() or room.home.keeps(out):
        raise Refused("AUD-FOLDER", what=out.name)
    aside = out.with_name(f".{out.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        with log_faults_translated():
            figures = gather_figures(room, means, month, period)
            _write(aside, figures, _heading(room, month, act, complete=act.now >= period.until))
            digest, files = digest_of_folder(aside)
            body = {"actor": act.by, "purpose": act.reason, "month": month, "figures": len(figures), "files": files, "digest": digest}
            room.log.append_sealed(Event.AUDIT_REPORT_MADE, {**body, "size": room.finder.size})
        aside.rename(out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Report(month=month, folder=out, figures=len(figures), files=files, digest=digest)


def digest_of_folder(folder: Path) -> tuple[str, int]:
    """SHA-256 over the sorted lines `digest  name` of its files, as `sha256sum` writes them; and how many there are."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n" for path in files]
    return sha256("".join(lines).encode()).hexdigest(), len(files)


def _heading(room: ReadingRoom, month: str, act: Act, *, complete: bool) -> str:
    made = f"{act.now.astimezone(CHINA):%Y-%m-%d %H:%M}"
    so_far = "" if complete else "（本月未完，截至此时 the month is not over）"
    told = f"编制 made {made} · {act.by} · 日志 log {room.finder.size:,} 条记录 records {so_far}"
    return f"<h1>审计月报 Audit report {escape(month)}</h1><p>{escape(told)}</p>"


def _write(folder: Path, figures: Sequence[Figure], heading: str) -> None:
    (folder / "lists").mkdir(parents=True)
    parts = [heading]
    numbered = list(enumerate(figures, start=1))
    for section, some in groupby(sorted(numbered, key=lambda one: list(SECTIONS).index(one[1].section)), lambda one: one[1].section):
        rows = "".join(_line(number, figure) for number, figure in some)
        parts.append(f'<h2>{escape(SECTIONS[section])}</h2><table class="figures">{rows}</table>')
    (folder / INDEX).write_text(_page("审计月报 Audit report", "".join(parts)), encoding="utf-8")
    for number, figure in numbered:
        for name, text in _lists(number, figure):
            (folder / "lists" / name).write_text(text, encoding="utf-8")


def _line(number: int, figure: Figure) -> str:
    link = f'<a href="lists/{_name(number, 1)}">{len(figure.rows):,}</a>'
    return f'<tr><td>{escape(figure.title)}</td><td class="n">{link}</td><td>{escape(figure.note)}</td></tr>'


def _lists(number: int, figure: Figure) -> Iterator[tuple[str, str]]:
    """The pages of a list; one at least."""
    pages = max(1, -(-len(figure.rows) // ROWS_A_PAGE))
    for page in range(1, pages + 1):
        rows = figure.rows[(page - 1) * ROWS_A_PAGE : page * ROWS_A_PAGE]
        following = f'<p><a href="{_name(number, page + 1)}">下一页 next page</a></p>' if page < pages else ""
        back = '<p><a href="../index.html">返回月报 back</a></p>'
        title = f"{SECTIONS[figure.section]}: {figure.title}"
        yield _name(number, page), _page(title, f"{back}<h1>{escape(title)}</h1>{_table(figure.headers, rows)}{following}")


def _name(number: int, page: int) -> str:
    return f"{number:03d}.html" if page == 1 else f"{number:03d}-{page}.html"


def _table(headers: Sequence[str], rows: Sequence[Row]) -> str:
    head = "".join(f"<th>{escape(header)}</th>" for header in headers)
    body = "".join(f"<tr>{''.join(f'<td>{_cell(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(cell: object) -> str:
    return "" if cell is None else escape(str(cell))


def _page(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="zh-CN"><head>{head}</head><body>{body}</body></html>\n'
