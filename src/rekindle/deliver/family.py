"""Whether all forms of a message state the same: one offer, one end, and no claim that the e-mail does not make.

Knows nothing of recipients: it reads templates, not messages.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rekindle.deliver.claims import REGISTERED
from rekindle.deliver.templates import TemplateSet, assembled
from rekindle.deliver.variants import SHORT, template

OFFER = frozenset({"offer_label", "offer_value", "offer_scope", "offer_minimum", "code", "valid_until", "credit_left"})
"""What an offer is: every form states all that the e-mail states of it."""

_SAME = {"offer_brief": frozenset({"offer_label", "offer_value"})}
"""Names of facts that state others."""

_WHOLE = "State the whole offer, as blocks/short_offer and blocks/sms_offer do."
_PRINTED = re.compile(r"\{\{-?\s*([a-z_]+)")


@dataclass(frozen=True, slots=True)
class Stray:
    """A template that states something else than the e-mail of its stage.

    Args:
        path: Below the content folder.
        why: What it states or does not.
        remedy: What to do about it.
    """

    path: str
    why: str
    remedy: str


def family(templates: TemplateSet, program: str, stage: str) -> Mapping[str, frozenset[str]]:
    """The facts of the offer and the shop's claims that each form of a message can state.

    Args:
        templates: The store's content.
        program: Its folder.
        stage: A stage that has an e-mail.

    Returns:
        By form: `text` and `html` of the e-mail, and each channel of `variants.SHORT`.
    """
    name = f"{program}/{stage}"
    text = assembled(templates, f"{name}.txt", name)
    heads = {word: _printed(line) for word, line in re.findall(r"^(Subject|Preheader): (.*)$", text, re.MULTILINE)}
    forms = {"text": _printed(text), "html": _printed(assembled(templates, "layout.mjml", name))}
    for channel in SHORT:
        stated = _printed(assembled(templates, template(templates, name, channel), name))
        titled = {"subject"} if channel != "sms" else set()
        taken = [heads.get(word.capitalize(), frozenset()) for word in ("subject", "preheader") if word in stated | titled]
        forms[channel] = stated.union(*taken)
    return {form: names & (OFFER | frozenset(REGISTERED)) for form, names in forms.items()}


def strays(templates: TemplateSet) -> Iterator[Stray]:
    """Templates that state another offer or another claim than their e-mail."""
    texts = templates.texts
    stages = sorted(path[:-5] for path in texts if path.endswith(".mjml") and path.count("/") == 1 and not path.startswith("blocks/"))
    for name in (stage for stage in stages if f"{stage}.txt" in texts):
        forms = family(templates, *name.split("/"))
        offered, claimed = forms["text"] & OFFER, (forms["text"] | forms["html"]) - OFFER
        for form, stated in forms.items():
            path = f"{name}.mjml" if form == "html" else template(templates, name, form) if form in SHORT else f"{name}.txt"
            own = path.startswith(name)
            if lacking := offered - stated:
                yield Stray(path, f"the {form} of {name} lacks the offer's {_named(lacking)}", _WHOLE)
            if own and (strange := (stated & OFFER) - offered):
                yield Stray(path, f"the {form} of {name} offers {_named(strange)}, and the e-mail does not", "Offer the same in all forms.")
            if strange := stated - OFFER - claimed:
                yield Stray(path, f"the {form} of {name} claims {_named(strange)}, and the e-mail does not", "Claim the same in all forms.")


def _printed(source: str) -> frozenset[str]:
    names = frozenset(_PRINTED.findall(source))
    return names.union(*(_SAME.get(name, ()) for name in names))


def _named(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
