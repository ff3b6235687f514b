"""A branch may ask for another way than the last message took; it is taken where the store has one and the customer agreed to it."""

from dataclasses import replace

from rekindle.decide.policy import Policy
from tests.decide.shop import CLOSING, RECONNECT, SHOP, TAILOR, Decider, certainly, customer, program

SURE = Policy("sure", certainly("reconnect:plain:lesson:light", "tailor:percent:credit", "closing:last_word"))
ELSEWHERE = program(
    stages={
        "reconnect": {**RECONNECT, "branches": {"ignored": {"to": "tailor", "after": "10d", "change": "channel"}}}, "tailor": TAILOR,
        "closing": CLOSING,
    }
)


def channels(decider: Decider, shop_channels: tuple[str, ...]) -> dict[str, list[str]]:
    """By which channels each customer is told first, and eleven days later."""
    shop = replace(SHOP, channels=shop_channels)
    chosen = replace(decider.with_documents(ELSEWHERE), shop=shop, policy=SURE)
    people = [customer("both", sms_consent=True), customer("mail"), customer("text", email_consent=False, sms_consent=True)]
    told = []
    for day in (0, 11):
        rows = chosen.decide(day, people)
        chosen.settle(rows, "sent", day + 0.5)
        told.append(rows)
    return {name: [rows[name]["channel"] for rows in told if name in rows and rows[name]["arm"]] for name in ("both", "mail", "text")}


def test_who_ignored_a_mail_is_told_by_text_where_they_agreed_to_it(decider: Decider) -> None:
    assert channels(decider, ("email", "sms")) == {"both": ["email", "sms"], "mail": ["email", "email"], "text": ["sms", "sms"]}


def test_a_store_without_another_channel_uses_the_one_it_has(decider: Decider) -> None:
    assert channels(decider, ("email",)) == {"both": ["email", "email"], "mail": ["email", "email"], "text": []}
