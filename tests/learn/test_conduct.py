"""How a store behaved: messages, complaints and opt-outs by program, and every message that was one too many."""

from collections.abc import Iterator

import pytest

from rekindle.history.warehouse import Warehouse, open_history
from rekindle.learn import conduct
from rekindle.learn.conduct import Period, Reception
from tests.decide.shop import Decider, instant, rules
from tests.insight.histories import write

PERIOD = Period(instant(0).naive, instant(40).naive)
COMPLAINT, MAIL = "Email Marked as Spam", {"arm": "plain", "offer": "summary"}


def message(customer: str, day: float, **more: object) -> dict[str, object]:
    return {"customer_id": customer, "day": day, **MAIL, **more}


JOURNAL = [
    *(message("often", day, stage=f"s{day}") for day in (0, 5, 9, 10)),
    *(message("at the edge", day, stage=f"s{day}") for day in (0, 10, 20, 30)),
    message("unsent", 1), message("unsent", 2, stage="s2"), message("unsent", 3, stage="s3"),
    *(message("served", day, program="news", stage=f"s{day}") for day in (0, 1, 2, 3)),
    message("before", -20), message("before", -19, stage="s2"), message("before", -18, stage="s3"),
]
SETTLED = {("often", 0): "sent", ("often", 5): "unknown", ("unsent", 1): "failed", ("unsent", 2): "suppressed", ("unsent", 3): "sent"}


def touch(customer_id: str, day: int, program: str = "back", stage: str = "reconnect", **_: object) -> dict[str, object]:
    """What became of a message."""
    return {
        "touch_key": f"{customer_id}:{day}", "customer_id": customer_id, "program": program, "stage": stage, "arm": "plain", "code": "",
        "episode": f"order-{customer_id}", "channel": "email", "status": SETTLED.get((customer_id, day), "sent"),
        "settled_at": instant(day + 0.5).naive,
    }


def told() -> dict[str, list[dict[str, object]]]:
    touches = [touch(**row) for row in JOURNAL]  # type: ignore[arg-type]  rows are of mixed kinds
    events = [("often", 6), ("often", 7), ("stranger", 6), ("before", 39), ("served", 4)]
    heard = [
        {"message_id": f"m{n}", "customer_id": who, "name": COMPLAINT, "occurred_at": instant(day).naive}
        for n, (who, day) in enumerate(events)
    ]
    words = [("at the edge", 31, False), ("stranger", 3, False), ("often", 11, True)]
    consents = [
        {"consent_key": f"{who}:email", "customer_id": who, "channel": "email", "purpose": "marketing", "granted": granted,
         "recorded_at": instant(day).naive}
        for who, day, granted in words
    ]
    return {"touches": touches, "events": heard, "consents": consents}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with open_history("duckdb://history.duckdb", tmp_path_factory.mktemp("conduct")) as opened:
        write(opened, told())
        Decider(opened).remember(*JOURNAL)
        yield opened


def test_messages_count_for_their_program_and_what_followed_for_the_last_that_came_before(warehouse: Warehouse) -> None:
    """Who was never written to, or longer ago than a month, complains of none of these."""
    found = conduct.receptions(warehouse, PERIOD)
    assert found == (Reception("back", "email", 9, complaints=1, opt_outs=1), Reception("news", "email", 4, complaints=1, opt_outs=0))


def kept(warehouse: Warehouse, period: Period = PERIOD, **caps: object) -> list[tuple[str, int, int, int]]:
    held = rules(caps={"touches": 2, "per": "10d", **caps})
    found = conduct.caps_kept(warehouse, held, Decider(warehouse).documents.offers, ["news"], period)
    return [(one.reason, one.messages, one.breaches, one.customers) for one in found]


def test_a_message_too_many_in_a_window_is_found_and_one_at_its_edge_is_not(warehouse: Warehouse) -> None:
    """Of four messages on days 0, 5, 9 and 10 the third is too many, and the fourth, for which the first has left the window, is too."""
    assert kept(warehouse) == [("cap_reached", 9, 2, 1)]
    assert kept(warehouse, touches=3) == [("cap_reached", 9, 0, 0)]
    assert kept(warehouse, touches=1, gap="2d")[1] == ("gap", 9, 1, 1)


def test_only_the_period_is_judged_but_what_came_before_counts(warehouse: Warehouse) -> None:
    assert kept(warehouse, Period(instant(10).naive, instant(40).naive)) == [("cap_reached", 4, 1, 1)]
    assert kept(warehouse, Period(instant(-30).naive, instant(-10).naive)) == [("cap_reached", 3, 1, 1)]


def test_what_was_not_handed_over_breaks_no_cap(warehouse: Warehouse) -> None:
    """Three decisions for one customer, of which one message went."""
    assert kept(warehouse, Period(instant(3).naive, instant(4).naive)) == [("cap_reached", 1, 0, 0)]
