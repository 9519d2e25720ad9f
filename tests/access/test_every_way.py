"""Every way to an answer goes through the log: walked over all commands, routes, jobs and methods of the door, so that none is forgotten.

An `Answer` can be made only with its RESULT record (access/recording.py). Here: nobody outside the door's package makes one or reads
residents' rows; each method of the door gives one, or a part of the door; each refuses a stranger with a DENIED record.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from access.door import Door
from access.inquiries import Named, person
from access.recording import Answer
from audit.errors import LogBroken
from audit.events import Event
from rules.errors import Denied, NotFound, TongchouError
from tests.access.conftest import Platform

ROOT = Path(__file__).parents[2]
OUTSIDE = ("cli", "portal", "pipelines", "casework")
FACING_PEOPLE = ("cli", "portal")
MAKERS = {"Answer", "Recording", "Recorder"}
ROW_READERS = {"duckdb", "sqlite3", "pyarrow", "pandas", "polars", "golden.serving", "golden.versions", "golden.explain", "golden.review"}
ROW_READERS |= {"access.reading", "access.residents", "access.look_up", "access.statistics", "access.casefiles", "access.files"}
ALLOWED: Mapping[tuple[str, str], str] = {
    ("cli.answers", "golden.explain"): "shapes and words of an answer that the door gave",
    ("cli.decisions", "golden.review"): "shapes and words of an answer that the door gave",
    ("cli.decisions", "golden.versions"): "alarms about decisions: numbers of decisions, no values",
    ("cli.demo", "golden.explain"): "chooses whom the demonstration asks the door about; its district is made up",
    ("cli.demo", "golden.versions"): "compares with the truth of a made-up district, in counts",
    ("cli.door_checks", "access.casefiles"): "shapes of an answer that the door gave",
    ("cli.door_checks", "pyarrow"): "writes down what a grid worker answered",
    ("cli.receipts", "access.files"): "the digest of a file that somebody holds already",
    ("cli.statistics", "access.files"): "writes an answer that the door gave",
    ("cli.statistics", "access.statistics"): "the shape of an answer that the door gave",
    ("cli.statistics", "pyarrow"): "writes an answer that the door gave",
}
PARTS_OF_THE_DOOR = {"desk": "a desk, whose answers are the log's as well", "before": "the same door for one who is present"}
NEEDS_MORE = {
    "impact": "asked with the terms of a request: tests/access/test_impact.py",
    "load": "asked with a table to write to: tests/access/test_extracts.py",
    "simulate": "asked with changed rules: tests/access/test_stewardship.py",
}

NUMBER = "990605198001011234"
GIVEN: Mapping[str, Mapping[str, Any]] = {
    "case_look_up": {"grants": [1], "numbers": [NUMBER]},
    "extract": {"file_format": "csv"},
    "kinship": dict.fromkeys(("parent", "child"), Named(person=person("id_number", NUMBER), name="王小明")),
    "link": {"file_format": "csv"},
    "look_up": {"by": "id_number", "value": NUMBER},
    "verify": {"by": "id_number", "value": NUMBER, "attributes": {"name": "王小明", "sex": "1"}},
}
NOT_THERE = {"link": "a linkage ticket", "trace": "a leaked file"}
"""Methods that look first whether a thing is there that holds nothing of residents."""


def modules(packages: tuple[str, ...]) -> Iterator[tuple[str, ast.Module]]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(module, name) of everything that a module imports, wherever it stands in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def calls(tree: ast.Module) -> set[str]:
    return {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}


def test_nobody_outside_the_doors_package_makes_an_answer_or_its_records() -> None:
    found = {
        (name, thing)
        for name, tree in modules(OUTSIDE)
        for module, thing in imported(tree)
        if module == "access.recording" and thing in MAKERS and thing in calls(tree)
    }
    assert found == set()


def test_commands_and_routes_read_no_rows_but_those_that_the_door_gave() -> None:
    found = {
        (name, reader)
        for name, tree in modules(FACING_PEOPLE)
        for module, _ in imported(tree)
        for reader in ROW_READERS
        if module == reader or module.startswith(f"{reader}.")
    }
    assert found - set(ALLOWED) == set(), "read residents through the door, or say here why this is no way to an answer"
    assert set(ALLOWED) - found == set(), "these exceptions are not needed any more"


def test_each_route_that_answers_asks_the_door_or_its_desk() -> None:
    """A route that tells of residents takes its answer from one of the two; those of `portal/people.py` tell of none."""
    portal = dict(modules(("portal",)))
    asks = {name: {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} for name, tree in portal.items()}
    answering = {name for name, tree in portal.items() if routes(tree) and name != "portal.people"}
    assert answering == {"portal.api", "portal.cases"}
    assert "ask" in asks["portal.api"] and {"before", "case_look_up"} <= asks["portal.cases"]


def routes(tree: ast.Module) -> list[str]:
    """Functions that answer a call."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]
    return [one.name for one in functions if any("post" in ast.dump(decorator) for decorator in one.decorator_list)]


def public_methods() -> Mapping[str, Any]:
    return {name: method for name, method in vars(Door).items() if inspect.isfunction(method) and not name.startswith("_")}


def test_each_method_of_the_door_gives_an_answer_or_is_a_part_of_it() -> None:
    hints = {name: get_type_hints(method).get("return") for name, method in public_methods().items() if name != "close"}
    others = {name for name, kind in hints.items() if kind is not Answer}
    assert others == set(PARTS_OF_THE_DOOR)


def test_an_answer_needs_its_result_record(platform: Platform) -> None:
    intent = platform.log.append(Event.EXTRACT_INTENT, {"holder": "nobody"})
    with pytest.raises(LogBroken, match="RESULT"):
        Answer(platform.log, intent)


def some(kind: object, name: str, folder: Path) -> Any:
    """Some argument of a kind: who asks is a stranger."""
    if kind is Path:
        return folder / "exports" / f"{name}.parquet"
    if name == "actor":
        return "stranger"
    return {str: "resident_id", int: 1, date: date(2026, 11, 1), bool: False}.get(kind, ())  # type: ignore[call-overload]


def arguments(method: Any, folder: Path) -> dict[str, Any]:
    hints = get_type_hints(method)
    needed = [one for one in inspect.signature(method).parameters.values() if one.default is one.empty and one.name != "self"]
    return {one.name: some(hints[one.name], one.name, folder) for one in needed}


@pytest.mark.parametrize("name", sorted(set(public_methods()) - set(PARTS_OF_THE_DOOR) - set(NEEDS_MORE) - {"close"}))
def test_a_stranger_is_refused_at_each_and_that_is_a_record(platform: Platform, name: str) -> None:
    given = {**arguments(public_methods()[name], platform.home.root), **GIVEN.get(name, {})}
    before = platform.log.size()
    with pytest.raises(TongchouError) as refused:
        getattr(platform.door, name)(**given)
    written = [entry.record for entry in platform.log.entries(before)]
    if name in NOT_THERE:
        assert isinstance(refused.value, NotFound) and written == [], "what is not there cannot be decided about"
    else:
        assert isinstance(refused.value, Denied)
        assert [(record.event.action, record.body["actor"]) for record in written] == [("denied", "stranger")]
