"""What a message says: templates compiled once per version, and filled in from facts.

Knows nothing of files and recipients. MJML becomes HTML before any fact is known, so that no fact can become markup or code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import mrml
from liquid import BoundTemplate, Environment, StrictUndefined
from liquid.exceptions import LiquidError

from rekindle.deliver.contracts import what_lacks
from rekindle.deliver.facts import Facts
from rekindle.deliver.spoken import spoken
from rekindle.deliver.words import one_line
from rekindle.errors import BadData, Refused

PLACEHOLDER_ADDRESS = "Your shop, 1 Example Street, 10000 Example City"
_INCLUDE = re.compile(r"<!-- include ([a-z_/-]+) -->\n?")
_SUBJECT_AT_MOST = 150


class _Sandbox(Environment):
    """Liquid without a way to other files, and with limits; loops are bounded, so time is."""

    context_depth_limit = 10
    loop_iteration_limit = 1_000
    local_namespace_limit = 10_000
    output_stream_limit = 200_000


_HTML = _Sandbox(autoescape=True, undefined=StrictUndefined)
_TEXT = _Sandbox(autoescape=False, undefined=StrictUndefined)


@dataclass(frozen=True, slots=True)
class TemplateSet:
    """A store's content.

    Args:
        texts: Path below the content folder to text.
    """

    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message for one person, before it has headers."""

    subject: str
    preheader: str
    html: str
    text: str


def render(templates: TemplateSet, facts: Facts) -> Rendered:
    """Fills a stage's templates in.

    Raises:
        Refused: The message lacks what the law or the offer asks for.
        BadData: The stage has no template, or it has a mistake.
    """
    if lacking := what_lacks(facts):
        raise Refused(f"the message was not rendered: {lacking[0]}", lacking[1])
    name = f"{facts.program}/{facts.stage}"
    said = spoken(facts)
    try:
        heads, _, body = _fill(_text(assembled(templates, f"{name}.txt", name)), said).partition("\n\n")
        lines = dict(line.split(": ", 1) for line in heads.splitlines() if ": " in line)
        subject, preheader = one_line(lines["Subject"])[:_SUBJECT_AT_MOST], one_line(lines["Preheader"])
        html = _fill(_html(assembled(templates, "layout.mjml", name)), said | {"subject": subject, "preheader": preheader})
    except KeyError as error:
        raise BadData(f"content/{name}.txt has no {error.args[0]} line", "Begin it with Subject: and Preheader: lines.") from error
    except LiquidError as error:
        raise BadData(f"content/{name}: {error}", "Mend the template; docs/content.md lists the facts.") from error
    return Rendered(subject, preheader, html, re.sub(r"\n{3,}", "\n\n", body).strip() + "\n")


def fill_text(templates: TemplateSet, path: str, stage: str, said: Mapping[str, object]) -> str:
    """A template of plain text, filled in.

    Args:
        templates: The store's content.
        path: Of the template, below the content folder.
        stage: As `program/stage`: what it includes as `stage`.
        said: The facts, spoken.

    Raises:
        BadData: There is no such template, or it has a mistake.
    """
    try:
        return _fill(_text(assembled(templates, path, stage)), said)
    except LiquidError as error:
        raise BadData(f"content/{path}: {error}", "Mend the template; docs/content.md lists the facts.") from error


def address_warning(postal_address: str) -> str | None:
    """What `check` says about the sender's postal address; None where it may be real."""
    if not postal_address.strip():
        return "sender.postal_address is empty: no marketing mail is rendered without it"
    return "sender.postal_address is still the example: write the real one" if postal_address == PLACEHOLDER_ADDRESS else None


def assembled(templates: TemplateSet, path: str, stage: str) -> str:
    """A template with what it includes: blocks by name, and the stage's own part as `stage`.

    Args:
        templates: The store's content.
        path: Of the template, below the content folder.
        stage: As `program/stage`.

    Raises:
        BadData: It is not there, or something that it includes is not.
    """
    text = templates.texts.get(path)
    if text is None:
        raise BadData(f"there is no content/{path}", "Write it, or copy the shipped one with: rekindle init")
    suffix = path.rpartition(".")[2]
    return _INCLUDE.sub(lambda found: assembled(templates, f"{stage if found[1] == 'stage' else found[1]}.{suffix}", stage), text)


@lru_cache(maxsize=64)
def _html(mjml: str) -> BoundTemplate:
    try:
        page = mrml.to_html(mjml, render_options=mrml.RenderOptions(fonts={})).content
    except Exception as error:  # mrml raises OSError for every mistake in a document, 2026-11
        raise BadData(f"content: the MJML cannot be read: {error}", "Mend the tag that it names.") from error
    return _parse(_HTML, page)


@lru_cache(maxsize=64)
def _text(source: str) -> BoundTemplate:
    return _parse(_TEXT, source)


def _parse(environment: Environment, source: str) -> BoundTemplate:
    return environment.from_string(source)


def _fill(template: BoundTemplate, said: Mapping[str, object]) -> str:
    return str(template.render(**said))
