"""The truth: the expected effect is the mean of what chance could have decided, and what orders show."""

import dataclasses
from datetime import date, datetime, timedelta
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from ruamel.yaml import YAML

from rekindle.errors import UsageError
from rekindle.insight.models import LapseTuples, fit_mbg_nbd
from rekindle.simulate import advance, true_effect, truth
from rekindle.simulate.chance import Chance
from rekindle.simulate.favours import promoted_share
from rekindle.simulate.outcome import expected, happen, opt_out, realised, stakes
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.response import mood, potential
from rekindle.simulate.touches import merged, numbered
from tests.simulate.test_world import END_SECOND
from tests.simulate.worlds import ARMS, CUSTOMERS, END, everybody, inbox, nobody, touches

DAY = 86_400
WINDOW = (END, END + timedelta(days=56))
PARAMETERS = Parameters()


NAMES = [file.name.removesuffix(".yaml") for file in files("rekindle.program.catalogue").iterdir() if file.name.endswith(".yaml")]


def shipped(name):
    """A shipped document as it stands there."""
    return YAML(typ="safe").load(files("rekindle.program.catalogue").joinpath(f"{name}.yaml").read_text(encoding="utf-8"))


def could_of(folder, sent, parameters=PARAMETERS):
    known = truth(folder)
    scene, orders = dataclasses.replace(known.scene, parameters=parameters), known.facts("orders")
    felt = numbered(merged(known.touches, sent, 0), parameters, scene.population.size)
    could = potential(scene, orders, felt)
    return scene, could, stakes(scene, orders, could)


