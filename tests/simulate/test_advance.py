"""The clock: without touches the baseline comes about exactly, with them exactly what was drawn is added."""

import json
import shutil
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from rekindle.errors import BadData, UsageError
from rekindle.simulate import advance, truth
from rekindle.simulate.files import SHAPES, told
from rekindle.simulate.habits import SCANNED
from rekindle.simulate.ids import exported
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.touches import merged, numbered
from tests.simulate.test_world import END_SECOND, digest
from tests.simulate.worlds import CUSTOMERS, END, everybody, inbox, nobody, touches

PARAMETERS = Parameters()
ARMS = {arm.name: arm for arm in Parameters().arms}
BATCHES = range(2, 10)


def play(folder, sent, weeks=8):
    """Weeks with the touches told in the first."""
    return [advance(folder, 7, sent) for _ in range(weeks)]


def test_without_touches_the_baseline_comes_about_exactly(world):
    known = truth(world)
    played = play(world, nobody(), weeks=3)
    assert [step.clock for step in played] == [END + timedelta(days=7 * week) for week in (1, 2, 3)]
    for kind, shape in SHAPES.items():
        if not shape.at:
            continue
        for week in range(3):
            begin = END_SECOND + week * 7 * 86_400
            expected = exported(told(known.facts(kind), kind, begin, begin + 7 * 86_400), 2)
            if expected.num_rows:
                assert inbox(world, kind, 2 + week).equals(expected), kind
            else:
                assert not (world / "var" / "inbox" / f"{kind}-{2 + week:04d}.parquet").exists(), kind
    assert sum(step.extra_orders + step.redemptions + step.unsubscribed for step in played) == 0


def test_weeks_and_one_long_step_tell_the_same(world, made, tmp_path):
    play(world, nobody(), weeks=2)
    one = tmp_path / "one"
    shutil.copytree(made.folder / "var" / "truth", one / "var" / "truth")
    advance(one, 14, nobody())
    for kind in ("orders", "lines", "reviews", "events", "customers"):
        assert sorted(map(str, inbox(world, kind, 2, 3).to_pylist())) == sorted(map(str, inbox(one, kind, 2).to_pylist())), kind


def test_what_is_delivered_later_is_told_again(world):
    before = inbox(world, "shipments", 1)
    open_before = before.filter(pc.is_null(before["delivered_at"]))
    advance(world, 30, nobody())
    after = inbox(world, "shipments", 2)
    again = after.filter(pc.is_in(after["shipment_id"], value_set=open_before["shipment_id"].combine_chunks()))
    assert again.num_rows == open_before.num_rows
    assert again["delivered_at"].null_count == 0


def test_extra_orders_are_added_and_nothing_else_changes(world, made):
    sent = everybody()
    played = play(world, sent)
    known = truth(made.folder)
    orders, lines = inbox(world, "orders", *BATCHES), inbox(world, "lines", *BATCHES)
    baseline = exported(told(known.facts("orders"), "orders", END_SECOND, END_SECOND + 56 * 86_400), 2)
    is_own = pc.is_in(orders["order_id"], value_set=baseline["order_id"])
    own, extra = orders.filter(is_own).sort_by("order_id"), orders.filter(pc.invert(is_own))
    assert extra.num_rows == sum(step.extra_orders for step in played) > 5
    assert own.num_rows == baseline.num_rows
    for name in ("order_id", "customer_id", "ordered_at"):
        assert own[name].to_pylist() == baseline.sort_by("order_id")[name].to_pylist()
    assert pc.all(pc.is_in(extra["customer_id"], value_set=sent["customer_id"].combine_chunks())).as_py()
    assert pc.min(extra["ordered_at"]).as_py() >= datetime(2026, 9, 27, 10)
    assert pc.max(extra["ordered_at"]).as_py() < datetime(2026, 9, 27, 10) + timedelta(days=56)
    assert pc.count_distinct(orders["order_id"]).as_py() == orders.num_rows
    sums = lines.group_by("order_id").aggregate([("amount", "sum"), ("discount", "sum")]).sort_by("order_id")
    assert sums["amount_sum"].to_pylist() == orders.sort_by("order_id")["total"].to_pylist()
    assert sums["discount_sum"].to_pylist() == orders.sort_by("order_id")["discount"].to_pylist()
    shipped = inbox(world, "shipments", *BATCHES)["order_id"].combine_chunks()
    assert pc.all(pc.is_in(extra["order_id"], value_set=shipped)).as_py()


