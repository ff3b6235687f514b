"""A plan's way into journal and outbox: once, whole, and made good by the next run where it broke off."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight.profile import Profiles
from rekindle.program.documents import NOTHING, Documents
from rekindle.service.config import configure, use_ledger
from rekindle.settings import Settings
from tests.decide.shop import RECONNECT, ROWS, Row, crowd, documents, instant, program

configure()

from rekindle.service.flow import planning  # noqa: E402  Django is made ready first
from rekindle.service.outbox.models import Plan, Touch  # noqa: E402
from rekindle.service.people.actions import record_contacts  # noqa: E402

SIZE = 24
UNKNOWN = CannotTell("no model in this test")
STAGE = {**RECONNECT, "arms": {name: RECONNECT["arms"][name] for name in ("plain", "light")}}


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Shop:
    """A store with contacts and an empty history."""

    settings: Settings
    warehouse: Warehouse
    documents: Documents = field(default_factory=lambda: documents(program(stages={"reconnect": STAGE})))

    def run(self, day: float, people: list[Row] | None = None) -> tuple[planning.Planned, int]:
        """Makes and commits a plan."""
        rows = crowd(SIZE) if people is None else people
        built = Profiles(self.warehouse.keep(pa.Table.from_pylist(rows, schema=ROWS.to_pyarrow())), UNKNOWN, UNKNOWN)
        planned = planning.make(self.settings, self.warehouse, built, self.documents, instant(day))
        return planned, planning.commit(self.settings, self.warehouse, planned, built, self.documents)

    def journal(self) -> list[Row]:
        """What counts: the rows of ready plans."""
        rows = self.warehouse.table("journal").semi_join(self.warehouse.table("plans"), "plan")
        found: list[Row] = self.warehouse.arrow(rows.order_by("as_of", "customer_id")).to_pylist()
        return found

    def plans(self) -> list[Row]:
        found: list[Row] = self.warehouse.arrow(self.warehouse.table("plans").order_by("as_of", "plan")).to_pylist()
        return found


@pytest.fixture(scope="session")
def ready_store(tmp_path_factory: pytest.TempPathFactory, empty_history: Path) -> Path:
    root = tmp_path_factory.mktemp("ready") / "shop"
    root.mkdir()
    settings = Settings(root=root)
    use_ledger(settings)
    names = [row["customer_id"] for row in crowd(SIZE)]
    contacts = {
        "customer_id": names, "source": ["shop"] * SIZE, "external_id": names, "email": [f"{name}@people.example" for name in names],
        "email_consent": [True] * SIZE, "consent_at": [instant(-9).instant] * SIZE,
    }
    record_contacts(pa.table(contacts), instant(-9).instant)
    _closed()
    shutil.copy(empty_history, settings.var)
    return root


def _closed() -> None:
    from django.db import connection

    connection.close()


@pytest.fixture
def shop(ready_store: Path, tmp_path: Path) -> Iterator[Shop]:
    settings = Settings(root=shutil.copytree(ready_store, tmp_path / "shop"))
    use_ledger(settings)
    with open_history(settings.history, settings.root) as warehouse:
        yield Shop(settings, warehouse)
    _closed()


def test_a_plan_is_journaled_sent_to_the_outbox_and_counted_once(shop: Shop) -> None:
    planned, touches = shop.run(0)
    journal = shop.journal()
    messages = [row for row in journal if row["arm"] != NOTHING]
    assert (len(journal), touches, planned.repeated) == (SIZE, len(messages), False)
    assert {row["plan"] for row in journal} == {planned.plan.digest}
    assert shop.plans() == [{"plan": planned.plan.digest, "as_of": instant(0).naive, "rehearsal": False, "decisions": SIZE}]
    kept = {(touch.customer_id, touch.stage, touch.arm, touch.offer, touch.episode) for touch in Touch.objects.all()}
    assert kept == {(row["customer_id"], row["stage"], row["arm"], row["offer"], row["episode"]) for row in messages}
    assert {touch.send_at.replace(tzinfo=None) for touch in Touch.objects.all()} == {row["send_at"] for row in messages}
    assert {bool(touch.code) for touch in Touch.objects.filter(arm="light")} == {True}  # a code where something can be redeemed
    assert {touch.code for touch in Touch.objects.filter(arm="plain")} == {""}
    assert Touch.objects.filter(arm="light").values("code").distinct().count() == Touch.objects.filter(arm="light").count()


def test_the_same_instant_again_is_the_same_plan_whatever_became_of_its_messages(shop: Shop) -> None:
    first, _ = shop.run(0)
    journal = shop.journal()
    sent = next(row for row in journal if row["arm"] != NOTHING)
    failed = {
        "touch_key": "k", "customer_id": sent["customer_id"], "program": "back", "stage": "reconnect", "episode": sent["episode"], "arm": sent["arm"],
        "channel": "email", "status": "failed", "settled_at": instant(0).naive, "source": "ledger", "batch": 1, "digest": "",
    }
    shop.warehouse.insert("touches", pa.Table.from_pylist([failed]))
    again, touches = shop.run(0)
    assert (again.plan.digest, again.repeated, touches) == (first.plan.digest, True, 0)
    assert (shop.journal(), len(shop.plans())) == (journal, 1)


def test_facts_that_came_in_since_decide_only_what_is_new(shop: Shop) -> None:
    before = crowd(SIZE)
    for row in before[:5]:
        row["email_consent"] = False
    shop.run(0, before)
    first = {row["customer_id"]: row for row in shop.journal()}
    planned, _ = shop.run(0)
    added = [row for row in shop.journal() if row["plan"] == planned.plan.digest]
    assert {row["customer_id"] for row in added} == {row["customer_id"] for row in before[:5]}
    assert {row["customer_id"]: row for row in shop.journal() if row["plan"] != planned.plan.digest} == first
    _, touches = shop.run(0)
    decided = [(row["customer_id"], row["stage"]) for row in shop.journal() if row["arm"]]
    assert (touches, len(decided)) == (0, len(set(decided)))
    assert Touch.objects.count() == sum(row["arm"] not in (None, NOTHING) for row in shop.journal())


def stop_before(module: object, name: str) -> Callable[[pytest.MonkeyPatch], None]:
    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        def killed(*_: object) -> None:
            raise Killed

        monkeypatch.setattr(module, name, killed)

    return patch


BREAKS = {
    "before the touches": stop_before(planning.actions, "insert_touches"),
    "before ready": stop_before(planning.actions, "ready"),
    "before the plan is counted": stop_before(planning, "_count"),
}


def broken(shop: Shop, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        BREAKS[where](patch)
        with pytest.raises(Killed):
            shop.run(0)
    assert shop.journal() == []


@pytest.mark.parametrize("where", BREAKS)
def test_a_commit_that_broke_off_is_completed_by_the_same_run_again(shop: Shop, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    broken(shop, where, monkeypatch)
    planned, _ = shop.run(0)
    assert [row["plan"] for row in shop.plans()] == [planned.plan.digest]
    assert [row["customer_id"] for row in shop.journal()] == [row["customer_id"] for row in crowd(SIZE)]
    assert Touch.objects.count() == sum(row["arm"] != NOTHING for row in shop.journal())
    assert list(Plan.objects.values_list("hash", "ready")) == [(planned.plan.digest, True)]
    assert shop.warehouse.scalar(shop.warehouse.table("journal").count()) == SIZE


@pytest.mark.parametrize("where", ["before ready", "before the plan is counted"])
def test_a_commit_that_broke_off_does_not_double_what_a_later_run_decides(shop: Shop, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """What was ready counts, and its day stays the day of entry; what was not is decided anew."""
    broken(shop, where, monkeypatch)
    shop.run(1)
    decided = [(row["customer_id"], row["stage"]) for row in shop.journal() if row["arm"]]
    assert len(decided) == len(set(decided)) == SIZE
    counted = where == "before the plan is counted"
    assert {row["entered_at"] for row in shop.journal()} == {instant(0 if counted else 1).naive}
    assert Touch.objects.count() == sum(row["arm"] != NOTHING for row in shop.journal())
    assert {touch.plan_id for touch in Touch.objects.all()} <= {row["plan"] for row in shop.plans()}
    assert set(Plan.objects.filter(ready=True).values_list("hash", flat=True)) == {row["plan"] for row in shop.plans()}


def test_a_rehearsal_is_never_committed(tmp_path: Path, empty_history: Path) -> None:
    settings = Settings(root=tmp_path)
    use_ledger(settings)
    shutil.copy(empty_history, settings.var)
    with open_history(settings.history, settings.root) as warehouse:
        shop = Shop(settings, warehouse)
        planned, touches = shop.run(0, crowd(SIZE, email_consent=False))
        assert (planned.plan.rehearsal, planned.summary.rehearsal, touches) == (True, True, 0)
        assert planned.summary.messages > 0
        assert (shop.plans(), Touch.objects.count(), warehouse.scalar(warehouse.table("journal").count())) == ([], 0, 0)
    _closed()


def test_the_facts_of_a_message_are_frozen_with_it(shop: Shop) -> None:
    people = crowd(SIZE, last_product="p1", cause="open_ticket", category=None, last_category="Lamps")
    people[0] |= {"last_product": "p2"}
    for row in people[1::2]:
        row["cause"] = "late_delivery"
    versions = {"name": ["LANTERN"], "category": ["Lamps"], "source": ["shop"], "batch": [1], "digest": ["d"], "product_id": ["p1"]}
    names = ("seller_id", "price", "cost", "in_stock")
    shop.warehouse.insert("products", pa.table({**versions, **{name: pa.nulls(1) for name in names}}))
    shop.run(0, people)
    numbers = {row["customer_id"]: number for number, row in enumerate(people)}
    for touch in Touch.objects.all():
        number, facts = numbers[touch.customer_id], json.loads(touch.facts)
        assert facts["last_product"] == (None if number == 0 else "LANTERN")
        assert facts["cause"] == ("late_delivery" if number % 2 else None)  # an open ticket is not a mishap to speak of
        assert (facts["orders"], facts["last_day"], facts["category"]) == (3, "2025-12-01", "Lamps")
        assert facts["valid_until"] == (touch.valid_until.isoformat() if touch.arm == "light" else None)
    assert {touch.arm for touch in Touch.objects.all()} == {"plain", "light"}
