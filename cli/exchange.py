"""Commands of the catalogue's exchange: `tongchou catalog export|import|lineage`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from sqlalchemy.orm import Session

from casework.entries.importing import ImportReport, department_titles, import_entries
from casework.finding import asker_of
from catalog.datasets import load_contracts
from catalog.entries.attaching import Resource, resources_of
from catalog.entries.shelf import Entry, load_entries
from catalog.entries.states import State
from catalog.exchange.dcat import as_dcat, read_dcat
from catalog.exchange.imported import Imported
from catalog.exchange.lineage import lineage_events
from catalog.exchange.odcs import as_odcs, as_yaml
from catalog.exchange.workbook import read_workbook, write_workbook
from catalog.schema import EntryRow
from catalog.search.index import Asker, known_content
from cli.entries import asker_option, by_option
from cli.grants import the_log
from cli.output import as_json_option, console, errors, print_json
from cli.platform import Platform, platform
from rules.departments import resolve_department
from rules.errors import Refused

TITLE = "政务数据目录"
PUBLISHER = "数据统筹局"
FAULTS_SHOWN = 50
SUFFIXES = {".xlsx": "xlsx", ".jsonld": "dcat", ".json": "dcat"}


@click.command("export")
@click.option("--format", "form", type=click.Choice(["xlsx", "dcat", "odcs"]), default="xlsx", show_default=True, help="Form (格式).")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File; of odcs a folder (输出).")
@click.option("--department", help="Only this department's (部门).")
@click.option("--template", is_flag=True, help="The workbook without entries (空模板).")
@asker_option
@as_json_option
@platform
def export_(here: Platform, form: str, out: Path, department: str | None, template: bool, by: str, as_json: bool) -> None:
    """Write entries that the asker may know (导出目录): the statutory workbook, DCAT-AP as JSON-LD, or ODCS contracts."""
    where = resolve_department(department) if department else None
    with here.store.session() as session:
        asker = asker_of(session, by)
        entries = [] if template else [entry for entry in _known(session, asker) if where in (None, entry.department)]
        written = {"xlsx": _write_xlsx, "dcat": _write_dcat, "odcs": _write_odcs}[form](here, session, out, entries)
    if as_json:
        print_json({"out": str(out), "format": form, "entries": written})
        return
    console.print(f"已导出 {written} 个目录 entries → {out}", markup=False)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--format", "form", type=click.Choice(["xlsx", "dcat"]), help="By default by the file's name (格式).")
@click.option(
    "--incomplete", is_flag=True, help="Take drafts that the checks have something against; they are completed later (不完整草稿)."
)
@click.option("--note", default="导入 import", help="Why, without numbers of persons (理由).")
@by_option
@as_json_option
@platform
def import_(here: Platform, file: Path, form: str | None, incomplete: bool, note: str, by: str, as_json: bool) -> int:
    """Take entries in (导入目录) from a workbook or DCAT-AP: all or nothing, faults at row and column. Contracts: tongchou register."""
    with here.store.session() as session:
        titles = department_titles(session)
    imported = _read(file, form or SUFFIXES.get(file.suffix.lower(), ""), titles)
    report = import_entries(here.store, the_log(here), by=by, imported=imported, now=here.now(), reason=note, incomplete=incomplete)
    if as_json:
        print_json(
            {"made": report.made, "changed": report.changed, "unchanged": report.unchanged, "faults": [_told(f) for f in report.faults]}
        )
    else:
        _print_report(report)
    return 2 if report.faults else 0


@click.command()
@click.option("--dataset", help="Only what this data set leads to (数据集).")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File, one event a line; without it they are printed (输出).")
@by_option
@as_json_option
@platform
def lineage(here: Platform, dataset: str | None, out: Path | None, by: str, as_json: bool) -> None:
    """Lineage (数据血缘) as OpenLineage events: source column → golden element → extract, marked identity or masked."""
    with here.store.session() as session:
        if asker_of(session, by).department is not None:
            raise Refused("CAT-BUREAU", where=by)
        events = lineage_events(session, dataset)
    lines = "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events)
    if out is not None:
        out.write_text(lines, encoding="utf-8")
    if as_json:
        print_json(events if out is None else {"out": str(out), "events": len(events)})
    elif out is None:
        click.echo(lines, nl=False)
    else:
        console.print(f"{len(events)} 个血缘事件 events → {out}", markup=False)


EXCHANGE = (export_, import_, lineage)


def _known(session: Session, asker: Asker) -> list[Entry]:
    """The entries that an asker may know, with the content that he may see."""
    standing = session.scalars(sa.select(EntryRow.id).where(EntryRow.state != State.CANCELLED)).all()
    known = ((entry, known_content(asker, entry)) for entry in load_entries(session, standing))
    return [replace(entry, content=content) for entry, content in known if content is not None]


def _write_xlsx(_here: Platform, _session: Session, out: Path, entries: list[Entry]) -> int:
    write_workbook(out, entries)
    return len(entries)


def _write_dcat(here: Platform, session: Session, out: Path, entries: list[Entry]) -> int:
    published = [entry for entry in entries if entry.is_open]
    resources: dict[int, list[Resource]] = {entry.id: resources_of(session, entry.id) for entry in published}
    document = as_dcat(published, resources, title=TITLE, publisher=PUBLISHER, now=here.now())
    out.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return len(published)


def _write_odcs(_here: Platform, session: Session, out: Path, entries: list[Entry]) -> int:
    out.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        resources = resources_of(session, entry.id)
        contract = load_contracts(session, resources[0].dataset)[-1] if resources else None
        document = as_odcs(entry, contract)
        (out / f"{document['id']}.yaml").write_text(as_yaml(document), encoding="utf-8")
    return len(entries)


def _read(file: Path, form: str, titles: Any) -> Imported:
    if form == "xlsx":
        return read_workbook(file, titles)
    if form != "dcat":
        raise Refused("XLS-READ", where=file.name)
    try:
        return read_dcat(json.loads(file.read_text(encoding="utf-8-sig")), titles)
    except (ValueError, RecursionError) as fault:
        raise Refused("LD-DOCUMENT", where=file.name, what=type(fault).__name__) from fault


def _told(fault: Any) -> dict[str, Any]:
    return {
        "place": fault.place,
        "row": fault.row,
        "column": fault.column,
        "code": fault.code,
        "message": str(fault),
        "next": fault.text.next_zh,
    }


def _print_report(report: ImportReport) -> None:
    for fault in report.faults[:FAULTS_SHOWN]:
        errors.print(str(fault), markup=False)
    if report.faults:
        more = len(report.faults) - FAULTS_SHOWN
        errors.print(
            Refused("XLS-FAULTS", what=f"{len(report.faults)}{f'; 另有 {more} 项未列出 more' if more > 0 else ''}").message(), markup=False
        )
        return
    console.print(f"新建 made {len(report.made)} · 变更 changed {len(report.changed)} · 未变 unchanged {len(report.unchanged)}")
