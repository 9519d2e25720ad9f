"""The command of tracing: `tongchou trace FILE`."""

from pathlib import Path

import click

from access.tracing import Trace
from cli.answers import actor_option, the_door
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform

TRACE_PURPOSE = "泄露文件溯源 tracing a leaked file"


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@actor_option
@click.option("--purpose", default=TRACE_PURPOSE, show_default=True, help="What it is for (用途).")
@as_json_option
@platform
def trace(here: Platform, file: Path, actor: str, purpose: str, as_json: bool) -> None:
    """Whose copy the leaked FILE is (溯源), by the fingerprints in it; some rows and columns of it are enough."""
    with the_door(here) as door:
        answer = door.trace(actor, purpose, file)
    value = answer.value
    assert isinstance(value, Trace)
    if as_json:
        print_json(value)
        return
    headers = ("接收部门 recipient", "授权 grant", "回执 receipt", "指纹 fingerprint", "依据 by", "相符 agree", "误判概率 chance")
    rows = [
        (one.recipient, one.grant, one.receipt, one.fingerprint, one.mark, f"{one.agreeing}/{one.values}", f"{one.chance:.1e}")
        for one in value.found
    ]
    if rows:
        print_table("溯源 trace", headers, rows, numbers=(1, 2))
    told = "" if rows else "未找到：没有足够的标记 not found: too few marks · "
    console.print(
        f"{told}{value.rows:,} 行 rows · 比对 {value.compared:,} 次 comparisons · 审计序号 audit index {answer.seq}", markup=False
    )
