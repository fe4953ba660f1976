"""`manage.py run_engine`: the process that copies."""

import contextlib
import os
import socket
from random import SystemRandom
from secrets import token_hex
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from brokers.clock import seconds_of_life
from brokers.lease import Leases
from syncgroups.engine.door import Door, DoorCannotOpen
from syncgroups.engine.fleet import Fleet

PRIORITY = -10


class Command(BaseCommand):
    """Copies orders of leaders to their followers, until SIGTERM."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []  # the release runs them; a start after a crash must be quick

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run one process of the fleet."""
        # A container's names and numbers come again with its restart; its part of chance does not.
        holder = f"{socket.gethostname()[:60]}-{token_hex(3)}:{os.getpid()}"

        async def main() -> None:
            leases = Leases(holder, settings.SHARDS, settings.LEASE_SECONDS, seconds_of_life)
            door = Door(settings.DOORS_DIR, settings.ENGINE_DOOR)
            fleet = Fleet(leases, settings.DATA_DIR, SystemRandom(), door=door)
            try:
                await fleet.run(awake=settings.ENGINE_AWAKE)
            except DoorCannotOpen as error:
                raise CommandError(str(error)) from error
            if fleet.has_failed:
                raise CommandError("a part of the engine failed; the log says which")

        with contextlib.suppress(PermissionError):  # under load this is worth more than any line of code
            os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
        uvloop.run(main())
