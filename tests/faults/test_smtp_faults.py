"""A whole run of the worker against a mail server that does everything wrong: nothing twice, nothing lost, nobody waits for another."""

import ssl
import time
from collections import Counter
from datetime import datetime, timedelta
from email import policy
from email.parser import BytesParser

import pytest
from django.db.models import Max

from rekindle.deliver.lanes import Limits
from rekindle.service.channels.smtp.channel import Smtp
from rekindle.service.channels.smtp.pool import Timing
from rekindle.service.channels.smtp.session import Server
from rekindle.service.flow.sending import send_due
from rekindle.service.outbox import actions as outbox
from rekindle.service.outbox.models import FAILED, PLANNED, SENT, UNKNOWN, Touch
from rekindle.settings import Settings
from tests.faults.invariants import hold
from tests.faults.sinks import Received
from tests.faults.smtp_server import Fault, Scale, SmtpServer
from tests.faults.weather import WRONG, plan
from tests.service.conftest import NOON, in_earnest

TIMING = Timing(connect=2.0, answer=1.0, before_dot=2.0, after_dot=1.5, rest=0.2, longest_rest=0.4)
LIMITS = Limits(at_once=8, spare=4, per_lane=4, patience=0.25, first_rest=1.5, longest_rest=180.0)
SCALE = Scale(stall=3.0, tick=0.1, grey=0.5)
OVER = NOON + timedelta(days=30)

REFUSED = ("has-no-mailbox", "refuses-after-the-dot")
IN_DATA = ("drops-mid-data", "resets-mid-data", "reads-slowly")
"""A short message is on its way with its final dot before the sender can hear that the other side has gone: then nobody can say."""
AFTER_THE_DOT = ("stalls-after-the-dot", "drops-after-the-dot", "resets-after-the-dot", "talks-nonsense-after-the-dot")

CONNECTIONS = {
    "stalls before its banner": Fault("BANNER", "stall", times=3),
    "is full": Fault("BANNER", "reply", "421 too many connections", times=3),
    "drops before its banner": Fault("BANNER", "drop", times=3),
    "stalls at EHLO": Fault("EHLO", "stall", times=3),
    "stalls at MAIL": Fault("MAIL", "stall", times=3),
    "tempfails at MAIL": Fault("MAIL", "reply", "451 4.7.1 slow down", times=10),
    "resets at MAIL": Fault("MAIL", "reset", times=3),
}


def send_all(store: Settings, server: SmtpServer) -> Counter[str]:
    """Sends again and again, as late as the waiting touches ask for, until all have ended; how many runs each status took."""
    now: datetime | None = NOON
    where = Server("127.0.0.1", server.port, "none", "shop.example", ssl.create_default_context())
    relay, runs = Smtp(where, LIMITS, TIMING), Counter[str]()
    while now and runs["runs"] < 40:
        sent = send_due(store, now, senders={"email": relay}, clock=lambda: NOON)
        assert sum(sent.by_status.values()) + sent.postponed + sent.held == sent.planned + sent.left
        runs["runs"] += 1
        time.sleep(TIMING.longest_rest)  # the wait that the clock of the touches leaps over
        now = Touch.objects.filter(status=PLANNED).aggregate(at=Max("send_at"))["at"]
    relay.close()
    return runs


def statuses() -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for customer, status in Touch.objects.values_list("customer_id", "status"):
        found.setdefault(customer.partition("-")[2], Counter())[status] += 1
    return found


def taken(server: SmtpServer) -> Received:
    got = Counter({name.partition("@")[0]: count for name, count in server.account.taken.items()})
    return Received(got, got)


def against_the_weather(store: Settings, each: int) -> None:
    with SmtpServer({f"{domain}.example": fault for domain, fault in WRONG.items() if fault}, scale=SCALE) as server:
        planned = plan(list(WRONG), each)
        send_all(store, server)
    hold(taken(server), planned, unknown_at_most=3 * len((*IN_DATA, *AFTER_THE_DOT)), may_end=frozenset({FAILED}))
    for domain, found in statuses().items():
        if domain in REFUSED:
            assert found == {FAILED: each}, domain
        else:
            assert found[SENT] + found[UNKNOWN] == each, domain
            assert found[UNKNOWN] in ((3,) if domain in AFTER_THE_DOT else range(4) if domain in IN_DATA else (0,)), domain


def test_twenty_ways_to_go_wrong_at_once(store: Settings) -> None:
    against_the_weather(store, each=20)


@pytest.mark.long
@pytest.mark.parametrize("ledger", ["sqlite", "postgresql"], indirect=True)
def test_twenty_ways_to_go_wrong_with_two_hundred_messages_each(store: Settings) -> None:
    against_the_weather(store, each=200)


@pytest.mark.parametrize("fault", CONNECTIONS.values(), ids=CONNECTIONS)
def test_connections_that_go_wrong_cost_no_message(store: Settings, fault: Fault) -> None:
    with SmtpServer({"": fault}, scale=SCALE) as server:
        planned = plan(["a", "b"], 15)
        send_all(store, server)
    hold(taken(server), planned, unknown_at_most=0)
    assert statuses() == {"a": {SENT: 15}, "b": {SENT: 15}}


def test_the_relay_of_the_settings_sends_what_a_person_has_approved(store: Settings) -> None:
    with SmtpServer(keep=True) as server:
        relay = {"host": "127.0.0.1", "port": server.port, "security": "none"}
        mailing = Settings(**{**in_earnest(store).model_dump(), "senders": {"email": "smtp"}, "smtp": relay})
        plan(["a", "b"], 10)
        assert (send_due(mailing, NOON, clock=lambda: NOON).held, server.account.connections) == (20, 0)
        outbox.approve("plan1", "ada", NOON)
        assert send_due(mailing, NOON, clock=lambda: NOON).by_status == {SENT: 20}
    hold(taken(server), 20, unknown_at_most=0)
    named = Touch.objects.values_list("provider_id", "message_id")
    assert all(theirs.startswith("4X") and ours.endswith("@marigold.example") for theirs, ours in named)
    parsed = BytesParser(policy=policy.default).parsebytes(server.account.wires[0])
    assert (parsed["From"].addresses[0].addr_spec, parsed.defects) == ("hello@marigold.example", [])
