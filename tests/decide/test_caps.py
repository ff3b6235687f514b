"""The cap over all programs: the best message passes, the other draw is put off and kept."""

from tests.decide.shop import RECONNECT, Decider, crowd, customer, instant, program

SURE = {name: {**arm, "prior": {"mean": 0.5, "sd": 0.01}} for name, arm in RECONNECT["arms"].items()}
BETTER = program("better", stages={"reconnect": {**RECONNECT, "arms": SURE}})
WORSE = program("worse", stages={"reconnect": RECONNECT})


def test_the_message_that_brings_more_passes_and_the_other_is_put_off(decider: Decider) -> None:
    decider = decider.with_documents(WORSE, BETTER, caps={"touches": 1, "per": "30d"})
    had = ("long ago", "lately", "failed", "failing")
    decider.remember(
        *({"customer_id": name, "program": "other", "day": 1 if name == "long ago" else 2} for name in had),
    )
    decider.settle(["failed"], "failed", 3, program="other")
    decider.settle(["failing"], "suppressed", 31, program="other")  # at the very instant: not yet known
    made = decider.plan(31, [*crowd(80), *(customer(name) for name in had)])
    rows = {(row["customer_id"], row["program"]): row for row in decider.rows(made)}
    for name in {customer_id for customer_id, _ in rows}:
        better, worse = rows[name, "better"], rows[name, "worse"]
        room = 0 if name in ("lately", "failing") else 1
        wanting = [row for row in (better, worse) if row["arm"] != "nothing"]
        assert [row["reason"] for row in wanting] == [None, None][: len(wanting[:room])] + ["cap_reached"] * len(wanting[room:])
        assert {row["reason"] for row in (better, worse) if row["arm"] == "nothing"} <= {None}
    put_off = [row for row in rows.values() if row["reason"]]
    assert len([row for row in put_off if row["program"] == "worse"]) > 20
    for row in put_off:
        again = 32 if row["customer_id"] in ("lately", "failing") else 61  # 30 days after what is in the way
        assert row["send_at"] == instant(again).naive
        assert (row["offer"], row["channel"], row["expected_cost"], row["propensity"]) == (None, None, 0, 0.25)


def test_a_draw_that_was_put_off_is_kept_through_other_refusals_while_its_arm_may_be_had(decider: Decider) -> None:
    """A new draw would be another: a customer of high value draws among fewer arms."""
    held = {"day": 0, "draw": 0.9, "propensity": 0.2, "channel": None, "offer": None, "reason": "cap_reached"}
    refused = {"arm": None, "propensity": None, "draw": None, "channel": None, "offer": None, "reason": "open_return"}
    names = [f"{arm}-{number}" for arm in ("plain", "lesson", "light") for number in range(8)]
    decider.remember(
        *({**held, "customer_id": name, "arm": name.split("-")[0]} for name in names),
        *({**refused, "customer_id": name, "day": 3, "entered_at": None} for name in names[::2]),
        {**held, "customer_id": "again", "arm": "plain", "day": 0},
        {**held, "customer_id": "again", "arm": "light", "propensity": 0.3, "day": 5},
        {"customer_id": "moved on", "day": 0, "arm": "plain"},
        {**held, "customer_id": "moved on", "day": 12, "stage": "tailor", "arm": "percent"},
    )
    people = [customer(name, value_tier="high") for name in (*names, "again", "moved on")]
    rows = {row["customer_id"]: row for row in decider.rows(decider.plan(20, people))}
    assert {row["reason"] for row in rows.values()} == {None}
    kept = {name: (row["arm"], row["propensity"]) for name, row in rows.items() if not name.startswith("lesson")}
    assert kept == {
        **{name: (name.split("-")[0], 0.2) for name in names if not name.startswith("lesson")}, "again": ("light", 0.3),
        "moved on": ("percent", 0.2),
    }
    drawn_anew = [row for name, row in rows.items() if name.startswith("lesson")]
    assert {row["eligible"] for row in drawn_anew} == {"plain|light|nothing"}
    assert {round(row["propensity"], 9) for row in drawn_anew} == {round(1 / 3, 9)}
    assert {row["entered_at"] for row in rows.values()} == {instant(0).naive}


def test_a_kind_of_offer_comes_only_so_often_in_a_row(decider: Decider) -> None:
    """Twice here: two deliveries bar a third, whatever words came between; one after something else given does not, nor one that failed."""
    step = {**RECONNECT, "arms": {"light": RECONNECT["arms"]["light"]}}
    caps = {"touches": 9, "gap": "7d", "duration": "120d", "same_kind_in_a_row": 2}
    decider = decider.with_documents(program(stages=dict.fromkeys(("first", "second", "third", "fourth"), step), caps=caps))
    given = {
        "none": (), "one": ("express",), "two": ("express", "express"), "ended": ("express", "express", "credit"),
        "broken": ("express", "credit", "express"), "words between": ("express", "reminder", "express"), "failed": ("express", "express"),
    }
    stages = ("first", "second", "third")
    decider.remember(
        *(
            {"customer_id": name, "day": 8 * place, "stage": stages[place], "entered_at": instant(0).naive, "arm": "light", "offer": offer}
            for name, offers in given.items() for place, offer in enumerate(offers)
        )
    )
    decider.settle(["failed"], "failed", 9, stage="second")
    rows = {row["customer_id"]: row for row in decider.rows(decider.plan(40, [customer(name) for name in given]))}
    barred = {name for name, row in rows.items() if row["eligible"] == "nothing"}
    assert barred == {"two", "words between"}
    assert {name: row["stage"] for name, row in rows.items()} == {
        "none": "first", "one": "second", "two": "third", "ended": "fourth", "broken": "fourth", "words between": "fourth",
        "failed": "third",
    }
