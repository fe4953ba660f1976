"""The largest position of each account moves into its rules."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def give_rules(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Give every account rules that say what its row says."""
    books = apps.get_model("risk", "RuleBook").objects
    rows = apps.get_model("risk", "AccountRisk").objects.filter(book=None).select_related("gate")
    for row in rows.iterator():
        rules = {} if row.max_position is None else {"caps": {"instrument": row.max_position}}
        row.book = books.create(owner_id=row.gate.owner_id, scope="account", rules=rules)
        row.save(update_fields=["book"])


def take_rules(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Put the largest position back into each account's row."""
    rows = apps.get_model("risk", "AccountRisk").objects.exclude(book=None).select_related("book")
    for row in rows.iterator():
        row.max_position = row.book.rules.get("caps", {}).get("instrument")
        row.save(update_fields=["max_position"])


class Migration(migrations.Migration):

    dependencies = [("risk", "0004_rules_locks_standings")]

    operations = [migrations.RunPython(give_rules, take_rules)]
