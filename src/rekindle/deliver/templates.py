"""What a message says: templates compiled once per version, and filled in from facts.

Knows nothing of files and recipients. MJML becomes HTML before any fact is known, so that no fact can become markup or code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

from liquid.exceptions import LiquidError

from rekindle.deliver.contracts import what_lacks
from rekindle.deliver.facts import Facts
from rekindle.deliver.mjml import page_of
from rekindle.deliver.palette import palette
from rekindle.deliver.quoted_printable import decoded, encoded
from rekindle.deliver.sandbox import parse
from rekindle.deliver.skeleton import Skeleton, fill, prepare
from rekindle.deliver.spoken import spoken
from rekindle.deliver.words import one_line
from rekindle.errors import BadData, Refused

PLACEHOLDER_ADDRESS = "Your shop, 1 Example Street, 10000 Example City"
_INCLUDE = re.compile(r"<!-- include ([a-z_/-]+) -->\n?")
_SHADE = re.compile(r"\{\{ (brand_(?:color|ink|text|tint|line|light|deep)) \}\}")
_GAP = "\n\n\n"
_SUBJECT_AT_MOST = 150
_KEPT = 128
"""Templates that are kept ready: each stage of each version of a store's content that is in use."""

_PREPARING = Lock()


@dataclass(frozen=True, slots=True, eq=False)
class TemplateSet:
    """A store's content, one version of it: another set is another version, whatever it holds.

    Args:
        texts: Path below the content folder to text.
    """

    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message for one person, before it has headers.

    Args:
        subject: One line.
        preheader: What a mailbox shows after the subject, one line.
        text: The form for reading as plain text.
        encoded: The HTML form, as quoted-printable.
    """

    subject: str
    preheader: str
    text: str
    encoded: bytes

    @property
    def html(self) -> str:
        """The HTML form as a reader's program sees it."""
        return decoded(self.encoded)


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
        text, page = prepared(templates, name, facts.brand_color)
        heads, _, body = "".join(fill(text, said)).partition("\n\n")
        lines = dict([line.split(": ", 1) for line in heads.split("\n") if ": " in line])
        subject = facts.subject_line or one_line(lines["Subject"])[:_SUBJECT_AT_MOST]
        preheader = one_line(lines["Preheader"])
        said |= {"subject": subject, "preheader": preheader}
        html = b"".join(fill(page, said))
    except KeyError as error:
        raise BadData(f"content/{name}.txt has no {error.args[0]} line", "Begin it with Subject: and Preheader: lines.") from error
    except LiquidError as error:
        raise BadData(f"content/{name}: {error}", "Mend the template; docs/content.md lists the facts.") from error
    while _GAP in body:
        body = body.replace(_GAP, "\n\n")
    return Rendered(subject, preheader, f"{body.strip()}\n", html)


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
        return "".join(fill(_text(assembled(templates, path, stage)), said))
    except LiquidError as error:
        raise BadData(f"content/{path}: {error}", "Mend the template; docs/content.md lists the facts.") from error


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


def prepared(templates: TemplateSet, stage: str, color: str) -> tuple[Skeleton[str], Skeleton[bytes]]:
    """A stage's text and page, ready to be filled in.

    Args:
        templates: The store's content.
        stage: As `program/stage`.
        color: The brand's, `#rrggbb`; its shades are no fact of a customer's and are written into the page at once.

    Raises:
        BadData: There is no such template, or its MJML cannot be read.
        LiquidError: Its Liquid cannot.
    """
    with _PREPARING:  # else each thread that needs it would prepare the same
        return _prepared(templates, stage, color)


@lru_cache(_KEPT)
def _prepared(templates: TemplateSet, stage: str, color: str) -> tuple[Skeleton[str], Skeleton[bytes]]:
    shades = {"brand_color": color, **palette(color)}
    mjml = _SHADE.sub(lambda found: shades[found[1]], assembled(templates, "layout.mjml", stage))
    return _text(assembled(templates, f"{stage}.txt", stage)), _page(mjml, f"content/{stage}.mjml in layout.mjml")


@lru_cache(_KEPT)
def _page(mjml: str, name: str) -> Skeleton[bytes]:
    return prepare(parse(page_of(mjml, name), escaping=True), encoded)


@lru_cache(_KEPT)
def _text(source: str) -> Skeleton[str]:
    return prepare(parse(source, escaping=False), str)
