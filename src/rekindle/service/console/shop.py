"""What the shop says of itself: its name and money, and what stands in every message.

Knows nothing of where it is kept.
"""

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from rekindle import moment
from rekindle.errors import RekindleError
from rekindle.service.config.web import serve_as, store_in_use
from rekindle.service.console import actions
from rekindle.service.console.roles import Role, may, operator_of
from rekindle.service.console.shell import note, show
from rekindle.service.flow import placeholders, shop_settings, snapshots


class Shop(forms.Form):
    """The settings that a person writes; docs/settings.md has all of them."""

    name = forms.CharField(label="Name of the shop", max_length=100)
    currency = forms.CharField(label="Currency", max_length=3, help_text="Three letters, such as EUR; it stays once orders are there.")
    timezone = forms.CharField(label="Time zone", max_length=60, help_text="Such as Europe/Berlin.")
    brand_url = forms.CharField(label="Address of the shop", max_length=300, help_text="Where messages lead, such as https://marigold.shop.")
    sender_email = forms.EmailField(label="Messages come from", max_length=254)
    sender_postal_address = forms.CharField(label="Postal address", max_length=300, help_text="In every marketing mail, by law.")
    public_url = forms.CharField(label="Address of this server", max_length=300, help_text="Where the links in messages lead; HTTPS.")


FIXED = ("currency", "timezone")
"""What cannot change once orders are there: they were read in it."""


@may(Role.ADMIN, post=Role.ADMIN)
def shop(request: HttpRequest) -> HttpResponse:
    """A form of what is set, and what it posts to."""
    store = store_in_use()
    begun = bool(snapshots.summary(store.var))
    held = {
        "name": store.name, "currency": store.currency, "timezone": store.timezone, "brand_url": store.brand.url,
        "sender_email": store.sender.email, "sender_postal_address": store.sender.postal_address, "public_url": store.public_url,
    }  # fmt: skip
    form = Shop(request.POST if request.method == "POST" else None, initial=held)
    for name in FIXED if begun else ():
        form.fields[name].disabled = True
    if request.method == "POST" and form.is_valid():
        wanted = {_dotted(name): str(value) for name, value in form.cleaned_data.items() if value != held[name]}
        try:
            serve_as(shop_settings.write(store.root, wanted))
        except RekindleError as error:
            form.add_error(None, str(error))
        else:
            actions.note_deed(operator_of(request).email, "changed settings", ", ".join(wanted), moment.now())
            note(request, "Saved. Messages that are written from now on say so.")
            return HttpResponseRedirect(reverse("shop"))
    labels = {_dotted(name): str(field.label) for name, field in form.fields.items()}
    told = [*placeholders.warnings(store), *(one.message for one in placeholders.examined(store))]
    said = [f"{labels[name]} {what}" for name, _, what in (one.partition(" ") for one in told)]
    return show(request, "shop.html", {"form": form, "said": said}, status=400 if form.errors else 200)


def _dotted(name: str) -> str:
    """A field's name as the setting's: `sender_email` as `sender.email`."""
    return name.replace("_", ".", 1) if name.partition("_")[0] in ("brand", "sender") else name