def test_redeemed_orders_carry_code_and_discount_once_per_customer(world, made):
    played = play(world, everybody(seed=6))
    orders = inbox(world, "orders", *BATCHES)
    used = orders.filter(pc.fill_null(pc.starts_with(orders["code"], "OFFER_"), False))
    assert used.num_rows == sum(step.redemptions for step in played) > 10
    assert pc.count_distinct(used["customer_id"]).as_py() == used.num_rows
    assert set(pc.unique(used["code"]).to_pylist()) <= {f"OFFER_{name.upper()}" for name, arm in ARMS.items() if arm.redeemable}
    for row in used.to_pylist():
        arm = ARMS[row["code"].removeprefix("OFFER_").lower()]
        goods = row["total"] + row["discount"]
        if arm.percent:
            due = min((goods * Decimal(str(arm.percent))), Decimal(str(arm.cap)))
        else:
            due = min(Decimal(str(arm.amount)), goods * Decimal("0.3"))
        assert abs(row["discount"] - due) <= Decimal("0.01")
        assert not arm.ships_free or row["shipping"] == 0
        assert row["ordered_at"] < datetime(2026, 9, 27, 10) + timedelta(days=arm.valid_days)
    known = truth(made.folder).facts("orders")
    untouched = exported(told(known, "orders", END_SECOND, END_SECOND + 56 * 86_400), 2)
    is_used = pc.is_in(orders["order_id"], value_set=used["order_id"].combine_chunks())
    same = orders.filter(pc.and_(pc.invert(is_used), pc.is_in(orders["order_id"], value_set=untouched["order_id"])))
    rows = {row["order_id"]: row for row in untouched.to_pylist()}
    assert all(rows[row["order_id"]] == row for row in same.to_pylist())


def test_returns_give_back_what_was_paid(world):
    play(world, touches(range(CUSTOMERS), "percent"), weeks=10)
    batches = range(1, 12)
    lines = inbox(world, "lines", *batches)
    lead = lines.filter(pc.equal(lines["line_no"], 1)).select(["order_id", "amount"]).rename_columns(["order_id", "paid"])
    back = inbox(world, "returns", *batches).join(lead, "order_id")
    assert back["amount"].to_pylist() == back["paid"].to_pylist()


def test_a_step_that_broke_off_can_be_repeated(world):
    sent = everybody()
    state = world / "var" / "truth" / "world.json"
    before = state.read_bytes()
    advance(world, 7, sent)
    written = digest(world)
    state.write_bytes(before)
    advance(world, 7, sent)
    assert digest(world) == written


