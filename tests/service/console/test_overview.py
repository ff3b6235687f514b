"""What the first page says, from published files and the ledger alone, and the yes to a plan."""

import csv
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from rekindle import moment
from rekindle.service.config.web import serve_as
from rekindle.service.console.models import Deed
from rekindle.service.console.roles import Role
from rekindle.service.console.standing import worth
from rekindle.service.flow.plan_approving import KEPT_SECONDS
from rekindle.service.outbox.models import Plan, Touch
from rekindle.service.people.models import Person
from rekindle.settings import Console, Senders, Settings
from tests.service.console.operators import forget_second_factor, ready, signed_in
from tests.service.live import go_live
from tests.service.touches import plan

HASH = "ab12cd34ef56"
SUMMARY = {
    "as_of": "2026-11-20T00:00:00+00:00", "customers": 3180, "orders": 9000, "transitions": 4, "prediction_quality": {}, "personas": {},
    "lifecycle": {"repeat": 2000, "lapsing": 800, "lapsed": 300, "probation": 60, "reactivated": 20}, "slipping": 1100,
    "margin_at_risk": {"estimate": 14_231_877, "low": 1, "high": 2, "unit": "minor"},
}  # fmt: skip
CELL = {
    "program": "win-back", "stage": "reassure", "arm": "credit", "offer": "credit_5", "reason": None, "channel": "email", "fresh": True,
    "service": False, "customers": 2, "cost": 400.0, "ceiling": 1000.0, "margin": 700.0,
}  # fmt: skip
NONE = {"arm": None, "offer": None, "channel": None, "cost": 0.0, "ceiling": 0.0, "margin": 0.0}
ALONE = {**CELL, **NONE, "reason": "no_consent", "customers": 41}


def publish(store: Settings, learned: dict[str, Any] | None = None) -> None:
    """What a run leaves behind."""
    files = {
        "insight/2026-11-20/insight.json": SUMMARY,
        f"plans/{HASH}/counts.json": {"as_of": "2026-11-20T00:00:00", "rehearsal": False, "cells": [CELL, ALONE]},
        "learn/2026-11-20.json": learned or {"as_of": SUMMARY["as_of"], "programs": [], "srm": [], "leaks": {}, "suite": None},
    }
    for name, what in files.items():
        path = store.var / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(what), encoding="utf-8")


@pytest.fixture
def live(shop: Settings) -> Settings:
    """A store on a real channel with a plan of two messages that waits for a yes."""
    served = shop.model_copy(update={"senders": Senders(email="smtp")})
    go_live(served)
    publish(served)
    plan(["ada", "grace"], HASH)
    serve_as(served)
    return served


def text(client: Client, at: str) -> str:
    page = client.get(at).content.decode().partition("<main")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_overview_says_what_goes_on_and_what_waits(live: Settings, enter: Callable[..., Client]) -> None:
    said = text(enter(Role.APPROVER), "/console/")
    assert "1,100 customers (EUR 142,000) are slipping away; 2 messages await you." in said
    assert "Review proposal" in said
    assert "Coming back 80 customers" in said
    assert "Left alone 41 no consent 41" in said
    assert "A plan waits for a yes 2 messages leave this machine when somebody says yes." in said
    assert "Not yet" in said
    assert "at risk 800" in said


def test_a_viewer_is_not_told_to_do_what_a_viewer_may_not(live: Settings, enter: Callable[..., Client]) -> None:
    said = text(enter(Role.VIEWER), "/console/")
    assert "slipping away" in said
    assert "A plan waits" not in said
    page = text(enter(Role.VIEWER), f"/console/plan/{HASH}")
    assert "Somebody with the role approver says yes." in page
    assert enter(Role.VIEWER).post(f"/console/plan/{HASH}", {"messages": "2"}).status_code == 403
    assert Plan.objects.get().approved_at is None


def test_a_plan_goes_when_an_approver_types_its_number(live: Settings, enter: Callable[..., Client]) -> None:
    client = enter(Role.APPROVER)
    assert client.get("/console/plan")["Location"] == f"/console/plan/{HASH}"
    said = text(client, f"/console/plan/{HASH}")
    assert "2 messages would leave this machine by e-mail (smtp)" in said
    assert "Win back reassure credit 5 2 EUR 4.00 EUR 7.00" in said
    for wrong in ({}, {"messages": "3"}, {"messages": "-2"}, {"messages": "²"}, {"messages": "2 000"}):
        assert client.post(f"/console/plan/{HASH}", wrong).status_code == 400, wrong
    assert Plan.objects.get().approved_at is None
    assert client.post(f"/console/plan/{HASH}", {"messages": "2"})["Location"] == "/console/"
    assert Plan.objects.get().approved_by == "approver@marigold.example"
    assert "said yes to a plan" in Deed.objects.get().what
    assert client.post(f"/console/plan/{HASH}", {"messages": "2"}).status_code == 400, "it waits for no yes any more"


