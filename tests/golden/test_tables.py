"""A table with a rule set of its own goes the same way as residents: columns in, clusters out."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from golden.engine import open_engine
from golden.tables import link_table, valid_credit_code
from rules.credit_codes import check_character
from rules.matching import MatchingRules, matching_of

LIMITS: Mapping[str, Any] = {"block_cap": 100, "link_bits": 3, "cluster_bits": 0, "missing_bits": -3, "weight_cap_bits": 30}
EQUAL_OR_NOT = {"equal": {"m": 0.9, "u": 0.001}, "else": {"m": 0.1, "u": 0.999}}
PERSONS = matching_of(
    "persons",
    {
        **LIMITS,
        "attributes": {
            "first_name": {"kind": "text"},
            "surname": {"kind": "text"},
            "born": {"kind": "date"},
            "town": {"kind": "value"},
        },
        "derived": {"sound": {"from": "surname", "expression": "left(value, 1) || regexp_replace(value[2:], '[aeiouyhw]', '', 'g')"}},
        "comparisons": {
            "first_name": {
                "agrees": "close",
                "levels": {
                    "equal": {"m": 0.8, "u": 0.01},
                    "swapped": {"m": 0.02, "u": 0.00001, "swapped": "surname"},
                    "close": {"m": 0.1, "u": 0.01, "jaro_winkler": 0.9},
                    "else": {"m": 0.08, "u": 0.98},
                },
            },
            "surname": {
                "agrees": "close",
                "levels": {
                    "equal": {"m": 0.8, "u": 0.01},
                    "close": {"m": 0.1, "u": 0.01, "edits": 1},
                    "else": {"m": 0.1, "u": 0.98},
                },
            },
            "born": {
                "agrees": "one_part",
                "levels": {
                    "equal": {"m": 0.8, "u": 0.0001},
                    "one_part": {"m": 0.19, "u": 0.003},
                    "else": {"m": 0.01, "u": 0.99},
                },
            },
            "town": {"agrees": "equal", "frequency": True, "levels": EQUAL_OR_NOT},
        },
        "blocking": [["sound"], ["born"], ["town", "first_name"]],
    },
)
FIRMS = matching_of(
    "firms",
    {
        **LIMITS,
        "number": "code",
        "name": "title",
        "attributes": {"code": {"kind": "number", "check": "gb32100"}, "title": {"kind": "text"}, "phone": {"kind": "value"}},
        "comparisons": {
            "code": {"agrees": "equal", "levels": {"equal": {"m": 0.95, "u": 1e-7}, "else": {"m": 0.05, "u": 1}}},
            "title": {"agrees": "equal", "levels": EQUAL_OR_NOT},
            "phone": {"agrees": "equal", "levels": EQUAL_OR_NOT},
        },
        "blocking": [["code"], ["title"]],
        "barred": {"numbers": {"code": ["else"]}},
    },
)

CODES = [body + check_character(body) for body in ("91440605MA4UQXYT1", "91440605MA4UQXYT2")]
Row = Mapping[str, str | Sequence[str] | None]


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_engine(tmp_path / "spill") as con:
        yield con


def clusters(con: duckdb.DuckDBPyConnection, rules: MatchingRules, *rows: Row) -> list[int]:
    """For each row the place of the first row of its cluster. A column is VARCHAR[] where a row holds a list."""
    names = sorted({name for row in rows for name in row})
    lists = {name for name in names if any(isinstance(row.get(name), list) for row in rows)}
    columns = ", ".join(f"{name} VARCHAR{'[]' if name in lists else ''}" for name in names)
    con.execute(f"CREATE OR REPLACE TABLE people (rid BIGINT, {columns})")
    for rid, row in enumerate(rows):
        values = [[row[name]] if name in lists and isinstance(row.get(name), str) else row.get(name) for name in names]
        con.execute(f"INSERT INTO people VALUES (?{', ?' * len(names)})", [rid, *values])
    found = con.execute(f"SELECT cluster FROM {link_table(con, 'people', rules)} ORDER BY rid").fetchall()
    assert len(found) == len(rows)
    return [cluster for (cluster,) in found]


JOHN = {"first_name": "john", "surname": "thompson", "born": "1850-01-02", "town": "leeds"}


@pytest.mark.parametrize(
    "other",
    [
        {"surname": "thomson"},
        {"first_name": "johnn", "surname": "thomsen", "born": "1850-01-02"},
        {"born": "1850-01-20"},
        {"first_name": "thompson", "surname": "john"},
        {"town": None, "born": "1850-02-01"},
        {"town": ["york", "leeds"]},
    ],
)
def test_a_record_with_an_error_joins_the_right_one(con: duckdb.DuckDBPyConnection, other: Row) -> None:
    assert clusters(con, PERSONS, JOHN, {**JOHN, **other}) == [0, 0]


def test_namesakes_without_anything_else_in_common_stay_apart(con: duckdb.DuckDBPyConnection) -> None:
    assert clusters(con, PERSONS, JOHN, {"first_name": "john", "surname": "thompson", "born": "1820-07-08", "town": "york"}) == [0, 1]


def test_names_that_stand_in_each_others_place_are_found_also_where_a_row_holds_several(con: duckdb.DuckDBPyConnection) -> None:
    other = {**JOHN, "first_name": ["thompson", "jack"], "surname": "john"}
    assert clusters(con, PERSONS, JOHN, other) == [0, 0]
    levels = con.execute("SELECT first_name FROM scored").fetchall()
    assert levels == [("swapped",)]


@pytest.mark.parametrize(("decisions", "expected"), [([], [0, 0, 2, 3]), ([(1, 2, True), (0, 1, False)], [0, 1, 1, 3])])
def test_a_stewards_decision_wins_over_the_machine(
    con: duckdb.DuckDBPyConnection, decisions: Sequence[tuple[int, int, bool]], expected: list[int]
) -> None:
    """Two codes are two enterprises until a steward says otherwise; rows that agree in all come apart by decision."""
    con.execute("CREATE TABLE decided_pairs (a BIGINT, b BIGINT, together BOOLEAN)")
    for decision in decisions:
        con.execute("INSERT INTO decided_pairs VALUES (?, ?, ?)", decision)
    firm = {"title": "南海长虹五金厂", "phone": "0757-1"}
    assert clusters(con, FIRMS, {**firm, "code": CODES[0]}, firm, {"title": "别名", "code": CODES[1]}, {"title": "旁人"}) == expected


def test_a_cluster_tells_its_weakest_bridge_and_its_smallest_cut(con: duckdb.DuckDBPyConnection) -> None:
    clusters(con, PERSONS, JOHN, JOHN, {**JOHN, "born": "1850-01-20", "first_name": "jon"})
    assert con.execute("SELECT b, bridge FROM evidence ORDER BY a, b").fetchall() == [(1, False), (2, True), (2, False)]
    weights = dict(con.execute("SELECT (a, b)::VARCHAR, bits FROM evidence").fetchall())
    assert con.execute("SELECT cluster, bits, units, side FROM smallest_cuts").fetchall() == [
        (0, weights["(0, 2)"] + weights["(1, 2)"], 3, [2])
    ]


def test_a_table_without_a_column_of_the_rules_says_nothing_of_it(con: duckdb.DuckDBPyConnection) -> None:
    plain = {"surname": "thompson", "born": "1850-01-02"}
    assert clusters(con, PERSONS, plain, plain) == [0, 0]


def test_rows_of_one_valid_credit_code_are_one_enterprise_and_two_codes_are_two(con: duckdb.DuckDBPyConnection) -> None:
    firm = {"title": "南海长虹五金厂", "phone": "0757-1"}
    rows = [{**firm, "code": CODES[0]}, {"title": "别名", "code": CODES[0]}, {**firm, "code": CODES[1]}, {"code": CODES[0][:17] + "?"}]
    assert clusters(con, FIRMS, *rows) == [0, 0, 2, 3]


def test_a_credit_code_is_valid_as_the_standardiser_judges_it(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE TABLE codes (value VARCHAR)")
    for code in (*CODES, CODES[0][:17] + ("0" if CODES[0][17] != "0" else "1"), CODES[0].lower(), "", "I" * 18):
        con.execute("INSERT INTO codes VALUES (?)", [code])
    found = con.execute(f"SELECT {valid_credit_code('value')} FROM codes").fetchall()
    assert [code for (code,) in found] == [*CODES, None, None, None, None]
