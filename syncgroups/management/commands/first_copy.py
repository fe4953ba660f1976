"""`manage.py first_copy`: waits until a follower's order has filled, and says how long the copy took."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from syncgroups.selectors import newest_filled_copy


class Command(BaseCommand):
    """Proves that a started system copies."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the longest wait."""
        parser.add_argument("--wait", type=float, default=120, help="seconds")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Wait, then print the copy or fail."""
        end = time.monotonic() + options["wait"]
        while time.monotonic() < end:
            copy = newest_filled_copy()
            if copy is not None:
                self.stdout.write(f"copied: {copy}, {copy.filled} filled")
                return
            time.sleep(0.5)
        raise CommandError(f"no follower filled anything within {options['wait']:.0f} seconds")
