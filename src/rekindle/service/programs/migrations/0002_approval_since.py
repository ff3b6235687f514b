"""From which instant an approval of a version of the table of chances holds; null for all others, as the code before wrote them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('programs', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='approval',
            name='since',
            field=models.DateTimeField(null=True),
        ),
    ]
