import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from threading import Event

import pytest

from rekindle.errors import StoreUnavailable
from rekindle.service.flow import serving
from rekindle.service.outbox.queries import counts
from rekindle.settings import Settings


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

    def failing(settings: Settings, say: object) -> None:
        rounds.append(settings)
        if len(rounds) == 3:
            stop.set()
        raise StoreUnavailable("the disk is gone", "Bring it back.")

    monkeypatch.setattr(serving, "one_round", failing)
    serving.work(store, stop, said.append, pause=0)
    assert said == ["the disk is gone. Bring it back."]
    assert len(rounds) == 3


def test_a_round_without_anything_to_do_opens_no_history(store: Settings) -> None:
    assert serving.one_round(store, print) is None
    assert not (store.var / "history.duckdb").exists()
    assert counts() == {}
