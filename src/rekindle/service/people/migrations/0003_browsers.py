from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [('people', '0002_birthdays_told')]
    operations = [
        migrations.AddField('person', 'push', models.TextField(db_default='', default='')),
        migrations.AddField('person', 'push_lookup', models.CharField(db_default='', db_index=True, default='', max_length=64)),
    ]
