"""Suppression knows addresses by a keyed digest from here on."""

from pathlib import Path
from typing import Any

from django.db import migrations, models

from rekindle.service.config.keys import load_secret
from rekindle.service.people.digests import PURPOSE, keyed

CHUNK = 10_000


def digest(apps: Any, schema_editor: Any) -> None:  # Django gives both
    """Every address becomes its digest, in the transaction of the migration: all of them, or none."""
    connection = schema_editor.connection
    table = connection.ops.quote_name(apps.get_model("people", "Suppression")._meta.db_table)
    key = bytes.fromhex(load_secret(Path(connection.settings_dict["VAR"]), PURPOSE))
    last = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(f"SELECT id, address FROM {table} WHERE id > %s ORDER BY id LIMIT {CHUNK}", [last])  # noqa: S608  names only
            rows = cursor.fetchall()
            if not rows:
                return
            told = [(keyed(key, address), number) for number, address in rows]
            cursor.executemany(f"UPDATE {table} SET address = %s WHERE id = %s", told)  # noqa: S608  names only
            last = rows[-1][0]


class Migration(migrations.Migration):
    dependencies = [("people", "0004_wishes")]
    operations = [
        migrations.RunPython(digest),
        migrations.RemoveIndex(model_name="suppression", name="suppression_by_address"),
        migrations.RenameField(model_name="suppression", old_name="address", new_name="digest"),
        migrations.AlterField(model_name="suppression", name="digest", field=models.CharField(max_length=64)),
        migrations.AddIndex(
            model_name="suppression", index=models.Index(fields=["channel", "digest"], name="suppression_by_digest")
        ),
    ]
