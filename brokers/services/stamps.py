"""How the engines and the pages learn that an owner's settings or logins have changed."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import F

from brokers.models import EngineStamp
from tradehaven.control import bus
from tradehaven.control.messages import SettingsChanged
from tradehaven.domain.ids import OwnerId
from tradehaven.live.messages import Topic
from tradehaven.live.publish import publish


def touch(owner_id: int) -> None:
    """Mark an owner's settings as changed; the engines are told once the change is committed."""
    EngineStamp.objects.get_or_create(owner_id=owner_id)
    EngineStamp.objects.filter(owner_id=owner_id).update(version=F("version") + 1)
    transaction.on_commit(lambda: bus.tell(SettingsChanged(owner=OwnerId(owner_id))))


@transaction.atomic
def note_taken(versions: Mapping[int, int]) -> list[int]:
    """Note by which version of each owner's settings its engine goes now; return the owners noted.

    A row that somebody is changing is left for the next time: the engine waits for nobody here.
    """
    rows = EngineStamp.objects.select_for_update(skip_locked=True).filter(owner_id__in=versions)
    noted = []
    for row in rows:
        if row.taken < versions[row.owner_id]:
            EngineStamp.objects.filter(pk=row.pk).update(taken=versions[row.owner_id])
            publish(row.owner_id, [Topic.GROUPS])
        noted.append(row.owner_id)
    return noted


def tell_pages(owner_id: int) -> None:
    """Let an owner's pages show their logins anew, once the change is committed."""
    publish(owner_id, [Topic.OVERVIEW, Topic.ACCOUNTS, Topic.GROUPS])
