"""Commands that give an answer about residents: export, extract, why. All of them go through the door."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from access.accounts import OPERATOR_NAME
from access.door import Door, open_door
from access.loading import destination
from access.recording import Answer
from cli.output import as_json_option, console, print_json
from cli.platform import Platform, platform
from cli.road import entity_option

actor_option = click.option("--as", "actor", default=OPERATOR_NAME, show_default=True, help="The account that asks (账号).")
out_option = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write; overwritten (输出文件)."
)

EXPORT_PURPOSE = "统筹局全量导出 the bureau's own full export"
as_of_option = click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="A day: what was served then (当日所提供的版本).")
AS_OF_PURPOSE = "统筹局还原某日所提供的金记录 the bureau restores what was served on a day"
WHY_PURPOSE = "统筹局核对金记录 the bureau looks into a golden record"


@contextmanager
def the_door(here: Platform) -> Iterator[Door]:
    with open_door(here.home, here.store, here.now, origin="cli") as door:
        yield door


@click.group()
def export() -> None:
    """The bureau's own full exports (全量导出): crosswalk and golden records; both need the bureau role and are recorded."""


@export.command()
@out_option
@actor_option
@click.option("--purpose", default=EXPORT_PURPOSE, show_default=True, help="What it is for (用途).")
@entity_option
@as_json_option
@platform
def crosswalk(here: Platform, out: Path, actor: str, purpose: str, entity: str, as_json: bool) -> None:
    """Each accepted record and the resident (or enterprise) it belongs to (对照表): dataset, record, resident_id or enterprise_id."""
    with the_door(here) as door:
        exports = {"residents": door.export_crosswalk, "enterprises": door.export_enterprise_crosswalk}
        print_answer(exports[entity](actor, purpose, out), as_json)


@export.command()
@out_option
@actor_option
@click.option("--purpose", default=EXPORT_PURPOSE, show_default=True, help="What it is for (用途).")
@click.option("--labels", is_flag=True, help="Chinese labels beside the codes (附代码含义).")
@as_json_option
@platform
def golden(here: Platform, out: Path, actor: str, purpose: str, labels: bool, as_json: bool) -> None:
    """All golden records (金记录), one row per resident, unmasked."""
    with the_door(here) as door:
        print_answer(door.export_golden(actor, purpose, out, labels), as_json)


@export.command()
@out_option
@actor_option
@click.option("--purpose", default=EXPORT_PURPOSE, show_default=True, help="What it is for (用途).")
@as_json_option
@platform
def reliability(here: Platform, out: Path, actor: str, purpose: str, as_json: bool) -> None:
    """How reliable each source is about each element (可靠度表), by age, with the version that it was learnt with; about no resident."""
    with the_door(here) as door:
        print_answer(door.export_reliability(actor, purpose, out), as_json)


@click.command("golden")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day (日期), in China's time.")
@out_option
@actor_option
@click.option("--purpose", default=AS_OF_PURPOSE, show_default=True, help="What it is for (用途).")
@click.option("--labels", is_flag=True, help="Chinese labels beside the codes (附代码含义).")
@as_json_option
@platform
def golden_as_of(here: Platform, as_of: datetime, out: Path, actor: str, purpose: str, labels: bool, as_json: bool) -> None:
    """The golden records as they were served on a day (历史金记录): sources, rules and decisions of that day, whatever came later."""
    with the_door(here) as door:
        print_answer(door.export_golden(actor, purpose, out, labels, as_of.date()), as_json)


@click.command()
@click.argument("grant", type=int)
@out_option
@click.option("--format", "file_format", type=click.Choice(["csv", "xlsx", "parquet"]), help="By default the ending of --out (格式).")
@click.option("--as", "actor", required=True, help="The account that asks (账号), of the department that holds the grant.")
@as_json_option
@platform
def extract(here: Platform, grant: int, out: Path, file_format: str | None, actor: str, as_json: bool) -> None:
    """Take what GRANT gives (提取), masked as its tier demands, with a receipt (回执) beside it."""
    with the_door(here) as door:
        print_answer(door.extract(actor, grant, out, file_format or out.suffix.lstrip(".").lower()), as_json)


@click.command()
@click.argument("grant", type=int)
@click.option("--into", "url", required=True, help="SQLAlchemy URL of the department's database; secrets or all of it as ${ENV} (库).")
@click.option("--table", required=True, help="The table; what stands in it is replaced, at once (表名).")
@click.option("--receipt", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Where the receipt goes (回执).")
@click.option("--as", "actor", required=True, help="The account that asks (账号), of the department that holds the grant.")
@as_json_option
@platform
def load(here: Platform, grant: int, url: str, table: str, receipt: Path, actor: str, as_json: bool) -> None:
    """Load what GRANT, one for table exchange, gives into a department's database (库表交换), masked as its tier demands."""
    into = destination(url, table, os.environ)
    with the_door(here) as door:
        print_answer(door.load(actor, grant, into, receipt), as_json)


@click.command()
@click.argument("resident")
@click.argument("element", required=False)
@actor_option
@click.option("--purpose", default=WHY_PURPOSE, show_default=True, help="What it is for (用途).")
@as_of_option
@as_json_option
@platform
def why(here: Platform, resident: str, element: str | None, actor: str, purpose: str, as_of: datetime | None, as_json: bool) -> None:
    """Why the golden values of RESIDENT are what they are (为什么): sources, dates, rules, rivals, and what holds the records together.

    An enterprise is explained by its id, E and 10 digits.
    """
    from golden.explain import Explanation, text_of

    with the_door(here) as door:
        answer = door.why(actor, purpose, resident, element, as_of.date() if as_of else None)
    if as_json:
        print_json(answer.value)
        return
    assert isinstance(answer.value, Explanation)
    click.echo(text_of(answer.value))


def print_answer(answer: Answer, as_json: bool) -> None:
    if as_json:
        print_json(
            {"path": answer.path, "rows": answer.rows, "residents": answer.residents, "sha256": answer.digest, "audit_index": answer.seq}
        )
        return
    counts = f"{answer.rows:,} 行 rows · {answer.residents:,} 名居民 residents · 审计序号 audit index {answer.seq}"
    console.print(f"已写出 written: {answer.path} · {counts}", markup=False)
