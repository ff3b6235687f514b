"""What of a form is refused before it is read: too large, of who is not signed in, of whose role may not send it."""

from collections.abc import Callable, Iterator

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client

from rekindle.service.console.doorway import FILE_AT_MOST
from rekindle.service.console.roles import Role

FILES = "multipart/form-data; boundary=x"


@pytest.fixture(autouse=True)
def unread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test of this file has a form read."""
    with monkeypatch.context() as patched:
        patched.setattr(WSGIRequest, "_load_post_and_files", lambda _: pytest.fail("the body was read"))
        yield


def send(client: Client, at: str, size: int) -> int:
    client.handler.enforce_csrf_checks = True
    client.cookies["rekindle_form"] = "a" * 32
    return client.generic("POST", f"/console/{at}", b"--x--", FILES, CONTENT_LENGTH=str(size)).status_code


@pytest.mark.parametrize("at", ["start", "start/contacts"])
def test_a_file_that_is_too_large_is_not_read(enter: Callable[..., Client], at: str) -> None:
    assert send(enter(Role.ADMIN, privacy=True), at, FILE_AT_MOST + 1) == 413


@pytest.mark.parametrize("at", ["shop", "operators", "account/login", "account/second/set-up", "records/", "documents/approve", "nowhere"])
def test_no_other_page_takes_more_than_a_form(enter: Callable[..., Client], at: str) -> None:
    assert send(enter(Role.ADMIN, privacy=True), at, 1_000_001) == 413
    assert send(Client(), at, 1_000_001) == 413


def test_what_somebody_may_not_send_is_not_read(enter: Callable[..., Client]) -> None:
    assert send(Client(), "start", 9_000_000) == 302
    assert send(enter(Role.VIEWER), "start", 9_000_000) == 403
    assert send(enter(Role.EDITOR), "start/contacts", 9_000_000) == 403
    assert send(enter(Role.VIEWER), "shop", 100) == 403
    assert send(enter(Role.EDITOR), "jobs", 100) == 405
