"""Facts and envelopes as nobody would wish them: what breaks lines, hides, disguises, is very long, or looks like something else."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from rekindle.deliver.facts import CARD_KINDS, Facts
from rekindle.deliver.links import Claim, Ring, sign
from rekindle.deliver.message import Envelope, message_id, token_of
from rekindle.service.flow.content import shipped_content

STAGES = sorted(name[:-5] for name in shipped_content().texts if name.endswith(".mjml") and not name.startswith(("blocks/", "layout")))
RING = Ring("unsubscribe", "a", {"a": b"key"})
FRAGMENTS = (
    "Ada", "Zoë", "李雷", "😀", "\U00020000", "e\u0301", "ﬁ", "\r\nBcc: all@evil.example", "\n\n<p>", "\r", "\x00", "\x1b[31m", "\x7f",
    "\u202e drawkcab", "\u200f", "\u2066x\u2069", "\u200b", "\ufeff", "\u2028", "\u2029", "\xa0", "\x85", "\ud800", "\ue000",
    "=?utf-8?q?Eve?=", "=?utf-8?b?RXZl?=", "=_form", "?=", "=3D", "=\r\n", "--=_form--", "\r\n--=_form\r\n",
    ".", "\n.\r\n", "From ", "\nFrom x", " ", "\t", '"', "\\",
    "<", ">", "&", "'", "<!--", "]]>", "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "{% raise %}",
    "a@b.example", "http://evil.example", "%0d%0aBcc:x", "&#13;&#10;", "x" * 200, "ü" * 120, "😀" * 60, "word " * 80, ",", ";",
    ":", "(comment)",
)  # fmt: skip
TEXTS = (
    "last_product", "category", "order_number", "product", "favourite", "offer_label", "offer_brief", "offer_terms", "offer_scope",
    "offer_minimum", "why", "credit_left", "fix", "whats_new", "guarantee", "returns_policy", "care", "support",
    "late_remedy", "social_proof", "shop_name",
)  # fmt: skip
KINDS = ("none", "reminder", "education", *sorted(CARD_KINDS))


@dataclass(frozen=True, slots=True)
class Case:
    """One message to a customer."""

    facts: Facts
    envelope: Envelope


def text(chance: np.random.Generator) -> str:
    """One to four fragments."""
    return "".join(chance.choice(np.array(FRAGMENTS, dtype=object), size=chance.integers(1, 5)))


def name(chance: np.random.Generator) -> str:
    """What a header may hold, one in ten apart."""
    held = text(chance)
    return held if chance.random() < 0.1 else re.sub(r"[\r\n\x00]", "", held)


def day(chance: np.random.Generator) -> date | None:
    return date(2026, 11, 1) + timedelta(int(chance.integers(0, 60))) if chance.random() < 0.7 else None


def cases(count: int, seed: int) -> Iterator[Case]:
    """Messages of every shipped stage; half the names and texts are hostile, some are not there."""
    chance = np.random.default_rng(seed)
    for number in range(count):
        program, stage = STAGES[number % len(STAGES)].split("/")
        service = program in ("order-confirmation", "delivery-late", "delivery-arrived")
        kind = "none" if service else str(chance.choice(KINDS))
        url = "https://r.example/u/" + sign(RING, Claim(f"customer{number}", "email-marketing"))
        held = {name: text(chance) for name in TEXTS if chance.random() < 0.6}
        facts = Facts(
            stage=stage, program=program, service=service, offer_kind=kind, code="" if service else "7K2MQW9XTB",
            valid_until=date(2026, 12, 5), postal_address="12 Garden Row", unsubscribe_url=url, preferences_url="https://r.example/p/x", shop_url="https://shop.example",
            reply_to="care@shop.example", first_name=text(chance) if chance.random() < 0.8 else None, orders=int(chance.integers(0, 9)),
            products=tuple(text(chance) for _ in range(chance.integers(0, 4))), more_products=int(chance.integers(0, 3)),
            moment=str(chance.choice(["lapse", "order", "birthday", "run_out"])), days_ahead=int(chance.integers(0, 20)),
        )  # fmt: skip
        days = {name: day(chance) for name in ("first_day", "last_day", "ordered_day", "promised_day", "delivered_day", "day")}
        sender = "hello@shop.example"
        envelope = Envelope(
            name(chance), sender, name(chance) if chance.random() < 0.5 else "", f"customer{number}@people.example", "care@shop.example",
            message_id(token_of(f"{program}:{number}:{stage}"), sender), None if service else url, datetime(2026, 11, 24, 9, tzinfo=UTC),
        )  # fmt: skip
        yield Case(replace(facts, **held, **days), envelope)
