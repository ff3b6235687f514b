"""Answers know whose code they were about, and their keys by a digest alone."""

import hashlib
import json
from typing import Any

from django.db import migrations, models


def tell_whose(apps: Any, _: Any) -> None:
    """A redemption's answer is kept; a refusal goes, since nothing says whose it was: asked again, it is judged again."""
    answers, redemptions = (apps.get_model("redemptions", name).objects for name in ("Answer", "Redemption"))
    for one in list(answers.all()):
        number = json.loads(one.body).get("redemption") if one.status == 200 else None
        whose = redemptions.filter(pk=number).values_list("coupon__customer_id", flat=True).first()
        answers.filter(pk=one.key).delete()
        if whose:
            one.key, one.customer_id = hashlib.sha256(one.key.encode()).hexdigest(), whose
            one.save(force_insert=True)


class Migration(migrations.Migration):
    dependencies = [("redemptions", "0002_spend")]
    operations = [
        migrations.AddField(
            model_name="answer", name="customer_id", field=models.CharField(db_default="", db_index=True, default="", max_length=64)
        ),
        migrations.RunPython(tell_whose),
        migrations.AlterField(model_name="answer", name="key", field=models.CharField(max_length=64, primary_key=True, serialize=False)),
    ]
