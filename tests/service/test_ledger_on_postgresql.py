import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from rekindle.errors import BadData, StoreUnavailable
from rekindle.service.config import ledger_named, use_ledger
from rekindle.service.config.ledger_url import place
from rekindle.service.people.models import Person
from rekindle.settings import FILE_NAME, Settings, load
from tests.postgres import Server, server
from tests.service.conftest import make_store

LEDGERS = ("postgresql",)
AT = datetime(2026, 11, 1, tzinfo=UTC)


def at(root: Path, url: str, password: str = "") -> Settings:
    return make_store(root).model_copy(update={"database": url, "database_password": password})


def test_migrations_say_what_the_models_say(store: Settings) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_a_commit_waits_for_the_disk_whatever_the_server_says(store: Settings) -> None:
    connection.close()
    server().execute("postgres", f"ALTER DATABASE {store.database.rpartition('/')[2]} SET synchronous_commit = off")
    with connection.cursor() as cursor:
        found = {name: cursor.execute(f"SHOW {name}").fetchone()[0] for name in ("synchronous_commit", "lock_timeout", "application_name")}
    assert found == {"synchronous_commit": "on", "lock_timeout": "1min", "application_name": "rekindle"}


def test_a_process_changes_between_a_file_and_a_server(store: Settings, tmp_path: Path) -> None:
    Person.objects.create(customer_id="of-server", updated_at=AT)
    use_ledger(other := make_store(tmp_path / "other"))
    assert list(Person.objects.values_list("customer_id", flat=True)) == []
    Person.objects.create(customer_id="of-file", updated_at=AT)
    for settings, expected in ((store, "of-server"), (other, "of-file")):
        use_ledger(settings)
        assert list(Person.objects.values_list("customer_id", flat=True)) == [expected]


def test_the_url_is_read_as_postgresqls_own_client_does(tmp_path: Path) -> None:
    url = "postgres://ann:s%40cret@db.example:6432/shop?sslmode=verify-full&options=-c%20work_mem%3D8MB"
    read = place(at(tmp_path, url))
    assert read.name == "postgresql://ann@db.example:6432/shop"
    assert "s@cret" not in repr(read)
    named = {name: read.connection[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    assert named == {"NAME": "shop", "USER": "ann", "PASSWORD": "s@cret", "HOST": "db.example", "PORT": "6432"}
    assert read.connection["OPTIONS"]["sslmode"] == "verify-full"
    assert read.connection["OPTIONS"]["options"] == "-c synchronous_commit=on -c lock_timeout=60s -c work_mem=8MB"


def test_the_password_comes_from_its_own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("hidden\n")
    read = place(at(tmp_path, "postgresql://ann@db/shop", f"file:{tmp_path}/password"))
    assert read.connection["PASSWORD"] == (tmp_path / "password").read_text().strip()
    with pytest.raises(BadData, match="no secret at 'env:NOT_SET'"):
        place(at(tmp_path, "postgresql://ann@db/shop", "env:NOT_SET"))
    for url in ("postgresql://ann:plainly@db/shop", "postgresql://db/shop?user=ann&password=plainly"):
        (tmp_path / FILE_NAME).write_text(f'database = "{url}"\n')
        with pytest.raises(BadData, match="database: it holds a password") as caught:
            load(tmp_path)
        assert "plainly" not in str(caught.value)
    (tmp_path / FILE_NAME).write_text("")
    monkeypatch.setenv("REKINDLE_DATABASE", f"postgresql://ann:{(word := 'open')}@db/shop")
    assert place(load(tmp_path)).connection["PASSWORD"] == word


@pytest.mark.parametrize("url", ["postgresql://", "postgresql://db", "postgresql://u:pass%zz@h/n", "postgresql://u:pass@h/n?no=thing"])
def test_a_url_that_cannot_be_read_is_not_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadData, match="no PostgreSQL URL") as caught:
        use_ledger(at(tmp_path, url))
    assert "pass" not in str(caught.value)


def test_a_server_that_does_not_answer_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"cannot use the ledger postgresql://ann@127\.0\.0\.1:1/shop: ") as caught:
        use_ledger(at(tmp_path, "postgresql://ann:open@127.0.0.1:1/shop"))
    assert "open" not in caught.value.cause
    with pytest.raises(StoreUnavailable, match=r'database "nowhere" does not exist'):
        use_ledger(at(tmp_path, server().url("nowhere")))


def test_a_newer_ledger_is_refused(store: Settings, tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('people', '0099_later', '2027-01-01')")
    use_ledger(make_store(tmp_path / "other"))
    with pytest.raises(StoreUnavailable, match=r"postgresql://.* was written by a newer Rekindle"):
        use_ledger(store)


def test_processes_that_start_together_make_the_tables_once(tmp_path: Path) -> None:
    url = server().fresh()
    program = (
        "import sys; from pathlib import Path; from rekindle.settings import Settings; from rekindle.service.config import use_ledger;"
        "use_ledger(Settings(root=Path(sys.argv[1]), database=sys.argv[2]))"
    )
    command = [sys.executable, "-W", "error", "-c", program, str(tmp_path), url]
    running = [subprocess.Popen(command, env={**os.environ, "PYTHONPATH": "src"}) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    applied = server().execute(url.rpartition("/")[2], "SELECT app, name FROM django_migrations")
    assert len(applied) == len(set(applied)) > 3
    server().drop(url)


@pytest.mark.parametrize("name", ["a" * 201, "Ada\0"])
def test_a_value_that_it_cannot_hold_is_bad_data(store: Settings, name: str) -> None:
    with pytest.raises(BadData, match="the ledger cannot hold a value"), ledger_named(store):
        Person.objects.create(customer_id="c1", first_name=name, updated_at=AT)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_server_that_was_restarted_is_used_again(tmp_path: Path, how: signal.Signals) -> None:
    mine = Server()
    settings = at(tmp_path, mine.fresh())
    try:
        use_ledger(settings)
        Person.objects.create(customer_id="c1", updated_at=AT)
        mine.stop(how)
        with pytest.raises(StoreUnavailable, match="cannot use the ledger postgresql://rekindle@"), ledger_named(settings):
            Person.objects.count()
        mine.start()
        use_ledger(settings)
        assert Person.objects.count() == 1
    finally:
        connection.close()
        mine.close()
