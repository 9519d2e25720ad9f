"""The store: schema, sessions, writers."""

import importlib
import pkgutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

import catalog.migrations
from catalog import schema
from catalog.home import Home
from catalog.schema import AccountRow, AreaRow, DataGrantRow, DepartmentRow, ReceiptRow, Record
from catalog.store import Store, Watch, migrate, open_store, serialise
from rules.errors import PlatformFault

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_the_migrations_lead_to_the_schema_that_the_code_declares(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Record.metadata) == []


def test_every_table_of_every_room_can_be_imported_from_the_schema() -> None:
    rooms = [importlib.import_module(f"catalog.schema.{room.name}") for room in pkgutil.iter_modules(schema.__path__)]
    declared = {thing for room in rooms for thing in vars(room).values() if isinstance(thing, type) and issubclass(thing, Record)}
    assert declared == {thing for thing in vars(schema).values() if isinstance(thing, type) and issubclass(thing, Record)}
    assert {mapper.class_ for mapper in Record.registry.mappers} == declared - {Record}


def test_migrating_again_changes_nothing(home: Home, store: Store) -> None:
    with store.session() as session, session.begin():
        session.add(DepartmentRow(key="police", title="公安局", authority="police", created_at=datetime.now(UTC)))
    migrate(home.store_url)
    with store.session() as session:
        assert session.scalars(sa.select(DepartmentRow.key)).all() == ["police"]


def department(key: str) -> DepartmentRow:
    return DepartmentRow(key=key, title=key, created_at=NOW)


def test_a_row_without_its_parent_is_refused(store: Store) -> None:
    row = AreaRow(code="440605001001", name="x", level="street", parent_code="no such area")
    with pytest.raises(sa.exc.IntegrityError), store.session() as session, session.begin():
        session.add(row)


def test_times_come_back_aware_and_in_utc(store: Store) -> None:
    there = datetime(2026, 11, 23, 12, 0, tzinfo=timezone(timedelta(hours=8)))
    with store.session() as session, session.begin():
        session.add(DepartmentRow(key="police", title="公安局", created_at=there))
    with store.session() as session:
        found = session.get_one(DepartmentRow, "police").created_at
    assert (found, found.utcoffset()) == (there, timedelta(0))


def test_a_time_without_a_zone_is_a_bug(store: Store) -> None:
    with pytest.raises(sa.exc.StatementError, match="without a zone"), store.session() as session, session.begin():
        session.add(DepartmentRow(key="police", title="公安局", created_at=datetime(2026, 11, 23)))  # noqa: DTZ001


def test_a_session_that_ends_in_an_error_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.session() as session, session.begin():
        session.add(department("police"))
        session.flush()
        raise RuntimeError
    with store.session() as session:
        assert session.scalars(sa.select(DepartmentRow)).all() == []


def test_a_reader_does_not_wait_for_a_writer_and_does_not_see_half_its_work(store: Store) -> None:
    with store.session() as writer, writer.begin():
        writer.add(department("police"))
        writer.flush()
        with store.session() as reader:
            assert reader.scalars(sa.select(DepartmentRow)).all() == []


def test_writers_that_read_first_wait_for_each_other(store: Store) -> None:
    """On SQLite a transaction that has read cannot write once another has written, so writing sessions take the lock at the start."""

    def count_up(_: int) -> None:
        with store.session() as session, session.begin():
            serialise(session, "counting")
            session.add(department(f"d{session.scalar(sa.select(sa.func.count()).select_from(DepartmentRow)):03}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count_up, range(20)))
    with store.session() as session:
        assert sorted(session.scalars(sa.select(DepartmentRow.key))) == [f"d{number:03}" for number in range(20)]


def test_two_migrations_at_once_do_not_meet(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate, [url] * 3))
    with open_store(url).session() as session:
        assert session.scalars(sa.select(DepartmentRow)).all() == []


def test_a_database_of_a_newer_platform_is_left_alone(home: Home, store: Store) -> None:
    with store.session() as session, session.begin():
        session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(PlatformFault, match="STORE-NEWER"):
        migrate(home.store_url)


def migrations_over(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(catalog.migrations.__file__).parent))
    config.attributes["connection"] = connection
    return config


