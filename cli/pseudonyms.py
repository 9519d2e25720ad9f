"""Commands of pseudonyms: `tongchou pseudonyms begin-epoch|reverse|approve-link|link`."""

from datetime import datetime
from pathlib import Path

import click

from access.epochs import begin_epoch
from access.linkage import approve_linkage
from access.reversal import Reversal
from cli.answers import out_option, print_answer, the_door
from cli.grants import by_option, day, the_log
from cli.output import as_json_option, console, errors, print_json, print_table
from cli.platform import Platform, platform
from rules.departments import resolve_department
from rules.tiers import load_tier_policy

why_option = click.option("--why", "reason", required=True, help="The reason; it goes into the log (理由).")


@click.group()
def pseudonyms() -> None:
    """Pseudonyms (假名) and encrypted numbers: new keys for a recipient, what one stands for, and joining those of two recipients."""


@pseudonyms.command("begin-epoch")
@click.argument("department")
@why_option
@by_option
@as_json_option
@platform
def begin(here: Platform, department: str, reason: str, by: str, as_json: bool) -> None:
    """From now on all pseudonyms for DEPARTMENT are new (换期): what it holds can be joined with nothing that it is handed later."""
    made = begin_epoch(here.store, the_log(here), by=by, recipient=resolve_department(department), reason=reason, now=here.now())
    if as_json:
        print_json(made)
        return
    console.print(f"第 {made.number} 期已开始，杂凑算法 epoch {made.number} has begun, digest: {made.digest}")
    if made.digest != (wanted := load_tier_policy().pseudonym_digest):
        errors.print(f"提示 Note: 本机密码库没有 {wanted}，改用 {made.digest} this build has no {wanted}")


@pseudonyms.command()
@click.argument("grant", type=int)
@click.argument("column")
@click.argument("values", nargs=-1, required=True)
@why_option
@by_option
@as_json_option
@platform
def reverse(here: Platform, grant: int, column: str, values: tuple[str, ...], reason: str, by: str, as_json: bool) -> None:
    """What VALUES of COLUMN stand for that were handed out under GRANT (还原); recorded with its reason."""
    with the_door(here) as door:
        found = door.reverse(by, reason, grant, column, values).value
    assert isinstance(found, Reversal)
    if as_json:
        print_json(found)
        return
    print_table(
        f"还原 reversed: {column}", ("所问 asked", "所指 stands for"), [(asked, value or "无 nothing") for asked, value in found.found]
    )


@pseudonyms.command("approve-link")
@click.argument("grant_a", type=int)
@click.argument("grant_b", type=int)
@click.option("--basis", required=True, help="《Law》 and article that allows it (依据).")
@click.option("--case", "case_number", required=True, help="Case number (办件号).")
@click.option("--to-day", "valid_to", type=day, required=True, help="Last day (止).")
@why_option
@by_option
@as_json_option
@platform
def approve_link(
    here: Platform, grant_a: int, grant_b: int, basis: str, case_number: str, valid_to: datetime, reason: str, by: str, as_json: bool
) -> None:
    """Approve that the pseudonyms under GRANT_A and GRANT_B are joined (审批关联票); another person then makes the table."""
    made = approve_linkage(
        here.store,
        the_log(here),
        by=by,
        grants=(grant_a, grant_b),
        legal_basis=basis,
        case_number=case_number,
        reason=reason,
        valid_to=valid_to.date(),
        now=here.now(),
    )
    if as_json:
        print_json({"ticket": made.id, "valid_to": made.valid_to.isoformat()})
        return
    console.print(f"关联票 {made.id} 号 linkage ticket {made.id}: {made.grant_a.grantee} ↔ {made.grant_b.grantee}, {made.valid_to}")
    console.print(f"下一步 Next: tongchou pseudonyms link {made.id} --as ACCOUNT --out FILE.csv")


@pseudonyms.command()
@click.argument("ticket", type=int)
@out_option
@by_option
@as_json_option
@platform
def link(here: Platform, ticket: int, out: Path, by: str, as_json: bool) -> None:
    """Write the pairs of pseudonyms that linkage TICKET allows to join (关联)."""
    with the_door(here) as door:
        print_answer(door.link(by, ticket, out, out.suffix.lstrip(".").lower()), as_json)
