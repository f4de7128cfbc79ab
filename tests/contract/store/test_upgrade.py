"""Schema numbers: a frozen store of number 1 is taken to a synthetic number 2, also when killed half-way."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from redpoll.errors import StoreError, StoreLocked
from redpoll.store import DeadLetter, open_store
from redpoll.store.app import Label, open_app
from redpoll.store.schemas import SCHEMAS, Schema, sql_step
from redpoll.store.upgrade import Upgraded, upgrade
from redpoll.testing.store_batches import store_batch
from redpoll.testing.store_rows import alert_rows
from redpoll.testing.store_suite import add

FROZEN = Path(__file__).parent / "schemas"
ALERTS = 40
FILES = ("index.sqlite", "dead_letters.sqlite", "app.sqlite")


def quiet(*_: object) -> None:
    """Show nobody."""


@pytest.mark.parametrize("of", ["index", "dead_letters", "app", "anomalies"])
def test_number_1_is_what_was_frozen(of: str) -> None:
    """When this fails: give the schema the next number, and write the step from the frozen one."""
    assert SCHEMAS[of].number == 1
    assert shape(*SCHEMAS[of].scripts) == shape(FROZEN / f"{of}-1.sql")


def shape(*scripts: Path) -> list[tuple[str, str]]:
    """Names and statements of everything that SQL files create, without blanks."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for script in scripts:
            connection.executescript(script.read_text())
        found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql NOT NULL ORDER BY name").fetchall()
    return [(name, " ".join(sql.split())) for name, sql in found]


