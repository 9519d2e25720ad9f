"""Commands of accounts and grants: `tongchou grant account|add|list|find|regraded|suspend|resume|end`."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path

import click

from access.accounts import OPERATOR_NAME, Role, create_account, load_account
from access.clients import keep_clients
from access.grant_book import OpenBook, Wanted
from access.grants import change_state, grant_warnings, list_grants, open_grants
from access.grants import grant as make_grant
from access.log_faults import log_faults_translated
from access.targets import load_target
from access.terms import MODE_TEXTS, Clients, Disputed, GrantState, Mode, Quota, RowScope
from audit.log import Log, open_log
from casework.regradings import list_regradings, see_regrading, tell_regraded
from catalog.snapshots import CHINA
from cli.output import as_json_option, console, errors, print_json, print_table
from cli.platform import Platform, platform
from rules.departments import resolve_department
from rules.errors import NotFound
from rules.tiers import Audience, Tier, load_tier_policy

NEXT = {
    Mode.FILE: "extract {} --as ACCOUNT --out FILE.csv",
    Mode.TABLE: "load {} --into URL --table NAME --receipt FILE --as ACCOUNT",
    Mode.LOOKUP: "look-up {} --as ACCOUNT",
    Mode.VERIFY: "verify {} --about COLUMN,COLUMN --as ACCOUNT",
}
"""What a grant of a mode is used by."""
COUNTED = "statistics {} --by COLUMN --as ACCOUNT"
"""And one of T0, whatever its mode."""
CLIENTS_HELP = "Only people on this list: a text of one identity number a line (本部门服务对象清单)."
by_option = click.option("--as", "by", default=OPERATOR_NAME, show_default=True, help="The account that decides (账号).")
day = click.DateTime(formats=["%Y-%m-%d"])


def the_log(here: Platform) -> Log:
    with log_faults_translated():
        return open_log(here.home.audit_url, here.home.keys)


@click.group()
def grant() -> None:
    """Accounts (账号) and grants (授权): who may take what, for which purpose, from when to when."""


@grant.command()
@click.argument("name")
@click.option("--title", required=True, help="Who it is, a unit and a function, for people to read (单位与职务).")
@click.option("--department", help="Department; none for the bureau's own people (部门).")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([role.value for role in Role]), help="Role (角色).")
@by_option
@as_json_option
@platform
def account(here: Platform, name: str, title: str, department: str | None, roles: tuple[str, ...], by: str, as_json: bool) -> None:
    """Make the account NAME (建立账号)."""
    where = resolve_department(department) if department else None
    granted = [Role(role) for role in roles]
    made = create_account(here.store, the_log(here), by=by, name=name, title=title, department=where, roles=granted, now=here.now())
    if as_json:
        print_json(made)
        return
    console.print(
        f"账号已建立 account made: {made.name} ({made.department or '统筹局 bureau'}; {', '.join(sorted(made.roles))})", markup=False
    )


@grant.command()
@click.option("--to", "grantee", required=True, help="The department that asks (需求部门).")
@click.option("--over", "target", default="golden", show_default=True, help="`golden` or a data set's key (对象).")
@click.option("--columns", required=True, help="Columns, with commas between (数据项).")
@click.option("--tier", type=click.Choice([tier.value for tier in Tier]), default="T2", show_default=True, help="Release tier (开放层级).")
@click.option("--purpose", required=True, help="What it is for (用途).")
@click.option("--basis", required=True, help="Law and article, or decision (依据).")
@click.option("--case", "case_number", default="", help="Case number (办件号).")
@click.option("--area", "areas", multiple=True, help="Only rows of this area: a code of 6, 9, 12 or 15 digits (行范围).")
@click.option("--where", "filters", multiple=True, help="Only rows where COLUMN=VALUE (行范围).")
@click.option(
    "--audience",
    type=click.Choice([one.value for one in Audience]),
    default="department",
    show_default=True,
    help="For whom it is opened (开放范围).",
)
@click.option("--named", multiple=True, help="With `--audience leaders`: an account that may use it (指定账号).")
@click.option(
    "--mask", "masks", multiple=True, help="COLUMN=MASK: another mask than the usual one, of those in rules/tiers.yaml (脱敏方法)."
)
@click.option("--clients", type=click.Path(path_type=Path, dir_okay=False), help=CLIENTS_HELP)
@click.option(
    "--disputed",
    type=click.Choice([one.value for one in Disputed]),
    default=Disputed.MARK.value,
    show_default=True,
    help="Golden values in dispute: left out, marked in a column of their own, or kept (存疑值).",
)
@click.option(
    "--mode", type=click.Choice([mode.value for mode in Mode]), default="file", show_default=True, help="How it is shared (共享方式)."
)
@click.option("--calls-a-day", type=click.IntRange(min=1), help="Look-ups or verifications a day at most (每日次数).")
@click.option("--from", "valid_from", type=day, help="First day; by default today (起).")
@click.option("--to-day", "valid_to", type=day, required=True, help="Last day (止).")
@by_option
@as_json_option
@platform
def add(
    here: Platform, grantee: str, target: str, columns: str, tier: str, purpose: str, basis: str, case_number: str, areas: tuple[str, ...],
    filters: tuple[str, ...], audience: str, named: tuple[str, ...], masks: tuple[str, ...], clients: Path | None,
    disputed: str, mode: str,
    calls_a_day: int | None, valid_from: datetime | None, valid_to: datetime, by: str, as_json: bool,
) -> None:  # fmt: skip
    """Make a grant (授权). Its terms never change: wider terms are a new grant."""
    made = make_grant(
        here.store,
        here.lake,
        the_log(here),
        by=by,
        grantee=resolve_department(grantee),
        target=target,
        columns=[column.strip() for column in columns.split(",") if column.strip()],
        tier=Tier(tier),
        purpose=purpose,
        legal_basis=basis,
        case_number=case_number,
        row_scope=RowScope(areas=areas, equals=parsed_filters(filters), clients=uploaded_clients(here, clients)),
        valid_from=valid_from.date() if valid_from else date.today(),  # noqa: DTZ011 — a day of the bureau's calendar
        valid_to=valid_to.date(),
        disputed=Disputed(disputed),
        now=here.now(),
        audience=Audience(audience),
        named=named,
        masks=parsed_masks(masks),
        mode=Mode(mode),
        quotas={Quota.CALLS_PER_DAY: calls_a_day} if calls_a_day else {},
    )
    with here.store.session() as session:
        warnings = grant_warnings(made, load_target(session, here.lake, made.target), load_tier_policy())
    for warning in warnings:
        errors.print(f"提示 Note: {warning}", markup=False)
    if as_json:
        print_json(made)
        return
    console.print(f"授权 {made.id} 号已生效 grant {made.id} is in force: {made.grantee} ← {made.target} ({made.tier})", markup=False)
    use = COUNTED if made.tier is Tier.T0 else NEXT[made.mode]
    console.print(f"下一步 Next: tongchou {use}".format(made.id))


@grant.command("list")
@as_json_option
@platform
def list_(here: Platform, as_json: bool) -> None:
    """All grants (授权清单)."""
    with here.store.session() as session:
        found = list_grants(session)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    headers = ("号 no.", "需求部门 grantee", "对象 target", "层级 tier", "止 until", "状态 state", "用途 purpose")
    rows = [(g.id, g.grantee, g.target, g.tier.value, g.valid_to, g.state.value, g.purpose) for g in found]
    print_table("授权 grants", headers, rows, numbers=(0,))


@grant.command()
@click.option("--to", "grantee", required=True, help="The department that asks (需求部门).")
@click.option("--over", "target", default="golden", show_default=True, help="`golden` or a data set's key (对象).")
@click.option("--columns", required=True, help="Columns, with commas between (数据项).")
@click.option("--purpose", required=True, help="What it is for, as the grant says it (用途).")
@click.option("--mode", "modes", multiple=True, type=click.Choice([mode.value for mode in Mode]), help="By default any (共享方式).")
@as_json_option
@platform
def find(here: Platform, grantee: str, target: str, columns: str, purpose: str, modes: tuple[str, ...], as_json: bool) -> None:
    """By which grant a question is decided (查找授权): one in force, of the lowest tier, the newest."""
    wanted = Wanted(
        department=resolve_department(grantee),
        target=target,
        purpose=purpose,
        columns=[column.strip() for column in columns.split(",") if column.strip()],
        modes=[Mode(mode) for mode in modes] or list(Mode),
    )
    with here.store.session() as session:
        found = OpenBook().at(session, here.now().astimezone(CHINA).date()).find(wanted)
    if found is None:
        raise NotFound("DOOR-NO-GRANT", where=wanted.department)
    if as_json:
        print_json(asdict(found))
        return
    console.print(f"授权 grant {found.id}: {found.tier} · {MODE_TEXTS[found.mode]} · {found.state.value} · {found.valid_to}", markup=False)


def tell_regradings(here: Platform) -> int:
    """How many open grants a changed level touches. Where nothing is granted yet nobody is told, and no log is needed."""
    with here.store.session() as session:
        if not open_grants(session):
            return 0
    return tell_regraded(here.store, here.lake, the_log(here), now=here.now())


@grant.command()
@click.option("--seen", type=int, help="Number of a notice that is taken note of (签收).")
@click.option("--all", "everything", is_flag=True, help="Also what was taken note of (含已签收).")
@by_option
@as_json_option
@platform
def regraded(here: Platform, seen: int | None, everything: bool, by: str, as_json: bool) -> None:
    """Which open grants a changed level or mask touches (重新分级): tells grantee and bureau, lists what the account was told."""
    tell_regraded(here.store, here.lake, the_log(here), now=here.now())
    with here.store.session() as session, session.begin():
        where = load_account(session, by).department
        if seen is not None:
            see_regrading(session, seen, by=by, department=where, now=here.now())
        found = list_regradings(session, where, unseen=not everything)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    rows = [(one.id, one.grant, one.department or "统筹局 bureau", "; ".join(map(_told, one.columns.items()))) for one in found]
    print_table("重新分级 re-graded", ("号 no.", "授权 grant", "通知 told", "数据项 columns"), rows, numbers=(0, 1))


def _told(column: tuple[str, Mapping[str, Mapping[str, str] | None]]) -> str:
    name, sides = column
    before, now = (f"{side['level']} {side['mask']}" if (side := sides[key]) else "–" for key in ("before", "now"))
    return f"{name}: {before} → {now}"


def _change(name: str, state: GrantState, text: str) -> None:
    @grant.command(name, help=text)
    @click.argument("number", type=int)
    @click.option("--why", required=True, help="The reason (理由).")
    @by_option
    @platform
    def command(here: Platform, number: int, why: str, by: str) -> None:
        changed = change_state(here.store, the_log(here), by=by, grant_id=number, state=state, why=why)
        console.print(f"授权 {changed.id} 号 grant {changed.id}: {changed.state.value}")


_change("suspend", GrantState.SUSPENDED, "Suspend a grant (暂停); an extract under way stops.")
_change("resume", GrantState.ACTIVE, "Resume a suspended grant (恢复).")
_change("end", GrantState.ENDED, "End a grant for good (终止).")


def parsed_masks(masks: tuple[str, ...]) -> Mapping[str, str]:
    """`COLUMN=MASK` options as the mask of each column."""
    parts = [text.partition("=") for text in masks]
    if wrong := next((text for text, (_, equals, _) in zip(masks, parts, strict=True) if not equals), None):
        raise click.BadParameter(f"{wrong}: 应为 COLUMN=MASK", param_hint="--mask")
    return {column: mask for column, _, mask in parts}


def uploaded_clients(here: Platform, file: Path | None) -> Clients | None:
    """The list of clients in a file, kept; none where none is given."""
    if file is None:
        return None
    with here.store.session() as session:
        return keep_clients(here.home.clients, session, the_log(here), file)


def parsed_filters(filters: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """`COLUMN=VALUE` options as allowed values per column."""
    found: dict[str, tuple[str, ...]] = {}
    for text in filters:
        column, equals, value = text.partition("=")
        if not equals:
            raise click.BadParameter(f"{text}: 应为 COLUMN=VALUE", param_hint="--where")
        found[column] = (*found.get(column, ()), value)
    return found
