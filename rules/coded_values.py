"""Coded values (代码): a source's code or label → the code of the element's table; law.md D-19…D-30, X-12, X-14."""

from rules.cells import Cell
from rules.characters import FULL_WIDTH
from rules.code_tables import CodeTable, find_code_table, load_code_tables
from rules.errors import Refused


def table_of(code_table: str | None, code_system: str | None) -> CodeTable:
    """The table that the source's codes are read by: the one its contract names, else the element's own."""
    name = code_system or code_table or ""
    table = find_code_table(name) or load_code_tables().get(name)
    if table is None:
        raise Refused("STD-CODE-SYSTEM", where=name)
    return table


def judge_coded_value(text: str, *, table: CodeTable) -> Cell:
    """The canonical code. A code that says "not stated" is no value and no fault: unknown is not unmarried (X-21)."""
    code = table.code_of(text)
    if code is None and text.translate(FULL_WIDTH).endswith(".0"):
        code = table.code_of(text[:-2])
    if code is None:
        return Cell(None, "CODE-UNKNOWN")
    canonical = table.canonical(code)
    if canonical is None and code not in table.unknown:
        return Cell(None, "CODE-NO-EQUIVALENT")
    return Cell(None if canonical in _unknown_in_target(table) else canonical)


def _unknown_in_target(table: CodeTable) -> frozenset[str]:
    return load_code_tables()[table.target].unknown if table.target else table.unknown
