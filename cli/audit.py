"""Commands of the audit log: verify, seal, list."""

import click

from access.accounts import OPERATOR_NAME
from access.auditing import newest_entries, verify_log
from access.log_faults import log_faults_translated
from audit.log import open_log
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform
from rules.errors import IntegrityBroken


@click.group()
def audit() -> None:
    """The audit log (审计日志): every query leaves a record here before its answer."""


@audit.command()
@as_json_option
@platform
def verify(here: Platform, as_json: bool) -> int:
    """Check the whole log (校验日志): every record, the tree, every signed checkpoint, the witness. Exit 5 names the first bad index."""
    assert_home(here)
    with log_faults_translated():
        log = open_log(here.home.audit_url, here.home.keys)
        verdict = verify_log(log, OPERATOR_NAME)
    if as_json:
        print_json(verdict)
        return 0 if verdict.ok else IntegrityBroken.exit_code
    if not verdict.ok:
        raise IntegrityBroken("AUD-BROKEN", where=f"{verdict.first_bad}", what=verdict.reason)
    console.print(f"日志完整 The log is whole: {verdict.size:,} 条记录 records, {verdict.sealed:,} 条已入检查点 sealed")
    return 0


@audit.command("list")
@click.option("--last", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many, newest last (条数).")
@as_json_option
@platform
def list_(here: Platform, last: int, as_json: bool) -> None:
    """The newest records (最近记录)."""
    assert_home(here)
    with log_faults_translated():
        log = open_log(here.home.audit_url, here.home.keys)
        entries = newest_entries(log, OPERATOR_NAME, last)
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


def assert_home(here: Platform) -> None:
    """Opening the store refuses a home that was never made; the log alone would make a new, empty one there."""
    _ = here.store
