"""A plan whose messages leave this machine waits for a yes: a person's, who types how many there are, or the autopilot's."""

from datetime import datetime
from typing import Any

import pytest

from rekindle.decide.summary import PlanSummary
from rekindle.deliver.templates import PLACEHOLDER_ADDRESS
from rekindle.errors import BadData, Refused
from rekindle.insight.models import Interval
from rekindle.program.rules import Autopilot
from rekindle.service.flow import plan_approving
from rekindle.service.flow.planning import deliverable
from rekindle.service.flow.sending import Sent, send_due
from rekindle.service.outbox import actions as outbox
from rekindle.service.outbox import queries
from rekindle.service.outbox.models import Plan, Touch
from rekindle.service.programs import actions as programs
from rekindle.settings import Brand, Sender, Senders, Settings
from tests.service.conftest import NOON, in_earnest
from tests.service.live import go_live
from tests.service.touches import Recorder, meet, plan, touches

HASH = "ab12cd34ef56"


def real(store: Settings, **senders: str) -> Settings:
    """The store with senders from which messages leave this machine."""
    return in_earnest(store).model_copy(update={"senders": Senders(**{"email": "smtp", **senders})})


def test_nothing_leaves_before_a_person_said_yes_and_typed_how_much(store: Settings) -> None:
    shop = real(store)
    go_live(shop)
    plan(["c1", "c2"], HASH)
    recorder = Recorder()
    assert send_due(shop, NOON, senders={"email": recorder}) == Sent(2, {}, 0, held=2)
    (waiting,) = plan_approving.awaiting(shop)
    assert waiting == plan_approving.Waiting(HASH, 2) == plan_approving.named(shop, HASH[:6])
    for typed in (None, 1, 3):
        with pytest.raises(Refused, match="2 messages over to smtp"):
            plan_approving.approve(shop, waiting, typed, "Ada", NOON)
    assert send_due(shop, NOON, senders={"email": recorder}) == Sent(2, {}, 0, held=2)
    assert recorder.taken == []
    plan_approving.approve(shop, waiting, 2, "Ada", NOON)
    assert (Plan.objects.get().approved_by, Plan.objects.get().approved_at) == ("Ada", NOON)
    assert send_due(shop, NOON, senders={"email": recorder}) == Sent(2, {"sent": 2}, 0)
    assert plan_approving.awaiting(shop) == ()
    with pytest.raises(BadData, match="waits for no yes"):
        plan_approving.approve(shop, plan_approving.Waiting(HASH, 0), 2, "Eve", NOON)


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("sender.postal_address", {"sender": Sender(email="hello@marigold.example", postal_address=PLACEHOLDER_ADDRESS)}),
        ("sender.email", {"sender": Sender(postal_address="12 Garden Row, Bristol")}),
        ("brand.url", {"brand": Brand(url="https://shop.example/")}),
        ("public_url", {"public_url": "https://shop.example/rekindle/"}),
    ],
)
def test_no_example_leaves_this_machine(store: Settings, name: str, example: dict[str, Any]) -> None:
    plan(["c1"], HASH)
    outbox.approve(HASH, "Ada", NOON)
    recorder = Recorder()
    with pytest.raises(Refused, match=f"^rekindle.toml: {name} is still the example") as refused:
        send_due(real(store).model_copy(update=example), NOON, senders={"email": recorder})
    assert (refused.value.exit_code, recorder.taken, Touch.objects.get().status) == (4, [], "planned")
    assert send_due(store.model_copy(update=example), NOON).by_status == {"sent": 1}, "the mailbox harms nobody"


def test_the_first_yes_stays(store: Settings) -> None:
    plan(["c1"], HASH)
    outbox.approve(HASH, "Ada", NOON)
    outbox.approve(HASH, "Eve", NOON)
    assert Plan.objects.get().approved_by == "Ada"


