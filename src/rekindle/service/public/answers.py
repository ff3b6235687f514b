"""Answers that several pages give.

Knows nothing of what was asked.
"""

from collections.abc import Mapping
from datetime import date

from babel.dates import format_date
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rekindle.service.config.web import store_in_use
from rekindle.service.public.words import language_of, words


def page(request: HttpRequest, template: str, said: Mapping[str, object], status: int = 200, locale: str = "") -> HttpResponse:
    """A page in the shop's colours and the customer's language.

    Args:
        request: What is answered.
        template: Its name below `public/`.
        said: What it is filled with, besides the words.
        status: HTTP's.
        locale: The customer's; the store's where not given.
    """
    store = store_in_use()
    language = language_of(locale, store.locale)
    shop = {"name": store.name, "url": store.brand.url, "postal_address": store.sender.postal_address}
    known = {"shop": shop, "root": store.public_path, "language": language, "words": words(language)}
    answer = render(request, f"public/{template}", {**known, **said}, status=status)
    answer.headers["Content-Language"] = language
    return answer


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
