"""Which department is the most accurate: `tongchou reliability`."""

from typing import TYPE_CHECKING

import click

from cli.answers import actor_option, the_door
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform

if TYPE_CHECKING:
    from golden.reliability_table import AtAge, ReliabilityTable, SourceReliability

RELIABILITY_PURPOSE = "统筹局了解各部门数据的可靠度 the bureau looks into how reliable the departments' data are"
DAYS_A_MONTH, MONTHS_A_YEAR = 30.4, 12
HEADERS = (
    "数据集 data set",
    "部门 department",
    "取值 claims",
    "正确概率 right",
    "95% 区间 interval",
    "按数据年龄 by age",
    "核验一致 checks agreed",
    "抄自 copies from",
)


@click.command()
@click.argument("element", required=False)
@actor_option
@click.option("--purpose", default=RELIABILITY_PURPOSE, show_default=True, help="What it is for (用途).")
@as_json_option
@platform
def reliability(here: Platform, element: str | None, actor: str, purpose: str, as_json: bool) -> None:
    """Which data set is how right about ELEMENT, or about each element (可靠度), as learnt from agreements, disagreements and door checks.

    Right: how probable it is that the value is true today; the interval holds the truth 95 times of 100. `export reliability` writes all.
    """
    from golden.reliability_table import ReliabilityTable

    with the_door(here) as door:
        found = door.reliability(actor, purpose, element).value
    assert isinstance(found, ReliabilityTable)
    if as_json:
        print_json(found)
        return
    print_reliability(found)


def print_reliability(found: "ReliabilityTable") -> None:
    learnt = f"可靠度学习于第 {found.learnt_version} 版 learnt with version {found.learnt_version}"
    console.print(f"金记录第 {found.version} 版 golden version {found.version} · {learnt}")
    if not found.elements:
        console.print("没有来源登记这个数据元。 No source states it.")
    for one in found.elements:
        print_table(f"{one.title} {one.element}", HEADERS, [_row(source) for source in one.sources], numbers=(2, 3))


def _row(source: "SourceReliability") -> tuple[object, ...]:
    copies = f"{source.copies_from} {source.copied:.0%}" if source.copies_from and source.copied is not None else ""
    checks = f"{source.agreed:,}/{source.checked:,}" if source.checked else "—"
    ages = " · ".join(f"{_age(at)} {at.p:.3f}" for at in source.by_age)
    interval = f"{source.low:.3f}–{source.high:.3f}"
    return (source.title, source.department, source.claims, f"{source.p:.3f}", interval, ages, checks, copies)


def _age(at: "AtAge") -> str:
    if at.from_days is None:
        return "不明 undated"
    if at.to_days is None:
        return f"{_time(at.from_days)}以上+"
    return f"{_time(at.from_days)}–{_time(at.to_days)}"


def _time(days: int) -> str:
    months = round(days / DAYS_A_MONTH)
    if not months or months % MONTHS_A_YEAR:
        return f"{months}月m"
    return f"{months // MONTHS_A_YEAR}年y"
