from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name='Received',
            fields=[
                ('message_id', models.CharField(max_length=200, primary_key=True, serialize=False)),
                ('answer', models.TextField(default='')),
                ('received_at', models.DateTimeField()),
            ],
        ),
    ]
