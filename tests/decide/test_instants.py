"""What came before a message on its day did not come of it, nor end what it began: instants are compared, not days."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from rekindle.program.documents import Offer
from tests.decide.shop import MONDAY, OFFERS, RECONNECT, TAILOR, Decider, customer, documents, program
from tests.decide.test_moments import CAPS, EXIT, certain, decided, stage
from tests.insight.histories import history, order, write

NOW = MONDAY.replace(tzinfo=None)
SENT = NOW + timedelta(days=10, hours=8)
"""Decided at midnight, a message of day 10 leaves at nine in Berlin."""

BRANCHES = {"bought": {"to": "bought"}, "clicked": {"to": "clicked"}, "ignored": {"to": "ignored"}, "complained": {"to": "complained"}}


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Decider]:
    with history(tmp_path) as warehouse:
        yield Decider(warehouse)


def branching(decider: Decider, branches: dict[str, object]) -> Decider:
    later = {name: stage("x", 5) for name in BRANCHES}
    first = {**stage("hello"), "branches": branches}
    mine = decider.with_documents(program(exit=EXIT, caps=CAPS, stages={"hello": first, **later}))
    mine.policy = certain(hello="hello", **dict.fromkeys(BRANCHES, "x"))
    return mine


def told(decider: Decider, names: list[str], branches: dict[str, object]) -> dict[str, str]:
    """The stage that follows for each customer, ten days after the first message."""
    decider.remember(
        *({"customer_id": name, "day": 10, "stage": "hello", "arm": "hello", "send_at": SENT} for name in names),
    )
    made = branching(decider, branches).plan(20, [customer(name, last_day=date(2026, 3, 12)) for name in names])
    return {row["customer_id"]: row["stage"] for row in decider.rows(made)}


def facts(early: datetime, late: datetime) -> dict[str, list[dict[str, object]]]:
    """Everything that can come of a message, before it left and after: the names say what."""
    ways = {"early": early, "late": late}
    return {
        "orders": [order(f"{when} bought", f"{when} bought", at, 1_000) for when, at in ways.items()],
        "events": [
            {"message_id": f"{when} {what}", "customer_id": f"{when} {what}", "name": name, "occurred_at": at}
            for when, at in ways.items() for what, name in (("clicked", "Email Link Clicked"), ("spam", "Email Marked as Spam"))
        ],
        "tickets": [
            {"ticket_id": when, "customer_id": f"{when} ticket", "opened_at": at, "closed_at": at + timedelta(hours=1)}
            for when, at in ways.items()
        ],
        "returns": [{"return_id": when, "customer_id": f"{when} return", "returned_at": at, "open": False} for when, at in ways.items()],
        "reviews": [
            {"review_id": f"{when}{rating}", "customer_id": f"{when} rated {rating}", "rating": rating, "reviewed_at": at}
            for when, at in ways.items() for rating in (2, 3)
        ],
    }  # fmt: skip


WHAT = ("bought", "clicked", "spam", "ticket", "return", "rated 2", "rated 3")


def test_a_message_comes_to_what_happened_after_it_left(empty: Decider) -> None:
    """An hour before it left and an hour after, on the same day."""
    write(empty.warehouse, facts(SENT - timedelta(hours=1), SENT + timedelta(hours=1)))
    names = [f"{when} {what}" for when in ("early", "late") for what in WHAT]
    expected = {name: "ignored" for name in names} | {
        "late bought": "bought", "late clicked": "clicked",
        **{f"late {what}": "complained" for what in ("spam", "ticket", "return", "rated 2")},
    }
    assert told(empty, names, BRANCHES) == expected


def test_a_complaint_is_looked_at_where_there_is_a_branch_for_it(empty: Decider) -> None:
    late = SENT + timedelta(hours=1)
    write(empty.warehouse, facts(late, late))
    write(empty.warehouse, {"orders": [order("both", "late ticket", late, 100)]})
    names = ["late ticket", "late return"]
    assert told(empty, names, {"ignored": BRANCHES["ignored"], "bought": {"to": "end"}}) == {"late return": "ignored"}
    both = ["early ticket", "late rated 2"]
    assert told(empty, both, {"complained": {"to": "end"}}) == {}


def test_an_order_before_a_rung_is_none_since(empty: Decider) -> None:
    """Both ordered on the day of the first rung, one an hour before its message left."""
    terms = {
        "one": {**OFFERS["credit"], "ladder": {"name": "welcome", "rung": 1}},
        "two": {"kind": "badge", "label": "A regular", "ladder": {"name": "welcome", "rung": 2}},
    }
    step = {**TAILOR, "delay": {"rhythm": 0.0}, "arms": {name: {"offer": name, "prior": {"mean": 0.0, "sd": 0.01}} for name in terms}}
    offers = {name: Offer.model_validate({**one, "(name)": name}) for name, one in terms.items()}
    mine = replace(empty, documents=replace(documents(program(stages={"tailor": step})), offers=offers))
    at = {"before": SENT - timedelta(hours=1), "after": SENT + timedelta(hours=1)}
    write(mine.warehouse, {"orders": [order(name, name, when, 1_000) for name, when in at.items()]})
    rung = {"day": 10, "episode": "old", "offer": "one", "kind": "credit", "price": True, "once_key": "welcome:1", "send_at": SENT}
    mine.remember(*({"customer_id": name, **rung} for name in at))
    rows = mine.rows(mine.plan(200, [customer(name, last_day=date(2026, 3, 12)) for name in at]))
    assert {row["customer_id"]: row["eligible"] for row in rows} == {"before": "nothing", "after": "two|nothing"}


def test_an_order_before_a_credit_was_given_does_not_end_its_round(empty: Decider) -> None:
    """The credit came an hour after the order that it thanks for; whoever orders after it needs no word."""
    given = NOW + timedelta(days=1, hours=12)
    at = {"thanked": given - timedelta(hours=1), "came again": given + timedelta(hours=1)}
    gifts = [
        {"credit_id": name, "customer_id": name, "amount": 500, "spent": 0, "issued_at": given, "expires_on": date(2026, 3, 10)}
        for name in at
    ]
    write(empty.warehouse, {"orders": [order(name, name, when, 1_000) for name, when in at.items()], "credits": gifts})
    mine = empty.with_documents(
        program(
            trigger={"on": "credit"}, audience={"enter": "orders > 0"}, exit=[*EXIT, "order"], stages={"word": stage("word")}, caps=CAPS
        )
    )
    mine.policy = certain(word="word")
    people = [customer(name, last_day=date(2026, 3, 3), last_order_id=name) for name in at]
    assert decided(mine, 2, people) == {("thanked", "word", "word")}


def dated(decider: Decider, **changes: object) -> Decider:
    """An offer that holds until the tenth, for a week at the least; nobody is written to from Tuesday to Friday."""
    terms = {**OFFERS["shipping"], "minimum_valid": "7d", "valid_until": "2026-03-10", **changes}
    step = {**RECONNECT, "arms": {"it": {"offer": "it", "prior": {"mean": 0.0, "sd": 0.01}}}}
    rules = {"quiet_hours": {"start": "20:00", "end": "09:00", "days": ["tuesday", "wednesday", "thursday", "friday"]}}
    held = documents(program(stages={"reconnect": step}), **rules)
    return replace(decider, documents=replace(held, offers={"it": Offer.model_validate({**terms, "(name)": "it"})}))


def test_an_offer_keeps_its_minimum_on_the_day_on_which_it_leaves(empty: Decider) -> None:
    """Decided on Monday at nine in the evening of Berlin, where four quiet days follow; in New York it is afternoon still."""
    zones = {"berlin": "Europe/Berlin", "york": "America/New_York", "home": None}
    people = [customer(name, timezone=zone) for name, zone in zones.items()]
    rows = empty.rows(dated(empty).plan(20 / 24, people, zone="Europe/Berlin"))
    assert {row["customer_id"]: row["eligible"] for row in rows} == {"berlin": "nothing", "home": "nothing", "york": "it|nothing"}
    rows = empty.rows(dated(empty, valid_until="2026-03-14").plan(20 / 24, people, zone="Europe/Berlin"))
    assert {row["eligible"] for row in rows} == {"it|nothing"}, "seven days are left from Saturday the seventh"
    for row in rows:
        if row["arm"] == "it":
            assert (row["valid_until"] - row["send_at"].date()).days >= 7
    late = dated(empty, valid_until="2026-04-30", valid_from="2026-03-04").plan(20 / 24, people, zone="Europe/Berlin")
    assert {row["customer_id"]: row["eligible"] for row in empty.rows(late)} == {
        "berlin": "it|nothing", "home": "it|nothing", "york": "nothing",
    }, "it begins on Wednesday"
