"""What goes back to a department (回流, law.md L-22): the bureau's own entry over the golden values of the residents in one data set.

The department's records of them are a data set of its own, and an entry of its own; this one promises what reconciliation made of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.datasets import Dataset
from catalog.entries.content import EntryColumn, EntryContent
from catalog.entries.drafting import TYPES_OF_KIND
from catalog.entries.shelf import Entry, load_entries
from catalog.entries.states import State
from catalog.schema import DatasetRow, EntryRow
from rules.classification import load_classification
from rules.departments import BUREAU_DEPARTMENT
from rules.elements import load_elements

RETURN = "return:"
"""`return:KEY` is what a request or grant over such an entry names: the data set's key."""
RECORD = "record"
"""The column with the department's own key of a record, beside the golden values of its resident."""
TITLES: Mapping[str, str] = {RECORD: "本部门记录号", "resident_id": "居民标识"}
TITLE_CHARACTERS = 40
SENSITIVE = "L4"
NECESSARY = "敏感个人信息：限依法履职确有必要的特定用途（个人信息保护法第28条）"


@dataclass(frozen=True, kw_only=True)
class Assessments:
    """What has to be there before an entry leaves the draft (L-07), and the declaration of L-01."""

    secrecy: str
    privacy: str
    not_secret: bool


def returned_content(dataset: Dataset, levels: Mapping[str, str], assessments: Assessments, source_code: str | None) -> EntryContent:
    """The entry of what goes back for a data set: columns by name with their level; known to its department only.

    Without conditions (L-22), but for what is sensitive (L4) and was never collected by this data set: that takes a purpose for which it is
    necessary (PIPL 28).
    """
    own = {column.element for column in dataset.columns}
    sensitive = {name for name, level in levels.items() if level == SENSITIVE and name not in own | {RECORD}}
    return EntryContent(
        title=f"回流：{dataset.title[:TITLE_CHARACTERS]}（{dataset.department_title}，{dataset.key}）",
        department=BUREAU_DEPARTMENT,
        category=load_classification().category_of(BUREAU_DEPARTMENT),
        items=_items(dataset, assessments) | ({"relatedResources": [source_code]} if source_code else {}),
        columns=tuple(_column(name, level, conditional=name in sensitive) for name, level in levels.items()),
    )


def returns_open(session: Session, department: str | None = None) -> list[tuple[Entry, str]]:
    """The entries of what goes back whose published content holds, with the department that it goes to: all, or a department's own."""
    mine = sa.true() if department is None else DatasetRow.department_key == department
    query = sa.select(EntryRow.id, DatasetRow.department_key).join(DatasetRow, DatasetRow.key == EntryRow.returns_key)
    owners = dict(session.execute(query.where(EntryRow.published_number.is_not(None), mine)).tuples().all())
    return [(entry, owners[entry.id]) for entry in load_entries(session, owners) if entry.is_open]


def returning_entry(session: Session, dataset: str) -> Entry | None:
    """The entry that stands for a data set's residents, whatever its state; none where it was cancelled or never made."""
    named = sa.select(EntryRow.id).where(EntryRow.returns_key == dataset, EntryRow.state != State.CANCELLED)
    found = session.scalar(named.order_by(EntryRow.id.desc()).limit(1))
    return None if found is None else load_entries(session, [found])[0]


def _items(dataset: Dataset, assessments: Assessments) -> dict[str, Any]:
    return {
        "abstract": f"统筹对账得出的金记录：数据集《{dataset.title}》所涉居民的各数据元，附该部门自己的记录号；可按区域申请。",
        "formatClass": "数据库",
        "formatType": "parquet",
        "shareModeClass": "共享平台方式",
        "shareMode": "批量库表交换",
        "shareScope": dataset.department_title,
        "usePurpose": "核对、更新本部门登记，依法履职",
        "useConditions": "不附加其他条件（政务数据共享条例第二十四条）",
        "updateFrequency": "每日",
        "knownTo": [dataset.department],
        "grade": "一般数据",
        "secrecyAssessment": assessments.secrecy,
        "privacyAssessment": assessments.privacy,
        "notSecret": assessments.not_secret,
        "returned": True,
        "areaDistinguishable": True,
    }


def _column(name: str, level: str, *, conditional: bool) -> EntryColumn:
    element = load_elements().get(name)
    return EntryColumn(
        name=name,
        title=element.title if element else TITLES.get(name, name),
        data_type=TYPES_OF_KIND.get(element.kind, "C") if element else "C",
        element=name if element else None,
        key=name == RECORD,
        level=level,
        share="conditional" if conditional else "unconditional",
        share_conditions=NECESSARY if conditional else "",
    )
