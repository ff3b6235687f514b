"""The first tables."""

from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('number', models.CharField(max_length=32, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=16)),
                ('source', models.CharField(max_length=32)),
                ('customer_id', models.CharField(db_index=True, default='', max_length=64)),
                ('everyone', models.BooleanField(default=False)),
                ('asked_at', models.DateTimeField()),
                ('done_at', models.DateTimeField(null=True)),
                ('done', models.TextField(default='{}')),
                ('digest', models.CharField(default='', max_length=64)),
            ],
            options={
                'indexes': [models.Index(fields=['done_at', 'asked_at'], name='receipts_open')],
            },
        ),
    ]
