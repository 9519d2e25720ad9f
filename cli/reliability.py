"""Which department is the most accurate: `tongchou reliability`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from cli.answers import actor_option, the_door
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform

if TYPE_CHECKING:
    from golden.reliability_table import AtAge, ReliabilityTable, SourceReliability

RELIABILITY_PURPOSE = "统筹局了解各部门数据的可靠度 the bureau looks into how reliable the departments' data are"
AGES: Mapping[str, tuple[int, int]] = {
    "<6月\n<6 m": (0, 182),
    "6–12月\n6–12 m": (182, 365),
    "1–2年\n1–2 y": (365, 730),
    "2–5年\n2–5 y": (730, 1_825),
    "≥5年\n≥5 y": (1_825, 1_826),
}
"""Ages as people read them, in days from and to; the JSON has all classes."""

HEADERS = (
    "数据集\ndata set",
    "部门\ndepartment",
    "取值\nclaims",
    "正确\nright",
    "95% 区间\ninterval",
    *AGES,
    "不明\nundated",
    "核验\nchecks",
    "抄自\ncopies from",
)


@click.command()
@click.argument("element", required=False)
@actor_option
@click.option("--purpose", default=RELIABILITY_PURPOSE, show_default=True, help="What it is for (用途).")
@as_json_option
@platform
def reliability(here: Platform, element: str | None, actor: str, purpose: str, as_json: bool) -> None:
    """Which data set is how right about ELEMENT, or about each element (可靠度), as learnt from agreements, disagreements and door checks.

    Right: how probable it is that the value is true today, over all claims and by their age; the interval holds it 95 times of 100.
    Checks: how many claims a verified observation confirmed, of how many it tells. `export reliability` writes all of it.
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
        print_table(f"{one.title} {one.element}", HEADERS, [_row(source) for source in one.sources], numbers=range(2, 12))


def _row(source: "SourceReliability") -> tuple[object, ...]:
    copies = f"{source.copies_from} {source.copied:.0%}" if source.copies_from and source.copied is not None else ""
    checks = f"{source.agreed:,}/{source.checked:,}" if source.checked else ""
    by_age = [
        _right([at for at in source.by_age if at.from_days is not None and low <= at.from_days < high]) for low, high in AGES.values()
    ]
    undated = _right([at for at in source.by_age if at.from_days is None])
    figures = (f"{source.p:.3f}", f"{source.low:.3f}–{source.high:.3f}", *by_age, undated)
    return (source.title, source.department, source.claims, *figures, checks, copies)


def _right(ages: "Sequence[AtAge]") -> str:
    """How right the claims of some classes of age are together."""
    claims = sum(at.claims for at in ages)
    return f"{sum(at.claims * at.p for at in ages) / claims:.3f}" if claims else ""
