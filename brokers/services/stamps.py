"""How the engines learn that an owner's settings have changed."""

from django.db import transaction
from django.db.models import F

from brokers.models import EngineStamp
from tradehaven.control import bus
from tradehaven.control.messages import SettingsChanged
from tradehaven.domain.ids import OwnerId


def touch(owner_id: int) -> None:
    """Mark an owner's settings as changed; the engines are told once the change is committed."""
    EngineStamp.objects.get_or_create(owner_id=owner_id)
    EngineStamp.objects.filter(owner_id=owner_id).update(version=F("version") + 1)
    transaction.on_commit(lambda: bus.tell(SettingsChanged(owner=OwnerId(owner_id))))
