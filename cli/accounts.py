"""Commands of accounts: `tongchou account roles|close|password|choose-password|key|keys|revoke-key`, and of emergencies.

Passwords are asked for and never taken as arguments, which others on the machine can read.
"""

from datetime import datetime, timedelta

import click

from access.accounts import Role, change_roles, close_account, load_account
from access.acts import Act
from access.api_keys import list_keys, make_key, revoke_key
from access.break_glass import Emergency, break_glass, emergencies_told, review_emergency
from access.grounds import KEY_ACTS
from access.passwords import choose_password, provisional_password
from access.terms import MODE_TEXTS, Mode, RowScope
from cli.grants import by_option, parsed_filters, the_log
from cli.output import as_json_option, console, errors, print_json, print_table
from cli.platform import Platform, platform

DEFAULT_KEY_DAYS = 90
COMMAND_LINE = "command line"
"""The origin that records of sign-ins name."""

why_option = click.option("--why", required=True, help="The reason (理由).")


@click.group()
def account() -> None:
    """Accounts (账号): roles, passwords, API keys of systems (接口密钥), emergencies (紧急调用)."""


@account.command()
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([role.value for role in Role]), help="Role (角色).")
@why_option
@by_option
@as_json_option
@platform
def roles(here: Platform, name: str, roles: tuple[str, ...], why: str, by: str, as_json: bool) -> None:
    """Give the account NAME these roles and no others (变更角色); never one's own."""
    changed = change_roles(here.store, the_log(here), by=by, account=name, roles=[Role(role) for role in roles], why=why, now=here.now())
    if as_json:
        print_json(changed)
        return
    console.print(f"角色已变更 roles changed: {name} ({', '.join(sorted(changed.roles))})", markup=False)


@account.command()
@click.argument("name")
@why_option
@by_option
@as_json_option
@platform
def close(here: Platform, name: str, why: str, by: str, as_json: bool) -> None:
    """Close the account NAME for good (停用账号): its sessions and keys end at once."""
    closed = close_account(here.store, the_log(here), by=by, account=name, why=why)
    if as_json:
        print_json(closed)
        return
    console.print(f"账号已停用 account closed: {name}", markup=False)


@account.command()
@click.argument("name")
@by_option
@as_json_option
@platform
def password(here: Platform, name: str, by: str, as_json: bool) -> None:
    """Give the account NAME a provisional password (临时口令), shown once, to choose its own with."""
    made = provisional_password(here.store, the_log(here), by=by, account=name, now=here.now())
    if as_json:
        print_json({"account": name, "password": made})
        return
    console.print(made, markup=False)
    errors.print("临时口令只显示这一次，只能用来设置本人口令 shown this once, and good only to choose one's own", markup=False)


@account.command("choose-password")
@click.argument("name")
@click.option("--old", prompt="原口令 old", hide_input=True, hidden=True, expose_value=True)
@click.option("--new", prompt="新口令 new", hide_input=True, confirmation_prompt=True, hidden=True, expose_value=True)
@as_json_option
@platform
def choose_password_(here: Platform, name: str, old: str, new: str, as_json: bool) -> None:
    """Choose the password of one's own account NAME (设置本人口令); both are asked for. Its sessions end."""
    choose_password(here.store, the_log(here), account=name, old=old, new=new, now=here.now(), origin=COMMAND_LINE)
    if as_json:
        print_json({"account": name})
        return
    console.print(f"口令已设置 the password is set: {name}", markup=False)


