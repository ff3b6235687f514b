"""The first tables."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Document',
            fields=[
                ('digest', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('name', models.CharField(db_index=True, max_length=100)),
                ('kind', models.CharField(max_length=32)),
                ('text', models.TextField()),
                ('owner', models.CharField(default='', max_length=200)),
                ('submitted_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Approval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(max_length=16)),
                ('by', models.CharField(max_length=200)),
                ('at', models.DateTimeField()),
                ('document', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='approvals', to='programs.document')),
            ],
            options={
                'ordering': ['at', 'id'],
            },
        ),
    ]
