"""Commands of the road: ingest and reconcile. Both run the same Dagster jobs as its pages, on the same instance."""

import os

import click

from cli.output import as_json_option, console, errors, print_json, print_table, progress
from cli.platform import Platform, platform


@click.command()
@click.argument("datasets", nargs=-1)
@as_json_option
@platform
def ingest(here: Platform, datasets: tuple[str, ...], as_json: bool) -> int:
    """Bring data sets in (归集): raw → standard → gate. All when none is named; a faulty one does not stop the others."""
    from catalog.datasets import load_datasets
    from pipelines import run

    with here.store.session() as session:
        keys = [d.key for d in load_datasets(session, list(datasets) or None)]
    with progress("归集 ingest", len(keys)) as steps:
        outcomes = run.ingest(here.home, keys, on_done=lambda outcome: steps.done(outcome.dataset), secrets=os.environ)
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if as_json:
        print_json(outcomes)
        return 2 if failed else 0
    for outcome in failed:
        errors.print(f"{outcome.dataset}: {outcome.error}", markup=False)
    print_summary(outcomes)
    return 2 if failed else 0


def print_summary(outcomes: list) -> None:
    states: dict[str, list] = {}
    for outcome in outcomes:
        states.setdefault(outcome.state, []).append(outcome)
    rows = [(state, len(group), sum(o.rows for o in group), sum(o.quarantined for o in group)) for state, group in sorted(states.items())]
    print_table("归集结果 ingest", ("状态 state", "数据集 data sets", "行 rows", "隔离 quarantined"), rows, numbers=(1, 2, 3))


entity_option = click.option(
    "--entity", type=click.Choice(["residents", "enterprises"]), default="residents", show_default=True, help="Of whom (居民 or 企业)."
)


@click.command()
@click.option("--full", is_flag=True, help="Everything anew; ids and values stay where the data are the same (全量).")
@click.option("--learn", is_flag=True, help="Learn weights and reliabilities anew, also where it is not due (重新学习).")
@entity_option
@as_json_option
@platform
def reconcile(here: Platform, full: bool, learn: bool, entity: str, as_json: bool) -> None:
    """Resolve accepted snapshots into residents and golden records (对账): only what changes can reach, unless --full.

    Both give the same result by the same model, which is learnt anew when rules or data sets changed or the records grew by a tenth.
    """
    from pipelines import run

    if entity == "enterprises":
        _reconcile_enterprises(here, full, as_json)
        return
    with progress("对账 reconcile", None):
        outcome = run.reconcile(here.home, full=full, learn=learn)
    if as_json:
        print_json(outcome)
        return
    if outcome.unchanged:
        console.print(f"数据和规则均未变化，第 {outcome.version} 版继续有效。 Nothing changed; version {outcome.version} stands.")
        return
    for warning in outcome.warnings:
        errors.print(f"提示 Note: {warning}", markup=False)
    counts = f"新增 new {outcome.new:,}, 合并 merged {outcome.merged:,}, 拆分 split {outcome.split:,}"
    found = f"{outcome.records:,} 条记录 records → {outcome.residents:,} 名居民 residents ({counts})"
    console.print(f"金记录第 {outcome.version} 版 golden version {outcome.version}: {found}")


def _reconcile_enterprises(here: Platform, full: bool, as_json: bool) -> None:
    """Not a job of Dagster's: nothing that residents are made of depends on it."""
    from golden.enterprises import reconcile_enterprises

    with progress("企业对账 reconcile enterprises", None):
        outcome = reconcile_enterprises(here.store, here.lake, full=full, now=here.now())
    if as_json:
        print_json(outcome)
        return
    for warning in outcome.warnings:
        errors.print(f"提示 Note: {warning}", markup=False)
    counts = f"新增 new {outcome.new:,}, 合并 merged {outcome.merged:,}, 拆分 split {outcome.split:,}"
    found = f"{outcome.records:,} 条记录 records → {outcome.enterprises:,} 家企业 enterprises ({counts})"
    console.print(f"企业金记录第 {outcome.version} 版 enterprise version {outcome.version}: {found}")