@account.command("break-glass")
@click.option("--over", "target", default="golden", show_default=True, help="`golden` or a data set's key (对象).")
@click.option("--columns", required=True, help="Columns, with commas between (数据项).")
@click.option("--reason", required=True, help="The emergency, at least ten characters (理由).")
@click.option("--mode", type=click.Choice([mode.value for mode in MODE_TEXTS]), default="lookup", show_default=True, help="Mode (方式).")
@click.option("--area", "areas", multiple=True, help="Only rows of this area (行范围).")
@click.option("--where", "filters", multiple=True, help="Only rows where COLUMN=VALUE (行范围).")
@click.option("--as", "by", required=True, help="Who breaks the glass (账号).")
@as_json_option
@platform
def break_glass_(
    here: Platform, target: str, columns: str, reason: str, mode: str, areas: tuple[str, ...], filters: tuple[str, ...], by: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Data for one hour before anybody is asked (紧急调用): the owner is told at once, and a review is owed."""
    opened = break_glass(
        here.store,
        here.lake,
        the_log(here),
        by=by,
        target=target,
        columns=[column.strip() for column in columns.split(",") if column.strip()],
        reason=reason,
        now=here.now(),
        mode=Mode(mode),
        row_scope=RowScope(areas=areas, equals=parsed_filters(filters)),
    )
    if as_json:
        print_json(opened)
        return
    owner = opened.owner or "统筹局 bureau"
    console.print(
        f"紧急调用 {opened.id} 号：授权 {opened.grant} 号 grant {opened.grant}, 至 until {opened.ends_at:%H:%M} UTC", markup=False
    )
    console.print(f"已告知 told: {owner}；复核前不得再次紧急调用 none may follow before the review", markup=False)


@account.command()
@by_option
@as_json_option
@platform
def emergencies(here: Platform, by: str, as_json: bool) -> None:
    """The emergencies (紧急调用) that the account is told of: about its department's data, or by its department; the bureau: all."""
    with here.store.session() as session:
        found = emergencies_told(session, load_account(session, by))
    if as_json:
        print_json(found)
        return
    headers = ("号 no.", "授权 grant", "账号 account", "部门 department", "数据 owner", "理由 reason", "复核 review")
    rows = [(one.id, one.grant, one.account, one.department, one.owner or "统筹局", one.reason, _review(one)) for one in found]
    print_table("紧急调用 emergencies", headers, rows, numbers=(0, 1))


@account.command("review-emergency")
@click.argument("number", type=int)
@click.option("--justified/--unjustified", required=True, help="Whether it was one (是否属实).")
@click.option("--finding", required=True, help="What was found (复核意见).")
@click.option("--as", "by", required=True, help="Who reviews (账号).")
@as_json_option
@platform
def review_emergency_(here: Platform, number: int, justified: bool, finding: str, by: str, as_json: bool) -> None:
    """Review an emergency (复核): the owner's head or the bureau, never the department that broke the glass."""
    done = review_emergency(here.store, the_log(here), by=by, emergency=number, justified=justified, finding=finding, now=here.now())
    if as_json:
        print_json(done)
        return
    console.print(f"紧急调用 {done.id} 号已复核 emergency {done.id} is reviewed: {_review(done)}", markup=False)


@account.command()
@click.argument("name")
@click.option("--title", required=True, help="Which system holds the key (系统名称).")
@click.option(
    "--act", "acts", multiple=True, required=True, type=click.Choice(sorted(act.value for act in KEY_ACTS)), help="What it may ask (动作)."
)
@click.option("--grant", "grants", multiple=True, required=True, type=int, help="Under which grants (授权编号).")
@click.option("--days", type=int, default=DEFAULT_KEY_DAYS, show_default=True, help="How long it lives (有效天数).")
@click.option("--plaintext", is_flag=True, help="It may be answered in plaintext of level L3 and above (可得明文).")
@by_option
@as_json_option
@platform
def key(
    here: Platform, name: str, title: str, acts: tuple[str, ...], grants: tuple[int, ...], days: int, plaintext: bool, by: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Make an API key for a system of the account NAME (办理接口密钥). The key is shown once."""
    now = here.now()
    made = make_key(
        here.store,
        the_log(here),
        by=by,
        account=name,
        title=title,
        acts=[Act(act) for act in acts],
        grants=grants,
        expires_at=now + timedelta(days=days),
        now=now,
        plaintext=plaintext,
    )
    if as_json:
        print_json({"id": made.key.id, "secret": made.secret, "expires_at": made.key.expires_at})
        return
    console.print(made.secret, markup=False)
    errors.print(
        f"密钥 {made.key.id} 号只显示这一次 key {made.key.id} is shown this once; 至 until {_day(made.key.expires_at)}", markup=False
    )


@account.command()
@click.argument("name", required=False)
@as_json_option
@platform
def keys(here: Platform, name: str | None, as_json: bool) -> None:
    """The API keys, all or those of the account NAME, without the keys themselves (接口密钥清单)."""
    with here.store.session() as session:
        found = list_keys(session, name)
    if as_json:
        print_json(found)
        return
    headers = ("号 no.", "账号 account", "系统 system", "动作 acts", "授权 grants", "至 until", "撤销 revoked")
    rows = [
        (
            one.id, one.account, one.title, ", ".join(sorted(one.scope.acts)), ", ".join(map(str, sorted(one.scope.grants))),
            _day(one.expires_at), _day(one.revoked_at),
        )
        for one in found
    ]  # fmt: skip
    print_table("接口密钥 API keys", headers, rows, numbers=(0,))


@account.command("revoke-key")
@click.argument("number", type=int)
@why_option
@by_option
@as_json_option
@platform
def revoke_key_(here: Platform, number: int, why: str, by: str, as_json: bool) -> None:
    """Revoke an API key (撤销接口密钥), in effect from its next call."""
    revoked = revoke_key(here.store, the_log(here), by=by, key=number, why=why, now=here.now())
    if as_json:
        print_json(revoked)
        return
    console.print(f"密钥 {revoked.id} 号已撤销 key {revoked.id} is revoked", markup=False)


def _day(moment: datetime | None) -> str | None:
    return None if moment is None else moment.date().isoformat()


def _review(one: Emergency) -> str:
    if one.justified is None:
        return "待复核 owed"
    return f"{'属实 justified' if one.justified else '不当 unjustified'} ({one.reviewed_by})"
