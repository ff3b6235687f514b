"""What the shop's own pages show: the plan's decision, never one of their own."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rekindle import moment
from rekindle.errors import CannotTell
from rekindle.history.warehouse import open_history
from rekindle.insight.profile import Profiles
from rekindle.insight.tiers import Boundaries, Tiers
from rekindle.program.documents import NOTHING
from rekindle.service.config import use_ledger
from rekindle.service.flow import placing, planning
from rekindle.service.flow.cycle import close_cycle
from rekindle.service.outbox.models import Plan, Touch
from rekindle.service.people import actions as people
from rekindle.service.placements.models import Placed
from rekindle.service.privacy.actions import ask
from rekindle.service.privacy.models import ERASURE
from rekindle.service.programs.models import Pause
from rekindle.service.redemptions.models import Coupon
from rekindle.service.wishes.actions import Said, set_wishes
from rekindle.service.wishes.wishes import Wishes
from rekindle.settings import Settings
from tests.decide.shop import ROWS, TAILOR, crowd, documents, instant, program, rules
from tests.insight.histories import empty
from tests.service.api.asking import Ask, share
from tests.service.conftest import make_store

SIZE = 24
UNKNOWN = CannotTell("no model in this test")
TIERS = Tiers(730, Boundaries(2, 1), approved=True, proposed=Boundaries(2, 1))
NAMES = [f"c{number:03d}" for number in range(SIZE)]
STAGE = {**TAILOR, "delay": {"rhythm": 0.0}}
HELD = documents(program(stages={"tailor": STAGE}))
Decide = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a real plan, all of whose messages have left."""
    from django.db import connection

    settings = make_store(tmp_path_factory.mktemp("planned") / "shop")
    use_ledger(settings)
    contacts = {
        "customer_id": NAMES, "source": ["shop"] * SIZE, "external_id": [f"x-{one}" for one in NAMES],
        "email": [f"{one}@people.example" for one in NAMES], "email_consent": [True] * SIZE, "consent_at": [instant(-9).instant] * SIZE,
    }  # fmt: skip
    people.record_contacts(pa.table(contacts), instant(-9).instant)
    (settings.var / "history.duckdb").write_bytes(empty())
    with open_history(settings.history, settings.root) as warehouse:
        rows = warehouse.keep(pa.Table.from_pylist(crowd(SIZE), schema=ROWS.to_pyarrow()))
        built = Profiles(rows, UNKNOWN, UNKNOWN, TIERS)
        planning.commit(settings, warehouse, planning.make(settings, warehouse, built, HELD, instant(0)), built, HELD)
    Touch.objects.update(status="sent", settled_at=instant(1).instant)
    connection.close()
    return settings.root


@pytest.fixture
def store(planned: Path, tmp_path: Path) -> Iterator[Settings]:
    from django.db import connection

    settings = make_store(shutil.copytree(planned, tmp_path / "shop"))
    use_ledger(settings)
    yield settings
    connection.close()


