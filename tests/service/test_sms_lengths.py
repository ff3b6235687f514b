"""How long the shipped messages are as SMS, with the offers that ship and a link as it is sent."""

from collections.abc import Iterator
from datetime import date

import pytest

from rekindle.deliver.facts import CARD_KINDS
from rekindle.program import checking
from rekindle.program.catalogue.shipped import shipped
from rekindle.service.flow.linking import example
from rekindle.service.flow.previewing import Wanted
from rekindle.service.flow.previewing import example as previewed
from rekindle.settings import Settings

DAY = date(2026, 9, 16)
SOFT, HARD = "per: 30d}      # what incentives", "per: 30d, hard: true}      # what incentives"


SAYING_MORE = {"anniversary", "birthday", "replenishment", "review-request"}
"""Programs whose SMS say something beside what they offer."""


def counted(store: Settings, name: str, locale: str, hard: bool) -> Iterator[tuple[str, bool, int | None]]:
    """Of each shipped message its program, whether it offers something, and how many segments it takes."""
    settings = store.model_copy(update={"name": name, "locale": locale})
    texts = shipped(settings.name, "EUR", DAY)
    assert SOFT in texts["rules.yaml"]
    documents = checking.assemble({name: text.replace(SOFT, HARD if hard else SOFT).encode() for name, text in texts.items()})
    for program in documents.programs:
        for stage in program.stages:
            for arm in stage.arms:
                found = previewed(settings, documents, Wanted(program.name, stage.name, arm.name, "sms"), DAY)
                yield program.name, documents.offers[arm.offer].kind in CARD_KINDS, found.segments


@pytest.mark.parametrize("locale", ["en_US", "de_DE"])
def test_an_sms_takes_one_segment_and_two_where_it_says_more_than_its_offer(store: Settings, locale: str) -> None:
    offering = {(program, segments) for program, offers, segments in counted(store, "Marigold", locale, hard=False) if offers}
    assert {program for program, segments in offering if segments == 2} == SAYING_MORE
    assert {segments for _, segments in offering} == {1, 2}


@pytest.mark.parametrize("locale", ["en_US", "de_DE"])
@pytest.mark.parametrize("hard", [False, True])
def test_an_sms_for_a_shop_with_a_long_name_takes_two_with_an_offer_and_one_without(store: Settings, locale: str, hard: bool) -> None:
    found = list(counted(store, "M" * 20, locale, hard))
    assert {segments for _, offers, segments in found if offers} <= {1, 2}
    assert {segments for _, offers, segments in found if not offers} == {1}
    assert len(example(store)) == 56
