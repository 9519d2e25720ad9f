"""Commands that ask about single residents: look-up, verify, kinship. What names a person is asked for, never an argument."""

import json
import sys
from pathlib import Path
from typing import TextIO

import click

from access.inquiries import ID_NUMBER, IDENTIFYING, Told, named
from access.record_look_up import RECORD
from access.recording import Answer
from cli.answers import actor_option, out_option, print_answer, the_door
from cli.output import as_json_option, console, print_json
from cli.platform import Platform, platform
from rules.labels import readable, titled

NOT_THERE = 4
case_option = click.option("--case", "case_number", default="", help="Case number, where the grant is for a case (办件号).")


@click.command("look-up")
@click.argument("grant", type=int)
@click.option(
    "--by",
    type=click.Choice((*IDENTIFYING, RECORD)),
    default=IDENTIFYING[0],
    show_default=True,
    help="What names the resident, or `record`: the key of a record of a data set (标识).",
)
@case_option
@actor_option
@as_json_option
@platform
def look_up(here: Platform, grant: int, by: str, case_number: str, actor: str, as_json: bool) -> int:
    """Look up one resident (查询) under GRANT. The number is asked for, so that no list of processes and no history holds it."""
    value = asked_for(by)
    with the_door(here) as door:
        answer = door.look_up(actor, grant, by, value, case_number)
    told = told_of(answer)
    if as_json:
        print_json({"record": answer.seq, "digest": answer.digest, **told})
    else:
        _print(told, answer)
    return 0 if told["found"] else NOT_THERE


@click.command()
@click.argument("grant", type=int)
@click.option("--by", type=click.Choice(IDENTIFYING), default=IDENTIFYING[0], show_default=True, help="What names the resident (标识).")
@click.option("--about", "columns", required=True, help="Columns to be verified, with commas between; at least two (核验项).")
@case_option
@actor_option
@as_json_option
@platform
def verify(here: Platform, grant: int, by: str, columns: str, case_number: str, actor: str, as_json: bool) -> None:
    """Verify values about one person (核验) under GRANT: yes, no or not known. The values are asked for."""
    value = asked_for(by)
    names = [column.strip() for column in columns.split(",") if column.strip()]
    attributes = {column: asked_for(column) for column in names}
    with the_door(here) as door:
        _print_verdict(door.verify(actor, grant, by, value, attributes, case_number), as_json)


@click.command()
@click.argument("grant", type=int)
@case_option
@actor_option
@as_json_option
@platform
def kinship(here: Platform, grant: int, case_number: str, actor: str, as_json: bool) -> None:
    """Whether one person is the parent of another (亲属关系核验) under GRANT: yes, no or not known. Numbers and names are asked for."""
    values = [asked_for(name, of=of) for of in ("父母 parent", "子女 child") for name in (ID_NUMBER, "name")]
    parent, child = named(ID_NUMBER, *values[:2]), named(ID_NUMBER, *values[2:])
    with the_door(here) as door:
        _print_verdict(door.kinship(actor, grant, parent, child, case_number), as_json)


@click.command("case-look-up")
@click.argument("grants", type=int, nargs=-1, required=True)
@click.option("--case", "case_number", required=True, help="Case number of the grants (办件号).")
@click.option(
    "--persons",
    type=click.File(encoding="utf-8-sig"),
    default="-",
    help="Identity numbers, one a line; by default from standard input (人员名单).",
)
@out_option
@actor_option
@as_json_option
@platform
def case_look_up(here: Platform, grants: tuple[int, ...], case_number: str, persons: TextIO, out: Path, actor: str, as_json: bool) -> None:
    """What the data sets under GRANTS say of the persons of one case (办案查询), as JSON; each grant must be for this very case."""
    numbers = [line.strip() for line in persons if line.strip()]
    with the_door(here) as door:
        print_answer(door.case_look_up(actor, grants, case_number, numbers, out), as_json)


def asked_for(column: str, *, of: str = "") -> str:
    """A value that names a person: typed unseen at a terminal, else a line of standard input."""
    return str(click.prompt(f"{of} {titled(column)}".strip(), hide_input=sys.stdin.isatty(), err=True))


def _print_verdict(answer: Answer, as_json: bool) -> None:
    verdict = str(told_of(answer)["verdict"])
    if as_json:
        print_json({"record": answer.seq, "digest": answer.digest, "verdict": verdict})
    else:
        console.print(f"{VERDICTS[verdict]} {verdict} · 记录 record {answer.seq}")


VERDICTS = {"yes": "一致", "no": "不一致", "not_known": "无法判断"}


def told_of(answer: Answer) -> dict[str, object]:
    """What an inquiry was told."""
    assert isinstance(answer.value, Told)
    return dict(json.loads(answer.value.body))


def _print(told: dict[str, object], answer: Answer) -> None:
    values = told["values"]
    for name, value in values.items() if isinstance(values, dict) else ():
        console.print(f"{titled(name)}: {readable(name, value)}", markup=False)
    if not told["found"]:
        console.print("查无此人，或不在授权范围内 nobody of that number within the grant")
    console.print(f"记录 record {answer.seq}")
