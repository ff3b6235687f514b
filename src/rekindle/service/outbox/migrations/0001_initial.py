"""The first tables."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Plan',
            fields=[
                ('hash', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('ready', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='Touch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_id', models.CharField(max_length=64)),
                ('program', models.CharField(max_length=100)),
                ('version', models.CharField(max_length=64)),
                ('episode', models.CharField(max_length=200)),
                ('stage', models.CharField(max_length=64)),
                ('arm', models.CharField(max_length=64)),
                ('offer', models.CharField(default='', max_length=64)),
                ('channel', models.CharField(max_length=16)),
                ('send_at', models.DateTimeField()),
                ('valid_until', models.DateField(null=True)),
                ('code', models.CharField(default='', max_length=32)),
                ('facts', models.TextField(default='{}')),
                ('status', models.CharField(default='planned', max_length=16)),
                ('owner', models.CharField(default='', max_length=32)),
                ('fence', models.PositiveIntegerField(default=0)),
                ('lease_until', models.DateTimeField(null=True)),
                ('message_id', models.CharField(default='', max_length=200)),
                ('reason', models.CharField(default='', max_length=300)),
                ('settled_at', models.DateTimeField(null=True)),
                ('mirror', models.CharField(default='changed', max_length=8)),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='outbox.plan')),
            ],
            options={
                'indexes': [models.Index(fields=['status', 'send_at'], name='touches_due'), models.Index(fields=['mirror', 'status'], name='touches_to_mirror')],
                'constraints': [models.UniqueConstraint(fields=('customer_id', 'program', 'episode', 'stage'), name='one_touch_per_stage_of_an_episode')],
            },
        ),
    ]