def test_a_look_may_count_late_and_a_yes_never(live: Settings, enter: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> None:
    now, client, at = moment.now(), enter(Role.APPROVER), f"/console/plan/{HASH}"
    monkeypatch.setattr(moment, "now", lambda: now)
    assert "2 messages would leave" in text(client, at)
    Touch.objects.filter(customer_id="ada").update(status="suppressed")
    assert "2 messages would leave" in text(client, at)
    assert client.post(at, {"messages": "2"}).status_code == 400, "a yes is to what waits now"
    monkeypatch.setattr(moment, "now", lambda: now + timedelta(seconds=KEPT_SECONDS))
    assert "1 message waits for a yes" in text(client, at)
    assert "A plan waits for a yes 1 message" in text(client, "/console/")
    client.post(at, {"messages": "1"})
    assert Plan.objects.get().approved_at is not None
    assert "A plan waits" not in text(client, "/console/"), "a yes is seen at once"


def test_a_large_plan_takes_two_people_where_there_are_two(live: Settings, enter: Callable[..., Client]) -> None:
    serve_as(live.model_copy(update={"console": Console(four_eyes_messages=1)}))
    ada, grace = enter(Role.APPROVER), enter(Role.ADMIN)
    at = f"/console/plan/{HASH}"
    assert ada.post(at, {"messages": "3"}).status_code == 400
    for _ in range(2):
        assert ada.post(at, {"messages": "2"})["Location"] == at, "once more by the same person is not a second person's"
    assert Plan.objects.get().approved_at is None
    assert "approver@marigold.example said yes on" in text(grace, at)
    assert grace.post(at, {"messages": "2"})["Location"] == "/console/"
    assert Plan.objects.get().approved_by == "admin@marigold.example"


def test_a_plan_whose_cost_nobody_knows_takes_two_people(live: Settings, enter: Callable[..., Client]) -> None:
    (live.var / "plans" / HASH / "counts.json").unlink()
    ada, grace = enter(Role.APPROVER), enter(Role.ADMIN)
    at = f"/console/plan/{HASH}"
    assert ada.post(at, {"messages": "2"})["Location"] == at
    assert Plan.objects.get().approved_at is None
    assert grace.post(at, {"messages": "2"})["Location"] == "/console/"


def test_who_has_no_second_factor_is_no_second_person(live: Settings, enter: Callable[..., Client]) -> None:
    serve_as(live.model_copy(update={"console": Console(four_eyes_messages=1)}))
    forget_second_factor(ready(Role.ADMIN))
    assert enter(Role.APPROVER).post(f"/console/plan/{HASH}", {"messages": "2"})["Location"] == "/console/"


def test_one_approver_alone_approves_a_large_plan(live: Settings) -> None:
    serve_as(live.model_copy(update={"console": Console(four_eyes_cost=1)}))
    assert signed_in(ready(Role.ADMIN)).post(f"/console/plan/{HASH}", {"messages": "2"})["Location"] == "/console/"
    assert Plan.objects.get().approved_at


def test_who_takes_messages_out_needs_the_right_and_is_written_down(live: Settings, enter: Callable[..., Client]) -> None:
    at = f"/console/plan/{HASH}/messages.csv"
    Person.objects.filter(pk="grace").update(email="=1+1@people.example")
    assert enter(Role.ADMIN).post(at).status_code == 403
    assert not Deed.objects.exists()
    client = enter(Role.EDITOR, privacy=True)
    assert "Export as CSV" in text(client, f"/console/plan/{HASH}")
    assert client.get(at)["Location"] == f"/console/plan/{HASH}"
    answer = client.post(at)
    rows = list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))
    assert [(row["customer"], row["email"]) for row in rows] == [("ada", "ada@people.example"), ("grace", "'=1+1@people.example")]
    assert {row["stage"] for row in rows} == set(Touch.objects.values_list("stage", flat=True))
    assert "attachment" in answer["Content-Disposition"]
    deed = Deed.objects.get()
    assert (deed.by, deed.what, deed.about) == ("editor-privacy@marigold.example", "took messages out", f"{HASH}, 2 with addresses")


MARGIN = {"difference": 120.0, "low": 30.0, "high": 210.0, "told_apart": True}


def program(treated: int, margin: dict[str, Any], due: str | None = None) -> dict[str, Any]:
    return {"program": "win-back", "treated": treated, "control": 9, "measures": {"margin": margin}, "maturity": {"next_on": due}}


def test_worth_is_that_of_all_programs_where_it_can_be_told_and_else_of_the_largest() -> None:
    small, large = program(10, {**MARGIN, "difference": 1.0}), program(90, MARGIN)
    assert worth({"programs": [small, large], "suite": None}).difference == (30.0, 120.0, 210.0)
    suite = {"epochs": [{"year": 2026, "measures": {"margin": {**MARGIN, "low": -5.0, "told_apart": False}}}]}
    found = worth({"programs": [small, large], "suite": suite})
    assert (found.against, found.told_apart) == ("all programs against the holdout", False)
    suite["epochs"].append({"year": 2027, "measures": {"margin": {"cannot_tell": "too few"}}})
    assert worth({"programs": [large], "suite": suite}) == found, "a year that has just begun does not take the place of the last"


