"""Where a second factor is set up: the session that does so has given it, and every other session of that operator ends.

Knows nothing of who needs one.
"""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.totp.views import ActivateTOTPView
from django.http import HttpResponse

from rekindle.service.console import actions, devices
from rekindle.service.console.roles import SECOND_FACTOR, operator_of


class SetUp(ActivateTOTPView):  # type: ignore[misc]  # allauth ships no types
    """allauth's page; a session that a password alone opened before must not outlast it."""

    def form_valid(self, form: Any) -> HttpResponse:  # noqa: ANN401  allauth's
        """Keeps what the form's code proves."""
        answer: HttpResponse = super().form_valid(form)
        operator = operator_of(self.request)
        record_authentication(self.request, operator, SECOND_FACTOR, type="totp")
        actions.end_sessions(operator, self.request.session.session_key or "")
        devices.remember(self.request, answer, operator.email)
        return answer


set_up = SetUp.as_view()
