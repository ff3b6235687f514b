from typing import Any

from django.db import migrations, models

from rekindle.deliver.message import token_of
from rekindle.service.outbox.models import touch_key

CHUNK = 2_000


def name_touches(apps: Any, _editor: Any) -> None:
    touch = apps.get_model("outbox", "Touch")
    last = 0
    while rows := list(touch.objects.filter(id__gt=last).order_by("id")[:CHUNK]):
        for row in rows:
            row.token = token_of(touch_key(row.program, row.customer_id, row.episode, row.stage))
        touch.objects.bulk_update(rows, ["token"])
        last = rows[-1].id


class Migration(migrations.Migration):

    dependencies = [
        ("outbox", "0002_touch_service"),
    ]

    operations = [
        migrations.AddField(
            model_name="plan",
            name="approved_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="plan",
            name="approved_by",
            field=models.CharField(db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="touch",
            name="attempts",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="touch",
            name="provider_id",
            field=models.CharField(db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="touch",
            name="token",
            field=models.CharField(db_default="", default="", max_length=26),
        ),
        migrations.AddIndex(
            model_name="touch",
            index=models.Index(fields=["token"], name="touch_by_token"),
        ),
        migrations.AddIndex(
            model_name="touch",
            index=models.Index(condition=models.Q(("provider_id", ""), _negated=True), fields=["provider_id"], name="touch_by_provider_id"),
        ),
        migrations.RunPython(name_touches, migrations.RunPython.noop),
    ]
