"""One run: the lock, the services, the environment that every process sees."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from launcher import services
from launcher.bootstrap import ROOT
from launcher.net import free_port
from launcher.state import State
from launcher.words import give_up, say

WEB_PORT = 8000
PAPER_PORT = 8090


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock while the block runs; a killed run leaves no lock behind."""
    path = folder / "run.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            give_up(f"TradeHaven runs here already (process {holder}): stop that one first, with Ctrl-C")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def data_services(folder: Path, state: State) -> Iterator[dict[str, str]]:
    """Start what no address is set for, and give the addresses of both."""
    started: list[services.Service] = []
    try:
        found = {}
        for name, start in (("DATABASE_URL", services.postgres), ("REDIS_URL", services.valkey)):
            if os.environ.get(name):
                found[name] = os.environ[name]
            else:
                service = start(folder, state)
                started.append(service)
                found[name] = service.url
        yield found
    finally:
        for service in reversed(started):
            service.stop()


def environment(folder: Path, state: State, addresses: dict[str, str]) -> dict[str, str]:
    """Return the environment of the processes: secrets of this installation, ports that are free now."""
    web = free_port(int(os.environ.get("PORT", WEB_PORT)))
    paper = free_port(int(os.environ.get("PAPER_PORT", PAPER_PORT)))
    for name, wanted, port in (("PORT", WEB_PORT, web), ("PAPER_PORT", PAPER_PORT, paper)):
        if port != int(os.environ.get(name, wanted)):
            say(f"port {os.environ.get(name, wanted)} is taken, so {name} is {port}")
    made = {
        "PORT": str(web),
        "PAPER_PORT": str(paper),
        "PAPER_URL": f"http://127.0.0.1:{paper}",
        "SITE_URL": f"http://127.0.0.1:{web}",
        "SECRET_KEY": state.text("secret_key"),
        "DATA_KEYS": state.key_ring(),
        "PAPER_CLIENT_SECRET": state.text("paper_client"),
        "PAPER_SECRET": state.text("paper_tokens"),
        "PAPER_OPERATOR_TOKEN": state.text("paper_operator"),
        "DEMO_PASSWORD": state.password(),
        "DJANGO_SETTINGS_MODULE": "tradehaven.settings.dev",
    }
    fixed = {
        "DATA_DIR": str(folder),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore",  # deprecations of packages are for the checks, not for the demo's screen
        "C_FORCE_ROOT": "1",  # the worker's own warning about root; the launcher is for one machine's owner
        "HOME": os.environ.get("HOME", str(folder)),
    }
    return made | dict(os.environ) | addresses | fixed | {"PORT": str(web), "PAPER_PORT": str(paper)}


def manage(command: list[str], surroundings: dict[str, str]) -> None:
    """Run a management command; end with a sentence when it fails."""
    done = subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=surroundings)
    if done.returncode != 0:
        give_up(f"`manage.py {' '.join(command)}` failed: see the lines above")
