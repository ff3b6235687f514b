"""Which rules the texts of a shop are held to, how grave each is, and what to do about a breach.

Knows nothing of how a breach is found.
"""

from dataclasses import dataclass

from rekindle.program.lint.passages import Place
from rekindle.program.validating import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule.

    Args:
        severity: An error keeps the content from approval.
        says: What it is against.
        remedy: What to do about a breach.
        firm: True where no exception is heard: the message could not be rendered, or the law asks for it.
    """

    severity: Severity
    says: str
    remedy: str
    firm: bool = False


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule broken at a place, with what is wrong there."""

    rule: str
    place: Place
    message: str


RULES: dict[str, Rule] = {
    "guilt": Rule("error", "makes the reader feel guilty", "Say what the reader gains; leaving is their right."),
    "pressure": Rule("error", "presses the reader", "Say what is offered and until when, and leave the choice."),
    "scarcity": Rule("error", "makes things look scarce", "Leave it out; no fact of stock stands behind it."),
    "budget-unbound": Rule("error", "says that a budget may run out, and none does", "Leave it out, or write hard: true in rules.yaml."),
    "countdown": Rule("error", "counts down", "State the last day instead: {{ valid_until }}."),
    "deadline-unbound": Rule("error", "states a deadline that no offer has", "Take the day from the offer: {{ valid_until }}."),
    "shaming": Rule("error", "shames who says no", "Let the way out say plainly what it does."),
    "invasive": Rule("error", "shows how closely the reader was watched", "Speak of orders and of what the customer told you."),
    "sensitive": Rule("error", "speaks of what is private: health, faith, money, age, family", "Leave it out; a shop does not infer it."),
    "claim-unbound": Rule("error", "claims what is not registered", "Register it in facts.yaml with its evidence, and print that fact."),
    "number-unbound": Rule("error", "states a number that no fact bears", "Print a fact, or register the claim in facts.yaml."),
    "apology-unbound": Rule("error", "apologises for what may not have happened", "Put it under a condition on cause or was_late."),
    "generic": Rule("warning", "could be any shop's", "Say what is true of this customer or this shop."),
    "generic-share": Rule("error", "is mostly what any shop says", "Cut those sentences, or fill them with facts."),
    "shouting": Rule("warning", "shouts", "Write it in small letters, with one sign at most."),
    "reading-grade": Rule("error", "is hard to read", "Write shorter sentences and shorter words."),
    "subject-long": Rule("warning", "does not fit a phone's list of mail", "Keep the subject within 70 characters."),
    "preheader-long": Rule("warning", "does not fit beside the subject", "Keep the preheader within 110 characters."),
    "body-long": Rule("error", "is too long to be read", "Keep the text within 250 words."),
    "head-missing": Rule("error", "lacks a line at its head", "Begin with Subject: and Preheader: lines, then an empty one.", firm=True),
    "text-missing": Rule("error", "has no text part", "Write the .txt beside the .mjml.", firm=True),
    "action-several": Rule("error", "asks for several things", "Keep one button or link; the ways to pause and stop do not count."),
    "alt-missing": Rule("error", "has a picture without a text", 'Add alt="..."; empty where it only decorates.'),
    "link-shortener": Rule("error", "hides where a link leads", "Link to {{ shop_url }}; SMS links are short by themselves."),
    "link-insecure": Rule("error", "links without HTTPS", "Write https://."),
    "link-foreign": Rule("warning", "leaves the shop's own pages", "Link to {{ shop_url }}, or say why in an exception."),
    "fact-unknown": Rule("error", "asks for a fact that does not exist", "docs/content.md lists the facts.", firm=True),
    "template-broken": Rule("error", "is no whole template", "Close what is open; docs/content.md shows how.", firm=True),
    "brand-name": Rule("error", "writes the shop's name differently", "Write it as brand.yaml does, or print {{ shop_name }}."),
    "brand-never": Rule("error", "has a word that the brand never uses", "Take the word out."),
    "brand-rather": Rule("warning", "has a word that the brand says differently", "Write the word that brand.yaml names."),
    "brand-address": Rule("error", "addresses the reader in the other way", "Keep to the address of brand.yaml."),
    "brand-unusable": Rule("error", "cannot be used", "docs/lint.md says what may stand in brand.yaml.", firm=True),
    "sms-long": Rule("warning", "takes more than one SMS", "Shorten it; each segment is paid."),
    "sms-encoding": Rule("warning", "has a character that halves an SMS", "Write one that GSM-7 has."),
    "sms-stop": Rule("error", "does not say how to stop", "Add: Reply STOP to stop.", firm=True),
    "exception-bad": Rule("error", "is an exception that cannot be heard", 'Write: lint: allow RULE because "REASON".', firm=True),
    "exception-unused": Rule("warning", "is an exception to nothing", "Take it out.", firm=True),
    "language-unknown": Rule(
        "warning", "is in a language without a lexicon", "Read it yourself; docs/lint.md says how to add one.", firm=True
    ),
}
"""Rules by id; docs/lint.md has an example of each."""
