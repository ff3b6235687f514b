"""The console's addresses, below `/console/`.

Knows nothing of what stands there.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from django.urls import URLPattern, URLResolver, path

from rekindle.service.console import (
    causes,
    customers,
    documents,
    jobs,
    messages,
    operators,
    overview,
    plans,
    programs,
    segments,
    shop,
    start,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview.overview, name="overview"),
    path("plan", plans.latest, name="plan"),
    path("plan/<str:digest>", plans.one, name="plan-one"),
    path("start", start.start, name="start"),
    path("start/columns/<str:key>", start.columns, name="start-columns"),
    path("start/file/<str:key>", start.looked, name="start-file"),
    path("start/contacts", start.contacts, name="start-contacts"),
    path("start/week", start.week, name="start-week"),
    path("shop", shop.shop, name="shop"),
    path("jobs", jobs.jobs, name="jobs"),
    path("jobs/<str:key>", jobs.job, name="jobs-job"),
    path("operators", operators.operators, name="operators"),
    path("operators/<int:number>", operators.change, name="operators-change"),
    path("customers", customers.customers, name="customers"),
    path("customers/<str:customer>", customers.customer, name="customers-one"),
    path("segments", segments.segments, name="segments"),
    path("segments/<str:name>", segments.one, name="segments-one"),
    path("segment-draft", segments.draft, name="segments-draft"),
    path("segment-draft/trial", segments.trial, name="segments-trial"),
    path("causes", causes.causes, name="causes"),
    path("causes/fix", causes.fix, name="causes-fix"),
    path("programs", programs.programs, name="programs"),
    path("programs/<slug:name>", programs.one, name="programs-one"),
    path("programs/<slug:name>/pause", programs.pause, name="programs-pause"),
    path("programs/<slug:name>/walk", programs.walks, name="programs-walks"),
    path("programs/<slug:name>/sample/<slug:stage>/<slug:arm>", programs.sample, name="programs-sample"),
    path("programs/<slug:name>/sample/<slug:stage>/<slug:arm>/mail", programs.mail, name="programs-mail"),
    path("walks/<str:key>", programs.walk, name="programs-walk"),
    path("documents", documents.documents, name="documents"),
    path("documents/approve", documents.approve, name="documents-approve"),
    path("documents/edit/<path:name>", documents.edit, name="documents-edit"),
    path("documents/check/<path:name>", documents.check, name="documents-check"),
    path("documents/versions/<path:name>", documents.one, name="documents-one"),
    path("messages", messages.messages, name="messages"),
    path("messages/<int:number>", messages.one, name="messages-one"),
    path("messages/<int:number>/mail", messages.mail, name="messages-mail"),
    path("account/welcome/<str:token>", operators.welcome, name="account_welcome"),
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
