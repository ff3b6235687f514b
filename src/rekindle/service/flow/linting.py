"""What is wrong with a store's texts: what the linter says of its content, with the facts and programs that this store has.

Knows nothing of rules. The programs and offers are read as they stand in the folder, with mistakes or without.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from rekindle.deliver.facts import CARD_KINDS, Facts
from rekindle.deliver.spoken import spoken
from rekindle.deliver.words import brief, while_it_lasts
from rekindle.errors import Refused
from rekindle.program.catalogue.shipped import shipped
from rekindle.program.lint import Asked, Linted, Place, examine
from rekindle.program.reading import OFFERS, PROGRAMS, RULES, Reading, Unreadable, Value, folder, read
from rekindle.service.flow import landing_words
from rekindle.service.flow.codes import LENGTH
from rekindle.service.flow.content import content_findings, load_content
from rekindle.service.flow.linking import example
from rekindle.settings import Settings

_MISHAPS = frozenset({"late_delivery"})
"""Moments that are mishaps: what such a program apologises for has happened."""

_LAST_DAY = date(2026, 9, 30)
"""A day whose name is as long as any."""

_ADDED = ("subject", "preheader")
"""What templates see besides the facts."""


def examined(settings: Settings, instead: Mapping[str, str] = MappingProxyType({})) -> Linted:
    """Everything that is wrong with a store's content, and its mails measured; SMS are looked at where the store sends them.

    Args:
        settings: The store's.
        instead: Documents by name with what stands in the place of the folder's, such as a version that is to be approved.

    Raises:
        BadData: A file is not UTF-8.
        StoreUnavailable: The folder cannot be read.
    """
    templates = load_content(settings.root)
    texts = {name: text for name, text in templates.texts.items() if settings.senders.sms or not name.endswith(".sms.txt")}
    found = examine(texts, asked(settings, instead))
    landings = landing_words.strangers(_written(settings.root / landing_words.FILE), dict(_stages(settings.root, instead)))
    return replace(found, findings=tuple(sorted({*content_findings(templates), *landings, *found.findings})))


def refuse_errors(settings: Settings, instead: Mapping[str, str] = MappingProxyType({})) -> None:
    """Keeps a store's content from approval, and its messages from leaving this machine, while it has an error.

    Args:
        settings: The store's.
        instead: As `examined` has it.

    Raises:
        Refused: Names the first one.
    """
    errors = [one for one in examined(settings, instead).findings if one.severity == "error"]
    if errors:
        count = "a mistake" if len(errors) == 1 else f"{len(errors)} mistakes"
        raise Refused(f"the content has {count}: {str(errors[0]).rstrip('.')}", "See all with: rekindle check")


def asked(settings: Settings, instead: Mapping[str, str] = MappingProxyType({})) -> Asked:
    """What a store's texts are held to.

    Args:
        settings: The store's.
        instead: As `examined` has it.
    """
    readings = dict(_readings(settings.root, instead))
    programs = [reading.value for name, reading in readings.items() if name != OFFERS]
    labels = tuple(_spoken(readings[OFFERS])) if OFFERS in readings else ()
    limited = _has_a_hard_budget(readings[RULES].value) if RULES in readings else False
    return Asked(
        settings.locale,
        _samples(settings, readings.get(OFFERS, Reading({})), limited),
        frozenset(filter(None, map(_host, (settings.brand.url, settings.public_url)))),
        frozenset(str(one.get("program")) for one in programs if one.get("class") == "service"),
        frozenset(str(one.get("program")) for one in programs if _is_about_a_mishap(one)),
        limited,
        (*labels, *(one for name, reading in readings.items() if name.startswith(PROGRAMS) for one in _subjects(name, reading)),
         *landing_words.texts(_written(settings.root / landing_words.FILE))),
    )


def _written(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _is_about_a_mishap(program: Mapping[str, Value]) -> bool:
    trigger = program.get("trigger")
    return isinstance(trigger, dict) and str(trigger.get("on")) in _MISHAPS


def _has_a_hard_budget(rules: Mapping[str, Value]) -> bool:
    others = rules.get("budgets")
    budgets = [rules.get("budget"), *(others if isinstance(others, list) else [])]
    return any(isinstance(one, dict) and one.get("hard") is True for one in budgets)


def _readings(root: Path, instead: Mapping[str, str]) -> Iterator[tuple[str, Reading]]:
    """The folder's offers and programs, and the programs that ship where it has none: their content ships with them."""
    held = {path: text.encode() for path, text in shipped("", "EUR", _LAST_DAY).items() if path.startswith(PROGRAMS)}
    changed = {name: text.encode() for name, text in instead.items()}
    for name, text in (held | folder(root)[0] | changed).items():
        try:
            yield name, read(text)
        except Unreadable:
            continue


def _stages(root: Path, instead: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each program with its stages."""
    for name, reading in _readings(root, instead):
        stages = reading.value.get("stages")
        if name.startswith(PROGRAMS):
            yield str(reading.value.get("program")), tuple(map(str, stages)) if isinstance(stages, dict) else ()


def _spoken(offers: Reading) -> Iterator[tuple[Place, str]]:
    """The labels of offers: messages print them, subjects begin with them."""
    for name, offer in _offers(offers):
        for key in ("label", "brief", "terms"):
            if isinstance(text := offer.get(key), str):
                yield Place(OFFERS, offers.line(("offers", name, key))), text


def _offers(offers: Reading) -> Iterator[tuple[str, Mapping[str, Value]]]:
    """Each offer by name."""
    held = offers.value.get("offers")
    return ((name, offer) for name, offer in (held.items() if isinstance(held, dict) else ()) if isinstance(offer, dict))


def _subjects(file: str, program: Reading) -> Iterator[tuple[Place, str]]:
    """The subjects that variants have of their own."""
    stages = program.value.get("stages")
    for stage, body in stages.items() if isinstance(stages, dict) else ():
        arms = body.get("arms") if isinstance(body, dict) else None
        for name, arm in arms.items() if isinstance(arms, dict) else ():
            if isinstance(arm, dict) and isinstance(subject := arm.get("subject"), str):
                yield Place(file, program.line(("stages", stage, "arms", name, "subject"))), subject


def _samples(settings: Settings, offers: Reading, limited: bool) -> dict[str, str]:
    """A text for each fact that a template may state: as long as this store's own are; what only a customer has is empty."""
    briefs = (offer.get("brief") or offer.get("label") for _, offer in _offers(offers) if offer.get("kind") in CARD_KINDS)
    facts = Facts(
        stage="", shop_name=settings.name, shop_url=example(settings), code="0" * LENGTH,
        offer_label=max((text for _, text in _spoken(offers)), key=len, default=""), offer_brief=max(map(str, briefs), key=len, default=""),
        valid_until=_LAST_DAY, postal_address=settings.sender.postal_address, locale=settings.locale,
        offer_limit=while_it_lasts(settings.locale) if limited else "",
    )  # fmt: skip
    said = {name: value if isinstance(value, str) else "" for name, value in spoken(facts).items()}
    return said | dict.fromkeys(_ADDED, "") | {"valid_until": str(brief(_LAST_DAY))}
