"""A bureau with its departments, their clerks and heads, a log and no data yet; time is what the test says."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from access.accounts import Role, create_account, ensure_operator
from access.door import create_keys
from audit.log import Entry, Log, open_log
from catalog.home import Home
from catalog.store import Store, open_store
from tests.beginnings import Begin

PEOPLE = (
    ("approver", None, (Role.BUREAU_APPROVER,)),
    ("auditor", None, (Role.AUDITOR,)),
    ("lin", "civil_affairs", (Role.DEPARTMENT_REQUESTER,)),
    ("he", "civil_affairs", (Role.DEPARTMENT_HEAD,)),
    ("zhou", "police", (Role.DEPARTMENT_REQUESTER,)),
    ("wu", "police", (Role.DEPARTMENT_HEAD,)),
)
"""Clerk (经办) and head (负责人) of a department that asks and of one that provides."""


def at(text: str, hour: int = 10) -> datetime:
    """A moment of a day in China, `2026-12-21`."""
    return datetime.fromisoformat(f"{text}T{hour:02}:00:00+08:00").astimezone(UTC)


NOW = at("2026-11-23")


@dataclass
class Office:
    """Store and log, with the people of PEOPLE."""

    store: Store
    home: Home
    log: Log

    def events(self) -> list[str]:
        return [entry.record.event.value for entry in self.log.entries()]

    def last(self) -> Entry:
        return list(self.log.entries())[-1]


def staff(home: Home) -> None:
    """The bureau's people have accounts."""
    create_keys(home)
    store, log = open_store(home.store_url), open_log(home.audit_url, home.keys, clock=lambda: NOW)
    ensure_operator(store, NOW)
    for name, department, roles in PEOPLE:
        create_account(store, log, by="operator", name=name, title=name, department=department, roles=roles, now=NOW)
    log.close()
    store.close()


@contextmanager
def opened(home: Home) -> Iterator[Office]:
    """The bureau at work, and closed in the end."""
    store, log = open_store(home.store_url), open_log(home.audit_url, home.keys, clock=lambda: NOW)
    yield Office(store=store, home=home, log=log)
    log.close()
    store.close()


@pytest.fixture
def office(begin: Begin) -> Iterator[Office]:
    with opened(begin(staff)) as office:
        yield office
