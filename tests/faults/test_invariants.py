"""What the tests of faults hold a store against does fail where something was lost."""

from collections import Counter

import pytest

from rekindle.service.outbox.models import EXPIRED, FAILED, SENT, SUPPRESSED, UNKNOWN, Touch
from rekindle.settings import Settings
from tests.faults.crowds import plan
from tests.faults.invariants import hold
from tests.faults.sinks import Received

SIZE = 6
NOTHING = Received(Counter(), Counter())


def end(status: str, service: bool) -> None:
    """Touches that have all ended in one way, none of which came."""
    plan(SIZE, "email", service_every=int(service))
    Touch.objects.update(status=status)


@pytest.mark.parametrize("service", [False, True])
@pytest.mark.parametrize("status", [FAILED, SUPPRESSED, EXPIRED])
def test_what_ended_without_being_sent_is_lost_unless_it_may(store: Settings, status: str, service: bool) -> None:
    end(status, service)
    with pytest.raises(AssertionError, match="nothing is lost"):
        hold(NOTHING, SIZE, unknown_at_most=0)
    with pytest.raises(AssertionError, match="nothing is lost"):
        hold(NOTHING, SIZE, unknown_at_most=SIZE, may_end=frozenset({FAILED, SUPPRESSED, EXPIRED} - {status}))
    hold(NOTHING, SIZE, unknown_at_most=0, may_end=frozenset({status}))


def test_what_is_shown_as_sent_and_never_came_is_lost(store: Settings) -> None:
    end(SENT, service=False)
    with pytest.raises(AssertionError, match="has come whole"):
        hold(NOTHING, SIZE, unknown_at_most=0)


def test_news_of_an_order_is_never_left_unknown(store: Settings) -> None:
    end(UNKNOWN, service=True)
    with pytest.raises(AssertionError, match="tried until it is sent"):
        hold(NOTHING, SIZE, unknown_at_most=SIZE)


def test_no_more_is_unknown_than_may_be(store: Settings) -> None:
    end(UNKNOWN, service=False)
    hold(NOTHING, SIZE, unknown_at_most=SIZE)
    with pytest.raises(AssertionError):
        hold(NOTHING, SIZE, unknown_at_most=SIZE - 1)