@pytest.fixture
def decide(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> Decide:
    """Asks for a decision on the morning after the plan."""
    monkeypatch.setattr(moment, "now", lambda: instant(1).instant + timedelta(hours=1))

    def asked(customer: str, placement: str = "home") -> dict[str, Any]:
        status, said = ask("POST", "/decisions", {"placement": placement, "customer": customer})
        assert status == 200
        return dict(said)

    return asked


def journal(store: Settings) -> dict[str, dict[str, Any]]:
    with open_history(store.history, store.root) as warehouse:
        return {row["customer_id"]: row for row in warehouse.arrow(warehouse.table("journal")).to_pylist()}


def shown() -> Touch:
    touch = Touch.objects.order_by("pk").first()
    assert touch is not None
    return touch


def test_every_customer_is_shown_what_the_journal_says(decide: Decide, store: Settings) -> None:
    rows = journal(store)
    assert {row["arm"] for row in rows.values()} == {"percent", NOTHING}
    for name in NAMES:
        said, row = decide(f"x-{name}"), rows[name]
        assert (said["arm"], said["show"]) == (row["arm"], row["arm"] != NOTHING)
        basis = {key: row[key] for key in ("plan", "program", "stage", "policy", "propensity")}
        assert said["basis"] == {**basis, "eligible": row["eligible"].split("|")}
        if said["show"]:
            touch = Touch.objects.get(customer_id=name)
            terms = {"kind": "percent", "label": "10 % off", "code": touch.code, "last_day": str(row["valid_until"])}
            assert {key: said["offer"][key] for key in terms} == terms
        else:
            assert said["reason"] == "drawn"


def test_an_answer_is_held_once_a_day_and_history_learns_it(decide: Decide, store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    name = shown().customer_id
    assert decide(name) == decide(name)
    decide(name, "product-page")
    assert sorted(Placed.objects.values_list("placement", "arm")) == [("home", "percent"), ("product-page", "percent")]
    monkeypatch.setattr(moment, "now", lambda: instant(3).instant)
    decide(name)
    assert Placed.objects.count() == 3
    with open_history(store.history, store.root) as warehouse:
        assert close_cycle(store, warehouse, instant(3).instant).placements == 3
        events = warehouse.arrow(warehouse.current("events")).to_pylist()
        row = Placed.objects.earliest("pk")
        assert f"home:{row.plan}:back:tailor:percent:{row.propensity:.6f}" in {one["value"] for one in events}
        assert {(one["name"], one["customer_id"]) for one in events} == {("Decision Placed", name)}
        assert close_cycle(store, warehouse, instant(3).instant).placements == 0


@pytest.mark.parametrize(("status", "reason"), [("planned", "not_yet"), ("suppressed", "withdrawn"), ("failed", "withdrawn")])
def test_what_has_not_left_is_not_shown(decide: Decide, status: str, reason: str) -> None:
    touch = shown()
    Touch.objects.update(status=status)
    said = decide(touch.customer_id)
    assert (said["show"], said["arm"], said["reason"]) == (False, NOTHING, reason)
    assert Placed.objects.get().arm == NOTHING


WISHES = [
    Wishes(), Wishes(channels=frozenset({"email"}), scored=False), Wishes(channels=frozenset({"email"}), refused=frozenset({"offers"})),
    Wishes(channels=frozenset({"email"}), paused_until=instant(9).instant),
]  # fmt: skip


@pytest.mark.parametrize("wanted", WISHES)
def test_what_a_customer_does_not_want_is_not_shown(decide: Decide, wanted: Wishes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing.documents, "approved", lambda _: HELD)
    touch = shown()
    set_wishes(touch.customer_id, wanted, Said(instant(1).instant, "test"))
    assert decide(touch.customer_id)["reason"] == "unwanted"


def test_whoever_asked_to_be_erased_is_shown_nothing(decide: Decide) -> None:
    touch = shown()
    assert decide(touch.customer_id)["show"]
    ask(ERASURE, touch.customer_id, "page", instant(1).instant)
    assert decide(touch.customer_id)["reason"] == "unwanted"


def test_a_used_or_spent_code_and_a_paused_program_are_not_shown(decide: Decide, monkeypatch: pytest.MonkeyPatch) -> None:
    touch = shown()
    Pause.objects.create(program="back", reason="test", by="Ada", at=instant(1).instant)
    assert decide(touch.customer_id)["reason"] == "paused"
    Pause.objects.all().delete()
    assert decide(touch.customer_id)["show"]
    Coupon.objects.filter(pk=touch.code).update(limited=True)
    monkeypatch.setattr(placing.documents, "approved_rules", lambda _: rules(budget={"amount": 0, "per": "30d", "hard": True}))
    assert decide(touch.customer_id)["reason"] == "spent"
    Coupon.objects.filter(pk=touch.code).update(redeemed=1)
    assert decide(touch.customer_id)["reason"] == "used"


def test_without_a_decision_that_holds_there_is_nothing_and_no_record(decide: Decide, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = {"show": False, "arm": NOTHING, "reason": "undecided", "words": "nothing was decided for the customer lately", "basis": None}
    assert decide("nobody") == nobody
    name = shown().customer_id
    share("family@people.example", name, "another")
    assert decide("family@people.example") == nobody, "it may be either"
    monkeypatch.setattr(moment, "now", lambda: instant(300).instant)
    assert decide(name) == nobody
    monkeypatch.setattr(moment, "now", lambda: instant(1).instant)
    Plan.objects.update(ready=False)
    assert decide(name) == nobody
    assert not Placed.objects.exists()
