"""Command of the monthly report: `tongchou audit report`."""

from pathlib import Path

import click

from casework.attempts import Act
from cli.output import as_json_option, console, print_json
from cli.oversight import by_option, means_of, purpose_option, roster_option, the_reading_room
from cli.platform import Platform, platform
from oversight.reviews.report import INDEX, make_report


@click.command("report")
@click.option("--month", required=True, help="Which month, as 2026-10 (月份).")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder for the pages (输出文件夹).")
@roster_option
@by_option
@purpose_option
@as_json_option
@platform
def report_command(here: Platform, month: str, out: Path, roster: Path | None, by: str, purpose: str, as_json: bool) -> None:
    """The monthly report (审计月报) as HTML; each figure links to its list. For auditors; its making is recorded."""
    with the_reading_room(here) as room:
        act = Act(by=by, now=here.now(), reason=purpose)
        made = make_report(room, means_of(here, roster), month=month, out=out.absolute(), act=act)
    if as_json:
        print_json(made)
        return
    console.print(f"已编制 made: {made.folder / INDEX} · 数字 figures {made.figures:,} · 摘要 digest {made.digest}", markup=False)
