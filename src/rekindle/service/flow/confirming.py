"""Double opt-in: a yes to marketing by e-mail counts once whoever reads the address has confirmed it by a link in a mail.

Knows nothing of pages. The mail carries no advertising, is about what was asked for, and comes once however often it is asked for.
"""

import json
from datetime import timedelta
from html import escape

from rekindle.deliver.links import Claim, sign
from rekindle.deliver.palette import palette
from rekindle.deliver.quoted_printable import encoded
from rekindle.deliver.templates import Rendered
from rekindle.service.config import load_ring
from rekindle.service.flow.wordings import OPT_IN, wording, wordings
from rekindle.service.outbox.actions import post
from rekindle.service.outbox.models import Touch
from rekindle.service.people.actions import ask_to_confirm
from rekindle.service.people.models import LASTING, OptIn, Person
from rekindle.service.public.words import language_of, words
from rekindle.service.wishes.actions import Said
from rekindle.settings import Settings

PROGRAM = "opt-in"
"""What such a touch has for a program; no document has this name."""

CONFIRM = "confirm"
"""The purpose of the keys that links to confirm are made with."""

_PAGE = (
    '<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title></head>\n"
    '<body style="margin:0;padding:24px 12px;background:#f5f3ee;color:#1c1b19;font-family:sans-serif;font-size:17px;line-height:1.5">\n'
    '<main style="display:block;max-width:552px;margin:0 auto;padding:24px;background:#ffffff;border-top:4px solid {color}">\n'
    '<h1 style="margin:0 0 12px;font-size:24px;line-height:1.25">{title}</h1>\n<p>{first}</p>\n<p>{middle}</p>\n'
    '<p style="margin:24px 0"><a href="{url}" style="display:inline-block;padding:12px 28px;background:{color};color:{ink};'
    'font-weight:bold;text-decoration:none;border-radius:9px">{button}</a></p>\n<p>{last}</p>\n</main>\n'
    '<footer style="max-width:552px;margin:0 auto;padding:12px 24px;color:#5f5c55;font-size:14px">{name}<br>{end}</footer>\n'
    "</body></html>\n"
)
"""A mail carries its styles within itself."""


def request_opt_in(settings: Settings, customer_id: str, said: Said) -> bool:
    """Asks a customer by mail to confirm that they want marketing by e-mail; whether there is an address to ask.

    Args:
        settings: The store's.
        customer_id: Who is said to want it.
        said: How it was said; the mail says the wording that it names where one is written down, else the shipped one.
    """
    known = said.wording if said.wording in wordings(settings.root) else OPT_IN
    asked = ask_to_confirm(customer_id, "email", said.at, said.source, known)
    if asked is None:
        return False
    language = language_of(Person.objects.get(pk=customer_id).locale, settings.locale)
    post(
        {
            "customer_id": customer_id, "program": PROGRAM, "version": "1", "episode": asked.number, "stage": CONFIRM, "arm": CONFIRM,
            "offer": "", "channel": asked.channel, "send_at": said.at, "valid_until": (asked.asked_at + LASTING - timedelta(days=1)).date(),
            "code": "", "facts": json.dumps({"why": words(language)["opt_in_text"], "service": True}), "service": True,
        },
        said.at,
    )
    return True


def confirm_url(settings: Settings, number: str) -> str:
    """Where a request is confirmed."""
    token = sign(load_ring(settings.var, CONFIRM), Claim(number, "email-opt-in"))
    return f"{settings.public_url.rstrip('/')}/confirm/{token}"


def rendered(settings: Settings, touch: Touch, person: Person) -> Rendered:
    """The mail that asks, in the customer's language."""
    language = language_of(person.locale, settings.locale)
    said = {key: text.replace("{shop}", settings.name) for key, text in words(language).items() if key.startswith("opt_in_")}
    version = OptIn.objects.values_list("wording_version", flat=True).get(pk=touch.episode)
    agreed = wording(settings.root, version, settings.name, person.locale, settings.locale)
    url, end = confirm_url(settings, touch.episode), settings.sender.postal_address
    parts = (said["opt_in_text"], agreed, said["opt_in_ignore"])
    text = "\n\n".join([*parts[:2], f"{said['opt_in_button']}: {url}", parts[2], f"{settings.name}\n{end}"])
    shown = {name: escape(one) for name, one in zip(("first", "middle", "last"), parts, strict=True)}
    look = {"color": settings.brand.color, "ink": palette(settings.brand.color)["brand_ink"], "language": language}
    own = {"title": escape(said["opt_in_subject"]), "button": escape(said["opt_in_button"]), "url": escape(url)}
    page = _PAGE.format(**shown, **look, **own, name=escape(settings.name), end=escape(end))
    return Rendered(said["opt_in_subject"], said["opt_in_text"], f"{text}\n", encoded(page))
