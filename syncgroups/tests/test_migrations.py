"""Lines that were written before they named their order get its name from their keys."""

from importlib import import_module

import pytest

from accounts.models import User
from syncgroups.core.threads import thread_of_key
from syncgroups.models import Activity
from syncgroups.tests.factories import ActivityFactory

KEYS = [
    "th1.g3.l12.o501.f7",
    "th1.g3.l12.o501.f7.p9.e.r2.m.c4",
    "th1d.g3.l12.o501.f7.ESZ6.ESZ6.100",
    "th1d.g3.l12.o0.f7.ESZ6.ESZ6.100.c2",
    "th1h.m7.l12.f8.s20.t40.sl.r2",
    "th1x.a3.ESZ6.1",
    "th-000001",
    "",
]


@pytest.mark.django_db
def test_every_key_becomes_the_name_that_the_product_gives_it(alice: User, monkeypatch: pytest.MonkeyPatch):
    migration = import_module("syncgroups.migrations.0016_lines_know_their_order")
    monkeypatch.setattr(migration, "BATCH", 3)
    for key in KEYS:
        ActivityFactory.create(owner=alice, key=key)

    class Apps:
        """The models as they are now: the migration uses nothing that has changed since."""

        def get_model(self, _app: str, _name: str) -> type[Activity]:
            return Activity

    migration.name_orders(Apps(), None)
    found = dict(Activity.objects.values_list("key", "thread"))
    assert found == {key: thread_of_key(key) for key in KEYS}
