"""The entry point: all commands, and the one edge where errors become messages and exit codes.

Exit codes: 0 done · 1 a fault of the platform itself · 2 refused input or usage · 3 denied by policy · 4 not found · 5 integrity broken.
"""

import os
import sys
import traceback
from collections.abc import Sequence

import click

from cli.output import errors
from cli.platform import Platform, Settings
from rules.errors import PlatformFault, TongchouError


class LazyGroup(click.Group):
    """Imports a command's module only when that command is named: heavy libraries must not slow the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        return getattr(__import__(module, fromlist=[attribute]), attribute)


COMMANDS = {
    "account": "cli.accounts:account",
    "areas": "cli.catalogue:areas",
    "audit": "cli.audit_witness:audit",
    "backup": "cli.backup:backup",
    "calendar": "cli.calendar:calendar",
    "case-look-up": "cli.inquiries:case_look_up",
    "catalog": "cli.catalog:catalog",
    "datasets": "cli.catalogue:datasets",
    "decide": "cli.decisions:decide",
    "demo": "cli.demo:demo",
    "district": "cli.district:district",
    "export": "cli.answers:export",
    "extract": "cli.answers:extract",
    "golden": "cli.answers:golden_as_of",
    "grant": "cli.grants:grant",
    "ingest": "cli.road:ingest",
    "init": "cli.catalogue:init",
    "kinship": "cli.inquiries:kinship",
    "look-up": "cli.inquiries:look_up",
    "load": "cli.answers:load",
    "propose": "cli.catalogue:propose",
    "pseudonyms": "cli.pseudonyms:pseudonyms",
    "quality": "cli.catalogue:quality",
    "receipt": "cli.receipts:receipt",
    "reconcile": "cli.road:reconcile",
    "register": "cli.catalogue:register",
    "reliability": "cli.reliability:reliability",
    "request": "cli.requests:request",
    "restore": "cli.backup:restore",
    "review": "cli.decisions:review",
    "serve": "cli.serve:serve",
    "simulate": "cli.simulation:simulate",
    "statistics": "cli.statistics:statistics",
    "ticket": "cli.tickets:ticket",
    "trace": "cli.tracing:trace",
    "verify": "cli.inquiries:verify",
    "why": "cli.answers:why",
}


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 140})
@click.version_option(package_name="tongchou")
@click.pass_context
def commands(context: click.Context) -> None:
    """统筹 Tongchou: a district data bureau shares the departments' data and reconciles it into one truth.

    The home (数据、日志、密钥) is TONGCHOU_HOME, by default var/ in the present folder.
    """
    context.obj = Platform(Settings.from_environment())


MISWRITTEN = "命令写法不对，未做任何操作；请按下面的提示改正，--help 列出写法。 Not understood, nothing was done; see below."


def run(arguments: Sequence[str]) -> int:
    """Runs one command and returns its exit code; nothing but the exit code leaves this function."""
    try:
        result = commands.main(list(arguments), standalone_mode=False)
    except TongchouError as error:
        return _report(error)
    except click.ClickException as error:
        errors.print(MISWRITTEN)
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        errors.print("已中断，已完成的部分都已保存，可再次运行。 Interrupted; what was finished is kept, run it again.")
        return 1
    except BrokenPipeError:
        return 1
    except Exception as error:
        return _report_fault(error)
    return result if isinstance(result, int) else 0


def _report(error: TongchouError) -> int:
    errors.print(error.message(), markup=False)
    return error.exit_code


def _report_fault(error: Exception) -> int:
    """A bug or a broken machine: the kind of error and where in the code, never its message, which may hold a row's values."""
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames[-4:]))
    fault = PlatformFault("CLI-FAULT", where=type(error).__name__, what=where)
    errors.print(fault.message(), markup=False)
    if os.environ.get("TONGCHOU_DEBUG"):
        traceback.print_exception(error)
    return fault.exit_code


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
