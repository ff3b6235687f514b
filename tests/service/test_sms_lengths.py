"""How long the shipped messages are as SMS, with the offers that ship and a link as it is sent."""

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


@pytest.mark.parametrize("locale", ["en_US", "de_DE"])
@pytest.mark.parametrize("hard", [False, True])
def test_an_sms_takes_one_segment_and_with_an_offer_two(store: Settings, locale: str, hard: bool) -> None:
    settings = store.model_copy(update={"name": "M" * 20, "locale": locale})
    texts = shipped(settings.name, "EUR", DAY)
    assert SOFT in texts["rules.yaml"]
    documents = checking.assemble({name: text.replace(SOFT, HARD if hard else SOFT).encode() for name, text in texts.items()})
    counted: dict[bool, list[int | None]] = {True: [], False: []}
    for program in documents.programs:
        for stage in program.stages:
            for arm in stage.arms:
                found = previewed(settings, documents, Wanted(program.name, stage.name, arm.name, "sms"), DAY)
                counted[documents.offers[arm.offer].kind in CARD_KINDS].append(found.segments)
    assert set(counted[True]) <= {1, 2}
    assert 2 in counted[True]
    assert set(counted[False]) == {1}
    assert len(example(settings)) == 56
