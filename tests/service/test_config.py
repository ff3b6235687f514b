import json
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from django.core.management import call_command
from django.db import connection

from rekindle.errors import BadData, StoreUnavailable
from rekindle.service.config import load_ring, load_secret, use_ledger
from rekindle.service.people.models import Person
from rekindle.settings import Settings
from tests.service.conftest import make_store

AT = datetime(2026, 11, 1, tzinfo=UTC)


def test_migrations_say_what_the_models_say(store: Settings) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_several_stores_in_one_process_keep_apart(tmp_path: Path) -> None:
    one, two = make_store(tmp_path / "one"), make_store(tmp_path / "two")
    use_ledger(one)
    Person.objects.create(customer_id="of-one", updated_at=AT)
    use_ledger(two)
    Person.objects.create(customer_id="of-two", updated_at=AT)
    assert list(Person.objects.values_list("customer_id", flat=True)) == ["of-two"]
    use_ledger(one)
    assert list(Person.objects.values_list("customer_id", flat=True)) == ["of-one"]
    connection.close()


def test_a_thread_that_looked_before_another_chose_follows_it(tmp_path: Path) -> None:
    """A worker has two threads: whichever comes second finds the ledger chosen, and its own connection of before."""
    one, two, looked, chosen = make_store(tmp_path / "one"), make_store(tmp_path / "two"), Event(), Event()
    use_ledger(one)

    def second() -> list[str]:
        assert connection.vendor == "sqlite"
        looked.set()
        assert chosen.wait(30)
        use_ledger(two)
        try:
            return list(Person.objects.values_list("customer_id", flat=True))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(second)
        assert looked.wait(30)
        use_ledger(two)
        Person.objects.create(customer_id="of-two", updated_at=AT)
        chosen.set()
        assert found.result() == ["of-two"]
    connection.close()


def test_the_file_is_durable(store: Settings) -> None:
    with connection.cursor() as cursor:
        pragma = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert (store.var / "ledger.sqlite3").is_file()


@pytest.mark.parametrize("url", ["mysql://x", "sqlite:///", "ledger.db"])
def test_other_databases_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadData) as caught:
        use_ledger(make_store(tmp_path).model_copy(update={"database": url}))
    assert "sqlite:///var/ledger.sqlite3" in caught.value.remedy


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    settings = make_store(tmp_path / "shop")
    use_ledger(settings)
    connection.close()
    with sqlite3.connect(settings.var / "ledger.sqlite3") as file:
        file.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('people', '0099_later', '2027-01-01')")
    file.close()
    use_ledger(make_store(tmp_path / "other"))
    with pytest.raises(StoreUnavailable, match="newer Rekindle"):
        use_ledger(settings)
    connection.close()


def test_a_damaged_ledger_is_named(tmp_path: Path) -> None:
    settings = make_store(tmp_path / "shop")
    settings.var.mkdir()
    (settings.var / "ledger.sqlite3").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreUnavailable, match=r"ledger\.sqlite3"):
        use_ledger(settings)
    connection.close()


def test_processes_that_start_together_make_one_ledger_and_one_key(tmp_path: Path) -> None:
    make_store(tmp_path)
    program = (
        "import sys; from pathlib import Path; from rekindle.settings import Settings; from rekindle.service.config import *;"
        "s = Settings(root=Path(sys.argv[1])); use_ledger(s); print(load_secret(s.var, 'codes'))"
    )
    command = [sys.executable, "-W", "error", "-c", program, str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": "src"}) for _ in range(3)]
    said = {process.communicate(timeout=60)[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert len(said) == 1


def test_keys_are_private_and_stay(tmp_path: Path) -> None:
    ring = load_ring(tmp_path, "unsubscribe")
    assert load_ring(tmp_path, "unsubscribe") == ring
    assert load_ring(tmp_path, "preferences").keys != ring.keys
    assert load_secret(tmp_path, "codes") == load_secret(tmp_path, "codes")
    files = list((tmp_path / "keys").iterdir())
    assert len(files) == 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_ring_that_another_process_rotated_is_read_again(tmp_path: Path) -> None:
    old, path = load_ring(tmp_path, "clicks"), tmp_path / "keys" / "clicks.json"
    said = json.loads(path.read_text())
    said["keys"]["b"], said["current"] = "11" * 32, "b"
    path.write_text(json.dumps(said))
    new = load_ring(tmp_path, "clicks")
    assert (new.current, new.keys["b"], new.keys["a"]) == ("b", bytes.fromhex("11" * 32), old.keys["a"])
    path.unlink()
    assert load_ring(tmp_path, "clicks").keys["a"] != old.keys["a"]
