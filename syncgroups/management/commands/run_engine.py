"""`manage.py run_engine`: the process that copies."""

import contextlib
import os
import socket
from random import SystemRandom
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand

from syncgroups.engine.process import Engine

PRIORITY = -10


class Command(BaseCommand):
    """Copies orders of leaders to their followers, until SIGTERM."""

    help = __doc__ or ""

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run one engine."""
        holder = f"{socket.gethostname()}:{os.getpid()}"

        async def main() -> None:
            await Engine(holder, settings.DATA_DIR, SystemRandom()).run(awake=settings.ENGINE_AWAKE)

        with contextlib.suppress(PermissionError):  # under load this is worth more than any line of code
            os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
        uvloop.run(main())