def test_before_there_is_a_result_its_day_is_said(shop: Settings, enter: Callable[..., Client]) -> None:
    publish(shop, {"programs": [program(90, {"cannot_tell": "too few"}, "2027-01-12")], "srm": [], "leaks": {}, "suite": None})
    assert "Not yet The first honest result is due on 12 January 2027 at the earliest." in text(enter(), "/console/")


def test_a_comparison_of_nobody_says_nothing_of_noughts(shop: Settings, enter: Callable[..., Client]) -> None:
    nobody = {"cannot_tell": "0 in the control and 0 treated; 20 of each are needed"}
    publish(shop, {"programs": [{**program(0, nobody), "control": 0}], "srm": [], "leaks": {}, "suite": None})
    plan(["ada"], "0" * 12)
    said = text(enter(), "/console/")
    assert "What it was worth Not yet" in said
    assert "0 treated" not in said


def test_reasons_add_up_and_what_the_mailbox_took_went_out(shop: Settings, enter: Callable[..., Client]) -> None:
    publish(shop)
    assert "; 2 messages are proposed." in text(enter(), "/console/")
    cells = [CELL, ALONE, *({**ALONE, "reason": reason, "customers": n} for reason, n in (("held_out", 9), ("gap", 5), ("tired", 1)))]
    counts = {"as_of": "2026-11-20T00:00:00", "rehearsal": False, "cells": cells}
    (shop.var / "plans" / HASH / "counts.json").write_text(json.dumps(counts), encoding="utf-8")
    plan(["ada", "grace"], HASH)
    Touch.objects.update(status="sent")
    said = text(enter(), "/console/")
    assert "; 2 messages went out." in said
    assert re.search(r"Left alone 56 no consent 41, .* 9, and 6 for other reasons", said)


def test_of_messages_about_an_order_no_margin_is_expected(shop: Settings, enter: Callable[..., Client]) -> None:
    publish(shop)
    service = {**CELL, "program": "delivery-late", "offer": None, "service": True, "customers": 3, "cost": 0.3, "margin": 90.0}
    counts = {"as_of": "2026-11-20T00:00:00", "rehearsal": False, "cells": [service, CELL]}
    (shop.var / "plans" / HASH / "counts.json").write_text(json.dumps(counts), encoding="utf-8")
    said = text(enter(), f"/console/plan/{HASH}")
    assert "Expected margin EUR 7 of the 2 that are marketing (3 are about an order)" in said
    assert said.index("Win back reassure") < said.index("Delivery late reassure nothing 3 EUR 0.00 about their own order")


def test_alarms_come_first(shop: Settings, enter: Callable[..., Client]) -> None:
    alarm = {"program": "win-back", "alarm": True}
    publish(shop, {"programs": [], "srm": [alarm, {"program": "welcome", "alarm": False}], "leaks": {"win-back": 3}, "suite": None})
    said = text(enter(), "/console/")
    first = said.partition("What needs you today")[2]
    assert first.startswith(" alarm A comparison is broken The groups of Win back are not")
    assert "3 messages went to customers who were drawn to hear nothing" in first
    assert "welcome are" not in first


def test_pages_never_open_history(live: Settings, enter: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> None:
    import rekindle.history.warehouse as door

    monkeypatch.setattr(door, "open_history", lambda *_, **__: pytest.fail("history was opened"))
    client = enter()
    for at in ("", "plan", f"plan/{HASH}", "start", "jobs", "operators", "shop"):
        assert client.get(f"/console/{at}").status_code in (200, 302)
    assert not list(live.var.glob("history*"))


def test_targets_that_are_behind_are_said_and_those_that_cannot_be_told_counted(shop: Settings, enter: Callable[..., Client]) -> None:
    publish(shop)
    one = {"words": "margin a customer", "program": "win-back", "owner": "Grace", "expected": "EUR 1.00 to 2.00", "shown": "EUR 0.20"}
    told = [{**one, "status": "behind"}, {**one, "status": "on track", "words": "complaints"}, {**one, "status": "cannot tell"}]
    (shop.var / "rhythm").mkdir()
    (shop.var / "rhythm" / "targets.json").write_text(json.dumps({"as_of": SUMMARY["as_of"], "targets": told}), encoding="utf-8")
    said = text(enter(), "/console/")
    assert "Behind: margin a customer, Win back EUR 0.20 where EUR 1.00 to 2.00 is expected; Grace answers for it." in said
    assert "Complaints Win back EUR 1.00 to 2.00 EUR 0.20 on track Grace 1 target cannot be told yet." in said
