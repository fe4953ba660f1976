"""Lines of the activity log get the name of the leader's order that they belong to, from their keys."""

import re

from django.db import migrations

BATCH = 2000
# As the ids were at this migration: group, leader, order of a copy or a repair; the number of a manual copy.
_COPY = re.compile(r"th1\.g\d+\.l(\d+)\.o(\d+)\.f\d+(?:\.p\d+)?(?:\.e)?(?:\.r\d+)?(?:\.m)?(?:\.c\d+)?", re.ASCII)
_REPAIR = re.compile(r"th1d\.g\d+\.l(\d+)\.o(\d+)\.f\d+\.[^.]+\.[^.]+\.\d+(?:\.m)?(?:\.c\d+)?", re.ASCII)
_MANUAL = re.compile(r"th1h\.m(\d+)\.l\d+\.f\d+.*", re.ASCII)


def thread_of_key(key):
    manual = _MANUAL.fullmatch(key)
    if manual is not None:
        return f"m{manual[1]}"
    match = _COPY.fullmatch(key) or _REPAIR.fullmatch(key)
    if match is None:
        return ""
    if int(match[2]):
        return f"{int(match[1])}-{int(match[2])}"
    return re.sub(r"\.c\d+$", "", key)


def name_orders(apps, _schema):
    Activity = apps.get_model("syncgroups", "Activity")
    keyed = Activity.objects.exclude(key="").filter(thread="").order_by("pk")
    last = 0
    while rows := list(keyed.filter(pk__gt=last).only("pk", "key")[:BATCH]):
        last = rows[-1].pk
        for row in rows:
            row.thread = thread_of_key(row.key)
        Activity.objects.bulk_update([row for row in rows if row.thread], ["thread"])


class Migration(migrations.Migration):
    dependencies = [("syncgroups", "0015_threads_and_commands")]
    operations = [migrations.RunPython(name_orders, migrations.RunPython.noop)]
