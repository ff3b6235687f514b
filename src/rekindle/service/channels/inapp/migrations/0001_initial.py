from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name='InAppMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('message_id', models.CharField(max_length=200, unique=True)),
                ('customer_id', models.CharField(max_length=64)),
                ('title', models.CharField(default='', max_length=300)),
                ('text', models.TextField()),
                ('url', models.CharField(default='', max_length=2000)),
                ('service', models.BooleanField(default=False)),
                ('last_day', models.DateField()),
                ('seen_at', models.DateTimeField(null=True)),
                ('dismissed_at', models.DateTimeField(null=True)),
            ],
            options={'indexes': [models.Index(fields=['customer_id', 'last_day'], name='in_app_of_customer')]},
        ),
    ]
