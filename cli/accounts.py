"""Commands of accounts: `tongchou account key|keys|revoke-key`."""

from datetime import datetime, timedelta

import click

from access.api_keys import list_keys, make_key, revoke_key
from access.decision import KEY_ACTS, Act
from cli.grants import by_option, the_log
from cli.output import as_json_option, console, errors, print_json, print_table
from cli.platform import Platform, platform

DEFAULT_KEY_DAYS = 90

why_option = click.option("--why", required=True, help="The reason (理由).")


@click.group()
def account() -> None:
    """Accounts (账号) and by what they are known: API keys of systems (接口密钥)."""


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
