"""The marketplace untouched: deterministic, plausible, consistent, and with a known dropout."""

import dataclasses
import hashlib
from datetime import date, datetime
from decimal import Decimal

import numpy as np
import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from rekindle.errors import BadData, UsageError
from rekindle.ingest.mapping import load
from rekindle.simulate import simulate, truth
from rekindle.simulate.parameters import Parameters
from rekindle.simulate.world import baseline, begin, months_before, scenery
from tests.simulate.worlds import CUSTOMERS, END, inbox

PARAMETERS = Parameters()
END_SECOND = (END - date(1970, 1, 1)).days * 86_400


def digest(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()}


def large(seed=11, parameters=PARAMETERS):
    """A larger baseline in memory, for shares."""
    scene = scenery(begin(6_000, 24, seed, END, "EUR"), parameters)
    return scene, baseline(scene)


@pytest.fixture(scope="module")
def market():
    return large()


def test_the_same_seed_gives_the_same_files_and_another_seed_others(made, tmp_path):
    same, other = tmp_path / "same", tmp_path / "other"
    for folder, seed in ((same, 7), (other, 8)):
        folder.mkdir()
        simulate(folder, CUSTOMERS, 24, seed, END)
    assert digest(same) == digest(made.folder)
    assert digest(other)["orders-0001.parquet"] != digest(same)["orders-0001.parquet"]


def test_a_parameter_of_one_stream_leaves_the_others_as_they_were(market):
    _, usual = market
    _, changed = large(parameters=dataclasses.replace(PARAMETERS, review=0.5, viewed=0.1, no_email_consent=0.9))
    for kind in ("orders", "lines", "shipments", "returns", "tickets"):
        assert changed[kind].equals(usual[kind]), kind
    assert changed["reviews"].num_rows > usual["reviews"].num_rows


def test_files_hold_only_facts_before_the_end(made):
    for kind, column in (("orders", "ordered_at"), ("returns", "returned_at"), ("reviews", "reviewed_at"), ("tickets", "opened_at"),
                         ("events", "occurred_at"), ("customers", "first_seen_at"), ("contacts", "consent_at"),
                         ("credits", "issued_at"), ("promotions", "starts_at"), ("shipments", "shipped_at")):
        assert pc.max(inbox(made.folder, kind, 1)[column]).as_py() < datetime(END.year, END.month, END.day), kind
    for kind, column in (("shipments", "delivered_at"), ("tickets", "closed_at")):
        table = inbox(made.folder, kind, 1)
        assert pc.max(table[column]).as_py() < datetime(END.year, END.month, END.day)
        assert 0 < table[column].null_count < table.num_rows / 10
    assert made.orders == inbox(made.folder, "orders", 1).num_rows
    assert inbox(made.folder, "customers", 1).num_rows == made.customers == CUSTOMERS


def test_ids_are_unique_and_refer_to_each_other(made):
    kinds = ("orders", "lines", "shipments", "returns", "reviews", "tickets", "events", "credits", "promotions", "customers", "contacts",
             "products", "sellers")
    tables = {kind: inbox(made.folder, kind, 1) for kind in kinds}
    for kind, key in (("orders", "order_id"), ("shipments", "shipment_id"), ("returns", "return_id"), ("reviews", "review_id"),
                      ("tickets", "ticket_id"), ("events", "message_id"), ("customers", "customer_id"), ("contacts", "customer_id"),
                      ("products", "product_id"), ("sellers", "seller_id"), ("credits", "credit_id"),
                      ("promotions", "promotion_id")):
        assert pc.count_distinct(tables[kind][key]).as_py() == tables[kind].num_rows, kind
    assert pc.count_distinct(tables["contacts"]["email"]).as_py() == CUSTOMERS

    def within(kind, column, target):
        return pc.all(pc.is_in(tables[kind][column], value_set=tables[target][column].combine_chunks())).as_py()

    for kind in ("lines", "shipments", "returns", "reviews", "tickets"):
        assert within(kind, "order_id", "orders"), kind
    for kind in ("orders", "lines", "contacts", "events", "shipments", "credits"):
        assert within(kind, "customer_id", "customers"), kind
    assert within("lines", "product_id", "products")
    assert within("products", "seller_id", "sellers")
    assert within("promotions", "seller_id", "sellers")
    assert within("events", "product_id", "products")


