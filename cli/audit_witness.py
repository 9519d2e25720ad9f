"""Commands for checkpoints outside the database: where they go (targets), and the witness that auditors run themselves."""

import time
from pathlib import Path

import click

from access.accounts import OPERATOR_NAME
from access.auditing import add_target, remove_target
from access.log_faults import log_faults_translated
from audit.cosigner import Cosigner, create_cosigner, server
from audit.courier import deliver
from audit.export import cosign_export
from audit.notes import read_verifier
from cli.audit import audit, the_log
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@audit.group()
def target() -> None:
    """Where checkpoints go besides the database and the witness's folder (检查点送达处): a second folder, a witness by HTTP."""


@target.command()
@click.argument("place")
@click.option("--key", type=FILE, help="Verifier key of the witness that answers at a URL (见证人公钥).")
@as_json_option
@platform
def add(here: Platform, place: str, key: Path | None, as_json: bool) -> None:
    """Send checkpoints to PLACE, a folder or the URL of a witness (增加送达处); recorded."""
    with the_log(here) as log:
        added = add_target(log, here.home.keys, OPERATOR_NAME, place, key.read_text(encoding="utf-8") if key else "")
    if as_json:
        print_json(added)
        return
    console.print(f"检查点将送达 checkpoints go to: {added.place}", markup=False)


@target.command()
@click.argument("place")
@as_json_option
@platform
def remove(here: Platform, place: str, as_json: bool) -> None:
    """Send checkpoints to PLACE no more (取消送达处); recorded."""
    with the_log(here) as log:
        remove_target(log, here.home.keys, OPERATOR_NAME, place)
    if as_json:
        print_json({"removed": place})
        return
    console.print(f"不再送达 no more checkpoints to: {place}", markup=False)


@target.command("list")
@as_json_option
@platform
def list_(here: Platform, as_json: bool) -> None:
    """Bring the newest checkpoint to each target, and show how far each has it (送达情况)."""
    with the_log(here) as log:
        size = log.seal().size
        delivered = deliver(log, log.targets)
    rows = [(one.target.place, one.size, size - one.size, "" if one.fault is None else str(one.fault)) for one in delivered]
    if as_json:
        print_json([dict(zip(("place", "size", "behind", "fault"), row, strict=True)) for row in rows])
        return
    print_table("检查点送达处 targets", ("处所 place", "已送达 size", "落后 behind", "故障 fault"), rows, numbers=(1, 2))
    if not rows:
        console.print("只有见证目录一处。 Only the witness's folder: add a second place with `tongchou audit target add`.")


@audit.group()
def witness() -> None:
    """The auditors' own witness (审计员自设见证人): co-signs only checkpoints that extend the last one it saw. Needs no home."""


@witness.command()
@click.argument("folder", type=FOLDER)
@click.option("--name", required=True, help="Its name, for instance witness.audit.nanhai (名称).")
@click.option("--log-key", type=FILE, required=True, help="The log's verifier key: keys/audit-verifier.txt (日志公钥).")
@as_json_option
def create(folder: Path, name: str, log_key: Path, as_json: bool) -> None:
    """Make a witness in a new FOLDER (建立见证人)."""
    with log_faults_translated():
        verifier = create_cosigner(folder, name, read_verifier(log_key.read_text(encoding="utf-8")))
    if as_json:
        print_json({"key": str(verifier)})
        return
    console.print(f"见证人公钥 the witness's key: {verifier}", markup=False)


@witness.command()
@click.argument("folder", type=FOLDER)
@click.argument("export", type=FOLDER)
@as_json_option
def sign(folder: Path, export: Path, as_json: bool) -> None:
    """Co-sign the checkpoint of an exported log (会签导出的日志), if it extends the last one seen; the signature joins the export."""
    with log_faults_translated():
        size = cosign_export(Cosigner(folder, lambda: int(time.time())), export)
    if as_json:
        print_json({"size": size})
        return
    console.print(f"已会签 co-signed: {size:,} 条记录 records")


@witness.command()
@click.argument("folder", type=FOLDER)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on (地址).")
@click.option("--port", type=int, default=3969, show_default=True, help="Port (端口).")
def serve(folder: Path, host: str, port: int) -> None:
    """Answer the platform's requests for co-signatures until stopped (见证服务; C2SP tlog-witness)."""
    with log_faults_translated():
        cosigner = Cosigner(folder, lambda: int(time.time()))
    console.print(f"见证服务 witness: http://{host}:{port} {cosigner.verifier}", markup=False)
    with server(cosigner, host, port) as running:
        running.serve_forever()
