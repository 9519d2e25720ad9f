"""Commands that copy store and log away and put them back."""

from pathlib import Path

import click

from access.accounts import OPERATOR_NAME
from access.backups import back_up
from access.backups import restore as put_back
from cli.audit import the_log
from cli.output import as_json_option, console, print_json
from cli.platform import Platform, platform

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("folder", type=FOLDER)
@as_json_option
@platform
def backup(here: Platform, folder: Path, as_json: bool) -> None:
    """Copy store and log to a new FOLDER (备份库与日志), while the platform goes on. Keys, lake and witness are not in it."""
    with the_log(here) as log:
        done = back_up(here.home, log, OPERATOR_NAME, folder)
    if as_json:
        print_json(done)
        return
    console.print(f"已备份 backed up: {done.records:,} 条记录 records → {folder}", markup=False)


@click.command()
@click.argument("folder", type=FOLDER)
@as_json_option
@platform
def restore(here: Platform, folder: Path, as_json: bool) -> None:
    """Put a backup into a home whose databases are gone (恢复). Exit 5: it is older than what the witness has seen."""
    records = put_back(here.home, OPERATOR_NAME, folder)
    if as_json:
        print_json({"records": records})
        return
    console.print(f"已恢复 restored: {records:,} 条记录 records")
