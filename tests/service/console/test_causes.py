"""Why customers leave, as a diagnosis told it, and the fixes that answer it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from rekindle.program.catalogue import scaffold
from rekindle.service.console.models import Job
from rekindle.service.console.roles import Role
from rekindle.service.flow import registering
from rekindle.service.flow.content import FACTS, scaffold_content
from rekindle.settings import Settings
from tests.service.conftest import NOON

Enter = Callable[..., Client]


def friction(kind: str, ratio: tuple[float, float, float | None], placebo: float | None = None, misled: bool = False) -> dict[str, Any]:
    ends = dict(zip(("low", "estimate", "high"), ratio, strict=True))
    other = {"cannot_tell": "too few"} if placebo is None else {"ratio": {"low": placebo, "estimate": placebo, "high": placebo}}
    stake = {"low": -100.0, "estimate": 40_000.0, "high": 90_000.0}
    return {
        "kind": kind, "customers": 81, "effect": {"ratio": ends}, "placebo": other, "misled": misled, "placebo_as_large": False,
        "margin_at_stake": stake,
    }  # fmt: skip


def diagnose(store: Settings, *frictions: dict[str, Any]) -> None:
    folder = store.var / "diagnosis" / "2026-11-22"
    folder.mkdir(parents=True, exist_ok=True)
    cause = {"kind": "late_delivery", "label": "late delivery", "customers": 21, "any_place": 25, "margin_at_risk": 11_300}
    found = {
        "as_of": "2026-11-22T00:00:00+00:00", "purchases": 1309, "lapsed": 451, "customers": 704, "slipping": 160, "horizon_weeks": 26,
        "frictions": list(frictions), "causes": [cause],
        "dropoffs": [{"step": "delivered", "label": "received the order in time", "customers": 94, "cohorts": {"other": 94}}],
    }  # fmt: skip
    (folder / "diagnosis.json").write_text(json.dumps(found), encoding="utf-8")


def page(client: Client, address: str = "causes") -> str:
    answer = client.get(f"/console/{address}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_before_anybody_has_looked_the_page_says_so(shop: Settings, enter: Enter) -> None:
    assert "Nobody has looked yet" in page(enter(Role.VIEWER))
    asked = enter(Role.EDITOR).post("/console/causes")
    assert asked["Location"] == f"/console/jobs/{Job.objects.get(kind='diagnose').key}"


def test_the_page_leads_with_what_is_shown_and_believed_and_says_what_is_not(shop: Settings, enter: Enter) -> None:
    diagnose(
        shop, friction("late_delivery", (1.09, 1.40, 1.80), 1.0), friction("stockout", (1.5, 2.5, None), 1.6, misled=True),
        friction("return", (0.73, 0.96, 1.27)), {**friction("refund", (1, 1, 1)), "effect": {"cannot_tell": "none is in the data"}},
    )  # fmt: skip
    text = page(enter(Role.VIEWER))
    assert "Late delivery makes customers leave: 81 had it, and lapse 1.4 times as often" in text
    assert text.count("not yet distinguishable from none") == 1
    assert text.count(">doubtful<") == 1
    assert text.count(">shown<") == 1
    assert "Refund: none is in the data" in text
    assert "160 of 704 customers slip away" in text
    assert "2.50 <span class=\"soft small\">1.50 or more" in text
    assert "94, 59 %" in text
    assert "EUR 113" in text


def test_where_nothing_is_shown_nothing_is_accused(shop: Settings, enter: Enter) -> None:
    diagnose(shop, friction("late_delivery", (0.9, 1.2, 1.8)), friction("stockout", (1.5, 2.5, 3.0), 1.6, misled=True))
    assert "Nothing that was looked at is shown to make customers leave more often." in page(enter(Role.VIEWER))


@pytest.fixture
def stocked(shop: Settings) -> Settings:
    scaffold_content(shop.root)
    scaffold(shop.root, "Ada", "EUR", NOON.date())
    diagnose(shop, friction("late_delivery", (1.09, 1.40, 1.80), 1.0))
    return shop


FIX = {"cause": "late_delivery", "text": "Parcels now leave our house the same day.", "evidence": "dispatch log", "since": "2026-10-01"}


def test_a_fix_is_registered_beside_what_stands_there_and_the_page_shows_it(stocked: Settings, enter: Enter) -> None:
    approver = enter(Role.APPROVER)
    assert "Register a fix" in page(approver)
    before = (stocked.root / FACTS).read_text(encoding="utf-8")
    for text in (FIX["text"], "We have a new carrier since October."):
        assert approver.post("/console/causes/fix", {**FIX, "text": text}).status_code == 302
    assert [one.text for one in registering.fixes(stocked)] == [FIX["text"], "We have a new carrier since October."]
    after = (stocked.root / FACTS).read_text(encoding="utf-8")
    assert [line for line in before.splitlines() if not line.startswith("fix:")] == [
        line for line in after.splitlines() if not line.startswith("fix:")
    ]
    shown = page(approver)
    assert "We have a new carrier since October." in shown
    assert ">registered<" in shown


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cause": "need_ended"}, "no cause is chosen"),
        ({"evidence": " "}, "the sentence or its evidence is missing"),
        ({"since": "soon"}, "is no day"),
        ({"text": "9 of 10 parcels are now in time."}, "is a measurement"),
    ],
)
def test_what_cannot_be_stated_is_not_registered(stocked: Settings, enter: Enter, changes: dict[str, str], words: str) -> None:
    before = (stocked.root / FACTS).read_bytes()
    answer = enter(Role.APPROVER).post("/console/causes/fix", {**FIX, **changes})
    assert answer.status_code == 400
    assert words in answer.content.decode().lower()
    assert (stocked.root / FACTS).read_bytes() == before


def test_an_editor_may_look_and_not_register(stocked: Settings, enter: Enter) -> None:
    assert "An approver registers it" in page(enter(Role.EDITOR), "causes/fix")
    assert enter(Role.EDITOR).post("/console/causes/fix", FIX).status_code == 403
