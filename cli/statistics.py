"""The command of statistics: `tongchou statistics GRANT --by sex --by birth_date:age_band`."""

from pathlib import Path

import click
import pyarrow as pa

from access.files import write
from access.staging import check_writable
from access.statistics import ALL, NOT_KNOWN, Statistic
from cli.answers import the_door
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform
from rules.labels import readable, titled

HIDDEN = "—"
TEXTS = {ALL: "合计 all", NOT_KNOWN: "不详 not known"}


@click.command()
@click.argument("grant", type=int)
@click.option(
    "--by", "by", multiple=True, required=True, help="COLUMN or COLUMN:GROUPING, as grid_code:street, birth_date:age_band (分组)."
)
@click.option("--sums/--no-sums", default=True, help="With the sums along each dimension (合计).")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A CSV file; without it a table is shown (输出文件).")
@click.option("--as", "actor", required=True, help="The account that asks (账号), of the department that holds the grant.")
@as_json_option
@platform
def statistics(here: Platform, grant: int, by: tuple[str, ...], sums: bool, out: Path | None, actor: str, as_json: bool) -> None:
    """Count persons by groups (统计) under a T0 GRANT; small groups are hidden, with as many others as keep them from being computed."""
    if out is not None:
        check_writable(out, here.home)
    with the_door(here) as door:
        answer = door.statistics(actor, grant, by, sums=sums)
    value = answer.value
    assert isinstance(value, Statistic)
    if out is not None:
        _write(out, value)
    if as_json:
        print_json(value)
        return
    if out is None:
        columns = [dimension.partition(":")[0] for dimension in value.dimensions]
        headers = [
            titled(column) + dimension.removeprefix(column).removesuffix(":value")
            for column, dimension in zip(columns, value.dimensions, strict=True)
        ]
        rows = [
            (*map(readable, columns, _texts(group.values)), HIDDEN if group.persons is None else group.persons) for group in value.groups
        ]
        print_table("统计 statistics", (*headers, "人数 persons"), rows, numbers=(len(headers),))
    why = f"少于 {value.smallest_group} 人或据此可推知 fewer than {value.smallest_group} persons, or telling of such"
    told = f"{len(value.groups):,} 组 groups · {value.hidden:,} 组隐去 hidden ({why})"
    console.print(f"{told} · 审计序号 audit index {answer.seq}{f' → {out}' if out else ''}", markup=False)


def _texts(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(TEXTS.get(value, value) for value in values)


def _write(out: Path, value: Statistic) -> None:
    names = [*value.dimensions, "persons"]
    rows = [(*_texts(group.values), HIDDEN if group.persons is None else str(group.persons)) for group in value.groups]
    columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)] or [pa.array([], pa.string())] * len(names)
    write(out, names, [pa.RecordBatch.from_arrays(columns, names=names)], "csv")
