"""Each figure of the monthly report is the number of rows of the list that it links to; its making is a record with its digest."""

import re
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from access.accounts import Role, create_account
from audit.events import Event
from casework.attempts import Act
from catalog.schema import AuditReviewRow
from oversight.inspecting import Means
from oversight.reviews import acting, report
from oversight.reviews.drawing import draw, month_of
from oversight.reviews.figures import Figure, lift_of
from oversight.reviews.moves import Origin
from oversight.reviews.opening import open_on_access
from oversight.reviews.report import make_report
from rules.clocks import shipped_calendar
from rules.errors import Denied, Refused, TongchouError
from rules.oversight import load_yardsticks
from tests.access.conftest import NOW, Platform
from tests.oversight.test_drawing import looked
from tests.oversight.test_search import Enter, identities

__all__ = ["identities", "looked"]

MEANS = Means(yardsticks=load_yardsticks(), calendar=shipped_calendar())
DECEMBER = datetime(2026, 12, 2, 2, tzinfo=UTC)


class Page(HTMLParser):
    """The rows of a page's body, and of the first page the figures with their links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.lines: list[list[str]] = []
        self.links: list[str] = []
        self._cell = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.lines.append([])
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")
        self._cell = ""

    def handle_data(self, data: str) -> None:
        self._cell += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self.lines[-1].append(self._cell)


def rows_of(folder: Path, link: str) -> int:
    """The rows of a list, over all its pages."""
    page = Page((folder / link).read_text(encoding="utf-8"))
    following = [other for other in page.links if not other.startswith("..")]
    rows = sum(1 for line in page.lines if line)
    return rows + (rows_of(folder, f"lists/{following[0]}") if following else 0)


def figures_of(folder: Path) -> dict[str, int]:
    """Title → figure, each compared with its list."""
    page = Page((folder / "index.html").read_text(encoding="utf-8"))
    found = {}
    for (title, number, _), link in zip(page.lines, page.links, strict=True):
        found[title] = int(number.replace(",", ""))
        assert rows_of(folder, link) == found[title], title
    return found


def made(platform: Platform, enter: Enter, out: Path, month: str = "2026-11", by: str = "auditor") -> report.Report:
    return make_report(enter(), MEANS, month=month, out=out, act=Act(by=by, now=DECEMBER, reason="十一月月报"))


def reviewed(platform: Platform, enter: Enter, seq: int) -> None:
    """A flagged access found to be misuse, in November; and one asked about and never answered."""
    act = Act(by="auditor", now=NOW, reason="核查")
    create_account(
        platform.store, platform.log, by="operator", name="chief", title="c", department=None, roles=[Role.BUREAU_APPROVER], now=NOW
    )
    number = open_on_access(enter(), MEANS, access=seq, act=act).id
    acting.assign(platform.store, platform.log, review=number, to="second", act=act)
    acting.ask(platform.store, platform.log, review=number, act=Act(by="second", now=NOW, reason="用途"))
    acting.answer(platform.store, platform.log, review=number, act=Act(by="chief", now=NOW, reason="无"))
    acting.close(platform.store, platform.log, review=number, outcome="misuse", act=Act(by="second", now=NOW, reason="无"))
    acting.confirm(platform.store, platform.log, review=number, act=act)


def test_each_figure_is_the_number_of_rows_of_its_list(
    platform: Platform, enter: Enter, looked: tuple[set[int], set[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "ROWS_A_PAGE", 3)
    with pytest.raises(Denied):
        platform.door.why("lin", "看看", "R0000000001", "name")
    reviewed(platform, enter, min(looked[1]))
    draw(enter(), MEANS, month="2026-11", act=Act(by="auditor", now=DECEMBER, reason="抽查"))
    done = made(platform, enter, tmp_path / "report")
    found = figures_of(done.folder)
    assert len(found) == done.figures
    assert found["无法解释的查看 looks that nothing explains"] == 3 and found["抽取 drawn"] == 5
    assert found["公安局 police"] == 7 and found["金记录解释 why · 已答复 result"] == 3
    assert found["本月立案 opened · 预警 flagged"] == 1 and found["按期答复 answered in time"] == 1
    assert found["本月结案 closed · 违规查询 misuse"] == 1 and found["月末未结 open at the end"] == 0
    assert found["签发检查点 checkpoints signed"] > 3 and found["本月启用 opened"] == 0
    text = "".join(path.read_text(encoding="utf-8") for path in done.folder.rglob("*.html"))
    assert "王小明" not in text and not re.search(r"R\d{10}", text)


def test_making_it_is_recorded_with_its_digest(platform: Platform, enter: Enter, looked: object, tmp_path: Path) -> None:
    done = made(platform, enter, tmp_path / "report")
    record = platform.last().record
    assert record.event is Event.AUDIT_REPORT_MADE and (record.body["digest"], record.body["figures"]) == (done.digest, done.figures)
    files = sorted(path for path in done.folder.rglob("*") if path.is_file())
    lines = [f"{sha256(path.read_bytes()).hexdigest()}  {path.relative_to(done.folder).as_posix()}\n" for path in files]
    assert sha256("".join(lines).encode()).hexdigest() == done.digest and len(files) == done.files
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".report")] == []


def test_who_may_not_and_what_is_there_is_refused(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for month, out, by, code in (
        ("2026-11", "new", "lin", "DOOR-DENIED"),
        ("2999-01", "new", "auditor", "RVW-REPORT"),
        ("11/2026", "new", "auditor", "RVW-TERMS"),
        ("2026-11", "there", "auditor", "AUD-FOLDER"),
    ):
        with pytest.raises(TongchouError, match=code):
            made(platform, enter, tmp_path / out, month, by)
        assert not (tmp_path / "new").exists()
    with pytest.raises(Refused, match="AUD-FOLDER"):
        made(platform, enter, platform.home.keys / "report")


def a_review(origin: Origin, outcome: str | None, rules: list[str], closed_at: datetime | None = NOW) -> AuditReviewRow:
    return AuditReviewRow(origin=origin, outcome=outcome, rules=rules, closed_at=closed_at)


def test_the_lift_of_a_rule_compares_what_it_pointed_at_with_what_was_drawn() -> None:
    november = month_of("2026-11")
    hit, miss = a_review(Origin.FLAGGED, "misuse", ["night"]), a_review(Origin.FLAGGED, "in_order", ["night"])
    found, clean = a_review(Origin.DRAWN, "improper", []), a_review(Origin.DRAWN, "in_order", [])
    later = a_review(Origin.FLAGGED, "misuse", ["night"], DECEMBER)
    open_still = a_review(Origin.FLAGGED, None, ["night"], None)
    assert "lift ×2.0" in lift_of("night", [hit, miss, found, clean, clean, clean, later, open_still], november)
    for reviews in ([], [hit], [hit, clean], [found]):
        assert "lift not known" in lift_of("night", reviews, november), "nothing to compare with"


def test_what_a_record_says_is_text_on_a_page(tmp_path: Path) -> None:
    row = ("<script>alert(1)</script>", None, '"&')
    figure = Figure(section="readings", title="<b>谁</b>", headers=("a", "b", "c"), rows=[row], note="<i>")
    report._write(tmp_path / "pages", [figure], "")
    text = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "pages").rglob("*.html"))
    assert not re.search("<(script|b|i)>", text) and "&lt;script&gt;" in text
