"""What holds for every command: help in English with the Chinese terms, `--json`, one error edge with the exit codes of the contract."""

import re
from collections.abc import Iterator

import click
import pytest

from cli.main import COMMANDS, commands
from rules.errors import Denied, IntegrityBroken, NotFound, PlatformFault, Refused, load_error_texts
from tests.cli.conftest import Command

NO_JSON = {"serve", "audit witness serve", "grant suspend", "grant resume", "grant end"}
HAN = re.compile(r"[\u4e00-\u9fff]")


def every_command(group: click.Group = commands, above: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from every_command(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


ALL = dict(every_command())


@pytest.mark.parametrize("name", sorted(ALL))
def test_each_command_has_help_with_the_chinese_terms(name: str) -> None:
    text = ALL[name].get_help(click.Context(ALL[name], info_name=name))
    assert HAN.search(text) and re.search("[A-Za-z]{4}", text)


@pytest.mark.parametrize("name", sorted(set(ALL) - NO_JSON))
def test_each_command_speaks_to_machines(name: str) -> None:
    assert any("--json" in parameter.opts for parameter in ALL[name].params)


def test_the_readme_names_each_command() -> None:
    from pathlib import Path

    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"tongchou {name}" not in readme] == []


def test_each_error_code_says_what_happened_and_what_to_do_in_both_languages() -> None:
    for code, text in load_error_texts().items():
        assert HAN.search(text.zh) and HAN.search(text.next_zh), code
        assert not HAN.search(text.en) and text.next_en, code


def test_the_exit_codes_are_those_of_the_contract() -> None:
    assert [kind.exit_code for kind in (PlatformFault, Refused, Denied, NotFound, IntegrityBroken)] == [1, 2, 3, 4, 5]


def test_a_home_that_was_never_made_is_refused(tongchou: Command) -> None:
    done = tongchou("ingest")
    assert done.code == 2 and "CLI-HOME" in done.err and "tongchou init" in done.err


def test_wrong_usage_ends_with_2(tongchou: Command) -> None:
    assert tongchou("ingest", "--no-such-option").code == 2
