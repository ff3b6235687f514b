"""A plan's way into journal and outbox: once, whole, and made good by the next run where it broke off."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pytest

from rekindle.errors import CannotTell
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight.profile import Profiles
from rekindle.insight.tiers import Boundaries, Tiers
from rekindle.program.documents import NOTHING, Documents
from rekindle.service.config import configure, use_ledger
from rekindle.settings import Settings
from tests.decide.shop import RECONNECT, ROWS, Row, crowd, documents, instant, program
from tests.insight.histories import empty, history, write

configure()

from rekindle.service.flow import planning  # noqa: E402  Django must be configured before
from rekindle.service.outbox.models import Plan, Touch  # noqa: E402  Django must be configured before
from rekindle.service.people.actions import record_contacts  # noqa: E402  Django must be configured before
from rekindle.service.redemptions.models import Coupon  # noqa: E402  Django must be configured before

SIZE = 24
UNKNOWN = CannotTell("no model in this test")
TIERS = Tiers(730, Boundaries(2, 1), approved=True, proposed=Boundaries(2, 1))
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
        built = Profiles(self.warehouse.keep(pa.Table.from_pylist(rows, schema=ROWS.to_pyarrow())), UNKNOWN, UNKNOWN, TIERS)
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
def ready_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
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
    (settings.var / "history.duckdb").write_bytes(empty())
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


def test_a_plan_is_journaled_and_sent_to_the_outbox_once_with_the_facts_of_its_messages(shop: Shop) -> None:
    """The same instant again is the same plan, whatever became of its messages."""
    people = crowd(SIZE, last_product="p1", cause="open_ticket", category=None, last_category="Lamps")
    people[0]["last_product"] = "p2"
    for row in people[1::2]:
        row["cause"], row["cause_evidence"] = "late_delivery", "shipment s1"
    for row in people[1::4]:
        row["cause_evidence"] = "answer e1"  # the customer's word alone
    write(shop.warehouse, {"products": [{"product_id": "p1", "name": "LANTERN", "category": "Lamps"}]})
    planned, made = shop.run(0, people)
    journal = shop.journal()
    messages = {row["customer_id"]: row for row in journal if row["arm"] != NOTHING}
    assert (len(journal), made, planned.repeated) == (SIZE, len(messages), False)
    assert {row["plan"] for row in journal} == {planned.plan.digest}
    assert shop.plans() == [{"plan": planned.plan.digest, "as_of": instant(0).naive, "rehearsal": False, "decisions": SIZE}]
    touches = {touch.customer_id: touch for touch in Touch.objects.all()}
    for name, row in messages.items():
        assert {column: row[column] for column in SAME} == {column: getattr(touches[name], column) for column in SAME}
        assert touches[name].send_at.replace(tzinfo=None) == row["send_at"]
    assert touches.keys() == messages.keys()
    frozen_facts_and_codes(people, touches)

    write(shop.warehouse, {"touches": [failed(next(iter(messages.values())), at=0)]})
    again, more = shop.run(0, people)
    assert (again.plan.digest, again.repeated, more) == (planned.plan.digest, True, 0)
    assert (shop.journal(), len(shop.plans()), Touch.objects.count()) == (journal, 1, len(messages))


SAME = ("stage", "arm", "offer", "episode", "channel", "valid_until", "version", "program")


def failed(row: Row, at: float) -> Row:
    names = ("customer_id", "program", "stage", "episode", "arm", "channel")
    return {"touch_key": "k", "status": "failed", "settled_at": instant(at).naive, **{name: row[name] for name in names}}


def frozen_facts_and_codes(people: list[Row], touches: dict[str, Touch]) -> None:
    assert {touch.arm for touch in touches.values()} == {"plain", "light"}
    for number, name in enumerate(row["customer_id"] for row in people):
        if name not in touches:
            continue
        touch, facts = touches[name], json.loads(touches[name].facts)
        assert facts["last_product"] == (None if number == 0 else "LANTERN")
        # An open ticket is not a mishap to speak of, and what the customer said is no registered event.
        assert facts["cause"] == ("late_delivery" if number % 4 == 3 else None)
        assert (facts["orders"], facts["last_day"], facts["category"]) == (3, "2025-12-01", "Lamps")
        assert facts["valid_until"] == (touch.valid_until.isoformat() if touch.arm == "light" else None)
        assert bool(touch.code) == (touch.arm == "light")  # a code where something can be redeemed
    codes = [touch.code for touch in touches.values() if touch.code]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("hard", [True, False])
def test_what_a_hard_budget_may_close_says_so_in_message_and_code(shop: Shop, hard: bool) -> None:
    """In the language of the shop; a seller's part of the cost is written down with the code."""
    shop.settings = shop.settings.model_copy(update={"locale": "de_DE"})
    budgets = [{"amount": 500, "per": "30d", "program": "back", "hard": hard}]
    shop.documents = documents(program(stages={"reconnect": STAGE}), budgets=budgets)
    shop.run(0)
    said = {touch.arm: json.loads(touch.facts) for touch in Touch.objects.all()}
    limit = "Er gilt, solange das Budget dafür reicht." if hard else ""
    found = {arm: (facts["offer_terms"], facts["offer_limit"]) for arm, facts in said.items()}
    assert found == {"plain": ("", ""), "light": (limit, limit)}
    codes = list(Coupon.objects.values_list("limited", "cost", "seller_part", "price").distinct())
    assert codes == [(hard, 300, 0.0, False)]


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


def test_a_rehearsal_is_never_committed(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    use_ledger(settings)
    with history(settings.var) as warehouse:
        shop = Shop(settings, warehouse)
        planned, touches = shop.run(0, crowd(SIZE, email_consent=False))
        assert (planned.plan.rehearsal, planned.summary.rehearsal, touches) == (True, True, 0)
        assert planned.summary.messages > 0
        assert (shop.plans(), Touch.objects.count(), warehouse.scalar(warehouse.table("journal").count())) == ([], 0, 0)
    _closed()


def test_the_file_of_a_plan_is_kept_for_thirty_days(shop: Shop) -> None:
    first, _ = shop.run(0)
    folder = shop.settings.var / "plans"
    old, young = folder / "old" / "decisions.parquet", folder / "young" / "decisions.parquet"
    for path, days in ((old, 31), (young, 29)):
        path.parent.mkdir()
        path.touch()
        written = time.time() - days * 86_400
        os.utime(path, (written, written))
    shop.run(1)
    assert (old.parent.exists(), young.exists()) == (False, True)
    assert first.decisions_file is not None
    assert first.decisions_file.exists()
