"""What `tongchou demo` found, as a person reads it and as figures for machines."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import click

from access.recording import Answer
from access.terms import Grant
from audit.verify import Verdict
from casework.tickets import OpenTickets
from catalog.registration import RegistrationReport
from cli.output import console, print_table
from cli.platform import Platform
from connectors.intake import IngestOutcome
from golden.measure import Accuracy, ElementAccuracy, PatternAccuracy
from golden.reconcile import ReconcileOutcome
from rules.elements import load_elements
from rules.quality import load_quality

MOST_ROWS = 12
SHOWN_LINES = 5
SHOWN_DEPARTMENTS = 6


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the demonstration found, for the summary and for `--json`."""

    district: Path
    datasets: int
    departments: int
    person_datasets: int
    registration: RegistrationReport
    ingested: Sequence[IngestOutcome]
    quarantined: Counter[str]
    golden: ReconcileOutcome
    accuracy: Accuracy
    patterns: Sequence[PatternAccuracy]
    elements: Sequence[ElementAccuracy]
    explained: str
    tickets: Sequence[OpenTickets]
    account: str
    grant: Grant
    extract: Answer
    verdict: Verdict
    seconds: dict[str, float]


def figures(told: Told) -> Mapping[str, object]:
    """The same as one JSON document: counts, accuracy, seconds."""
    return {
        "datasets": told.datasets,
        "departments": told.departments,
        "person_datasets": told.person_datasets,
        "states": Counter(outcome.state for outcome in told.ingested),
        "rows": sum(outcome.rows for outcome in told.ingested),
        "quarantined": told.quarantined,
        "faulty_cells": sum(outcome.faults for outcome in told.ingested),
        "golden": told.golden,
        "accuracy": told.accuracy,
        "patterns": told.patterns,
        "elements": told.elements,
        "tickets": told.tickets,
        "extract": {"rows": told.extract.rows, "residents": told.extract.residents, "audit_index": told.extract.seq},
        "log": told.verdict,
        "seconds": told.seconds,
    }


def print_summary(here: Platform, told: Told) -> None:
    print_intake(told)
    print_reconciliation(told)
    print_explained(told)
    print_extract(told)
    print_end(here, told)


def heading(text: str) -> None:
    console.print(f"\n[bold]━━ {text}[/bold]")


def print_intake(told: Told) -> None:
    heading("一、登记与归集 Registration and ingest")
    rows = sum(outcome.rows for outcome in told.ingested)
    aside = sum(told.quarantined.values())
    cells = sum(outcome.faults for outcome in told.ingested)
    console.print(
        f"{told.departments} 个部门 departments · {told.datasets} 个数据集 data sets，其中涉及人员 about persons {told.person_datasets}"
    )
    console.print(
        f"{rows:,} 行已采纳 rows accepted · {aside:,} 行在隔离区 rows in quarantine · {cells:,} 个单元格有缺陷 cells marked with a fault"
    )
    for outcome in told.ingested:
        if outcome.error is not None:
            console.print(f"  拒收 refused: {outcome.error}", markup=False)
    if told.quarantined:
        reasons = [(code, reason_of(code), count) for code, count in told.quarantined.most_common()]
        print_table("隔离原因 why rows were kept out", ("代码 code", "原因 reason", "行 rows"), reasons, numbers=(2,))


def reason_of(code: str) -> str:
    reason = load_quality().reasons[code]
    return f"{reason.zh} {reason.en}"


def print_reconciliation(told: Told) -> None:
    heading("二、对账 Reconciliation")
    found, golden = told.accuracy, told.golden
    console.print(f"{golden.records:,} 条记录 records → {golden.residents:,} 名居民 residents（真值 truth {found.people:,}）")
    console.print(f"成对准确率 pairwise precision {found.precision:.4f} · 召回率 recall {found.recall:.4f} · B³ F1 {found.bcubed_f1:.4f}")
    worst = sorted(told.patterns, key=lambda pattern: pattern.recall)[:3]
    console.print("召回最低的脏数据类型 lowest recall by pattern: " + " · ".join(f"{p.pattern} {p.recall:.3f}" for p in worst))
    for warning in golden.warnings:
        console.print(f"提示 Note: {warning}", markup=False)
    elements = load_elements()
    accuracy = {element.element: element for element in told.elements}
    conflicts = sorted(golden.conflicts_by_element.items(), key=lambda item: -item[1])
    rows = [
        (elements[key].title, key, count, right_of_given(accuracy[key]) if key in accuracy else "")
        for key, count in islice(conflicts, MOST_ROWS)
    ]
    headers = ("数据元", "element", "有分歧的居民 residents", "金值正确率 golden right")
    print_table("各数据元的分歧 conflicts by element", headers, rows, numbers=(2, 3))


def right_of_given(element: ElementAccuracy) -> str:
    """The share of right ones among the golden values that were given; a resident whom no source knows has none."""
    given = element.known - element.empty
    return f"{element.right / given:.3f}" if given else ""


def print_explained(told: Told) -> None:
    heading("三、一条金记录的由来 One golden record explained")
    click.echo(told.explained or "没有存疑的金记录 no golden value is disputed")


def print_extract(told: Told) -> None:
    heading("四、脱敏提取 A masked extract")
    terms, answer = told.grant, told.extract
    console.print(
        f"授权 {terms.id} 号 grant · 需求部门 grantee {terms.grantee} · 层级 tier {terms.tier.value} · 用途 purpose {terms.purpose}",
        markup=False,
    )
    console.print(
        f"{answer.rows:,} 行 rows · {answer.residents:,} 名居民 residents · 审计序号 audit index {answer.seq} · {answer.path}", markup=False
    )
    if answer.path is not None:
        with answer.path.open(encoding="utf-8-sig") as file:
            click.echo("".join(islice(file, SHOWN_LINES)).rstrip())


def print_tickets(told: Told) -> None:
    heading("六、校核工单 Tickets sent back to their sources")
    tickets, items = sum(one.tickets for one in told.tickets), sum(one.items for one in told.tickets)
    console.print(
        f"{len(told.tickets)} 个部门 departments · {tickets:,} 张待办工单 tickets · {items:,} 条 items · 限 10 个工作日核实 (L-25)"
    )
    most = sorted(told.tickets, key=lambda one: -one.items)[:SHOWN_DEPARTMENTS]
    console.print(" · ".join(f"{one.title} {one.tickets} ({one.items:,})" for one in most), markup=False)


def print_end(here: Platform, told: Told) -> None:
    heading("五、审计 Audit")
    verdict = told.verdict
    state = "完整 whole" if verdict.ok else f"已损坏 broken at {verdict.first_bad}: {verdict.reason}"
    console.print(f"审计日志 audit log: {verdict.size:,} 条记录 records, {verdict.sealed:,} 条已入检查点 sealed: {state}")
    print_tickets(told)
    heading(f"用时 {sum(told.seconds.values()):.0f} 秒 seconds")
    console.print(" · ".join(f"{title} {seconds:.1f}" for title, seconds in told.seconds.items()))
    console.print(f"结果在 results in: {here.home.root}")
    console.print(
        "下一步 Next: make serve 打开流水线页面 Dagster's pages · .venv/bin/tongchou datasets · "
        ".venv/bin/tongchou ticket list · .venv/bin/tongchou why RESIDENT · "
        f".venv/bin/tongchou extract {told.grant.id} --as {told.account} --out FILE.csv"
    )
