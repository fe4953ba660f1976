"""Seals tokens and second factors with the first key of DATA_KEYS; see docs/connections.md."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from brokers.services.rotation import rotate, waiting


class Command(BaseCommand):
    """Bring every secret under the key that seals today."""

    help = "Seal every stored secret with the first key of DATA_KEYS. May be stopped and run again."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Rotate and say the counts; fail when a secret does not open with any key."""
        tallies = rotate()
        for tally in tallies:
            self.stdout.write(
                f"{tally.kind}: {tally.anew} sealed anew, {tally.current} up to date, "
                f"{tally.shut} do not open"
            )
        for key, count in sorted(waiting().items()):
            self.stdout.write(f"key {key}: {count} tokens")
        if any(tally.shut for tally in tallies):
            raise CommandError(
                "Put the key that is missing back into DATA_KEYS, or let those logins reconnect."
            )
