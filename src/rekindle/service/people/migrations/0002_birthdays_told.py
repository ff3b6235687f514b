from typing import Any

from django.db import migrations


def tell(apps: Any, schema_editor: object) -> None:  # noqa: ARG001  Django gives it
    """History learns birthdays from here on: people who have one are mirrored once more."""
    apps.get_model('people', 'Person').objects.filter(birthday__isnull=False).update(mirror='changed')


class Migration(migrations.Migration):
    dependencies = [('people', '0001_initial')]
    operations = [migrations.RunPython(tell, migrations.RunPython.noop)]
