"""The stylesheets of customers' pages: one that ships, and the shop's colour.

Knows nothing of pages.
"""

from importlib.resources import files

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from rekindle.deliver.palette import palette
from rekindle.service.config.web import store_in_use

_KEEP = "public, max-age=3600"


@require_safe
def shipped(request: HttpRequest) -> HttpResponse:
    """How pages look."""
    text = (files("rekindle.service.public") / "assets" / "public.css").read_text(encoding="utf-8")
    return HttpResponse(text, content_type="text/css", headers={"Cache-Control": _KEEP})


@require_safe
def brand(request: HttpRequest) -> HttpResponse:
    """The shop's colour, and ink that can be read on it."""
    color = store_in_use().brand.color
    text = f":root {{ --brand: {color}; --brand-ink: {palette(color)['brand_ink']}; }}\n"
    return HttpResponse(text, content_type="text/css", headers={"Cache-Control": _KEEP})
