import email
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from email import policy
from email.message import EmailMessage
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from django.db import connection

from rekindle import moment, settings
from rekindle.cli import app, main
from rekindle.cli.serving import attend
from rekindle.deliver.channel import Message
from rekindle.errors import StoreUnavailable
from rekindle.history.warehouse import open_history
from rekindle.program.rules import QuietHours
from rekindle.service.flow import serving, shift, shop_settings
from rekindle.service.flow.sending import Sent, send_due
from rekindle.service.outbox.queries import counts
from rekindle.settings import Settings
from tests.postgres import server
from tests.service.conftest import NOON, on_postgresql
from tests.service.touches import Killed, OneByOne, later, plan


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def answered(url: str, within: float = 60) -> tuple[int, str]:
    until = time.monotonic() + within
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  our own server
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def test_serve_answers_and_ends_with_its_worker(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "rekindle.toml").write_text("")
    port = free_port()
    command = [sys.executable, "-m", "rekindle", "--store", str(tmp_path / "shop"), "serve", "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as server:
        try:
            assert answered(f"http://127.0.0.1:{port}/assets/brand.css")[0] == 200
            status, page = answered(f"http://127.0.0.1:{port}/rekindle/u/secret-token")
            assert (status, "does not work" in page) == (404, True)
        finally:
            server.send_signal(signal.SIGINT)
            said = server.communicate(timeout=60)[1]
    assert f"http://127.0.0.1:{port}/" in said
    assert "secret-token" not in said
    with pytest.raises(ProcessLookupError):
        os.killpg(server.pid, 0)


def test_what_goes_wrong_in_a_round_is_said_once_and_the_next_tries_again(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, said, rounds = Event(), [], []

    def failing(settings: Settings, say: object, stop: object) -> None:
        rounds.append(settings)
        if len(rounds) == 3:
            stop.set()
        raise StoreUnavailable("the disk is gone", "Bring it back.")

    monkeypatch.setattr(serving, "one_round", failing)
    serving.work(store, stop, said.append, pause=0)
    assert said == ["the disk is gone. Bring it back."]
    assert len(rounds) == 3


def test_a_round_without_anything_to_do_opens_no_history(store: Settings) -> None:
    assert serving.one_round(store, print, Event()) is None
    assert not (store.var / "history.duckdb").exists()
    assert counts() == {}


@pytest.fixture
def nothing_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """These stores have no approved documents to ask what has been overtaken."""
    monkeypatch.setattr(serving, "make_ready", lambda *_: QuietHours())


class Killing(OneByOne):
    def hand_over(self, message: Message) -> str:
        raise Killed


@pytest.mark.usefixtures("nothing_overtaken")
def test_a_round_settles_what_a_dead_worker_held(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shift, "BATCH", 2)
    plan(["c1", "c2", "c3"])
    with pytest.raises(Killed):
        send_due(store, NOON, senders={"email": Killing()}, clock=lambda: NOON)
    assert counts() == {"attempting": 2, "claimed": 1}
    said: list[str] = []
    monkeypatch.setattr(moment, "now", lambda: later(0.5))
    assert serving.one_round(store, said.append, Event()) is None
    monkeypatch.setattr(moment, "now", lambda: later(2))
    done = serving.one_round(store, said.append, Event())
    assert (done and done.by_status, counts()) == ({"sent": 1}, {"sent": 1, "unknown": 2})
    assert said == ["A worker stopped while it was handing over: 2 unknown"]
    with open_history(store.history, store.root) as warehouse:
        assert sorted(warehouse.arrow(warehouse.current("touches"))["status"].to_pylist()) == ["sent", "unknown", "unknown"]


@pytest.mark.usefixtures("nothing_overtaken")
def test_history_is_free_while_messages_are_handed_over(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    plan(["c1"])
    monkeypatch.setattr(moment, "now", lambda: later(1))
    command = [sys.executable, "-c", "import sys, duckdb; duckdb.connect(sys.argv[1])", str(store.var / "history.duckdb")]
    free: list[int] = []

    def watched(*args: Any, **named: Any) -> Sent:
        free.append(subprocess.run(command, check=False).returncode)
        return send_due(*args, **named)

    monkeypatch.setattr(serving, "send_due", watched)
    done = serving.one_round(store, print, Event())
    assert (done and done.by_status, free) == ({"sent": 1}, [0])


@pytest.mark.usefixtures("nothing_overtaken")
def test_what_is_saved_while_a_worker_runs_stands_in_the_next_message(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    toml, stop, said, whole = store.root / "rekindle.toml", Event(), list[str](), serving.one_round
    toml.write_text(f'name = "Marigold"\n[sender]\nemail = "{store.sender.email}"\npostal_address = "12 Garden Row"\n', encoding="utf-8")
    rounds = iter(range(4))
    monkeypatch.setattr(moment, "now", lambda: later(1))

    def round_by_round(store: Settings, say: Any, stop: Event) -> Sent | None:
        number = next(rounds)
        plan([f"c{number}"], f"plan{number}")
        done = whole(store, say, stop)
        if number == 0:
            shop_settings.write(store.root, {"sender.postal_address": "7 Harbour Street"})
        elif number == 3:
            stop.set()
        else:
            toml.write_text(toml.read_text(encoding="utf-8") + "[sender\n", encoding="utf-8")
        return done

    monkeypatch.setattr(serving, "one_round", round_by_round)
    serving.work(settings.load(store.root), stop, said.append, pause=0)
    mails = {str(mail["To"]): str(mail.get_body(("plain",))) for mail in map(_read, (store.var / "mail").rglob("*.eml"))}
    assert [address for address, text in sorted(mails.items()) if "12 Garden Row" in text] == ["c0@people.example"]
    assert [address for address, text in sorted(mails.items()) if "7 Harbour Street" in text] == [f"c{n}@people.example" for n in (1, 2, 3)]
    assert len([line for line in said if line.startswith("The settings stay as they were.")]) == 1, "though it was wrong in two rounds"


def _read(file: Path) -> EmailMessage:
    return email.message_from_bytes(file.read_bytes(), policy=policy.default)


def test_a_worker_outlives_a_ledger_that_is_started_again(store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = on_postgresql(store)
    stop, said, rounds, whole = Event(), [], [], serving.one_round

    def cut_off(settings: Settings, say: Any, stop: Event) -> Sent | None:
        rounds.append(settings)
        if len(rounds) == 2:
            assert counts() == {}, "the connection is in use"
            with psycopg.connect(shop.database, autocommit=True) as other:
                others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
                other.execute(f"SELECT pg_terminate_backend(pid) {others}")
        if len(rounds) == 3:
            stop.set()
        whole(settings, say, stop)
        return Sent(1, {"round": len(rounds)}, 0)

    monkeypatch.setattr(serving, "one_round", cut_off)
    try:
        serving.work(shop, stop, said.append, pause=0)
    finally:
        connection.close()
        server().drop(shop.database)
    assert (said[0], said[2]) == ("Handed over: {'round': 1}", "Handed over: {'round': 3}")
    assert "cannot use the ledger postgresql://" in said[1]


def test_a_worker_that_ends_is_started_again_and_that_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stop, file = Event(), tmp_path / "starts"
    script = f'echo -n x >> {file}; test "$(cat {file})" = xxx && exec sleep 60; exit 7'
    thread = Thread(target=attend, args=(["bash", "-c", script], stop, 0.01))
    thread.start()
    until = time.monotonic() + 60
    while (not file.exists() or file.read_text() != "xxx") and time.monotonic() < until:
        time.sleep(0.05)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert capsys.readouterr().err == "The worker ended (exit 7) and is started again.\n" * 2


def test_an_order_to_end_is_as_orderly_as_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(app, "app", lambda **_: os.kill(os.getpid(), signal.SIGTERM))
    try:
        with pytest.raises(KeyboardInterrupt):
            main()
    finally:
        signal.signal(signal.SIGTERM, before)
