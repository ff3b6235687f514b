"""The first tables."""

from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Person',
            fields=[
                ('customer_id', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('email', models.CharField(default='', max_length=254)),
                ('email_lookup', models.CharField(db_index=True, default='', max_length=254)),
                ('phone', models.CharField(default='', max_length=32)),
                ('first_name', models.CharField(default='', max_length=200)),
                ('last_name', models.CharField(default='', max_length=200)),
                ('locale', models.CharField(default='', max_length=35)),
                ('timezone', models.CharField(default='', max_length=64)),
                ('birthday', models.DateField(null=True)),
                ('updated_at', models.DateTimeField()),
                ('mirror', models.CharField(db_index=True, default='changed', max_length=8)),
            ],
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_id', models.CharField(max_length=64)),
                ('channel', models.CharField(max_length=16)),
                ('purpose', models.CharField(max_length=32)),
                ('granted', models.BooleanField()),
                ('basis', models.CharField(max_length=32)),
                ('source', models.CharField(max_length=200)),
                ('wording_version', models.CharField(default='', max_length=64)),
                ('recorded_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('customer_id', 'channel', 'purpose', 'recorded_at', 'granted'), name='a_statement_is_held_once')],
            },
        ),
        migrations.CreateModel(
            name='ExternalId',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_id', models.CharField(db_index=True, max_length=64)),
                ('source', models.CharField(max_length=64)),
                ('external_id', models.CharField(max_length=200)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('external_id', 'source'), name='one_customer_per_external_id')],
            },
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(max_length=16)),
                ('address', models.CharField(max_length=254)),
                ('reason', models.CharField(max_length=64)),
                ('recorded_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['channel', 'address'], name='suppression_by_address')],
            },
        ),
    ]
