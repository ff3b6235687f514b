"""What mypy's Django plugin needs to know the ledger's models; nothing else reads it."""

from rekindle.service.config.database import APPS

INSTALLED_APPS = [f"rekindle.service.{app}" for app in APPS]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "types only"  # noqa: S105  signs nothing
