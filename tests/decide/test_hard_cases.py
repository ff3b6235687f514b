"""What breaks other senders: editing a live program, an audience decided in batches of any size, a second lapse, a shrinking segment."""

from datetime import date

import pytest

from tests.decide.shop import CLOSING, RECONNECT, Decider, Row, by_customer, crowd, customer, instant, program
from tests.insight.histories import write

ONE_STAGE = {"reconnect": RECONNECT}
CAPS = {"touches": 3, "gap": "7d", "duration": "120d"}


def arms(rows: dict[str, Row]) -> dict[str, object]:
    return {name: (row["stage"], row["arm"], row["propensity"], row["draw"]) for name, row in rows.items()}


def test_an_edit_of_a_live_program_touches_only_what_is_not_decided_yet(decider: Decider) -> None:
    people = crowd(60)
    before = decider.decide(0, people[:40])
    one_arm = {**RECONNECT, "arms": {"plain": RECONNECT["arms"]["plain"]}}
    edited = decider.with_documents(program(stages={"reconnect": one_arm, "closing": CLOSING}))
    assert edited.decide(1, people[:40]) == {}, "nobody is drawn again for what was decided"
    late = edited.decide(2, people)
    assert set(late) == {row["customer_id"] for row in people[40:]}
    assert {row["arm"] for row in late.values()} == {"plain", "nothing"}
    following = edited.decide(30, people)
    assert {row["stage"] for row in following.values()} == {"closing"}, "everyone goes on with the edited program's next stage"
    assert {row["arm"] for row in before.values()} > {"plain", "nothing"}


@pytest.mark.parametrize("size", [7, 30])
def test_a_split_is_the_same_in_batches_of_any_size(decider: Decider, size: int) -> None:
    people = crowd(30)
    whole = arms(by_customer(decider.rows(decider.plan(0, people))))
    found: dict[str, object] = {}
    for start in range(0, len(people), size):
        found |= arms(decider.decide(0, people[start : start + size], inclusive=True))
    assert found == whole


def test_a_second_lapse_opens_a_round_of_its_own_from_the_first_stage(decider: Decider) -> None:
    first = decider.decide(0, [customer("a")])["a"]
    assert decider.decide(20, [customer("a", lifecycle="probation", overdue=-20, last_order_id="back", last_day=date(2026, 3, 15))]) == {}
    again = customer("a", last_order_id="back", last_day=date(2026, 3, 15))
    second = decider.decide(200, [again])["a"]
    assert (second["stage"], second["episode"], first["episode"]) == ("reconnect", "back", "order-a")
    assert second["draw"] != first["draw"]


def test_a_segment_that_shrinks_for_a_moment_loses_nobodys_place(decider: Decider) -> None:
    decider = decider.with_documents(program(stages={"reconnect": RECONNECT, "closing": CLOSING}, caps=CAPS))
    assert decider.decide(0, [customer("a")])["a"]["stage"] == "reconnect"
    assert decider.decide(10, [customer("a", lifecycle="cooling", overdue=-1)]) == {}
    assert decider.decide(25, [customer("a", lifecycle="cooling", overdue=-1)])["a"]["stage"] == "closing"


def test_a_plan_made_again_decides_nothing_and_stores_nothing_to_race_for(decider: Decider) -> None:
    people = crowd(20)
    made = decider.plan(0, people)
    decider.keep(made, 0)
    assert decider.plan(0, people).digest == made.digest, "the same instant, seen from before it"
    assert decider.rows(decider.plan(0, people, inclusive=True)) == [], "seen from after it, nobody is due"


def test_a_stage_that_has_lost_its_name_is_not_said_again(decider: Decider) -> None:
    people = crowd(20)
    decider.decide(0, people)
    renamed = decider.with_documents(program(stages={"hello": RECONNECT, "closing": CLOSING}))
    assert renamed.decide(8, people) == {}, "the first stage went out under its old name"
    assert {row["stage"] for row in renamed.decide(30, people).values()} == {"closing"}


def test_a_complaint_between_two_stages_ends_the_round(decider: Decider) -> None:
    decider = decider.with_documents(program(stages={"reconnect": RECONNECT, "closing": CLOSING}, caps=CAPS))
    decider.decide(0, [customer("a"), customer("b")])
    opened, closed = instant(5).naive, instant(9).naive
    write(decider.warehouse, {"tickets": [{"ticket_id": "t", "customer_id": "a", "opened_at": opened, "closed_at": closed}]})
    assert set(decider.decide(25, [customer("a"), customer("b")])) == {"b"}


def test_two_messages_of_different_plans_are_kept_apart_when_they_leave(decider: Decider) -> None:
    """Planned on a Saturday and a Sunday that are quiet, both would leave on Monday at nine."""
    quiet = {"start": "20:00", "end": "09:00", "days": ["saturday", "sunday"]}
    first, second = (program(name, stages=ONE_STAGE) for name in ("first", "second"))
    bound = {"caps": {"touches": 9, "per": "30d", "gap": "1d"}, "quiet_hours": quiet}
    people = crowd(20)
    saturday = decider.with_documents(first, **bound).decide(5, people)
    sunday = decider.with_documents(second, **bound).decide(6, people)
    told = {name for name, row in saturday.items() if row["arm"] != "nothing"}
    both = {name for name in told if sunday[name]["arm"] != "nothing"}
    assert both
    assert {sunday[name]["reason"] for name in both} == {"gap"}
    assert {sunday[name]["send_at"] for name in both} == {instant(7).naive}, "planned on Monday, it leaves a day after the other"


def test_a_draw_that_was_put_off_waits_for_the_budget_too(decider: Decider) -> None:
    rows = [
        {
            "customer_id": one["customer_id"], "day": 0, "arm": "light", "offer": None, "channel": None, "reason": "cap_reached",
            "propensity": 0.25,
        }
        for one in crowd(6)
    ]
    decider.remember(*rows)
    poor = decider.with_documents(budget={"amount": 0, "per": "30d"}).decide(6, crowd(6))
    assert {(row["arm"], row["reason"], row["expected_cost"]) for row in poor.values()} == {("light", "budget_reached", 0)}
    rich = decider.with_documents().decide(7, crowd(6))
    assert {(row["arm"], row["reason"]) for row in rich.values()} == {("light", None)}


def test_one_plan_gives_a_customer_no_two_offers_of_a_kind(decider: Decider) -> None:
    first, second = (program(name, stages=ONE_STAGE) for name in ("first", "second"))
    decider = decider.with_documents(first, second)
    rows = decider.rows(decider.plan(0, crowd(60)))
    drawn = [row for row in rows if row["arm"] == "light"]
    given = [row["customer_id"] for row in drawn if row["reason"] is None]
    assert len(given) == len(set(given)), "free delivery once"
    assert {row["reason"] for row in drawn} == {None, "kind_cap_reached"}
