"""Commands of the audit log: verify, seal, list, export, prove, destroy."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import click

from access.auditing import compare_grants, destroy_records, export_log, newest_entries, prove_record, verify_log
from access.log_faults import log_faults_translated
from access.readers import Reader
from audit.log import Log, open_log
from catalog.snapshots import CHINA
from cli.answers import actor_option
from cli.audit_report import report_command
from cli.output import as_json_option, console, print_json, print_table
from cli.oversight import (
    by_option,
    chain_command,
    explain_command,
    inspect_command,
    purpose_option,
    replay_command,
    search_command,
    seen_command,
)
from cli.platform import Platform, platform
from cli.reviews import review
from cli.statements import release_command, statement_command
from rules.errors import IntegrityBroken

DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def audit() -> None:
    """The audit log (审计日志): every query leaves a record here before its answer."""


@audit.command()
@actor_option
@as_json_option
@platform
def verify(here: Platform, actor: str, as_json: bool) -> int:
    """Check the whole log (校验日志): every record, the tree, every signed checkpoint, the witness. Exit 5 names the first bad index."""
    with the_log(here) as log:
        verdict = verify_log(here.store, log, actor)
    if as_json:
        print_json(verdict)
        return 0 if verdict.ok else IntegrityBroken.exit_code
    if not verdict.ok:
        raise IntegrityBroken("AUD-BROKEN", where=f"{verdict.first_bad}", what=verdict.reason)
    console.print(f"日志完整 The log is whole: {verdict.size:,} 条记录 records, {verdict.sealed:,} 条已入检查点 sealed")
    return 0


@audit.command("list")
@click.option("--last", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many, newest last (条数).")
@by_option
@purpose_option
@as_json_option
@platform
def list_(here: Platform, last: int, by: str, purpose: str, as_json: bool) -> None:
    """The newest records (最近记录). For auditors; the look is recorded."""
    with the_log(here) as log:
        entries = newest_entries(here.store, log, Reader(name=by, purpose=purpose), last)
    if as_json:
        print_json([{"index": e.seq, "event": e.record.event.value, "at": e.record.at, **e.record.body} for e in entries])
        return
    headers = ("序号 index", "时间 at", "事件 event", "账号 actor", "授权 grant", "行 rows", "居民 residents")
    rows = [
        (
            e.seq,
            f"{e.record.at:%m-%d %H:%M:%SZ}",
            e.record.event.value,
            *(e.record.body.get(k) for k in ("actor", "grant", "rows", "residents")),
        )
        for e in entries
    ]
    print_table("审计记录 audit records", headers, rows, numbers=(0, 5, 6))


@audit.command()
@actor_option
@as_json_option
@platform
def grants(here: Platform, actor: str, as_json: bool) -> int:
    """Compare all grants with what the log says of them (核对授权). Exit 5 if one was changed around the platform."""
    with the_log(here) as log:
        found = compare_grants(here.store, log, actor)
    if as_json:
        print_json(found)
        return IntegrityBroken.exit_code if found else 0
    if found:
        raise IntegrityBroken("DOOR-EDITED", where=", ".join(str(one.grant) for one in found), what=", ".join(found[0].terms))
    console.print("授权与日志一致 All grants are as the log says")
    return 0


@audit.command()
@as_json_option
@platform
def seal(here: Platform, as_json: bool) -> None:
    """Seal what was written (入检查点): extend the tree, sign its head, show it to the witness and the targets."""
    with the_log(here) as log:
        size = log.seal().size
    if as_json:
        print_json({"size": size})
        return
    console.print(f"已签发检查点 checkpoint signed: {size:,} 条记录 records")


@audit.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--from", "first_day", type=DAY, help="First day of a period (起).")
@click.option("--to", "last_day", type=DAY, help="Last day of a period (止).")
@by_option
@purpose_option
@as_json_option
@platform
def export(
    here: Platform, folder: Path, first_day: datetime | None, last_day: datetime | None, by: str, purpose: str, as_json: bool
) -> None:
    """Give the log out (导出日志): tiles, records, checkpoint (C2SP tlog-tiles), and a verifier that needs nothing of the platform.

    For auditors; recorded.
    """
    since = first_day.replace(tzinfo=CHINA) if first_day else None
    before = last_day.replace(tzinfo=CHINA) + timedelta(days=1) if last_day else None
    with the_log(here) as log:
        given = export_log(here.store, log, Reader(name=by, purpose=purpose), folder, since, before)
    if as_json:
        print_json(given)
        return
    console.print(f"已导出 exported: 记录 records [{given.first:,}, {given.end:,}) / {given.size:,} → {folder}", markup=False)
    console.print(f"校验 check it: python3 -I {folder}/verify_log.py {folder} --key audit-verifier.txt --older CHECKPOINT", markup=False)


@audit.command()
@click.argument("index", type=click.IntRange(min=0))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write (输出文件).")
@by_option
@purpose_option
@as_json_option
@platform
def prove(here: Platform, index: int, out: Path, by: str, purpose: str, as_json: bool) -> None:
    """One record with its proof (单条证明), to be checked offline with verify_log.py --proof. For auditors; the look is recorded."""
    with the_log(here) as log:
        text = prove_record(here.store, log, Reader(name=by, purpose=purpose), index)
    out.write_text(text, encoding="utf-8")
    if as_json:
        print_json({"index": index, "out": out})
        return
    console.print(f"证明已写入 proof written: {out}", markup=False)


@audit.command()
@click.option("--before", type=DAY, required=True, help="Records from before this day; three years past at least (早于此日).")
@click.option("--reason", required=True, help="The decision to destroy them (销毁依据).")
@by_option
@as_json_option
@platform
def destroy(here: Platform, before: datetime, reason: str, by: str, as_json: bool) -> None:
    """Destroy records after their years (到期销毁): at least three years are kept; hashes stay, and the act is a record. For auditors."""
    with the_log(here) as log:
        done = destroy_records(here.store, log, Reader(name=by, purpose=reason), before.replace(tzinfo=CHINA), here.now())
    if as_json:
        print_json(done)
        return
    console.print(f"已销毁 destroyed: [{done.first:,}, {done.end:,}) 记录 records; 哈希保留 their hashes stay")


@contextmanager
def the_log(here: Platform) -> Iterator[Log]:
    """The log of a home. Opening the store refuses a home that was never made; the log alone would make a new, empty one there."""
    _ = here.store
    with log_faults_translated():
        log = open_log(here.home.audit_url, here.home.keys)
        try:
            yield log
        finally:
            log.close()


for command in (
    search_command,
    seen_command,
    chain_command,
    replay_command,
    inspect_command,
    explain_command,
    statement_command,
    release_command,
    review,
    report_command,
):
    audit.add_command(command)
