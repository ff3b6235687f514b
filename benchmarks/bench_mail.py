"""How fast messages are written, beside Django with the same content, and signed, beside the bare key: `python benchmarks/bench_mail.py`.

Knows nothing of sending. All runs in turns in one process on one core, and counts processor time; a rate is the middle of the turns'.
Django is given the finished texts and only builds; the second ratio adds what Liquid takes to fill the same templates in for it.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from rekindle.deliver.dkim import read_key
from rekindle.deliver.facts import Facts
from rekindle.deliver.message import Envelope, mail, message_id, token_of
from rekindle.deliver.spoken import spoken
from rekindle.deliver.templates import Rendered, TemplateSet, prepared, render
from rekindle.service.flow.content import shipped_content

TURNS, OWN, DJANGO, SIGNED = 40, 200, 16, 24
"""Turns, and messages of one; turns are short, so that what else the machine does slows all of a turn alike."""

RATIO, SHARE = 10.0, 0.70
"""How many times as fast as Django at least; and how much of what the key alone leaves over, signed."""

DAY = date(2026, 11, 24)
SHOP = Facts(
    stage="", shop_name="Marigold", shop_url="https://marigold.example", postal_address="12 Garden Row, Bristol", locale="en_GB",
    unsubscribe_url="https://r.example/u/x", preferences_url="https://r.example/p/x", reply_to="hello@marigold.example",
    returns_policy="30 days, with a label in the parcel.", guarantee="Two years on everything.",
)  # fmt: skip
OFFER = {"offer_kind": "percent", "offer_label": "10 % off", "offer_terms": "One order.", "valid_until": DAY + timedelta(14)}
STAGES = (("win-back", "reconnect"), ("win-back", "tailor"), ("thank-you", "thanks"), ("order-confirmation", "confirmed"))
NAMES = ("Ada", "Zoë", "Jean-Luc", "Mária", "李雷", "O'Neil", "Björk", "Anne & Co")


@dataclass(frozen=True, slots=True)
class Case:
    """One message to one customer."""

    facts: Facts
    envelope: Envelope


def cases(turn: int) -> Iterator[Case]:
    """A turn's messages, of four stages, to customers of whom no two are alike."""
    for number in range(turn * OWN, (turn + 1) * OWN):
        program, stage = STAGES[number % len(STAGES)]
        service, offer = program == "order-confirmation", OFFER | {"code": f"7K2MQW{number:05}"} if stage == "tailor" else {}
        facts = replace(
            SHOP, program=program, stage=stage, service=service, first_name=NAMES[number % len(NAMES)], orders=1 + number % 9,
            first_day=DAY - timedelta(400 + number % 300), last_day=DAY - timedelta(number % 200), last_product=f"LANTERN NO. {number}",
            category="Lighting", order_number=f"M{number}", products=(f"Brass lantern {number}", "Vase"), more_products=number % 3,
            ordered_day=DAY - timedelta(number % 5), promised_day=DAY + timedelta(number % 4),
            unsubscribe_url=f"https://r.example/u/{number:040}", preferences_url=f"https://r.example/p/{number:040}", **offer,
        )  # fmt: skip
        envelope = Envelope(
            "Marigold", "hello@marigold.example", "", f"customer{number}@people.example", "care@marigold.example",
            message_id(token_of(f"{program}:{number}"), "hello@marigold.example"), None if service else facts.unsubscribe_url,
            datetime(2026, 11, 24, 9, tzinfo=UTC),
        )  # fmt: skip
        yield Case(facts, envelope)


def by_django(envelope: Envelope, said: Rendered, html: str) -> bytes:
    """The same message, built by Django."""
    stop = {"List-Unsubscribe": f"<{envelope.unsubscribe_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    headers = {"Message-ID": f"<{envelope.message_id}>", **(stop if envelope.unsubscribe_url else {})}
    message = EmailMultiAlternatives(
        said.subject, said.text, f"{envelope.from_name} <{envelope.from_address}>", [envelope.to_address], reply_to=[envelope.reply_to],
        headers=headers,
    )  # fmt: skip
    message.attach_alternative(html, "text/html")
    return message.message().as_bytes(linesep="\r\n")


def by_liquid(content: TemplateSet, facts: Facts) -> tuple[str, str]:
    """Both forms, filled in by Liquid as it is."""
    said = spoken(facts) | {"subject": "", "preheader": ""}
    text, page = prepared(content, f"{facts.program}/{facts.stage}", facts.brand_color)
    return text.template.render(**said), page.template.render(**said)


def rate(do: Callable[[Case], object], over: list[Case]) -> float:
    """How many a second, by processor time."""
    before = time.process_time()
    for case in over:
        do(case)
    return len(over) / (time.process_time() - before)


def measured() -> dict[str, float]:
    """Messages a second, and how the ways compare, each the middle of many short turns."""
    settings.configure()
    content = shipped_content()
    rsa_key = rsa.generate_private_key(65_537, 2_048)
    pem = rsa_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key = read_key("mail", "marigold.example", pem.decode())
    finished: dict[str, tuple[Rendered, str]] = {}
    ways: dict[str, tuple[Callable[[Case], object], int]] = {
        "own": (lambda case: mail(content, case.facts, case.envelope), OWN),
        "django": (lambda case: by_django(case.envelope, *finished[case.envelope.message_id]), DJANGO),
        "liquid": (lambda case: by_liquid(content, case.facts), DJANGO),
        "signed": (lambda case: mail(content, case.facts, case.envelope, key), SIGNED),
        "bare": (lambda _: rsa_key.sign(b"x" * 1_000, padding.PKCS1v15(), hashes.SHA256()), SIGNED),
    }
    turns = []
    for turn in range(TURNS):
        given = list(cases(turn))
        finished = {case.envelope.message_id: (said := render(content, case.facts), said.html) for case in given[:DJANGO]}
        turns.append({name: rate(do, given[:count]) for name, (do, count) in ways.items()})
    return {name: statistics.median(turn[name] for turn in turns) for name in ways} | {
        "ratio": statistics.median(turn["own"] / turn["django"] for turn in turns),
        "ratio_with_filling": statistics.median(turn["own"] * (1 / turn["django"] + 1 / turn["liquid"]) for turn in turns),
        "share": statistics.median(turn["signed"] * (1 / turn["own"] + 1 / turn["bare"]) for turn in turns),
    }


if __name__ == "__main__":
    found = measured()
    print(json.dumps({name: round(value, 3) for name, value in found.items()} | {"least": RATIO, "least_share": SHARE}))
    if found["ratio"] < RATIO or found["share"] < SHARE:
        sys.exit(f"{found['ratio']:.1f} times Django's rate (at least {RATIO:g}), {found['share']:.0%} of the key's (at least {SHARE:.0%})")
