"""PostgreSQL and Valkey for one story alone, so that it may kill them and start them again.

The tests' own servers are everybody's; a story that restarts one brings its own.
"""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connections as databases

from launcher import services
from launcher.services import Service
from launcher.state import State
from tests.journeys.house import forget_template
from tradehaven.settings.env import database_of


class Servers:
    """The two data services of a story, at addresses that outlive their processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state = State(folder)
        self._database = services.postgres(folder, self._state)
        self._valkey = services.valkey(folder, self._state)

    @property
    def addresses(self) -> tuple[str, str]:
        """Return the addresses of PostgreSQL and Valkey."""
        return self._database.url, self._valkey.url

    def restart_database(self, *, crash: bool) -> None:
        """End PostgreSQL, in order or as a lost machine does, and start it again."""
        _end(self._database, signal.SIGQUIT if crash else signal.SIGINT)
        self._database = services.postgres(self._folder, self._state)
        databases["default"].close()

    def restart_valkey(self, *, crash: bool) -> None:
        """End Valkey, in order or as a lost machine does, and start it again."""
        _end(self._valkey, signal.SIGKILL if crash else signal.SIGTERM)
        self._valkey = services.valkey(self._folder, self._state)

    def stop(self) -> None:
        """End both."""
        self._valkey.stop()
        self._database.stop()


def _end(service: Service, how: signal.Signals) -> None:
    assert service.process is not None
    service.process.send_signal(how)
    service.process.wait(15)


@contextmanager
def own_servers() -> Iterator[Servers]:
    """Run servers of a story's own; this process's database is theirs meanwhile."""
    default = databases["default"]
    with tempfile.TemporaryDirectory(prefix="tradehaven-chaos-", dir="/var/tmp") as scratch:
        folder = Path(scratch)
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)  # the database's account has to pass
        servers = Servers(folder)
        before = dict(default.settings_dict)
        default.close()
        default.settings_dict.update(database_of(servers.addresses[0]))
        forget_template()
        try:
            yield servers
        finally:
            default.close()
            default.settings_dict.clear()
            default.settings_dict.update(before)
            forget_template()
            servers.stop()
