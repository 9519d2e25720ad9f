"""The element list as a page for people: `docs/elements.md` is written by `python -m rules.elements_page`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from rules.authority import load_survivorship
from rules.code_tables import load_code_tables
from rules.departments import load_departments
from rules.elements import Category, Element, load_categories, load_elements

PAGE = Path(__file__).parent.parent / "docs" / "elements.md"
_HEAD = """# Data elements 数据元

What a column can mean. Contracts name the key; headers under which departments send an element (synonyms 同义表头) stand in
`rules/elements.yaml`. This page is generated from the registry: `python -m rules.elements_page`.

Kinds say which standardiser reads the values. Level 分级: L1 not sensitive to L4 sensitive. Volatility: fixed never changes · stable by
an official act · volatile unnoticed · event something that happened. Departments 数源部门: the department of record first, fallbacks after
`›`; “—” means that nobody's value stands by itself. ◆ identifies a person.
"""


def elements_page() -> str:
    """The whole page, in the order of the registry."""
    return "\n".join([_HEAD, *_sections(), *_tables(), ""])


def _sections() -> Iterator[str]:
    for category in load_categories().values():
        members = [element for element in load_elements().values() if element.category == category.key]
        yield from _section(category, members)


def _section(category: Category, members: list[Element]) -> Iterator[str]:
    yield f"## {category.title} {category.title_en} ({len(members)})\n"
    yield "| Key | 名称 | Name | Kind | Code table | Level | Volatility | 数源部门 |"
    yield "|---|---|---|---|---|---|---|---|"
    yield from (_row(element) for element in members)
    yield ""


def _row(element: Element) -> str:
    key = f"`{element.key}`" + (" ◆" if element.identifies_person else "")
    cells = (key, element.title, element.title_en, element.kind, element.code_table or "", element.level, element.volatility)
    return f"| {' | '.join(cells)} | {_departments(element)} |"


def _departments(element: Element) -> str:
    rule = load_survivorship().of(element.key)
    of_record = ", ".join(load_departments()[key].title for key in rule.of_record) or "—"
    fallbacks = ", ".join(load_departments()[key].title for key in rule.fallbacks)
    return f"{of_record} › {fallbacks}" if fallbacks else of_record


def _tables() -> Iterator[str]:
    yield f"## Code tables 代码表 ({len(load_code_tables())})\n"
    yield "A contract's `codeSystem` names one of these where the source does not use the element's own table.\n"
    yield "| Key | 名称 | Lists | Codes | Mapped to |"
    yield "|---|---|---|---|---|"
    for table in load_code_tables().values():
        yield f"| `{table.key}` | {table.title} | {table.title_en} | {len(table.labels)} | {table.target or ''} |"


if __name__ == "__main__":
    PAGE.write_text(elements_page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}: {len(load_elements())} elements\n")
