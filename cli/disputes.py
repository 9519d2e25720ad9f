"""Commands of disputes: `tongchou ticket dispute open|agree|coordinate|settle|refer|decide|show`."""

from collections.abc import Callable

import click

from casework import disputes
from casework.attempts import Act
from casework.disputes import FINDING_TEXTS, LEVEL_TEXTS, MOVES, Dispute, Finding
from cli.grants import the_log
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform

by_option = click.option("--as", "by", required=True, help="The account that acts (账号).")
reason_option = click.option("--reason", required=True, help="Why, without numbers of persons (理由).")
document_option = click.option("--document", required=True, help="Number of the document of this step (文号).")
finding_option = click.option(
    "--finding", type=click.Choice([finding.value for finding in Finding]), required=True, help="What was found (认定)."
)


@click.group()
def dispute() -> None:
    """Disputes (争议, L-29): the sides negotiate, the bureau coordinates, the government decides; every step with its document."""


@dispute.command("open")
@click.argument("ticket", type=int)
@click.option("--across", is_flag=True, help="Across levels or areas: the common superior bureau coordinates (跨层级、跨地区).")
@document_option
@by_option
@reason_option
@as_json_option
@platform
def open_(here: Platform, ticket: int, across: bool, document: str, by: str, reason: str, as_json: bool) -> None:
    """Dispute what was answered to TICKET (提起争议)."""
    act = Act(by=by, now=here.now(), reason=reason)
    made = disputes.open_dispute(here.store, the_log(here), ticket=ticket, act=act, document=document, across=across)
    print_dispute(made, as_json)


def _plain(name: str, move: Callable[..., Dispute], text: str) -> None:
    @dispute.command(name, help=text)
    @click.argument("number", type=int)
    @document_option
    @by_option
    @reason_option
    @as_json_option
    @platform
    def command(here: Platform, number: int, document: str, by: str, reason: str, as_json: bool) -> None:
        act = Act(by=by, now=here.now(), reason=reason)
        print_dispute(move(here.store, the_log(here), dispute=number, act=act, document=document), as_json)


def _ending(name: str, move: Callable[..., Dispute], text: str) -> None:
    @dispute.command(name, help=text)
    @click.argument("number", type=int)
    @finding_option
    @document_option
    @by_option
    @reason_option
    @as_json_option
    @platform
    def command(here: Platform, number: int, finding: str, document: str, by: str, reason: str, as_json: bool) -> None:
        act = Act(by=by, now=here.now(), reason=reason)
        done = move(here.store, the_log(here), dispute=number, act=act, document=document, finding=Finding(finding))
        print_dispute(done, as_json)


_ending("agree", disputes.agree, "The sides have agreed (协商一致).")
_plain("coordinate", disputes.coordinate, "The sides did not agree: ask for coordination (提请协调).")
_ending("settle", disputes.settle, "The coordination has led to an agreement (协调一致).")
_plain("refer", disputes.refer, "Still no agreement: the government decides (报请政府决定).")
_ending("decide", disputes.decide, "Enter the government's decision (政府决定).")


@dispute.command()
@click.argument("number", type=int)
@as_json_option
@platform
def show(here: Platform, number: int, as_json: bool) -> None:
    """Dispute NUMBER with its chain of steps and documents (争议详情)."""
    with here.store.session() as session:
        found = disputes.load_dispute(session, number)
    print_dispute(found, as_json)


def print_dispute(one: Dispute, as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    outcome = f" · {FINDING_TEXTS[one.outcome]}" if one.outcome else ""
    console.print(f"争议 {one.id} 号 dispute {one.id}: 工单 ticket {one.ticket_id} · {LEVEL_TEXTS[one.level]}{outcome}", markup=False)
    texts = {"open": "提起 opened", **{name: f"{move.zh} {move.en}" for name, move in MOVES.items()}}
    rows = [(f"{step.at:%Y-%m-%d}", texts[step.move], LEVEL_TEXTS[step.level], step.document, step.by, step.reason) for step in one.steps]
    print_table("经过 the chain", ("时间 at", "处理 move", "阶段 level", "文号 document", "经办 by", "说明 reason"), rows)