def test_every_migration_can_be_undone(store: Store) -> None:
    with store.engine.begin() as connection:
        command.downgrade(migrations_over(connection), "base")
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]


def test_grants_with_receipts_outlive_the_migration_that_gives_them_more_terms(store: Store) -> None:
    """SQLite cannot make a table anew that others refer to; requests could, for no version before had written one."""
    told = {
        "grantee_key": "police",
        "target": "golden",
        "columns": "[]",
        "row_scope": "{}",
        "tier": "T2",
        "purpose": "x",
        "legal_basis": "x",
    }
    told |= {
        "case_number": "",
        "valid_from": "2026-01-01",
        "valid_to": "2026-12-31",
        "state": "active",
        "granted_at": "2026-01-01 00:00:00",
    }
    names, values = ", ".join(told), ", ".join(f"'{value}'" for value in told.values())
    with store.session() as session, session.begin():
        session.add(department("police"))
        session.add(AccountRow(name="lin", title="x", department_key=None, active=True, created_at=NOW))
    with store.engine.begin() as connection:
        command.downgrade(migrations_over(connection), "0010")
        connection.exec_driver_sql(f"INSERT INTO data_grant (id, {names}) VALUES (1, {values})")
        connection.exec_driver_sql(
            "INSERT INTO receipt (grant_id, actor, target, target_version, columns, masks, rules_version, rows, residents, format, digest, "
            "audit_seq, handed_over_at) VALUES (1, 'lin', 'golden', 1, '[]', '{}', '', 1, 1, 'csv', '', 1, '2026-01-01 00:00:00')"
        )
        command.upgrade(migrations_over(connection), "head")
    with store.session() as session:
        kept = session.get_one(DataGrantRow, 1)
        assert (kept.mode, kept.quotas, kept.conditions, kept.responsible, kept.request_id) == ("file", {}, [], None, None)
        assert session.scalar(sa.select(ReceiptRow.grant_id)) == 1


def test_a_database_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(PlatformFault, match="STORE-CONNECT") as fault:
        migrate("postgresql://tongchou:geheim@127.0.0.1:1/nowhere")
    assert fault.value.retry and "geheim" not in str(fault.value)


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(PlatformFault, match="STORE-URL"):
        open_store("mysql+pymysql://h/db")


def test_creating_a_home_again_keeps_what_is_in_it(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.create()
    with open_store(home.store_url).session() as session, session.begin():
        session.add(department("police"))
    home.create()
    with open_store(home.store_url).session() as session:
        assert session.scalars(sa.select(DepartmentRow.key)).all() == ["police"]
    assert home.exists()
    assert [oct(folder.stat().st_mode & 0o777) for folder in (home.keys, home.exports)] == ["0o700", "0o700"]


def test_a_postgres_store_needs_no_more_than_its_url(postgres_url: str) -> None:
    plain = postgres_url.replace("postgresql+psycopg://", "postgresql://")
    with open_store(plain).session() as session:
        assert session.scalar(sa.text("SELECT current_schema()")) == "store"


def test_a_watch_sees_what_others_commit_and_nothing_else(store: Store) -> None:
    """SQLite has a number for it; where there is none a watch tells nothing."""
    with closing(Watch(store)) as watch:
        if not store.is_sqlite:
            assert watch.moment() is None
            return
        before = watch.moment()
        with store.session() as session, session.begin():
            session.add(DepartmentRow(key="police", title="公安局", created_at=NOW))
            session.flush()
            assert watch.moment() == before, "not committed yet"
        after = watch.moment()
        assert after != before
        with store.session() as session:
            session.scalars(sa.select(DepartmentRow)).all()
        assert watch.moment() == after
