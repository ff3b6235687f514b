"""The first tables."""

from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='DeliveryEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=32)),
                ('event_id', models.CharField(max_length=200)),
                ('kind', models.CharField(max_length=16)),
                ('touch', models.BigIntegerField(db_index=True, null=True)),
                ('customer_id', models.CharField(db_index=True, default='', max_length=64)),
                ('token', models.CharField(db_index=True, default='', max_length=26)),
                ('provider_id', models.CharField(default='', max_length=200)),
                ('recipient', models.CharField(default='', max_length=254)),
                ('permanent', models.BooleanField(default=False)),
                ('detail', models.CharField(default='', max_length=300)),
                ('raw', models.TextField(default='')),
                ('occurred_at', models.DateTimeField()),
                ('recorded_at', models.DateTimeField()),
                ('mirror', models.CharField(default='changed', max_length=8)),
            ],
            options={
                'indexes': [models.Index(fields=['mirror', 'kind'], name='events_to_mirror'), models.Index(condition=models.Q(('provider_id', ''), _negated=True), fields=['provider_id'], name='event_by_provider_id')],
                'constraints': [models.UniqueConstraint(fields=('source', 'event_id'), name='an_event_is_held_once')],
            },
        ),
    ]
