"""What changes the keys of the JSON API.

Knows nothing of requests.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from rekindle.errors import UsageError
from rekindle.service.api.models import ApiKey
from rekindle.service.api.queries import IN_USE, digest
from rekindle.service.api.scopes import SCOPES


def create(label: str, scopes: Sequence[str], at: datetime) -> str:
    """Makes a key.

    Args:
        label: Whose or what for.
        scopes: What it opens.
        at: The instant, aware.

    Returns:
        The key, shown this once: `rk_`, its name, `_`, 256 random bits.

    Raises:
        UsageError: It would open nothing, or what is not there.
    """
    wanted = opened(scopes)
    prefix, word = secrets.token_hex(4), secrets.token_urlsafe(32)
    with transaction.atomic():
        ApiKey.objects.create(prefix=prefix, digest=digest(word), label=label[:100], scopes=" ".join(wanted), created_at=at)
    return f"rk_{prefix}_{word}"


def opened(scopes: Sequence[str]) -> list[str]:
    """What a key with these scopes opens, each once.

    Raises:
        UsageError: Nothing, or what is not there.
    """
    if not scopes or not set(scopes) <= SCOPES.keys():
        raise UsageError(f"a key opens one or more of {', '.join(SCOPES)}", f"Write for example: --scope {next(iter(SCOPES))}")
    return sorted(set(scopes))


def revoke(prefix: str, at: datetime, *, dry_run: bool = False) -> None:
    """Ends a key; it opens nothing from now on, in other processes within a second. A dry run only sees whether it is there.

    Raises:
        UsageError: There is none of this name, or it has ended.
    """
    with transaction.atomic():
        mine = ApiKey.objects.filter(pk=prefix, revoked_at=None)
        if not (mine.count() if dry_run else mine.update(revoked_at=at)):
            raise UsageError(f"no key '{prefix}' is in use", "See their names with: rekindle keys list")
    IN_USE.forget(prefix)
