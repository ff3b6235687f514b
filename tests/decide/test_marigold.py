"""The shipped program on a simulated marketplace of 2,000 customers, through the real import: counts, eligibility and draws once more."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import sqrt
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from rekindle import simulate
from rekindle.decide.guardrails import PUT_OFF
from rekindle.history.warehouse import Warehouse, open_history
from rekindle.insight.profile import Profiles
from rekindle.moment import parse_as_of
from rekindle.program.catalogue import scaffold
from rekindle.program.documents import NOTHING, Documents
from rekindle.service.config import configure, use_ledger
from rekindle.settings import Settings
from tests.decide.by_hand import number

configure()

from rekindle.service.flow import documents, importing, insights, learning, planning  # noqa: E402  Django must be configured before
from rekindle.service.outbox.models import Touch  # noqa: E402  Django must be configured before
from rekindle.service.people.queries import external_ids  # noqa: E402  Django must be configured before

END = date(2026, 9, 27)
MORNING = datetime(2026, 9, 27, 6, tzinfo=UTC)
AS_OF = parse_as_of("2026-09-27", "UTC")
RULES = {
    None: lambda row: True,
    "value_tier == 'high' or premium >= 0.67": lambda row: row["value_tier"] == "high" or (row["premium"] or 0) >= 0.67,
    "value_tier != 'high' and (price_sensitive is none or price_sensitive < 0.67)":
        lambda row: row["value_tier"] != "high" and (row["price_sensitive"] or 0) < 0.67,
}
"""What the first stage's arms ask for."""

AFFORDS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "light": lambda row: row["margin_per_order"] >= 300 and not row["credit_balance"],
    "make_good": lambda row: row["margin_per_order"] >= 300 * max(row["return_share"], 0.40) and not row["credit_balance"],
}
"""What an order must earn for the shop to pay for its delivery, or for the returns that are to be expected."""
Row = dict[str, object]


@dataclass(frozen=True)
class Marigold:
    """What a day in the marketplace's life came to."""

    settings: Settings
    insight: insights.Insight
    profiles: dict[str, Row]
    names: dict[str, str]
    documents: Documents
    planned: planning.Planned
    rows: list[Row]
    again: planning.Planned
    touches: tuple[int, int, int]
    sent: list[tuple[str, str, str]]
    learned: learning.Learned


@pytest.fixture(scope="module")
def marigold(tmp_path_factory: pytest.TempPathFactory) -> Marigold:
    root = tmp_path_factory.mktemp("marigold")
    world = simulate.simulate(root, 2_000, 24, 7, END)
    (root / "var" / "identity.key").write_text("5a" * 32)
    settings = Settings(root=root, sources=({"file": "var/inbox/*.parquet", "map": world.mapping.name},))
    use_ledger(settings)
    scaffold(root, "Ada", "EUR", END)
    documents.approve_all(settings, "Ada", MORNING)
    with open_history(settings.history, root) as warehouse:
        importing.take_in_changed(settings, warehouse, MORNING)
        held = documents.approved(settings)
        built, insight = insights.profiles(settings, warehouse, AS_OF)
        profiles = {row["customer_id"]: row for row in warehouse.arrow(built.table).to_pylist()}
        planned, touches = _run(settings, warehouse, built, held)
        every = planned.plan.rows
        rows = warehouse.arrow(every.filter(every.program == "win-back").order_by("customer_id")).to_pylist()
        again, more = _run(settings, warehouse, built, held)
        learned = learning.learn(settings, warehouse, held, parse_as_of("2026-10-27", "UTC"))
        sent = list(Touch.objects.filter(program="win-back").values_list("customer_id", "stage", "arm"))
        touches = warehouse.scalar(every.filter(every.send_at.notnull(), every.reason.isnull()).count()), touches, more
        found = Marigold(settings, insight, profiles, external_ids(profiles), held, planned, rows, again, touches, sent, learned)
    from django.db import connection

    connection.close()
    return found


def _run(settings: Settings, warehouse: Warehouse, built: Profiles, held: Documents) -> tuple[planning.Planned, int]:
    planned = planning.make(settings, warehouse, built, held, AS_OF)
    return planned, planning.commit(settings, warehouse, planned, built, held)


def test_orders_and_money_of_every_customer_are_those_of_the_files(marigold: Marigold) -> None:
    """Counted in the import files by Arrow; nobody is lost or doubled on the way through import and joins."""
    table = pq.read_table(next(Path(marigold.settings.root, "var", "inbox").glob("orders-*.parquet")))
    counted = table.group_by("customer_id").aggregate([("order_id", "count"), ("total", "sum")]).to_pylist()
    by_name = {marigold.names[customer]: (row["orders"], row["spend"]) for customer, row in marigold.profiles.items() if row["orders"]}
    assert by_name == {row["customer_id"]: (row["order_id_count"], round(float(row["total_sum"]) * 100)) for row in counted}
    assert marigold.insight.orders == table.num_rows
    assert marigold.insight.customers == len(marigold.profiles) == 2_000
    assert sum(marigold.insight.lifecycle.values()) == 2_000
    assert pc.max(table["ordered_at"]).as_py().replace(tzinfo=None) < AS_OF.naive