@pytest.fixture
def frozen(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small store whose files were created by the frozen scripts of number 1, with alerts and labels in it."""
    with monkeypatch.context() as patch:
        for of in SCHEMAS:
            patch.setitem(SCHEMAS, of, replace(SCHEMAS[of], scripts=(FROZEN / f"{of}-1.sql",), number=1, steps={}))
        with open_store(folder, mode="write") as store, open_app(folder) as app:
            store.runs.start("test")
            add(
                store,
                store_batch(ALERTS),
                dead_letters=[DeadLetter(b"x", "night.tar", str(i), "bad") for i in range(5)],
            )
            app.labels.add([Label("ztf", f"ZTF{i}", "sn_ia", "expert", "ada") for i in range(9)])
    yield folder


def slow_step(connection: sqlite3.Connection) -> None:
    """Number 2 of the index in several statements: a new column, filled row by row, and an index on it."""
    connection.execute("ALTER TABLE alerts ADD COLUMN _checked INTEGER NOT NULL DEFAULT 0")
    for (key,) in connection.execute("SELECT _id FROM alerts").fetchall():
        connection.execute("UPDATE alerts SET _checked = 1 WHERE _id = ?", (key,))
    connection.execute("CREATE INDEX alerts_checked ON alerts (_checked)")


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This Redpoll has the synthetic number 2 of all files."""
    script = tmp_path / "app-2.sql"
    script.write_text("ALTER TABLE labels ADD COLUMN weight REAL;\nUPDATE labels SET weight = 1.0;\n")
    monkeypatch.setitem(SCHEMAS, "index", replace(SCHEMAS["index"], number=2, steps={1: slow_step}))
    monkeypatch.setitem(SCHEMAS, "app", replace(SCHEMAS["app"], number=2, steps={1: sql_step(script)}))
    letters = tmp_path / "dead_letters-2.sql"
    letters.write_text("ALTER TABLE dead_letters ADD COLUMN tries INTEGER;\nUPDATE dead_letters SET tries = 1;\n")
    step = {1: sql_step(letters)}
    monkeypatch.setitem(SCHEMAS, "dead_letters", replace(SCHEMAS["dead_letters"], number=2, steps=step))


def number_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def value(path: Path, sql: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchone()[0]


def assert_complete(folder: Path) -> None:
    """Each file is wholly at number 1 or wholly at number 2."""
    index, app = folder / "index.sqlite", folder / "app.sqlite"
    names = "SELECT count(*) FROM pragma_table_info('{}') WHERE name = '{}'"
    indexed = "SELECT count(*) FROM sqlite_master WHERE name = 'alerts_checked'"
    is_two = number_of(index) == 2
    assert value(index, names.format("alerts", "_checked")) == value(index, indexed) == is_two
    if is_two:
        assert value(index, "SELECT sum(_checked) FROM alerts") == ALERTS
    is_two = number_of(app) == 2
    assert value(app, names.format("labels", "weight")) == is_two
    if is_two:
        assert value(app, "SELECT sum(weight) FROM labels") == 9
    letters = folder / "dead_letters.sqlite"
    is_two = number_of(letters) == 2
    assert value(letters, names.format("dead_letters", "tries")) == is_two
    assert value(letters, f"SELECT sum({'tries' if is_two else '1'}) FROM dead_letters") == 5


@pytest.mark.parametrize("mode", ["read", "write"])
def test_an_older_store_is_refused_and_the_message_says_what_to_do(frozen: Path, two: None, mode: str) -> None:
    with pytest.raises(StoreError, match=f"number 1.*redpoll store upgrade --store {frozen}"):
        open_store(frozen, mode=mode)
    with open_app(frozen) as app, pytest.raises(StoreError, match="redpoll store upgrade"):
        app.labels.table()


def test_a_newer_app_database_is_refused(frozen: Path) -> None:
    with closing(sqlite3.connect(frozen / "app.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 99")
    with open_app(frozen) as app, pytest.raises(StoreError, match="upgrade Redpoll"):
        app.labels.table()
    with pytest.raises(StoreError, match="upgrade Redpoll"):
        upgrade(frozen, progress=quiet)


def test_upgrade_takes_all_files_to_the_new_number_and_keeps_everything(frozen: Path, two: None) -> None:
    assert upgrade(frozen, progress=quiet) == [Upgraded(file, 1, 2) for file in FILES]
    assert_complete(frozen)
    with open_store(frozen) as store, open_app(frozen) as app:
        assert (len(alert_rows(store, limit=1000)), app.labels.table().num_rows) == (ALERTS, 9)
        assert store.maintenance.check().ok


def test_an_upgrade_of_a_store_that_is_up_to_date_changes_nothing(frozen: Path) -> None:
    before = [(path.name, path.read_bytes()) for path in sorted(frozen.glob("*.sqlite"))]
    assert [(u.before, u.after) for u in upgrade(frozen, progress=quiet)] == [(1, 1)] * 3
    assert [(path.name, path.read_bytes()) for path in sorted(frozen.glob("*.sqlite"))] == before


def test_several_numbers_are_taken_one_after_the_other(frozen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = {n: (lambda c, n=n: c.execute(f"CREATE TABLE made_by_step_{n} (x)")) for n in (1, 2, 3)}
    monkeypatch.setitem(SCHEMAS, "index", replace(SCHEMAS["index"], number=4, steps=steps))
    assert upgrade(frozen, progress=quiet)[0] == Upgraded("index.sqlite", 1, 4)
    assert value(frozen / "index.sqlite", "SELECT count(*) FROM sqlite_master WHERE name LIKE 'made_by%'") == 3


def test_a_step_that_fails_leaves_the_store_as_it_was(frozen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        slow_step(connection)
        connection.execute("INSERT INTO no_such_table VALUES (1)")

    with monkeypatch.context() as patch:
        patch.setitem(SCHEMAS, "index", replace(SCHEMAS["index"], number=2, steps={1: fail}))
        with pytest.raises(StoreError, match="no_such_table"):
            upgrade(frozen, progress=quiet)
    assert_complete(frozen)
    with open_store(frozen) as store:
        assert len(alert_rows(store, limit=1000)) == ALERTS


def test_a_missing_step_is_named(frozen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCHEMAS, "index", replace(SCHEMAS["index"], number=3, steps={2: slow_step}))
    with pytest.raises(StoreError, match="number 1 of the index"):
        upgrade(frozen, progress=quiet)


def test_upgrade_needs_the_store_for_itself(frozen: Path, two: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(frozen / "index.sqlite")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM alerts").fetchone()
        with pytest.raises(StoreError, match="open elsewhere"):
            upgrade(frozen, progress=quiet)
    monkeypatch.undo()
    with open_store(frozen, mode="write"), pytest.raises(StoreLocked):
        upgrade(frozen, progress=quiet)


def test_where_no_store_is_there_is_nothing_to_upgrade(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no Redpoll store"):
        upgrade(tmp_path, progress=quiet)
    assert not list(tmp_path.iterdir())


def killed_at(statement: int, folder: Path) -> bool:
    """Upgrade in a child process that kills itself before its statement of that number; whether it was killed."""
    child = os.fork()
    if not child:
        connect, count = sqlite3.connect, iter(range(10**6))

        def die(_: str) -> None:
            if next(count) == statement:
                os.kill(os.getpid(), signal.SIGKILL)

        def traced(*args: object, **kwargs: object) -> sqlite3.Connection:
            connection = connect(*args, **kwargs)
            connection.set_trace_callback(die)
            return connection

        sqlite3.connect = traced
        try:
            upgrade(folder, progress=quiet)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_an_upgrade_that_is_killed_leaves_each_file_complete_and_the_next_one_ends_it(
    frozen: Path, two: None, copies: Callable[[Path], Path]
) -> None:
    killed = 0
    for statement in [*range(0, 16), *range(16, 100, 6)]:
        folder = copies(frozen)
        killed += killed_at(statement, folder)
        assert_complete(folder)
        upgrade(folder, progress=quiet)
        assert [number_of(folder / name) for name in FILES] == [2, 2, 2]
        assert_complete(folder)
        with open_store(folder) as store:
            assert len(alert_rows(store, limit=1000)) == ALERTS
    assert killed > 20


@pytest.fixture
def copies(tmp_path: Path) -> Callable[[Path], Path]:
    """Makes copies of a folder."""
    import shutil

    numbers = iter(range(1000))
    return lambda folder: Path(shutil.copytree(folder, tmp_path / f"copy{next(numbers)}", symlinks=True))


def test_every_schema_has_a_step_from_every_earlier_number() -> None:
    for schema in SCHEMAS.values():
        assert isinstance(schema, Schema)
        assert [number for number, _ in schema.steps_from(1)] == list(range(2, schema.number + 1))
