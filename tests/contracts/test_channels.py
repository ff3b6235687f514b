"""What every sender promises, whatever it sends through: once under its own name, and by type what became of it where not."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from django.db import connections

from rekindle.errors import DeliveryError, LookAgain, OutcomeUnknown, PermanentFailure, TemporaryFailure
from rekindle.service.channels import SENDERS
from rekindle.settings import Senders
from tests.contracts.channel_rigs import ADDRESS, BROKEN, LATER, NEVER, NUMBER, RIGS, SILENT, SWORDFISH, WELL, Rig, name_of
from tests.service.conftest import make_store

ROOT = Path(__file__).parents[2]
THREADS, EACH = 6, 10
FAR = sorted(RIGS.keys() - {"mailbox", "folder", "inapp"})
"""Senders whose other side is another system; a write on this machine is done or not done, and nobody refuses it for good."""
FORGETFUL = ("provider", "sms", "webpush")
"""Senders over HTTP whose other side need not know by its id what comes twice."""


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with RIGS[request.param](make_store(tmp_path / "shop")) as opened:
        opened.behave(WELL)
        yield opened


def named(rig: Rig) -> list[str]:
    return [name.partition("@")[0] for name in rig.taken()]


def said(error: DeliveryError) -> None:
    """An error stands in a touch's reason and on a screen: no secret and no address is in it."""
    assert [word for word in (SWORDFISH, ADDRESS, NUMBER) if word in str(error)] == []
    assert error.cause[-1:] not in ("", ".")


def test_every_sender_has_a_rig_a_page_and_channels_to_serve() -> None:
    assert RIGS.keys() == SENDERS.keys()
    assert {path.stem for path in (ROOT / "docs" / "channels").glob("*.md")} == SENDERS.keys()
    for module in SENDERS.values():
        assert set(import_module(module).CHANNELS) <= Senders.model_fields.keys()


def test_the_other_side_can_do_all_that_one_can(rig: Rig, request: pytest.FixtureRequest) -> None:
    far = request.node.callspec.params["rig"] in FAR
    assert (rig.manners, rig.away is not None) == ({LATER, NEVER, SILENT} if far else {LATER}, far)


def test_a_message_arrives_once_under_its_own_name(rig: Rig) -> None:
    theirs = rig.channel.hand_over(rig.message(7))
    assert named(rig) == [name_of(7)]
    assert theirs.isascii()
    assert theirs.isprintable()
    assert len(theirs) <= 200


def test_what_is_refused_for_now_was_not_taken_and_arrives_once_later(rig: Rig) -> None:
    rig.behave(LATER)
    with pytest.raises(TemporaryFailure) as raised:
        rig.channel.hand_over(rig.message(1))
    said(raised.value)
    rig.behave(WELL)
    assert rig.taken() == []
    rig.channel.hand_over(rig.message(1))
    assert named(rig) == [name_of(1)]


@pytest.mark.parametrize("rig", FAR, indirect=True)
def test_what_is_refused_for_good_was_not_taken(rig: Rig) -> None:
    rig.behave(NEVER)
    with pytest.raises(PermanentFailure) as raised:
        rig.channel.hand_over(rig.message(1))
    said(raised.value)
    assert rig.taken() == []


@pytest.mark.parametrize("rig", FAR, indirect=True)
def test_what_nobody_answered_for_may_have_been_taken_and_is_not_tried_again(rig: Rig) -> None:
    rig.behave(SILENT)
    with pytest.raises(OutcomeUnknown) as raised:
        rig.channel.hand_over(rig.message(1))
    said(raised.value)
    assert named(rig) == [name_of(1)]


@pytest.mark.parametrize("rig", FORGETFUL, indirect=True)
def test_what_the_other_side_failed_at_itself_may_have_been_taken(rig: Rig) -> None:
    rig.behave(BROKEN)
    with pytest.raises(OutcomeUnknown, match="answered 500") as raised:
        rig.channel.hand_over(rig.message(1))
    said(raised.value)


def test_what_was_looked_at_too_long_ago_does_not_begin_and_is_looked_at_again(rig: Rig) -> None:
    rig.behave(SILENT if SILENT in rig.manners else WELL)
    old = replace(rig.message(1), until=time.monotonic() - 0.001)
    for _ in range(2):
        with pytest.raises(LookAgain, match="looked at too long ago") as raised:
            rig.channel.hand_over(old)
        said(raised.value)
        assert not raised.value.lane
    rig.behave(WELL)
    assert rig.taken() == []
    rig.channel.hand_over(replace(old, until=time.monotonic() + 60.0))
    assert named(rig) == [name_of(1)]


def test_one_failure_does_not_hold_up_the_next_message(rig: Rig) -> None:
    for n, manner in enumerate(sorted(rig.manners)):
        rig.behave(manner)
        with pytest.raises(DeliveryError):
            rig.channel.hand_over(rig.message(n))
    rig.behave(WELL)
    rig.channel.hand_over(rig.message(9))
    assert named(rig)[-1] == name_of(9)


@pytest.mark.parametrize("rig", FAR, indirect=True)
def test_where_nobody_is_at_the_other_side_nothing_was_given_away(rig: Rig) -> None:
    assert rig.away is not None
    channel, message = rig.away
    with pytest.raises(TemporaryFailure) as raised:
        channel.hand_over(message)
    said(raised.value)


def test_the_same_message_again_bears_the_same_name(rig: Rig) -> None:
    """News of an order may come twice; then the other side can tell."""
    for _ in range(2):
        rig.channel.hand_over(rig.message(3))
    assert set(named(rig)) == {name_of(3)}


def test_several_threads_hand_over_each_message_once(rig: Rig) -> None:
    failures: list[BaseException] = []

    def work(first: int) -> None:
        try:
            for n in range(first, first + EACH):
                rig.channel.hand_over(rig.message(n))
        except BaseException as error:  # noqa: BLE001  a thread's failure is the test's
            failures.append(error)
        finally:
            connections.close_all()  # as the worker's threads do

    threads = [threading.Thread(target=work, args=(start * EACH,)) for start in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Counter(named(rig)) == Counter(name_of(n) for n in range(THREADS * EACH))