def test_the_summary_counts_who_slips_away(marigold: Marigold) -> None:
    slipping = [row for row in marigold.profiles.values() if row["lifecycle"] in ("lapsing", "lapsed")]
    assert marigold.insight.slipping == len(slipping)
    assert all(row["lapsed_cohort"] and row["cause"] for row in slipping)
    risk = marigold.insight.margin_at_risk
    assert risk.low < risk.estimate < risk.high
    assert sum(row["margin_at_risk"] for row in slipping) == pytest.approx(risk.estimate, rel=1e-3)
    assert [model.name for model in marigold.insight.models] == ["Pareto/NBD", "Gamma-Gamma"]


def test_everyone_in_the_audience_has_one_row_and_nobody_else(marigold: Marigold) -> None:
    audience = {
        customer for customer, row in marigold.profiles.items()
        if row["lifecycle"] in ("lapsing", "lapsed") and row["overdue"] > 0 and row["expected_margin"] > 0
    }
    assert [row["customer_id"] for row in marigold.rows] == sorted(audience)
    assert len(audience) > 300


def test_every_draw_can_be_made_again_by_hand(marigold: Marigold) -> None:
    program = marigold.documents.program("win-back")
    stage = program.stages[0]
    assert marigold.planned.plan.scale == 1.0
    for row in marigold.rows:
        known = marigold.profiles[row["customer_id"]]
        if row["reason"] and row["reason"] not in PUT_OFF:
            assert (row["arm"], row["propensity"]) == (None, None)
            continue
        mine = program.arms_for("reconnect", known["lapsed_cohort"])
        can = [arm.name for arm in stage.arms if arm.name in mine and RULES[arm.when.text if arm.when else None](known)]
        can = [name for name in can if name not in AFFORDS or AFFORDS[name](known)]
        u = number(f"win-back:reconnect:1:{row['customer_id']}:{known['last_order_id']}")
        place = int(u * (len(can) + 1))
        assert (row["eligible"], row["draw"]) == ("|".join([*can, NOTHING]), u)
        assert (row["arm"], row["propensity"]) == ([*can, NOTHING][place], pytest.approx(1 / (len(can) + 1)))
        assert (row["baseline"], row["cohort"]) == (known["expected_margin"], known["lapsed_cohort"])


def test_refusals_and_standings_follow_from_profile_and_hash(marigold: Marigold) -> None:
    for row in marigold.rows:
        known, customer = marigold.profiles[row["customer_id"]], row["customer_id"]
        held, idle = number(f"holdout:2026:{customer}") < 0.05, number(f"control:win-back:2026:{customer}") < 0.10
        facts = {
            "no_consent": not known["email_consent"], "open_complaint": known["open_ticket"], "open_return": known["open_return"],
            "detractor": known["detractor"],
        }
        unmet = next((reason for reason, holds in facts.items() if holds), None)
        drawn = row["reason"] if row["reason"] in PUT_OFF else None
        assert row["reason"] == (unmet or ("held_out" if held else "control" if idle else drawn))
        assert row["standing"] == (None if unmet else "holdout" if held else "control" if idle else "treated")
    size = sum(row["standing"] is not None for row in marigold.rows)
    counts = Counter(row["standing"] for row in marigold.rows)
    for standing, share in (("holdout", 0.05), ("control", 0.95 * 0.10)):
        assert abs(counts[standing] - share * size) < 4 * sqrt(size * share * (1 - share))


def test_the_same_instant_again_makes_no_decision_and_no_message(marigold: Marigold) -> None:
    messages = {(row["customer_id"], row["stage"], row["arm"]) for row in marigold.rows if row["send_at"] and not row["reason"]}
    assert (marigold.again.plan.digest, marigold.again.repeated) == (marigold.planned.plan.digest, True)
    planned, written, more = marigold.touches
    assert planned == written > len(messages), "of all programs"
    assert more == 0
    assert (set(marigold.sent), len(marigold.sent)) == (messages, len(messages))


def test_what_was_assigned_is_measured(marigold: Marigold) -> None:
    lift = next(one for one in marigold.learned.lifts if one.program == "win-back")
    counts = Counter(row["standing"] for row in marigold.rows)
    assert (lift.treated, lift.control) == (counts["treated"], counts["control"])
    assert sum(map(sum, lift.cohort_sizes.values())) == lift.treated + lift.control
    written = Path(marigold.settings.var / "learn" / "2026-10-27.json")
    assert written.is_file()
    told = {one["program"]: one["treated"] for one in learning.to_json(marigold.learned)["programs"]}
    assert told["win-back"] == lift.treated
    assert set(told) == {program.name for program in marigold.documents.programs if not program.service}
