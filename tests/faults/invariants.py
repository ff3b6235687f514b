"""What no fault may break: nothing twice, nothing lost, every touch in one named state, few of them unknown."""

from rekindle.service.outbox.models import ATTEMPTING, EXPIRED, FAILED, OPEN, SENT, SETTLED, SUPPRESSED, UNKNOWN, Touch
from tests.faults.sinks import Received

NOT_SENT = frozenset({FAILED, SUPPRESSED, EXPIRED})


def in_doubt() -> int:
    """How many touches are unknown, or will be when their lease is over."""
    return Touch.objects.filter(status__in=(ATTEMPTING, UNKNOWN), service=False).count()


def hold(got: Received, planned: int, unknown_at_most: int, may_end: frozenset[str] = frozenset()) -> None:
    """Asserts I1, I2's outcome and I6 for a store whose worker has come to its end.

    Args:
        got: What the other side has.
        planned: How many touches there were.
        unknown_at_most: How many may be unknown: one batch for each time that a worker was stopped.
        may_end: Of failed, suppressed and expired, how touches may have ended here without being sent.
    """
    rows = list(Touch.objects.values_list("token", "status", "service"))
    by_status: dict[str, set[str]] = {status: {token for token, found, _ in rows if found == status} for status in (*OPEN, *SETTLED)}
    news = {token for token, _, service in rows if service}
    refused: set[str] = set().union(*(by_status[status] for status in may_end))
    assert sum(map(len, by_status.values())) == len(rows) == planned, "every touch is in one named state"
    assert [status for status in OPEN if by_status[status]] == [], "every touch has ended"
    assert [status for status in NOT_SENT - may_end if by_status[status]] == [], "nothing is lost"
    assert {token for token, times in got.first.items() if times > 1} <= news, "no marketing is begun twice"
    assert by_status[SENT] <= set(got.last), "what is shown as sent has come whole"
    assert set(got.first) <= by_status[SENT] | by_status[UNKNOWN], "what the other side has is shown as sent or unknown"
    assert news - refused == news & by_status[SENT], "news of an order is tried until it is sent"
    assert len(by_status[UNKNOWN]) <= unknown_at_most
