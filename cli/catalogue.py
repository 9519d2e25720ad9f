"""Commands of the catalogue: init, register, propose, datasets, areas, quality."""

from pathlib import Path

import click

from cli.output import as_json_option, console, errors, print_json, print_table
from cli.platform import Platform, platform
from rules.quality import load_quality


@click.command()
@as_json_option
@platform
def init(here: Platform, as_json: bool) -> None:
    """Create the home (初始化): database at the newest schema, lake, keys, operator account. Safe to repeat."""
    make_home(here)
    if as_json:
        print_json({"home": str(here.home.root), "store": here.store.engine.dialect.name})
        return
    console.print(f"平台已就绪 The platform is ready: {here.home.root}")
    console.print("下一步 Next: tongchou register PATH… 登记数据集")


def make_home(here: Platform) -> None:
    """Folders, schema, keys and the operator account; makes only what is not there."""
    from access.accounts import ensure_operator
    from access.door import create_keys

    here.home.create()
    create_keys(here.home)
    ensure_operator(here.store)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@as_json_option
@platform
def register(here: Platform, paths: tuple[Path, ...], as_json: bool) -> int:
    """Register data sets (登记数据集) from ODCS contracts: files or folders. All faults are told at once; good contracts are registered."""
    from catalog.registration import register as register_contracts
    from cli.grants import tell_regradings

    report = register_contracts(here.store, list(paths), now=here.now())
    touched = tell_regradings(here) if report.registered else 0
    if as_json:
        print_json(report)
        return 2 if report.refused else 0
    for fault in report.refused:
        errors.print(f"{fault.code} {fault.file} {fault.pointer}: {fault.reason_zh} {fault.reason_en}", markup=False)
    for warning in report.warnings:
        errors.print(f"提示 {warning.code} {warning.file} {warning.pointer}: {warning.reason_zh} {warning.reason_en}", markup=False)
    refused = len({fault.file for fault in report.refused})
    taken = f"新登记或更新 registered {len(report.registered)} · 未变 unchanged {len(report.unchanged)}"
    console.print(f"{taken} · 拒绝 refused {refused} 份合同 contracts")
    if touched:
        console.print(f"重新分级涉及 {touched} 个在用授权 a re-grading touches {touched} open grants: tongchou grant regraded")
    return 2 if report.refused else 0


@click.command()
@click.argument("source")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the draft here instead of printing it (输出文件).")
@click.option("--id", "key", help="Key of the data set; by default made from the file's name (数据集标识).")
@click.option("--domain", default="", help="The department (部门).")
@as_json_option
@platform
def propose(here: Platform, source: str, out: Path | None, key: str | None, domain: str, as_json: bool) -> None:
    """Look at a department's file and write a contract draft (生成合同草稿), with the evidence for each column."""
    from connectors.proposal import propose as propose_contract

    proposal = propose_contract(source, key=key, domain=domain)
    if out is not None:
        out.write_text(proposal.contract, encoding="utf-8")
    if as_json:
        print_json(proposal)
        return
    if out is None:
        click.echo(proposal.contract)
    rows = [(c.header, c.element or "–", f"{c.confidence:.2f}", c.evidence) for c in proposal.columns]
    if out is not None:
        print_table(f"{source} → {out}", ("列 column", "数据元 element", "把握 confidence", "依据 evidence"), rows)
        console.print(f"请核对后登记 Check it, then: tongchou register {out}")


@click.command()
@as_json_option
@platform
def datasets(here: Platform, as_json: bool) -> None:
    """List the registered data sets (数据集清单) with the state of their newest snapshot."""
    from catalog.datasets import load_datasets
    from catalog.snapshots import newest_of_all

    with here.store.session() as session:
        found = load_datasets(session)
        newest = newest_of_all(session)
    rows = [
        {
            "dataset": d.key, "title": d.title, "department": d.department_title, "columns": len(d.columns),
            "rows": snapshot.rows_standard if (snapshot := newest.get(d.key)) else None, "state": snapshot.state if snapshot else None,
        }
        for d in found
    ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    headers = ("数据集 data set", "名称 title", "部门 department", "列 columns", "行 rows", "状态 state")
    print_table(f"{len(rows)} 个数据集 data sets", headers, [tuple(row.values()) for row in rows], numbers=(3, 4))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@as_json_option
@platform
def areas(here: Platform, folder: Path, as_json: bool) -> None:
    """Load the area register (区域码表): areas.csv, address_ranges.csv, grids.geojson of FOLDER."""
    from catalog.areas import load_areas

    with here.store.session() as session, session.begin():
        counts = load_areas(session, folder)
    if as_json:
        print_json(counts)
        return
    console.print(f"区域码表已载入 Area register loaded: {counts.areas:,} 区域 areas, {counts.ranges:,} 门牌段 address ranges")


@click.command()
@click.argument("dataset")
@as_json_option
@platform
def quality(here: Platform, dataset: str, as_json: bool) -> None:
    """Show a data set's quality (质量) over time: scores per element, faults counted, rows in quarantine with their reasons."""
    from catalog.quality import quality_of

    with here.store.session() as session:
        report = quality_of(session, dataset)
    if as_json:
        print_json(report)
        return
    scores = [(s.version, s.column or "（整体 whole）", s.dimension, f"{s.score:.3f}") for s in report.scores]
    print_table(f"{dataset}: 质量得分 quality", ("快照 snapshot", "列 column", "维度 dimension", "得分 score"), scores, numbers=(0, 3))
    faults = [(f.column, f.code, told_fault(f.code), f.cells) for f in report.faults]
    print_table("缺陷 faults", ("列 column", "代码 code", "含义 meaning", "单元格 cells"), faults, numbers=(3,))
    reasons = load_quality().reasons
    aside = [(q.column, q.reason, f"{reasons[q.reason].zh} {reasons[q.reason].en}", q.rows) for q in report.quarantine]
    print_table("隔离 quarantine", ("列 column", "代码 code", "原因 reason", "行 rows"), aside, numbers=(3,))


def told_fault(code: str) -> str:
    from rules.faults import load_faults

    fault = load_faults()[code]
    return f"{fault.zh} {fault.en}"
