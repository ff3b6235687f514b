"""The first table."""

from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Placed',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_id', models.CharField(max_length=64)),
                ('placement', models.CharField(max_length=64)),
                ('day', models.DateField()),
                ('plan', models.CharField(max_length=64)),
                ('program', models.CharField(max_length=100)),
                ('stage', models.CharField(max_length=64)),
                ('episode', models.CharField(max_length=200)),
                ('arm', models.CharField(max_length=64)),
                ('propensity', models.FloatField()),
                ('asked_at', models.DateTimeField()),
                ('mirror', models.CharField(db_index=True, default='changed', max_length=8)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('customer_id', 'placement', 'day', 'plan', 'program', 'stage', 'episode', 'arm'), name='an_answer_a_day_is_held_once')],
            },
        ),
    ]
