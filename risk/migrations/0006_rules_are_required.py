import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("risk", "0005_accounts_get_their_rules")]

    operations = [
        migrations.AlterField(
            model_name="accountrisk",
            name="book",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.RESTRICT, related_name="account_risk", to="risk.rulebook"
            ),
        ),
        migrations.RemoveField(model_name="accountrisk", name="max_position"),
    ]
