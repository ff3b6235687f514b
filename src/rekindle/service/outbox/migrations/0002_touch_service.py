from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("outbox", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="touch",
            name="service",
            field=models.BooleanField(default=False, db_default=False),
        ),
    ]
