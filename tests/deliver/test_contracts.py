"""The shipped messages against the table of content: what each block says where its facts are known, and what becomes of it where not."""

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date

import pytest

from rekindle.deliver.claims import REGISTERED
from rekindle.deliver.contracts import CONTRACTS, REQUIRED, unfilled, what_lacks
from rekindle.deliver.facts import CARD_KINDS, Facts
from rekindle.deliver.templates import render
from rekindle.errors import Refused
from rekindle.program.vocabulary import BLOCKS, PROMOTING
from tests.deliver.test_program_messages import CONTENT, KNOWN, OFFERED, OFFERS, PROGRAMS, SAYS, document, seen

EVERY = {**PROGRAMS, "win-back": {**document("win-back.yaml"), "trigger": {"on": "lapse"}}}
ALL = replace(
    KNOWN, last_day=date(2026, 3, 3), fix="Parcels now leave the same day.", benefit="Your sizes are on file.",
    whats_new="There are new table lamps.", all_in_price="The cart shows the whole price.", delivery_promise="Two to three working days.",
    social_proof="4.6 of 5 stars (212 reviews, November 2026; nothing was given for them)", cause="late_delivery", overdue=True,
)  # fmt: skip
FILLED = SAYS | {
    "all_in_price": "The cart shows the whole price",
    "benefit": "Your sizes are on file|Something nice|nothing that you need to do|use it with",
    "apology_for_the_event": "sorry", "fix_if_registered": r"What we have changed since(.|\n)*Parcels now leave the same day",
    "what_changed_in_your_categories": "There are new table lamps", "missed_since_you_left": "", "current_relevance": "from Lighting",
    "delivery_promise": "Two to three working days", "gain_summary": "5 orders(.|\n)*Lighting", "guarantee": "Two years on everything",
    "hiatus_and_thanks": r"Thank you for choosing us\. It has been a while: you last chose",
    "open_offer_and_its_real_expiry": "Good until the end of 5 December 2026",
    "pause_or_fewer_or_stop": "Write to me less, or pause", "restored_cart_or_sign_in": "https://marigold.example",
    "social_proof_of_category": r"4\.6 of 5 stars \(212 reviews, November 2026; nothing was given for them\)",
    "steps_to_order": "three steps", "why_prompt": "what was it", "last_purchase_or_favourite_or_saved": "Lantern|lantern",
    "expiry_if_offer": "Good until the end of 5 December 2026",
    "offer_or_its_absence": "Something nice",
}  # fmt: skip
"""What stands in a message that has the block, all facts being known and something being given."""

DEFAULTS = {
    "why_you_got_this": "agreed to e-mail from Marigold([.]|, and because (you told us your birthday|a credit of yours))",
    "benefit": "help with choosing, reply to this e-mail|nothing that you need to do|use it with your next order",
    "relationship": "Thank you for knowing us|only to say thank you|Thank you for choosing us",
    "last_purchase_or_favourite_or_saved": "It has been a while|You have ordered from us (before|once)",
    "hiatus_and_thanks": "It has been a while", "gain_summary": "you are welcome",
    "curated_from_before": "where it was|your way around here",
    "current_relevance": "something new|know where we are|to look around again",
    "returns_policy": "Reply to this e-mail and say what it is about|reply to this e-mail",
    "care": "Reply to this e-mail and ask", "support": "reply to one of our e-mails",
    "products_named": "(?i)your (first |last )?order|ordered",
    "product_named": "what you buy regularly", "promised_day": "should have been with you by now|We get it ready",
    "run_out_window": "used up soon",
    "delivered_day": "has reached you",
}  # fmt: skip
"""What stands in its place where the facts are not known and nothing is given."""


ITSELF = "apology_for_the_event", "delivery-late"
"""What opened the round is the event: the promised day has passed, whether or not it can be named."""


def places(otherwise: str) -> Iterator[tuple[str, str, str]]:
    """Block, program and stage, for every block that a shipped stage promises."""
    for name, program in sorted(EVERY.items()):
        for stage, body in program["stages"].items():
            added = [block for one in program.get("variants", {}).values() for block in one.get(stage, {}).get("content_add", ())]
            for block in dict.fromkeys([*program["content_always"], *body["content"], *added]):
                if CONTRACTS[block].otherwise == otherwise:
                    yield block, name, stage


