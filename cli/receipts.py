"""Commands of receipts: `tongchou receipt verify`. It needs the receipt and the log's verifier key, and neither database nor network."""

from pathlib import Path

import click

from access.files import digest_of
from access.log_faults import log_faults_translated
from access.receipts import NOT_MARKABLE, Proven, verify_receipt
from audit.keys import VERIFIER_KEY, load_verifier
from audit.notes import read_verifier
from cli.output import as_json_option, console, print_json
from cli.platform import Platform, platform

existing = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group()
def receipt() -> None:
    """Receipts (回执): what was handed over, under which terms, provable offline."""


@receipt.command()
@click.argument("file", type=existing)
@click.option("--of", "data", type=existing, help="The extract that it came with; its digest is compared (所附文件).")
@click.option("--key", type=existing, help=f"The log's verifier key; by default {VERIFIER_KEY} of the home (验证公钥).")
@as_json_option
@platform
def verify(here: Platform, file: Path, data: Path | None, key: Path | None, as_json: bool) -> None:
    """Check the receipt FILE (验证回执): its statement, its record in the log, the log's signature. Exit 5 if anything does not hold."""
    with log_faults_translated():
        verifier = read_verifier(key.read_text(encoding="utf-8")) if key else load_verifier(here.home.keys)
    proven = verify_receipt(file.read_text(encoding="utf-8"), verifier, digest_of(data) if data else None)
    if as_json:
        print_json(proven)
        return
    _print(proven, of_file=data is not None)


def _print(proven: Proven, *, of_file: bool) -> None:
    told, grant = proven.statement, proven.statement["grant"]
    columns = ", ".join(f"{column['name']}({column.get('mask', '—')})" for column in told["columns"])
    compared = "文件一致 the file is the one" if of_file else "未比对文件 no file was compared"
    counts = f"{told['rows']:,} 行 rows · {told['residents']:,} 名居民 residents"
    lines = [
        f"回执成立 The receipt holds · 日志 log {proven.log}, 序号 index {proven.index} · {proven.recorded_at:%Y-%m-%d %H:%M:%SZ}",
        f"对象 of: {told['target']} 第 {told['target_version']} 版 version · {counts}",
        f"数据项 columns: {columns}",
        f"效果分级 effect level {told['effect_level']} · 政策 policy {told['policy_version']} · 规则 rules {told['rules_version']}",
        f"指纹 fingerprint: {'不可标记 not markable' if told['fingerprint'] == NOT_MARKABLE else told['fingerprint']} · {compared}",
    ]
    if grant:
        lines.insert(1, f"授权 grant {grant['number']}: {grant['grantee']} · {grant['tier']} · {grant['purpose']}")
    for line in lines:
        console.print(line, markup=False)
