"""Commands for statements to residents: who looked at my data, and the end of secrecy. They join the group `tongchou audit`."""

import click

from access.readers import Reader
from cli.output import as_json_option, console, print_json, print_table
from cli.oversight import the_reading_room
from cli.platform import Platform, platform
from oversight.statements import give_statement, release
from rules.oversight import load_yardsticks


@click.command("statement")
@click.argument("resident")
@click.option("--page", type=click.IntRange(min=1), default=1, show_default=True, help="Which page (页).")
@click.option("--as", "by", required=True, help="The account of the registrar at the counter (登记员账号).")
@click.option("--purpose", required=True, help="The number of the resident's application (受理号); it is recorded.")
@as_json_option
@platform
def statement_command(here: Platform, resident: str, page: int, by: str, purpose: str, as_json: bool) -> None:
    """Who looked at RESIDENT's data (个人信息查阅告知书): for the resident, given at the counter. RESIDENT: an id or an identity number."""
    with the_reading_room(here) as room:
        found = give_statement(room, Reader(name=by, purpose=purpose), resident, load_yardsticks().deferral, page=page)
    if as_json:
        print_json(found)
        return
    headers = ("时间 at", "机构 institution", "用途 purpose", "法律依据 legal basis", "方式 way")
    rows = [(line.at, line.institution, line.purpose, line.legal_basis, line.way) for line in found.lines]
    print_table(f"个人信息查阅告知书 statement · 第 {found.page} 页 page", headers, rows)
    if found.unclear:
        console.print(f"另有 {found.unclear} 次批量提供已无法判明是否含本人 so many more files may have held you or not", markup=False)
    if found.more:
        console.print(f"下一页 next page: --page {found.page + 1}", markup=False)
    console.print(found.notice, markup=False)


@click.command("release")
@click.argument("grant", type=int)
@click.option("--as", "by", required=True, help="The head of the department that has the grant (使用部门负责人账号).")
@click.option("--reason", required=True, help="Why residents may be told now (解除理由); it is recorded.")
@as_json_option
@platform
def release_command(here: Platform, grant: int, by: str, reason: str, as_json: bool) -> None:
    """Residents may be told from now on of accesses under GRANT that the law kept secret (解除保密)."""
    with the_reading_room(here) as room:
        release(room, by=by, grant=grant, why=reason)
    if as_json:
        print_json({"grant": grant, "released": True})
        return
    console.print(f"已解除 released: 授权 grant {grant}", markup=False)
