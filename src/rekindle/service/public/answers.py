"""Answers that several pages give.

Knows nothing of what was asked.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rekindle.service.config.web import store_in_use


def page(request: HttpRequest, template: str, said: dict[str, object], status: int = 200) -> HttpResponse:
    """A page in the shop's colours."""
    store = store_in_use()
    shop = {"name": store.name, "url": store.brand.url, "color": store.brand.color, "postal_address": store.sender.postal_address}
    return render(request, template, {"shop": shop, "root": store.public_path, **said}, status=status)


def not_ours(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001  Django's way of calling
    """One answer to every link that is not one of ours, damaged, or somebody else's."""
    return page(request, "public/not_ours.html", {}, status=404)
