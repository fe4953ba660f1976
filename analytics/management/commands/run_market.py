"""`manage.py run_market`: the process that brings prices in."""

import asyncio
import contextlib
import signal
from random import SystemRandom
from typing import Any

import uvloop
from django.core.management.base import BaseCommand

from brokers.clock import process_clock
from brokers.market.feed import Feed
from tradehaven.domain.enums import Environment


class Command(BaseCommand):
    """Keeps the prices of all held contracts fresh, until SIGTERM."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []  # the release runs them; a start after a crash must be quick

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run one feed for each environment."""

        async def main() -> None:
            feeds = asyncio.gather(
                *(Feed(place, process_clock(), SystemRandom()).run() for place in Environment)
            )
            loop = asyncio.get_running_loop()
            for name in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(name, feeds.cancel)
            with contextlib.suppress(asyncio.CancelledError):
                await feeds

        uvloop.run(main())
