"""The index finds what reading every record finds, whatever was sealed when; it is made anew when it is not of the log."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import finding
from audit.events import Event
from audit.finding import Finder, Found, Wanted, has_terms
from audit.log import Entry, Log, open_log
from audit.retention import destroy

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
ACTORS, GRANTS = ("lin", "he", "zhou"), ("1", "2")


def terms_of(body: Mapping[str, Any]) -> Found:
    terms = [(key, str(body[key])) for key in ("actor", "grant") if key in body]
    return Found(terms=terms, members=body.get("population"))


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed_log(tmp_path: Path, clock: Clock) -> Log:
    return open_log(f"sqlite:///{tmp_path / 'audit.db'}", tmp_path / "keys", clock=clock)


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few records fill several."""
    monkeypatch.setattr(finding, "SEGMENT", 8)


def access(log: Log, actor: str, grant: str, **result: Any) -> int:
    intent = log.append(Event.EXTRACT_INTENT, {"actor": actor, "grant": grant, "holder": "h"})
    return log.append(Event.EXTRACT_RESULT, {"intent": intent.seq, **result}).seq


def naively(log: Log, wanted: Wanted) -> list[int]:
    """Read every record and look."""
    entries = {entry.seq: entry for entry in log.entries()}

    def matches(entry: Entry) -> bool:
        opener = entries.get(entry.record.body.get("intent", -1))
        opened = terms_of(opener.record.body) if opener else None
        in_time = (wanted.since is None or entry.record.at >= wanted.since) and (wanted.until is None or entry.record.at < wanted.until)
        early = wanted.before is None or entry.seq < wanted.before
        return in_time and early and has_terms(entry.record.event, terms_of(entry.record.body), opened, wanted)

    return [seq for seq, entry in sorted(entries.items(), reverse=True) if matches(entry)]


wishes = st.builds(
    Wanted,
    all_of=st.lists(
        st.sets(
            st.one_of(
                st.tuples(st.just("actor"), st.sampled_from(ACTORS)),
                st.tuples(st.just("grant"), st.sampled_from(GRANTS)),
                st.tuples(st.just("action"), st.sampled_from(["intent", "result"])),
            ),
            min_size=1,
            max_size=2,
        ),
        max_size=2,
    ),
    since=st.none() | st.integers(0, 30).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    until=st.none() | st.integers(0, 30).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    before=st.none() | st.integers(0, 40),
)


def test_what_is_found_is_what_reading_every_record_finds(timed_log: Log, clock: Clock, tmp_path: Path, small_segments: None) -> None:
    with Finder(tmp_path / "finding.db", timed_log, terms_of, lambda _: None) as finder:
        for number in range(20):
            clock.now = NOW + timedelta(minutes=number if number % 7 else 0)  # now and then the clock is set back
            access(timed_log, ACTORS[number % 3], GRANTS[number % 2])
            if number % 3 == 0:
                timed_log.seal()
                assert finder.catch_up() == timed_log.size()
        timed_log.seal()
        assert finder.catch_up() == 40

        @given(wanted=wishes, limit=st.integers(1, 9))
        def same(wanted: Wanted, limit: int) -> None:
            expected = naively(timed_log, wanted)
            assert finder.all(wanted) == expected
            page = finder.find(wanted, limit)
            assert list(page.seqs) == expected[:limit]
            assert page.before == (expected[limit - 1] if len(expected) > limit else None)

        same()


def test_records_that_are_not_sealed_are_not_found(timed_log: Log, tmp_path: Path) -> None:
    with Finder(tmp_path / "finding.db", timed_log, terms_of, lambda _: None) as finder:
        access(timed_log, "lin", "1")
        assert finder.catch_up() == 0
        timed_log.seal()
        assert finder.catch_up() == 2
        assert finder.all(Wanted(all_of=[{("actor", "lin")}])) == [1, 0]


def test_a_number_finds_every_set_that_holds_it(timed_log: Log, tmp_path: Path) -> None:
    sets: dict[str, list[int]] = {"few": [1, 5_000, 4_095], "many": list(range(0, 20_000, 2)), "none": []}
    with Finder(tmp_path / "finding.db", timed_log, terms_of, sets.get) as finder:
        seqs = {name: access(timed_log, "lin", "1", population=name) for name in sets}
        again = access(timed_log, "he", "1", population="many")
        timed_log.seal()
        finder.catch_up()
        for number in (0, 1, 2, 4_094, 4_095, 4_096, 5_000, 19_998, 19_999, 10**9):
            expected = [seqs[name] for name, numbers in sets.items() if number in numbers] + ([again] if number in sets["many"] else [])
            assert finder.holding(number) == sorted(expected, reverse=True), number


def test_a_set_that_cannot_be_read_is_told_and_read_later(timed_log: Log, tmp_path: Path) -> None:
    sets: dict[str, list[int]] = {}
    with Finder(tmp_path / "finding.db", timed_log, terms_of, sets.get) as finder:
        seq = access(timed_log, "lin", "1", population="gone")
        timed_log.seal()
        finder.catch_up()
        assert finder.unreadable() == [seq] and finder.holding(7) == []
        sets["gone"] = [7]
        finder.catch_up()
        assert finder.unreadable() == [] and finder.holding(7) == [seq]


def test_an_index_of_another_log_is_made_anew(tmp_path: Path) -> None:
    for name, actor in (("one", "lin"), ("two", "he")):
        log = open_log(f"sqlite:///{tmp_path / name}.db", tmp_path / name / "keys")
        access(log, actor, "1")
        log.seal()
        with Finder(tmp_path / "finding.db", log, terms_of, lambda _: None) as finder:
            assert finder.catch_up() == 2
            assert [bool(finder.all(Wanted(all_of=[{("actor", who)}]))) for who in (actor, "he" if actor == "lin" else "lin")] == [
                True,
                False,
            ]
        log.close()


@pytest.mark.parametrize("spoil", [lambda finder: finder.throw_away(), lambda _: None])
def test_thrown_away_it_comes_back_the_same(timed_log: Log, tmp_path: Path, spoil: Callable[[Finder], None]) -> None:
    with Finder(tmp_path / "finding.db", timed_log, terms_of, lambda _: [3]) as finder:
        seqs = [access(timed_log, actor, "1", population="p") for actor in ACTORS]
        timed_log.seal()
        finder.catch_up()
        spoil(finder)
        finder.catch_up()
        assert finder.all(Wanted(all_of=[{("grant", "1")}, {("action", "result")}])) == seqs[::-1] == finder.holding(3)


def test_what_was_destroyed_after_its_years_is_not_found(timed_log: Log, clock: Clock, tmp_path: Path, small_segments: None) -> None:
    clock.now = NOW.replace(year=2020)
    for _ in range(200):
        access(timed_log, "lin", "1")
    clock.now = NOW
    kept = access(timed_log, "lin", "2")
    timed_log.seal()
    with Finder(tmp_path / "finding.db", timed_log, terms_of, lambda _: None) as finder:
        finder.catch_up()
        destroyed = destroy(timed_log, NOW.replace(year=2023, month=1), NOW, {"actor": "operator"})
        assert destroyed.end > 0
        finder.catch_up()
        assert finder.all(Wanted(all_of=[{("actor", "lin")}])) == list(range(kept, destroyed.end - 1, -1))
