"""Answers that several pages give.

Knows nothing of what was asked.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from babel.dates import format_date
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

from rekindle.service.config.web import store_in_use
from rekindle.service.public.words import language_of, words


class Shop(NamedTuple):
    """What every page says of the shop.

    Args:
        name: The shop's.
        url: Its first page.
        logo: The address of its picture; empty where it has none.
        postal_address: Whom a customer may write to.
        root: The path below which our pages are.
    """

    name: str
    url: str
    logo: str
    postal_address: str
    root: str


def shop_in_use() -> Shop:
    """The shop whose pages these are."""
    store = store_in_use()
    return Shop(store.name, store.brand.url, store.brand.logo, store.sender.postal_address, store.public_path)


def page(request: HttpRequest, template: str, said: Mapping[str, object], status: int = 200, locale: str = "") -> HttpResponse:
    """A page in the shop's colours and the customer's language.

    Args:
        request: What is answered.
        template: Its name below `public/`.
        said: What it is filled with, besides the words.
        status: HTTP's.
        locale: The customer's; the store's where not given.
    """
    language = language_of(locale, store_in_use().locale)
    return in_language(rendered(template, said, language, shop_in_use()), language, status)


def rendered(template: str, said: Mapping[str, object], language: str, shop: Shop) -> str:
    """A page's HTML; nothing of a request or an operator gets into it."""
    known = {"shop": shop, "root": shop.root, "language": language, "words": words(language)}
    return get_template(f"public/{template}").render({**known, **said})


def in_language(html: str | bytes, language: str, status: int = 200) -> HttpResponse:
    """A page, and which language it speaks."""
    return HttpResponse(html, status=status, charset="utf-8", headers={"Content-Language": language})


def filled(locale: str, key: str, **values: str) -> str:
    """A text of the customer's language with something filled in."""
    return words(language_of(locale, store_in_use().locale))[key].format(**values)


def day_in(locale: str, day: date) -> str:
    """A day as the customer's language writes it."""
    return format_date(day, "long", locale=language_of(locale, store_in_use().locale))


def month_in(locale: str, day: date) -> str:
    """A day's month and year as the customer's language writes them."""
    return format_date(day, "MMMM y", locale=language_of(locale, store_in_use().locale))


def not_ours(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """One answer to every link that is not one of ours, damaged, or somebody else's."""
    return page(request, "not_ours.html", {}, status=404)
