"""What a text message to the shop asks for, and what it is answered.

Knows nothing of who wrote it and of how answers travel.
"""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum


class Wish(StrEnum):
    """What somebody wants who writes back."""

    STOP = "stop"
    HELP = "help"
    START = "start"
    OTHER = "other"


_STOP = frozenset({"stop", "stopall", "end", "cancel", "unsubscribe", "quit", "revoke", "optout", "stopp", "abmelden"})
_HELP = frozenset({"help", "info", "hilfe"})
_START = frozenset({"start", "unstop"})
_AT_THE_HEAD = frozenset({"stop", "stopp", "stopall", "unsubscribe"})
_READ = 1_600  # characters: ten segments, more than a phone sends as one
_LONGEST_NAME = 30

_ANSWERS: Mapping[str, Mapping[Wish, str]] = {
    "en": {
        Wish.STOP: "{shop}: you are unsubscribed and will get no more texts with offers from us. Reply HELP for help.",
        Wish.HELP: "{shop}: we text you about your orders and, if you agreed, offers. Help: {contact}. Reply STOP to end offers.",
        Wish.START: "{shop}: to get our texts again, please agree in your account at {url}. Help: {contact}.",
    },
    "de": {
        Wish.STOP: "{shop}: Sie sind abgemeldet und bekommen keine Angebote per SMS mehr von uns. Hilfe: HELP senden.",
        Wish.HELP: "{shop}: SMS zu Ihren Bestellungen und, wenn Sie zugestimmt haben, Angeboten. Hilfe: {contact}. Abmelden: STOP senden.",
        Wish.START: "{shop}: Um wieder SMS zu bekommen, stimmen Sie bitte in Ihrem Konto zu: {url}. Hilfe: {contact}.",
    },
}


def wish(text: str) -> Wish:
    """What a message asks for: a keyword alone, in any case and with any punctuation, or one of STOP's at its head.

    >>> wish("Stop!!"), wish("S.T.O.P."), wish("please don't stop"), wish("STOP texting me"), wish("info")
    (<Wish.STOP: 'stop'>, <Wish.STOP: 'stop'>, <Wish.OTHER: 'other'>, <Wish.STOP: 'stop'>, <Wish.HELP: 'help'>)

    Source: CTIA Messaging Principles and Best Practices (2023), 5.1.3; 47 CFR 64.1200(a)(10) for revoke and opt out.
    """
    plain = unicodedata.normalize("NFKC", text[:_READ]).casefold()
    words = re.findall(r"[^\W_]+", plain)
    whole = "".join(words)
    if whole in _STOP or (words and words[0] in _AT_THE_HEAD):
        return Wish.STOP
    return Wish.HELP if whole in _HELP else Wish.START if whole in _START else Wish.OTHER


def answer(asked: Wish, locale: str, shop: str, contact: str, url: str) -> str:
    """What a wish is answered, in the store's language where there is one; empty where nothing is.

    Args:
        asked: The wish.
        locale: Such as en or de_AT.
        shop: Its name.
        contact: Its e-mail address.
        url: Its address.
    """
    texts = _ANSWERS.get(re.split("[-_]", locale)[0].lower(), _ANSWERS["en"])
    return texts[asked].format(shop=shop[:_LONGEST_NAME], contact=contact, url=url) if asked in texts else ""