def test_touches_are_felt_once_and_later_ones_change_nothing_earlier(world, made, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(made.folder, other)
    first = everybody()
    second = everybody(seed=9, at=datetime(2026, 10, 11, 9), stage="tailor")
    for week in range(4):
        advance(world, 7, first if week < 2 else pa.concat_tables([second, first]))
        advance(other, 7, first)
    for kind in ("orders", "lines", "events"):
        assert inbox(world, kind, 2, 3).equals(inbox(other, kind, 2, 3)), kind
    assert inbox(world, "orders", 4, 5).num_rows > inbox(other, "orders", 4, 5).num_rows
    assert truth(world).touches.num_rows == 2 * CUSTOMERS


def test_a_touch_told_late_is_felt_at_the_clock(world):
    advance(world, 7, nobody())
    assert advance(world, 7, everybody()).touches == CUSTOMERS
    felt = truth(world).touches["felt_at"]
    assert pc.unique(felt).to_pylist() == [END_SECOND + 7 * 86_400]


def test_opt_outs_are_told_as_contacts_without_consent(world):
    sent = pa.concat_tables([everybody(seed=week, at=datetime(2026, 9, 27, 10 + week)) for week in range(5)])
    step = advance(world, 7, sent)
    contacts = inbox(world, "contacts", 2)
    out = contacts.filter(pc.equal(contacts["consent_source"], "unsubscribed"))
    assert 5 <= out.num_rows == step.unsubscribed <= 45  # 10,000 touches at 0.2 %
    assert pc.any(out["email_consent"]).as_py() is False
    assert pc.count_distinct(contacts["customer_id"]).as_py() == contacts.num_rows


def test_touched_customers_look_at_products(world, made):
    advance(world, 7, everybody())
    shown = inbox(world, "events", 2)
    ours = 2 * truth(made.folder).facts("orders").num_rows
    shown = shown.append_column("number", pc.cast(pc.utf8_slice_codeunits(shown["message_id"], 1), pa.int64()))
    looks = shown.filter(pc.and_(pc.greater_equal(shown["number"], ours), pc.equal(shown["name"], "Product Viewed")))
    assert abs(looks.num_rows / CUSTOMERS - Parameters().visit) < 0.02
    clicks = shown.filter(pc.and_(pc.equal(shown["name"], "Email Link Clicked"), pc.less(shown["number"], SCANNED)))
    assert 0.3 < clicks.num_rows / looks.num_rows < 0.9
    seen = {(row["customer_id"], row["product_id"]): row["occurred_at"] for row in looks.to_pylist()}
    assert all(row["occurred_at"] < seen[row["customer_id"], row["product_id"]] for row in clicks.to_pylist())


def number(events):
    """The numbers in the ids of events."""
    return [int(one[1:]) for one in events["message_id"].to_pylist()]


def test_machines_open_and_click_before_people_do_and_order_nothing(world, made):
    advance(world, 7, everybody())
    events = inbox(world, "events", 2)
    opened = events.filter(pc.equal(events["name"], "Email Opened"))
    clicks = events.filter(pc.equal(events["name"], "Email Link Clicked"))
    scanned = clicks.filter(pa.array([one >= SCANNED for one in number(clicks)]))
    chance = PARAMETERS.opened + (1 - PARAMETERS.opened) * PARAMETERS.visit
    assert abs(opened.num_rows / CUSTOMERS - (1 - (1 - PARAMETERS.machine_openers) * (1 - chance))) < 0.04
    at_once = pc.sum(pc.less(opened["occurred_at"], datetime(2026, 9, 27, 10, 5))).as_py()
    assert abs(at_once / CUSTOMERS - PARAMETERS.machine_openers) < 0.04
    assert 20 <= scanned.num_rows <= 60  # 2 % of the mailboxes; a third of all clicks
    assert 0.15 < scanned.num_rows / clicks.num_rows < 0.55
    advance(world, 7, everybody(seed=6, at=datetime(2026, 10, 4, 10), stage="tailor"))
    later = inbox(world, "events", 3)
    again = later.filter(pa.array([one >= SCANNED for one in number(later)]))
    assert set(again["customer_id"].to_pylist()) == set(scanned["customer_id"].to_pylist())


def test_texts_have_no_link_that_an_email_would_have(world):
    sent = everybody()
    sent = sent.set_column(sent.column_names.index("channel"), "channel", pa.array(["sms"] * CUSTOMERS))
    advance(world, 7, sent)
    assert not {"Email Link Clicked", "Email Opened"} & set(inbox(world, "events", 2)["name"].to_pylist())


def test_who_is_asked_answers_now_and_then(world, made):
    known = truth(made.folder).facts("events")
    own = {f"E{one:09d}" for one in known.filter(pc.equal(known["name"], "Survey Answered"))["event"].to_pylist()}
    advance(world, 7, touches(range(CUSTOMERS), "ask_score"))
    shown = inbox(world, "events", 2)
    unasked = pc.is_in(shown["message_id"], pa.array(sorted(own)))
    told = shown.filter(pc.and_(pc.equal(shown["name"], "Survey Answered"), pc.invert(unasked)))
    assert abs(told.num_rows / CUSTOMERS - Parameters().replies) < 0.04
    said = np.asarray(told["value"].cast(pa.int64()))
    assert (said.min(), said.max()) >= (0, 10)
    assert (said >= 9).mean() > 0.3 > (said <= 6).mean() > 0.05


def test_service_messages_win_nothing_and_tire_nobody(world, made, tmp_path):
    news = [touches(range(CUSTOMERS), "order_confirmed", datetime(2026, 9, 27, 8 + hour), f"s{hour}") for hour in range(6)]
    step = advance(world, 7, pa.concat_tables(news))
    assert (step.touches, step.extra_orders, step.redemptions, step.unsubscribed) == (6 * CUSTOMERS, 0, 0, 0)
    clicks = inbox(world, "events", 2).filter(pc.equal(inbox(world, "events", 2)["name"], "Email Link Clicked"))
    assert min(number(clicks)) >= SCANNED  # a scanner follows every link, a person none of these
    after = everybody(at=datetime(2026, 10, 4, 9))
    tired = numbered(merged(truth(world).touches, after, 0), Parameters(), 10**6)
    assert set(tired.earlier[-CUSTOMERS:].tolist()) == {0}
    assert set(tired.ordinal[-CUSTOMERS:].tolist()) == {6}


def test_what_an_arm_of_a_shops_own_making_does_is_not_known_and_said_once(world):
    ours = everybody()
    own = ours.set_column(3, "arm", pa.array(["gift"] * CUSTOMERS)).set_column(2, "stage", pa.array(["own"] * CUSTOMERS))
    first = advance(world, 7, own)
    assert first.unknown_arms == ("gift",)
    assert (first.touches, first.extra_orders, first.redemptions) == (CUSTOMERS, 0, 0)
    second = advance(world, 7, pa.concat_tables([own, ours]))
    assert (second.unknown_arms, second.touches) == ((), CUSTOMERS)
    assert second.extra_orders > 0


def test_a_world_of_an_older_version_is_refused(world):
    (world / "var" / "truth" / "credits.parquet").unlink()
    with pytest.raises(UsageError, match="older version, without credits"):
        advance(world, 7, nobody())


def test_the_clock_stops_at_the_horizon(world):
    with pytest.raises(UsageError, match="cannot advance by 366 days"):
        advance(world, 366, nobody())
    with pytest.raises(UsageError, match="cannot advance by 0 days"):
        advance(world, 0, nobody())
    assert advance(world, 365, nobody()).clock == END + timedelta(days=365)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.set_column(0, "customer_id", pa.array(["C999999"] * table.num_rows)), "no customer 'C999999'"),
        (lambda table: table.set_column(0, "customer_id", pa.array(["anna"] * table.num_rows)), "no customer 'anna'"),
        (lambda table: table.drop_columns(["offer"]), "no column 'offer'"),
        (lambda table: table.set_column(6, "sent_at", pa.array(["today"] * table.num_rows)), "cannot be read"),
    ],
)
def test_touches_that_are_not_of_this_world_are_refused(world, change, message):
    before = digest(world)
    with pytest.raises(BadData, match=message):
        advance(world, 7, change(everybody()))
    assert digest(world) == before


def test_a_folder_without_a_world_and_a_broken_state(tmp_path, world):
    with pytest.raises(UsageError, match="no simulated marketplace"):
        advance(tmp_path, 7, nobody())
    (world / "var" / "truth" / "world.json").write_text(json.dumps({"seed": 1}))
    with pytest.raises(BadData, match="cannot be read"):
        advance(world, 7, nobody())


def test_the_code_of_a_touch_is_what_its_order_shows(world):
    sent = touches(range(CUSTOMERS), "percent")
    sent = sent.append_column("code", pa.array([f"K-{number}" if number % 2 else "" for number in range(CUSTOMERS)]))
    play(world, sent, weeks=2)
    orders = inbox(world, "orders", 2, 3)
    used = orders.filter(pc.fill_null(pc.starts_with(orders["code"], "K-"), False))
    assert used.num_rows > 5
    assert [f"C{int(code[2:]):06d}" for code in used["code"].to_pylist()] == used["customer_id"].to_pylist()
    assert pc.any(pc.equal(orders["code"], "OFFER_PERCENT")).as_py()
    assert np.all(np.asarray(used["discount"].cast(pa.float64())) > 0)
