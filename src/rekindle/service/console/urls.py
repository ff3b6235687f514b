"""The console's addresses, below `/console/`.

Knows nothing of what stands there.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from django.urls import URLPattern, URLResolver, path

from rekindle.service.console import overview

urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview.overview, name="overview"),
    path("account/login", account.login, name="account_login"),
    path("account/closed", account.account_inactive, name="account_inactive"),
    path("account/logout", account.logout, name="account_logout"),
    path("account/password", account.password_change, name="account_change_password"),
    path("account/again", account.reauthenticate, name="account_reauthenticate"),
    path("account/second", mfa.index, name="mfa_index"),
    path("account/second/enter", mfa.authenticate, name="mfa_authenticate"),
    path("account/second/again", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("account/second/set-up", totp.activate_totp, name="mfa_activate_totp"),
    path("account/second/move", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/second/codes", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("account/second/codes/new", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
]
