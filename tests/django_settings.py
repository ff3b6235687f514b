"""What mypy's Django plugin needs to know the ledger's models; nothing else reads it."""

from rekindle.service.config.database import APPS, FOREIGN

INSTALLED_APPS = [*(f"rekindle.service.{app}" for app in APPS), *FOREIGN]
AUTH_USER_MODEL = "console.Operator"
MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "types only"  # noqa: S105  signs nothing