def message(facts: Facts, program: str, stage: str, offered: bool) -> tuple[str, str]:
    """Both forms of a stage's message as readers see them, its dearest variant or its plainest."""
    body = EVERY[program]
    kinds = [OFFERS[arm["offer"]]["kind"] for arm in body["stages"][stage]["arms"].values()]
    kind = next((one for one in kinds if (one in CARD_KINDS) == offered), "none")
    given = OFFERED if offered and kind in CARD_KINDS else {}
    service = body["class"] == "service"
    told = replace(facts, program=program, stage=stage, moment=body["trigger"]["on"], offer_kind=kind, service=service, **given)
    html, text = seen(render(CONTENT, told))
    return re.sub(r"\s+", " ", html), re.sub(r"\s+", " ", text)


def without(facts: Facts, block: str) -> Facts:
    """The facts without any that fill a block."""
    usual = {one.name: one.default for one in fields(Facts)}
    return replace(facts, **{need: usual[need] for need in CONTRACTS[block].needs})


def gives(program: str, stage: str) -> bool:
    """Whether a variant of a stage gives something."""
    return any(OFFERS[arm["offer"]]["kind"] in CARD_KINDS for arm in EVERY[program]["stages"][stage]["arms"].values())


OF_AN_OFFER = {name for name, one in CONTRACTS.items() if one.needs and set(one.needs) <= set(OFFERED)}
SPOKEN = [
    (block, program, stage)
    for otherwise in ("default", "skipped", "refused")
    for block, program, stage in places(otherwise)
    if block not in OF_AN_OFFER or gives(program, stage)
]


def test_every_block_has_a_contract_over_facts_that_there_are() -> None:
    assert set(CONTRACTS) == set(BLOCKS)
    assert {need for one in CONTRACTS.values() for need in one.needs} <= {one.name for one in fields(Facts)}
    assert {name for name, one in CONTRACTS.items() if one.otherwise == "default" and one.needs} == set(DEFAULTS)
    assert all(one.default for name, one in CONTRACTS.items() if name in DEFAULTS)
    assert set(REGISTERED) <= {one.name for one in fields(Facts)}


@pytest.mark.parametrize(("block", "program", "stage"), SPOKEN)
def test_a_block_says_what_it_promises(block: str, program: str, stage: str) -> None:
    for form in message(ALL, program, stage, gives(program, stage)):
        assert re.search(FILLED[block], form) or re.search(DEFAULTS.get(block, "(?!)"), form), form


@pytest.mark.parametrize(("block", "program", "stage"), list(places("default")))
def test_a_default_stands_where_nothing_is_known(block: str, program: str, stage: str) -> None:
    if not CONTRACTS[block].needs:
        return
    for form in message(without(ALL, block), program, stage, offered=False):
        assert re.search(DEFAULTS[block], form), form


@pytest.mark.parametrize(("block", "program", "stage"), [one for one in places("skipped") if one[:2] != ITSELF])
def test_a_block_without_its_fact_is_left_out(block: str, program: str, stage: str) -> None:
    known = re.compile(FILLED[block]) if FILLED[block] else re.compile("Something nice")
    for form in message(without(ALL, block), program, stage, offered=False):
        assert not known.search(form), form


@pytest.mark.parametrize("block", sorted(REQUIRED))
def test_a_required_block_that_cannot_be_filled_refuses_the_message(block: str) -> None:
    told = replace(ALL, program="win-back", stage="closing", moment="lapse", blocks=("benefit", block))
    whole = replace(told, service=block == "about_your_order")
    assert what_lacks(whole) is None
    lacking = without(whole, block)
    assert unfilled(lacking) == block
    kept = replace(lacking, preferences_url=lacking.preferences_url or "https://r.example/p/x")
    if CONTRACTS[block].needs == ("preferences_url",):
        with pytest.raises(Refused, match="not HTTPS"):
            render(CONTENT, lacking)
        return
    with pytest.raises(Refused, match=f"its block '{block}' needs {' or '.join(CONTRACTS[block].needs)}, which is not known"):
        render(CONTENT, kept)


def test_a_message_that_promises_nothing_is_refused_nothing() -> None:
    assert unfilled(Facts(stage="closing")) is None


def test_nothing_that_promotes_is_required_of_news_of_an_order() -> None:
    assert not {"about_your_order", "apology_for_the_event", "promised_day"} & PROMOTING


@pytest.mark.parametrize("stage", ["reconnect", "tailor", "reassure", "closing"])
@pytest.mark.parametrize("offered", [True, False])
def test_every_win_back_message_names_a_benefit_that_is_registered(stage: str, offered: bool) -> None:
    for form in message(ALL, "win-back", stage, offered):
        assert "Your sizes are on file." in form
    for form in message(replace(ALL, benefit=""), "win-back", stage, offered):
        assert "Something nice" in form or re.search("reply to this e-mail", form, re.IGNORECASE), form
