"""The ledger's raw records, for admins who may see personal data: Django's admin, in which nothing can be changed.

Knows nothing of what the records mean. Passwords' digests and the secrets of second factors are not among them.
"""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.paginator import Paginator
from django.db import models
from django.db.models.expressions import Combinable
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property

from rekindle.service.config.database import APPS
from rekindle.service.console.roles import Role, may

_COLUMNS = 7
MOST = 10_000
"""So many rows of a table can be listed, the last ones by their keys: to count all of a large one takes long."""

PLURALS = {
    "touch": "touches", "person": "people", "log entry": "log entries",
    "received": "received", "placed": "placed", "remembered": "remembered",
}
"""What several are called where it is not the name with an s."""


class Last(Paginator):  # type: ignore[type-arg]  # its stubs alone are generic
    """Pages of the last rows of a table."""

    @cached_property
    def count(self) -> int:
        """Of all rows, `MOST` where there are more."""
        return int(self.object_list[:MOST].count())  # type: ignore[attr-defined]  # the admin gives a query

    @property
    def cut(self) -> bool:
        """Whether there may be more."""
        return self.count == MOST


class Records(AdminSite):
    """All tables of the store's own."""

    site_header = site_title = "Records"
    index_title = "Tables of the ledger"
    index_template = "console/records.html"
    site_url = None
    enable_nav_sidebar = False

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Any:  # noqa: ANN401  Django's stubs have a type of their own
        """Every page of it is guarded as the console's are, and takes no form."""
        return may(Role.ADMIN, privacy=True)(super().admin_view(view, cacheable))

    def has_permission(self, request: HttpRequest) -> bool:
        """Whoever the guard lets in."""
        return True

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # noqa: ANN401  Django's
        """There is one door."""
        return HttpResponseRedirect(reverse("account_login"))


class Rows(ChangeList):
    """A list in the order of keys, whatever is asked: by what has no index a large table takes long to sort."""

    def get_ordering(self, request: HttpRequest, queryset: object) -> list[str | Combinable]:
        """The last key first."""
        return ["-pk"]


class Record(ModelAdmin):  # type: ignore[type-arg]  # its stubs alone are generic
    """A table to look at: nothing is added, changed or deleted, whoever asks."""

    actions = None
    paginator = Last
    list_per_page = 50
    list_max_show_all = 0
    sortable_by = ()
    show_full_result_count = False

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        """The list."""
        return Rows

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Whoever is let in sees everything."""
        return True

    def has_module_permission(self, request: HttpRequest) -> bool:
        """So the table is listed."""
        return True

    def _never(self, *_: object, **__: object) -> bool:
        return False

    has_add_permission = has_change_permission = has_delete_permission = _never


def _kind(model: type[models.Model]) -> type[Record]:
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.TextField)]
    hidden = ("password",) if issubclass(model, AbstractBaseUser) else ()
    shown = tuple(field.name for field in fields if field.name not in hidden)[:_COLUMNS]
    return type(f"{model.__name__}Record", (Record,), {"list_display": shown, "exclude": hidden or None})


records = Records(name="admin")
for _app in APPS:
    for _model in apps.get_app_config(_app.rpartition(".")[2]).get_models():
        _model._meta.verbose_name_plural = PLURALS.get(str(_model._meta.verbose_name), _model._meta.verbose_name_plural)
        records.register(_model, _kind(_model))
