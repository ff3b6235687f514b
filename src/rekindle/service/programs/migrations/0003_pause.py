"""Programs that are stopped for a while; no row is one that was never stopped, as the code before had it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('programs', '0002_approval_since'),
    ]

    operations = [
        migrations.CreateModel(
            name='Pause',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('program', models.CharField(max_length=100)),
                ('reason', models.CharField(max_length=300)),
                ('by', models.CharField(max_length=200)),
                ('at', models.DateTimeField()),
                ('resumed_by', models.CharField(default='', max_length=200)),
                ('resumed_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['id'],
                'constraints': [
                    models.UniqueConstraint(condition=models.Q(('resumed_at__isnull', True)), fields=('program',), name='one_open_pause_per_program'),
                ],
            },
        ),
    ]