def slipping(orders):
    """Who is over two of their own rhythms late, as the lapse model sees it (rekindle.insight.lifecycle)."""
    orders = orders.filter(pc.less(orders["ordered_at"], END_SECOND))
    customer, day = np.asarray(orders["customer"]), np.asarray(orders["ordered_at"]) // DAY
    count, first, last = np.bincount(customer), np.full(CUSTOMERS, 10**9), np.zeros(CUSTOMERS, dtype=np.int64)
    np.minimum.at(first, customer, day)
    np.maximum.at(last, customer, day)
    age, silence = (END_SECOND // DAY - 1 - first) / 7, END_SECOND // DAY - 1 - last
    model = fit_mbg_nbd(LapseTuples(count - 1, (last - first) / 7, age, np.ones(CUSTOMERS, dtype=np.int64)))
    rhythm = 7 * (model.alpha + (last - first) / 7) / (model.r + count - 1)
    return np.flatnonzero((silence > 2 * rhythm) & (silence >= 28))


def two_rounds():
    """Two touches of random arms for everybody, so that fatigue and rival codes occur."""
    return pa.concat_tables([everybody(seed=1), everybody(seed=2, at=datetime(2026, 10, 6, 18, 30, 12), stage="tailor")])


@pytest.mark.parametrize("window", [(0, 56), (0, 200), (3, 12), (14, 40)])
def test_expected_is_the_mean_over_many_draws(made, window):
    eager = tuple(dataclasses.replace(arm, lift=arm.lift * 8) for arm in PARAMETERS.arms)
    responsive = dataclasses.replace(PARAMETERS, arms=eager, lift_most=0.9)
    scene, could, at_stake = could_of(made.folder, two_rounds(), responsive)
    begin, end = END_SECOND + window[0] * DAY, END_SECOND + window[1] * DAY
    mean = expected(scene, could, at_stake, begin, end)
    draws = [realised(at_stake, happen(scene, could, Chance(seed)), begin, end) for seed in range(400)]
    for name in ("orders", "margin", "extra_subsidy", "organic_subsidy", "waived", "net"):
        sums = np.array([getattr(one, name).sum() for one in draws])
        error = sums.std(ddof=1) / np.sqrt(sums.size)
        assert abs(sums.mean() - getattr(mean, name).sum()) < 4 * error, (name, sums.mean(), getattr(mean, name).sum(), error)
        assert getattr(mean, name).sum() != 0


def test_a_chance_per_touch_is_met_touch_by_touch(made):
    scene, could, at_stake = could_of(made.folder, two_rounds())
    forever = (END_SECOND, END_SECOND + 300 * DAY)
    mean = expected(scene, could, at_stake, *forever)
    np.testing.assert_allclose(mean.orders, could.lift, rtol=1e-12)
    draws = sum(happen(scene, could, Chance(seed)).extra.astype(int) for seed in range(300))
    score = (draws - 300 * could.lift) / np.sqrt(np.maximum(300 * could.lift * (1 - could.lift), 1e-9))
    assert np.abs(score[could.lift > 0.01]).max() < 6
    assert draws[could.lift == 0].sum() == 0


def test_true_effect_realised_is_what_the_files_show(world, made):
    sent = two_rounds()
    for week in range(8):
        advance(world, 7, sent if week else sent.slice(0, CUSTOMERS))
    effect = true_effect(world, sent, None, *WINDOW)
    batches = range(2, 10)
    lines = inbox(world, "lines", *batches)
    margin = pc.sum(pc.subtract(lines["amount"], lines["cost"])).as_py() * 100
    known = truth(made.folder).facts("orders")
    own = known.filter(pc.and_(pc.greater_equal(known["ordered_at"], END_SECOND), pc.less(known["ordered_at"], END_SECOND + 56 * DAY)))
    untouched = pc.sum(pc.subtract(own["total"], own["cost"])).as_py()
    assert int(margin) - untouched == round(effect.realised_margin_per_customer * effect.customers)
    shown = inbox(world, "orders", *batches).num_rows
    assert shown - own.num_rows == round(effect.realised_orders_per_customer * effect.customers)
    assert effect.touches == 2 * CUSTOMERS


def test_effects_of_parts_add_up_to_the_whole(made):
    sent = everybody()
    whole = true_effect(made.folder, sent, None, *WINDOW)
    everyone = sent["customer_id"].combine_chunks()
    parts = [true_effect(made.folder, sent, everyone[first : first + 500], *WINDOW) for first in range(0, CUSTOMERS, 500)]
    assert sum(part.expected_margin_per_customer for part in parts) / 4 == pytest.approx(whole.expected_margin_per_customer)
    middle = END + timedelta(days=20)
    first, second = true_effect(made.folder, sent, None, END, middle), true_effect(made.folder, sent, None, middle, WINDOW[1])
    assert first.expected_margin_per_customer + second.expected_margin_per_customer == pytest.approx(whole.expected_margin_per_customer)


def test_customers_without_a_touch_count_as_nothing(made):
    sent = everybody().slice(0, 200)
    few = true_effect(made.folder, sent, None, *WINDOW)
    many = true_effect(made.folder, sent, pa.array([f"C{number:06d}" for number in range(400)]), *WINDOW)
    assert (few.customers, many.customers) == (200, 400)
    assert many.expected_margin_per_customer == pytest.approx(few.expected_margin_per_customer / 2)
    none = true_effect(made.folder, nobody(), pa.array(["C000001"]), *WINDOW)
    assert none.expected_margin_per_customer == 0.0
    assert none.realised_margin_per_customer == 0.0


def test_null_arms_do_nothing_and_price_arms_cost_what_they_subsidise(made):
    for arm in ("content_only", "proof"):
        effect = true_effect(made.folder, touches(range(CUSTOMERS), arm), None, *WINDOW)
        assert effect.expected_margin_per_customer == 0.0
        assert effect.realised_orders_per_customer == 0.0
    price = true_effect(made.folder, touches(range(CUSTOMERS), "percent"), None, *WINDOW)
    assert price.expected_orders_per_customer > 0
    assert price.expected_subsidy_per_customer > 0
    shipping = true_effect(made.folder, touches(range(CUSTOMERS), "light"), None, *WINDOW)
    assert shipping.expected_subsidy_per_customer == 0.0
    assert shipping.expected_waived_per_customer > 0


def test_the_lapsed_respond_within_the_realm_of_published_lifts(made):
    orders = truth(made.folder).facts("orders")
    lapsed = slipping(orders)
    assert 0.15 < lapsed.size / CUSTOMERS < 0.27
    later = orders.filter(pc.and_(pc.greater_equal(orders["ordered_at"], END_SECOND), pc.less(orders["ordered_at"], END_SECOND + 56 * DAY)))
    base = np.isin(lapsed, np.asarray(later["customer"])).mean()
    assert 0.06 < base < 0.13
    lifts = {arm: could_of(made.folder, touches(lapsed, arm))[1].lift.mean() for arm in ARMS}
    assert 0.008 < lifts["reminder"] < 0.02
    assert 0.02 < lifts["percent"] < 0.05
    assert max(lifts.values()) < 0.05


def test_response_depends_on_persona_cause_depth_and_fatigue(made):
    sent = [touches(range(CUSTOMERS), arm, stage=arm) for arm in ("free_returns", "percent", "preview")]
    _, could, _ = could_of(made.folder, pa.concat_tables(sent))
    known = truth(made.folder)
    persona = known.scene.population.persona[:CUSTOMERS]
    rested = (could.lift / PARAMETERS.fatigue**could.touches.earlier)[np.lexsort((could.touches.arm, could.touches.customer))]
    by_arm = dict(zip(sorted(("free_returns", "percent", "preview"), key=ARMS.index), rested.reshape(CUSTOMERS, 3).T, strict=True))
    price, preview, returns = by_arm["percent"], by_arm["preview"], by_arm["free_returns"]
    ratio = price / np.maximum(preview, 1e-12)
    assert np.median(ratio[persona == 0]) > 2 * np.median(ratio[persona == 1])
    orders = known.facts("orders").filter(pc.less(known.facts("orders")["ordered_at"], END_SECOND + 36_000))
    last = np.zeros(CUSTOMERS, dtype=np.int64)
    np.maximum.at(last, np.asarray(orders["customer"]), np.arange(orders.num_rows))
    sent_back = np.asarray(orders["return"])[last]
    relative = returns / np.maximum(preview, 1e-12)
    usual = np.median(relative[~sent_back])
    assert np.median(relative[sent_back]) == pytest.approx(usual * PARAMETERS.mending / PARAMETERS.unmended, rel=0.01)
    again = touches([5], "reminder", datetime(2026, 9, 28, 10), "tailor")
    twice = could_of(made.folder, pa.concat_tables([touches([5], "reminder"), again]))[1]
    assert twice.touches.earlier.tolist() == [0, 1]
    assert twice.touches.ordinal.tolist() == [0, 1]


def test_response_follows_season_and_sellers_promotions(made):
    scene = truth(made.folder).scene
    quiet = dataclasses.replace(scene, parameters=dataclasses.replace(PARAMETERS, promotion_pull=0.0))
    pace = np.diff(scene.calendar.clock)
    np.testing.assert_allclose(mood(quiet), np.tile(pace, (len(PARAMETERS.categories), 1)))
    runs = truth(made.folder).facts("promotions")
    share = promoted_share(PARAMETERS, scene.catalogue, scene.calendar, runs)
    day, category = scene.calendar.days - 40, 3
    at = (scene.calendar.first + day) * DAY
    name, promoted = PARAMETERS.categories[category].name, set()
    for run in runs.to_pylist():
        if run["starts_at"] <= at < run["ends_at"] and run["category"] in (None, name):
            promoted |= {(run["promotion"], product) for product in np.flatnonzero(
                (scene.catalogue.seller == run["seller"]) & (scene.catalogue.category == category)).tolist()}
    assert len(promoted) > 0
    assert share[category, day] == pytest.approx(len(promoted) / scene.catalogue.per_category)
    expected_mood = pace[day] * (1 + PARAMETERS.promotion_pull * share[category, day])
    assert mood(scene)[category, day] == pytest.approx(expected_mood)
    sent = touches(range(CUSTOMERS), "preview")
    _, with_mood, _ = could_of(made.folder, sent)
    _, without, _ = could_of(made.folder, sent, dataclasses.replace(PARAMETERS, promotion_pull=0.0, season_pull=0.0))
    some = (without.lift > 0) & (with_mood.lift < PARAMETERS.lift_most)
    felt_on = with_mood.touches.felt // DAY - scene.calendar.first
    factor = mood(scene)[scene.population.category[with_mood.touches.customer], felt_on]
    np.testing.assert_allclose((with_mood.lift / np.where(some, without.lift, 1))[some], factor[some])


def test_opt_outs_grow_with_touches_shortly_before(made):
    chance = opt_out(PARAMETERS, np.array([0, 1, 4]))
    np.testing.assert_allclose(chance, PARAMETERS.unsubscribe * 1.25 ** np.array([0, 1, 4]))
    scene, could, _ = could_of(made.folder, pa.concat_tables([everybody(seed=week, stage=f"s{week}") for week in range(4)]))
    often = dataclasses.replace(scene, parameters=dataclasses.replace(PARAMETERS, unsubscribe=0.1))
    done = happen(often, could, Chance(1)).unsubscribed
    marketing = ~np.array([arm.service for arm in PARAMETERS.every_arm])[could.touches.arm]
    shares = [done[marketing & (could.touches.earlier == earlier)].mean() for earlier in (0, 3)]
    assert shares[0] == pytest.approx(0.1, abs=0.03)
    assert shares[1] == pytest.approx(0.1 * 1.25**3, abs=0.05)
    assert not done[~marketing].any()


def test_a_later_touch_takes_over_the_order_that_two_codes_fit(made):
    _, one, _ = could_of(made.folder, touches(range(CUSTOMERS), "percent"))
    second = touches(range(CUSTOMERS), "light", datetime(2026, 9, 27, 12), "tailor")
    _, both, _ = could_of(made.folder, pa.concat_tables([touches(range(CUSTOMERS), "percent"), second]))
    claimed = both.next_order[both.next_order >= 0]
    assert np.unique(claimed).size == claimed.size
    assert (one.next_order >= 0).sum() > 10
    assert (both.next_order[:CUSTOMERS] >= 0).sum() <= 2


def test_a_window_outside_the_pre_drawn_future_is_refused(made):
    for window in ((END, END + timedelta(days=366)), (date(2026, 12, 1), END)):
        with pytest.raises(UsageError, match="no truth"):
            true_effect(made.folder, everybody(), None, *window)
    assert true_effect(made.folder, everybody(), None, END, END).expected_margin_per_customer == 0.0
    with pytest.raises(UsageError, match="no customer"):
        true_effect(made.folder, nobody(), None, *WINDOW)


def test_the_latent_table_names_what_drives_each_customer(made):
    latent = truth(made.folder).customers
    assert latent.num_rows > CUSTOMERS
    assert set(pc.unique(latent["persona"]).to_pylist()) == {one.name for one in PARAMETERS.personas}
    assert latent.column_names == [
        "customer", "persona", "category", "orders_per_day", "dropout", "usual_order", "responsiveness", "email_consent", "sms_consent",
    ]
    assert 0.9 < np.asarray(latent["responsiveness"]).mean() < 1.1


def test_every_shipped_arm_is_known_with_the_terms_of_its_offer():
    offers, known = shipped("offers")["offers"], {arm.name: arm for arm in PARAMETERS.arms}
    programs = [document for document in map(shipped, sorted(NAMES)) if "program" in document]
    assert len(programs) > 1
    arms = [(program, *arm) for program in programs for stage in program["stages"].values() for arm in stage["arms"].items()]
    assert sorted(name for _, name, _ in arms) == sorted(known)
    for program, name, variant in arms:
        arm, offer = known[name], offers[variant["offer"]]
        assert arm.percent == offer.get("percent", 0.0), name
        if arm.percent:
            assert arm.cap == offer["cap"], name
        if arm.redeemable:
            assert arm.valid_days == int(offer["valid"].removesuffix("d")), name
        assert arm.ships_free == (variant["offer"] == "free_shipping_light"), name
        assert (arm.amount > 0) == (offer["kind"] in ("credit", "amount")), name
        assert arm.service == (program["class"] == "service"), name
        assert not (arm.service and arm.lift), name
