"""`manage.py run_demo`: makes the demo's people and groups, then lets its leader trade. Paper only."""

import logging
import time
from argparse import ArgumentParser
from random import Random
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from syncgroups.demo.seed import LEADER, seed
from syncgroups.demo.trader import Desk, trade
from tradehaven.domain.errors import BrokerError

log = logging.getLogger(__name__)

RETRY_AFTER = 2.0


class Command(BaseCommand):
    """Shows a newcomer what the product does."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the pace and the seed."""
        parser.add_argument("--pause", type=float, default=4.0, help="mean seconds between two steps")
        parser.add_argument("--seed", type=int, default=7)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Seed, then trade; start over when the exchange goes away."""
        chance = Random(options["seed"])  # noqa: S311  # a story, not a secret
        while True:
            try:
                self._live(chance, options["pause"])
            except (requests.RequestException, BrokerError) as error:
                log.warning("the paper exchange does not answer yet: %s", type(error).__name__)
            time.sleep(RETRY_AFTER)

    def _live(self, chance: Random, pause: float) -> None:
        password = settings.DEMO_PASSWORD
        seed(password)
        base = settings.BROKERS["paper"]["rest_url"]
        desk = Desk(base, "demo-one", password, LEADER)
        desk.flatten()
        for line in trade(desk, chance, lambda: timezone.now().date(), pause):
            self.stdout.write(line)
