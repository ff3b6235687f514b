from datetime import date, datetime

import ibis
import pytest

from rekindle.ingest import values


def read(shop, texts, make):
    table = ibis.memtable({"at": list(range(len(texts))), "text": texts}, schema={"at": "int64", "text": "string"})
    return shop.warehouse.arrow(table.mutate(value=make(table["text"])).order_by("at"))["value"].to_pylist()


def test_money_is_exact_and_half_away_from_zero(shop):
    texts = ["2.55", "1.005", "-3", "1,234.50", "1,5", "", "nan", "12345678901234", "1e2", "2.555", None]
    found = read(shop, texts, lambda text: values.minor(values.decimal(text), 2))
    assert found == [255, 101, -300, 123450, None, None, None, None, 10000, 256, None]


def test_a_decimal_comma(shop):
    assert read(shop, ["12,50", "1.234,5"], lambda text: values.minor(values.decimal(text, ","), 2)) == [1250, 123450]


def test_instants(shop):
    texts = [
        "2010-07-01 08:26:00", "2014-07-03 17:59:11 -0400", "2014-07-03T17:59:11Z", "2014-07-03 17:59+05:30", "2010-01-01",
        "infinity", "2014-02-30", "12/1/2010 8:26", None,
    ]  # fmt: skip
    assert read(shop, texts, lambda text: values.instant(text, "Europe/London")) == [
        datetime(2010, 7, 1, 7, 26), datetime(2014, 7, 3, 21, 59, 11), datetime(2014, 7, 3, 17, 59, 11),
        datetime(2014, 7, 3, 12, 29), datetime(2010, 1, 1), None, None, None, None,
    ]  # fmt: skip
    assert read(shop, ["12/1/2010 8:26"], lambda text: values.instant(text, "UTC", "%m/%d/%Y %H:%M")) == [datetime(2010, 12, 1, 8, 26)]


def test_a_day_is_the_shops(shop):
    late = ["2026-06-30T22:30:00Z"]
    assert read(shop, late, lambda text: values.local_day(values.instant(text, "UTC"), "Europe/Berlin")) == [date(2026, 7, 1)]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("paid 4111 1111 1111 1111 12/26", "paid [card number] 12/26"),
        ("4111111111111111", "[card number]"),
        ("3782 822463 10005", "[card number]"),
        ("4111111111111112", "4111111111111112"),
        ("41111111111111111111", "41111111111111111111"),
        ("EAN 4006381333931", "EAN 4006381333931"),
        ("plain", "plain"),
    ],
)
def test_card_numbers_are_masked(shop, text, kept):
    assert read(shop, [text], values.masked) == [kept]


def test_yes_and_no(shop):
    assert read(shop, ["YES", "no", "1", "maybe", None], values.flag) == [True, False, True, None, None]
