"""Reviews, blockers and the document log; what was written down before there was a log is its beginning."""

from typing import Any

from django.db import migrations, models

from rekindle.service.programs import log


def begin(apps: Any, _schema: Any) -> None:
    """Seals the documents and approvals that are there, in the order in which they came."""
    known = apps.get_model('programs', 'LogEntry')
    known.objects.create(number=log.BEGIN, what='begin', key='', digest='', seal='')
    number, before = log.BEGIN, ''
    documents = apps.get_model('programs', 'Document').objects.order_by('submitted_at', 'digest')
    approvals = apps.get_model('programs', 'Approval').objects.order_by('id')
    for what, rows in ((log.DOCUMENT, documents), (log.APPROVAL, approvals)):
        for row in rows:
            number, key, digest = number + 1, str(row.pk), log.digest_of(what, row)
            before = log.sealed(before, number, what, key, digest)
            known.objects.create(number=number, what=what, key=key, digest=digest, seal=before)


class Migration(migrations.Migration):

    dependencies = [
        ('programs', '0003_pause'),
    ]

    operations = [
        migrations.CreateModel(
            name='Blocker',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=500)),
                ('function', models.CharField(max_length=20)),
                ('program', models.CharField(default='', max_length=100)),
                ('owner', models.CharField(max_length=200)),
                ('due', models.DateField()),
                ('opened_by', models.CharField(max_length=200)),
                ('opened_at', models.DateTimeField()),
                ('resolved_by', models.CharField(default='', max_length=200)),
                ('resolved_at', models.DateTimeField(null=True)),
                ('resolution', models.CharField(default='', max_length=500)),
            ],
            options={
                'ordering': ['due', 'id'],
            },
        ),
        migrations.CreateModel(
            name='LogEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.BigIntegerField(unique=True)),
                ('what', models.CharField(max_length=16)),
                ('key', models.CharField(max_length=100)),
                ('digest', models.CharField(max_length=64)),
                ('seal', models.CharField(max_length=64)),
            ],
            options={
                'ordering': ['number'],
                'constraints': [models.UniqueConstraint(fields=('what', 'key'), name='written_down_once')],
            },
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('program', models.CharField(max_length=100)),
                ('by', models.CharField(max_length=200)),
                ('at', models.DateTimeField()),
                ('was_due', models.DateField()),
                ('next_due', models.DateField()),
                ('note', models.CharField(default='', max_length=2000)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
