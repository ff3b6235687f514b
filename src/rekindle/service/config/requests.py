"""What Django needs to answer requests.

Knows nothing of a store and of pages. What the console alone needs stands before no other page: service/console/doorway.py.
"""

from collections.abc import Mapping

_BODY_AT_MOST = 1_000_000
_HALF_A_DAY = 43_200
_CONSOLE = "rekindle.service.console"

WEB: Mapping[str, object] = {
    "ROOT_URLCONF": "rekindle.service.config.urls",
    "APPEND_SLASH": False,                 # RFC 8058 3.1: a POST is never redirected
    "ALLOWED_HOSTS": ["*"],                # no page says its own host: links are made from public_url alone
    "MIDDLEWARE": [
        "django.middleware.security.SecurityMiddleware", "rekindle.service.config.headers.careful",
        f"{_CONSOLE}.doorway.careful", f"{_CONSOLE}.doorway.Sessions", f"{_CONSOLE}.doorway.Forms", f"{_CONSOLE}.doorway.Operators",
        f"{_CONSOLE}.doorway.Notes", "allauth.account.middleware.AccountMiddleware",
    ],
    "TEMPLATES": [{
        "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request", f"{_CONSOLE}.shell.around"]},
    }],
    "DATA_UPLOAD_MAX_MEMORY_SIZE": _BODY_AT_MOST,
    "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
    "SECURE_REFERRER_POLICY": "no-referrer",  # tokens stand in addresses
}  # fmt: skip
"""What Django needs to answer requests."""

SIGN_IN: Mapping[str, object] = {
    "AUTH_USER_MODEL": "console.Operator",
    "AUTHENTICATION_BACKENDS": ["allauth.account.auth_backends.AuthenticationBackend"],
    "AUTH_PASSWORD_VALIDATORS": [
        {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
        {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
        {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator", "OPTIONS": {"user_attributes": ["email"]}},
    ],
    "LOGIN_URL": "account_login",
    "LOGIN_REDIRECT_URL": "overview",
    "CACHES": {"default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "console_remembered", "OPTIONS": {"MAX_ENTRIES": 100_000},
    }},
    "SESSION_COOKIE_NAME": "rekindle_console",
    "SESSION_COOKIE_AGE": _HALF_A_DAY,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",      # a link in a mail to the console finds its reader signed in; forms are checked apart
    "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
    "CSRF_COOKIE_NAME": "rekindle_form",
    "CSRF_COOKIE_HTTPONLY": True,
    "CSRF_FAILURE_VIEW": f"{_CONSOLE}.shell.stale",
    "MESSAGE_STORAGE": "django.contrib.messages.storage.session.SessionStorage",
    "ACCOUNT_ADAPTER": f"{_CONSOLE}.accounts.Accounts",
    "ACCOUNT_LOGIN_METHODS": {"email"},
    "ACCOUNT_SIGNUP_FIELDS": ["email*", "password1*"],
    "ACCOUNT_USER_MODEL_USERNAME_FIELD": None,
    "ACCOUNT_EMAIL_VERIFICATION": "none",
    "ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS": False,
    "ACCOUNT_SESSION_REMEMBER": False,
    "ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE": False,
    "ACCOUNT_LOGOUT_REDIRECT_URL": "account_login",
    "ACCOUNT_RATE_LIMITS": {"login": "60/m/ip", "login_failed": "5/15m/key,40/15m/ip"},
    "MFA_ADAPTER": f"{_CONSOLE}.accounts.SecondFactors",
    "MFA_SUPPORTED_TYPES": ["totp", "recovery_codes"],
    "MFA_TOTP_TOLERANCE": 1,               # the code before, too: it may change while it is typed (RFC 6238, 5.2)
    "MFA_ALLOW_UNVERIFIED_EMAIL": True,    # an invitation was opened from it, or the first operator is at the machine
}
"""How operators sign in, and what their sessions are."""
