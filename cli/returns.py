"""Commands of what goes back to departments (回流, law.md L-22): `tongchou catalog offer-returns|returns`."""

import click

from casework.entries.returning import offer_returns
from casework.finding import asker_of, returned_to
from catalog.entries.returning import Assessments
from catalog.entries.states import STATE_TITLES
from cli.entries import asker_option, by_option
from cli.grants import the_log
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform
from rules.departments import department_title


@click.command("offer-returns")
@click.argument("datasets", nargs=-1)
@click.option("--secrecy-assessment", default="", help="Number of the secrecy assessment (保密风险评估, L-07).")
@click.option("--privacy-assessment", default="", help="Number of the assessment of effects on persons (个人信息保护影响评估, L-07).")
@click.option("--not-secret", is_flag=True, help="Declare that none of it is a state or work secret (不属于国家秘密、工作秘密, L-01).")
@by_option
@as_json_option
@platform
def offer_returns_(
    here: Platform,
    datasets: tuple[str, ...],
    secrecy_assessment: str,
    privacy_assessment: str,
    not_secret: bool,
    by: str,
    as_json: bool,
) -> None:
    """Compile the entries of what goes back (编制回流目录, L-22): for DATASETS, or all with none yet; another person publishes each."""
    assessments = Assessments(secrecy=secrecy_assessment, privacy=privacy_assessment, not_secret=not_secret)
    made = offer_returns(here.store, here.lake, the_log(here), by=by, datasets=datasets, assessments=assessments, now=here.now())
    if as_json:
        print_json([{"entry": one.id, "code": one.code, "returns": one.returns, "state": one.state} for one in made])
        return
    rows = [(one.id, one.code, one.title, STATE_TITLES[one.state]) for one in made]
    print_table(f"{len(made)} 个回流目录 entries", ("号 no.", "代码 code", "名称 title", "状态 state"), rows, numbers=(0,))
    if made:
        console.print(f"下一步 next: tongchou catalog publish {made[0].id} --as APPROVER（由另一人发布 by another person）", markup=False)


@click.command("returns")
@asker_option
@as_json_option
@platform
def returns_(here: Platform, by: str, as_json: bool) -> None:
    """Golden values that go back to the own department (回流, L-22): request one with `tongchou request draft --over return:…`."""
    with here.store.session() as session:
        found = returned_to(session, asker_of(session, by))
    if as_json:
        print_json(found)
        return
    rows = [(one.target, one.entry, one.code, one.title, department_title(one.department), len(one.columns)) for one in found]
    headers = ("对象 target", "目录 entry", "代码 code", "名称 title", "部门 department", "数据项 columns")
    print_table("回流 golden values returned", headers, rows, numbers=(1, 5))


RETURNS = (offer_returns_, returns_)
