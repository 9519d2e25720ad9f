"""Working days and limits: `tongchou calendar show|publish|limits`."""

from pathlib import Path
from typing import Any

import click
import yaml

from access.accounts import OPERATOR_NAME
from casework.calendar import publish_limits, publish_notices
from catalog.published import calendar_in_force, clocks_in_force
from cli.grants import the_log
from cli.output import as_json_option, console, print_json, print_table
from cli.platform import Platform, platform
from rules.clocks import Supplement
from rules.errors import Refused

by_option = click.option("--as", "by", default=OPERATOR_NAME, show_default=True, help="The account that publishes (账号).")
reason_option = click.option("--reason", required=True, help="The document it rests on (依据).")


@click.group()
def calendar() -> None:
    """Working days (工作日) by the State Council's notices, and the clocks (时限): shorter than the law's where the city says so."""


@calendar.command()
@as_json_option
@platform
def show(here: Platform, as_json: bool) -> None:
    """The calendar and the limits in force (现行日历与时限)."""
    with here.store.session() as session:
        days, limits = calendar_in_force(session), clocks_in_force(session)
    years = [(year, days.notices[year].document if days.announced(year) else None) for year in sorted(days.statutory)]
    if as_json:
        told: dict[str, Any] = {"calendar_version": days.version, "years": [{"year": y, "notice": n} for y, n in years]}
        print_json(told | {"clocks_version": limits.version, "supplement": limits.supplement, "clocks": list(limits.clocks.values())})
        return
    rows = [(year, notice or "未公布，限期暂定 not announced: due dates are provisional") for year, notice in years]
    print_table(f"日历第 {days.version} 版 calendar version {days.version}", ("年 year", "放假安排 notice"), rows)
    limit_rows = [(f"{c.zh} {c.en}", c.days, c.ceiling or "–", c.rule, c.article) for c in limits.clocks.values()]
    title = f"时限第 {limits.version} 版 limits version {limits.version}"
    print_table(title, ("时限 clock", "工作日 days", "法定 law", "规则 rule", "条 Art."), limit_rows, numbers=(1, 2))


@calendar.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@reason_option
@by_option
@as_json_option
@platform
def publish(here: Platform, file: Path, reason: str, by: str, as_json: bool) -> None:
    """Publish the arrangement of days off in FILE (发布放假安排).

    YAML as in rules/calendar.yaml under `notices`: YEAR: {document, days_off, days_worked}. Every open due date is computed
    again, with a record.
    """
    done = publish_notices(here.store, the_log(here), by=by, notices=_read(file), reason=reason, now=here.now())
    if as_json:
        print_json(done)
        return
    moved = f"{done.recomputed.moved} 个限期已移动 due dates moved, {done.recomputed.made_certain} 个由暂定转为确定 made certain"
    console.print(f"日历第 {done.version} 版已发布 calendar version {done.version}: {moved}")


@calendar.command()
@click.option("--set", "limits", multiple=True, help="CLOCK=DAYS (时限=工作日).")
@click.option("--supplement", type=click.Choice([choice.value for choice in Supplement]), help="The answer's clock at a supplement (补正).")
@reason_option
@by_option
@as_json_option
@platform
def limits(here: Platform, limits: tuple[str, ...], supplement: str | None, reason: str, by: str, as_json: bool) -> None:
    """Publish local limits (发布本地时限): never longer than the law's; clocks that run keep their days."""
    pairs = [text.partition("=") for text in limits]
    days = {clock: int(number) if number.isascii() and number.isdecimal() else number for clock, _, number in pairs}
    done = publish_limits(here.store, the_log(here), by=by, days=days, supplement=supplement, reason=reason, now=here.now())
    if as_json:
        print_json({"version": done.version})
        return
    console.print(f"时限第 {done.version} 版已发布 limits version {done.version}")


def _read(file: Path) -> dict[Any, Any]:
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise Refused("CLK-CALENDAR", where=file.name, what=type(fault).__name__) from fault
    if not isinstance(found, dict):
        raise Refused("CLK-CALENDAR", where=file.name, what="YEAR: {document, days_off, days_worked}")
    return found
