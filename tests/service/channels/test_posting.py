"""One HTTP POST: until the request begins nothing was given away, from then on only an answer says what became of it."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle import moment
from rekindle.deliver.channel import Message
from rekindle.errors import DeliveryError, LookAgain, OutcomeUnknown, PermanentFailure, TemporaryFailure
from rekindle.service.channels.posting import Answer, Poster, judge
from tests.service.channels.certificates import authority
from tests.service.channels.loopback import Script, closed_port, serving

SOON = 0.4
BODY, HEADERS = b"to=%2B49151", {"Content-Type": "application/x-www-form-urlencoded", "X-Secret": "swordfish"}


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def address(script: Script) -> Iterator[str]:
    with serving(script) as url:
        yield url


@pytest.fixture
def poster() -> Poster:
    return Poster(private=True, exchange=SOON)


def test_what_is_posted_arrives_whole_with_the_host_of_the_address(script: Script, address: str, poster: Poster) -> None:
    script.status, script.body = 201, b'{"sid":"SM1"}'
    assert poster.post(f"{address}/a/b?c=d", BODY, HEADERS) == Answer(201, b'{"sid":"SM1"}', None)
    (taken,) = script.came
    assert (taken.path, taken.body, taken.headers["host"]) == ("/a/b?c=d", BODY, address.removeprefix("http://"))
    assert (taken.headers["x-secret"], taken.headers["user-agent"], taken.headers["content-length"]) == ("swordfish", "rekindle", "11")


def test_a_connection_is_used_again_and_one_that_was_closed_is_not(script: Script, address: str, poster: Poster) -> None:
    for _ in range(3):
        poster.post(address, BODY, HEADERS)
    assert (len(script.came), script.connections) == (3, 1)
    script.headers = {"Connection": "close"}
    for _ in range(2):
        poster.post(address, BODY, HEADERS)
    assert (len(script.came), script.connections) == (5, 2)


def test_a_look_that_grows_old_while_the_name_is_looked_up_is_repeated_over_the_same_connection(script: Script, address: str) -> None:
    def slow(host: str, _port: int) -> list[str]:
        time.sleep(0.1)
        return [host]

    poster = Poster(private=True, exchange=SOON, lookup=slow)

    def message() -> Message:
        return Message("m1", date(2026, 11, 26), BODY, until=time.monotonic() + 0.09)

    with pytest.raises(LookAgain):
        poster.post(address, BODY, HEADERS, message())
    assert poster.post(address, BODY, HEADERS, message()).status == 200
    assert (len(script.came), script.connections) == (1, 1)


@pytest.mark.parametrize("mood", ["silent", "drop", "reset", "garbage", "trickle"])
def test_without_an_answer_nobody_knows_and_it_is_soon_said(mood: str, script: Script, address: str, poster: Poster) -> None:
    script.mood = mood
    begun = time.monotonic()
    with pytest.raises(OutcomeUnknown) as raised:
        poster.post(f"{address}/secret-path", BODY, HEADERS)
    assert time.monotonic() - begun < 4 * SOON
    assert not {"secret-path", "swordfish", "49151"} & set(str(raised.value).replace("/", " ").split())
    script.mood = "answer"
    assert poster.post(address, BODY, HEADERS).status == 200


def test_an_answer_without_an_end_is_cut(script: Script, address: str, poster: Poster) -> None:
    script.mood = "huge"
    answer = poster.post(address, BODY, HEADERS)
    assert (answer.status, len(answer.body)) == (200, 65_536)


def test_a_redirect_is_not_followed(script: Script, address: str, poster: Poster) -> None:
    elsewhere = Script()
    with serving(elsewhere) as other:
        script.status, script.headers = 307, {"Location": other}
        answer = poster.post(address, BODY, HEADERS)
    assert (answer.status, elsewhere.came) == (307, [])


def test_where_nobody_listens_nothing_was_given_away(poster: Poster) -> None:
    with pytest.raises(TemporaryFailure, match=r"127\.0\.0\.1 cannot be reached"):
        poster.post(f"http://127.0.0.1:{closed_port()}", BODY, HEADERS)


def test_without_leave_nothing_is_posted_to_this_machine(script: Script, address: str) -> None:
    for url in (address, address.replace("http", "https"), address.replace("127.0.0.1", "localhost").replace("http", "https")):
        with pytest.raises(PermanentFailure):
            Poster(exchange=SOON).post(url, BODY, HEADERS)
    assert script.connections == 0


def test_the_address_that_was_checked_is_the_one_connected_to(script: Script, address: str) -> None:
    """A name that leads elsewhere at the second look, and one that nobody else knows."""
    answers = iter([["127.0.0.1"], ["203.0.113.9"]])
    asked = []

    def lookup(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    port = address.rpartition(":")[2]
    poster = Poster(private=True, exchange=SOON, lookup=lookup)
    assert poster.post(f"http://hook.invalid:{port}/", BODY, HEADERS).status == 200
    assert (asked, script.came[0].headers["host"]) == (["hook.invalid"], f"hook.invalid:{port}")


def test_a_second_address_is_tried_where_the_first_does_not_answer(script: Script, address: str) -> None:
    poster = Poster(private=True, exchange=SOON, lookup=lambda host, port: ["127.0.0.2", "127.0.0.1"])
    assert poster.post(address.replace("127.0.0.1", "hook.invalid"), BODY, HEADERS).status == 200


def test_tls_is_for_the_name_and_by_a_trusted_authority(tmp_path: Path) -> None:
    server, trusting = authority(tmp_path, "hook.example")
    script = Script()
    with serving(script, tls=server) as url:
        port = url.rpartition(":")[2]
        poster = Poster(private=True, exchange=2.0, lookup=lambda host, port: ["127.0.0.1"], trust=trusting)
        assert poster.post(f"https://hook.example:{port}/", BODY, HEADERS).status == 200
        with pytest.raises(TemporaryFailure, match="cannot be reached"):
            poster.post(f"https://other.example:{port}/", BODY, HEADERS)
        untrusting = Poster(private=True, exchange=2.0, lookup=lambda host, port: ["127.0.0.1"])
        with pytest.raises(TemporaryFailure, match="cannot be reached"):
            untrusting.post(f"https://hook.example:{port}/", BODY, HEADERS)
    assert len(script.came) == 1


def test_a_handshake_that_never_ends_is_cut() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def dawdle() -> None:
            line, _ = listener.accept()
            with line:
                line.recv(65_536)
                for octet in b"\x16\x03\x03\x40\x00" + bytes(200):
                    try:
                        line.sendall(bytes([octet]))
                    except OSError:
                        return
                    time.sleep(0.02)

        slow = threading.Thread(target=dawdle)
        slow.start()
        begun = time.monotonic()
        with pytest.raises(TemporaryFailure, match="cannot be reached"):
            Poster(private=True, exchange=SOON, trust=ssl.create_default_context()).post(
                f"https://127.0.0.1:{listener.getsockname()[1]}/", BODY, HEADERS
            )
        assert time.monotonic() - begun < 4 * SOON
        slow.join()


@pytest.mark.parametrize(
    ("statuses", "kind"),
    [
        ((401, 402, 403, 407, 408, 421, 423, 425, 429, 500, 501, 503, 507, 599), TemporaryFailure),
        ((300, 301, 302, 307, 308, 400, 404, 405, 409, 410, 413, 415, 422, 451, 499), PermanentFailure),
        ((100, 103, 502, 504), OutcomeUnknown),
    ],
)
def test_every_status_has_its_type(statuses: tuple[int, ...], kind: type[DeliveryError]) -> None:
    for status in statuses:
        with pytest.raises(kind, match=f"hook.example answered {status} with error 21211"):
            judge(Answer(status, b"", None), "hook.example", "21211")
    for status in (200, 201, 202, 204, 299):
        judge(Answer(status, b"", None), "hook.example")


def test_a_failure_of_its_own_is_no_leave_to_come_twice_where_that_is_not_noticed() -> None:
    for status in (500, 501, 502, 504, 507):
        with pytest.raises(OutcomeUnknown):
            judge(Answer(status, b"", None), "hook.example", kept_apart=False)
    for status in (429, 503):
        with pytest.raises(TemporaryFailure):
            judge(Answer(status, b"", None), "hook.example", kept_apart=False)


def test_a_wait_that_is_asked_for_is_given_on(script: Script, address: str, poster: Poster) -> None:
    asked = {
        "120": timedelta(minutes=2), "999999999": timedelta(days=1), "soon": None, "-5": None, "": None,
        format_datetime(moment.now() - timedelta(hours=1), usegmt=True): timedelta(0),
    }  # fmt: skip
    script.status = 429
    for text, wait in asked.items():
        script.headers = {"Retry-After": text}
        assert poster.post(address, BODY, HEADERS).wait == wait, text
    script.headers = {"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)}
    with pytest.raises(TemporaryFailure) as raised:
        judge(poster.post(address, BODY, HEADERS), "hook.example")
    assert timedelta(minutes=59) < (raised.value.wait or timedelta(0)) <= timedelta(hours=1)


@given(st.text(max_size=40))
def test_no_wait_is_longer_than_a_day_or_less_than_none(text: str) -> None:
    from rekindle.service.channels.posting import _wait

    found = _wait(text)
    assert found is None or timedelta(0) <= found <= timedelta(days=1)


def test_threads_share_a_poster(script: Script, address: str) -> None:
    poster = Poster(private=True, exchange=5.0)

    def post(first: int) -> None:
        for n in range(first, first + 25):
            assert poster.post(address, str(n).encode(), HEADERS).status == 200

    threads = [threading.Thread(target=post, args=(first,)) for first in range(0, 200, 25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(int(one.body) for one in script.came) == list(range(200))
    assert script.connections <= 8
