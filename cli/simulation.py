"""What a change of the rules would do: `tongchou simulate`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.answers import actor_option, the_door
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform

if TYPE_CHECKING:
    from golden.simulation import Simulation

SIMULATION_PURPOSE = "统筹局发布规则前模拟 the bureau simulates a rule before publishing it"
SHOWN = 20


@click.command()
@click.argument("rules", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@actor_option
@click.option("--purpose", default=SIMULATION_PURPOSE, show_default=True, help="What it is for (用途).")
@as_json_option
@platform
def simulate(here: Platform, rules: Path, actor: str, purpose: str, as_json: bool) -> None:
    """What changed rules would do (模拟): RULES is a YAML file like rules/survivorship.yaml with only what differs.

    Counts the golden values that would flip, by element, grid, age and source, and the open grants that they reach. Nothing is changed.
    """
    from golden.simulation import Simulation
    from rules.authority import read_proposal

    with the_door(here) as door:
        found = door.simulate(actor, purpose, read_proposal(rules)).value
    assert isinstance(found, Simulation)
    if as_json:
        print_json(found)
        return
    print_simulation(found)


def print_simulation(found: "Simulation") -> None:
    changed = f"{found.residents_changed:,} / {found.residents:,} 名居民有变化 residents change"
    console.print(f"金记录第 {found.version} 版 version {found.version}: {changed}")
    headers = ("数据元 element", "改值 flipped", "新得 found", "失去 lost", "新存疑 newly disputed", "不再存疑 settled")
    rows = [(c.element, c.flipped, c.found, c.lost, c.newly_disputed, c.settled) for c in found.by_element]
    print_table("按数据元 by element", headers, rows, numbers=(1, 2, 3, 4, 5))
    sources = [(e, was or "—", now or "—", n) for e, was, now, n in found.by_source[:SHOWN]]
    print_table("按来源 by source", ("数据元 element", "原来源 from", "新来源 to", "居民 residents"), sources, numbers=(3,))
    print_table("按年龄 by age", ("年龄 age", "居民 residents"), [(band or "—", n) for band, n in found.by_age.items()], numbers=(1,))
    grids = sorted(found.by_grid.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
    print_table("按网格 by grid", ("网格 grid", "居民 residents"), [(grid or "—", n) for grid, n in grids], numbers=(1,))
    grants = [(g.grant, g.grantee, " ".join(g.elements), g.residents) for g in found.grants]
    print_table(
        "影响的授权 open grants reached", ("授权 grant", "部门 grantee", "数据元 elements", "居民 residents"), grants, numbers=(0, 3)
    )
