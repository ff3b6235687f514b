"""Who may use the console: the page where admins invite and change operators, and the page where a password is chosen.

Knows nothing of how one signs in.
"""

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from rekindle import moment
from rekindle.errors import RekindleError
from rekindle.service.config.web import store_in_use
from rekindle.service.console import actions, devices, queries
from rekindle.service.console.models import Deed, Operator
from rekindle.service.console.roles import Role, may, operator_of
from rekindle.service.console.shell import note, show

_DEEDS = 30
"""Of what was done, as many are shown, the latest first."""


class Invite(forms.Form):
    """Whom to invite."""

    email = forms.EmailField(label="E-mail address", max_length=254)
    role = forms.TypedChoiceField(coerce=int, choices=[(role.value, role.name.capitalize()) for role in Role], initial=Role.EDITOR.value)
    privacy = forms.BooleanField(required=False, label="May see names and addresses, and take data out")


class Password(forms.Form):
    """What is chosen by a link."""

    email = forms.EmailField(label="Your e-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(
        label="Password", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), help_text="12 characters or more.",
    )  # fmt: skip

    def clean(self) -> dict[str, object]:
        """Refuses what is short, common or like the address."""
        given = super().clean() or {}
        try:
            validate_password(str(given.get("password", "")), Operator(email=str(given.get("email", ""))))
        except forms.ValidationError as error:
            self.add_error("password", error)
        return given


@may(Role.ADMIN, post=Role.ADMIN)
def operators(request: HttpRequest) -> HttpResponse:
    """Everybody, and a form for one more; the link of a new one is shown this once."""
    form = Invite(request.POST if request.method == "POST" else None)
    link = ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            token = actions.invite(given["email"], Role(given["role"]), given["privacy"], operator_of(request).email, moment.now())
        except RekindleError as error:
            form.add_error(None, str(error))
        else:
            link, form = address(token), Invite()
    said = {"operators": queries.operators(), "form": form, "link": link, "deeds": Deed.objects.order_by("-id")[:_DEEDS]}
    return show(request, "operators.html", said, status=400 if form.errors else 200)


@may(Role.ADMIN, post=Role.ADMIN)
def change(request: HttpRequest, number: int) -> HttpResponse:
    """Another role, a new link, or an end, for one operator."""
    one = Operator.objects.filter(pk=number).first()
    if one is None:
        return show(request, "absent.html", {"what": "operator"}, status=404)
    if request.method != "POST":
        return show(request, "operator.html", {"one": one, "roles": list(Role)})
    by, now, given = operator_of(request).email, moment.now(), request.POST
    try:
        if given.get("what") == "link":
            return show(request, "operator.html", {"one": one, "roles": list(Role), "link": address(actions.new_link(one.email, by, now))})
        if given.get("what") == "remove":
            actions.remove(one.email, by, now)
        elif given.get("role", "") in {str(role.value) for role in Role}:
            actions.change(one.email, Role(int(given["role"])), "privacy" in given, by, now, request.session.session_key or "")
        else:
            return show(request, "operator.html", {"one": one, "roles": list(Role)}, status=400)
    except RekindleError as error:
        return show(request, "operator.html", {"one": one, "roles": list(Role), "error": str(error)}, status=400)
    note(request, f"{one.email}: done.")
    return HttpResponseRedirect(reverse("operators"))


@require_http_methods(["GET", "HEAD", "OPTIONS", "POST"])
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Where an invitation leads: one chooses a password, once, and signs in with it then."""
    found = queries.invitation(token, moment.now())
    if found is None:
        return show(request, "spent.html", status=404)
    known = found.operator.email if found.operator else ""
    form = Password({**request.POST.dict(), **({"email": known} if known else {})} if request.method == "POST" else None)
    if known:
        form.fields["email"].widget = forms.HiddenInput()
        form.fields["email"].initial = known
    if request.method == "POST" and form.is_valid():
        try:
            one = actions.choose_password(token, form.cleaned_data["email"], form.cleaned_data["password"], moment.now())
        except RekindleError:
            return show(request, "spent.html", status=404)
        note(request, "Your password is set. Sign in with it.")
        answer = HttpResponseRedirect(reverse("account_login"))
        devices.remember(request, answer, one.email)
        return answer
    return show(request, "welcome.html", {"form": form, "known": known}, status=400 if form.errors else 200)


def address(token: str) -> str:
    """A link as it is given to somebody."""
    store = store_in_use()
    return f"{store.public_url.rstrip('/')}{path_of(token)}"


def path_of(token: str) -> str:
    """The address below the store's own, without its path."""
    return f"/console/account/welcome/{token}"