def test_amounts_are_exact_and_lines_add_up(made):
    orders, lines = inbox(made.folder, "orders", 1), inbox(made.folder, "lines", 1)
    assert orders.schema.field("total").type == pa.decimal128(18, 2)
    sums = lines.group_by("order_id").aggregate([("amount", "sum"), ("discount", "sum")]).sort_by("order_id")
    orders = orders.sort_by("order_id")
    assert sums["amount_sum"].to_pylist() == orders["total"].to_pylist()
    assert sums["discount_sum"].to_pylist() == orders["discount"].to_pylist()
    assert pc.min(lines["amount"]).as_py() > 0
    assert set(pc.unique(orders["shipping"]).to_pylist()) == {Decimal("0.00"), Decimal("4.90")}
    returned = inbox(made.folder, "returns", 1).join(orders.select(["order_id", "total"]), "order_id")
    assert pc.all(pc.less_equal(returned["amount"], returned["total"])).as_py()


def test_money_of_the_world_is_integers(made):
    known = truth(made.folder)
    money = {"orders": ("total", "discount", "shipping", "cost"), "lines": ("amount", "discount", "cost"), "products": ("price", "cost")}
    for kind, names in money.items():
        for name in names:
            assert known.facts(kind).schema.field(name).type == pa.int64()


def test_a_currency_without_minor_units(tmp_path):
    simulate(tmp_path, 50, 6, 1, END, "JPY")
    assert inbox(tmp_path, "orders", 1).schema.field("total").type == pa.decimal128(18, 0)


def test_the_market_is_plausible(market):
    scene, facts = market
    orders = facts["orders"].filter(pc.less(facts["orders"]["ordered_at"], END_SECOND))
    total, cost = np.asarray(orders["total"]), np.asarray(orders["cost"])
    assert 2.6 < orders.num_rows / 6_000 < 3.2
    assert 45_00 < total.mean() < 60_00
    assert 0.37 < 1 - cost.sum() / total.sum() < 0.42
    assert abs(1 - scene.population.email_consent.mean() - PARAMETERS.no_email_consent) < 0.02
    days = np.asarray(facts["orders"]["ordered_at"]) // 86_400 * scene.population.size + np.asarray(facts["orders"]["customer"])
    assert np.unique(days).size == days.size


def test_frictions_come_as_often_as_the_parameters_say(market):
    _, facts = market
    for friction in PARAMETERS.frictions:
        share = np.asarray(facts["orders"][friction.kind]).mean()
        assert abs(share - friction.share) < 0.15 * friction.share, friction.kind
    assert facts["returns"].num_rows == np.asarray(facts["orders"]["return"]).sum()
    late = np.asarray(facts["shipments"]["delivered_at"]) > np.asarray(facts["shipments"]["promised_at"])
    np.testing.assert_array_equal(late, np.asarray(facts["orders"]["late_delivery"]))
    bad = np.asarray(facts["reviews"]["rating"]) <= 2
    np.testing.assert_array_equal(np.asarray(facts["reviews"]["order"])[bad], np.flatnonzero(np.asarray(facts["orders"]["bad_review"])))


def test_dropout_is_beta_geometric_and_friction_raises_it_by_its_factor(market):
    scene, facts = market
    orders = facts["orders"]
    befell = np.column_stack([np.asarray(orders[friction.kind]) for friction in PARAMETERS.frictions])
    factors = np.array([friction.dropout for friction in PARAMETERS.frictions])
    own = scene.population.dropout[np.asarray(orders["customer"])]
    chance = np.minimum(own * np.where(befell, factors, 1).prod(axis=1), PARAMETERS.dropout_most)
    np.testing.assert_allclose(np.asarray(orders["leaving"]), chance, rtol=1e-12)
    left = np.asarray(orders["left"])
    assert abs(left.mean() - chance.mean()) < 4 * np.sqrt((chance * (1 - chance)).sum()) / chance.size
    for column in range(befell.shape[1]):
        of = befell[:, column]
        assert abs(left[of].mean() - chance[of].mean()) < 4 * np.sqrt((chance[of] * (1 - chance[of])).sum()) / of.sum()


