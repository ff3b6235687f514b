"""Which browsers an operator has signed in with before: each holds a signed cookie of that operator's own.

Knows nothing of passwords. A cookie lets nobody in; guesses from such a browser are only counted apart from everybody else's.
"""

import secrets
from hashlib import sha256

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from rekindle.service.console.doorway import on_this_machine

NAME = "rekindle_device"
KNOWN_FOR = 180 * 86_400
"""Seconds from the last full sign-in on."""


def remember(request: HttpRequest, answer: HttpResponse, email: str) -> None:
    """Makes the browser of an operator, who has just proven who they are, a known one.

    Args:
        request: Theirs.
        answer: What the cookie leaves with.
        email: The operator's.
    """
    given = signing.dumps(known(request, email) or secrets.token_urlsafe(12), salt=_salt(email))
    path, secure = settings.SESSION_COOKIE_PATH, not on_this_machine(request)
    answer.set_cookie(_name(email), given, KNOWN_FOR, path=path, secure=secure, httponly=True, samesite="Lax")


def known(request: HttpRequest, email: str) -> str:
    """What tells a known browser of an operator from their others; empty where this is none."""
    try:
        return str(signing.loads(request.COOKIES.get(_name(email), ""), salt=_salt(email), max_age=KNOWN_FOR))
    except signing.BadSignature:
        return ""


def _name(email: str) -> str:
    """An operator's own: two who share a browser are both known in it."""
    return f"{NAME}_{sha256(email.lower().encode()).hexdigest()[:12]}"


def _salt(email: str) -> str:
    return f"{NAME}:{email.lower()}"
