"""What Django needs to answer requests.

Knows nothing of a store and of pages.
"""

from collections.abc import Mapping

_BODY_AT_MOST = 1_000_000

WEB: Mapping[str, object] = {
    "ROOT_URLCONF": "rekindle.service.config.urls",
    "APPEND_SLASH": False,                 # RFC 8058 3.1: a POST is never redirected
    "ALLOWED_HOSTS": ["*"],                # no page says its own host: links are made from public_url alone
    "MIDDLEWARE": ["django.middleware.security.SecurityMiddleware", "rekindle.service.config.headers.careful"],
    "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    "DATA_UPLOAD_MAX_MEMORY_SIZE": _BODY_AT_MOST,
    "SECURE_REFERRER_POLICY": "no-referrer",  # tokens stand in addresses
}
"""What Django needs to answer requests."""
