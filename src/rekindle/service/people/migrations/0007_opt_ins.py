from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0006_words")]
    operations = [
        migrations.CreateModel(
            name="OptIn",
            fields=[
                ("number", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("customer_id", models.CharField(db_index=True, max_length=64)),
                ("channel", models.CharField(max_length=16)),
                ("digest", models.CharField(max_length=64)),
                ("source", models.CharField(max_length=200)),
                ("wording_version", models.CharField(default="", max_length=64)),
                ("asked_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(null=True)),
            ],
        ),
    ]
