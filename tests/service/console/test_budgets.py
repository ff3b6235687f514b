"""A hard budget that is spent is said where an operator looks: on the first page, among the offers, and by `check`."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from rekindle import moment
from rekindle.service.console.roles import Role
from rekindle.service.flow import documents
from rekindle.service.redemptions.models import Spend
from rekindle.settings import Settings
from tests.cli.terminal import typed
from tests.service.conftest import NOON
from tests.service.console.test_overview import publish
from tests.service.live import approve_shipped

SPENT = "the budget of win-back is spent: codes took EUR 95.00 of EUR 100.00 in 30 days"


@pytest.fixture
def hard(shop: Settings) -> Settings:
    """A store with a hard budget for win-back, of which 94.99 are redeemed, and of another program much more."""
    approve_shipped(shop)
    rules = shop.root / "rules.yaml"
    text = rules.read_text(encoding="utf-8")
    rules.write_text(f"{text}budgets: [{{amount: 100.00, per: 30d, program: win-back, hard: true}}]\n", encoding="utf-8")
    documents.approve_all(shop, "Ada", NOON)
    publish(shop)
    today = moment.local_day(moment.now(), shop.timezone)
    Spend.objects.create(program="win-back", payer="shop", spent_on=today, cost=9_499)
    Spend.objects.create(program="birthday", payer="shop", spent_on=today, cost=99_999)
    Spend.objects.create(program="win-back", payer="shop", spent_on=today - timedelta(days=30), cost=99_999)
    return shop


def test_the_first_page_and_the_offers_say_so(hard: Settings, enter: Callable[..., Client]) -> None:
    viewer = enter(Role.VIEWER)

    def pages() -> tuple[str, str]:
        found = [viewer.get(f"/console/{at}").content.decode() for at in ("", "offers")]
        return found[0], found[1]

    first, offers = pages()
    assert "A hard budget is spent" not in first
    assert "Redeemed at the checkout: EUR 95" in offers
    assert '<span class="tag bad">spent</span>' not in offers
    Spend.objects.filter(cost=9_499).update(cost=9_500)
    first, offers = pages()
    assert f"{SPENT[0].upper()}{SPENT[1:]}." in first
    assert offers.count('<span class="tag bad">spent</span>') == 1
    assert "No more is offered of it, and its codes are refused" in offers


def test_check_warns(hard: Settings) -> None:
    (hard.root / "rekindle.toml").write_text('name = "Marigold"\n', encoding="utf-8")

    def found() -> list[tuple[str, str, str]]:
        told = typed("--store", hard.root, "check", "--json").json["findings"]
        return [(one["file"], one["message"], one["severity"]) for one in told if one["rule"] == "budget-spent"]

    assert found() == []
    Spend.objects.filter(cost=9_499).update(cost=9_500)
    assert found() == [("rules.yaml", SPENT, "warning")]