def test_who_left_never_orders_again_and_who_stays_does_so_at_the_latent_rate(market):
    scene, facts = market
    orders = facts["orders"]
    customer, instant, left = (np.asarray(orders[name]) for name in ("customer", "ordered_at", "left"))
    last = np.zeros(scene.population.size, dtype=np.int64)
    np.maximum.at(last, customer, instant)
    assert (instant[left] == last[customer[left]]).all()
    by_customer = np.lexsort((instant, customer))
    same = customer[by_customer][1:] == customer[by_customer][:-1]
    gaps = np.diff(instant[by_customer])[same] / 86_400 * scene.population.rate[customer[by_customer][1:][same]]
    early = instant[by_customer][:-1][same] < END_SECOND - 365 * 86_400
    assert 0.85 < gaps[early].mean() < 1.02  # one expected gap; longer ones are cut off by the horizon


def test_newcomers_keep_arriving_after_the_end(made):
    known = truth(made.folder)
    arrived = np.asarray(known.facts("customers")["first_seen_at"])
    assert (arrived < END_SECOND).sum() == CUSTOMERS
    assert 0.4 * CUSTOMERS < (arrived >= END_SECOND).sum() < 0.6 * CUSTOMERS


def test_contacts_are_nobodys(made):
    contacts = inbox(made.folder, "contacts", 1)
    assert all(email.split("@")[1].endswith(".example") for email in contacts["email"].to_pylist())
    assert pc.all(pc.string_is_ascii(contacts["email"])).as_py()
    phones = [phone for phone in contacts["phone"].to_pylist() if phone]
    assert len(set(phones)) == len(phones) > CUSTOMERS / 2
    assert {phone[:8] for phone in phones} == {"+3319900", "+3326191", "+3335301", "+3346571", "+3353649"}
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(phone)) for phone in phones)


def test_local_hours_differ_by_time_zone(market):
    scene, facts = market
    hour = np.asarray(facts["orders"]["ordered_at"]) // 3600 % 24
    zone = scene.population.zone[np.asarray(facts["orders"]["customer"])]
    peaks = [np.bincount(hour[zone == number], minlength=24).argmax() for number in (0, 6)]
    assert (peaks[1] - peaks[0]) % 24 in (5, 6, 7)


def test_the_mapping_names_every_file_and_the_import_can_read_it(made):
    mapping = load(made.mapping)
    for path in made.files:
        assert [source.kind for source in mapping.sources if source.takes(path.name)] == [path.name.split("-")[0]]
    assert {source.kind for source in mapping.sources} == {path.name.split("-")[0] for path in made.files}
    for source in mapping.sources:
        assert set(source.columns.values()) <= set(inbox(made.folder, source.kind, 1).column_names)


def test_months_before():
    assert months_before(date(2026, 11, 22), 24) == date(2024, 11, 22)
    assert months_before(date(2024, 2, 29), 12) == date(2023, 2, 28)


@pytest.mark.parametrize(("customers", "months", "seed"), [(9, 24, 1), (100, 0, 1), (100, 121, 1), (100, 24, -1)])
def test_numbers_out_of_range_are_refused(tmp_path, customers, months, seed):
    with pytest.raises(UsageError, match="out of range"):
        simulate(tmp_path, customers, months, seed, END)
    assert list(tmp_path.iterdir()) == []


def test_a_second_world_and_an_absent_folder_are_refused(made, tmp_path):
    before = digest(made.folder)
    with pytest.raises(UsageError, match="already"):
        simulate(made.folder, 100, 24, 1, END)
    assert digest(made.folder) == before
    with pytest.raises(UsageError, match="no folder"):
        simulate(tmp_path / "absent", 100, 24, 1, END)
    with pytest.raises(BadData, match="ISO 4217"):
        simulate(tmp_path, 100, 24, 1, END, "XXQ")