def test_the_mailbox_asks_nobody_and_other_channels_of_the_same_plan_wait(store: Settings) -> None:
    shop = in_earnest(store).model_copy(update={"senders": Senders(sms="sms")})
    meet(["mail", "text"])
    outbox.insert_touches(HASH, touches(["mail", "text"], channel=["email", "sms"]))
    outbox.ready(HASH)
    recorders = {"email": Recorder(), "sms": Recorder()}
    assert send_due(shop, NOON, senders=recorders) == Sent(2, {"sent": 1}, 0, held=1)
    assert [len(one.taken) for one in recorders.values()] == [1, 0]
    assert plan_approving.awaiting(shop) == (plan_approving.Waiting(HASH, 1),)
    assert plan_approving.awaiting(store) == ()


def test_a_hash_must_name_one_plan(store: Settings) -> None:
    shop = real(store)
    plan(["c1"], HASH)
    plan(["c2"], f"{HASH}00")
    assert plan_approving.named(shop, HASH) is None, "two begin so"
    assert plan_approving.named(shop, f"{HASH}0") == plan_approving.Waiting(f"{HASH}00", 1)
    assert plan_approving.named(shop, "ffffff") is None
    assert queries.plan_of(f"{HASH}00"[:5]) is None, "too short to mean one"


SUMMARY = PlanSummary(
    digest=HASH, rehearsal=False, decisions=9, messages=5, by_program={}, by_stage={}, by_arm={}, by_offer={}, refusals={}, standing={},
    cost_ceiling=2_000.0, expected_cost=0.0, expected_margin=Interval(0.0, 0.0, 0.0), subsidised_orders=0.0, scale=1.0, by_seller={},
    concentration=None,  # type: ignore[arg-type]  # the autopilot does not look at it
)


@pytest.mark.parametrize(
    ("bounds", "goes"),
    [
        (None, False), ({"max_touches": 5, "max_cost": "20.00"}, True), ({"max_touches": 4, "max_cost": "20.00"}, False),
        ({"max_touches": 5, "max_cost": "19.99"}, False), ({"max_touches": 0, "max_cost": "0"}, False),
    ],
)
def test_the_autopilot_lets_go_what_fits_its_bounds(store: Settings, bounds: dict[str, Any] | None, goes: bool) -> None:
    plan(["c1"], HASH)
    autopilot = Autopilot.model_validate(bounds) if bounds else None
    assert plan_approving.by_autopilot(store, autopilot, SUMMARY, NOON) is goes
    assert Plan.objects.get().approved_by == ("autopilot" if goes else "")
    assert send_due(real(store), NOON, senders={"email": Recorder()}).by_status == ({"sent": 1} if goes else {})


def test_marketing_of_a_paused_program_waits_and_news_of_orders_does_not(store: Settings) -> None:
    meet(["c1", "c2"])
    outbox.insert_touches(HASH, touches(["c1"]))
    outbox.insert_touches(HASH, touches(["c2"], stage="tailor", service=True))
    outbox.ready(HASH)
    programs.pause("win-back", "complaints", "Ada", NOON)
    assert send_due(store, NOON, senders={"email": Recorder()}) == Sent(2, {"sent": 1}, 0, held=1)
    assert Touch.objects.get(customer_id="c1").status == "planned"
    programs.resume("win-back", "Ada", NOON)
    assert send_due(store, NOON, senders={"email": Recorder()}) == Sent(1, {"sent": 1}, 0)


def test_a_paused_program_s_message_expires_as_any_other(store: Settings) -> None:
    plan(["c1"], HASH)
    programs.pause("win-back", "complaints", "Ada", NOON)
    assert send_due(store, NOON).held == 1
    programs.resume("win-back", "Ada", NOON)
    assert send_due(store, datetime(2027, 1, 1, 12, tzinfo=NOON.tzinfo)).by_status == {"expired": 1}


def test_a_store_reaches_its_customers_by_the_channels_it_has_senders_for(store: Settings) -> None:
    assert deliverable(store) == ("email",)
    assert deliverable(real(store, sms="sms", inapp="inapp", webhook="webhook")) == ("email", "sms", "inapp")
    assert deliverable(store.model_copy(update={"senders": Senders(email="")})) == ()
