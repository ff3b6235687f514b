"""What a message says where there is little room: a title, a text and a link that state the same offer as the e-mail.

Knows nothing of how a channel writes it down, nor of recipients.
"""

import re
from dataclasses import dataclass

from rekindle.deliver.contracts import what_lacks
from rekindle.deliver.facts import Facts
from rekindle.deliver.spoken import spoken
from rekindle.deliver.templates import TemplateSet, fill_text
from rekindle.deliver.words import brief, one_line
from rekindle.errors import Refused
from rekindle.program.sms_segments import plain

SHORT = ("sms", "webpush", "inapp", "webhook")
"""Channels whose messages are short."""

_HEAD = re.compile(r"\A(?:Title: (?P<title>[^\n]*)\n\n)?(?P<text>.*)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Short:
    """A short message for one person.

    Args:
        title: One line; the subject of the e-mail where the template has none, empty for SMS.
        text: What it says, with the link for SMS alone.
        url: Where it leads.
    """

    title: str
    text: str
    url: str


def short(templates: TemplateSet, facts: Facts, channel: str) -> Short:
    """A stage's short message, from `<program>/<stage>.<channel>.txt` or what stands in for it.

    Args:
        templates: The store's content.
        facts: What may be stated, with the customer's own links.
        channel: One of `SHORT`.

    Raises:
        Refused: The message lacks what the law, the offer or its content asks for.
        BadData: There is no template for it, or it has a mistake.
    """
    if lacking := what_lacks(facts):
        raise Refused(f"the message was not rendered: {lacking[0]}", lacking[1])
    stage = f"{facts.program}/{facts.stage}"
    known = spoken(facts)
    heads = _heads(fill_text(templates, f"{stage}.txt", stage, known))
    if channel == "sms":
        known["valid_until"] = brief(facts.valid_until)
    filled = fill_text(templates, template(templates, stage, channel), stage, known | heads)
    found = _HEAD.match(filled.strip())
    title, text = (found["title"] or heads["subject"], found["text"]) if found else (heads["subject"], filled)
    said = one_line(text)
    return Short("", plain(said), facts.shop_url) if channel == "sms" else Short(str(title), said, facts.shop_url)


def template(templates: TemplateSet, stage: str, channel: str) -> str:
    """The path of the template of a short message: the channel's own, then what all channels but SMS share, then every stage's.

    Args:
        templates: The store's content.
        stage: As `program/stage`.
        channel: One of `SHORT`.
    """
    shared = () if channel == "sms" else (f"{stage}.short.txt",)
    paths = (f"{stage}.{channel}.txt", *shared, f"blocks/short.{channel}.txt")
    return next((path for path in paths if path in templates.texts), "blocks/short.txt")


def _heads(text: str) -> dict[str, object]:
    """The subject and the preheader of the e-mail."""
    lines = dict(line.split(": ", 1) for line in text.partition("\n\n")[0].splitlines() if ": " in line)
    return {"subject": one_line(lines.get("Subject", "")), "preheader": one_line(lines.get("Preheader", ""))}
