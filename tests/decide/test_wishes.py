"""A customer's own wish goes before what was predicted: topics, how rarely, by which channel, at which hour."""

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import pytest

from rekindle.decide.planner import Plan
from rekindle.decide.policy import Policy
from rekindle.decide.wishes import with_wishes
from tests.decide.shop import STAGES, Decider, Row, by_customer, certainly, customer, instant, program
from tests.insight.histories import write


def wish(decider: Decider, **wishes: dict[str, object]) -> None:
    empty = {"timezone": None, "locale": None, "birthday": None, "channel": None, "hour": None, "monthly": None}
    write(decider.warehouse, {"people": [{"customer_id": name, **empty, **said} for name, said in wishes.items()]})


def word(decider: Decider, customer_id: str, purpose: str, granted: bool, day: float = -1) -> None:
    row = {
        "consent_key": f"{customer_id}:{purpose}:{day}", "customer_id": customer_id, "channel": "all", "purpose": purpose,
        "granted": granted, "recorded_at": instant(0).naive + timedelta(days=day), "expires_at": None,
    }
    write(decider.warehouse, {"consents": [row]})


def told(decider: Decider, made: Plan) -> dict[str, Row]:
    return by_customer(decider.rows(made))


@pytest.fixture
def asking(decider: Decider) -> Decider:
    """A shop whose program says something for certain."""
    sure = certainly("reconnect:plain:lesson:light", "tailor:percent:credit", "closing:last_word")
    return replace(decider.with_documents(program()), policy=Policy("sure", sure))


def test_a_refused_topic_is_left_alone_and_a_taken_back_refusal_is_not(asking: Decider) -> None:
    word(asking, "refused", "topic:offers", granted=False)
    word(asking, "other", "topic:questions", granted=False)
    word(asking, "later", "topic:offers", granted=False, day=1)
    rows = told(asking, asking.plan(0, [customer(name) for name in ("refused", "other", "later", "silent")]))
    assert {name: row["reason"] == "topic_refused" for name, row in rows.items()} == {
        "refused": True, "other": False, "later": False, "silent": False,
    }
    assert rows["refused"]["standing"] is None, "nobody gets a standing by it"


def test_who_asks_for_one_message_a_month_waits_thirty_days_for_the_next(asking: Decider) -> None:
    wish(asking, rarely={"monthly": 1}, often={"monthly": 4})
    people = [customer("rarely"), customer("often"), customer("silent")]
    asking.keep(asking.plan(0, people), 0)
    reasons = {day: {name: row["reason"] for name, row in told(asking, asking.plan(day, people)).items()} for day in (12, 31)}
    assert reasons[12]["rarely"] == "wished_less"
    assert "wished_less" not in (reasons[12]["often"], reasons[12]["silent"], reasons[31]["rarely"])


def test_marketing_waits_for_the_hour_asked_for_within_a_day(asking: Decider) -> None:
    wish(asking, evening={"hour": 18}, morning={"hour": 9}, night={"hour": 8})
    rows = told(asking, asking.plan(0.5, [customer(name, timezone="UTC") for name in ("evening", "morning", "silent")]))
    noon = instant(0.5).naive
    assert {name: row["send_at"] - noon for name, row in rows.items()} == {
        "evening": timedelta(hours=6), "morning": timedelta(hours=21), "silent": timedelta(0),
    }


def test_an_offer_holds_as_long_from_the_hour_asked_for(asking: Decider) -> None:
    wish(asking, morning={"hour": 9})
    people = [customer(name, timezone="UTC") for name in ("morning", "silent")]
    asking.keep(asking.plan(0.5, people), 0.5)
    rows = told(asking, asking.plan(12.5, people))
    assert rows["morning"]["valid_until"] - rows["silent"]["valid_until"] == timedelta(days=1)


def test_a_variant_leaves_at_its_own_hour_unless_the_customer_asked_for_another(decider: Decider) -> None:
    stages = deepcopy(STAGES)
    stages["reconnect"]["arms"]["plain"]["hour"] = 18
    decider = replace(decider.with_documents(program(stages=stages)), policy=Policy("sure", certainly("reconnect:plain:lesson:light")))
    wish(decider, asked={"hour": 13})
    rows = told(decider, decider.plan(0.5, [customer(name, timezone="UTC") for name in ("asked", "silent")]))
    noon = instant(0.5).naive
    assert {name: row["send_at"] - noon for name, row in rows.items()} == {"asked": timedelta(hours=1), "silent": timedelta(hours=6)}


def test_the_channel_asked_for_goes_first_where_it_can(asking: Decider) -> None:
    wish(asking, texts={"channel": "sms"}, unable={"channel": "sms"})
    decider = replace(asking, shop=replace(asking.shop, channels=("email", "sms")))
    people = [customer("texts", sms_consent=True), customer("unable"), customer("silent", sms_consent=True)]
    rows = told(decider, decider.plan(0, people))
    assert {name: row["channel"] for name, row in rows.items()} == {"texts": "sms", "unable": "email", "silent": "email"}


def test_nothing_is_asked_of_anyone_where_nobody_wished(decider: Decider) -> None:
    table = decider.warehouse.table("people")
    assert with_wishes(decider.warehouse, table, instant(0)) is table
