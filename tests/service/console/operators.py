"""Operators for tests: of any role, with the second factor that it asks for, and signed in."""

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.flows.login import _AUTHENTICATION_METHODS_USER_SESSION_KEY as _USER_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client

from rekindle import moment
from rekindle.service.console.models import Operator
from rekindle.service.console.roles import SECOND_FACTOR, Role

PASSWORD = "seven lanterns at the harbour"  # noqa: S105  made up for tests
SECRET = "JBSWY3DPEHPK3PXP"  # noqa: S105  made up for tests


def ready(role: Role, privacy: bool = False) -> Operator:
    """An operator with all that signing in takes; made at the first call."""
    email = f"{role.name.lower()}{'-privacy' if privacy else ''}@marigold.example"
    found = Operator.objects.filter(email=email).first()
    if found:
        return found
    one = Operator(email=email, role=role, privacy=privacy, added_at=moment.now())
    one.set_password(PASSWORD)
    one.save()
    if one.needs_second_factor:
        TOTP.activate(one, SECRET)
    return one


def signed_in(operator: Operator) -> Client:
    """A client with the session of an operator who gave the second factor that they have.

    Its forms are checked as a browser's are not: see the browser's tests for that.
    """
    client = Client()
    client.force_login(operator)
    if operator.has_second_factor:
        session = client.session
        session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": SECOND_FACTOR, "at": moment.now().timestamp(), "type": "totp"}]
        session[_USER_KEY] = str(operator.pk)
        session.save()
    return client


def forget_second_factor(operator: Operator) -> None:
    """As if they had never set it up."""
    Authenticator.objects.filter(user=operator).delete()
