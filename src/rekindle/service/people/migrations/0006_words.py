from django.db import migrations, models


class Migration(migrations.Migration):
    """What an order implies may have the instant of what was said."""

    dependencies = [("people", "0005_digests")]
    operations = [
        migrations.RemoveConstraint(model_name="consent", name="a_statement_is_held_once"),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.UniqueConstraint(
                fields=["customer_id", "channel", "purpose", "recorded_at", "granted", "basis"], name="a_word_is_held_once"
            ),
        ),
    ]
