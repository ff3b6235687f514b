"""Who waits for the price offer: simulated stories of silence and return, told apart a second time by hand."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rekindle.decide.due import Past
from rekindle.decide.gaming import waiting
from rekindle.history.tables import JOURNAL
from rekindle.program.documents import Offer
from tests.decide.shop import OFFERS, Decider, instant, rules
from tests.insight.histories import Fact, order, write

NOW = instant(1_000)
DAY = timedelta(days=1)
ALL_OFFERS = {name: Offer.model_validate({**offer, "(name)": name}) for name, offer in OFFERS.items()}
TWICE = {"rounds": 2, "over": "730d"}
Row = dict[str, Any]


class Story:
    """What passes between a shop and its customers: lapses, messages with their codes, orders."""

    def __init__(self) -> None:
        self.contacts: list[Row] = []
        self.touches: list[Fact] = []
        self.orders: list[Fact] = []

    def order(self, customer: str, days_ago: float, code: str | None = None, cancelled: bool = False) -> str:
        name = f"{customer}-{len(self.orders)}"
        self.orders.append(order(name, customer, ago(days_ago), 5_000, code=code, cancelled=cancelled))
        return name

    def message(
        self, customer: str, episode: str, days_ago: float, offer: str = "percent", cohort: str | None = "other", program: str = "back"
    ) -> str:
        """The code of a message."""
        stage, code = f"s{len(self.contacts)}", f"CODE{len(self.contacts)}"
        said = {"program": program, "customer_id": customer, "episode": episode, "stage": stage, "offer": offer, "cohort": cohort}
        self.contacts.append({**dict.fromkeys(JOURNAL.names), **said, "as_of": ago(days_ago)})
        touch = {"program": program, "customer_id": customer, "episode": episode, "stage": stage, "code": code, "status": "sent"}
        self.touches.append({**touch, "touch_key": f"{program}:{customer}:{episode}:{stage}", "arm": "x", "settled_at": ago(days_ago)})
        return code

    def round(self, customer: str, days_ago: float, **message: Any) -> None:
        """An order, a long silence, an offer, and an order with its code after five days."""
        episode = self.order(customer, days_ago + 100)
        self.order(customer, days_ago, self.message(customer, episode, days_ago + 5, **message))

    def waiting(self, decider: Decider, gaming: Row | None = TWICE) -> dict[str, int]:
        write(decider.warehouse, {"touches": self.touches, "orders": self.orders})
        kept = decider.warehouse.keep(pa.Table.from_pylist(self.contacts, schema=JOURNAL.to_pyarrow()))
        found = waiting(decider.warehouse, Past(kept, kept), ALL_OFFERS, rules(gaming=gaming), NOW)
        return {row["customer_id"]: row["rounds"] for row in decider.warehouse.arrow(found).to_pylist()}


def ago(days: float) -> datetime:
    return NOW.naive - days * DAY


def told() -> Story:
    """Customers of every sort, two rounds each unless their name says otherwise."""
    story = Story()
    for customer, message in {
        "waits": {}, "credit": {"offer": "credit"}, "free delivery": {"offer": "shipping"}, "not lapsed": {"cohort": None},
    }.items():
        story.round(customer, 300, **message)
        story.round(customer, 40, **message)
    story.round("once", 40)
    story.round("long ago", 731)
    story.round("long ago", 40)
    story.round("three times", 500)
    story.round("three times", 300)
    story.round("three times", 40)
    for days in (300, 40):
        episode = story.order("without", days + 100)
        story.message("without", episode, days + 5)
        story.order("without", days)  # came back, but not for the offer
        episode = story.order("anyway", days + 100)
        code = story.message("anyway", episode, days + 10)
        story.order("anyway", days + 5)  # at the full price
        story.order("anyway", days, code)  # and used the code later: the round had ended
        episode = story.order("void", days + 100)
        story.order("void", days, story.message("void", episode, days + 5), cancelled=True)
        episode = story.order("thief", days + 100)
        story.order("thief", days, story.message("waits", f"no-{days}", days + 5))  # another's code
    episode = story.order("two programs", 140)
    story.message("two programs", episode, 50, program="other")
    story.order("two programs", 40, story.message("two programs", episode, 45))
    return story


def test_only_who_came_back_for_the_offer_again_waits(decider: Decider) -> None:
    assert told().waiting(decider) == {"waits": 2, "credit": 2, "three times": 3}


@pytest.mark.parametrize(
    ("gaming", "expected"),
    [
        (None, set()),
        ({"rounds": 3}, {"three times"}),
        ({"rounds": 2, "over": "400d"}, {"waits", "credit", "three times"}),
        ({"rounds": 2, "over": "250d"}, set()),
        ({"rounds": 2, "over": "732d"}, {"waits", "credit", "three times", "long ago"}),
    ],
)  # fmt: skip
def test_the_rules_say_how_often_in_which_time(decider: Decider, gaming: Row | None, expected: set[str]) -> None:
    assert set(told().waiting(decider, gaming)) == expected


def by_hand(story: Story, customer: str, rounds: int, days: int) -> bool:
    """One order after another: whether the message that it used the code of was the last before it, and so on."""
    orders = [one for one in story.orders if one["customer_id"] == customer and not one["cancelled"]]
    ended, before = set(), None
    for one in sorted(orders, key=lambda one: one["ordered_at"]):
        for touch, contact in zip(story.touches, story.contacts, strict=True):
            mine = touch["customer_id"] == customer and touch["code"] == one["code"]
            since = before is None or before < contact["as_of"]
            counts = contact["offer"] in ("percent", "credit") and contact["cohort"] and contact["as_of"] <= one["ordered_at"]
            if mine and since and counts and one["ordered_at"] > ago(days):
                ended.add(contact["episode"])
        before = one["ordered_at"]
    return len(ended) >= rounds


def test_random_stories_a_second_time(decider: Decider) -> None:
    rng, story = np.random.default_rng(11), Story()
    names = [f"c{number:02d}" for number in range(80)]
    for name in names:
        day, episode = 900.0, story.order(name, 900)
        for _ in range(rng.integers(1, 8)):
            day -= float(rng.uniform(20, 150))
            if day < 10:
                break
            offer = str(rng.choice(["percent", "credit", "reminder"], p=[0.5, 0.3, 0.2]))
            code = story.message(name, episode, day, offer, None if rng.random() < 0.2 else "other")
            if rng.random() < 0.2:
                story.order(name, day - 2)
            if rng.random() < 0.85:
                episode = story.order(name, day - 5, code if rng.random() < 0.8 else None, cancelled=bool(rng.random() < 0.1))
    found = set(story.waiting(decider))
    assert found == {name for name in names if by_hand(story, name, 2, 730)}
    assert 10 < len(found) < 70
