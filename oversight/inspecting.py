"""The inspection (研判) of a period: which looks something explains, what is left, and which accounts it points at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import duckdb

from access.readers import Reader
from catalog.snapshots import CHINA
from oversight.alerts import raise_alerts
from oversight.explaining import explain, make_facts
from oversight.facts import Holder, gather_facts
from oversight.looks import gather_looks
from oversight.ranking import Ranked, rank
from oversight.reading_room import ReadingRoom
from rules.clocks import WorkingDays
from rules.errors import NotFound
from rules.oversight import Yardsticks

MOST_RANKED = 1_000
DAYS_BEFORE = 90


@dataclass(frozen=True, kw_only=True)
class Period:
    """From a day to a day, both included, in China."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        return datetime.combine(self.first, time(0), tzinfo=CHINA)

    @property
    def until(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time(0), tzinfo=CHINA)


@dataclass(frozen=True, kw_only=True)
class Means:
    """What an inspection is made by."""

    yardsticks: Yardsticks
    calendar: WorkingDays
    roster: Sequence[Holder] = ()


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """`looks`: at single people; `explained`: reason → looks it explains; `alerts`: rule → accesses it points at; `ranked`: accounts."""

    accesses: int
    looks: int
    unexplained: int
    explained: dict[str, int]
    alerts: dict[str, int]
    ranked: tuple[Ranked, ...]


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Why the access at `seq` was in order, person by person of those it was about, and which rules point at it."""

    seq: int
    people: int
    unexplained: int
    reasons: dict[str, int]
    alerts: tuple[str, ...]


def inspect(room: ReadingRoom, reader: Reader, period: Period, means: Means, *, limit: int) -> Inspection:
    """Explain a period's looks and rank the accounts by what stays unexplained or is odd."""
    asked = {"first": period.first.isoformat(), "last": period.last.isoformat(), "limit": limit, "yardsticks": means.yardsticks.version}

    def look() -> Inspection:
        with duckdb.connect() as con:
            look_into(con, room, period, means)
            return _inspection(con, means.yardsticks, limit)

    return room.read(reader, "inspect", asked, look, lambda found: {"accesses": found.accesses, "unexplained": found.unexplained})


def explain_access(room: ReadingRoom, reader: Reader, seq: int, means: Means) -> Explained:
    """The same of one access, seen with those of the `DAYS_BEFORE` before it. NotFound OVS-RECORD if it is no look at somebody."""

    def look() -> Explained:
        if not 0 <= seq < room.finder.size:
            raise NotFound("OVS-RECORD", where=str(seq))
        day = room.log.entry(seq).record.at.astimezone(CHINA).date()
        with duckdb.connect() as con:
            look_into(con, room, Period(first=day - timedelta(days=DAYS_BEFORE), last=day), means)
            return _explained(con, seq)

    return room.read(reader, "explain", {"record": seq}, look, lambda found: {"people": found.people, "unexplained": found.unexplained})


def look_into(con: duckdb.DuckDBPyConnection, room: ReadingRoom, period: Period, means: Means) -> None:
    start, end = room.finder.bounds(period.since, period.until)
    gather_looks(con, room.log, means.yardsticks, start, end)
    for name in ("look", "access"):
        con.execute(f"DELETE FROM {name} WHERE seq IN (SELECT seq FROM access WHERE day NOT BETWEEN ? AND ?)", [period.first, period.last])
    make_facts(con)
    famous = means.yardsticks.famous_names
    gather_facts(con, room, roster=means.roster, famous=famous, calendar=means.calendar, first=period.first, last=period.last)
    explain(con)
    raise_alerts(con, means.yardsticks)


def _inspection(con: duckdb.DuckDBPyConnection, yardsticks: Yardsticks, limit: int) -> Inspection:
    def count(sql: str) -> int:
        return int(con.execute(f"SELECT count(*) FROM {sql}").fetchall()[0][0])

    return Inspection(
        accesses=count("access"),
        looks=count("look"),
        unexplained=count("unexplained"),
        explained=dict(con.execute("SELECT reason, count(*) FROM explained GROUP BY reason ORDER BY 2 DESC, 1").fetchall()),
        alerts=dict(con.execute("SELECT rule, count(*) FROM alert GROUP BY rule ORDER BY 2 DESC, 1").fetchall()),
        ranked=tuple(rank(con, yardsticks, limit)),
    )


def _explained(con: duckdb.DuckDBPyConnection, seq: int) -> Explained:
    people = con.execute("SELECT count(*) FROM look WHERE seq = ?", [seq]).fetchall()[0][0]
    if not people:
        raise NotFound("OVS-RECORD", where=str(seq))
    reasons = con.execute("SELECT reason, count(*) FROM explained WHERE seq = ? GROUP BY reason ORDER BY 2 DESC, 1", [seq]).fetchall()
    alerts = con.execute("SELECT rule FROM alert WHERE seq = ? ORDER BY rule", [seq]).fetchall()
    unexplained = con.execute("SELECT count(*) FROM unexplained WHERE seq = ?", [seq]).fetchall()[0][0]
    return Explained(seq=seq, people=people, unexplained=unexplained, reasons=dict(reasons), alerts=tuple(rule for (rule,) in alerts))
